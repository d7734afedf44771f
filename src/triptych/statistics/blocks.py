"""Compressed sizes of fixed-size blocks of text in hash order, by group.

Compressing a whole file is an order statistic: 4,000 templated rows fell from a ratio of 136 to 11.8 when shuffled (a
compressor sees 32 KB back). Here the records of a group are put in hash order, joined by newlines and cut into blocks of
a fixed number of bytes; each full block is compressed once, alone. At most `CAPACITY` bytes a group are kept: those of
the smallest hashes, a random sample that does not depend on the order of updates and merges.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic

CAPACITY = 1 << 19
"""Bytes of text kept for each group: 16 MiB in all."""

_GZIP_OVERHEAD = 12
"""A gzip member has 18 bytes of frame, a zlib stream 6."""


@dataclass(eq=False)
class TextBlocks(Statistic):
    """Texts of the smallest address keys of each group, read as blocks of `block` bytes."""

    block: int = 8192
    on: On = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self._keys = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._texts: list[bytes] = []
        self._records = np.zeros(GROUPS, dtype=np.int64)
        self._sizes: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The texts, and the defects where only valid records are read."""
        texts = ("prompt", "response") if self.on == "both" else (self.on,)
        return texts if self.where == "all" else (*texts, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in the texts of a batch."""
        batch = batch.where(self.where)
        columns = [batch.bytes(name) for name in (("prompt", "response") if self.on == "both" else (self.on,))]
        texts = [b"\n".join(part for part in parts if part) for parts in zip(*columns, strict=True)]
        held = np.array([bool(text) for text in texts], dtype=np.bool_)
        self._records = self._records + np.bincount(batch.group[held], minlength=GROUPS)
        self._extend(batch.address[held], batch.group[held], [text for text in texts if text])

    def merge(self, other: Self) -> None:
        """Take in the texts of other records."""
        self._records = self._records + other._records
        self._extend(other._keys, other._group, other._texts)

    def _extend(self, keys: NDArray[np.uint64], group: NDArray[np.uint8], texts: list[bytes]) -> None:
        self._keys = np.concatenate([self._keys, keys])
        self._group = np.concatenate([self._group, group])
        self._texts = self._texts + texts
        order = np.lexsort((self._keys, self._group))
        size = np.array([len(self._texts[i]) + 1 for i in order], dtype=np.int64)
        before = np.cumsum(size) - size
        start = np.searchsorted(self._group[order], np.arange(GROUPS))
        first = before[np.minimum(start, max(len(before) - 1, 0))] if len(before) else np.zeros(GROUPS, dtype=np.int64)
        kept = order[before - first[self._group[order]] < CAPACITY]
        self._keys, self._group = self._keys[kept], self._group[kept]
        self._texts = [self._texts[i] for i in kept]
        self._sizes = None

    def state(self) -> dict[str, NDArray[Any]]:
        """Keys, groups, flat bytes with offsets, records by group; ordered by group, then key."""
        offsets = np.cumsum([0, *(len(text) for text in self._texts)], dtype=np.int64)
        flat = np.frombuffer(b"".join(self._texts), dtype=np.uint8)
        return {"keys": self._keys, "group": self._group, "bytes": flat, "offsets": offsets, "records": self._records}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        flat, offsets = state["bytes"].tobytes(), state["offsets"]
        self._texts = [flat[a:b] for a, b in pairwise(offsets)]
        self._keys, self._group, self._records = state["keys"], state["group"], state["records"]
        self._sizes = None

    def bound(self) -> tuple[bool, str | None]:
        """Exact, or read on a random sample of the records (whose error the interval holds)."""
        kept, total = len(self._texts), int(self._records.sum())
        return kept == total, None if kept == total else f"read on a random sample of {kept:,} of {total:,} records"

    def records(self, keep: Mask) -> int:
        """Records with text."""
        return int(self._records[keep].sum())

    def blocks(self, keep: Mask) -> int:
        """Full blocks in the kept groups."""
        return int(self._compressed()[0][keep].sum())

    def block_for(self, number: int, keep: Mask) -> int | None:
        """The largest power of two that cuts the kept texts into at least `number` blocks; None below 64 bytes."""
        size = np.array([len(text) + 1 for text in self._texts], dtype=np.int64)
        held = np.bincount(self._group, weights=size, minlength=GROUPS)[keep] - 1
        fits = (block for block in (1 << power for power in range(15, 5, -1)) if np.sum(held // block) >= number)
        return next(fits, None)

    def ratio(self, keep: Mask) -> float:
        """Bytes over compressed bytes, over all full blocks of the kept groups; there must be at least one."""
        number, packed = self._compressed()
        return float(number[keep].sum() * self.block / packed[keep].sum())

    def _compressed(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Number of full blocks and sum of their gzip sizes, by group (32,)."""
        if self._sizes is None:
            number, packed = np.zeros(GROUPS, dtype=np.int64), np.zeros(GROUPS, dtype=np.int64)
            for g in range(GROUPS):
                text = b"\n".join(self._texts[i] for i in np.flatnonzero(self._group == g))
                for start in range(0, min(len(text), CAPACITY) - self.block + 1, self.block):
                    number[g] += 1
                    packed[g] += len(zlib.compress(text[start : start + self.block], 6)) + _GZIP_OVERHEAD
            self._sizes = number, packed
        return self._sizes
