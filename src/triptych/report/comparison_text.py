"""A comparison on a terminal: whether it may be made, the answer, the headline measures by view; readable at 80 columns.

Texts pass the same gate as in the page and are `rich.text.Text`, so that none is read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from triptych.report.comparison_model import read_comparison
from triptych.report.comparison_records import (
    CONFOUNDED,
    CONTROLLED,
    UNKNOWN,
    A,
    B,
    Comparison,
    PairRecord,
    Ranking,
    Result,
    SetInfo,
    ViewRecord,
)
from triptych.report.comparison_words import (
    advice,
    difference,
    explanations,
    headline,
    price,
    primary,
    sentence,
    summary,
    told,
    values,
)
from triptych.report.study_text import plain_table, short
from triptych.report.words import count, not_defined, number

NAME, TITLE = 24, 26
"""Longest names of sets and measures, in characters."""
PAIRS, NOTES, LINES = 6, 6, 6
"""Pairs, notes and explanations that are printed; the page has the others."""
MARKS = {A: "▶", B: "◀", "equivalent": "◆", UNKNOWN: "○"}
"""The shape of each verdict, as on the page."""
STYLES = {CONTROLLED: "bold green", CONFOUNDED: "bold yellow"}


def print_comparison(document: Mapping[str, Any], console: Console) -> None:
    """Print a comparison document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    found = read_comparison(document)
    audit = found.comparability
    console.print(Text(headline(audit), style=STYLES.get(audit.verdict, "bold")))
    for text in dict.fromkeys((sentence(audit), *(f"not known: {text}" for text in audit.missing), advice(audit))):
        if text:
            console.print(_indented(text))
    for each in found.sets:
        console.print(_indented(_set_line(each), "dim"))
    for pair in found.pairs[:PAIRS]:
        console.print()
        for part in pair_lines(pair, several=found.pairs_total > 1):
            console.print(part)
    if found.pairs_total > PAIRS:
        console.print(Text(f"{count(found.pairs_total - PAIRS, 'more pair')} in the report"))
    for ranking in found.ranks[:PAIRS]:
        console.print()
        console.print(rank_table(ranking))
    for note in notes(found):
        console.print(note)


def _set_line(found: SetInfo) -> str:
    size = f", {count(found.records, 'record')}" if found.records is not None else ""
    return f"{found.letter}  {found.name}{size}"


def pair_lines(pair: PairRecord, *, several: bool) -> list[RenderableType]:
    """The answer of a pair, its headline measures in the main view, and where other views say otherwise."""
    lines: list[RenderableType] = []
    if several:
        names = f"{pair.first.letter} {pair.first.name} against {pair.second.letter} {pair.second.name}"
        lines.append(Text(names, style="bold"))
    lines.append(Text(summary(pair), style="bold"))
    paid = price(pair)
    lines += [_indented(f"The price: {paid}")] if paid else []
    view = primary(pair)
    shown = [item for item in view.results if item.headline] or list(view.results) if view else []
    if view and shown and not view.undefined:
        lines += [Text(""), measures(pair, shown)]
    lines += [_indented(text, "dim") for text in _missing(pair, view)]
    found = [f"{title}: {text[0].lower()}{text[1:]}" for title, said in explanations(pair) for text in said]
    lines += [Text("")] if found else []
    lines += [_indented(text) for text in found[:LINES]]
    more = len(found) - LINES
    return lines + ([_indented(f"{count(more, 'more disagreement')} of views in the report")] if more > 0 else [])


def measures(pair: PairRecord, found: list[Result]) -> Table:
    """Both values, the difference with its interval, the verdict with its shape."""
    first, second = pair.first.letter, pair.second.letter
    table = plain_table(("", False), (first, True), (second, True), ("difference", True), ("", False))
    for item in found[: 2 * LINES]:
        a, b = values(item)
        words = told(pair, item)
        verdict = Text(f"{MARKS.get(item.verdict, '–')} {words.words}", style="bold" if item.verdict in (A, B) else "")
        gap = Text(difference(item).replace(" (", " ", 1).rstrip(")"))
        table.add_row(short(item.title, TITLE), Text(a), Text(b), gap, verdict)
    return table


def _missing(pair: PairRecord, view: ViewRecord | None) -> list[str]:
    """Records that would tell, why numbers are missing, and which views there are not."""
    shown = [item for item in view.results if item.headline] if view else []
    lines = [
        f"{item.title}: about {count(item.needed)} records in each set would tell"
        for item in shown
        if item.verdict == UNKNOWN and item.needed is not None
    ]
    if view and not view.undefined:
        lines += [f"{item.title}: {not_defined(item.undefined)}" for item in shown if item.diff is None]
    return lines + [f"{each.title}: {not_defined(each.undefined)}" for each in pair.views if each.undefined]


def rank_table(found: Ranking) -> Table:
    """The sets in order, with the ranks that their intervals leave possible."""
    table = plain_table(("rank", True), (found.title, False), ("value", True), ("ranks possible", True))
    for place in found.places:
        value = number(place.reading.value or 0.0, 3)
        lo, hi = (place.rank if end is None else end for end in (place.rank_lo, place.rank_hi))
        possible = number(lo, 0) if lo == hi else f"{number(lo, 0)} to {number(hi, 0)}"
        table.add_row(
            Text(str(place.rank)),
            Text(f"{place.owner.letter} ").append_text(short(place.owner.name, NAME)),
            Text(value),
            Text(possible),
        )
    return table


def notes(found: Comparison) -> list[RenderableType]:
    """Overlap with benchmarks, duplicates across sets, warnings."""
    lines = [
        f"{each.name}: {count(each.hits, 'record')} overlap" + (f" with {each.owner}" if each.owner else "")
        for each in (found.contamination.rows if found.contamination else ())[:NOTES]
        if each.hits
    ]
    twins = [each for each in found.across if each.pairs]
    lines += [
        f"{count(each.pairs, 'record')} nearly the same as one of another set {each.title.lower()}".rstrip()
        for each in twins
    ]
    lines += [*found.models.said] if found.models else []
    lines += [f"! {text}" for text in found.warnings[:NOTES]]
    return [Text(text, style="yellow") for text in lines]


def _indented(text: str, style: str = "") -> RenderableType:
    return Padding(Text(text, style=style), (0, 0, 0, 2))
