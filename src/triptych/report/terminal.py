"""Profiles as tables for a terminal: one table for each axis, the sets side by side, readable at 80 columns.

Texts from data pass the same gate as in the page (`text.clean`), so that no record can send control sequences, and they
are `rich.text.Text`, so that no record is read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from triptych.report.comparison_words import reading_words
from triptych.report.encoders import two_encoders
from triptych.report.model import Estimate, Profile, read_profile
from triptych.report.rows import Cell, Row, rows
from triptych.report.verdict import sentences
from triptych.report.words import AXES, AXIS_WORDS, common_decimals, count, letter, listing, not_defined, number, span

SIDE_BY_SIDE = 3
"""More sets than this are listed one under the other: 80 columns hold three values with their intervals."""
WARNINGS = 4
SHARED = 4
"""Measures of one reason that are named; the others are counted."""
TITLE = 44
NAME = 15
"""Longest title and name, in characters."""


def print_profiles(documents: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the tables of several profile documents, then what a reader must know about them."""
    profiles = [read_profile(document) for document in documents]
    for table in tables(profiles):
        console.print(table)
        console.print()
    for text in [*notes(profiles), *_overlaps(profiles), *_encoders(profiles)]:
        console.print(text)


def verdicts(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each profile document: its name and what its headline numbers say."""
    profiles = [read_profile(document) for document in documents]
    return [f"{profile.dataset.name}: {text}" for profile, text in zip(profiles, sentences(profiles), strict=True)]


def tables(profiles: Sequence[Profile]) -> list[Table]:
    """One table for each axis on which something was measured."""
    build = _side_by_side if len(profiles) <= SIDE_BY_SIDE else _stacked
    return [build(profiles, axis, found) for axis in AXES if (found := rows(profiles, axis))]


def notes(profiles: Sequence[Profile]) -> list[Text]:
    """Why numbers or intervals are missing, what is approximate, and the warnings of each set."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for axis in AXES:
        for row in rows(profiles, axis):
            for cell in row.cells:
                for text in _reasons(cell.estimate):
                    names = reasons.setdefault(text, {}).setdefault(row.first.title, [])
                    names += [name] if (name := profiles[cell.which].dataset.name) not in names else []
    lines = [Text(f"  {text}", style="dim") for text in _shared(reasons, len(profiles))]
    for profile in profiles:
        shown = profile.warnings[:WARNINGS]
        lines += [Text(f"! {profile.dataset.name}: {text}", style="yellow") for text in shown]
        if len(profile.warnings) > len(shown):
            more = count(len(profile.warnings) - len(shown), "more warning")
            lines.append(Text(f"! {profile.dataset.name}: {more} in the report", style="yellow"))
    return lines


def _shared(reasons: Mapping[str, Mapping[str, list[str]]], sets: int) -> Iterator[str]:
    """A line for each reason: the measures and the sets that it holds for; of many measures the first ones."""
    for text, titles in reasons.items():
        same: dict[tuple[str, ...], list[str]] = {}
        for title, names in titles.items():
            same.setdefault(tuple(names), []).append(title)
        for having, found in same.items():
            who = f" ({listing(list(having))})" if len(having) < sets else ""
            more = [count(len(found) - SHARED, "more measure")] if len(found) > SHARED + 1 else []
            yield f"{listing([*(found[:SHARED] if more else found), *more])}: {text}{who}"


def _encoders(profiles: Sequence[Profile]) -> list[Text]:
    """What a second encoder says otherwise: one line, and the first disagreements."""
    both = two_encoders(profiles)
    if both is None:
        return []
    lines = [Text(both.summary)] + [Text(f"! {text}", style="yellow") for text in both.apart[:WARNINGS]]
    more = len(both.apart) - WARNINGS
    return lines + ([Text(f"! {count(more, 'more line')} in the report", style="yellow")] if more > 0 else [])


def _overlaps(profiles: Sequence[Profile]) -> list[Text]:
    """What each set holds of benchmarks: a line for each that it holds, one for all others."""
    lines = []
    for profile in profiles:
        rows, name = profile.contamination.rows if profile.contamination else (), profile.dataset.name
        for row in rows:
            if row.hits:
                known = row.precision.value is not None
                precision = f"precision {reading_words(row.precision, 2)} {row.by}" if known else "precision not known"
                share = f"{count(row.hits)} of {count(row.records, 'record')}, {reading_words(row.share, 4)}"
                lines.append(Text(f"{name}: {share}, hold text of {row.name}; {precision}"))
        if none := [row.name for row in rows if row.hits == 0]:
            lines.append(Text(f"{name}: no record holds text of {listing(none)}"))
    return lines


def _reasons(item: Estimate) -> list[str]:
    if item.value is None:
        return [not_defined(item.undefined)]
    found = [item.about.asked] if item.about.asked else []
    found += [] if item.exact else ["≈ approximate" + (f", {item.bound}" if item.bound else "")]
    return found + ([f"no interval: {item.no_interval or 'no reason was given'}"] if item.lo is None else [])


def _side_by_side(profiles: Sequence[Profile], axis: str, found: Sequence[Row]) -> Table:
    table = _table(axis)
    for profile in profiles:
        name = profile.dataset.name
        short = name if len(name) <= NAME else name[: NAME - 1] + "…"
        table.add_column(Text(short), justify="right", no_wrap=True)
    table.add_column("n", justify="right", style="dim", no_wrap=True)
    for row in found:
        places = common_decimals([cell.estimate for cell in row.cells])
        by_set = {cell.which: cell for cell in row.cells}
        cells = [_cell(by_set.get(which), places) for which in range(len(profiles))]
        table.add_row(_measure(row), *cells, _sizes(row), style="bold" if row.headline else "")
    return table


def _stacked(profiles: Sequence[Profile], axis: str, found: Sequence[Row]) -> Table:
    table = _table(axis)
    table.add_column("set", overflow="ellipsis", no_wrap=True, max_width=18)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("interval", justify="right", no_wrap=True)
    table.add_column("n", justify="right", style="dim", no_wrap=True)
    for row in found:
        places = common_decimals([cell.estimate for cell in row.cells])
        for position, cell in enumerate(row.cells):
            item = cell.estimate
            name = Text(f"{letter(cell.which)} {profiles[cell.which].dataset.name}")
            value = "not defined" if item.value is None else _flagged(item, places)
            ends = span(item.lo, item.hi, places) if item.lo is not None and item.hi is not None else ""
            ends += _length(cell)
            last = position == len(row.cells) - 1
            title = _measure(row) if position == 0 else Text("")
            table.add_row(title, name, Text(value), Text(ends), count(item.n), end_section=last)
    return table


def _table(axis: str) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", title_justify="left")
    table.add_column(Text(AXIS_WORDS[axis].name, style="bold not dim"), overflow="fold", min_width=22)
    return table


def _measure(row: Row) -> Text:
    title, unit = f"{row.first.title}, {row.detail}" if row.detail else row.first.title, row.first.unit
    text = Text(title if len(title) <= TITLE else title[: TITLE - 1] + "…")
    told = unit in ("", "ratio") or unit in title.lower() or len(unit) > TITLE
    return text if told else text.append(f", {unit}", style="dim not bold")


def _flagged(item: Estimate, places: int) -> str:
    return ("" if item.exact else "≈") + number(item.value or 0.0, places)


def _cell(cell: Cell | None, places: int) -> Text:
    """Value ± half-width, with the correlation to length on a second line."""
    if cell is None:
        return Text("–", style="dim")
    item = cell.estimate
    if item.value is None:
        return Text("not defined", style="dim not bold")
    text = Text(_flagged(item, places))
    if item.lo is not None and item.hi is not None:
        text.append(f" ±{number((item.hi - item.lo) / 2, places)}", style="dim not bold")
    return text.append(_length(cell), style="dim not bold")


def _length(cell: Cell) -> str:
    other = cell.companion
    return f"\nlength {number(other.value, 2)}" if other is not None and other.value is not None else ""


def _sizes(row: Row) -> str:
    sizes = sorted({cell.estimate.n for cell in row.cells if cell.estimate.n and cell.estimate.value is not None})
    return "" if not sizes else count(sizes[0]) if len(sizes) == 1 else f"{count(sizes[0])}–{count(sizes[-1])}"
