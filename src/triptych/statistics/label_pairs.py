"""Counts of pairs of labels, by group: how often two labels are equal, would be by chance, and order records alike.

Exact: pairs are kept as they are, where `statistics.joint` reads a grid (labels of 10,000 and 10,001 differ). Memory is
O(different pairs): small for verdicts and grades, that of the two columns for scores with many digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, Mask
from triptych.core.sorting import place
from triptych.core.statistic import Statistic

_PENDING = 1 << 18


@dataclass(eq=False)
class LabelPairs(Statistic):
    """How often each pair of values of the columns `x` and `y` occurs, over records that have both."""

    x: str
    y: str

    def __post_init__(self) -> None:
        self._pairs = np.zeros((0, 2))
        self._group = np.zeros(0, dtype=np.uint8)
        self._counts = np.zeros(0, dtype=np.int64)
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._pending: list[tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]] = []
        self._places: NDArray[np.intp] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.x, self.y)

    def update(self, batch: Batch) -> None:
        """Count a batch."""
        x, has_x = batch.numbers(self.x)
        y, has_y = batch.numbers(self.y)
        both = has_x & has_y
        pairs = np.stack([x, y], axis=1)[both] + 0.0  # -0 becomes 0
        self._n = self._n + np.bincount(batch.group[both], minlength=GROUPS)
        self._take(*_summed(pairs, batch.group[both], np.ones(len(pairs), dtype=np.int64)))

    def merge(self, other: Self) -> None:
        """Add the counts of other records."""
        other.settle()
        self._n = self._n + other._n
        self._take(other._pairs, other._group, other._counts)

    def _take(self, pairs: NDArray[np.float64], group: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
        self._pending.append((pairs, group, counts))
        if sum(len(part[2]) for part in self._pending) > max(_PENDING, len(self._counts) // 2):
            self.settle()

    def settle(self) -> None:
        """Add up what was taken in since the last time."""
        if not self._pending:
            return
        parts = [(self._pairs, self._group, self._counts), *self._pending]
        self._pending = []
        pairs, group, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
        self._pairs, self._group, self._counts = _summed(pairs, group, counts)
        self._places = None

    def state(self) -> dict[str, NDArray[Any]]:
        """Pairs (k, 2) ascending with their groups and counts (k,), and records by group (32,)."""
        self.settle()
        return {"pairs": self._pairs, "group": self._group, "counts": self._counts, "n": self._n}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._pairs, self._group, self._counts = state["pairs"], state["group"], state["counts"]
        self._n, self._pending, self._places = state["n"], [], None

    def records(self, keep: Mask) -> int:
        """Records that have both labels."""
        return int(self._n[keep].sum())

    def equal(self, keep: Mask) -> float:
        """Share of records whose two labels are equal; there must be a record."""
        places, counts = self._held(keep)
        return float(counts[places[:, 0] == places[:, 1]].sum() / counts.sum())

    def chance(self, keep: Mask) -> float:
        """Probability that the labels x and y of two records drawn independently are equal; there must be a record."""
        places, counts = self._held(keep)
        most = int(places.max()) + 1
        of_x, of_y = (np.bincount(column, weights=counts, minlength=most) for column in places.T)
        return float(of_x @ of_y / counts.sum() ** 2)

    def rank_correlation(self, keep: Mask) -> float | None:
        """Spearman's rho with mid-ranks over the kept groups; None when a label is constant there."""
        places, counts = self._held(keep)
        x, y = (_centred_ranks(column, counts) for column in places.T)
        scale = np.sqrt((counts @ x**2) * (counts @ y**2))
        return float(counts @ (x * y) / scale) if scale > 0 else None

    def _held(self, keep: Mask) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The kept pairs as places (k, 2) of their labels among all different ones, ascending, and counts (k,)."""
        self.settle()
        if self._places is None:
            self._places = place(self._pairs.ravel())[1].reshape(-1, 2)
        held = keep[self._group]
        return self._places[held], self._counts[held].astype(np.float64)


def _centred_ranks(places: NDArray[np.intp], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mid-rank of every entry, ties sharing the mean of their ranks, less the mean rank."""
    size = np.bincount(places, weights=counts)
    ranks: NDArray[np.float64] = (np.cumsum(size) - size / 2)[places] - counts.sum() / 2
    return ranks


def _summed(
    pairs: NDArray[np.float64], group: NDArray[np.uint8], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]:
    """Entries in order of x, y and group, the counts of equal ones added."""
    if not len(counts):
        return pairs, group, counts
    order = np.lexsort((group, pairs[:, 1], pairs[:, 0]))
    pairs, group, counts = pairs[order], group[order], counts[order]
    fresh = np.any(pairs[1:] != pairs[:-1], axis=1) | (group[1:] != group[:-1])
    starts = np.flatnonzero(np.append(True, fresh))
    return pairs[starts], group[starts], np.add.reduceat(counts, starts)
