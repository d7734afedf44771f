"""Exploration: which temperatures prompts are written at, from what came of them in the rounds before.

A bandit with few arms, a grid of temperatures, all in one round, in shares that move:

1. An arm's yield is the number of new structures that passed, found by n samples as c · n^0.7 (Heaps' law: of 300, 600,
   1,200, 2,400 samples of a first model on programs, temperature 2.8 found 3, 8, 14, 25 new ones, 2.2 found 4, 10, 12, 17),
   so that an arm is not called poor because it was pulled often. How much there is to find changes from round to round, for
   all arms alike: found = a(round) · c(arm) · n^0.7, fitted by turns. Earlier rounds count less, few finds shrink c towards 1.
2. Of arms that find as much, the one whose samples pass is better: c is multiplied by its share of passed samples, beside
   the mean of all, to the power 1/4.
3. Arms find the same structures (five temperatures found 41 in a round, 23 of them different), so the most is found where
   nearly all samples are the best arm's; the shares go with c^6 as c is known with an error of a fifth or so. The neighbours
   of the best arm keep a tenth each, so that it can move.
4. Where nearly nothing is new any more, though as many new structures were found as there were at first, the arm with most
   passed records gets what its neighbours leave, and a tenth goes to the arm that was best at finding, so that it is seen when
   there is something to find again. A loop that has found little goes on looking: on rewriting a first model finds some 5 new
   structures in 2,500 samples, at 1.3 to 1.6; while that counted as nothing, the loop went back to 1 and stood still.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.looping.choosing import quotas
from triptych.looping.policy import Floats, Given, Turn

Tried: TypeAlias = Sequence[Mapping[float, Mapping[str, int]]]
"""Of each round: temperature to what came of it, see `Turn.tried`."""

GRID = (1.0, 1.3, 1.6, 2.2, 2.8, 3.4)
START, START_CUT = (5, 20, 20, 25, 25, 5), (5, 5, 15, 25, 30, 20)
"""Temperatures, and the hundredths of the samples written at each in the first round: where any token may be drawn, and where
unlikely ones are cut off (`Dials.min_p`), so that hotter prompts can still be read."""

HEAPS = 0.7
FADE = 0.6
"""Weight of what an arm found beside what it found the next time it was tried."""

PRIOR = 5.0
"""New structures, found and expected alike, that every arm begins with."""

PASSING, SHARP = 0.25, 6.0
"""Power of an arm's share of passed samples in its worth, and power of the worth in its share."""

TURNS = 50
"""Of fitting rounds and arms; ten are enough to three digits."""

LEAST = 10
"""Hundredths that the neighbours of the best arm keep, and the arm that looks for new structures when there are none."""

DROPPED = 0.05
"""An arm that would get a smaller share, and is no neighbour of the best, gets none."""

_NEARLY_NONE = 1e-6

NEW_LEAST = 1e-3
"""New structures per sample below which nothing is called new any more."""


def explore_next(
    given: Given, turns: Sequence[Turn], *, cut: bool = False
) -> tuple[tuple[tuple[float, float], ...], str]:
    """Temperature and share of the samples of the next round, and why; `cut`: whether unlikely tokens are cut off."""
    arms = tuple(arm for arm in GRID if arm <= given.hottest) or (given.hottest,)
    if not turns:
        start = np.array((START_CUT if cut else START)[: len(arms)])
        return _pairs(arms, start), "the first round: a spread over all of them, to learn what each brings"
    tried = [turn.tried for turn in turns]
    if not any(tried):
        return given.dials.explore, "prompts are given, or without a temperature: as the user gave it"
    last = next(each for each in reversed(tried) if each)
    new, samples = _sum(last, "new_structures"), _sum(last, "samples")
    index = indices(tried, arms)
    worth = index * _passing(tried, arms) ** PASSING
    best = int(np.argmax(worth))
    if new < NEW_LEAST * samples and _explored(turns):
        rate = np.array([_rate(last, arm, "passed") for arm in arms])
        most = int(np.argmax(rate))
        weights = np.where(np.arange(len(arms)) == most, 1.0, 0.0)
        said = f"{new:,} new structures in {samples:,} samples, hardly any"
        said += f": most passed at {arms[most]:g}, {rate[most]:.0%} of the samples; a tenth looks on at {arms[best]:g}"
        return _shares(arms, weights, {most - 1, most + 1, best} - {most}), said
    each = ", ".join(f"{arm:g}: {_of(last, arm, 'new_structures')} of {_of(last, arm, 'samples'):,}" for arm in arms)
    said = f"new structures by temperature {each}; over all rounds, at equal samples, {arms[best]:g} finds"
    return _shares(arms, worth**SHARP, {best - 1, best + 1}), f"{said} {index[best]:.2f} times the usual"


