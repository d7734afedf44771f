"""Small integer vectors of sampled records: for each, what it shares with the records of each of the 32 groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, Mask
from triptych.core.relation import SAMPLE
from triptych.core.sorting import tally_weighted
from triptych.core.statistic import Statistic


@dataclass(eq=False)
class GroupVectors(Statistic):
    """Rows of column `column`: 32 counts, one a group, and a 33rd number that belongs to the record itself."""

    column: str

    def __post_init__(self) -> None:
        self._address = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._rows = np.zeros((0, GROUPS + 1), dtype=np.int32)
        self._columns: NDArray[np.int32] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def update(self, batch: Batch) -> None:
        """Take in the records that have a vector."""
        present = batch.present(self.column)
        self._extend(batch.address[present], batch.group[present], batch.matrix(self.column)[present].astype(np.int32))

    def merge(self, other: Self) -> None:
        """Take in other records."""
        self._extend(other._address, other._group, other._rows)

    def _extend(self, address: NDArray[np.uint64], group: NDArray[np.uint8], rows: NDArray[np.int32]) -> None:
        address = np.concatenate([self._address, address])
        order = np.argsort(address, kind="stable")
        self._address = address[order]
        self._group = np.concatenate([self._group, group])[order]
        self._rows = np.concatenate([self._rows, rows])[order]
        self._columns = None

    def state(self) -> dict[str, NDArray[Any]]:
        """Addresses ascending, groups, rows (k, 33)."""
        return {"address": self._address, "group": self._group, "rows": self._rows}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._address, self._group, self._rows = state["address"], state["group"], state["rows"]
        self._columns = None

    def bound(self) -> tuple[bool, str | None]:
        """Exact, or read on a random sample of the records (whose error the interval holds)."""
        if len(self._address) < SAMPLE:
            return True, None
        return False, f"read on a random sample of {len(self._address):,} records, against all records"

    def records(self, keep: Mask) -> int:
        """Records with a vector."""
        return int(keep[self._group].sum())

    def totals(self, keep: Mask) -> NDArray[np.int64]:
        """For each kept record, its counts summed over the kept groups, less its own number. Shape (k,)."""
        if self._columns is None:
            self._columns = np.ascontiguousarray(self._rows.T)
        total = -self._columns[GROUPS].astype(np.int64)
        for column in self._columns[:GROUPS][keep]:
            total += column
        return np.asarray(total[keep[self._group]])


@dataclass(eq=False)
class PatternCounts(Statistic):
    """How many records of each group carry each 32-bit pattern of column `column` (the groups of their elders)."""

    column: str

    def __post_init__(self) -> None:
        self._words = np.zeros(0, dtype=np.uint64)
        self._counts = np.zeros(0, dtype=np.int64)
        self._records = np.zeros(GROUPS, dtype=np.int64)

    @property
    def needs(self) -> tuple[str, ...]:
        """The pattern column."""
        return (self.column,)

    def update(self, batch: Batch) -> None:
        """Count the patterns of a batch."""
        present = batch.present(self.column)
        group = batch.group[present].astype(np.uint64)
        self._records = self._records + np.bincount(batch.group[present], minlength=GROUPS)
        words = batch.keys(self.column)[present] << np.uint64(5) | group
        self._add(words, np.ones(len(words), dtype=np.int64))

    def merge(self, other: Self) -> None:
        """Add the counts of other records."""
        self._records = self._records + other._records
        self._add(other._words, other._counts)

    def _add(self, words: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
        self._words, self._counts = tally_weighted(
            np.concatenate([self._words, words]), np.concatenate([self._counts, counts])
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Words ascending, their counts, records by group."""
        return {"words": self._words, "counts": self._counts, "records": self._records}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._words, self._counts, self._records = state["words"], state["counts"], state["records"]

    def records(self, keep: Mask) -> int:
        """Records in the kept groups."""
        return int(self._records[keep].sum())

    def touching(self, keep: Mask) -> int:
        """Records of the kept groups whose pattern names a kept group."""
        own = keep[(self._words & np.uint64(31)).astype(np.intp)]
        wanted = np.uint64(sum(1 << int(g) for g in np.flatnonzero(keep)))
        return int(self._counts[own & ((self._words >> np.uint64(5)) & wanted != 0)].sum())
