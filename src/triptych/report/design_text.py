"""A design on a terminal, before anything is spent on it: levels, arms, balance, diversity, overlap, power, warnings."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from triptych.report.fields import listed, text
from triptych.report.study_model import read_design
from triptych.report.study_records import Arm, Design
from triptych.report.study_text import plain_table, short
from triptych.report.study_words import condition_name, optional
from triptych.report.words import count, number

SMD = 0.1
ARMS = 24
READINGS = 3
NAME, LABEL = 22, 18
"""Longest names of arms and of columns, in characters."""
FACTS = frozenset({"kind", "equal", "condition number", "pool name", "pool records", "blocks", "gap taken"})


def render_design_text(document: Mapping[str, Any], width: int = 80) -> str:
    """The same as `print_design`, as plain text of at most `width` columns."""
    out = io.StringIO()
    print_design(document, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def print_design(document: Mapping[str, Any], console: Console) -> None:
    """Print a design document; where it holds several designs, what differs between them once for each.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    design = read_design(document)
    facts = [(key, value) for key, value in design.facts if key in FACTS]
    console.print(Text(", ".join(f"{key} {value}" for key, value in facts) or "A design"))
    if design.binding:
        console.print(Text(f"! not separable in this pool: {design.binding}", style="yellow"))
    console.print()
    parts = [item for item in listed(document, "designs")[:8] if item.get("factors") or item.get("balance")]
    for part in parts or [document]:
        own = read_design({**part, "schema": document.get("schema", "triptych/design@1")}) if parts else design
        if parts:
            console.print(Text(text(part, "title", 80) or "A design", style="bold"))
        _print_tables(console, [_levels(own), _balance(own)])
        _print_overlap(console, own)
    _print_tables(console, [_arms(design), _diversity(design), _power(design)])
    if design.arms_total > ARMS:
        console.print(Text(f"{count(design.arms_total - ARMS, 'more arm')} in design.json", style="dim"))
    for warning in design.warnings:
        console.print(Text(f"! {warning}", style="yellow"))


def _print_tables(console: Console, found: list[Table | None]) -> None:
    for table in found:
        if table is not None and table.row_count:
            console.print(table)
            console.print()


def _print_overlap(console: Console, design: Design) -> None:
    if design.overlap:
        console.print(Text("overlap of arms", style="dim"))
        for key, value in design.overlap[:8]:
            console.print(Text(f"  {key}: {value}"))
        console.print()


def _levels(design: Design) -> Table:
    table = plain_table(("factor", False), ("made by", False), ("levels asked", True), ("reached", True))
    for item in design.factors:
        table.add_row(short(item.name, NAME), short(item.field, NAME), short(item.asked, 18), short(item.reached, 18))
    return table


def _balance(design: Design) -> Table:
    table = plain_table(("should not differ", False), ("SMD", True), ("KS", True), ("worst", False))
    for row in design.balance[:ARMS]:
        flagged = row.asked and row.smd is not None and abs(row.smd) > SMD
        smd = Text(optional(row.smd) + (f" over {SMD:g}" if flagged else "" if row.asked else " not asked"))
        smd.stylize("yellow" if flagged else "")
        table.add_row(short(row.variable, NAME), smd, optional(row.ks), short(row.worst, 2 * NAME))
    return table


def _arms(design: Design) -> Table:
    """Size of each arm and what the measures read on it, as far as 80 columns go."""
    labels = list(dict.fromkeys(label for arm in design.arms for label in arm.measured))[:READINGS]
    heads = [(short(label, LABEL).plain, True) for label in labels]
    table = plain_table(("arm", False), ("records", True), ("tokens", True), *heads)
    for arm in design.arms[:ARMS]:
        sizes = [count(size) if size is not None else "–" for size in (arm.records, arm.tokens)]
        table.add_row(
            short(arm.name or condition_name(arm.levels), NAME), *sizes, *(_reading(arm, label) for label in labels)
        )
    return table


def _reading(arm: Arm, label: str) -> str:
    return number(arm.measured[label], 3 if abs(arm.measured[label]) < 100 else 1) if label in arm.measured else "–"


def _diversity(design: Design) -> Table | None:
    found = design.diversity
    if found is None:
        return None
    heads = [
        (short(f"diversity: {name}" if at == 1 else name, 24).plain, at > 0)
        for at, name in enumerate(found.columns[:4])
    ]
    table = plain_table(*heads)
    for row in found.rows[:ARMS]:
        table.add_row(*(short(each, NAME) for each in row[:4]))
    return table


def _power(design: Design) -> Table:
    table = plain_table(
        ("factor", False), ("panel", False), ("would find", True), ("runs needed for an effect of", False)
    )
    for row in design.power[:ARMS]:
        needed = ", ".join(f"{size}: {runs}" for size, runs in row.runs_for)
        table.add_row(short(row.factor, NAME), short(row.panel, NAME), optional(row.mde), Text(needed))
    return table
