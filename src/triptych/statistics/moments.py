"""Count, mean and sum of squared deviations of a column, by group (Welford 1962; Chan, Golub & LeVeque 1983)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic


@dataclass(eq=False)
class Moments(Statistic):
    """Moments of a numeric column. Absent values are not counted, never read as 0."""

    column: str
    where: Where = "all"

    def __post_init__(self) -> None:
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._mean = np.zeros(GROUPS)
        self._squares = np.zeros(GROUPS)

    @property
    def needs(self) -> tuple[str, ...]:
        """The column, and the defects where only valid records are read."""
        return (self.column,) if self.where == "all" else (self.column, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        batch = batch.where(self.where)
        values, present = batch.numbers(self.column)
        values, group = values[present], batch.group[present]
        n = np.bincount(group, minlength=GROUPS)
        mean = np.bincount(group, weights=values, minlength=GROUPS) / np.maximum(n, 1)
        squares = np.bincount(group, weights=(values - mean[group]) ** 2, minlength=GROUPS)
        self._combine(n, mean, np.asarray(squares, dtype=np.float64))

    def merge(self, other: Self) -> None:
        """Combine with the moments of other records."""
        self._combine(other._n, other._mean, other._squares)

    def _combine(self, n: NDArray[np.int64], mean: NDArray[np.float64], squares: NDArray[np.float64]) -> None:
        total = self._n + n
        share = n / np.maximum(total, 1)
        gap = mean - self._mean
        self._squares = self._squares + squares + gap**2 * self._n * share
        self._mean = np.where(self._n == 0, mean, self._mean + gap * share)
        self._n = total

    def state(self) -> dict[str, NDArray[Any]]:
        """Three arrays (32,)."""
        return {"n": self._n, "mean": self._mean, "squares": self._squares}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._n, self._mean, self._squares = state["n"], state["mean"], state["squares"]

    def records(self, keep: Mask) -> int:
        """Records that have a value."""
        return int(self._n[keep].sum())

    def mean(self, keep: Mask) -> float:
        """Mean over the kept groups; there must be at least one value."""
        return float(np.sum(self._mean[keep] * self._n[keep]) / self._n[keep].sum())

    def binary(self) -> bool:
        """Whether all values are 0 or 1: then, and only then, the squared deviations of a group are n·p·(1 - p)."""
        expected = self._n * self._mean * (1 - self._mean)
        return bool(np.all(np.abs(self._squares - expected) <= 1e-9 * np.maximum(self._n, 1)))

    def variance(self, keep: Mask) -> float:
        """Population variance over the kept groups; there must be at least one value."""
        spread = self._n[keep] * (self._mean[keep] - self.mean(keep)) ** 2
        return float((self._squares[keep].sum() + spread.sum()) / self._n[keep].sum())
