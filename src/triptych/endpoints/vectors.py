"""Vectors of texts as a server of embeddings sends them, and as they are kept: base64 of float32, little-endian."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def pack(data: Sequence[Any], wanted: int) -> tuple[str, ...]:
    """The vectors in the `data` of a reply, in the order of the texts, checked.

    Raises:
        ValueError: not one vector a text, vectors of mixed size, or what is no number among them.
    """
    if len(data) != wanted:
        raise ValueError(f"{len(data)} vectors for {wanted} texts")
    places = [item.get("index") if isinstance(item, dict) else None for item in data]
    if sorted(place for place in places if isinstance(place, int)) == list(range(wanted)):
        data = [item for _, item in sorted(zip(places, data, strict=True), key=lambda pair: pair[0])]  # type: ignore[arg-type, return-value]
    rows = [_vector(item) for item in data]
    sizes = sorted({len(row) for row in rows})
    if len(sizes) > 1 or 0 in sizes:
        raise ValueError("vectors of mixed size: " + ", ".join(map(str, sizes[:5])))
    if not all(np.isfinite(row).all() for row in rows):
        raise ValueError("a vector with NaN or infinity")
    return tuple(base64.b64encode(row.astype("<f4").tobytes()).decode() for row in rows)


def unpack(vectors: Sequence[str]) -> list[Floats]:
    """Vectors that `pack` made, one row each."""
    return [np.frombuffer(base64.b64decode(vector), "<f4").astype(np.float32) for vector in vectors]


def _vector(item: Any) -> Floats:
    """One vector: a list of numbers, or base64 of float32.

    Raises:
        ValueError: neither.
    """
    told = item.get("embedding") if isinstance(item, dict) else None
    try:
        if isinstance(told, str):
            return np.frombuffer(base64.b64decode(told, validate=True), "<f4").astype(np.float32)
        row = np.asarray(told, dtype=np.float64)
    except (TypeError, ValueError, binascii.Error):
        raise ValueError("a vector that is no list of numbers") from None
    if row.ndim != 1 or not isinstance(told, list) or any(value is None for value in told):
        raise ValueError("a vector that is no list of numbers")
    return row.astype(np.float32)
