"""A dear column on a sample beside cheap columns on all records, by group: what a prediction-powered mean is made of.

The cheap columns x predict the dear one y by ridge regression on the sample; what the sample is off in the cheap columns, by
chance, is taken out of the mean:

    θ = mean_S y + β · (mean_A x - mean_S x)

S the records that have a value, A all records. It is the regression estimator of survey sampling (Cochran 1977, ch. 7) and,
for a prediction f = β · x, the mean of PPI++ at its optimal weight (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453).
Unbiased up to terms of order 1/|S| however bad the prediction, since S is a random sample; a good one makes it steadier.

Sums are over all records. β is fitted on at most `HELD` / 32 records of each group, those of the smallest address keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, Text, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic

LEAST = 100
"""With fewer values nothing is predicted."""
RIDGE = 0.02
"""Penalty per value, for vectors of length 1."""
HELD = 2048
_LONG = 12.0

Arrays = dict[str, NDArray[Any]]


@dataclass(eq=False)
class PoweredMean(Statistic):
    """What θ is made of, for a dear column y and x = (vector, log length).

    Attributes:
        column: the dear one; null where a record has no value.
        on: the text whose vector and length predict it.
    """

    column: str
    on: Text = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self._sums: Arrays = _nothing(0)
        self._address = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._rows = np.zeros((0, 0))

    @property
    def needs(self) -> tuple[str, ...]:
        """The dear column, the vector, the length, and the defects where only valid records are read."""
        own = (self.column, f"embedding@{self.on}", f"length@{self.on}")
        return own if self.where == "all" else (*own, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        batch = batch.where(self.where)
        if not len(batch):
            return
        y, present = batch.numbers(self.column)
        length, _ = batch.numbers(self.needs[2])
        vectors = np.nan_to_num(batch.matrix(self.needs[1]).astype(np.float64))
        norm = np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = np.column_stack([vectors / np.where(norm == 0, 1, norm), np.log1p(length) / _LONG, y])
        sums = _nothing(rows.shape[1])
        for group in np.unique(batch.group).tolist():
            mine = batch.group == group
            scored = rows[mine & present]
            sums["all"][group], sums["n_all"][group] = rows[mine, :-1].sum(axis=0), mine.sum()
            sums["own"][group], sums["n"][group] = scored.sum(axis=0), len(scored)
        first = np.flatnonzero(present)
        first = first[_first(batch.group[first], batch.address[first])]
        self._take(sums, batch.address[first], batch.group[first], rows[first])

    def merge(self, other: Self) -> None:
        """Add the sums of other records, and hold the first of both."""
        self._take(other._sums, other._address, other._group, other._rows)

    def _take(
        self, sums: Arrays, address: NDArray[np.uint64], group: NDArray[np.uint8], rows: NDArray[np.float64]
    ) -> None:
        if not sums["own"].shape[1]:
            return
        own = self._sums if self._sums["own"].shape[1] else _nothing(sums["own"].shape[1])
        self._sums = {name: own[name] + sums[name] for name in own}
        address, group = np.concatenate([self._address, address]), np.concatenate([self._group, group])
        rows = np.concatenate([self._rows.reshape(-1, rows.shape[1]), rows])
        kept = _first(group, address)
        self._address, self._group, self._rows = address[kept], group[kept], rows[kept]

    def state(self) -> Arrays:
        """Sums by group; addresses, groups and rows (x, y) of the held, by group, then address."""
        return {**self._sums, "address": self._address, "group": self._group, "rows": self._rows}

    def load(self, state: Arrays) -> None:
        """Restore a saved state."""
        self._sums = {name: state[name] for name in self._sums}
        self._address, self._group, self._rows = state["address"], state["group"], state["rows"]

    def records(self, keep: Mask) -> int:
        """Records that have a value."""
        return int(self._sums["n"][keep].sum())

    def leans(self, keep: Mask) -> bool:
        """Whether the mean leans on the cheap columns: some records have no value, and enough have one."""
        sums = self._sums
        return bool(sums["n"][keep].sum() < sums["n_all"][keep].sum() and keep[self._group].sum() >= LEAST)

    def mean(self, keep: Mask) -> float:
        """θ, between the least and the greatest value that is held; there must be at least one value.

        The plain mean where all records have a value, or fewer than `LEAST` have one.
        """
        total = {name: values[keep].sum(axis=0) for name, values in self._sums.items()}
        own, n, n_all = total["own"], total["n"], total["n_all"]
        plain = float(own[-1] / n)
        if not self.leans(keep):
            return plain
        rows = self._rows[keep[self._group]]
        centred = rows - rows.mean(axis=0)
        x, y = centred[:, :-1], centred[:, -1]
        slope = np.linalg.solve(x.T @ x / len(x) + RIDGE * np.eye(x.shape[1]), x.T @ y / len(x))
        powered = plain + float(slope @ (total["all"] / n_all - own[:-1] / n))
        return min(max(powered, min(plain, float(rows[:, -1].min()))), max(plain, float(rows[:, -1].max())))


def _nothing(width: int) -> Arrays:
    """Sums over no records, of rows (x, y) of a width."""
    return {
        "all": np.zeros((GROUPS, max(width - 1, 0))),
        "own": np.zeros((GROUPS, width)),
        "n_all": np.zeros(GROUPS, dtype=np.int64),
        "n": np.zeros(GROUPS, dtype=np.int64),
    }


def _first(group: NDArray[np.uint8], address: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Positions of the records of the smallest addresses of each group, by group, then address."""
    order = np.lexsort((address, group))
    rank = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    return order[rank < HELD // GROUPS]
