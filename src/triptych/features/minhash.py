"""MinHash signatures of the set of n-grams of a record (Broder 1997), 16 bits a hash function (Li & König 2010).

The share of equal entries of two signatures estimates their Jaccard similarity with standard error sqrt(J(1 - J)/128), at
most .044; keeping 16 bits adds a chance agreement of 2^-16. A record shorter than n tokens counts as one n-gram. A record
without tokens has no signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.batch import On, flat_lists
from triptych.core.feature import Feature
from triptych.core.groups import mix
from triptych.core.ngrams import ngram_hashes
from triptych.core.rng import stream

PERMUTATIONS = 128


def _multipliers() -> NDArray[np.uint32]:
    draws = stream("minhash", PERMUTATIONS).integers(0, 1 << 32, PERMUTATIONS, dtype=np.uint64)
    return (draws | np.uint64(1)).astype(np.uint32)


_ODD = _multipliers()


def signatures(hashes: NDArray[np.uint64], counts: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Signatures (r, 128) of r sets given as flat n-gram hashes (m,) and set sizes (r,); zeros for an empty set.

    Each hash function multiplies the scrambled 32-bit hash by its own odd number; the minimum is taken over the set and
    its upper half scrambled to 16 bits.
    """
    table = np.zeros((len(counts), PERMUTATIONS), dtype=np.uint16)
    base = (mix(hashes) >> np.uint64(32)).astype(np.uint32)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return table
    starts = (np.cumsum(counts) - counts)[filled]
    lowest, work = np.empty((PERMUTATIONS, len(filled)), dtype=np.uint32), np.empty_like(base)
    for row, odd in zip(lowest, _ODD, strict=True):  # along the hashes: a minimum over neighbours is a fast one
        np.multiply(base, odd, out=work)
        np.minimum.reduceat(work, starts, out=row)
    lowest *= np.uint32(0x9E3779B1)
    table[filled] = (lowest >> np.uint32(16)).T
    return table


@dataclass(frozen=True)
class MinHash(Feature):
    """Column `minhash:n=N@on`: 128 16-bit MinHash values of the record's n-grams of tokens."""

    n: int = 5
    on: On = "both"
    version: ClassVar[int] = 1

    @property
    def needs(self) -> tuple[str, ...]:
        """The token list."""
        return (f"tokens@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The signature."""
        return (f"minhash:n={self.n}@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Signatures of a shard, null for records without tokens."""
        values, offsets = flat_lists(batch.column(f"tokens@{self.on}"))
        hashes, counts = ngram_hashes(values, offsets, self.n)
        short = (counts == 0) & (np.diff(offsets) > 0)
        hashes, counts = _with_short(hashes, counts, short, values, offsets)
        table = signatures(hashes, counts)
        empty = pa.array(counts == 0)
        return {self.gives[0]: pa.FixedSizeListArray.from_arrays(pa.array(table.reshape(-1)), PERMUTATIONS, mask=empty)}


def _with_short(
    hashes: NDArray[np.uint64],
    counts: NDArray[np.int64],
    short: NDArray[np.bool_],
    values: NDArray[Any],
    offsets: NDArray[np.int64],
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Give every record shorter than n tokens one n-gram: the hash of all its tokens."""
    if not short.any():
        return hashes, counts
    at = np.flatnonzero(short)
    with np.errstate(over="ignore"):
        place = np.arange(len(values), dtype=np.uint64) - np.repeat(offsets[:-1], np.diff(offsets)).astype(np.uint64)
        parts = mix(values.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93) + place + np.uint64(1))
        whole = mix(np.add.reduceat(parts, np.minimum(offsets[:-1], len(parts) - 1))[at])
    hashes = np.insert(hashes, np.cumsum(counts)[at], whole)
    return hashes, counts + short
