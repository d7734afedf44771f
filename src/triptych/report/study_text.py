"""A study on a terminal: effects by panel with intervals and verdicts, contrasts, conclusions; readable at 80 columns.

Texts pass the same gate as in the page and are `rich.text.Text`, so that none is read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from triptych.report.study_model import read_parts
from triptych.report.study_records import Effect, Study, StudyLimits, Tradeoff
from triptych.report.study_tradeoff import rows as written_rows
from triptych.report.study_tradeoff import sentences
from triptych.report.study_view import factor_css, main_effects, main_factors
from triptych.report.study_words import LOWERS, NOTHING, RAISES, interval, p_value, places_for, signed, told
from triptych.report.words import count, not_defined

PANEL, FACTOR, CONTRAST = 16, 12, 34
"""Longest names of panels, factors and contrasts, in characters."""
WITHIN = "within margin"
"""Short for "no effect worth the margin" in a column."""
SHOWN = 12
"""Lines of conclusions, warnings or failed runs that are printed; the page has the others."""
COLOURS = {"s0": "blue", "s2": "green", "s1": "yellow"}


def print_study(document: Mapping[str, Any], console: Console) -> None:
    """Print a study document, or each of its parts.

    Raises:
        SchemaError: the document or one of its parts has another schema.
    """
    studies, total = read_parts(document, StudyLimits())
    for study in studies:
        console.print(Text(study.title, style="bold"))
        console.print(Text(runs_line(study), style="dim"))
        console.print()
        for table in tables(study):
            console.print(table)
            console.print()
        for text in closing(study):
            console.print(text)
        console.print()
    if total > len(studies):
        console.print(Text(f"{total - len(studies)} more parts are in the document."))


def tables(study: Study) -> list[Table]:
    """The main effects, then the contrasts of panels and what models wrote, where there are any."""
    found = [_effects(study)] if main_effects(study, SHOWN) else []
    found += [_contrasts(study.contrasts)] if study.contrasts else []
    return found + ([_written(study.tradeoff)] if study.tradeoff and study.tradeoff.points else [])


def runs_line(study: Study) -> str:
    """How many arms and runs there are, and what they took."""
    runs = study.runs
    parts = [count(study.arms_total, "arm"), f"{count(runs.done)} of {count(runs.total, 'run')} finished"]
    parts += [count(runs.failed_total, "failed run")] if runs.failed_total else []
    parts += [f"{count(runs.seconds)} s of training"] if runs.seconds is not None else []
    return ", ".join(parts)


def closing(study: Study) -> list[RenderableType]:
    """Quality against diversity, what can and cannot be concluded, which panels say nothing, failed runs, warnings."""
    lines: list[RenderableType] = []
    if study.tradeoff:
        lines += [Text("Quality against diversity", style="bold"), *map(_indented, sentences(study.tradeoff))]
    for can, title in ((True, "What can be concluded"), (False, "What cannot be concluded")):
        own = [item.text for item in study.conclusions if item.can == can]
        if own:
            lines += [Text(title, style="bold"), *_bounded(own, len(own), "")]
    reasons = {panel.name: panel.undefined for panel in study.panels if panel.undefined}
    lines += [_indented(f"{name}: {not_defined(reason)}", "dim") for name, reason in reasons.items()]
    failed = (f"run {run.run or run.arm} failed: {run.error or 'no reason was given'}" for run in study.runs.failed)
    lines += _bounded(failed, study.runs.failed_total, "yellow")
    return lines + _bounded((f"! {text}" for text in study.warnings), len(study.warnings), "yellow")


def short(name: str, limit: int) -> Text:
    """A name that fits its column."""
    return Text(name if len(name) <= limit else name[: limit - 1] + "…")


def plain_table(*heads: tuple[str, bool]) -> Table:
    """A table without lines; each head comes with whether its column is of numbers."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", title_justify="left")
    for head, numeric in heads:
        table.add_column(head, justify="right" if numeric else "left", no_wrap=numeric or head in ("panel", "factor"))
    return table


def _effects(study: Study) -> Table:
    effects = main_effects(study, SHOWN)
    places, css = places_for(effects), factor_css(main_factors(study))
    table = plain_table(
        ("panel", False), ("factor", False), ("effect", True), ("interval", True), ("p adj.", True), ("verdict", False)
    )
    for panel in study.panels:
        own = [item for item in effects if item.panel == panel.name]
        for at, item in enumerate(own):
            name = short(panel.name, PANEL) if at == 0 else Text("")
            factor = short(item.factor, FACTOR)
            factor.stylize(COLOURS.get(css[item.factor], ""))
            table.add_row(name, factor, *_numbers(item, places), end_section=at == len(own) - 1)
    return table


def _contrasts(found: Sequence[Effect]) -> Table:
    table = plain_table(("contrast of panels", False), ("effect", True), ("interval", True), ("verdict", False))
    places = places_for(found)
    for item in found:
        effect, ends, _, verdict = _numbers(item, places)
        table.add_row(short(item.name or f"{item.factor}: {item.panel}", CONTRAST), effect, ends, verdict)
    return table


def _written(tradeoff: Tradeoff) -> Table:
    """What models wrote, temperature by temperature; the page has the diversity of the right ones too."""
    table = plain_table(("written at", False), ("tasks", True), ("quality", True), ("diversity", True))
    for temperature, valid, quality, diversity, _ in written_rows(tradeoff):
        table.add_row(*map(Text, (temperature, valid.split(" ")[0], quality, diversity)))
    return table


def _numbers(item: Effect, places: int) -> tuple[Text, Text, Text, Text]:
    """Effect, interval, p and verdict; an undefined effect has only words."""
    if item.value is None:
        return Text("–", style="dim"), Text(""), Text(""), Text("not defined", style="dim")
    style = "bold" if item.verdict in (RAISES, LOWERS) else ""
    p = item.p_adjusted if item.p_adjusted is not None else item.p
    ends = interval(item.lo, item.hi, places) or "no interval"
    return (
        Text(signed(item.value, places), style=style),
        Text(ends),
        Text(p_value(p)),
        Text(WITHIN if item.verdict == NOTHING else told(item), style=style),
    )


def _bounded(texts: Iterable[str], total: int, style: str) -> list[RenderableType]:
    """The first lines, and how many more there are."""
    shown = [_indented(text, style) for text in islice(texts, SHOWN)]
    more = total - len(shown)
    return [*shown, *([_indented(f"{count(more)} more in the report", style)] if more > 0 and shown else [])]


def _indented(text: str, style: str = "") -> RenderableType:
    return Padding(Text(text, style=style), (0, 0, 0, 2))
