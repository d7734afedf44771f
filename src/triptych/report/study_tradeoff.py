"""Quality against diversity in what models wrote: read from a study document, in words, as a table, as a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.report.fields import finite, listed, mapping, text
from triptych.report.scales import Scale, log_ticks, step_for, ticks, value_scale
from triptych.report.study_records import Facts, Reading, Selected, StudyLimits, Tradeoff, Written
from triptych.report.study_words import interval, signed
from triptych.report.words import not_defined, number, short_number, span

BOX = (560.0, 270.0, 44.0, 12.0, 12.0, 34.0)
"""Width, height, left, right, top, bottom of the drawing."""
LARGEST = 1e9
"""A number beyond this is no share and no number of skills: it is read as absent."""
POINTS = 12

Places = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Dot:
    """One point of the drawing; `data` for that of the data that the models learnt."""

    x: float
    y: float
    errors: str
    label: str
    spoken: str
    data: bool


@dataclass(frozen=True)
class TradePlot:
    """Quality (up) against diversity (across, log scale), joined in the order of the temperatures."""

    dots: tuple[Dot, ...]
    path: str
    x_ticks: Places
    y_ticks: Places


@dataclass(frozen=True)
class TradeoffView:
    """The section as the template prints it."""

    sentences: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    plot: TradePlot | None
    failed: Facts


def read_tradeoff(item: Mapping[str, Any], limits: StudyLimits) -> Tradeoff | None:
    """What the document says of it; None where it says nothing."""
    if not item:
        return None
    data, slope = mapping(item, "data"), mapping(item, "slope")
    selections = [mapping(item, key) for key in ("selection", "selection_any_length")]
    points = tuple(point for each in listed(item, "points")[:POINTS] if (point := _point(each, limits)))
    reason = text(item, "undefined", limits.text)
    return Tradeoff(
        text=text(item, "text", 2 * limits.text),
        points=points,
        data=(_number(data, "quality"), _number(data, "diversity", least=1e-9)),
        slope=_reading(slope, "estimate", ("lo", "hi")),
        slope_unit=text(slope, "unit", 60) or "quality per unit of log diversity",
        slope_verdict=text(slope, "undefined", limits.text) or text(slope, "verdict", 60),
        selections=tuple(_selected(each, limits) for each in selections if each),
        failed=tuple(
            (text(each, "block", 40), text(each, "error", limits.text)) for each in listed(item, "failed")[:8]
        ),
        undefined=reason or ("" if points else "the document has no points"),
    )


def tradeoff_view(found: Tradeoff) -> TradeoffView:
    """Words, table and drawing."""
    return TradeoffView(tuple(sentences(found)), tuple(rows(found)), _plot(found), found.failed)


def sentences(found: Tradeoff) -> list[str]:
    """What came out over the temperatures and by selection, or why nothing did."""
    if found.undefined:
        return [not_defined(found.undefined)]
    slope = found.slope
    if slope.value is None:
        out = [f"Over the temperatures: {not_defined(found.slope_verdict)}."]
    else:
        shown = f"{signed(slope.value)} ({interval(slope.lo, slope.hi) or 'no interval'})"
        out = [f"Over the temperatures: {shown} {found.slope_unit}: {found.slope_verdict or 'no verdict'}."]
    return out + [_selection(each) for each in found.selections if each.quality.value is not None]


def _selection(found: Selected) -> str:
    at = "" if found.temperature is None else f" at temperature {short_number(found.temperature)}"
    quality = f"{signed(found.quality.value or 0.0)} ({interval(found.quality.lo, found.quality.hi) or 'no interval'})"
    diversity = "not defined" if found.diversity.value is None else f"times {_shown(found.diversity, 2)}"
    return (
        f"The likelier half of what was written{at}, likelier among {found.among or 'all records'}, against a random half: "
        f"quality {quality}, diversity {diversity}: {found.verdict or 'no verdict'}."
    )


def rows(found: Tradeoff) -> list[tuple[str, ...]]:
    """One line for each temperature: temperature, tasks, quality, diversity, diversity of the right ones."""
    lines: list[tuple[str, ...]] = []
    for point in found.points:
        diversity = not_defined(point.undefined) if point.diversity.value is None else _shown(point.diversity, 1)
        right = "–" if point.right.value is None else _shown(point.right, 1)
        cells = short_number(point.temperature), _shown(point.valid, 3), _shown(point.quality, 3)
        lines.append((*cells, diversity, right))
    quality, diverse = found.data
    if quality is not None:
        lines.append(("the data", "–", number(quality, 3), "–" if diverse is None else number(diverse, 1), "–"))
    return lines


def _shown(reading: Reading, places: int) -> str:
    if reading.value is None:
        return "–"
    ends = "" if reading.lo is None or reading.hi is None else f" ({span(reading.lo, reading.hi, places)})"
    return number(reading.value, places) + ends


def _selected(item: Mapping[str, Any], limits: StudyLimits) -> Selected:
    return Selected(
        among=text(item, "among", 60),
        temperature=_number(item, "temperature"),
        quality=_reading(mapping(item, "quality"), "estimate", ("lo", "hi")),
        diversity=_reading(mapping(item, "diversity"), "estimate", ("lo", "hi"), least=1e-9),
        verdict=text(item, "undefined", limits.text) or text(item, "verdict", 60),
    )


def _point(item: Mapping[str, Any], limits: StudyLimits) -> Written | None:
    temperature = _number(item, "temperature")
    if temperature is None:
        return None
    valid, quality, diversity, right = (
        _reading(item, name, (f"{name}_lo", f"{name}_hi"), least=1e-9 if "diversity" in name else -LARGEST)
        for name in ("valid", "quality", "diversity", "diversity_right")
    )
    return Written(temperature, valid, quality, diversity, right, text(item, "undefined", limits.text))


def _number(item: Mapping[str, Any], key: str, least: float = -LARGEST) -> float | None:
    value = finite(item.get(key))
    return value if value is not None and least <= value <= LARGEST else None


def _reading(item: Mapping[str, Any], name: str, ends: tuple[str, str], least: float = -LARGEST) -> Reading:
    """A value with both ends of its interval, or with none."""
    value, lo, hi = (_number(item, key, least) for key in (name, *ends))
    if value is None or lo is None or hi is None or not lo <= value <= hi:
        return Reading(value)
    return Reading(value, lo, hi)


def _plot(found: Tradeoff) -> TradePlot | None:
    """The drawing; None where fewer than two temperatures have both."""
    drawn = [(point, q, d) for point in found.points if (q := _ends(point.quality)) and (d := _ends(point.diversity))]
    if len(drawn) < 2:
        return None
    own = [(q, d) for q, d in [found.data] if q is not None and d is not None]
    across = [value for _, _, ends in drawn for value in ends] + [d for _, d in own]
    up = [value for _, ends, _ in drawn for value in ends] + [q for q, _ in own]
    x, y = Scale(min(across) / 1.06, max(across) * 1.06, log=True), value_scale(up, "ratio")
    dots = []
    for point, (quality, lowest, highest), (diversity, least, most) in drawn:
        at_x, at_y = _x(x, diversity), _y(y, quality)
        errors = f"M{_x(x, least):g} {at_y:g}H{_x(x, most):g}" if least < most else ""
        errors += f"M{at_x:g} {_y(y, lowest):g}V{_y(y, highest):g}" if lowest < highest else ""
        label = short_number(point.temperature)
        spoken = f"temperature {label}: quality {_shown(point.quality, 3)}, diversity {_shown(point.diversity, 1)}"
        dots.append(Dot(at_x, at_y, errors, label, spoken, data=False))
    path = "M" + "L".join(f"{dot.x:g} {dot.y:g}" for dot in dots)
    for quality, diversity in own:
        spoken = f"the data: quality {number(quality, 3)}, diversity {number(diversity, 1)}"
        dots.append(Dot(_x(x, diversity), _y(y, quality), "", "", spoken, data=True))
    marks = tuple((_y(y, tick.at, placed=True), tick.label) for tick in ticks(y))
    return TradePlot(tuple(dots), path, _across(x), marks)


def _ends(reading: Reading) -> tuple[float, float, float] | None:
    """Value and both ends; ends that are not known are the value."""
    value = reading.value
    if value is None:
        return None
    return value, value if reading.lo is None else reading.lo, value if reading.hi is None else reading.hi


def _across(scale: Scale) -> Places:
    """Ticks at round numbers: even ones where the range is too short for those of a log scale."""
    found: Sequence[tuple[float, str]] = [(tick.at, tick.label) for tick in log_ticks(scale)]
    if len(found) < 3:
        step = step_for(scale.hi - scale.lo, 4)
        places = [step * at for at in range(int(scale.lo / step) + 1, int(scale.hi / step) + 1)]
        found = [(scale.at(place), short_number(round(place, 12))) for place in places]
    return tuple((round(BOX[2] + (BOX[0] - BOX[2] - BOX[3]) * at, 1), label) for at, label in found)


def _x(scale: Scale, value: float) -> float:
    return round(BOX[2] + (BOX[0] - BOX[2] - BOX[3]) * scale.at(value), 1)


def _y(scale: Scale, value: float, *, placed: bool = False) -> float:
    at = value if placed else scale.at(value)
    return round(BOX[4] + (BOX[1] - BOX[4] - BOX[5]) * (1 - at), 1)
