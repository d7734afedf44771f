"""Attribution documents to one page: `render_attribution`. Pure; the same document gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.report.attribution_map import RunMap, run_map
from triptych.report.attribution_model import (
    ATTRIBUTION_LADDER,
    AXES,
    Attribution,
    CostTold,
    RunTold,
    TableCell,
    TableLine,
    Told,
    read_attribution,
)
from triptych.report.page import render_bounded
from triptych.report.study_plots import Places, effect_mark, effect_scale, effect_ticks
from triptych.report.study_view import EffectLine
from triptych.report.study_words import interval, p_value, places_for, signed
from triptych.report.words import AXIS_WORDS, count, decimals, not_defined, number, span

AXIS_CSS = {"quality": "s0", "diversity": "s2", "complexity": "s1", "fit": "s3"}
RULING_CSS = {"controlled": "s2", "confounded": "s6", "unknown": "s5"}
MOVED, SHOWN = {"raises": "up", "lowers": "down"}, 3
"""What is said of a verdict in the headline, and of how many levels."""
VERDICT_CSS = {"raises": "up", "lowers": "down", "equivalent": "flat", "cannot tell": "open"}


@dataclass(frozen=True)
class MeasureView:
    """All effects on one measure, on one scale."""

    key: str
    title: str
    label: str
    axis: str
    css: str
    unit: str
    margin: str
    lines: tuple[EffectLine, ...]
    ticks: Places
    rows: tuple[tuple[Told, tuple[str, ...], str], ...]


def render_attribution(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page for an attribution document.

    Args:
        document: an attribution document (`triptych/attribution@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        SchemaError: the document has another schema.
    """
    return render_bounded(
        "attribution.html.jinja",
        lambda limits: attribution_view(read_attribution(document, limits)),
        ATTRIBUTION_LADDER,
    )


def attribution_view(found: Attribution) -> dict[str, Any]:
    """Everything that the template prints."""
    measures = [_measure(found.effects, at, found) for at in range(len(found.measures))]
    pairs = [_measure(found.pairs, at, found) for at in range(len(found.measures))]
    return {
        "found": found,
        "title": headline(found),
        "ruling": RULING_CSS.get(found.verdict, "s5"),
        "heads": _heads(found.lines),
        "lines": [_table_line(one) for one in found.lines],
        "axes": [
            {
                "name": AXIS_WORDS[axis].name,
                "css": AXIS_CSS[axis],
                "measures": [m for m in measures if m.axis == axis and m.lines],
            }
            for axis in AXIS_WORDS
        ],
        "pairs": [one for one in pairs if one.lines],
        "costs": [(one, cost_words(one)) for one in found.costs],
        "map": _map(found),
        "runs": [_run(one, found) for one in found.runs],
        "verdict_css": VERDICT_CSS,
        "left_out": _left_out(found),
    }


def headline(found: Attribution) -> str:
    """What is clear, in one line: the components that raise or lower a headline measure."""
    told = []
    for one in found.lines:
        moved = [f"{axis} {MOVED[cell.verdict]}" for axis, cell in one.axes.items() if cell.verdict in MOVED]
        told += [f"{one.component} {one.level}: {', '.join(moved)}"] if moved else []
    if not told:
        return "No component is shown to move an axis"
    return "; ".join(told[:SHOWN]) + (f" and {len(told) - SHOWN} more" if len(told) > SHOWN else "")


def cell_words(cell: TableCell) -> tuple[str, str]:
    """An effect and its interval in words."""
    if cell.found.value is None:
        return "not defined", cell.undefined or "no reason was given"
    half = (cell.found.hi - cell.found.lo) / 2 if cell.found.hi is not None and cell.found.lo is not None else None
    places = decimals(cell.found.value, half, cell.unit)
    return signed(cell.found.value, places), interval(cell.found.lo, cell.found.hi, places) or "no interval"


def cost_words(one: CostTold) -> tuple[str, str]:
    """A difference of cost and its interval in words."""
    if one.found.value is None:
        return "not defined", one.undefined or "no reason was given"
    largest = max(abs(one.found.value), abs(one.mean or 0.0))
    places = 0 if largest >= 1000 else 1 if largest >= 10 else 3
    return signed(one.found.value, places), interval(one.found.lo, one.found.hi, places) or "no interval"


