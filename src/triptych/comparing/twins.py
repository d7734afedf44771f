"""Near-duplicates between two sets, by the bands of MinHash signatures.

For each signature asked the most similar one of a base: the share of equal entries, which estimates the Jaccard similarity
of the sets of 5-grams of tokens (standard error at most .044). Pairs are looked for in 32 bands of 4 entries: one of
similarity .8 is missed with probability 5e-8, one of .6 with .012. Of those in one bucket the first 32 different signatures
are looked at, so work is bounded where everything repeats; equal signatures are always found.
"""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.corpus import Corpus, Ints, UInts
from triptych.core.batch import Batch
from triptych.features.minhash import PERMUTATIONS
from triptych.relations.near_duplicates import band_keys

Floats = NDArray[np.float64]
Signatures = NDArray[np.uint16]

LEAST = 0.6
_BANDS, _ROWS = 32, 4
_HELD = 32
_PAIRS = 1 << 15


def signatures_of(corpus: Corpus, column: str, shard: int | None = None) -> tuple[Ints, Signatures]:
    """Ordinals (k,) of the records that have a signature, of one shard or all, and the signatures (k, 128)."""
    at, tables = [np.zeros(0, dtype=np.int64)], [np.zeros((0, PERMUTATIONS), dtype=np.uint16)]
    which = range(len(corpus.store.shards)) if shard is None else [shard]
    for place in which:
        part = corpus.store.shards[place]
        none = np.zeros(part.records, dtype=np.uint8), np.zeros(part.records, dtype=np.uint64)
        batch = Batch(part.read([column]), *none)
        here = np.flatnonzero(batch.present(column))
        at.append(int(corpus.store.bounds[place]) + here)
        tables.append(batch.matrix(column)[here].astype(np.uint16))
    return np.concatenate(at), np.concatenate(tables)


@final
class Twins:
    """The base: signatures (b, 128) in order, and optionally the family of each (b,). About 640 bytes a signature."""

    def __init__(self, table: Signatures, family: UInts | None = None) -> None:
        self._table, self._family = table, family
        self._whole = _Buckets(band_keys(table, 0))
        first = np.sort(self._whole.firsts)
        self._bands = [_Buckets(band_keys(table[first], band, _ROWS), first) for band in range(1, _BANDS + 1)]

    def nearest(self, asked: Signatures, family: UInts | None = None) -> tuple[Ints, Floats]:
        """For each of q signatures the most similar of the base, the first of equals: position and similarity.

        Args:
            asked: signatures (q, 128).
            family: of each (q,): none of the same family is found; the base must have families too.

        Returns:
            Position int64 (q,), -1 where none of at least .6 is found, and similarity float64 (q,), 0 there.
        """
        at = np.full(len(asked), -1, dtype=np.int64)
        equal = np.full(len(asked), int(np.ceil(LEAST * PERMUTATIONS)) - 1, dtype=np.int64)
        for band in range(_BANDS + 1):
            open_ = np.flatnonzero(equal < PERMUTATIONS)
            keys = band_keys(asked[open_], band, _ROWS) if band else band_keys(asked[open_], 0)
            left, right = (self._bands[band - 1] if band else self._whole).pairs(keys)
            left = open_[left]
            if family is not None and self._family is not None:
                other = family[left] != self._family[right]
                left, right = left[other], right[other]
            for start in range(0, len(left), _PAIRS):
                a, b = left[start : start + _PAIRS], right[start : start + _PAIRS]
                same = np.count_nonzero(asked[a] == self._table[b], axis=1)
                order = np.lexsort((b, -same, a))
                a, first = np.unique(a[order], return_index=True)
                b, same = b[order][first], same[order][first]
                better = (same > equal[a]) | ((same == equal[a]) & (b < at[a]))
                at[a[better]], equal[a[better]] = b[better], same[better]
        return at, np.where(at >= 0, equal / PERMUTATIONS, 0.0)


@final
class _Buckets:
    """Positions by key, the first 32 of each."""

    def __init__(self, keys: UInts, at: Ints | None = None) -> None:
        order = np.argsort(keys, kind="stable")
        self._at = order if at is None else at[order]
        self._keys, self._begin, size = np.unique(keys[order], return_index=True, return_counts=True)
        self._size = np.minimum(size, _HELD)

    @property
    def firsts(self) -> Ints:
        """The first position of each key."""
        return self._at[self._begin]

    def pairs(self, keys: UInts) -> tuple[Ints, Ints]:
        """Pairs (number of a key asked, position in its bucket)."""
        none = np.zeros(0, dtype=np.int64)
        if not len(self._keys):
            return none, none
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found = np.flatnonzero(self._keys[place] == keys)
        place = place[found]
        size = self._size[place]
        ends = np.cumsum(size)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - size, size)
        return np.repeat(found, size), self._at[np.repeat(self._begin[place], size) + within]
