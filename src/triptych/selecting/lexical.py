"""TF-IDF vectors of texts: a second look at diversity that no encoder had a hand in.

A text is its token counts, each weighted by log(n / texts that hold the token), scaled to length 1. The frequencies come
from the n texts that the lexicon was made of; a token that none of them holds weighs log n, one that all hold weighs 0.
A text without tokens that weigh is a row of zeros: no vector.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.batch import flat_lists
from triptych.core.groups import GROUPS, Mask
from triptych.engines.store import FeatureStore

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tokens = tuple[NDArray[Any], Ints]
"""Flat token ids of n texts, and offsets (n + 1,)."""

_COMMON = 1 / 64
_BLOCK = 512


def tokens_of(store: FeatureStore, column: str, rows: Ints) -> Tokens:
    """The token ids of some records of a store; `rows` ascending ordinals (n,)."""
    edges = np.searchsorted(rows, store.bounds)
    parts = []
    for index, shard in enumerate(store.shards):
        lo, hi = int(edges[index]), int(edges[index + 1])
        if lo < hi:
            parts.append(shard.read([column])[column].take(pa.array(rows[lo:hi] - store.bounds[index])))
    if not parts:
        return np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64)
    return flat_lists(pa.concat_arrays(parts))


class Lexicon:
    """How much each token weighs, from some texts. Cost: their tokens, once.

    Attributes:
        n: texts it was made of.
        weight: of each token id up to the largest that was seen, float64 (vocabulary,).
    """

    def __init__(self, values: NDArray[Any], offsets: Ints) -> None:
        self.n = len(offsets) - 1
        counts = _counts(values, offsets, int(values.max(initial=-1)) + 1)
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        self.weight = np.log(max(self.n, 1) / np.maximum(frequency, 1))

    def vectors(self, values: NDArray[Any], offsets: Ints) -> Any:
        """Unit rows of texts as a sparse float64 array (texts, vocabulary)."""
        from scipy import sparse  # noqa: PLC0415 - slow to import

        width = max(len(self.weight), int(values.max(initial=-1)) + 1)
        weight = np.full(width, np.log(max(self.n, 1)))
        weight[: len(self.weight)] = self.weight
        weighted = _counts(values, offsets, width) * weight[None, :]
        norms = np.sqrt(weighted.multiply(weighted).sum(axis=1))
        rows = sparse.csr_array(weighted.multiply(1 / np.where(norms > 0, norms, 1)[:, None]))
        rows.eliminate_zeros()
        return rows


def _counts(values: NDArray[Any], offsets: Ints, width: int) -> Any:
    """How often each text holds each token, sparse float64 (texts, width)."""
    from scipy import sparse  # noqa: PLC0415 - slow to import

    # Copied, for summing duplicates sorts and shortens in place.
    entries = (np.ones(len(values)), values.copy(), offsets.copy())
    counts = sparse.csr_array(entries, shape=(len(offsets) - 1, max(width, 1)))
    counts.sum_duplicates()
    return counts


class SquaredCosines:
    """Sums of squared cosines within and between the 32 groups of some records, and what follows: Vendi of order 2.

    Σλ² of the n x n matrix of cosines over n is the mean of their squares, a record with itself among them; so the
    score is n² over the sum of the kept groups' entries: exact for every mask, without an eigenvalue. Cost: n²/2 products
    in blocks, the common tokens dense and the rare ones sparse; memory O(n · (512 + common tokens)).

    Args:
        rows: unit rows, or zeros, sparse (n, vocabulary).
        group: of each record, (n,).
    """

    def __init__(self, rows: Any, group: NDArray[np.uint8]) -> None:
        held = np.flatnonzero(np.diff(rows.indptr))
        order = held[np.argsort(group[held], kind="stable")]
        self.sizes = np.bincount(group[order], minlength=GROUPS).astype(np.int64)
        self.table = _table(rows[order], np.concatenate([[0], np.cumsum(self.sizes)]))

    def records(self, keep: Mask) -> int:
        """Records with a vector in the kept groups."""
        return int(self.sizes[keep].sum())

    def vendi(self, keep: Mask) -> float:
        """Effective number of records of order 2, at least 1; there must be a record."""
        kept = keep.astype(np.float64)
        return max(self.records(keep) ** 2 / float(kept @ self.table @ kept), 1.0)


def _table(rows: Any, ends: Ints) -> Floats:
    """Sums of squared cosines between groups (32, 32), of rows ordered by group; `ends` (33,)."""
    n = rows.shape[0]
    table = np.zeros((GROUPS, GROUPS))
    if not n:
        return table
    rows = rows.tocsc()
    holders = np.diff(rows.indptr)
    common = holders > max(n * _COMMON, 1)
    dense = rows[:, common].toarray().astype(np.float32)
    rare = rows[:, ~common & (holders > 0)].tocsr()
    across = rare.T.tocsr()
    starts = [int(end) for end in ends[:-1]]
    for g, (start, stop) in enumerate(zip(starts, ends[1:].tolist(), strict=True)):
        for low in range(start, stop, _BLOCK):
            high = min(low + _BLOCK, stop)
            # The groups before this one are known by symmetry.
            cosines = dense[low:high] @ dense[start:].T + (rare[low:high] @ across[:, start:]).toarray()
            squares = np.einsum("ij,ij->j", cosines, cosines, dtype=np.float64)
            table[g] += np.bincount(np.repeat(np.arange(g, GROUPS), np.diff(ends[g:])), squares, GROUPS)
    return table + np.triu(table, 1).T
