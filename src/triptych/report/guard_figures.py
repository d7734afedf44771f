"""The figures and the table of one row of rounds: what was generated beside what was selected, scores by panel, splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from triptych.report.guard_plots import SHAPES, Chart, Line, chart, line_of
from triptych.report.guard_records import GENERATED, SCORES, SELECTED, SPLITS, Round
from triptych.report.guard_words import ID, READINGS, SPLIT_NAMES, Named, panel_kind, places_of, shown, title_of
from triptych.report.words import count

GENERATED_LOOK, SELECTED_LOOK = ("generated", "s0"), ("selected", "s1")
OTHERS = ("s2", "s3", "s6", "s7", "s4", "s5", "s1")
"""Colours of panels that are not in distribution, in their order."""
PANELS = 7
"""Most panels of one kind in one chart."""
COLUMNS = 40
"""Most rounds in a table."""
REASONS = 10
"""Reasons of missing numbers, and readings that one of them names, that are told."""
LOGGED = frozenset({"structures", "structures_all", "correct_structures", "templates", "semantic"})
REST = (
    *("structures_all", "correct_structures", "templates", "semantic", "surface", "per_prompt", "per_prompt_novelty"),
    *("semantic_novelty", "tail", "zero_signal", "real"),
)
"""Readings that have a chart of their own among the further ones."""


@dataclass(frozen=True)
class TableRow:
    """One reading in all rounds: texts, or why it is not defined."""

    title: str
    of: str
    cells: tuple[tuple[str, str], ...]
    first: bool


@dataclass(frozen=True)
class RoundTable:
    """All readings: one row each, one column a round."""

    heads: tuple[str, ...]
    rows: tuple[TableRow, ...]
    reasons: tuple[str, ...]
    left_out: int


def main_charts(rounds: Sequence[Round], kinds: Mapping[str, str]) -> list[Chart]:
    """Structures, quality, complexity, novelty, scores by panel, tokens."""
    numbers, shades = numbers_of(rounds), shades_of(rounds)
    found = [pair_chart(rounds, "structures"), *quality_charts(rounds), pair_chart(rounds, "complexity")]
    news = [
        line_of(rounds, "novelty", GENERATED, ("earlier rounds", "s0")),
        line_of(rounds, "anchor_novelty", GENERATED, ("anchor", "s3"), mark="square"),
        line_of(rounds, "novelty", SELECTED, ("selected", "s1"), dashed=True),
    ]
    found.append(chart("New against", news, numbers, unit="ratio", shades=shades))
    found += [*score_charts(rounds, kinds), pair_chart(rounds, "tokens")]
    return [each for each in found if each is not None]


def more_charts(rounds: Sequence[Round]) -> list[Chart]:
    """The further readings, then the splits."""
    numbers, shades = numbers_of(rounds), shades_of(rounds)
    known = {each.key for each in READINGS}
    extra = dict.fromkeys(name for each in rounds for name in each.numbers.get(GENERATED, {}) if name not in known)
    found = [pair_chart(rounds, name) for name in (*REST, *extra)]
    losses = [
        line_of(rounds, "quality_control", SPLITS, ("quality control", "s0")),
        line_of(rounds, "narrowing", SPLITS, ("narrowing", "s6"), mark="square"),
    ]
    found.append(chart("Diversity lost since the first round", losses, numbers, shades=shades))
    names = dict.fromkeys([each.key for each in SPLIT_NAMES if each.key not in ("quality_control", "narrowing")])
    names |= dict.fromkeys(n for each in rounds for n in each.numbers.get(SPLITS, {}) if n not in known)
    for name in names:
        if name in ("quality_control", "narrowing"):
            continue
        own = [line_of(rounds, name, SPLITS, ("", "s5"))]
        found.append(chart(title_of(name, SPLITS).title, own, numbers, shades=shades))
    return [each for each in found if each is not None]


def pair_chart(rounds: Sequence[Round], name: str) -> Chart | None:
    """One reading of what was generated beside that of what was selected."""
    named = title_of(name)
    lines = [
        line_of(rounds, name, GENERATED, GENERATED_LOOK),
        line_of(rounds, name, SELECTED, SELECTED_LOOK, dashed=True, mark="square"),
    ]
    unit = "" if named.unit.lower() in named.title.lower() else named.unit
    return chart(
        named.title,
        lines,
        numbers_of(rounds),
        unit=unit,
        axis="log" if name in LOGGED else "plain",
        shades=shades_of(rounds),
    )


def quality_charts(rounds: Sequence[Round]) -> list[Chart | None]:
    """Quality as measured, as verified and in truth: in one chart where all are shares."""
    numbers, shades = numbers_of(rounds), shades_of(rounds)
    looks = (("quality", "measured", "s0"), ("verified", "verified", "s3"), ("true", "in truth", "s2"))
    lines = [
        line_of(rounds, name, GENERATED, (label, css), mark=SHAPES[at]) for at, (name, label, css) in enumerate(looks)
    ]
    lines.append(line_of(rounds, "quality", SELECTED, ("selected", "s1"), dashed=True))
    values = [item.value for line in (lines[0], lines[3]) for item in line.points.values() if item.value is not None]
    if all(0 <= value <= 1 for value in values):
        return [chart("Quality of what was generated", lines, numbers, unit="ratio", shades=shades)]
    own = chart("Quality as measured", [lines[0], lines[3]], numbers, shades=shades)
    return [own, chart("Verified and true", lines[1:3], numbers, unit="ratio", shades=shades)]


def score_charts(rounds: Sequence[Round], kinds: Mapping[str, str]) -> list[Chart | None]:
    """Scores by panel; scores at k > 1 in a chart of their own."""
    numbers, shades = numbers_of(rounds), shades_of(rounds)
    names = panels_of(rounds)
    plain = [name for name in names if "@" not in name]
    lines = panel_lines(rounds, plain, kinds)
    out = [chart("Scores by panel", lines, numbers, unit="ratio", shades=shades)]
    tries = [name for name in names if "@" in name]
    at_k = panel_lines(rounds, tries, kinds)
    title = "Solved within k tries" + (f": {tries[0]}" if len(tries) == 1 else "")
    return [*out, chart(title, at_k, numbers, unit="ratio", shades=shades)]


def panel_lines(rounds: Sequence[Round], names: Sequence[str], kinds: Mapping[str, str]) -> list[Line]:
    """A line for each panel: those in distribution blue, the others in their order."""
    own = [name for name in names if panel_kind(name, kinds) == ID][:PANELS]
    out = [name for name in names if name not in own][:PANELS]
    looks = [(name, "s0", SHAPES[at % len(SHAPES)]) for at, name in enumerate(own)]
    looks += [(name, OTHERS[at], SHAPES[(at + 1) % len(SHAPES)]) for at, name in enumerate(out)]
    return [line_of(rounds, name, SCORES, (name, css), mark=mark) for name, css, mark in looks]


def panels_of(rounds: Sequence[Round]) -> list[str]:
    """The panels that any round has a score of, those in distribution as they come."""
    return list(dict.fromkeys(name for each in rounds for name in each.numbers.get(SCORES, {})))


def numbers_of(rounds: Sequence[Round]) -> list[int]:
    """The numbers of the rounds, in order, each once."""
    return sorted({each.number for each in rounds})


def shades_of(rounds: Sequence[Round]) -> list[tuple[int, str]]:
    """The rounds at which the guard warned or stopped."""
    return [(each.number, each.ruling.verdict) for each in rounds if each.ruling.verdict in ("warn", "stop")]


def round_table(rounds: Sequence[Round]) -> RoundTable:
    """Every reading in every round, what was selected and the scores too."""
    own = rounds[-COLUMNS:]
    rows: list[TableRow] = []
    for of in (GENERATED, SELECTED, SCORES, SPLITS):
        known = [each.key for each in (SPLIT_NAMES if of == SPLITS else READINGS)]
        there = {name for each in own for name in each.numbers.get(of, {})}
        names = panels_of(own) if of == SCORES else []
        names += [name for name in known if name in there] + sorted(there - set(known) - set(names))
        for at, name in enumerate(name for name in names if name in there):
            rows.append(
                _row(own, of, title_of(name, of) if of != SCORES else Named(name, name, "ratio"), first=at == 0)
            )
    sizes = [
        TableRow(title, "", tuple(("–" if v is None else f"{v:,.0f}", "") for v in values), at == 0)
        for at, (title, values) in enumerate(
            (("Records", [each.records for each in own]), ("Valid records", [each.valid for each in own]))
        )
        if any(value is not None for value in values)
    ]
    heads = tuple(str(each.number) for each in own)
    return RoundTable(heads, (*sizes, *rows), tuple(_reasons(own)), len(rounds) - len(own))


def _reasons(rounds: Sequence[Round]) -> list[str]:
    """Why readings are not defined, each reason once with the readings and the rounds that it holds for."""
    found: dict[str, tuple[dict[str, None], list[int]]] = {}
    for each in rounds:
        for (of, name), reason in each.missing.items():
            titles, where = found.setdefault(reason, ({}, []))
            titles[title_of(name, of).title.lower() + (", selected" if of == SELECTED else "")] = None
            where += [each.number] if each.number not in where else []
    out = []
    for reason, (titles, where) in list(found.items())[:REASONS]:
        when = "" if len(where) == len(rounds) else f" in {count(len(where), 'round')}, the first of them {where[0]}"
        named = list(titles)[:REASONS]
        more = f" and {count(len(titles) - len(named), 'more reading')}" if len(titles) > len(named) else ""
        out.append(f"Not defined{when} ({reason}): {'; '.join(named)}{more}.")
    return out


def _row(rounds: Sequence[Round], of: str, named: Named, *, first: bool) -> TableRow:
    found = [each.get(named.key, of) for each in rounds]
    places = places_of(found, named.unit)
    cells = []
    for each, item in zip(rounds, found, strict=True):
        if item.value is None:
            cells.append(("not defined" if (of, named.key) in each.missing else "–", ""))
            continue
        value = shown(replace(item, lo=None, hi=None), places)
        cells.append((value, shown(item, places).removeprefix(value).strip(" ()")))
    return TableRow(named.title, of, tuple(cells), first)
