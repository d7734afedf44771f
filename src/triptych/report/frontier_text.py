"""A frontier on a terminal: what it says, the points of the front, the references; readable at 80 columns.

Texts pass the same gate as in the page and are `rich.text.Text`, so that none is read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from triptych.report.frontier_front import front, judged, letters, main_judge, reading
from triptych.report.frontier_model import read_frontier
from triptych.report.frontier_records import Axis, Frontier, Spot
from triptych.report.frontier_words import answers, asked, digits
from triptych.report.study_records import Reading
from triptych.report.study_text import plain_table, short
from triptych.report.words import count, number

POLICY = 30
"""Longest policy in the table, in characters."""
FRONT, NOTES = 16, 6
"""Points of the front, and lines of warnings or failures, that are printed; the page has the others."""


def print_frontier(document: Mapping[str, Any], console: Console) -> None:
    """Print a frontier document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    found = read_frontier(document)
    judge = main_judge(found)
    console.print(Text(asked(found)))
    best = front(found, judge)
    if best:
        console.print()
        console.print(points_table(found, judge, best))
        if len(best) > FRONT:
            console.print(_indented(f"{count(len(best) - FRONT, 'more point')} on the front in the report"))
    console.print()
    for card in answers(found):
        console.print(Text(card.title, style="bold"))
        for text in card.lines:
            console.print(_indented(text))
    for note in notes(found):
        console.print(note)


def points_table(found: Frontier, judge: Axis, best: Sequence[Spot]) -> Table:
    """The front from best quality to most diverse, then the points of reference."""
    heads = [("", False), ("policy", False), ("quality", True), ("diversity", True)]
    heads += [("complexity", True)] if found.complexity else []
    table = plain_table(*heads, ("", False))
    names = letters(found)
    others = [spot for spot in judged(found, judge) if spot.role != "policy" and spot not in best]
    for at, spot in enumerate(best[:FRONT]):
        table.add_row(
            Text(names.get(spot.id, "")), *_cells(found, judge, spot), end_section=at == len(best[:FRONT]) - 1
        )
    for spot in others[:FRONT]:
        table.add_row(Text(""), *_cells(found, judge, spot), style="dim")
    return table


def _cells(found: Frontier, judge: Axis, spot: Spot) -> list[Text]:
    quality, diversity = digits(found, judge)
    marks = ["knee"] if found.knee.get(judge.key) == spot.id else []
    marks += ["picked"] if found.pick and found.pick == spot.id else []
    cells = [short(spot.text, POLICY), _number(spot.quality, quality), _number(reading(spot, judge), diversity)]
    cells += [_number(spot.complexity, 2)] if found.complexity else []
    return [*cells, Text(", ".join(marks), style="bold")]


def _number(found: Reading, places: int) -> Text:
    if found.value is None:
        return Text("–")
    text = Text(number(found.value, places))
    if found.lo is not None and found.hi is not None:
        text.append(f" ±{number((found.hi - found.lo) / 2, places)}", style="dim")
    return text


def notes(found: Frontier) -> list[RenderableType]:
    """Policies that failed or were left out, and the warnings."""
    lines = [f"{name} failed: {error}" for name, error in found.failed[:NOTES]]
    more = found.failed_total - len(lines)
    lines += [f"{count(more, 'more failure')} in the report"] if more > 0 else []
    lines += [f"{name} was left out: {reason}" for name, reason in found.skipped[:NOTES]]
    lines += [f"! {text}" for text in found.warnings[:NOTES]]
    return [Text(text, style="yellow") for text in lines]


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 2))
