"""An audit on a terminal: verdict and reasons, then the numbers; readable at 80 columns.

Texts pass the same gate as in the page and are `rich.text.Text`, so that none is read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from triptych.report.audit import lede, written
from triptych.report.audit_model import read_audit
from triptych.report.audit_records import Scorer
from triptych.report.guard_text import indented
from triptych.report.study_text import plain_table, short
from triptych.report.words import count

STYLES = {"usable": "green", "weak": "yellow", "no discrimination": "bold red", "cannot tell": "bold"}
TITLE, LINES = 46, 6


def print_audit(document: Mapping[str, Any], console: Console) -> None:
    """Print an audit document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    found = read_audit(document)
    console.print(Text(lede(found), style="dim"))
    for one in found.scorers:
        console.print()
        _print_scorer(one, console)
    for text in found.warnings[:LINES]:
        console.print(Text(f"! {text}", style="yellow"))


def _print_scorer(one: Scorer, console: Console) -> None:
    console.print(Text(f"{one.name}: {one.verdict}", style=STYLES.get(one.verdict, "bold")))
    for reason in one.reasons[:LINES]:
        console.print(indented(reason))
    if one.needed:
        console.print(indented(f"gold labels: {one.needed}", "dim"))
    for failed in one.failures[:LINES]:
        example = f", first {failed.example}" if failed.example not in ("", failed.kind) else ""
        console.print(indented(f"{count(failed.count)} without a score: {failed.kind}{example} ({failed.place})"))
    table = plain_table(("", False), ("value", True), ("95 % interval", False), ("n", True))
    for _, numbers in one.sections:
        for item in numbers:
            value, ends = written(item)
            shown = Text(ends) if item.reading.lo is not None else Text("–", style="dim")
            table.add_row(short(item.title, TITLE), Text(value), shown, Text(count(item.n)))
    console.print(table)
