"""An attribution on a terminal: the table of components, then what is not clear; readable at 80 columns.

Texts pass the same gate as in the page and are `rich.text.Text`, so that none is read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from triptych.report.attribution import cell_words, cost_words, headline
from triptych.report.attribution_model import AXES, Attribution, TableLine, read_attribution
from triptych.report.guard_text import indented
from triptych.report.study_text import plain_table, short

COMPONENT, LEVEL, LINES = 20, 26, 8
STYLES = {"controlled": "green", "confounded": "bold red", "unknown": "yellow"}
TOLD = {"raises": "▲", "lowers": "▼", "equivalent": "=", "cannot tell": "?"}
KEY = "▲ raises, ▼ lowers, = equivalent, ? cannot tell; intervals and pairs of components are in the report"


def print_attribution(document: Mapping[str, Any], console: Console) -> None:
    """Print an attribution document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    found = read_attribution(document)
    console.print(Text(headline(found), style="bold"))
    console.print(Text(found.sentence, style=STYLES.get(found.verdict, "")))
    console.print()
    for axis in AXES:
        table = _table(found, axis)
        if table is not None:
            console.print(table)
            console.print()
    for one in found.lines:
        if one.state != "varied":
            console.print(
                indented(f"{one.part}: {'held at' if one.state == 'held' else 'unknown:'} {one.value}", "dim")
            )
    console.print(indented(KEY, "dim"))
    console.print(indented(f"error from {found.error_from or 'an unknown source'}", "dim"))
    for text in found.warnings[:LINES]:
        console.print(Text(f"! {text}", style="yellow"))
    if len(found.warnings) > LINES:
        console.print(indented(f"{len(found.warnings) - LINES} more warnings in the report", "yellow"))


def _table(found: Attribution, axis: str) -> Table | None:
    """What each component did to one axis, with its cost beside."""
    lines = [one for one in found.lines if one.state == "varied" and axis in one.axes]
    if not lines:
        return None
    title = lines[0].axes[axis].title
    table = plain_table(
        (f"{axis} ({title})", False), ("level", False), ("effect", True), ("interval", True), ("", False)
    )
    for one in lines:
        _add(table, one, axis)
    if axis == AXES[-1] and any(one.cost for one in lines):
        table.add_section()
        for one in lines:
            if one.cost is not None:
                value, _ = cost_words(one.cost)
                head = Text("tokens per record: ", style="dim").append(short(one.component, COMPONENT))
                table.add_row(head, short(one.level, LEVEL), Text(value), Text(""), Text(""))
    return table


def _add(table: Table, one: TableLine, axis: str) -> None:
    cell = one.axes[axis]
    value, ends = cell_words(cell)
    told = TOLD.get(cell.verdict, "")
    if cell.found.value is None:
        table.add_row(
            short(one.component, COMPONENT), short(one.level, LEVEL), Text("–"), Text("not defined"), Text("")
        )
        return
    style = "bold" if cell.verdict in ("raises", "lowers") else ""
    table.add_row(
        short(one.component, COMPONENT), short(one.level, LEVEL), Text(value, style=style), Text(ends), Text(told)
    )
