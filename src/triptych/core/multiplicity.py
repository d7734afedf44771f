"""Many tests at once: p adjusted within a family.

Holm 1979: with no effect anywhere, and whatever else is true, at most 5 in 100 families hold a false finding, however the
tests hang together. Benjamini and Hochberg 1995: of the findings, at most 5 in 100 are false on average.

Worked example: p = .01, .04, .03. Holm: .03, .06, .06. Benjamini and Hochberg: .03, .04, .04.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def holm(p: Array) -> Array:
    """Holm's adjusted p, in the order given, (k,)."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _back(np.minimum(steps, 1.0), order)


def benjamini_hochberg(p: Array) -> Array:
    """Benjamini and Hochberg's adjusted p, in the order given, (k,)."""
    order = np.argsort(p, kind="stable")
    steps = p[order] * len(p) / np.arange(1, len(p) + 1)
    return _back(np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0), order)


def _back(values: Array, order: NDArray[np.intp]) -> Array:
    out = np.empty_like(values)
    out[order] = values
    return out
