"""Greedy by novelty and the price of quality, on trial: nothing is taken from the basket that the policy was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from triptych.core.candidates import TOLERANCE, Candidates, Floats, Ints
from triptych.core.rng import stream
from triptych.selectors._greedy import sample_size
from triptych.selectors._novelty import Asked, Kept, Novelty
from triptych.selectors._quality import Price, Target
from triptych.selectors._room import Mask, Room

_TOLD = 64
_DRAWS = 16  # picks whose draws are made at once
_STALE = 32  # draws without an open candidate since the open ones were last listed
_TIER = 2  # times the picks that are left: how many of the best half of every draw comes from
_FRESH = 20  # the open ones are listed anew after so many parts of the picks that are left


@dataclass(frozen=True)
class Trial:
    """One greedy selection.

    Attributes:
        pool: the candidates.
        target: mean quality that is to be reached, or None.
        eligible: candidates that may be part of it, (n,).
        picks: about how many will be taken beside the must-keeps.
        told: called with the number taken since the last call.
    """

    pool: Candidates
    target: Target | None
    eligible: Mask
    picks: int
    told: Callable[[int], None]

    @property
    def z(self) -> Floats:
        """Quality in standard deviations where there is a target, else 0, (n,)."""
        return self.target.z if self.target else np.zeros(len(self.pool))


def take_exactly(trial: Trial, room: Room, price: Price) -> Novelty:
    """Take the open candidate of the highest log novelty + price · z, of equal ones (`TOLERANCE`) the first.

    O(n d) for each pick.

    Returns:
        Novelty beside all that was taken.
    """
    novelty = Kept(trial.pool)
    for candidate in room.basket.taken:
        novelty.take(candidate)
    z, cost = trial.z, room.basket.cost
    varied = int(cost.max(initial=1)) != int(cost.min(initial=1))
    open_ = room.open() & trial.eligible
    done = 0
    while open_.any():
        new = novelty.all()
        score = np.where(open_, new + price.now * z, -np.inf)
        best = int(np.argmax(score >= score.max() - TOLERANCE))
        closes = room.take(best, float(np.exp(new[best])))
        novelty.take(best)
        done += 1
        price.paid(float(z[best]), 2 * done > trial.picks)
        open_[best] = False
        if closes or varied or room.basket.left < cost[best]:
            open_ = room.open() & trial.eligible
        if done % _TOLD == 0:
            trial.told(_TOLD)
    trial.told(done % _TOLD)
    return novelty


def take_by_samples(trial: Trial, room: Room, price: Price, seed: int) -> Novelty:
    """As `take_exactly`, but each pick is the best of a few open candidates drawn anew (stochastic greedy).

    Mirzasoleiman et al. 2015 (arXiv 1409.7938): n/k · log(1/δ) of them, δ = 0.05. Where there is a target, half of them are
    drawn from the best in quality, twice as many as are still to be taken, so that a high price finds what it asks for.
    O(n log(1/δ) d²) for all picks together.

    Returns:
        Novelty beside all that was taken.
    """
    novelty = Asked(trial.pool, seed)
    for candidate in room.basket.taken:
        novelty.take(candidate)
    z, left = trial.z, trial.picks
    draw = stream("select", "balanced", seed)
    done = 0
    while len(open_ := np.flatnonzero(room.open() & trial.eligible)):
        tier = _best(open_, z, _TIER * max(left, 1)) if trial.target else open_[:0]
        size = min(len(open_), sample_size(len(open_), left))
        closed = np.zeros(len(trial.pool), dtype=np.bool_)
        stale, fresh = 0, max(_TOLD, left // _FRESH)
        held = done
        while stale < _STALE and done - held < fresh:
            for drawn in draw.random((_DRAWS, size)):
                half = size // 2 if len(tier) else 0
                best_half, others = drawn[:half], drawn[half:]
                among = np.concatenate([tier[_places(best_half, len(tier))], open_[_places(others, len(open_))]])
                among = np.unique(among[~closed[among]])
                best = _take_best(room, novelty, (among, price.now * z[among]), closed)
                if best < 0:
                    stale += 1
                else:
                    done += 1
                    price.paid(float(z[best]), 2 * done > trial.picks)
        trial.told(done - held)
        left = max(1, trial.picks - done)
    return novelty


def _take_best(room: Room, novelty: Novelty, among: tuple[Ints, Floats], closed: Mask) -> int:
    """Take the best of these that may be taken; -1: none may. Closes what it finds closed."""
    candidates, worth = among
    if not len(candidates):
        return -1
    new = novelty.of(candidates)
    score = new + worth
    while (top := float(score.max())) > -np.inf:
        at = int(np.argmax(score >= top - TOLERANCE))
        candidate = int(candidates[at])
        closed[candidate] = True
        if room.admits(candidate):
            room.take(candidate, float(np.exp(new[at])))
            novelty.take(candidate)
            return candidate
        score[at] = -np.inf
    return -1


def _places(drawn: Floats, n: int) -> Ints:
    """Numbers in [0, 1) as places among n."""
    return (drawn * n).astype(np.int64)


def _best(open_: Ints, z: Floats, number: int) -> Ints:
    """The highest in quality of these, ascending."""
    if number >= len(open_):
        return open_
    return np.sort(open_[np.argpartition(-z[open_], number)[:number]])