def _explored(turns: Sequence[Turn]) -> bool:
    """Whether as many new structures were found as were written in the first round."""
    found = sum(_sum(turn.tried, "new_structures") for turn in turns)
    return found >= len(turns[0].solved)


def _passing(tried: Tried, arms: Sequence[float]) -> Floats:
    """Share of passed samples of each arm beside that of all, over all rounds, (arms,); 1 for an arm that was not tried."""
    passed = np.array([sum(_of(turn, arm, "passed") for turn in tried) for arm in arms], dtype=np.float64)
    samples = np.array([sum(_of(turn, arm, "samples") for turn in tried) for arm in arms], dtype=np.float64)
    usual = (passed.sum() + 1) / (samples.sum() + 1)
    share: Floats = (passed + usual) / (samples + 1) / usual
    return share


def indices(tried: Tried, arms: Sequence[float] = GRID) -> Floats:
    """What each arm finds at equal samples, beside what is usual, (arms,); 1 where nothing is known."""
    found = np.array([[_of(turn, arm, "new_structures") for arm in arms] for turn in tried], dtype=np.float64)
    effort = np.array([[_of(turn, arm, "samples") for arm in arms] for turn in tried], dtype=np.float64) ** HEAPS
    pulled = (effort > 0).astype(np.float64)
    later: Floats = np.cumsum(pulled[::-1], axis=0)[::-1] - pulled
    weight = pulled * FADE**later
    index: Floats = np.ones(len(arms))
    for _ in range(TURNS):
        level = found.sum(axis=1) / np.maximum((effort * index).sum(axis=1), np.finfo(np.float64).tiny)
        expected = (weight * effort * level[:, None]).sum(axis=0)
        index = (PRIOR + (weight * found).sum(axis=0)) / (PRIOR + expected)
    return index


def _shares(arms: Sequence[float], weights: Floats, held: Collection[int]) -> tuple[tuple[float, float], ...]:
    """Weights as shares in hundredths; the arms at the places `held`, where there are such, keep a tenth each."""
    keep = np.array([place in held for place in range(len(weights))])
    weights = np.where((weights >= DROPPED * weights.sum()) | keep, weights, 0.0)
    weights = np.where(keep, np.maximum(weights, _NEARLY_NONE * weights.max()), weights)
    least = np.where(keep, LEAST, 0)
    return _pairs(arms, quotas(weights, least, np.full(len(weights), 100), 100, np.arange(len(weights))))


def _pairs(arms: Sequence[float], parts: NDArray[np.int64]) -> tuple[tuple[float, float], ...]:
    return tuple((arm, int(part) / int(parts.sum())) for arm, part in zip(arms, parts, strict=True) if part)


def _of(tried: Mapping[float, Mapping[str, int]], arm: float, name: str) -> int:
    return tried.get(arm, {}).get(name, 0)


def _sum(tried: Mapping[float, Mapping[str, int]], name: str) -> int:
    return sum(one.get(name, 0) for one in tried.values())


def _rate(tried: Mapping[float, Mapping[str, int]], arm: float, name: str) -> float:
    """Records of this kind per sample; an arm that was not tried has none."""
    return _of(tried, arm, name) / max(1, _of(tried, arm, "samples"))
