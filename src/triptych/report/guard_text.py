"""A guard on a terminal: the verdict, the rounds, reasons and suggestions; readable at 80 columns.

Texts pass the same gate as in the page and are `rich.text.Text`, so that none is read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from triptych.report.guard_figures import panels_of
from triptych.report.guard_model import read_guard
from triptych.report.guard_records import GENERATED, SCORES, SELECTED, Guarded, Round
from triptych.report.guard_words import ID, SIGNS, headline, panel_kind, places_of, read_how, state_of, title_of
from triptych.report.study_text import plain_table, short
from triptych.report.words import count, number

ROUNDS, LINES = 24, 6
"""Rounds, and lines of reasons, notes and warnings, that are printed; the page has the others."""
STYLES = {"continue": "green", "warn": "yellow", "stop": "bold red"}
PANELS = 2
"""Panels in the table: the first in distribution and the first out of it."""
NAME = 11


def print_guard(document: Mapping[str, Any], console: Console) -> None:
    """Print a guard document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    found = read_guard(document)
    console.print(Text(headline(found.ruling), style=STYLES.get(found.ruling.verdict, "bold")))
    console.print(indented(read_how(found), "dim"))
    if found.rounds:
        console.print()
        console.print(rounds_table(found))
        if found.rounds_total > ROUNDS:
            console.print(indented(f"{count(found.rounds_total - ROUNDS, 'earlier round')} in the report", "dim"))
    for title, said in (("Why", found.ruling.reasons), ("What to do", found.ruling.suggest)):
        if said:
            console.print()
            console.print(Text(title, style="bold"))
            for text in said[:LINES]:
                console.print(indented(text))
    for text in found.notes[:LINES]:
        console.print(indented(text, "dim"))
    for text in found.warnings[:LINES]:
        console.print(Text(f"! {text}", style="yellow"))


def rounds_table(found: Guarded) -> Table:
    """One line a round: valid records, quality, structures generated and selected, scores, what the guard says."""
    rounds = found.rounds[-ROUNDS:]
    names = panels_of(found.rounds)
    by_kind = [[name for name in names if (panel_kind(name, found.kinds) == ID) is own] for own in (True, False)]
    panels = [own[0] for own in by_kind if own][:PANELS]
    quality = next(
        (name for name in ("verified", "quality") if any(each.value(name) is not None for each in rounds)), ""
    )
    columns = [(quality, GENERATED, quality)] if quality else []
    columns += [("structures", GENERATED, "structures"), ("structures", SELECTED, "selected")]
    columns = [c for c in columns if any(each.value(c[0], c[1]) is not None for each in rounds)]
    columns += [(name, SCORES, name) for name in panels]
    heads = [("round", True), ("valid", True), *((_cut(head), True) for _, _, head in columns), ("guard", False)]
    table = plain_table(*heads)
    table.columns[-1].no_wrap = True
    places = [places_of([each.get(name, of) for each in rounds], title_of(name, of).unit) for name, of, _ in columns]
    for each in rounds:
        cells = [Text(str(each.number)), Text("–" if each.valid is None else count(each.valid))]
        cells += [_cell(each, name, of, at) for (name, of, _), at in zip(columns, places, strict=True)]
        table.add_row(*cells, said(each))
    return table


def said(found: Round) -> Text:
    """State and verdict with its sign."""
    ruling = found.ruling
    if not ruling.state and not ruling.verdict:
        return Text("–", style="dim")
    sign = SIGNS.get(ruling.verdict, "")
    text = short(f"{sign} {state_of(ruling).name}".strip(), 17)
    text.stylize(STYLES.get(ruling.verdict, ""))
    return text


def indented(text: str, style: str = "") -> RenderableType:
    """A line set in by two."""
    return Padding(Text(text, style=style), (0, 0, 0, 2))


def _cell(found: Round, name: str, of: str, places: int) -> Text:
    value = found.value(name, of)
    return Text("–", style="dim") if value is None else Text(number(value, places))


def _cut(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1] + "…"