def _heads(lines: Sequence[TableLine]) -> dict[str, str]:
    """What each axis of the table is read by."""
    return {axis: next((one.axes[axis].title for one in lines if axis in one.axes), "no measure") for axis in AXES}


def _table_line(one: TableLine) -> dict[str, Any]:
    axes = [
        {"cell": cell, "css": AXIS_CSS[axis], "words": cell_words(cell)} if (cell := one.axes.get(axis)) else None
        for axis in AXES
    ]
    return {"one": one, "axes": axes, "cost": cost_words(one.cost) if one.cost else None}


def _measure(effects: Sequence[Told], at: int, found: Attribution) -> MeasureView:
    info = found.measures[at]
    own = [one for one in effects if one.label == info.label]
    scale = effect_scale([one.effect for one in own])
    places = max((decimals(0.0, _half(one), info.unit) for one in own if _half(one)), default=3)
    places = places if info.unit in ("ratio", "label") else max(places, places_for([one.effect for one in own]) - 2)
    margins = {one.effect.margin for one in own if one.effect.margin}
    return MeasureView(
        key=f"m{at + 1}",
        title=info.title,
        label=info.label,
        axis=info.axis,
        css=AXIS_CSS.get(info.axis, "s3"),
        unit=info.unit,
        margin=f"±{number(max(margins), places)}" if margins else "",
        lines=tuple(_line(one, scale, places) for one in own),
        ticks=effect_ticks(scale),
        rows=tuple((one, _cells(one, places), VERDICT_CSS.get(one.effect.verdict, "open")) for one in own),
    )


def _half(one: Told) -> float | None:
    lo, hi = one.effect.lo, one.effect.hi
    return None if lo is None or hi is None else (hi - lo) / 2


def _line(one: Told, scale: Any, places: int) -> EffectLine:
    label, effect = f"{one.component}: {one.versus}", one.effect
    if effect.value is None:
        words = not_defined(effect.undefined)
        return EffectLine(label, "", "", "", "open", words, None, f"{label}: {words}")
    value, ends = signed(effect.value, places), interval(effect.lo, effect.hi, places) or "no interval"
    spoken = f"{label}: {value} {effect.unit}, {ends}; {effect.verdict}"
    css = VERDICT_CSS.get(effect.verdict, "open")
    return EffectLine(label, value, ends, effect.verdict, css, "", effect_mark(effect, scale, effect.margin), spoken)


def _cells(one: Told, places: int) -> tuple[str, ...]:
    effect = one.effect
    if effect.value is None:
        return ()
    return (
        signed(effect.value, places),
        interval(effect.lo, effect.hi, places) or "no interval",
        interval(one.within.lo, one.within.hi, places) or "–",
        p_value(effect.p_adjusted),
    )


def _map(found: Attribution) -> RunMap | None:
    """Quality upright, diversity across, by the first headline measures."""
    which = {axis: next((m for m in found.measures if m.axis == axis and m.headline), None) for axis in AXES}
    if which["quality"] is None or which["diversity"] is None:
        return None
    return run_map(found.runs, which["diversity"], which["quality"])


def _run(one: RunTold, found: Attribution) -> dict[str, Any]:
    """A run with what its measures say, in the order of the measures."""
    cells = []
    for info in found.measures:
        value = one.values.get(info.label)
        if value is None or value.value is None:
            cells.append(("not defined", one.undefined.get(info.label) or "no reason was given"))
            continue
        half = (value.hi - value.lo) / 2 if value.hi is not None and value.lo is not None else None
        places = decimals(value.value, half, info.unit)
        ends = span(value.lo, value.hi, places) if value.lo is not None and value.hi is not None else "no interval"
        cells.append((number(value.value, places), ends))
    return {"one": one, "cells": cells}


def _left_out(found: Attribution) -> list[str]:
    pairs = (
        (found.runs_total, len(found.runs), "run"),
        (found.measures_total, len(found.measures), "measure"),
        (found.effects_total, len(found.effects), "effect"),
        (found.pairs_total, len(found.pairs), "interaction"),
    )
    return [
        f"{count(shown)} of {count(total, noun)} are shown; the others are in the document."
        for total, shown, noun in pairs
        if total > shown
    ]
