"""The plots of a comparison as plain geometry: forest, love plot, ranks. `comparison_plots.html.jinja` draws them.

Places are hundredths of the width, rounded to a tenth, so that equal documents give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from triptych.report.comparison_records import Balanced, Ranking, Result
from triptych.report.scales import Scale, rounded, ticks
from triptych.report.study_plots import Places
from triptych.report.words import short_number

PAD = 3.0
"""Space kept free at both ends of a mark, in hundredths of its width."""
STRAIGHT = 6.0
"""Differences up to so many margins are drawn on an even axis; beyond, it is logarithmic outside the margin."""
FARTHEST = 10_000.0
"""No axis reaches farther, in margins: what lies beyond is cut and marked."""
BALANCED = 0.1
"""A standardized mean difference under this is held to be balanced (Austin 2009)."""


@dataclass(frozen=True)
class ForestScale:
    """An axis in margins with zero in the middle. `bent`: logarithmic outside the margin."""

    reach: float
    bent: bool

    def at(self, value: float) -> float:
        """Place of a number of margins, in hundredths."""
        inside = min(self.reach, max(-self.reach, value))
        share = _bent(inside) / _bent(self.reach) if self.bent else inside / self.reach
        return hundredths((share + 1) / 2)


@dataclass(frozen=True)
class ForestMark:
    """A difference on the axis; `cut` tells which ends of its interval lie beyond it."""

    x: float
    lo: float | None
    hi: float | None
    cut: tuple[bool, bool]


@dataclass(frozen=True)
class LoveMark:
    """A standardized mean difference before and after matching; `cut` tells which of the two lies beyond the axis."""

    before: float | None
    after: float | None


@dataclass(frozen=True)
class LovePlot:
    """The balance of one view on one axis."""

    marks: tuple[LoveMark, ...]
    ticks: Places
    zero: float
    band: tuple[float, float]


@dataclass(frozen=True)
class RankMark:
    """A rank with what its interval leaves possible."""

    x: float
    lo: float
    hi: float


def hundredths(at: float) -> float:
    """A place in 0..1 as hundredths of the width, with space at both ends."""
    return round(PAD + (100 - 2 * PAD) * at, 1)


def _bent(value: float) -> float:
    """Even up to one margin, a margin's width for each factor of e beyond."""
    return value if abs(value) <= 1 else math.copysign(1 + math.log(abs(value)), value)


def margins(item: Result) -> tuple[float, float | None, float | None] | None:
    """A difference and its ends in margins, turned so that the right is in favour of the first set; None without both."""
    if item.diff is None or item.margin is None:
        return None
    sign = -1 if item.better == "lower" else 1
    # A plain minus would give a negative nought.
    value, *ends = (None if each is None else each * sign / item.margin + 0.0 for each in (item.diff, item.lo, item.hi))
    lo, hi = ends if sign > 0 else ends[::-1]
    return value or 0.0, lo, hi


def forest_scale(results: Sequence[Result]) -> ForestScale:
    """One axis for differences that are read together."""
    found = [each for item in results if (each := margins(item)) is not None]
    ends = [abs(end) for each in found for end in each if end is not None]
    reach = min(FARTHEST, max(ends, default=1.0) * 1.02)
    return ForestScale(max(reach, 2.0), bent=reach > STRAIGHT)


def forest_mark(item: Result, scale: ForestScale) -> ForestMark | None:
    """Where a difference stands; None where it has no margin or no number."""
    found = margins(item)
    if found is None:
        return None
    value, lo, hi = found
    if lo is None or hi is None:
        return ForestMark(scale.at(value), None, None, (False, False))
    return ForestMark(scale.at(value), scale.at(lo), scale.at(hi), (lo < -scale.reach, hi > scale.reach))


def forest_ticks(scale: ForestScale) -> Places:
    """Round numbers of margins under the axis."""
    if not scale.bent:
        step = 1.0 if scale.reach <= 3 else 2.0
        sides = [step * at for at in range(1, int(scale.reach / step) + 1)]
    else:
        leads = (1, 2, 5) if scale.reach < 10 else (1, 3) if scale.reach < 100 else (1,)
        sides = [lead * 10.0**power for power in range(5) for lead in leads if lead * 10**power <= scale.reach]
    places = [-side for side in reversed(sides)] + [0.0] + sides
    return tuple((scale.at(place), short_number(place)) for place in places)


def love_plot(found: Sequence[Balanced]) -> LovePlot:
    """Every variable's balance before and after."""
    ends = [abs(end) for item in found for end in (item.before, item.after) if end is not None]
    reach = max([2 * BALANCED, *ends])
    scale = rounded(-reach, reach, 6)
    marks = tuple(LoveMark(_on(scale, item.before), _on(scale, item.after)) for item in found)
    return LovePlot(
        marks=marks,
        ticks=tuple((hundredths(tick.at), tick.label) for tick in ticks(scale, 5)),
        zero=hundredths(scale.at(0.0)),
        band=(hundredths(scale.at(-BALANCED)), hundredths(scale.at(BALANCED))),
    )


def _on(scale: Scale, value: float | None) -> float | None:
    return None if value is None else hundredths(scale.at(value))


def rank_marks(found: Ranking) -> list[RankMark]:
    """The rank of every set, in their order."""
    scale = Scale(1.0, float(max(2, len(found.places))))
    out = []
    for place in found.places:
        lo, hi = (place.rank if end is None else end for end in (place.rank_lo, place.rank_hi))
        out.append(RankMark(*(hundredths(scale.at(float(each))) for each in (place.rank, min(lo, hi), max(lo, hi)))))
    return out


def rank_ticks(found: Ranking) -> Places:
    """Every rank, or every second or fifth of many."""
    size = max(2, len(found.places))
    step = 1 if size <= 10 else 5
    scale = Scale(1.0, float(size))
    return tuple((hundredths(scale.at(float(at))), str(at)) for at in range(1, size + 1) if at == 1 or at % step == 0)
