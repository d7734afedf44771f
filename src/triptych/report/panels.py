"""What the three panels, the size curves and the table of methods print: texts and geometry, ready for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.report.model import Estimate, Histogram, Profile
from triptych.report.plots import CurvePlot, Mark, RidgePlot, curve_plot, mark, mark_scale, ridge_plot
from triptych.report.rows import Cell, Row
from triptych.report.scales import Scale
from triptych.report.words import (
    AXES,
    AXIS_WORDS,
    OPTIONAL,
    AxisWords,
    common_decimals,
    count,
    direction,
    listing,
    not_defined,
    number,
    short_number,
    span,
)


@dataclass(frozen=True)
class SetView:
    """A set as the page knows it: `css` is the class that carries its colour."""

    index: int
    letter: str
    css: str
    profile: Profile
    verdict: str

    @property
    def name(self) -> str:
        """The name of the set."""
        return self.profile.dataset.name


@dataclass(frozen=True)
class Line:
    """One measure in one set, in words and as a mark."""

    set: SetView
    value: str
    interval: str
    n: str
    companion: str
    mark: Mark | None
    spoken: str
    undefined: str
    headline: bool


@dataclass(frozen=True)
class Group:
    """The lines that share one scale, and the condition that they share."""

    condition: str
    ends: tuple[str, str]
    lines: tuple[Line, ...]
    notes: tuple[tuple[tuple[SetView, ...], str], ...]


@dataclass(frozen=True)
class Block:
    """One measure in all sets."""

    title: str
    detail: str
    code: str
    unit: str
    direction: str
    summary: str
    groups: tuple[Group, ...]
    missing: str

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return sum(len(group.lines) for group in self.groups)


@dataclass(frozen=True)
class Curve:
    """The size curves of one measure under one condition."""

    title: str
    code: str
    unit: str
    condition: str
    plot: CurvePlot
    sets: tuple[SetView, ...]
    spoken: str


@dataclass(frozen=True)
class Panel:
    """One of the three panels."""

    axis: str
    words: AxisWords
    headlines: tuple[Block, ...]
    others: tuple[Block, ...]
    curves: tuple[Curve, ...]
    ridges: tuple[RidgePlot, ...]


def panels(profiles: Sequence[Profile], sets: Sequence[SetView], lined_up: Mapping[str, Sequence[Row]]) -> list[Panel]:
    """The three panels, in the order quality, diversity, complexity; a fourth where fit to a student was measured."""
    found = []
    for axis in AXES:
        own = lined_up[axis]
        if axis in OPTIONAL and not own:
            continue
        blocks = [(row.headline, _block(row, sets)) for row in own]
        lead = next((row for row in own if row.headline), None)
        found.append(
            Panel(
                axis=axis,
                words=AXIS_WORDS[axis],
                headlines=tuple(block for top, block in blocks if top),
                others=tuple(block for top, block in blocks if not top),
                curves=tuple(_curves(lead, sets)) if lead and axis == "diversity" else (),
                ridges=tuple(_ridges(profiles, axis)),
            )
        )
    return found


def size_curves(sets: Sequence[SetView], own: Sequence[Row]) -> list[Curve]:
    """The size curves that the panel does not show already."""
    lead = next((row for row in own if row.headline), None)
    return [curve for row in own if row is not lead for curve in _curves(row, sets)]


def methods(sets: Sequence[SetView], lined_up: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """How each number was made: one entry for each measure, companions as entries of their own."""
    found, seen = [], set()
    for axis in AXES:
        for row in lined_up[axis]:
            pairs = [(sets[cell.which], cell.estimate) for cell in row.cells]
            others = [(sets[cell.which], cell.companion) for cell in row.cells if cell.companion]
            for group in (pairs, others):
                if group and group[0][1].key not in seen:
                    seen.add(group[0][1].key)
                    found.append(_method(axis, group))
    return found


def _method(axis: str, pairs: Sequence[tuple[SetView, Estimate]]) -> dict[str, Any]:
    first = pairs[0][1]
    return {
        "axis": AXIS_WORDS[axis].name,
        "title": first.title,
        "code": first.label,
        "hash": first.hash,
        "unit": first.unit,
        "direction": direction(first.better, axis),
        "about": first.about,
        "facts": _merged([(owner, _fact(item)) for owner, item in pairs]),
    }


def _fact(item: Estimate) -> str:
    """How one set's number was made: n, exactness, bound, condition, or why there is none."""
    if item.value is None:
        return not_defined(item.undefined)
    parts = [f"n {count(item.n)}", *([item.about.asked] if item.about.asked else [])]
    parts += ["exact" if item.exact else "approximate"]
    parts += [f"bound: {item.bound}"] if item.bound else []
    parts += [f"no interval: {item.no_interval or 'no reason was given'}"] if item.lo is None else []
    parts += [f"conditional on {item.about.conditional_on}"] if item.about.conditional_on else []
    return "; ".join(parts)


