"""Rounds as plain geometry: courses of readings over rounds, and the strip of verdicts. `guard_plots.html.jinja` draws them.

Places are rounded to a tenth, so that equal documents give equal bytes. A round without a value breaks its line, and so does
a gap in the numbering: nothing is drawn that was not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal, TypeAlias

from triptych.report.frontier_labels import text_width
from triptych.report.frontier_shapes import Frame, Point, joined, shape
from triptych.report.guard_records import Round, Ruling
from triptych.report.guard_words import SIGNS, places_of, shown, state_of, told
from triptych.report.plots import spread
from triptych.report.scales import Scale, log_ticks, step_for, ticks
from triptych.report.study_plots import Places, score_scale
from triptych.report.study_records import Reading
from triptych.report.words import number, short_number

CHART = Frame(400.0, 214.0, 44.0, 14.0, 12.0, 42.0, 12.0)
STRIP_WIDTH, STRIP_LEFT, WIDEST = 760.0, 4.0, 110.0
"""Width of a strip of verdicts, its margin, and the widest that one of its rounds may be."""
LOG = 8.0
"""Positive values that lie so many times apart are drawn on a logarithmic axis, where a chart allows it."""
LABEL, LABEL_ROOM = 16, 110.0
"""Longest label at the end of a line, in characters and in pixels."""
DOTS = 40
"""Beyond so many rounds a line has no dots."""
WORDS = 12
"""At most so many points of a line are spoken; of more the first, the last and some between."""
Axis: TypeAlias = Literal["plain", "log", "whole"]
SHAPES = ("circle", "square", "diamond", "up", "hexagon", "star", "down", "plus")


@dataclass(frozen=True)
class Line:
    """What a line of a chart shows: a reading of every round, by number. `flags` marks rounds at which the guard spoke; a
    `quiet` line has no label in the drawing.
    """

    label: str
    css: str
    points: Mapping[int, Reading]
    dashed: bool = False
    shape: str = "circle"
    flags: tuple[tuple[int, str], ...] = ()
    quiet: bool = False


@dataclass(frozen=True)
class Dot:
    """A point of a line; `flag` is the outline of a verdict around it, empty for none."""

    path: str
    flag: str
    spoken: str


@dataclass(frozen=True)
class Course:
    """One line, drawn."""

    css: str
    dashed: bool
    path: str
    band: str
    dots: tuple[Dot, ...]
    label: str
    end: Point
    label_y: float


@dataclass(frozen=True)
class Chart:
    """Lines over rounds on common axes; `shades` are spans of rounds under a verdict: place, width, class."""

    frame: Frame
    title: str
    note: str
    courses: tuple[Course, ...]
    shades: tuple[tuple[float, float, str], ...]
    x_ticks: Places
    y_ticks: Places
    spoken: str


@dataclass(frozen=True)
class Cell:
    """A round in a strip of verdicts."""

    x: float
    width: float
    css: str
    sign: str
    label: str
    number: str
    spoken: str


@dataclass(frozen=True)
class Strip:
    """The guard's verdict round by round."""

    cells: tuple[Cell, ...]
    spoken: str


def line_of(
    rounds: Sequence[Round], name: str, of: str, look: tuple[str, str], *, dashed: bool = False, mark: str = "circle"
) -> Line:
    """The course of one reading over rounds; `look` is its label and its colour."""
    points = {each.number: item for each in rounds if (item := each.get(name, of)).value is not None}
    return Line(look[0], look[1], points, dashed, mark)


