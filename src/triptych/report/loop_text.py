"""A loop on a terminal: each arm round by round, what the guard said, conclusions; readable at 80 columns.

Texts pass the same gate as in the page and are `rich.text.Text`, so that none is read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from triptych.report.guard_records import GENERATED
from triptych.report.guard_text import LINES, ROUNDS, indented, said
from triptych.report.guard_words import places_of, title_of
from triptych.report.loop_model import read_loop
from triptych.report.loop_records import Arm, Loop
from triptych.report.loop_words import groups, lede, mean_score, overlap_line, quality_name, title, verdict_line
from triptych.report.study_text import plain_table
from triptych.report.words import count, number

THREE = 3
"""So many groups of panels leave no room for complexity."""
ARMS = 8
"""Arms that are printed; the page has the others."""


def print_loop(document: Mapping[str, Any], console: Console) -> None:
    """Print a loop document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    found = read_loop(document)
    console.print(Text(title(found), style="bold"))
    if told := lede(found):
        console.print(indented(told, "dim"))
    for arm in found.arms[:ARMS]:
        console.print()
        named = f"{arm.policy}: {arm.title}" if arm.title != arm.policy else arm.policy
        console.print(Text(named, style="bold"))
        if arm.turns:
            console.print(arm_table(found, arm))
        console.print(indented(verdict_line(arm)))
        if found.closed:
            console.print(indented(overlap_line(found, arm), "dim"))
        if arm.stopped:
            console.print(indented(f"Ended early: {arm.stopped}", "yellow"))
    if found.arms_total > ARMS:
        console.print(Text(f"{count(found.arms_total - ARMS, 'more loop')} in the report"))
    if found.conclusions:
        console.print()
        console.print(Text("Conclusions", style="bold"))
        for text in found.conclusions[: 2 * LINES]:
            console.print(indented(text))
    for text in found.warnings[:LINES]:
        console.print(Text(f"! {text}", style="yellow"))


def arm_table(found: Loop, arm: Arm) -> Table:
    """One line a round: quality as measured, scores, structures, complexity, what the guard says."""
    rounds = arm.rounds[-ROUNDS:]
    quality = quality_name(rounds)
    named = [(quality, quality, "ratio")] if quality else []
    scored = groups(found)
    others = ("structures", "complexity") if len(scored) < THREE else ("structures",)
    named += [
        (name, name, title_of(name).unit) for name in others if any(each.value(name) is not None for each in rounds)
    ]
    columns = [(head, [each.get(name, GENERATED) for each in rounds], unit) for name, head, unit in named]
    scores = [(group.short, [mean_score(each, group.names) for each in rounds], "ratio") for group in scored]
    columns[1:1] = scores
    table = plain_table(("round", True), *((head, True) for head, _, _ in columns), ("guard", False))
    table.columns[-1].no_wrap = True
    places = [places_of(values, unit) for _, values, unit in columns]
    for at, each in enumerate(rounds):
        cells = []
        for (_, values, _), digits in zip(columns, places, strict=True):
            value = values[at].value
            cells.append(Text("–", style="dim") if value is None else Text(number(value, digits)))
        table.add_row(Text(str(each.number)), *cells, said(each))
    return table
