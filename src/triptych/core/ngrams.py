"""n-grams of token ids as 64-bit hashes. n-grams never cross the boundary of a record."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.groups import mix

_STEP = np.uint64(0x9E3779B97F4A7C15)


def ngram_hashes(
    values: NDArray[Any], offsets: NDArray[np.int64], n: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hash of every n-gram of every record.

    Args:
        values: flat token ids (t,).
        offsets: bounds of the records in `values` (r + 1,).
        n: tokens in an n-gram, at least 1.

    Returns:
        hashes (m,) uint64 in reading order, and how many of them each record has (r,).
    """
    lengths = np.diff(offsets)
    counts = np.maximum(lengths - (n - 1), 0)
    total = len(values) - n + 1
    if total <= 0 or not counts.any():
        return np.zeros(0, dtype=np.uint64), counts
    with np.errstate(over="ignore"):
        ids = mix(values.astype(np.uint64) + _STEP)
        hashes = ids[:total].copy()
        for k in range(1, n):
            hashes *= _STEP
            hashes += ids[k : total + k]
    if n > 1:
        hashes = mix(hashes)
        hashes = hashes[_inside(offsets, n, len(values))]
    return hashes, counts


def _inside(offsets: NDArray[np.int64], n: int, total: int) -> NDArray[np.bool_]:
    """Where an n-gram that starts at a token ends inside the same record, (total - n + 1,)."""
    inside = np.ones(total, dtype=np.bool_)
    ends = offsets[1:]
    for back in range(1, n):
        starts = ends - back
        inside[starts[starts >= offsets[:-1]]] = False
    return inside[: total - n + 1]
