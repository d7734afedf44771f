"""The plots of a study as plain geometry: effect mark, interaction, dose-response, raw points. `study_plots.html.jinja` draws them.

Places are rounded to a tenth, and points are spread by the golden ratio in the order of the document, so that equal
documents give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triptych.report.scales import Scale, rounded, ticks, value_scale
from triptych.report.study_records import Cell, Check, Dose, Effect, RunPoint
from triptych.report.study_words import level_name
from triptych.report.words import count, number

PAD = 3.0
"""Space kept free at both ends of an effect mark, in hundredths of its width."""
ZOOM = 1.6
"""How far an effect scale reaches beyond the largest estimate; intervals that are wider are cut and marked."""
ERRORS = 2.0
"""Half-length of error bars, in standard errors."""
GOLDEN = 0.618034
PAIR = (250.0, 168.0, 40.0, 58.0, 10.0, 26.0)
DOSE = (420.0, 206.0, 40.0, 10.0, 10.0, 42.0)
STRIP = (420.0, 18.0, 132.0, 12.0, 6.0, 24.0)
"""Width, height (of a row for the strip), left, right, top, bottom of each drawing."""

Places = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class EffectMark:
    """An effect on a shared scale, in hundredths of the width; `cut` tells which ends of the interval lie beyond it."""

    x: float
    lo: float | None
    hi: float | None
    cut: tuple[bool, bool]
    zero: float
    band: tuple[float, float] | None


@dataclass(frozen=True)
class Line:
    """One line of a plot: `css` tells which; error bars and raw points as path data."""

    css: str
    path: str
    dots: tuple[tuple[float, float], ...]
    errors: str
    raw: str
    label: str
    label_at: tuple[float, float]
    spoken: str


@dataclass(frozen=True)
class LinePlot:
    """Lines on common axes."""

    lines: tuple[Line, ...]
    x_ticks: Places
    y_ticks: Places


@dataclass(frozen=True)
class StripRow:
    """The runs of one condition."""

    label: str
    y: float
    raw: str
    mean_x: float
    spoken: str


@dataclass(frozen=True)
class StripPlot:
    """Every run of a panel, one row for each condition."""

    rows: tuple[StripRow, ...]
    height: float
    x_ticks: Places


def effect_scale(found: Iterable[Effect | Check], margin: float | None = None) -> Scale:
    """A scale with zero inside for effects that are read together.

    It holds every estimate and, up to `ZOOM` times the largest of them, the intervals: one hopeless interval must not
    flatten all others.
    """
    drawn = [item for item in found if item.value is not None]
    largest = max((abs(item.value or 0.0) for item in drawn), default=0.0)
    margin = min(abs(margin or 0.0), 5 * largest) if largest else abs(margin or 0.0)
    limit = ZOOM * max(largest, margin) or max(
        (abs(end) for item in drawn for end in (item.lo, item.hi) if end), default=1.0
    )
    ends = [0.0, margin, -margin]
    for item in drawn:
        ends += [min(limit, max(-limit, end)) for end in (item.value, item.lo, item.hi) if end is not None]
    return rounded(min(ends), max(ends), 9)


def effect_mark(item: Effect | Check, scale: Scale, margin: float | None = None) -> EffectMark | None:
    """Where an effect stands on `scale`; None where it is undefined."""
    if item.value is None:
        return None
    band = (_hundredths(scale.at(-margin)), _hundredths(scale.at(margin))) if margin else None
    zero, x = _hundredths(scale.at(0.0)), _hundredths(scale.at(item.value))
    if item.lo is None or item.hi is None:
        return EffectMark(x, None, None, (False, False), zero, band)
    cut = (item.lo < scale.lo, item.hi > scale.hi)
    return EffectMark(x, _hundredths(scale.at(item.lo)), _hundredths(scale.at(item.hi)), cut, zero, band)


def effect_ticks(scale: Scale) -> Places:
    """Labelled places under a column of effect marks, in hundredths."""
    return tuple((_hundredths(tick.at), tick.label) for tick in ticks(scale, 5))


def score_scale(values: Sequence[float]) -> Scale:
    """A scale for scores that are read together: 0 to 1 where they are shares and fill it, else around them."""
    bounded = bool(values) and min(values) >= 0 and max(values) <= 1
    return value_scale(values, "ratio" if bounded else "")


def cell_ends(cells: Sequence[Cell]) -> list[float]:
    """What a scale must hold to show cells with their error bars; bars end where a share ends."""
    means = [cell.mean for cell in cells]
    bounded = bool(means) and min(means) >= 0 and max(means) <= 1
    ends = [end for cell in cells for end in (cell.mean - ERRORS * cell.se, cell.mean + ERRORS * cell.se)]
    return [min(1.0, max(0.0, end)) for end in ends] if bounded else ends


def pair_plot(cells: Sequence[Cell], across: str, lines: str, scale: Scale) -> LinePlot | None:
    """Mean score at low and high of one factor, one line for low and one for high of another; the rest averaged out."""
    box = PAIR
    drawn = []
    for level, css in ((-1.0, "low"), (1.0, "high")):
        means = [_averaged(cells, {across: at, lines: level}) for at in (-1.0, 1.0)]
        found = [(_x(box, 0.12 + 0.76 * at), *mean) for at, mean in enumerate(means) if mean is not None]
        if len(found) == 2:
            label = f"{lines} {level_name(level)}"
            spoken = ", ".join(f"{level_name(2.0 * at - 1)} {number(found[at][1], 3)}" for at in (0, 1))
            drawn.append(_line(box, css, found, scale, (label, f"{label}: {across} {spoken}")))
    if not drawn:
        return None
    names = tuple((_x(box, 0.12 + 0.76 * at), f"{across} {name}") for at, name in ((0, "low"), (1, "high")))
    return LinePlot(_apart(drawn), names, _y_ticks(box, scale))


def dose_plot(
    doses: Sequence[Dose], points: Sequence[RunPoint], css: Mapping[str, str], scale: Scale
) -> LinePlot | None:
    """Mean score at each level of each factor (`css` names them in order) over the raw points of the runs."""
    factors = [factor for factor in css if len({dose.level for dose in doses if dose.factor == factor}) > 1]
    lines: list[Line] = []
    names: list[tuple[float, str]] = []
    for place, factor in enumerate(factors):
        own = sorted((dose for dose in doses if dose.factor == factor), key=lambda dose: dose.level)
        levels = {dose.level: _dose_x(place, len(factors), rank, own) for rank, dose in enumerate(own)}
        found = [(levels[dose.level], dose.mean, dose.se) for dose in own]
        width = 0.16 * (DOSE[0] - DOSE[2] - DOSE[3]) / len(factors)
        mine = [(levels[level], p.score) for p in points if (level := p.levels.get(factor)) in levels]
        raw = [(x + width * _spread(at), score) for at, (x, score) in enumerate(mine)]
        spoken = ", ".join(f"{level_name(dose.level)} {number(dose.mean, 3)} (n {count(dose.n)})" for dose in own)
        lines.append(
            _line(DOSE, css[factor], found, scale, (factor, f"{factor}: {spoken}"), _points_path(DOSE, raw, scale))
        )
        names += [(x, level_name(level)) for level, x in levels.items()]
    return LinePlot(tuple(lines), tuple(names), _y_ticks(DOSE, scale)) if lines else None


def strip_plot(rows: Sequence[tuple[str, str, Sequence[float]]], scale: Scale) -> StripPlot:
    """Raw scores: one row (label, hover text, scores) under the other."""
    width, step, left, right, top, bottom = STRIP
    made = []
    for place, (label, spoken, scores) in enumerate(rows):
        y = top + step * (place + 0.5)
        at = [
            (left + (width - left - right) * scale.at(score), y + 0.55 * step * _spread(n))
            for n, score in enumerate(scores)
        ]
        mean = sum(scores) / len(scores)
        mean_x = round(left + (width - left - right) * scale.at(mean), 1)
        told = f"{spoken}: mean {number(mean, 3)}, {count(len(scores), 'run')}"
        made.append(StripRow(label, y, _dots(at), mean_x, told))
    marks = tuple((round(left + (width - left - right) * tick.at, 1), tick.label) for tick in ticks(scale, 5))
    return StripPlot(tuple(made), top + step * len(rows) + bottom, marks)


def _hundredths(at: float) -> float:
    return round(PAD + (100 - 2 * PAD) * at, 1)


def _x(box: tuple[float, ...], at: float) -> float:
    return round(box[2] + (box[0] - box[2] - box[3]) * at, 1)


def _y(box: tuple[float, ...], at: float) -> float:
    return round(box[4] + (box[1] - box[4] - box[5]) * (1 - at), 1)


def _y_ticks(box: tuple[float, ...], scale: Scale) -> Places:
    return tuple((_y(box, tick.at), tick.label) for tick in ticks(scale))


def _dose_x(place: int, groups: int, rank: int, own: Sequence[Dose]) -> float:
    lo, hi = own[0].level, own[-1].level
    inside = (own[rank].level - lo) / (hi - lo)
    return _x(DOSE, (place + 0.18 + 0.64 * inside) / groups)


def _averaged(cells: Sequence[Cell], want: Mapping[str, float]) -> tuple[float, float] | None:
    """Mean and standard error over the cells at these levels; cells that hold just these factors come first."""
    found = [cell for cell in cells if all(cell.levels.get(name) == level for name, level in want.items())]
    found = [cell for cell in found if len(cell.levels) == len(want)] or found
    if not found:
        return None
    return sum(c.mean for c in found) / len(found), sum(c.se**2 for c in found) ** 0.5 / len(found)


def _line(
    box: tuple[float, ...],
    css: str,
    found: Sequence[tuple[float, float, float]],
    scale: Scale,
    words: tuple[str, str],
    raw: str = "",
) -> Line:
    dots = tuple((x, _y(box, scale.at(mean))) for x, mean, _ in found)
    errors = "".join(
        f"M{x:g} {_y(box, scale.at(mean - ERRORS * se)):g}V{_y(box, scale.at(mean + ERRORS * se)):g}"
        for x, mean, se in found
        if se
    )
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in dots)
    return Line(css, path, dots, errors, raw, words[0], dots[-1], words[1])


def _apart(lines: Sequence[Line], gap: float = 13.0) -> tuple[Line, ...]:
    """Move the labels at the ends of two lines apart."""
    if len(lines) < 2 or abs(lines[0].label_at[1] - lines[1].label_at[1]) >= gap:
        return tuple(lines)
    middle = (lines[0].label_at[1] + lines[1].label_at[1]) / 2
    upper = min(range(2), key=lambda at: (lines[at].label_at[1], -at))
    shifts = {upper: -gap / 2, 1 - upper: gap / 2}
    return tuple(
        Line(i.css, i.path, i.dots, i.errors, i.raw, i.label, (i.label_at[0], round(middle + shifts[at], 1)), i.spoken)
        for at, i in enumerate(lines)
    )


def _spread(at: int) -> float:
    """A place in -0.5..0.5 for the n-th point: the golden ratio's multiples never fall together."""
    return (at + 1) * GOLDEN % 1 - 0.5


def _points_path(box: tuple[float, ...], points: Sequence[tuple[float, float]], scale: Scale) -> str:
    return _dots([(x, _y(box, scale.at(score))) for x, score in points])


def _dots(points: Sequence[tuple[float, float]]) -> str:
    """Points as lines of no length with round ends: a tenth of the bytes of circles."""
    return "".join(f"M{round(x, 1):g} {round(y, 1):g}h0" for x, y in points)
