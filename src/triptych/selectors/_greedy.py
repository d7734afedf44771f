"""Greedy over a value that falls by squares: exact by shortlists and blocks, or stochastic for large pools.

Each open candidate x has a value, and taking a candidate lowers every value by (x·w)², w a direction (d,) that follows
from what was taken (`Form`). The log-determinant and the sum of squared cosines are both of this kind. Two ways:

* `take_exactly`: the greedy rule itself. Plain, it is one pass over all n vectors for each of k picks. Values only fall,
  so a short list of the highest needs attention until one of the rest could be as high; then the directions of all picks
  since are applied to all candidates in one matrix product. Same picks, O(n d k) at the speed of a matrix product instead
  of a pass over memory. Values are float64: drift is of the order 1e-13 and decides nothing.
* `take_by_samples`: stochastic greedy (Mirzasoleiman et al. 2015, arXiv 1409.7938): each pick is the best of
  ceil(n/k · log(1/δ)) open candidates drawn anew, δ = 0.05: about 3 n evaluations at d² each, whatever k. For a
  monotone submodular objective and k picks at equal cost the expected value is at least 1 - 1/e - δ of the best.

Both run on one thread of linear algebra: two threads split sums elsewhere, and the results must not depend on that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, Candidates, first_best
from triptych.core.rng import stream
from triptych.core.selector import Setting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Vectors = NDArray[np.float32]

AFFORDABLE = 4e11
"""Multiplications (n d k) up to which greedy is exact: half a minute on one core."""
DELTA = 0.05
"""What stochastic greedy gives up of the bound."""

_SHORT, _LONG = 256, 16_384  # sizes of the short list: it doubles where ties or closeness end it early
_KNOWN = 2_048  # size of the short list where scores are known
_BLOCK = 128  # picks at most between two passes over all candidates
_FEW = 8  # picks in a block below which the short list was too short
_ROWS = 8_192  # vectors widened to float64 at once
_DRAWS = 64  # picks whose draws are made at once
_STALE = 32  # drawn candidates found closed since the open ones were last listed


class Form(Protocol):
    """What was taken, as a quadratic form on vectors."""

    def of(self, rows: Floats) -> Floats:
        """Values of these vectors (m, d) beside what was taken, (m,)."""
        ...

    def take(self, row: Floats) -> Floats:
        """Take a vector (d,). Returns w (d,): the value of every x has fallen by (x·w)²."""
        ...


@dataclass(frozen=True)
class Race:
    """One greedy selection.

    Attributes:
        vectors: of all candidates, float32 (n, d).
        form: what was taken; `take_exactly` and `take_by_samples` take the must-keeps and the picks.
        score: what the pick has most of, from values (m,) and the candidates' positions (m,): no lower for a higher value.
            -inf: not to be taken here.
        took: called with each pick (no must-keep) and its value before it was taken; returns its gain for the basket.
        steady: whether a score depends on the value and the candidate alone; otherwise it may depend on what was taken.
        label: names the stream of draws.
    """

    vectors: Vectors
    form: Form
    score: Callable[[Floats, Ints], Floats]
    took: Callable[[int, float], float]
    steady: bool = True
    label: str = "greedy"


def take(race: Race, basket: Basket, setting: Setting) -> tuple[Floats, bool]:
    """Fill the basket, exactly where n d k is affordable, else by samples.

    Returns:
        The value of each candidate at the end, float64 (n,); whether greedy was exact.
    """
    n, width = race.vectors.shape
    exact = float(n) * width * picks_left(basket) <= AFFORDABLE
    way = take_exactly if exact else take_by_samples
    return way(race, basket, setting), exact


def take_exactly(race: Race, basket: Basket, setting: Setting) -> Floats:
    """Take the open candidate with the highest score, of equal ones (`TOLERANCE`) the first, until none is open.

    O(n d k) time; 8 n bytes and a short list of at most 16,384 vectors in float64 beside the vectors.

    Returns:
        The value of each candidate at the end, float64 (n,).
    """
    with threadpool_limits(1):
        for candidate in basket.taken:
            race.form.take(race.vectors[candidate].astype(np.float64))
        values = _values(race)
        every, size = np.arange(len(values)), _SHORT
        while True:
            scores = np.where(basket.open(), race.score(values, every), -np.inf)
            best = first_best(scores)
            if best < 0:
                return values
            short = _highest(scores, best, size)
            directions = _sprint(race, basket, (values, scores), (short, best))
            for rows, at in _blocks(race.vectors):
                values[at] -= np.square(rows @ directions.T).sum(axis=1)
            setting.told(len(directions))
            if len(directions) < _FEW:
                size = min(2 * size, _LONG)


def _highest(scores: Floats, best: int, size: int) -> Ints:
    """Positions of the `size` highest scores and of `best`, ascending; without those that are -inf."""
    found: Ints = np.arange(len(scores))
    if size < len(scores):
        found = np.union1d(np.argpartition(scores, -size)[-size:], [best])
    return found[scores[found] > -np.inf]


def _sprint(race: Race, basket: Basket, now: tuple[Floats, Floats], among: tuple[Ints, int]) -> Floats:
    """Take from a short list, `best` first, for as long as its best is surely the best of all.

    Returns:
        The directions of the picks, (picks, d).
    """
    values, scores = now
    short, best = among
    others = np.ones(len(scores), dtype=np.bool_)
    others[short] = False
    rest = np.flatnonzero(others & (scores > -np.inf))
    bound = float(scores[rest].max(initial=-np.inf))
    rows, values_of_rest = race.vectors[short].astype(np.float64), values[rest]
    left, alive = values[short], np.ones(len(short), dtype=np.bool_)
    directions: list[Floats] = []
    at = int(np.searchsorted(short, best))
    while at >= 0 and len(directions) < _BLOCK:
        alive[at] = False
        candidate = int(short[at])
        if basket.admits(candidate):
            gain = race.took(candidate, float(left[at]))
            basket.add(candidate, gain)
            directions.append(race.form.take(rows[at]))
            left -= np.square(rows @ directions[-1])
            if not race.steady and len(rest):
                bound = float(race.score(values_of_rest, rest).max())
        at = _clear_best(race.score(left, short), alive, bound)
    return np.array(directions)


def _clear_best(scores: Floats, alive: NDArray[np.bool_], bound: float) -> int:
    """Position of the best that is alive, the first of equals; -1: there is none, or one outside may be as good."""
    at = first_best(scores, alive)
    if at < 0 or bound == -np.inf:
        return at
    top = float(scores[alive].max())
    return at if bound < top - TOLERANCE * max(abs(top), TOLERANCE) else -1


def take_known(
    score: Callable[[Ints | slice], Floats], took: Callable[[int], None], basket: Basket, setting: Setting
) -> None:
    """Greedy where the score of every candidate is known at any time, and only falls.

    A short list saves the search through all candidates for each pick.

    Args:
        score: of the candidates at these positions, now.
        took: called with each pick after it was added.
        basket: filled until it admits none.
        setting: for the progress.
    """
    while True:
        scores = np.where(basket.open(), score(slice(None)), -np.inf)
        best = first_best(scores)
        if best < 0:
            return
        short = _highest(scores, best, _KNOWN)
        others = np.ones(len(scores), dtype=np.bool_)
        others[short] = False
        bound = float(scores[others].max(initial=-np.inf))
        alive, held = np.ones(len(short), dtype=np.bool_), len(basket)
        at = int(np.searchsorted(short, best))
        while at >= 0:
            alive[at] = False
            candidate = int(short[at])
            if basket.admits(candidate):
                basket.add(candidate, float(score(short[at : at + 1])[0]))
                took(candidate)
            at = _clear_best(score(short), alive, bound)
        setting.told(len(basket) - held)


def take_by_samples(race: Race, basket: Basket, setting: Setting) -> Floats:
    """Take the best of a few open candidates that are drawn anew for each pick, until none is open.

    O(n log(1/δ) d²) time for all picks together, and n d² for the values at the end.

    Returns:
        The value of each candidate at the end, float64 (n,).
    """
    draw = stream("select", race.label, "stochastic", setting.seed)
    with threadpool_limits(1):
        for candidate in basket.taken:
            race.form.take(race.vectors[candidate].astype(np.float64))
        picks = picks_left(basket)
        left = _takeable(race, basket)
        while len(left):
            size = min(len(left), sample_size(len(left), picks))
            closed = np.zeros(len(race.vectors), dtype=np.bool_)
            held, stale, fresh = len(basket), 0, len(left) // 10
            while stale < _STALE and len(basket) - held <= fresh:
                for drawn in draw.integers(len(left), size=(_DRAWS, size + size // 8 + 1)):
                    among = left[drawn]
                    among = np.unique(among[~closed[among]][:size])
                    if len(among):
                        stale += _take_best(race, basket, among, closed)
                    else:
                        stale += 1
                    if stale >= _STALE or len(basket) - held > fresh:
                        break
            setting.told(len(basket) - held)
            picks = max(1, picks - (len(basket) - held))
            left = _takeable(race, basket)
        return _values(race)


def _take_best(race: Race, basket: Basket, among: Ints, closed: NDArray[np.bool_]) -> int:
    """Take the best of these that the basket admits. Returns how many it did not admit."""
    rows = race.vectors[among].astype(np.float64)
    values = race.form.of(rows)
    scores = race.score(values, among)
    refused = 0
    while (at := first_best(scores)) >= 0:
        candidate = int(among[at])
        closed[candidate] = True
        if basket.admits(candidate):
            basket.add(candidate, race.took(candidate, float(values[at])))
            race.form.take(rows[at])
            return refused
        scores[at] = -np.inf
        refused += 1
    return refused


def _takeable(race: Race, basket: Basket) -> Ints:
    """Open candidates whose score is not -inf."""
    open_ = np.flatnonzero(basket.open())
    return open_[race.score(np.zeros(len(open_)), open_) > -np.inf]


def sample_size(n: int, picks: int) -> int:
    """Candidates that stochastic greedy draws for each of so many picks among n."""
    return max(1, math.ceil(n / max(picks, 1) * math.log(1 / DELTA)))


def _values(race: Race) -> Floats:
    values = np.empty(len(race.vectors))
    for rows, at in _blocks(race.vectors):
        values[at] = race.form.of(rows)
    return values


def _blocks(vectors: Vectors) -> Iterator[tuple[Floats, slice]]:
    for start in range(0, len(vectors), _ROWS):
        at = slice(start, start + _ROWS)
        yield vectors[at].astype(np.float64), at


def picks_left(basket: Basket) -> int:
    """About how many candidates the basket still takes: what is left of the budget over the mean cost of the open ones."""
    open_ = basket.open()
    number = int(np.count_nonzero(open_))
    if not number:
        return 1
    return max(1, min(number, int(basket.left / basket.cost[open_].mean()), int(basket.room.sum())))


def quality_ranks(pool: Candidates) -> Floats:
    """Quality on a scale that any score can be put on: the share of candidates that are worse, and half of the equal ones.

    Between 0 and 1, mean 1/2; outliers squeeze nothing. NaN where a candidate has no quality; 1/2 for all where the pool
    has none.
    """
    if pool.quality is None:
        return np.full(len(pool), 0.5)
    known = np.isfinite(pool.quality)
    ranks = np.full(len(pool), np.nan)
    _, place, counts = np.unique(pool.quality[known], return_inverse=True, return_counts=True)
    ranks[known] = ((np.cumsum(counts) - counts / 2) / max(int(known.sum()), 1))[place.reshape(-1)]
    return ranks


def bound_facts(basket: Basket, exact: bool, left: int) -> dict[str, Any]:
    """What greedy promises for a monotone submodular objective, for `Choice.facts`.

    Args:
        basket: as it was filled.
        exact: whether greedy was exact.
        left: what was left of the budget beside the must-keeps.
    """
    facts: dict[str, Any] = {"greedy": "exact" if exact else "stochastic"}
    if not exact:
        facts["delta"] = DELTA
    if int(basket.cost.max(initial=1)) != int(basket.cost.min(initial=basket.cost.max(initial=1))):
        return facts | {"bound": None, "bound_reason": "costs differ: greedy by gain has no constant bound"}
    if len(basket.room) > 1 and bool((basket.room == 0).any()) and left:
        if exact:
            return facts | {"bound": 0.5, "bound_reason": "groups were full: greedy under a partition matroid"}
        return facts | {"bound": None, "bound_reason": "groups were full: stochastic greedy has no bound there"}
    return facts | {
        "bound": round(1 - math.exp(-1) - (0.0 if exact else DELTA), 4),
        "bound_reason": "share of the best",
    }


def scores_of(basket: Basket, last: Floats) -> Floats:
    """Gains as scores: of the picks when they were taken, of the others at the end; NaN for must-keeps."""
    scores = last.copy()
    scores[basket.taken] = basket.gains
    return scores
