"""De-duplication before a selection: of two candidates that are alike, the first in tie order stays.

    exact       prompt and response are equal
    near, T     the Jaccard similarity of the sets of 5-grams of tokens, estimated from 128 MinHash values (standard
                error at most .044), is at least T; `near` is .8

Near-duplicates are removed greedily in tie order (must-keeps first): a candidate goes when one that stays, before it, is
alike; so no two that stay are alike, as far as bands find them. Pairs are looked for in bands of the signature, as many
entries wide as the threshold allows: a pair at .8 is missed with probability .002, at .9 with 1e-7, at lower thresholds
with at most .02 (.5 to .8). Work is bounded where everything repeats: of those that stay and share a bucket only the
first 32 are looked at by the rest. Where rows give several records, near-duplicates are told by the first one.

Worked example: "a b", "a b", "c": exact, the second goes; its rival is the first, at similarity 1.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.candidates import Floats, Ints
from triptych.core.errors import SpecError, message
from triptych.core.groups import mix
from triptych.engines.catalog import work_for
from triptych.engines.store import FeatureStore, scan
from triptych.features.minhash import PERMUTATIONS
from triptych.profiling.bench import Bench
from triptych.relations.near_duplicates import band_keys
from triptych.selecting.lists import contents

if TYPE_CHECKING:
    from triptych.selecting.pool import Pool

NEAR, LEAST = 0.8, 0.5
N = 5
_WIDTHS = ((0.8, 6, 21), (0.7, 5, 25), (0.6, 4, 32), (0.5, 3, 42))
"""From this threshold on: entries of a band, and bands."""
_HELD = 32
"""Of those that stay, so many are held in a bucket to compare with."""
_SMALLEST, _BLOCK = 1 << 5, 1 << 10
_PAIRS = 1 << 15
Signatures = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Candidates that go, and why.

    Attributes:
        at: their positions, ascending, int64 (k,).
        rival: for each the candidate that stays in its place, int64 (k,).
        similarity: of the two, float64 (k,).
        threshold: from which they are alike; 1 for exact ones.
        why: in a few words.
        sentence: what was removed, and by what rule.
    """

    at: Ints
    rival: Ints
    similarity: Floats
    threshold: float
    why: str
    sentence: str


def parse_dedup(asked: str | float) -> float | None:
    """The threshold; None: exact.

    Raises:
        SpecError: neither exact, near nor a similarity in [0.5, 1].
    """
    if asked == "exact":
        return None
    try:
        threshold = NEAR if asked == "near" else float(asked)
    except ValueError:
        threshold = -1.0
    if isinstance(asked, bool) or not LEAST <= threshold <= 1:
        want = f"exact, near (which is {NEAR:g}), or a similarity in [{LEAST:g}, 1]"
        raise SpecError(message("--dedup is not right.", got=str(asked), want=want, hint="--dedup near"))
    return threshold


def remove(pool: Pool, threshold: float | None, open_: NDArray[np.bool_], keep: Ints, bench: Bench) -> Duplicates:
    """Which candidates go.

    Args:
        pool: the candidates.
        threshold: similarity from which two are near-duplicates; None: only exact copies.
        open_: candidates that are looked at, (n,).
        keep: must-keeps: they stay, and come before all others.
        bench: to compute signatures where the pool has none.
    """
    rest = np.setdiff1d(np.flatnonzero(open_), keep)
    order = np.concatenate([np.sort(keep), rest]).astype(np.int64)
    if threshold is None:
        rival, similarity = _exact(pool, order)
    else:
        with tempfile.TemporaryDirectory(prefix="triptych-") as folder:
            table = _signatures(pool, order, Path(folder), bench)
            here = np.flatnonzero(table.any(axis=1)) if len(table) else np.zeros(0, dtype=np.int64)
            whole = len(here) == len(order)
            found, near = near_duplicates(table if whole else table[here], threshold, int((here < len(keep)).sum()))
            rival, similarity = np.full(len(order), -1), np.full(len(order), np.nan)
            rival[here], similarity[here] = np.where(found >= 0, here[found], -1), near
            del table
    rival[: len(keep)] = -1
    gone = np.flatnonzero(rival >= 0)
    gone = gone[np.argsort(order[gone])]
    kind = "copies" if threshold is None else "near-duplicates"
    rule = "prompt and response are equal" if threshold is None else f"similarity of 5-grams at least {threshold:g}"
    return Duplicates(
        order[gone],
        order[rival[gone]],
        similarity[gone],
        1.0 if threshold is None else threshold,
        "copy of a candidate" if threshold is None else "near-duplicate of a candidate",
        f"{len(gone):,} {kind} were removed before the selection ({rule}).",
    )


