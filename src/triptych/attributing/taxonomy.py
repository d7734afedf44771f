"""The table of the survey (which component of a generator moves which axis), filled from one's own data.

One line for each level of each component that differs: what it did to quality, diversity and complexity by the first
headline measure of each axis, and to the cost. A component that was the same in all runs says so, and so does one that is
not known: its cells of the table stay open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych.attributing.factors import Components

PARTS = {
    "seeds": "Seeds",
    "writer": "Generator",
    "method": "Prompt method",
    "search": "Search",
    "filters": "Filters",
}
OTHER = "Other"
COST = "tokens"
AXES = ("quality", "diversity", "complexity")

Row = dict[str, Any]


def taxonomy(components: Components, main: Sequence[Row], costs: Sequence[Row]) -> list[Row]:
    """The rows of the table, part by part in the order of the survey."""
    out = []
    for part, title in (*PARTS.items(), ("", OTHER)):
        mine = [one for one in components.factors if _part(one.name) == part]
        for factor in mine:
            first, *others = factor.levels
            out += [_line(title, (factor.name, first, level), main, costs) for level in others]
        if mine or not part:
            continue
        held = {name: value for name, value in components.held.items() if _part(name) == part}
        silent = [name for name in components.unknown if _part(name) == part]
        state = "unknown" if silent or part not in held else "held"
        value = "not stated by all runs" if state == "unknown" else held[part]
        out.append({"part": title, "component": part, "state": state, "value": value})
    return out


def _part(name: str) -> str:
    head = name.partition(".")[0]
    return head if head in PARTS else ""


def _line(title: str, which: tuple[str, str, str], main: Sequence[Row], costs: Sequence[Row]) -> Row:
    name, reference, level = which
    own = [row for row in main if (row["component"], row["level"]) == (name, level)]
    cost = next((row for row in costs if (row["component"], row["level"], row["cost"]) == (name, level, COST)), None)
    axes: Row = {
        axis: next((_cell(row) for row in own if row["axis"] == axis and row["headline"]), None) for axis in AXES
    }
    return {
        "part": title,
        "component": name,
        "state": "varied",
        "level": level,
        "reference": reference,
        **axes,
        "cost": None if cost is None else {key: cost[key] for key in ("title", "estimate", "lo", "hi", "undefined")},
    }


def _cell(row: Row) -> Row:
    keys = ("label", "title", "unit", "estimate", "lo", "hi", "margin", "verdict", "undefined")
    return {key: row[key] for key in keys}
