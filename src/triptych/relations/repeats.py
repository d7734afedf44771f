"""What each record shares with the others: for every group, how often its n-grams stand in records of that group.

For record d with different n-grams G_d and groups 0..31 the vector is v_g = Σ_{i in G_d} (records of group g that contain
i), and its 33rd entry |G_d|, the record's own share. For any mask of kept groups, Σ_g v_g - |G_d| is the number of
occurrences of d's n-grams in the *other* kept records: recomputed exactly for every mask, because the sum over n-grams is
linear. (Counts held fixed while groups are deleted gave 18-28 % false positives.)

At most `SAMPLE` records (those of the smallest address hash) carry a vector; their n-grams are counted over all records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch, On
from triptych.core.groups import GROUPS
from triptych.core.ngrams import ngram_hashes
from triptych.core.relation import SAMPLE, Records, Relation, Sparse
from triptych.core.sorting import different, tally, tally_weighted

_RECORDS = 1 << 12
_PENDING = 1 << 22
_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Repeats(Relation):
    """Column `repeats:n=N@on`: 33 int32, null for records that are not sampled or have no text."""

    n: int = 4
    on: On = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """The token list."""
        return (f"tokens@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The vectors."""
        return (f"repeats:n={self.n}@{self.on}",)

    def compute(self, records: Records) -> Mapping[str, Sparse]:
        """Vectors of the sampled records."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - scipy is slow to import

        keys = records.keys
        sampled = keys.address <= np.partition(keys.address, SAMPLE - 1)[SAMPLE - 1] if len(keys) > SAMPLE else None
        at, owner, grams = self._gather(records, sampled)
        vocabulary = _repeated(grams) if sampled is None else different(grams)
        index = _find(vocabulary, grams)
        del grams
        known = index >= 0
        whole = iter([index[known] * GROUPS + keys.group[owner[known]]])
        shared, table = _by_group(whole if sampled is None else self._stream(records, vocabulary), len(vocabulary))
        rows = np.zeros(len(keys), dtype=np.int32)
        rows[at] = np.arange(len(at))
        row, gram = rows[owner], shared[index]
        repeated = gram >= 0
        ones = np.ones(int(repeated.sum()), dtype=np.int32)
        holds: Any = csr_array((ones, (row[repeated], gram[repeated])), shape=(len(at), len(table)))
        alone = row[~repeated] * np.int64(GROUPS) + keys.group[owner[~repeated]]
        vectors = np.empty((len(at), GROUPS + 1), dtype=np.int32)
        vectors[:, :GROUPS] = np.bincount(alone, minlength=len(at) * GROUPS).reshape(len(at), GROUPS)
        vectors[:, :GROUPS] += holds @ table
        vectors[:, GROUPS] = np.bincount(row, minlength=len(at))
        return {self.gives[0]: Sparse(at, vectors)}

    def _gather(
        self, records: Records, sampled: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
        """Positions of the sampled records that have the text; position and n-gram for each different n-gram of each."""
        at, owners, grams = [_NONE], [_NONE], [np.zeros(0, dtype=np.uint64)]
        for start, batch in records.batches(self.needs):
            owner, gram = _different(batch, self.needs[0], self.n)
            there = start + np.flatnonzero(batch.present(self.needs[0]))
            at.append(there if sampled is None else there[sampled[there]])
            keep = slice(None) if sampled is None else sampled[start + owner]
            owners.append(start + owner[keep])
            grams.append(gram[keep])
        return np.concatenate(at), np.concatenate(owners), np.concatenate(grams)

    def _stream(self, records: Records, vocabulary: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
        """For each shard: n-gram (its place in the vocabulary) and group, as one word, for every record that has it."""
        for _, batch in records.batches(self.needs):
            owner, gram = _different(batch, self.needs[0], self.n)
            index = _find(vocabulary, gram)
            known = index >= 0
            yield index[known] * GROUPS + batch.group[owner[known]]


def _repeated(grams: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The n-grams that stand there more than once, each once, ascending."""
    ordered = np.sort(grams)
    again = ordered[1:] == ordered[:-1]
    return different(ordered[1:][again])


def _find(vocabulary: NDArray[np.uint64], grams: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Place of each n-gram in the vocabulary, -1 where it is not in there."""
    if not len(vocabulary):
        return np.full(len(grams), -1)
    index = np.minimum(np.searchsorted(vocabulary, grams), len(vocabulary) - 1)
    index[vocabulary[index] != grams] = -1
    return index


def _by_group(pieces: Iterator[NDArray[np.int64]], size: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Row of each of `size` n-grams (-1 when a single record has it) in a table of records by group, (rows, 32).

    The rows end with one more -1, for what is found at -1.
    """
    words, counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    pending: list[NDArray[np.int64]] = []
    for piece in pieces:
        pending.append(piece)
        if sum(map(len, pending)) > _PENDING:
            words, counts = _tally(words, counts, pending)
    words, counts = _tally(words, counts, pending)
    total = np.bincount(words // GROUPS, weights=counts, minlength=size)
    shared = np.append(np.where(total > 1, np.cumsum(total > 1) - 1, -1), -1)
    table = np.zeros((int((total > 1).sum()), GROUPS), dtype=np.int32)
    held = shared[words // GROUPS] >= 0
    table[shared[words[held] // GROUPS], words[held] % GROUPS] = counts[held]
    return shared, table


def _different(batch: Batch, column: str, n: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Record (position in the batch) and 52-bit hash of every different n-gram of every record, sorted by hash."""
    hashes, counts = ngram_hashes(*batch.lists(column), n)
    owner = np.repeat(np.arange(len(counts)), counts)
    parts = []
    for start in range(0, len(counts), _RECORDS):
        here = slice(*np.searchsorted(owner, [start, start + _RECORDS]))
        inside = (owner[here] - start).astype(np.uint64)
        word = different(hashes[here] >> np.uint64(12) << np.uint64(12) | inside)
        parts.append(((word & np.uint64(_RECORDS - 1)).astype(np.int32) + np.int32(start), word >> np.uint64(12)))
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _tally(
    words: NDArray[np.int64], counts: NDArray[np.int64], pending: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Add the pending words, each once, to the sorted words and their counts."""
    fresh, number = tally(pending[0] if len(pending) == 1 else np.concatenate([words[:0], *pending]))
    pending.clear()
    if not len(words):
        return fresh, number
    return tally_weighted(np.concatenate([words, fresh]), np.concatenate([counts, number]))
