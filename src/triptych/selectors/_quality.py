"""Holding the mean quality of a selection at a target: the best that can be reached, the price of quality, exchanges.

Greedy takes the candidate of the highest log novelty + price · z, z the quality in standard deviations. The price is that
of the target: it rises with every pick below the target and falls with every pick above it (online dual descent), so that
the mean comes to the target wherever novelty alone would fall short of it. What is missing in the end, a small part of a
standard deviation, is made up by exchanging the worst.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop

import numpy as np

from triptych.core.candidates import Floats, Ints
from triptych.selectors._room import Mask, Quotas, Room

STEP, SMALL_STEP = 0.2, 0.05
"""How much the price moves for a pick one standard deviation off the target, while it is sought and once it is found."""

_SPREAD = 1e-9
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Target:
    """A mean that is to be reached.

    Attributes:
        quality: of the candidates, NaN where one has none (n,).
        mean: wanted.
        eligible: candidates that can be part of a selection that reaches it, (n,).
        centre, spread: mean and standard deviation of the open candidates.
    """

    quality: Floats
    mean: float
    eligible: Mask
    centre: float
    spread: float

    @property
    def z(self) -> Floats:
        """Quality in standard deviations, 0 where there is none, (n,)."""
        return np.nan_to_num((self.quality - self.centre) / self.spread)

    def missing(self, taken: Sequence[int]) -> float:
        """What the sum of the known qualities lacks; 0 where the mean is reached but for rounding."""
        quality = self.quality[np.array(taken, dtype=np.int64)]
        quality = quality[np.isfinite(quality)]
        lacks = float((self.mean - quality).sum())
        return lacks if lacks > _ROUNDING * max(1.0, abs(self.mean)) * len(quality) else 0.0

    def aim(self, kept: Ints, picks: int) -> float:
        """Mean z of so many picks with which, beside the must-keeps, the target is reached."""
        held = self.quality[kept][np.isfinite(self.quality[kept])]
        wanted = self.mean + float((self.mean - held).sum()) / max(picks, 1)
        return (wanted - self.centre) / self.spread


class Price:
    """The price of quality while greedy goes on: log novelty that one standard deviation is worth.

    Args:
        target: the mean wanted; None: the price stays 0.
        aim: mean z of the picks with which it is reached.
        start: the price to begin with, where a rehearsal has found it.
    """

    def __init__(self, target: Target | None, aim: float, start: float | None = None) -> None:
        self._step = STEP if start is None else SMALL_STEP
        self._target, self._aim = target, aim
        self._level = start or 0.0
        self._sum, self._count = 0.0, 0

    @property
    def now(self) -> float:
        """The price. Where the mean has been above the target it is 0 until that is used up."""
        return max(0.0, self._level)

    @property
    def late(self) -> float:
        """Its mean over the second half of the picks: about what the target costs."""
        return self._sum / self._count if self._count else self.now

    def paid(self, z: float, late: bool) -> None:
        """Learn from a pick; `late` in the second half, where smaller steps do."""
        if self._target is None:
            return
        self._level += (SMALL_STEP if late else self._step) * (self._aim - z)
        if late:
            self._sum += self.now
            self._count += 1


def best_fill(room: Room, quality: Floats) -> Ints:
    """What filling by quality alone takes, must-keeps first: the best mean that can be reached at equal cost. O(n log n)."""
    order = np.argsort(-np.nan_to_num(quality, nan=-np.inf), kind="stable")
    order = order[room.open()[order]]
    if room.quotas is None and len(room.basket.room) == 1:
        room.basket.fill(order)
    else:
        for candidate in order.tolist():
            if room.basket.spent:
                break
            if room.admits(candidate):
                room.take(candidate, np.nan)
    return np.array(room.basket.taken, dtype=np.int64)


def make_target(quality: Floats, mean: float, best: Ints, open_: Mask, quotas: Quotas | None) -> Target:
    """A target, with the candidates that can be part of a selection that reaches it.

    Of k records the sum of qualities is at most that of the best k. A record that lies below the worst of them by more
    than k times the distance of the means cannot be among k that reach the target; at the best mean only the best remain.

    Args:
        quality: (n,).
        mean: wanted.
        best: what filling by quality takes.
        open_: candidates that may be taken.
        quotas: of bins, or None.
    """
    known = quality[open_]
    centre, spread = (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
    if spread <= _SPREAD * max(1.0, float(np.abs(known).max(initial=0.0))):
        spread = 1.0
    level = float(np.nanmean(quality[best]))
    slack = len(best) * max(0.0, level - mean) + _ROUNDING * max(1.0, abs(level)) * len(best)
    bins = np.zeros(len(quality), dtype=np.int64) if quotas is None else quotas.code + 1
    worst = np.full(int(bins.max(initial=0)) + 1, np.inf)
    np.minimum.at(worst, bins[best], np.nan_to_num(quality[best], nan=np.inf))
    return Target(quality, mean, open_ & (quality >= worst[bins] - slack), centre, spread)


def fill(room: Room, target: Target | None, merit: Floats) -> None:
    """Take what still fits in the order of merit; where there is a target, what keeps it reached.

    Under a budget of tokens the last few need not be of a bin that is short of tokens: it may have no record so small.
    """
    basket = room.basket
    admits = basket.admits if room.quotas is None or room.quotas.tokens else room.admits
    order = np.argsort(-merit, kind="stable")
    order = order[basket.open()[order]]
    spare = 0.0 if target is None else -_sum_missing(target, basket.taken)
    for candidate in order.tolist():
        if basket.spent:
            return
        if not admits(candidate):
            continue
        if target is not None:
            after = spare + float(target.quality[candidate]) - target.mean
            if after < 0 and after < spare:
                continue
            spare = after
        basket.add(candidate)


def _sum_missing(target: Target, taken: Sequence[int]) -> float:
    quality = target.quality[np.array(taken, dtype=np.int64)]
    return float((target.mean - quality[np.isfinite(quality)]).sum())


def exchange(room: Room, target: Target, merit: Floats, kept: int) -> int:
    """Exchange records of low quality for open ones of higher merit and quality until the mean is reached.

    An exchange is between records of one cell and bin, and is allowed where it costs no more than what is left. In two
    rounds: by merit; then, where the target is close to the best, by quality.

    Args:
        room: as greedy left it; its list of the taken is changed in place.
        target: the mean.
        merit: what an open candidate is worth at the price of quality, (n,).
        kept: how many of the first taken are must-keeps.

    Returns:
        How many were exchanged.
    """
    missing = target.missing(room.basket.taken)
    if not missing:
        return 0
    basket, quality = room.basket, target.quality
    bins = 0 if room.quotas is None else room.quotas.code + 1
    part = bins * len(basket.room) + basket.cells
    worst: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for at, candidate in enumerate(basket.taken):
        if at >= kept:
            worst[int(part[candidate])].append((float(quality[candidate]), -at))
    for heap in worst.values():
        heapify(heap)
    free = np.setdiff1d(np.flatnonzero(target.eligible), basket.taken)
    done, used = 0, set[int]()
    for by in (merit, quality):
        for candidate in free[np.argsort(-by[free], kind="stable")].tolist():
            heap = worst[int(part[candidate])]
            if candidate in used or not heap or heap[0][0] >= quality[candidate]:
                continue
            out = basket.taken[-heap[0][1]]
            more = int(basket.cost[candidate] - basket.cost[out])
            if more > basket.left:
                continue
            was, at = heappop(heap)
            basket.taken[-at], basket.gains[-at] = candidate, float("nan")
            basket.left -= more
            basket.refuse(candidate, "exchanged")  # closes it, in the copy
            used.add(candidate)
            done += 1
            missing -= float(quality[candidate]) - was
            if missing <= 0:
                return done
    return done
