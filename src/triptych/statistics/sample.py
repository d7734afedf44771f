"""Unit vectors of a random sample of the records, and the pairs among them: what no sum over records can hold.

At most `size` / 32 records of each group are kept: those of the smallest address keys, a random sample that does not
depend on the order of updates and merges. Distances are recomputed under every mask (neighbours that are held fixed while
groups are left out give intervals that are too narrow), from tables by group that are made once:

    nearest      the k smallest distances of each record to each group, (m, 32, k): m² d multiplications
    close        how many records of each group are within a cosine of each record, (m, 32): m² d
    ascending    all distances of each record in order, and whose they are, (m, m - 1): m² (d + log m)

Distances are 1 - cosine; one below a millionth is 0: single precision cannot tell it from a copy's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.candidates import TOLERANCE
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic

Made = TypeVar("Made")
Floats = NDArray[np.floating[Any]]

_NONE = 4.0
"""Stands for a distance that is not there: no cosine distance exceeds 2."""


@dataclass(eq=False)
class VectorSample(Statistic):
    """Vectors of column `embedding@on` at length 1, of at most `size` records. Rows of zeros are no vectors.

    `beside`: a column of numbers that is kept with them, `beside@on`; records without such a number are left out.
    """

    on: On = "response"
    where: Where = "all"
    size: int = 8192
    beside: str = ""

    def __post_init__(self) -> None:
        self._address = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._rows = np.zeros((0, 0), dtype=np.float32)
        self._beside = np.zeros(0, dtype=np.float64)
        self._seen = np.zeros(GROUPS, dtype=np.int64)
        self._made: dict[Any, Any] = {}

    @property
    def needs(self) -> tuple[str, ...]:
        """The embedding, the numbers beside it, and the defects where only valid records are read."""
        columns = [f"embedding@{self.on}", *([f"{self.beside}@{self.on}"] if self.beside else [])]
        return tuple(columns if self.where == "all" else [*columns, DEFECTS])

    def update(self, batch: Batch) -> None:
        """Take in the vectors of a batch."""
        batch = batch.where(self.where)
        if not len(batch):
            return
        vectors = batch.matrix(f"embedding@{self.on}")
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
        number, there = batch.numbers(f"{self.beside}@{self.on}") if self.beside else (norms, norms > 0)
        held = (norms > 0) & there
        group, address = batch.group[held], batch.address[held]
        first = np.flatnonzero(held)[self._first(group, address)]
        rows = (vectors[first] / norms[first, None]).astype(np.float32)
        self._seen = self._seen + np.bincount(group, minlength=GROUPS)
        self._extend(batch.address[first], batch.group[first], rows, number[first])

    def merge(self, other: Self) -> None:
        """Take in the vectors of other records."""
        self._seen = self._seen + other._seen
        self._extend(other._address, other._group, other._rows, other._beside)

    def _extend(
        self, address: NDArray[np.uint64], group: NDArray[np.uint8], rows: NDArray[np.float32], number: Floats
    ) -> None:
        if not len(address):
            return
        held = self._rows.reshape(-1, rows.shape[1])
        address, group = np.concatenate([self._address, address]), np.concatenate([self._group, group])
        kept = self._first(group, address)
        self._address, self._group = address[kept], group[kept]
        self._rows = np.concatenate([held, rows])[kept]
        if self.beside:
            self._beside = np.concatenate([self._beside, number])[kept]
        self._made = {}

    def _first(self, group: NDArray[np.uint8], address: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Positions of the records of the smallest addresses of each group, by group, then address."""
        order = np.lexsort((address, group))
        rank = np.arange(len(order)) - np.searchsorted(group[order], group[order])
        return order[rank < self.size // GROUPS]

    def state(self) -> dict[str, NDArray[Any]]:
        """Addresses, groups, vectors (m, d), records seen by group (32,), numbers (m,); ordered by group, then address."""
        state: dict[str, NDArray[Any]] = {
            "address": self._address,
            "group": self._group,
            "rows": self._rows,
            "seen": self._seen,
        }
        return {**state, "beside": self._beside} if self.beside else state

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._address, self._group = state["address"], state["group"]
        self._rows, self._seen = state["rows"], state["seen"]
        self._beside = state.get("beside", np.zeros(0, dtype=np.float64))
        self._made = {}

    def bound(self) -> tuple[bool, str | None]:
        """Exact, or the value of a random sample of the records (whose error the interval holds)."""
        kept, seen = len(self._address), int(self._seen.sum())
        if kept == seen:
            return True, None
        return False, f"the value of a random sample of {kept:,} of {seen:,} records, not of so many"

    def records(self, keep: Mask) -> int:
        """Records in the sample."""
        return int(keep[self._group].sum())

    def vectors(self, keep: Mask) -> NDArray[np.float64]:
        """The vectors of the kept groups (m, d), in the order of their addresses."""
        at = np.flatnonzero(keep[self._group])
        return self._rows[at[np.argsort(self._address[at], kind="stable")]].astype(np.float64)

    def numbers(self, keep: Mask) -> NDArray[np.float64]:
        """The number beside each kept record, (m,), in the order of `ascending`."""
        return self._beside[keep[self._group]]

    def nearest(self, keep: Mask, k: int) -> Floats:
        """For each kept record the distances to its k nearest kept others, (m, k), ascending; there must be k others."""
        table = self._once(("nearest", k), lambda: self._nearest(k))
        near = table[keep[self._group]][:, keep].reshape(self.records(keep), -1)
        return np.sort(np.partition(near, k - 1, axis=1)[:, :k], axis=1).astype(np.float64)

    def close(self, keep: Mask, cosine: float) -> NDArray[np.int64]:
        """For each kept record how many kept ones, itself among them, have at least this cosine with it, (m,)."""
        table = self._once(("close", cosine), lambda: self._close(cosine))
        return np.asarray(table[keep[self._group]][:, keep].sum(axis=1, dtype=np.int64))

    def ascending(self, keep: Mask) -> tuple[Floats, NDArray[np.bool_]]:
        """For each kept record the distances to all kept others, ascending, and which of them are of different vectors.

        Returns:
            Distances (m, m - 1); flags (m, m - 1), True for one record of each vector but the row's own: as many in every
            row. Vectors that agree to five places are one.
        """
        distance, other, kind = self._once("ascending", self._ascending)
        own = np.flatnonzero(keep[self._group])
        rows = keep[self._group][other[own]]
        first = np.zeros(len(kind), dtype=np.bool_)
        first[own[np.unique(kind[own], return_index=True)[1]]] = True
        shape = (len(own), max(len(own) - 1, 0))
        at = other[own][rows].reshape(shape)
        return distance[own][rows].reshape(shape), first[at] & (kind[at] != kind[own][:, None])

    def _once(self, label: Any, make: Callable[[], Made]) -> Made:
        """What is made of the sample, kept until the sample changes."""
        if label not in self._made:
            self._made[label] = make()
        return self._made[label]  # type: ignore[no-any-return]

    def _nearest(self, k: int) -> NDArray[np.float32]:
        table = np.full((len(self._group), GROUPS, k), _NONE, dtype=np.float32)
        for g in range(GROUPS):
            at = np.flatnonzero(self._group == g)
            distance = _distances(self._rows, self._rows[at])
            distance[at, np.arange(len(at))] = _NONE
            wide = min(k, len(at))
            if wide:
                table[:, g, :wide] = np.partition(distance, wide - 1, axis=1)[:, :wide]
        return table

    def _close(self, cosine: float) -> NDArray[np.int32]:
        table = np.zeros((len(self._group), GROUPS), dtype=np.int32)
        for g in range(GROUPS):
            at = np.flatnonzero(self._group == g)
            table[:, g] = (self._rows @ self._rows[at].T >= cosine - TOLERANCE).sum(axis=1)
        return table

    def _ascending(self) -> tuple[Floats, NDArray[np.int32], NDArray[np.intp]]:
        rows = self._rows.astype(np.float64)
        distance = _distances(rows, rows)
        np.fill_diagonal(distance, -1.0)  # itself comes first, and is left out
        order = np.argsort(distance, axis=1, kind="stable")[:, 1:]
        _, kind = np.unique(np.round(rows, 5) + 0.0, axis=0, return_inverse=True)
        return np.take_along_axis(distance, order, axis=1), order.astype(np.int32), kind.reshape(-1)


def _distances(rows: Floats, others: Floats) -> Floats:
    """1 - cosine, (m, k), 0 where it is below a millionth."""
    distance = 1 - rows @ others.T
    distance[distance < TOLERANCE] = 0.0
    return distance
