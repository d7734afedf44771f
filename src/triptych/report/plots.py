"""The three plots as plain geometry: interval mark, size curve, histogram. `plots.html.jinja` draws them as SVG.

Geometry is in the units of the drawing's view box, rounded to a tenth, so that equal documents give equal bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from triptych.report.model import Estimate, Histogram, Point
from triptych.report.scales import Scale, Tick, log_ticks, rounded, ticks, value_scale

MARK_PAD = 4.0
"""Space kept free at both ends of an interval plot, in hundredths of its width."""
CURVE_WIDTH, CURVE_HEIGHT = 420.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 34.0, 12.0, 40.0
BAND = 2.0
"""Half-width of the band around a size curve, in standard errors."""
TAIL = 0.005
"""Share of records that a histogram may leave beyond its right end; their number is printed."""
RIDGE_WIDTH, RIDGE_HEIGHT = 300.0, 36.0


@dataclass(frozen=True)
class Mark:
    """A value with its interval on a shared scale, in hundredths of the width."""

    x: float
    lo: float | None
    hi: float | None


@dataclass(frozen=True)
class CurveLine:
    """The size curve of one set."""

    which: int
    path: str
    band: str
    dots: tuple[tuple[float, float], ...]
    end: tuple[float, float]
    label_y: float


@dataclass(frozen=True)
class CurvePlot:
    """Size curves of several sets on common axes; view box 420 by 230."""

    lines: tuple[CurveLine, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    common_n: float | None
    common_x: float


@dataclass(frozen=True)
class Ridge:
    """The histogram of one set; view box 300 by 36, scaled to its own highest bar."""

    which: int
    path: str
    beyond: float
    missing: float


@dataclass(frozen=True)
class RidgePlot:
    """Histograms of several sets over one common range."""

    title: str
    unit: str
    ridges: tuple[Ridge, ...]
    ticks: tuple[Tick, ...]


def mark_scale(estimates: Sequence[Estimate]) -> Scale:
    """One scale for the estimates of one measure in all sets."""
    ends = [end for item in estimates for end in (item.value, item.lo, item.hi) if end is not None]
    drawn = [item for item in estimates if item.value is not None]
    return value_scale(ends, drawn[0].unit if drawn else "", alone=len(drawn) == 1)


def mark(estimate: Estimate, scale: Scale) -> Mark | None:
    """Where an estimate stands on `scale`; None where it is undefined."""
    if estimate.value is None:
        return None

    def place(value: float) -> float:
        return round(MARK_PAD + (100 - 2 * MARK_PAD) * scale.at(value), 1)

    if estimate.lo is None or estimate.hi is None:
        return Mark(place(estimate.value), None, None)
    return Mark(place(estimate.value), place(estimate.lo), place(estimate.hi))


def curve_plot(curves: Sequence[tuple[int, Sequence[Point]]]) -> CurvePlot | None:
    """Size curves on common axes: log n across, value up. None when no curve has two points."""
    drawn = [(which, points) for which, points in curves if len({point.n for point in points}) > 1]
    if not drawn:
        return None
    every = [point for _, points in drawn for point in points]
    across = Scale(min(point.n for point in every), max(point.n for point in every), log=True)
    low = min(point.value - BAND * point.se for point in every)
    high = max(point.value + BAND * point.se for point in every)
    least = min(point.value for point in every)
    low = 0.0 if least >= 0 and (low < 0 or low <= 0.7 * high) else low
    up = rounded(low, high)
    lines = [_curve_line(which, points, across, up) for which, points in drawn]
    ends = [points[-1].n for _, points in drawn]
    common = min(ends) if max(ends) > 1.02 * min(ends) else None
    return CurvePlot(
        lines=_dodged(lines),
        x_ticks=tuple((_x(tick.at), tick.label) for tick in log_ticks(across)),
        y_ticks=tuple((_y(tick.at), tick.label) for tick in ticks(up)),
        common_n=common,
        common_x=_x(across.at(common)) if common is not None else 0.0,
    )


def ridge_plot(histograms: Sequence[tuple[int, Histogram]]) -> RidgePlot | None:
    """Histograms one under the other on a common range, cut where at most `TAIL` of each set lies beyond."""
    filled = [(which, item) for which, item in histograms if sum(item.counts) > 0]
    if not filled:
        return None
    right = max(_tail(item) for _, item in filled)
    left = min(item.edges[0] for _, item in filled)
    scale = Scale(left, right)
    return RidgePlot(
        title=filled[0][1].title,
        unit=filled[0][1].unit,
        ridges=tuple(_ridge(which, item, scale) for which, item in filled),
        ticks=tuple(ticks(scale, 5)),
    )


def _x(at: float) -> float:
    return round(LEFT + (CURVE_WIDTH - LEFT - RIGHT) * at, 1)


def _y(at: float) -> float:
    return round(TOP + (CURVE_HEIGHT - TOP - BOTTOM) * (1 - at), 1)


def _curve_line(which: int, points: Sequence[Point], across: Scale, up: Scale) -> CurveLine:
    dots = tuple((_x(across.at(point.n)), _y(up.at(point.value))) for point in points)
    upper = [(x, _y(up.at(point.value + BAND * point.se))) for (x, _), point in zip(dots, points, strict=True)]
    lower = [(x, _y(up.at(point.value - BAND * point.se))) for (x, _), point in zip(dots, points, strict=True)]
    return CurveLine(which, _path(dots), _path([*upper, *reversed(lower)]) + "Z", dots, dots[-1], dots[-1][1])


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _dodged(lines: Sequence[CurveLine], gap: float = 16.0) -> tuple[CurveLine, ...]:
    """Spread the labels at the ends of the lines so that none covers another, inside the drawing where they fit."""
    places = spread([item.end[1] for item in lines], gap, TOP, CURVE_HEIGHT - BOTTOM)
    return tuple(
        CurveLine(item.which, item.path, item.band, item.dots, item.end, place)
        for item, place in zip(lines, places, strict=True)
    )


def spread(wanted: Sequence[float], gap: float, top: float, floor: float) -> list[float]:
    """Places near the wanted ones, `gap` apart, above `floor`; closer together where they would not fit below `top`.

    >>> spread([50.0, 52.0, 10.0], 16.0, 0.0, 60.0)
    [44.0, 60.0, 10.0]
    """
    order = sorted(range(len(wanted)), key=lambda at: (wanted[at], at))
    places = [wanted[at] for at in order]
    gap = min(gap, (floor - top) / max(1, len(wanted) - 1))
    for at in range(1, len(places)):
        places[at] = max(places[at], places[at - 1] + gap)
    for at in reversed(range(len(places))):
        places[at] = min(places[at], floor - gap * (len(places) - 1 - at))
    moved = dict(zip(order, places, strict=True))
    return [round(moved[at], 1) for at in range(len(wanted))]


def _tail(item: Histogram) -> float:
    """The first edge beyond which at most `TAIL` of the counts lie."""
    total, seen = sum(item.counts), itertools.accumulate(item.counts)
    return next(
        (edge for edge, below in zip(item.edges[1:], seen, strict=False) if total - below <= TAIL * total),
        item.edges[-1],
    )


def _ridge(which: int, item: Histogram, scale: Scale) -> Ridge:
    bars = [
        (max(lo, scale.lo), min(hi, scale.hi), amount / (hi - lo) if hi > lo else 0.0, amount)
        for lo, hi, amount in zip(item.edges, item.edges[1:], item.counts, strict=False)
    ]
    inside = [bar for bar in bars if bar[1] > bar[0]]
    top = max((bar[2] for bar in inside), default=0.0) or 1.0
    steps = []
    for lo, hi, density, _ in inside:
        height = round(RIDGE_HEIGHT - (RIDGE_HEIGHT - 2) * density / top, 1)
        start, end = (round(RIDGE_WIDTH * scale.at(edge), 1) for edge in (lo, hi))
        steps.append(f"L{start:g} {height:g}H{end:g}")
    floor = f"{RIDGE_HEIGHT:g}"
    first = round(RIDGE_WIDTH * scale.at(inside[0][0]), 1) if inside else 0.0
    path = f"M{first:g} {floor}{''.join(steps)}V{floor}Z" if steps else ""
    return Ridge(which, path, sum(bar[3] for bar in bars if bar[1] <= bar[0]), item.missing)