def chart(
    title: str,
    lines: Sequence[Line],
    numbers: Sequence[int],
    *,
    unit: str = "",
    axis: Axis = "plain",
    shades: Sequence[tuple[int, str]] = (),
) -> Chart | None:
    """Lines over the rounds `numbers`; None where no line has a point.

    Args:
        title: of the drawing.
        lines: at least one with a point; those without are left out.
        numbers: of all rounds, in order, so that charts beside each other share their axis.
        unit: told beside the title.
        axis: `log`: logarithmic where values lie far apart; `whole`: shares keep 0 to 1, so that drawings beside each
            other can be compared; `plain`: as the values ask for.
        shades: round and verdict class of rounds to shade.
    """
    drawn = [line for line in lines if line.points]
    if not drawn:
        return None
    named = [line for line in drawn if not line.quiet] if len(drawn) > 1 else []
    room = max((text_width(line.label[:LABEL], CHART.font) + 16 for line in named), default=CHART.right)
    frame = replace(CHART, right=max(CHART.right, min(room, LABEL_ROOM)))
    readings = [item for line in drawn for item in line.points.values()]
    shares = axis == "whole" and all(0 <= (item.value or 0.0) <= 1 for item in readings)
    up = Scale(0.0, 1.0) if shares else _up(readings, unit, log=axis == "log")
    across = Scale(float(min(numbers)), float(max(numbers)))
    places = places_of(readings, unit)
    courses = [_course(line, numbers, frame, (across, up), places) for line in drawn]
    ends = spread(
        [item.end[1] for item, line in zip(courses, drawn, strict=True) if line in named],
        *(14.0, frame.top, frame.height - frame.bottom),
    )
    labelled = iter(ends)
    alone = drawn[0].label if len(lines) > 1 and len(drawn) == 1 else ""
    courses = [
        replace(item, label_y=next(labelled)) if line in named else replace(item, label="")
        for item, line in zip(courses, drawn, strict=True)
    ]
    return Chart(
        frame=frame,
        title=title,
        note=", ".join(
            note for note in (alone, "" if unit == "ratio" else unit, "log scale" if up.log else "") if note
        ),
        courses=tuple(courses),
        shades=tuple(_shades(shades, numbers, frame, across)),
        x_ticks=round_ticks(numbers, frame, across),
        y_ticks=tuple((frame.y(tick.at), tick.label) for tick in (log_ticks(up, 5) if up.log else ticks(up))),
        spoken=f"{title} by round. " + "; ".join(_told(line, places) for line in drawn),
    )


def round_ticks(numbers: Sequence[int], frame: Frame, across: Scale) -> Places:
    """Round numbers under a chart, thinned to about eight."""
    first, last = min(numbers), max(numbers)
    step = max(1, math.ceil(step_for(last - first, 8))) if last > first else 1
    wanted = [at for at in range(first, last + 1) if at % step == 0]
    return tuple((frame.x(across.at(at)), str(at)) for at in wanted)


def strip(rulings: Sequence[tuple[int, Ruling]], name: str = "", most: int = 0) -> Strip | None:
    """State and verdict of every round; None where no round has one. `most`: rounds of the longest strip beside it."""
    if not any(ruling.state or ruling.verdict for _, ruling in rulings):
        return None
    width = min(WIDEST, (STRIP_WIDTH - 2 * STRIP_LEFT) / max(most, len(rulings)))
    cells = []
    for at, (where, ruling) in enumerate(rulings):
        state = state_of(ruling)
        label = next((text for text in (state.name, state.name[:4]) if text_width(text, 11.5) < width - 6), "")
        spoken = f"round {where}: {told(ruling) or 'no verdict'}"
        shown_number = str(where) if width >= 22 or at % max(1, math.ceil(22 / width)) == 0 else ""
        x = round(STRIP_LEFT + at * width, 1)
        sign = SIGNS.get(ruling.verdict, "") if width >= 12 else ""
        cells.append(Cell(x, round(width - min(2.0, width / 4), 1), state.css, sign, label, shown_number, spoken))
    spells = "; ".join(spell.lower() for spell in spells_of(rulings))
    return Strip(tuple(cells), f"The guard's verdict by round{f', {name}' if name else ''}: {spells}")


def spells_of(rulings: Sequence[tuple[int, Ruling]]) -> list[str]:
    """Runs of rounds with one state and verdict, in words.

    >>> spells_of([(0, Ruling("healthy", "continue")), (1, Ruling("healthy", "continue")), (2, Ruling("collapsing", "warn"))])
    ['Rounds 0 to 1: healthy, continue', 'Round 2: collapsing, warn']
    """
    runs: list[tuple[int, int, str]] = []
    for where, ruling in rulings:
        words = told(ruling) or "no verdict"
        if runs and runs[-1][2] == words:
            runs[-1] = (runs[-1][0], where, words)
        else:
            runs.append((where, where, words))
    return [f"Round {a}: {words}" if a == b else f"Rounds {a} to {b}: {words}" for a, b, words in runs]


def _up(readings: Sequence[Reading], unit: str, *, log: bool) -> Scale:
    """A scale for the values; intervals widen it by a third of their range, or by the usual interval, and are cut there.

    So values that move less than their own error are not drawn as if they rose and fell.
    """
    values = [item.value for item in readings if item.value is not None]
    lo, hi = min(values), max(values)
    if log and lo > 0 and hi / lo >= LOG:
        return Scale(lo / 1.15, hi * 1.15, log=True)
    halves = [(item.hi - item.lo) / 2 for item in readings if item.lo is not None and item.hi is not None]
    reach = max(0.35 * (hi - lo), median(halves) if halves else 0.0)
    ends = [max(item.lo, lo - reach) for item in readings if item.lo is not None]
    ends += [min(item.hi, hi + reach) for item in readings if item.hi is not None]
    if unit == "ratio" and lo >= 0 and hi <= 1:
        ends = [min(1.0, max(0.0, end)) for end in ends]
    return score_scale([*values, *(end for end in ends if lo < 0 or end >= 0)])


