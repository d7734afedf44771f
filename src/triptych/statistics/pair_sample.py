"""Mean similarity of pairs of records on a seeded sample, by pair of groups.

All pairs of a million records are too many. Of each group the `RECORDS` records of the smallest seeded address hashes are
held, and of each of the 528 pairs of groups the `pairs` pairs of the smallest seeded hashes are compared. The mean over the
kept pairs of groups, each weighted by how many pairs of records it stands for, is unbiased for the mean over all pairs. What
is drawn for a pair of groups depends on those two alone, so a mask of groups equals a fold over their records, and the error
of drawing records and pairs shows when groups are deleted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.groups import GROUPS, Mask, mix
from triptych.core.statistic import Statistic

Similarity: TypeAlias = Literal["rouge_l", "jaccard"]
Keys: TypeAlias = NDArray[np.uint64]

RECORDS = 64
"""Records held of each group."""

TOKENS = 512
"""Tokens read of each record, from its beginning."""

_STEP = np.uint64(0x9E3779B97F4A7C15)


def draw_keys(address: Keys, seed: int) -> Keys:
    """What decides which records are held, (n,): the smallest of a group."""
    with np.errstate(over="ignore"):
        return mix(address ^ mix(np.full(len(address), seed, dtype=np.uint64) + _STEP))


def pair_keys(a: Keys, b: Keys) -> Keys:
    """What decides which pairs are compared, (p,), from the draw keys of both: the same for (a, b) and (b, a)."""
    with np.errstate(over="ignore"):
        return mix(mix(np.minimum(a, b) + _STEP) ^ np.maximum(a, b))


@dataclass(eq=False)
class PairSample(Statistic):
    """Tokens of sampled records, and the similarity of sampled pairs. Records without tokens are not counted."""

    similarity: Similarity = "rouge_l"
    pairs: int = 32
    seed: int = 0
    on: On = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self._keys = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._tokens: list[NDArray[np.int32]] = []
        self._seen = np.zeros(GROUPS, dtype=np.int64)
        self._cut = 0
        self._means: NDArray[np.float64] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The token lists, and the defects where only valid records are read."""
        return (f"tokens@{self.on}",) if self.where == "all" else (f"tokens@{self.on}", DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        batch = batch.where(self.where)
        values, offsets = batch.lists(f"tokens@{self.on}")
        at = np.flatnonzero(np.diff(offsets))
        self._seen = self._seen + np.bincount(batch.group[at], minlength=GROUPS)
        self._cut += int(np.count_nonzero(np.diff(offsets) > TOKENS))
        keys, group = draw_keys(batch.address[at], self.seed), batch.group[at]
        kept = _first(keys, group)
        tokens = [values[offsets[i] : offsets[i + 1]][:TOKENS].astype(np.int32) for i in at[kept]]
        self._extend(keys[kept], group[kept], tokens)

    def merge(self, other: Self) -> None:
        """Take in other records."""
        self._seen = self._seen + other._seen
        self._cut += other._cut
        self._extend(other._keys, other._group, other._tokens)

    def _extend(self, keys: Keys, group: NDArray[np.uint8], tokens: list[NDArray[np.int32]]) -> None:
        keys, group = np.concatenate([self._keys, keys]), np.concatenate([self._group, group])
        tokens = self._tokens + tokens
        kept = _first(keys, group)
        self._keys, self._group = keys[kept], group[kept]
        self._tokens = [tokens[i] for i in kept]
        self._means = None

    def state(self) -> dict[str, NDArray[Any]]:
        """Keys and groups (k,), flat tokens with offsets, records seen by group, records cut; by group, then key."""
        return {
            "keys": self._keys,
            "group": self._group,
            "tokens": np.concatenate([np.zeros(0, dtype=np.int32), *self._tokens]),
            "offsets": np.cumsum([0, *map(len, self._tokens)], dtype=np.int64),
            "seen": self._seen,
            "cut": np.array([self._cut], dtype=np.int64),
        }

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._keys, self._group, self._seen = state["keys"], state["group"], state["seen"]
        self._tokens = [state["tokens"][a:b] for a, b in pairwise(state["offsets"])]
        self._cut = int(state["cut"][0])
        self._means = None

    def bound(self) -> tuple[bool, str | None]:
        """Exact, or a mean over drawn pairs (whose error the interval holds)."""
        number = _pairs_of(self._seen)
        compared = np.minimum(_pairs_of(np.minimum(self._seen, RECORDS)), self.pairs)
        if not self._cut and int(compared.sum()) == int(number.sum()):
            return True, None
        cut = f"; {self._cut:,} records read to token {TOKENS}" if self._cut else ""
        return False, f"mean over {int(compared.sum()):,} drawn pairs of {int(number.sum()):,}{cut}"

    def records(self, keep: Mask) -> int:
        """Records with tokens, held or not."""
        return int(self._seen[keep].sum())

    def mean(self, keep: Mask) -> float:
        """Mean similarity over the pairs of the kept groups; there must be two records."""
        if self._means is None:
            self._means = self._compare()
        weight = _pairs_of(np.where(keep, self._seen, 0)).astype(np.float64)
        return float(np.sum(self._means * weight) / weight.sum())

    def _compare(self) -> NDArray[np.float64]:
        """Mean similarity of the drawn pairs of each pair of groups, above and on the diagonal; 0 where there is none."""
        out = np.zeros((GROUPS, GROUPS))
        edges = np.searchsorted(self._group, np.arange(GROUPS + 1))
        compare = rouge_l if self.similarity == "rouge_l" else jaccard
        lists = [tokens.tolist() for tokens in self._tokens]
        for g in range(GROUPS):
            for h in range(g, GROUPS):
                one, other = np.arange(edges[g], edges[g + 1]), np.arange(edges[h], edges[h + 1])
                i, j = np.meshgrid(one, other, indexing="ij")
                i, j = i[i < j], j[i < j]
                drawn = np.arange(len(i))
                if len(i) > self.pairs:
                    keys = pair_keys(self._keys[i], self._keys[j])
                    drawn = np.sort(np.argpartition(keys, self.pairs - 1)[: self.pairs])
                if len(drawn):
                    out[g, h] = np.mean([compare(lists[i[k]], lists[j[k]]) for k in drawn])
        return out


def rouge_l(a: list[int], b: list[int]) -> float:
    """ROUGE-L F1 of two token lists that are not empty: 2 LCS / (|a| + |b|) (Lin 2004), LCS by bits (Hyyrö 2004)."""
    where: dict[int, int] = defaultdict(int)
    for place, token in enumerate(a):
        where[token] |= 1 << place
    full = (1 << len(a)) - 1
    rows = full
    for token in b:
        match = rows & where.get(token, 0)
        rows = ((rows + match) | (rows - match)) & full
    return 2 * (len(a) - rows.bit_count()) / (len(a) + len(b))


def jaccard(a: list[int], b: list[int]) -> float:
    """Tokens in both over tokens in either, each counted once."""
    one, other = set(a), set(b)
    return len(one & other) / len(one | other)


def _pairs_of(seen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of records of each pair of groups, above and on the diagonal (32, 32)."""
    return np.triu(np.outer(seen, seen), 1) + np.diag(seen * (seen - 1) // 2)


def _first(keys: Keys, group: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Positions of the `RECORDS` records of each group with the smallest keys, by group, then key."""
    order = np.lexsort((keys, group))
    begin = np.searchsorted(group[order], np.arange(GROUPS))
    return np.asarray(order[np.arange(len(order)) - begin[group[order]] < RECORDS])
