"""The front of a frontier and what can be said of it: order, letters, who dominates whom, what the intervals leave open."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triptych.report.frontier_records import Axis, Frontier, Spot
from triptych.report.study_records import Reading
from triptych.report.words import decimals, letter, number, span

NO_AXIS = Axis("", "diversity", "Diversity", "", independent=None)
UP, DOWN, UNKNOWN, NO_INTERVAL = "up", "down", "cannot tell", "no interval"


@dataclass(frozen=True)
class Standing:
    """How one policy stands against the others: `over` are the policies of which it dominates every point.

    `clear` are those of them where, for every point, some dominating point lies beyond it on one axis, intervals included.
    """

    policy: str
    on_front: int
    front: int
    others: int
    over: tuple[str, ...]
    clear: tuple[str, ...]


def main_judge(found: Frontier) -> Axis:
    """The judge on the x axis."""
    return found.judges[0] if found.judges else NO_AXIS


def reading(spot: Spot, judge: Axis) -> Reading:
    """What a judge read on a point; an empty reading where it read nothing."""
    return spot.diversity.get(judge.key, Reading())


def judged(found: Frontier, judge: Axis) -> list[Spot]:
    """The points that have both numbers."""
    return [
        spot
        for spot in found.spots
        if not spot.undefined and spot.quality.value is not None and reading(spot, judge).value is not None
    ]


def front(found: Frontier, judge: Axis) -> list[Spot]:
    """The points of the front, from highest quality to most diverse."""
    spots = judged(found, judge)
    ids = set(found.front.get(judge.key, ()))
    if not ids:
        ids = {spot.id for spot in spots if spot.dominated_by.get(judge.key) == frozenset()}
    best = [spot for spot in spots if spot.id in ids]
    return sorted(best, key=lambda s: (-(s.quality.value or 0.0), reading(s, judge).value or 0.0, s.place))


def letters(found: Frontier) -> dict[str, str]:
    """Id to letter for the points of the main front, A for the highest quality."""
    return {spot.id: letter(at) for at, spot in enumerate(front(found, main_judge(found)))}


def by_id(found: Frontier) -> dict[str, Spot]:
    """The points by id; the first of equal ids."""
    out: dict[str, Spot] = {}
    for spot in found.spots:
        out.setdefault(spot.id, spot)
    return out


def compare(first: Reading, second: Reading) -> str:
    """Whether the second lies above the first, below it, or the interval of their difference holds zero.

    The interval of a difference from two intervals is that of Zou & Donner 2008 (MOVER), as in the document's own verdicts.

    >>> compare(Reading(1, 0.9, 1.1), Reading(2, 1.8, 2.2)), compare(Reading(1, 0.9, 1.1), Reading(1.1, 1.0, 1.2))
    ('up', 'cannot tell')
    """
    a, b = second, first
    if a.value is None or b.value is None or a.lo is None or b.lo is None or a.hi is None or b.hi is None:
        return NO_INTERVAL
    gap = a.value - b.value
    if gap - math.hypot(a.value - a.lo, b.hi - b.value) > 0:
        return UP
    return DOWN if gap + math.hypot(a.hi - a.value, b.value - b.lo) < 0 else UNKNOWN


def policies(found: Frontier, judge: Axis) -> list[str]:
    """The policies that have points, those with more points on the front first, then as they come."""
    best = [spot.policy for spot in front(found, judge)]
    names = list(dict.fromkeys(spot.policy for spot in judged(found, judge)))
    return sorted(names, key=lambda name: -best.count(name))


def standing(found: Frontier, judge: Axis) -> Standing | None:
    """How the policy with most points on the front stands; None where there is no front."""
    best = front(found, judge)
    if not best:
        return None
    volumes = {name: value.value or 0.0 for name, value in found.volumes.get(judge.key, ())}
    names = policies(found, judge)
    counts = {name: sum(spot.policy == name for spot in best) for name in names}
    leader = max(names, key=lambda name: (counts[name], volumes.get(name, 0.0), -names.index(name)))
    spots = judged(found, judge)
    own = {spot.id: spot for spot in spots if spot.policy == leader}
    over, clear = [], []
    for name in names:
        theirs = [spot for spot in spots if spot.policy == name]
        if name == leader:
            continue
        better = [
            [own[each] for each in sorted(spot.dominated_by.get(judge.key, frozenset())) if each in own]
            for spot in theirs
        ]
        if all(better):
            over.append(name)
            if all(clearly(spot, each, judge) for spot, each in zip(theirs, better, strict=True)):
                clear.append(name)
    return Standing(leader, counts[leader], len(best), len(names) - 1, tuple(over), tuple(clear))


def clearly(spot: Spot, better: Iterable[Spot], judge: Axis) -> bool:
    """Whether one of the points that dominate a point does so beyond the intervals on one axis."""
    if spot.clearly is not None:
        return any(other.id in spot.clearly.get(judge.key, frozenset()) for other in better)
    return any(
        UP in (compare(spot.quality, other.quality), compare(reading(spot, judge), reading(other, judge)))
        for other in better
    )


def places(readings: Iterable[Reading], unit: str) -> int:
    """The decimals that one axis shares: those of its sharpest interval, four at most."""
    found = [0]
    for each in readings:
        if each.value is not None:
            half = (each.hi - each.lo) / 2 if each.hi is not None and each.lo is not None else None
            found.append(decimals(each.value, half, unit))
    return min(4, max(found))


def shown(found: Reading, digits: int) -> str:
    """A value with its interval; a dash where there is none."""
    if found.value is None:
        return "–"
    ends = "" if found.lo is None or found.hi is None else f" ({span(found.lo, found.hi, digits)})"
    return number(found.value, digits) + ends


def mean(spots: Sequence[Spot], judge: Axis) -> tuple[float, float] | None:
    """Mean quality and diversity of several draws."""
    pairs = [
        (spot.quality.value, value)
        for spot in spots
        if spot.quality.value is not None and (value := reading(spot, judge).value) is not None
    ]
    return (sum(q for q, _ in pairs) / len(pairs), sum(d for _, d in pairs) / len(pairs)) if pairs else None