def _merged(facts: Sequence[tuple[SetView, str]]) -> list[tuple[tuple[SetView, ...], str]]:
    """Sets with equal facts share one line."""
    found: dict[str, list[SetView]] = {}
    for owner, text in facts:
        found.setdefault(text, []).append(owner)
    return [(tuple(owners), text) for text, owners in found.items()]


def _block(row: Row, sets: Sequence[SetView]) -> Block:
    first = row.first
    groups = []
    for condition, cells in row.groups:
        scale = mark_scale([cell.estimate for cell in cells])
        places = common_decimals([cell.estimate for cell in cells])
        lines = tuple(_line(cell, sets[cell.which], scale, places) for cell in cells)
        groups.append(Group(condition, (short_number(scale.lo), short_number(scale.hi)), lines, _notes(cells, sets)))
    return Block(
        title=first.title,
        detail=row.detail,
        code=first.label if row.headline else "",
        unit=first.unit,
        direction=direction(first.better, first.axis),
        summary=first.about.summary,
        groups=tuple(groups),
        missing=listing([sets[which].letter for which in row.missing]),
    )


def _line(cell: Cell, owner: SetView, scale: Scale, places: int) -> Line:
    item = cell.estimate
    if item.value is None:
        words = not_defined(item.undefined)
        return Line(owner, "", "", "", "", None, f"{owner.name}: {words}", words, item.headline)
    value = number(item.value, places)
    interval = span(item.lo, item.hi, places) if item.lo is not None and item.hi is not None else ""
    spoken = f"{owner.name}: {value} {item.unit}, {'interval ' + interval if interval else 'no interval'}"
    return Line(
        set=owner,
        value=value,
        interval=interval,
        n=count(item.n),
        companion=_companion(cell.companion),
        mark=mark(item, scale),
        spoken=spoken,
        undefined="",
        headline=item.headline,
    )


def _notes(cells: Sequence[Cell], sets: Sequence[SetView]) -> tuple[tuple[tuple[SetView, ...], str], ...]:
    """What a reader must know of single values: that a sample was asked, that they are approximate, why there is no interval."""
    found = []
    for cell in cells:
        item = cell.estimate
        if item.value is None:
            continue
        parts = [item.about.asked] if item.about.asked else []
        parts += [] if item.exact else ["approximate"]
        parts += [f"bound: {item.bound}"] if item.bound else []
        parts += [f"no interval: {item.no_interval or 'no reason was given'}"] if item.lo is None else []
        if parts:
            found.append((sets[cell.which], ", ".join(parts)))
    return tuple(_merged(found))


def _companion(item: Estimate | None) -> str:
    if item is None:
        return ""
    if item.value is None:
        return f"correlation with length {not_defined(item.undefined)}"
    ends = f" ({span(item.lo, item.hi, 2)})" if item.lo is not None and item.hi is not None else ""
    return f"correlation with length {number(item.value, 2)}{ends}"


def _curves(row: Row, sets: Sequence[SetView]) -> list[Curve]:
    found = []
    for condition, cells in row.groups:
        plot = curve_plot([(cell.which, cell.estimate.curve) for cell in cells])
        if plot is None:
            continue
        first = row.first
        shown = tuple(sets[line.which] for line in plot.lines)
        condition = condition if len(row.groups) > 1 else ""
        spoken = f"{first.title} against number of records, for {listing([item.name for item in shown])}"
        title = f"{first.title}, {row.detail}" if row.detail else first.title
        found.append(Curve(title, first.label, first.unit, condition, plot, shown, spoken))
    return found


def _ridges(profiles: Sequence[Profile], axis: str) -> list[RidgePlot]:
    columns: dict[str, list[tuple[int, Histogram]]] = {}
    for which, profile in enumerate(profiles):
        for item in profile.histograms:
            if item.axis == axis:
                columns.setdefault(f"{item.column} {item.unit}", []).append((which, item))
    plots = [ridge_plot(items) for items in columns.values()]
    return [plot for plot in plots if plot is not None]