def _exact(pool: Pool, order: Ints) -> tuple[Ints, Floats]:
    """The first candidate in order with the same content, -1 for the first itself."""
    at, _ = pool.members(order)
    _, codes = np.unique(contents(pool)[at], return_inverse=True)
    codes = codes.astype(np.int64).reshape(-1)
    # a row is equal when all its records are, in their order
    keys = codes if pool.sizes is None else _sequences(codes, pool.sizes[order])
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    first = first[code.reshape(-1)].astype(np.int64)
    copy = first != np.arange(len(order))
    return np.where(copy, first, -1), np.where(copy, 1.0, np.nan)


def _sequences(codes: Ints, sizes: Ints) -> NDArray[np.uint64]:
    """One key for each sequence of codes, of so many each: equal sequences, equal keys."""
    out = mix(sizes.astype(np.uint64) + np.uint64(1))
    start = np.cumsum(sizes) - sizes
    for part in range(int(sizes.max(initial=0))):
        longer = sizes > part
        out[longer] = mix(mix(out[longer] + np.uint64(1)) ^ codes[start[longer] + part].astype(np.uint64))
    return out


def _signatures(pool: Pool, order: Ints, folder: Path, bench: Bench) -> Signatures:
    """Signatures of the candidates in order, on disk; zeros where there is none."""
    layout = pool.dataset.layout
    on = "both" if layout.has_prompt and layout.has_response else pool.judged
    column = f"minhash:n={N}@{on}"
    store: FeatureStore = pool.store
    if column not in store.columns:
        work = work_for([column], pool.instruments)
        store = scan(pool.dataset, work.features, bench.cache, bench.engine, bench.progress)
    if not len(order):
        return np.zeros((0, PERMUTATIONS), dtype=np.uint16)
    table: Signatures = np.memmap(folder / "signatures", dtype=np.uint16, mode="w+", shape=(len(order), PERMUTATIONS))
    wanted = pool.first[order]
    by_ordinal = np.argsort(wanted, kind="stable")
    edges = np.searchsorted(wanted[by_ordinal], store.bounds)
    for shard, start, lo, hi in zip(store.shards, store.bounds, edges[:-1], edges[1:], strict=False):
        mine = by_ordinal[lo:hi]
        if len(mine):
            none = np.zeros(shard.records, dtype=np.uint8), np.zeros(shard.records, dtype=np.uint64)
            rows = Batch(shard.read([column]), *none).matrix(column)
            table[mine] = rows[wanted[mine] - start].astype(np.uint16)
    return table


def near_duplicates(table: Signatures, threshold: float, keep: int = 0) -> tuple[Ints, Floats]:
    """Greedy de-duplication of signatures in order.

    Args:
        table: signatures, uint16 (k, 128).
        threshold: share of equal entries from which two are alike.
        keep: the first so many stay whatever they are alike to.

    Returns:
        For each the first found that stays and is alike, before it, -1 where it stays itself (k,); and their similarity.
    """
    rival, similarity = np.full(len(table), -1, dtype=np.int64), np.full(len(table), np.nan)
    # Copies first: they go where their first goes, to the same rival.
    whole = _dense(np.concatenate([band_keys(part, 0) for part in _parts(table)]) if len(table) else _no_keys())
    _, first = np.unique(whole, return_index=True)
    first = np.union1d(first, np.arange(keep))
    copy = np.ones(len(table), dtype=np.bool_)
    copy[first] = False
    sweep = _Sweep(table, first, threshold)
    start, size = 0, _SMALLEST  # what repeats most goes early: then few pairs lie within a block
    while start < len(first):
        sweep.block(start, min(start + size, len(first)), keep)
        start, size = start + size, min(2 * size, _BLOCK)
    gone = sweep.rival >= 0
    rival[first[gone]], similarity[first[gone]] = first[sweep.rival[gone]], sweep.similarity[gone]
    origin = np.full(int(whole.max(initial=-1)) + 1, len(table), dtype=np.int64)
    np.minimum.at(origin, whole, np.arange(len(table)))
    mine = origin[whole[copy]]
    stays = rival[mine] < 0
    rival[copy], similarity[copy] = np.where(stays, mine, rival[mine]), np.where(stays, 1.0, similarity[mine])
    return rival, similarity


def _no_keys() -> NDArray[np.uint64]:
    return np.zeros(0, dtype=np.uint64)


def _parts(table: Signatures) -> Iterator[Signatures]:
    for start in range(0, len(table), 1 << 16):
        yield table[start : start + (1 << 16)]


