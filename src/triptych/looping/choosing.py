"""The common rule: which records a round trains on, from its dials.

1. The anchor's share of the budget, drawn anew from the real data.
2. Of the rest: this round's records that passed, less the `floor` least likely ones; and those of earlier rounds, as many as
   `archive` allows. Exact duplicates (prompt and response) count once.
3. How many of each structure: as near to its weight as what there is allows (water-filling), in whole records by largest
   remainders. Weight: n^(1 - even) · (1 + complexity)^push · (1 - boundary + boundary · 4 p (1 - p)), n the records that there
   are, p the structure's share of right answers. Where all that leaves n alone, structures do not matter.
4. Inside a structure at random, or the likeliest first.

Worked example: structures with 5, 1 and 4 records, even = 1, 6 records: 1 of the second, and of what is left 2.5 of the
first and of the third each, so 3 and 2, or 2 and 3 as the draw has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SelectionError, message
from triptych.looping.dials import Dials
from triptych.looping.policy import Candidates
from triptych.looping.records import ANCHOR, ARCHIVE, Judged

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EQUAL = 9
"""Decimals by which remainders differ, if they do."""


@dataclass(frozen=True)
class Pool:
    """What may be taken beside the anchor's share: fresh records first, then earlier ones.

    Attributes:
        records: n of them, each once.
        fresh: how many of the first are of this round.
        codes: structure of each, by position in `names`, int64 (n,).
        names: structures, sorted.
    """

    records: list[Judged]
    fresh: int
    codes: Ints
    names: list[str]

    def taken(self, at: Ints) -> list[Judged]:
        """The records at these places, each under the source that it is taken from."""
        records = self.records
        return [records[i] if i < self.fresh else taken_from(records[i], ARCHIVE) for i in at.tolist()]


def take(candidates: Candidates, dials: Dials, budget: int, draw: np.random.Generator) -> list[Judged]:
    """At most `budget` records, fewer where there are no more; each says in `source` where it comes from.

    O(n log n). The order is that of the candidates: the anchor's, this round's, earlier ones.

    Args:
        candidates: what there is.
        dials: anchor, archive, floor, even, push, boundary, likely, unverified.
        budget: records.
        draw: of all that is drawn; equal candidates, dials and draw give equal records.

    Raises:
        SelectionError: a dial is out of range, or asks for likelihoods that no record has.
    """
    _check(dials, budget)
    anchor = anchored(candidates.anchor, round(dials.anchor * budget), draw)
    rest = budget - len(anchor)
    pool = pooled(candidates, dials, taken=anchor)
    if not rest or not pool.records:
        return anchor
    likely = likelihoods(pool.records) if dials.likely else None
    codes, weights = _weighed(pool, dials, candidates.solved)
    rank = _ranks(codes, likely, draw)
    tie = draw.permutation(len(weights))
    there = np.bincount(codes, minlength=len(weights))
    chosen = rank < quotas(weights, np.zeros_like(there), there, rest, tie)[codes]
    most = round(dials.archive * rest)
    if int(chosen[pool.fresh :].sum()) > most:
        chosen = _fewer_earlier((codes, weights, tie), rank, chosen, pool.fresh, (most, rest))
    return anchor + pool.taken(np.flatnonzero(chosen))


def once(records: Iterable[Judged], besides: Iterable[Judged] = ()) -> list[Judged]:
    """The records without exact duplicates (prompt and response), the first of each, and without those of `besides`."""
    seen = {(record.written.prompt, record.written.response) for record in besides}
    out = []
    for record in records:
        key = (record.written.prompt, record.written.response)
        if key not in seen:
            seen.add(key)
            out.append(record)
    return out


def quotas(weights: Floats, least: Ints, most: Ints, total: int, tie: Ints) -> Ints:
    """Whole shares of a total, as near to the weights as their limits allow: water-filling, then largest remainders.

    Args:
        weights: at least 0, float64 (k,); what weighs nothing gets its least.
        least: of each, int64 (k,).
        most: of each, int64 (k,).
        total: to be shared; what is above the sum of `most`, of those with weight, is left.
        tie: a permutation that says who comes first of equal remainders, int64 (k,).

    Returns:
        int64 (k,), with `least <= share <= most` and the sum as near to the total as these allow.
    """
    most = np.where(weights > 0, most, least)
    if total >= most.sum():
        return most
    if total <= least.sum():
        return least
    share = np.clip(_level(weights, least, most, total) * weights, least, most)
    whole = np.floor(np.round(share, _EQUAL)).astype(np.int64)
    remainder = np.where(whole < most, np.round(share - whole, _EQUAL), -1.0)
    order = np.lexsort((tie, -remainder))
    whole[order[: max(0, total - int(whole.sum()))]] += 1
    return whole


def _level(weights: Floats, least: Ints, most: Ints, total: int) -> float:
    """The level at which the clipped shares come to the total: exact, by the places where one meets a limit."""
    base = float(total - least.sum())
    some = weights > 0
    weights, least, most = weights[some], least[some], most[some]
    at = np.concatenate([least / weights, most / weights])
    slope = np.concatenate([weights, -weights])
    order = np.argsort(at, kind="stable")
    at, slope = at[order], np.cumsum(slope[order])
    filled = np.concatenate([[0.0], np.cumsum(slope[:-1] * np.diff(at))])
    step = min(int(np.searchsorted(filled, base, side="right")) - 1, len(at) - 1)
    return float(at[step] + (base - filled[step]) / slope[step]) if slope[step] > 0 else float(at[step])


def _check(dials: Dials, budget: int) -> None:
    for name in ("anchor", "archive", "boundary", "even", "floor"):
        value = getattr(dials, name)
        if not 0 <= value <= 1:
            raise SelectionError(message(f'the dial "{name}" is a share.', got=f"{value:g}", want="0 to 1"))
    if not np.isfinite(dials.push):
        raise SelectionError(message('the dial "push" is a power.', got=f"{dials.push}", want="a finite number"))
    if budget < 0:
        raise SelectionError(message("the budget is not right.", got=str(budget), want="a number of records"))


def anchored(anchor: Sequence[Judged], number: int, draw: np.random.Generator) -> list[Judged]:
    """So many records of the real data, without replacement; all of them where there are fewer."""
    if not number:
        return []
    there = once(anchor)
    at = np.sort(draw.permutation(len(there))[:number])
    return [taken_from(there[i], ANCHOR) for i in at.tolist()]


def taken_from(record: Judged, source: str) -> Judged:
    """The record under the source that it is taken from; real data stays real data."""
    return record if record.source in (source, ANCHOR) else replace(record, source=source)


def pooled(candidates: Candidates, dials: Dials, taken: Sequence[Judged]) -> Pool:
    """What may be taken beside what is taken already, by the dials unverified, floor and archive.

    Raises:
        SelectionError: a floor, and no record has a likelihood.
    """
    fresh = [record for record in candidates.fresh if record.passed or dials.unverified]
    fresh = _above(once(fresh, taken), dials.floor)
    earlier = once(candidates.earlier, [*taken, *fresh]) if dials.archive > 0 else []
    records = [*fresh, *earlier]
    names = sorted({record.structure for record in records})
    place = {name: i for i, name in enumerate(names)}
    codes = np.fromiter((place[record.structure] for record in records), np.int64, len(records))
    return Pool(records, len(fresh), codes, names)


def _above(records: list[Judged], floor: float) -> list[Judged]:
    """The records without the given share of them, the least likely; those of unknown likelihood stay."""
    number = round(floor * len(records))
    if not number:
        return records
    likely = likelihoods(records)
    known = np.flatnonzero(~np.isnan(likely))
    below = set(known[np.argsort(likely[known], kind="stable")[:number]].tolist())
    return [record for i, record in enumerate(records) if i not in below]


def likelihoods(records: Sequence[Judged]) -> Floats:
    """Log-likelihoods per token, NaN where not known, (n,).

    Raises:
        SelectionError: none is known.
    """
    likely = np.array([np.nan if r.likelihood is None else r.likelihood for r in records], dtype=np.float64)
    if len(likely) and np.isnan(likely).all():
        what = "the likeliest records are asked for, and the generator told no likelihood of any."
        hint = "a policy without likely and floor, such as correct, or a generator that tells likelihoods"
        raise SelectionError(message(what, got=f"{len(likely):,} records", want="likelihoods", hint=hint))
    return likely


def _weighed(pool: Pool, dials: Dials, solved: Mapping[str, tuple[int, int]]) -> tuple[Ints, Floats]:
    """Stratum of each record (n,), weight of each stratum (k,): structures, or one where they do not matter."""
    push = _complexities(pool) if dials.push else None
    if dials.even == 0 and push is None and not dials.boundary:
        return np.zeros(len(pool.records), dtype=np.int64), np.ones(1)
    weights = np.bincount(pool.codes, minlength=len(pool.names)).astype(np.float64) ** (1 - dials.even)
    if push is not None:
        weights *= (1 + push) ** dials.push
    if dials.boundary:
        p = np.array([right_share(solved.get(name)) for name in pool.names])
        weights *= 1 - dials.boundary + dials.boundary * 4 * p * (1 - p)
    return pool.codes, weights / weights.max()


def right_share(counts: tuple[int, int] | None) -> float:
    """Share of right answers to a structure, of (passed, tried): Laplace's, so that 1 of 1 is not yet always.

    What was not tried stands at one half.
    """
    passed, tried = counts or (0, 0)
    return (passed + 1) / (tried + 2)


def _complexities(pool: Pool) -> Floats | None:
    """Mean complexity of each structure's records, (k,); the median of the others where none is known; None: none at all."""
    known = np.array([np.nan if r.complexity is None else r.complexity for r in pool.records], dtype=np.float64)
    some = ~np.isnan(known)
    if not some.any():
        return None
    number = np.bincount(pool.codes[some], minlength=len(pool.names))
    total = np.bincount(pool.codes[some], known[some], minlength=len(pool.names))
    mean = total / np.maximum(number, 1)
    mean[number == 0] = np.median(mean[number > 0])
    return np.maximum(mean, 0.0)


