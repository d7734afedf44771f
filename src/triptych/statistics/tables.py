"""Tables of hashed keys: how often each key occurs in each of the 32 groups.

One entry is one 64-bit word: 59 bits of the key's hash and 5 bits of the group, with a count. Sorting the words sorts by
key, then by group, so one sort serves counting, merging and every mask. Two keys meet in 59 bits with probability
m²/2^60 for m distinct keys (1e-5 at three million).

Beyond `CAPACITY` entries the table keeps a hash-threshold sample: only keys whose hash falls below 2^(64 - level), the
smallest level that fits (the same whatever the order of updates and merges). Distinct keys and sums over keys are then
scaled by 2^level; the standard error of a distinct count is about 1/sqrt(different keys kept): .1 % where keys are rare,
at most .4 % where every key stands in all 32 groups.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.groups import GROUPS, Mask, bits, everything, mix
from triptych.core.ngrams import ngram_hashes
from triptych.core.sorting import tally, tally_weighted
from triptych.core.statistic import Statistic

CAPACITY = 1 << 21
"""Entries (key, group) that are kept: 32 MiB with their counts."""

_GROUP_BITS = np.uint64(31)
_PENDING = 1 << 20
_EMPTY: NDArray[Any] = np.zeros(0, dtype=np.uint64)


class KeyTable(Statistic):
    """Occurrences of keys by group. Subclasses say which keys a batch has."""

    def __post_init__(self) -> None:
        self._words = np.zeros(0, dtype=np.uint64)
        self._counts = np.zeros(0, dtype=np.int64)
        self._level = 0
        self._raw: list[NDArray[np.uint64]] = []
        self._pending: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
        self._occurrences = np.zeros(GROUPS, dtype=np.int64)
        self._records = np.zeros(GROUPS, dtype=np.int64)
        self._read: _Reading | None = None

    @abstractmethod
    def _keys(self, batch: Batch) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Scrambled keys of all occurrences in a batch, and how many each record has (n,)."""

    def update(self, batch: Batch) -> None:
        """Count the keys of a batch."""
        keys, counts = self._keys(batch)
        groups = np.repeat(batch.group, counts)
        self._occurrences = self._occurrences + np.bincount(groups, minlength=GROUPS)
        self._records = self._records + np.bincount(batch.group[counts > 0], minlength=GROUPS)
        words = (keys & ~_GROUP_BITS) | groups.astype(np.uint64)
        self._read = None
        self._raw.append(words)
        if sum(map(len, self._raw)) > _PENDING:
            self.settle()

    def merge(self, other: Self) -> None:
        """Add the counts of another table."""
        other.settle()
        self._level = max(self._level, other._level)
        self._occurrences = self._occurrences + other._occurrences
        self._records = self._records + other._records
        self._read = None
        self._pending.append((other._words, other._counts))
        if sum(len(part) for part, _ in self._pending) > max(_PENDING, len(self._words) // 2):
            self.settle()

    def settle(self) -> None:
        """Count what was taken in since the last time, and sample if the table is full."""
        if self._raw:
            self._pending.append(_below(*tally(np.concatenate(self._raw)), self._level))
            self._raw = []
        if self._pending and not len(self._words) and len(self._pending) == 1:
            self._words, self._counts = self._pending.pop()
        elif self._pending:
            parts = [(self._words, self._counts), *self._pending]
            self._pending = []
            words = np.concatenate([part for part, _ in parts])
            counts = np.concatenate([part for _, part in parts])
            del parts
            self._words = self._counts = _EMPTY
            self._words, self._counts = tally_weighted(*_below(words, counts, self._level))
        while len(self._words) > CAPACITY:
            self._level += 1
            self._words, self._counts = _below(self._words, self._counts, self._level)

    def state(self) -> dict[str, NDArray[Any]]:
        """Words and counts in ascending order of words, level, occurrences and records by group."""
        self.settle()
        return {
            "words": self._words,
            "counts": self._counts,
            "level": np.array([self._level], dtype=np.int64),
            "occurrences": self._occurrences,
            "records": self._records,
        }

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._words, self._counts, self._pending, self._read = state["words"], state["counts"], [], None
        self._raw = []
        self._level = int(state["level"][0])
        self._occurrences, self._records = state["occurrences"], state["records"]

    def bound(self) -> tuple[bool, str | None]:
        """Exact up to hash collisions, or a hash-threshold sample with its relative error."""
        self.settle()
        if not self._level:
            return True, None
        error = 2.0 / np.sqrt(max(self._reading().distinct(everything()), 1))
        return (
            False,
            f"keys sampled by hash at rate 1/{1 << self._level}; relative error of counts of keys ±{error:.2g}",
        )

    def records(self, keep: Mask) -> int:
        """Records with at least one key."""
        return int(self._records[keep].sum())

    def total(self, keep: Mask) -> int:
        """Occurrences in the kept groups."""
        return int(self._occurrences[keep].sum())

    def distinct(self, keep: Mask) -> float:
        """Different keys in the kept groups (scaled up when the table is a sample)."""
        return float(self._reading().distinct(keep)) * 2.0**self._level

    def entropy(self, keep: Mask) -> float:
        """Shannon entropy (nats) of the distribution of occurrences over keys in the kept groups."""
        total = self.total(keep)
        surprise = self._reading().surprise(keep, total) * 2.0**self._level
        return min(max(surprise, 0.0), float(np.log(total))) if total > 0 else 0.0

    def _reading(self) -> _Reading:
        self.settle()
        if self._read is None:
            self._read = _Reading.of(self._words, self._counts)
        return self._read


@dataclass(frozen=True)
class _Reading:
    """The table arranged for masks: keys seen just once are counted by group, the others are kept one by one."""

    once: NDArray[np.int64]
    patterns: NDArray[np.uint32]
    pattern_keys: NDArray[np.int64]
    entry_group: NDArray[np.uint8]
    entry_count: NDArray[np.int64]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, words: NDArray[np.uint64], counts: NDArray[np.int64]) -> _Reading:
        first, keys = np.ones(len(words), dtype=np.bool_), words >> np.uint64(5)
        np.not_equal(keys[1:], keys[:-1], out=first[1:])
        del keys
        single = first & np.append(first[1:], True)[: len(words)] & (counts == 1)
        once = np.bincount((words[single] & _GROUP_BITS).astype(np.uint8), minlength=GROUPS)
        many = ~single
        group = (words[many] & _GROUP_BITS).astype(np.uint8)
        starts = np.flatnonzero(first[many])
        flags = np.left_shift(np.uint32(1), group, dtype=np.uint32)
        patterns = np.bitwise_or.reduceat(flags, starts) if len(starts) else np.zeros(0, dtype=np.uint32)
        unique, number = tally(patterns)
        return cls(once, unique, number, group, counts[many], starts)

    def distinct(self, keep: Mask) -> int:
        seen = (self.patterns & bits(keep)) != 0
        return int(self.once[keep].sum() + self.pattern_keys[seen].sum())

    def surprise(self, keep: Mask, total: int) -> float:
        """-Σ p log p over the keys held, p = occurrences of a key / total."""
        if total == 0:
            return 0.0
        alone = float(self.once[keep].sum()) / total * np.log(total)
        if not len(self.starts):
            return float(alone)
        held = np.add.reduceat(np.where(keep[self.entry_group], self.entry_count, 0), self.starts)
        share = held[held > 0] / total
        return float(alone - np.sum(share * np.log(share)))