def _dense(keys: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Equal keys to equal numbers from 0."""
    _, codes = np.unique(keys, return_inverse=True)
    return np.asarray(codes.astype(np.int32).reshape(-1))


@dataclass(eq=False)
class _Bucketed:
    """The buckets of one band that several share: of each record (-1: alone), and those that stay, by bucket."""

    of: NDArray[np.int32]
    start: NDArray[np.int32]
    held: NDArray[np.int32]
    members: NDArray[np.int32]

    @classmethod
    def of_keys(cls, keys: NDArray[np.uint64]) -> _Bucketed:
        codes = _dense(keys)
        size = np.bincount(codes, minlength=1)
        shared = size > 1
        number = (np.cumsum(shared) - 1).astype(np.int32)
        room = np.minimum(size[shared], _HELD)
        start = np.concatenate([[0], np.cumsum(room)]).astype(np.int32)
        of = np.where(shared[codes], number[codes], -1).astype(np.int32) if len(codes) else codes
        return cls(of, start, np.zeros(len(room), dtype=np.int32), np.zeros(int(start[-1]), dtype=np.int32))

    def before(self, at: Ints) -> tuple[Ints, Ints]:
        """Pairs (record, one that stays in its bucket)."""
        bucket = self.of[at]
        mine = np.flatnonzero(bucket >= 0)
        bucket = bucket[mine]
        number = self.held[bucket]
        left = np.repeat(at[mine], number)
        within = np.arange(len(left)) - np.repeat(np.cumsum(number) - number, number)
        return left, self.members[np.repeat(self.start[bucket], number) + within].astype(np.int64)

    def within(self, at: Ints) -> tuple[Ints, Ints]:
        """Pairs (record, one before it) of records that share a bucket, among some."""
        bucket = self.of[at]
        mine = at[bucket >= 0]
        bucket = bucket[bucket >= 0]
        order = np.argsort(bucket, kind="stable")
        mine, bucket = mine[order], bucket[order]
        begin = np.searchsorted(bucket, bucket)
        number = np.arange(len(mine)) - begin
        left = np.repeat(mine, number)
        within = np.arange(len(left)) - np.repeat(np.cumsum(number) - number, number)
        return left, mine[np.repeat(begin, number) + within]

    def hold(self, at: Ints) -> None:
        """Remember some that stay, in order, where their buckets have place."""
        bucket = self.of[at]
        mine, bucket = at[bucket >= 0], bucket[bucket >= 0]
        order = np.argsort(bucket, kind="stable")
        mine, bucket = mine[order], bucket[order]
        place = self.held[bucket] + np.arange(len(mine)) - np.searchsorted(bucket, bucket)
        fits = place < self.start[bucket + 1] - self.start[bucket]
        self.members[self.start[bucket[fits]] + place[fits]] = mine[fits]
        np.add.at(self.held, bucket[fits], 1)


class _Sweep:
    """One pass over different signatures in order, in blocks; positions are those in `first`."""

    def __init__(self, table: Signatures, first: Ints, threshold: float) -> None:
        self._table, self._first = table, first
        self._least = threshold * PERMUTATIONS
        width, bands = next((w, b) for least, w, b in _WIDTHS if threshold >= least)
        self._bands = []
        for band in range(1, bands + 1):
            keys = [
                band_keys(table[first[start : start + (1 << 16)]], band, width)
                for start in range(0, len(first), 1 << 16)
            ]
            self._bands.append(_Bucketed.of_keys(np.concatenate(keys) if keys else _no_keys()))
        self.rival = np.full(len(first), -1, dtype=np.int64)
        self.similarity = np.full(len(first), np.nan)

    def block(self, start: int, stop: int, keep: int) -> None:
        """Settle the records start..stop: against those that stay, then among themselves."""
        at = np.arange(start, stop)
        mine = at[at >= keep]
        for band in self._bands:
            mine = mine[self.rival[mine] < 0]
            left, right, near = self._alike(*band.before(mine))
            # the first found; of several at once the first in order
            order = np.lexsort((right, left))
            left, which = np.unique(left[order], return_index=True)
            self.rival[left], self.similarity[left] = right[order][which], near[order][which]
        at = at[self.rival[at] < 0]
        found: dict[tuple[int, int], float] = {}
        for band in self._bands:
            left, right, near = self._alike(*band.within(at))
            found.update(zip(zip(left.tolist(), right.tolist(), strict=True), near.tolist(), strict=True))
        for high, low in sorted(found):
            if high >= keep and self.rival[high] < 0 and self.rival[low] < 0:
                self.rival[high], self.similarity[high] = low, found[high, low]
        at = at[self.rival[at] < 0]
        for band in self._bands:
            band.hold(at)

    def _alike(self, left: Ints, right: Ints) -> tuple[Ints, Ints, Floats]:
        """The pairs whose signatures agree in enough entries, and the share of them."""
        kept = []
        for start in range(0, len(left), _PAIRS):
            a, b = left[start : start + _PAIRS], right[start : start + _PAIRS]
            equal = np.count_nonzero(self._table[self._first[a]] == self._table[self._first[b]], axis=1)
            near = equal >= self._least
            kept.append((a[near], b[near], equal[near] / PERMUTATIONS))
        if not kept:
            return left[:0], right[:0], np.zeros(0)
        return tuple(np.concatenate(side) for side in zip(*kept, strict=True))  # type: ignore[return-value]
