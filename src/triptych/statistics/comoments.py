"""Means, squares and products of deviations of two columns, by group: enough for a regression line.

Welford 1962; Chan, Golub & LeVeque 1983, for pairs. With a binary x the slope is the difference of the two means of y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic

_SAME = 1e-20
"""A variance below this, relative to the squared mean, is the rounding of a mean of thousands of equal values."""


@dataclass(eq=False)
class CoMoments(Statistic):
    """Joint moments of `x` and `y` over records that have both; `log_x`, `log_y`: of their logarithms, above 0 only."""

    x: str
    y: str
    log_x: bool = False
    log_y: bool = False
    where: Where = "all"

    def __post_init__(self) -> None:
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._means = np.zeros((GROUPS, 2))
        self._products = np.zeros((GROUPS, 3))

    @property
    def needs(self) -> tuple[str, ...]:
        """Both columns, and the defects where only valid records are read."""
        return (self.x, self.y) if self.where == "all" else (self.x, self.y, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        batch = batch.where(self.where)
        x, has_x = _column(batch, self.x, self.log_x)
        y, has_y = _column(batch, self.y, self.log_y)
        both = has_x & has_y
        values, group = np.stack([x[both], y[both]], axis=1), batch.group[both]
        n = np.bincount(group, minlength=GROUPS)
        means = _sums(group, values) / np.maximum(n, 1)[:, None]
        self._combine(n, means, _sums(group, _products(values - means[group])))

    def merge(self, other: Self) -> None:
        """Combine with the moments of other records."""
        self._combine(other._n, other._means, other._products)

    def _combine(self, n: NDArray[np.int64], means: NDArray[np.float64], products: NDArray[np.float64]) -> None:
        total = self._n + n
        share = (n / np.maximum(total, 1))[:, None]
        gap = means - self._means
        self._products = self._products + products + _products(gap) * self._n[:, None] * share
        self._means = np.where(self._n[:, None] == 0, means, self._means + gap * share)
        self._n = total

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays n (32,), means (32, 2), products xx, yy, xy (32, 3)."""
        return {"n": self._n, "means": self._means, "products": self._products}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._n, self._means, self._products = state["n"], state["means"], state["products"]

    def records(self, keep: Mask) -> int:
        """Records that have both values."""
        return int(self._n[keep].sum())

    def means(self, keep: Mask) -> tuple[float, float]:
        """Means of x and y over the kept groups; there must be a record."""
        x, y = (self._means[keep] * self._n[keep, None]).sum(axis=0) / self._n[keep].sum()
        return float(x), float(y)

    def variance(self, keep: Mask) -> float:
        """Population variance of x over the kept groups, 0 where it is but rounding; there must be a record."""
        found = float(self._moments(keep)[0])
        return found if found > _SAME * self.means(keep)[0] ** 2 else 0.0

    def slope(self, keep: Mask) -> float | None:
        """Slope of the least-squares line of y on x over the kept groups; None where x does not vary."""
        moments = self._moments(keep)
        return float(moments[2] / moments[0]) if self.variance(keep) else None

    def r2(self, keep: Mask) -> float:
        """Squared correlation of x and y over the kept groups, 0..1; 0 where one of them does not vary."""
        xx, yy, xy = self._moments(keep)
        if not self.variance(keep) or yy <= _SAME * self.means(keep)[1] ** 2:
            return 0.0
        return min(float(xy * xy / (xx * yy)), 1.0)

    def binary(self, keep: Mask) -> bool:
        """Whether all x of the kept groups are 0 or 1: then, and only then, the variance of a group is p(1 - p)."""
        share = self._means[keep, 0]
        gap = self._products[keep, 0] - self._n[keep] * share * (1 - share)
        return bool(np.all(np.abs(gap) <= 1e-9 * np.maximum(self._n[keep], 1)))

    def _moments(self, keep: Mask) -> NDArray[np.float64]:
        """Variances of x and y and their covariance (3,) over the kept groups."""
        n = self._n[keep]
        between = _products(self._means[keep] - np.array(self.means(keep))) * n[:, None]
        found: NDArray[np.float64] = (self._products[keep].sum(axis=0) + between.sum(axis=0)) / n.sum()
        return found


def _column(batch: Batch, name: str, log: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, present = batch.numbers(name)
    if not log:
        return values, present
    present = present & (values > 0)
    return np.log(np.where(present, values, 1.0)), present


def _products(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """xx, yy, xy (k, 3) of the rows x, y (k, 2)."""
    return np.column_stack([values**2, values[:, 0] * values[:, 1]])


def _sums(group: NDArray[np.uint8], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the columns of values (k, c) by group (32, c)."""
    sums = [np.bincount(group, weights=column, minlength=GROUPS) for column in values.T]
    return np.stack(sums, axis=1)
