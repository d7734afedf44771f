"""The vectors of a dear column as they are, one row a record: there are only as many as a model was asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, Where
from triptych.core.groups import Mask
from triptych.core.statistic import Statistic


@dataclass(eq=False)
class VectorRows(Statistic):
    """The rows of column `column`, of any length but 0. Memory grows with the records that have one: 2 kB each at 512."""

    column: str
    where: Where = "all"

    def __post_init__(self) -> None:
        self._address = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._rows = np.zeros((0, 0), dtype=np.float32)

    @property
    def needs(self) -> tuple[str, ...]:
        """The vectors, and the defects where only valid records are read."""
        return (self.column,) if self.where == "all" else (self.column, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in the vectors of a batch."""
        batch = batch.where(self.where)
        rows = batch.matrix(self.column).astype(np.float32, copy=False)
        held = rows.any(axis=1)
        self._extend(batch.address[held], batch.group[held], rows[held])

    def merge(self, other: Self) -> None:
        """Take in the vectors of other records."""
        self._extend(other._address, other._group, other._rows)

    def _extend(self, address: NDArray[np.uint64], group: NDArray[np.uint8], rows: NDArray[np.float32]) -> None:
        if not len(address):
            return
        address = np.concatenate([self._address, address])
        order = np.argsort(address, kind="stable")
        self._address = address[order]
        self._group = np.concatenate([self._group, group])[order]
        self._rows = np.concatenate([self._rows.reshape(-1, rows.shape[1]), rows])[order]

    def state(self) -> dict[str, NDArray[Any]]:
        """Addresses ascending, groups, rows (k, d)."""
        return {"address": self._address, "group": self._group, "rows": self._rows}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._address, self._group, self._rows = state["address"], state["group"], state["rows"]

    def records(self, keep: Mask) -> int:
        """Records with a vector."""
        return int(keep[self._group].sum())

    def rows(self, keep: Mask) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """The vectors of the kept groups (k, d), and the group of each (k,)."""
        kept = keep[self._group]
        return self._rows[kept].astype(np.float64), self._group[kept]
