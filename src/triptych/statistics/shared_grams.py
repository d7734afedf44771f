"""n-grams of sampled records, so that under any mask one can tell which of them other records share.

At most `CAPACITY` records of each group are held, those of the smallest address hashes, and n-grams are looked up among
these: what rests on it is read at a set size of at most 8,192 records. The sample of a group depends on that group alone, so
a mask of groups equals a fold over their records.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.ngrams import ngram_hashes
from triptych.core.sorting import different, run_starts
from triptych.core.statistic import Statistic

CAPACITY = 256
"""Records held of each group."""


@dataclass(eq=False)
class SharedGrams(Statistic):
    """The different n-grams of sampled records. Records of fewer than n tokens are not counted."""

    n: int = 6
    on: On = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self._address = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._grams: list[NDArray[np.uint64]] = []
        self._seen = np.zeros(GROUPS, dtype=np.int64)
        self._read: _Repeated | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The token lists, and the defects where only valid records are read."""
        return (f"tokens@{self.on}",) if self.where == "all" else (f"tokens@{self.on}", DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        batch = batch.where(self.where)
        hashes, counts = ngram_hashes(*batch.lists(f"tokens@{self.on}"), self.n)
        bounds = np.concatenate([[0], np.cumsum(counts)])
        at = np.flatnonzero(counts)
        self._seen = self._seen + np.bincount(batch.group[at], minlength=GROUPS)
        at = at[_first(batch.address[at], batch.group[at])]
        grams = [different(hashes[bounds[i] : bounds[i + 1]]) for i in at]
        self._extend(batch.address[at], batch.group[at], grams)

    def merge(self, other: Self) -> None:
        """Take in other records."""
        self._seen = self._seen + other._seen
        self._extend(other._address, other._group, other._grams)

    def _extend(self, address: NDArray[np.uint64], group: NDArray[np.uint8], grams: list[NDArray[np.uint64]]) -> None:
        address, group = np.concatenate([self._address, address]), np.concatenate([self._group, group])
        grams = self._grams + grams
        kept = _first(address, group)
        self._address, self._group = address[kept], group[kept]
        self._grams = [grams[i] for i in kept]
        self._read = None

    def state(self) -> dict[str, NDArray[Any]]:
        """Addresses and groups (k,), flat n-grams with offsets, records seen by group; by group, then address."""
        offsets = np.cumsum([0, *map(len, self._grams)], dtype=np.int64)
        flat = np.concatenate([np.zeros(0, dtype=np.uint64), *self._grams])
        return {"address": self._address, "group": self._group, "grams": flat, "offsets": offsets, "seen": self._seen}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._address, self._group, self._seen = state["address"], state["group"], state["seen"]
        self._grams = [state["grams"][a:b] for a, b in pairwise(state["offsets"])]
        self._read = None

    def bound(self) -> tuple[bool, str | None]:
        """Exact, or read among a random sample of the records (whose error the interval holds)."""
        held, seen = len(self._address), int(self._seen.sum())
        return held == seen, None if held == seen else f"read among a random sample of {held:,} of {seen:,} records"

    def records(self, keep: Mask) -> int:
        """Records that are held."""
        return int(keep[self._group].sum())

    def sharing(self, others: int, keep: Mask) -> int:
        """Kept records with an n-gram that at least `others` other kept records hold too."""
        if self._read is None:
            self._read = _Repeated.of(self._grams, self._group)
        return self._read.sharing(others, keep)


@dataclass(frozen=True)
class _Repeated:
    """The n-grams that several records hold: one entry for each of them and each of its records, by n-gram."""

    owner: NDArray[np.int64]
    group: NDArray[np.uint8]
    starts: NDArray[np.intp]
    size: NDArray[np.int64]

    @classmethod
    def of(cls, grams: list[NDArray[np.uint64]], group: NDArray[np.uint8]) -> _Repeated:
        flat = np.concatenate([np.zeros(0, dtype=np.uint64), *grams])
        owner = np.repeat(np.arange(len(grams)), [len(each) for each in grams])
        order = np.argsort(flat, kind="stable")
        size = np.diff(run_starts(flat[order]), append=len(order))
        several = np.repeat(size > 1, size)
        owner, size = owner[order][several], size[size > 1]
        return cls(owner, group[owner], np.cumsum(size) - size, size)

    def sharing(self, others: int, keep: Mask) -> int:
        if not len(self.starts):
            return 0
        held = keep[self.group]
        enough = np.add.reduceat(held.astype(np.int64), self.starts) > others
        return len(different(self.owner[np.repeat(enough, self.size) & held]))


def _first(address: NDArray[np.uint64], group: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Positions of the `CAPACITY` records of each group with the smallest addresses, by group, then address."""
    order = np.lexsort((address, group))
    begin = np.searchsorted(group[order], np.arange(GROUPS))
    return np.asarray(order[np.arange(len(order)) - begin[group[order]] < CAPACITY])
