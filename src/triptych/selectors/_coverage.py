"""Facility location with exact gains: what every candidate would add, kept up to date as others are taken.

    f(S) = Σ_v max(0, max_{a in S} sim(a, v)),   gain of a = Σ_v max(0, sim(a, v) - best(v)),   best(v) = max_{s in S} sim

Taking p raises best(v) for the v that p covers better than all before, and the gain of every a that covers such a v falls
by what lies between the old and the new best(v). A v is covered better a handful of times in all (about log k), so this
costs a handful of passes over the edges whatever k is: less than a lazy greedy (Minoux 1978), which counts whole rows
again and again, and the picks are those of the plain greedy rule.

Similarities below 0 count as 0, a vector covers itself with 1, a zero vector covers nothing and is covered by nothing.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]

_BLOCK = 512  # rows of cosines made at once
_ROWS = 16  # sums of 16 similarities on a grid of 2^-20 are exact in float32
_GRID = np.float32(12)  # a float32 between 8 and 16 is a multiple of 2^-20


class Coverage(Protocol):
    """What was taken, and what each candidate would add."""

    @property
    def gains(self) -> Floats:
        """What each candidate would add, (n,)."""
        ...

    @property
    def best(self) -> NDArray[np.floating[Any]]:
        """Similarity of each candidate to the nearest taken, (n,)."""
        ...

    def take(self, candidate: int) -> None:
        """Take a candidate: `gains` and `best` are up to date after it."""
        ...


class AllPairs:
    """Coverage on all pairs: 4 n² bytes, n² d / 2 for the cosines and about n² log k for k picks.

    Cosines are rounded to multiples of 2^-20 = 1e-6: then float32 adds them without error, and no gain hangs on the order
    of a sum.
    """

    def __init__(self, vectors: Singles) -> None:
        n = len(vectors)
        self._similar = np.empty((n, n), dtype=np.float32)
        self.gains: Floats = np.zeros(n)
        for start in range(0, n, _BLOCK):
            self._fill(vectors, start, start + _BLOCK)
        for start in range(0, n, _ROWS):
            self.gains[start : start + _ROWS] = self._similar[start : start + _ROWS].sum(axis=1, dtype=np.float64)
        self.best = np.zeros(len(vectors), dtype=np.float32)
        self._work = np.empty((_ROWS, len(vectors)), dtype=np.float32)

    def _fill(self, vectors: Singles, start: int, end: int) -> None:
        """Rows `start` to `end` from the diagonal on, and the columns that mirror them: half the products, equal halves."""
        block = self._similar[start:end, start:]
        np.matmul(vectors[start:end], vectors[start:].T, out=block)
        for first in range(0, len(block), _ROWS):
            rows = block[first : first + _ROWS]
            np.maximum(rows, 0, out=rows)
            rows += _GRID
            rows -= _GRID
        corner = block[:, : len(block)]
        np.copyto(corner, np.triu(corner) + np.triu(corner, 1).T)
        self._similar[end:, start:end] = block[:, len(block) :].T

    def take(self, candidate: int) -> None:
        """Take a candidate."""
        row = self._similar[candidate]
        nearer = np.flatnonzero(row > self.best)
        for start in range(0, len(nearer), _ROWS):
            at = nearer[start : start + _ROWS]
            between = np.take(self._similar, at, axis=0, out=self._work[: len(at)], mode="clip")
            before, after = self.best[at], row[at]
            np.minimum(between, after[:, None], out=between)
            np.maximum(between, before[:, None], out=between)
            self.gains -= between.sum(axis=0)
            self.gains += before.sum(dtype=np.float64)
        self.best[nearer] = row[nearer]


class Edges:
    """Coverage on a graph of neighbours: a covers v when either lists the other.

    16 n k bytes at most for n records with k neighbours each, and about n k log(picks) for all picks.

    Args:
        neighbour: positions, -1 where there is none, int32 (n, k).
        similarity: of those, float32 (n, k).
        there: which candidates have a vector and so cover themselves, (n,).
    """

    def __init__(self, neighbour: NDArray[np.int32], similarity: Singles, there: NDArray[np.bool_]) -> None:
        from scipy.sparse import csr_array  # noqa: PLC0415 - slow to load

        n = len(neighbour)
        wide = np.column_stack([np.arange(n, dtype=np.int32), neighbour])
        close = np.column_stack([there.astype(np.float32), similarity])
        held = (wide >= 0) & (close > 0)
        starts = np.concatenate([[0], np.cumsum(held.sum(axis=1))])
        listed = csr_array((close[held], wide[held], starts), shape=(n, n))
        del wide, close, held
        both = listed.maximum(listed.T.tocsr()).tocsr()
        self._starts, self._other, self._similar = both.indptr.astype(np.int64), both.indices, both.data
        self.gains: Floats = np.zeros(n)
        rows = np.flatnonzero(np.diff(self._starts))  # the sum of scipy would be taken in float32
        self.gains[rows] = np.add.reduceat(self._similar, self._starts[rows], dtype=np.float64)
        self.best: Floats = np.zeros(n)

    def take(self, candidate: int) -> None:
        """Take a candidate."""
        own = slice(self._starts[candidate], self._starts[candidate + 1])
        covered, after = self._other[own], self._similar[own].astype(np.float64)
        before = self.best[covered]
        nearer = after > before
        covered, before, after = covered[nearer], before[nearer], after[nearer]
        self.best[covered] = after
        first = self._starts[covered]
        counts = self._starts[covered + 1] - first
        edges = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        fallen = np.minimum(self._similar[edges], np.repeat(after, counts)) - np.repeat(before, counts)
        some = fallen > 0
        np.subtract.at(self.gains, self._other[edges[some]], fallen[some])