def _ranks(codes: Ints, likely: Floats | None, draw: np.random.Generator) -> Ints:
    """Place of each record in its stratum, from 0, (n,): at random, or the likeliest first and the unknown last."""
    order = draw.permutation(len(codes))
    if likely is not None:
        order = order[np.argsort(np.where(np.isnan(likely), np.inf, -likely)[order], kind="stable")]
    return _places(codes, order)


def _places(codes: Ints, order: Ints) -> Ints:
    """For each entry how many come before it in its stratum, (n,)."""
    sorted_ = order[np.argsort(codes[order], kind="stable")]
    ordered = codes[sorted_]
    out = np.empty(len(codes), dtype=np.int64)
    out[sorted_] = np.arange(len(codes)) - np.searchsorted(ordered, ordered)
    return out


def _fewer_earlier(
    strata: tuple[Ints, Floats, Ints], rank: Ints, chosen: NDArray[np.bool_], fresh: int, limits: tuple[int, int]
) -> NDArray[np.bool_]:
    """No more earlier records than `limits[0]`: of those that were chosen, by the same weights; then fresh ones in their place."""
    codes, weights, tie = strata
    most, total = limits
    old = np.flatnonzero(chosen[fresh:]) + fresh
    there = np.bincount(codes[old], minlength=len(weights))
    held = quotas(weights, np.zeros_like(there), there, most, tie)
    chosen = np.zeros(len(codes), dtype=np.bool_)
    chosen[old] = _places(codes[old], np.argsort(rank[old], kind="stable")) < held[codes[old]]
    new = codes[:fresh]
    most_each = held + np.bincount(new, minlength=len(weights))
    more = quotas(weights, held, most_each, total, tie) - held
    chosen[:fresh] = _places(new, np.argsort(rank[:fresh], kind="stable")) < more[new]
    return chosen
