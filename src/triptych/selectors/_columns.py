"""What policies read of the candidates: quality and vectors that are there, and places in cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import Candidates, Floats, Ints
from triptych.neighbours.graph import vectors_of
from triptych.neighbours.search import usable


def quality_of(pool: Candidates) -> Floats:
    """Quality of each candidate of a pool whose policy needs it, float64 (n,)."""
    if pool.quality is None:
        raise TypeError("a policy that uses quality says so in `needs`")
    return pool.quality


def finite_vectors(pool: Candidates) -> NDArray[np.float32]:
    """The vectors of a pool, float32 (n, d), C-contiguous.

    Raises:
        SelectionError: there are none, or one of them is not finite.
    """
    vectors = vectors_of(pool)
    usable(vectors)
    return vectors


def rank_in(cells: Ints) -> Ints:
    """How many of the same cell come before each item, (n,). O(n log n)."""
    order = np.argsort(cells, kind="stable")
    first = np.flatnonzero(np.diff(cells[order], prepend=-2))
    starts = np.repeat(first, np.diff(np.append(first, len(cells))))
    rank = np.empty(len(cells), dtype=np.int64)
    rank[order] = np.arange(len(cells)) - starts
    return rank