def _course(line: Line, numbers: Sequence[int], frame: Frame, scales: tuple[Scale, Scale], places: int) -> Course:
    across, up = scales
    segments: list[list[tuple[int, Reading]]] = [[]]
    for at, where in enumerate(numbers):
        item = line.points.get(where)
        gap = at > 0 and where - numbers[at - 1] > _usual(numbers)
        if (item is None or gap) and segments[-1]:
            segments.append([])
        if item is not None:
            segments[-1].append((where, item))
    kept = [own for own in segments if own]
    place = {
        where: (frame.x(across.at(where)), frame.y(up.at(item.value or 0.0))) for own in kept for where, item in own
    }
    flags = dict(line.flags)
    marked = [where for where in place if len(place) <= DOTS or where in flags]
    end = place[kept[-1][-1][0]]
    return Course(
        css=line.css,
        dashed=line.dashed,
        path="".join(joined([place[where] for where, _ in own]) for own in kept if len(own) > 1),
        band="".join(_band(own, frame, scales) for own in kept),
        dots=tuple(
            Dot(
                shape(line.shape, *place[where], 3.2),
                _flag(flags.get(where, ""), place[where]),
                f"{line.label}, round {where}: {shown(line.points[where], places)}"
                + (f", {flags[where]}" if where in flags else ""),
            )
            for where in marked
        ),
        label=line.label if len(line.label) <= LABEL else line.label[: LABEL - 1] + "…",
        end=end,
        label_y=end[1],
    )


def _usual(numbers: Sequence[int]) -> int:
    """The step between rounds: more than one where only some of them are shown."""
    return max(1, math.ceil((numbers[-1] - numbers[0]) / max(1, len(numbers) - 1))) if numbers else 1


def _flag(verdict: str, at: Point) -> str:
    return shape("square" if verdict == "stop" else "up", *at, 7.5) if verdict in ("warn", "stop") else ""


def _band(own: Sequence[tuple[int, Reading]], frame: Frame, scales: tuple[Scale, Scale]) -> str:
    """The intervals of a segment; a lone round has a bar."""
    across, up = scales
    ends = [(where, item.lo, item.hi) for where, item in own if item.lo is not None and item.hi is not None]
    if len(ends) < len(own):
        return ""
    upper = [(frame.x(across.at(where)), frame.y(up.at(hi))) for where, _, hi in ends]
    lower = [(frame.x(across.at(where)), frame.y(up.at(lo))) for where, lo, _ in ends]
    if len(own) == 1:
        (x, top), (_, bottom) = upper[0], lower[0]
        return joined([(x - 3, top), (x + 3, top), (x + 3, bottom), (x - 3, bottom)]) + "Z"
    return joined([*upper, *reversed(lower)]) + "Z"


def _shades(
    shades: Sequence[tuple[int, str]], numbers: Sequence[int], frame: Frame, across: Scale
) -> list[tuple[float, float, str]]:
    left, _, right, _ = frame.inner
    half = (right - left) / max(1, 2 * (numbers[-1] - numbers[0])) if len(numbers) > 1 else (right - left) / 2
    out = []
    for where, css in shades:
        x = frame.x(across.at(where))
        start, stop = max(left, x - half), min(right, x + half)
        out.append((round(start, 1), round(stop - start, 1), css))
    return out


def _told(line: Line, places: int) -> str:
    points = list(line.points.items())
    if len(points) > WORDS:
        step = (len(points) - 1) / (WORDS - 1)
        points = [points[round(at * step)] for at in range(WORDS)]
    said = ", ".join(f"round {where} {number(item.value or 0.0, places)}" for where, item in points)
    return f"{line.label}: {said}"


def log_axis(lo: float, hi: float) -> Scale:
    """A logarithmic scale that holds both ends with a little room."""
    return Scale(lo / 1.1, hi * 1.1, log=True)


def labels(scale: Scale, most: int = 5) -> list[tuple[float, str]]:
    """Ticks of a scale: places in 0..1 and their labels; round numbers between the ends of a short logarithmic one."""
    found = log_ticks(scale, most) if scale.log else ticks(scale, most)
    if scale.log and len(found) < 3:
        step = step_for(scale.hi - scale.lo, most - 1)
        places = [step * at for at in range(int(scale.lo / step) + 1, int(scale.hi / step) + 1)]
        return [(scale.at(place), short_number(round(place, 12))) for place in places]
    return [(tick.at, tick.label) for tick in found]
