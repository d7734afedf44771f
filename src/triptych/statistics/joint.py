"""Joint counts of two columns on a fine, order-preserving grid, by group: enough for a rank correlation.

Values are placed on an arcsinh grid with 96 cells a factor of e: whole numbers up to 96 are told apart exactly, larger
values and fractions to about 1 %. Order statistics of a whole file are no statistic; counts on a fixed grid are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, Mask
from triptych.core.sorting import place, tally_weighted
from triptych.core.statistic import Statistic

_SCALE, _CELLS_PER_E, _OFFSET = 64.0, 96.0, 1 << 13


@dataclass(eq=False)
class JointCounts(Statistic):
    """Counts of grid cells of the columns `x` and `y` over records that have both."""

    x: str
    y: str

    def __post_init__(self) -> None:
        self._words = np.zeros(0, dtype=np.int64)
        self._counts = np.zeros(0, dtype=np.int64)
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._cells: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.x, self.y)

    def update(self, batch: Batch) -> None:
        """Count a batch."""
        x, has_x = batch.numbers(self.x)
        y, has_y = batch.numbers(self.y)
        both = has_x & has_y
        group = batch.group[both].astype(np.int64)
        words = (_cell(x[both]) << 19 | _cell(y[both])) << 5 | group
        self._n = self._n + np.bincount(group, minlength=GROUPS)
        self._add(words, np.ones(len(words), dtype=np.int64))

    def merge(self, other: Self) -> None:
        """Add the counts of other records."""
        self._n = self._n + other._n
        self._add(other._words, other._counts)

    def _add(self, words: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        self._words, self._counts = tally_weighted(
            np.concatenate([self._words, words]), np.concatenate([self._counts, counts])
        )
        self._cells = None

    def state(self) -> dict[str, NDArray[Any]]:
        """Cell words ascending, their counts, records by group."""
        return {"words": self._words, "counts": self._counts, "n": self._n}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._words, self._counts, self._n = state["words"], state["counts"], state["n"]
        self._cells = None

    def records(self, keep: Mask) -> int:
        """Records that have both values."""
        return int(self._n[keep].sum())

    def rank_correlation(self, keep: Mask) -> float | None:
        """Spearman's rho with mid-ranks over the kept groups; None when a column is constant there."""
        if self._cells is None:
            cells = self._words >> 5
            self._cells = place(cells >> 19)[1], place(cells & ((1 << 19) - 1))[1]
        held = keep[self._words & 31]
        counts = self._counts[held].astype(np.float64)
        x, y = (_centred_ranks(cell[held], counts) for cell in self._cells)
        scale = np.sqrt((counts @ x**2) * (counts @ y**2))
        return float(counts @ (x * y) / scale) if scale > 0 else None


def _cell(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(np.arcsinh(values * _SCALE) * _CELLS_PER_E).astype(np.int64) + _OFFSET


def _centred_ranks(cells: NDArray[np.intp], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mid-rank of every entry, ties sharing the mean of their ranks, less the mean rank."""
    size = np.bincount(cells, weights=counts)
    ranks: NDArray[np.float64] = (np.cumsum(size) - size / 2)[cells] - counts.sum() / 2
    return ranks
