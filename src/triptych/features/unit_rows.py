"""Vectors from anywhere as unit rows: NaN is refused, a zero vector stays zero (it counts as no vector)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from triptych.core.errors import SchemaError, message

Floats = npt.NDArray[np.float32]


def unit_rows(rows: npt.NDArray[np.floating], encoder: str) -> Floats:
    """Rows (n, d) scaled to length 1, float32; zero rows stay zero.

    Raises:
        SchemaError: NaN or infinity among them; `encoder` is named.
    """
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        what = f"encoder {encoder}: {int((~finite).sum())} of {len(rows)} vectors hold NaN or infinity."
        raise SchemaError(message(what, want="numbers", hint="another encoder, or one in single precision"))
    wide = rows.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return (wide / np.where(length > 0, length, 1)).astype(np.float32)