def _below(
    words: NDArray[np.uint64], counts: NDArray[np.int64], level: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Only the words whose hash falls below 2^(64 - level)."""
    if not level:
        return words, counts
    keep = words < (np.uint64(1) << np.uint64(64 - level))
    return words[keep], counts[keep]


@dataclass(eq=False)
class NGramTable(KeyTable):
    """n-grams of tokens, by group. n-grams never cross records."""

    n: int = 2
    on: On = "response"
    where: Where = "all"

    @property
    def needs(self) -> tuple[str, ...]:
        """The token lists, and the defects where only valid records are read."""
        return (f"tokens@{self.on}", *_where_needs(self.where))

    def _keys(self, batch: Batch) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        return ngram_hashes(*batch.lists(f"tokens@{self.on}"), self.n)

    def update(self, batch: Batch) -> None:
        """Count the n-grams of a batch."""
        super().update(batch.where(self.where))


@dataclass(eq=False)
class ColumnTable(KeyTable):
    """The values of one key column (content ids, templates), by group. Null is no value."""

    column: str = "content_id"
    where: Where = "all"

    @property
    def needs(self) -> tuple[str, ...]:
        """The column, and the defects where only valid records are read."""
        return (self.column, *_where_needs(self.where))

    def update(self, batch: Batch) -> None:
        """Count the keys of a batch."""
        super().update(batch.where(self.where))

    def _keys(self, batch: Batch) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        present = batch.present(self.column)
        return mix(batch.keys(self.column))[present], present.astype(np.int64)


def _where_needs(where: Where) -> tuple[str, ...]:
    return () if where == "all" else (DEFECTS,)
