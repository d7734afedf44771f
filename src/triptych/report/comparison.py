"""Comparison documents to one page: `render_comparison`. Pure; equal documents, equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.report.comparison_figures import Love, love, rank_view
from triptych.report.comparison_model import is_raw, read_comparison
from triptych.report.comparison_plots import (
    ForestMark,
    ForestScale,
    forest_mark,
    forest_scale,
    forest_ticks,
)
from triptych.report.comparison_records import (
    COMPARISON_LADDER,
    UNKNOWN,
    Comparison,
    PairRecord,
    Result,
    SetInfo,
    ViewRecord,
)
from triptych.report.comparison_words import (
    Answer,
    Told,
    advice,
    answers,
    compared,
    difference,
    explanations,
    headline,
    margin_words,
    more,
    places,
    price,
    primary,
    reading_words,
    sentence,
    signed_ends,
    sizes,
    summary,
    told,
    values,
    view_facts,
)
from triptych.report.page import render_bounded
from triptych.report.study_plots import Places
from triptych.report.study_records import Facts
from triptych.report.study_words import p_value, signed
from triptych.report.words import AXES, AXIS_WORDS, count, direction, not_defined, number


@dataclass(frozen=True)
class ForestLine:
    """One measure in one view: words, and where it stands. `size` is the number of records on either side."""

    view: str
    main: bool
    size: str
    told: Told
    value: str
    ends: str
    mark: ForestMark | None
    spoken: str
    undefined: str


@dataclass(frozen=True)
class ForestGroup:
    """One headline measure in all views."""

    title: str
    axis: str
    note: str
    lines: tuple[ForestLine, ...]


@dataclass(frozen=True)
class Forest:
    """All headline measures on one axis, in margins. `fallback`: the document names no headline measure."""

    groups: tuple[ForestGroup, ...]
    ticks: Places
    band: tuple[float, float]
    zero: float
    bent: bool
    fallback: bool


@dataclass(frozen=True)
class MeasureRow:
    """One line of the table of all measures."""

    title: str
    label: str
    note: str
    headline: bool
    cells: tuple[str, ...]
    told: Told
    undefined: str
    more: str


@dataclass(frozen=True)
class ViewTable:
    """All measures of one view, axis by axis."""

    title: str
    question: str
    size: str
    undefined: str
    axes: tuple[tuple[str, tuple[MeasureRow, ...]], ...]


@dataclass(frozen=True)
class PairView:
    """Two sets as the page shows them. `key` begins the ids of its parts."""

    key: str
    pair: PairRecord
    audit: str
    summary: str
    price: str
    view: str
    answers: tuple[Answer, ...]
    forest: Forest
    undefined: tuple[tuple[str, str], ...]
    explanations: tuple[tuple[str, list[str]], ...]
    tables: tuple[ViewTable, ...]
    loves: tuple[Love, ...]


def render_comparison(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page for a comparison document.

    Args:
        document: a comparison document (`triptych/comparison@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        SchemaError: the document has another schema.
    """
    return render_bounded(
        "comparison.html.jinja",
        lambda limits: comparison_view(read_comparison(document, limits)),
        COMPARISON_LADDER,
    )


def comparison_view(found: Comparison) -> dict[str, Any]:
    """Everything that the template prints."""
    audit = found.comparability
    return {
        "found": found,
        "title": compared(found),
        "headline": headline(audit),
        "sentence": sentence(audit),
        "advice": advice(audit),
        "sets": [(each, set_facts(each)) for each in found.sets],
        "several": found.pairs_total > 1,
        "pairs": [pair_view(at, pair) for at, pair in enumerate(found.pairs)],
        "ranks": [rank_view(each) for each in found.ranks],
        "left_out": [
            f"{count(few)} of {count(total, noun)} are shown; the others are in the document."
            for few, total, noun in found.left_out
        ],
        "pairs_audited": found.pairs_total > 1 and all(pair.comparability for pair in found.pairs),
        "audit_prompts": shared_prompts(audit.prompts),
        "provenance": provenance(found),
        "cell": reading_words,
    }


def shared_prompts(
    found: Sequence[tuple[str, float | None, float | None]],
) -> list[tuple[str, list[tuple[int, str, float]]]]:
    """Shares of either set's prompts that the other has too: their words, and the length of a bar in hundredths."""
    return [
        (
            title,
            [
                (at, number(share, 3), round(100 * min(1.0, max(0.0, share)), 1))
                for at, share in enumerate(sides)
                if share is not None
            ],
        )
        for title, *sides in found
    ]


def provenance(found: Comparison) -> Facts:
    """Where the sets lie and what they are, then what the document says of its making."""
    sets = [
        (f"{each.letter} {what}", value)
        for each in found.sets
        for what, value in (("source", each.path), ("SHA-256", each.sha256))
        if value
    ]
    notes = [(f"{each.letter} {what}", value) for each in found.sets for what, value in each.notes]
    return (*sets, *notes, *found.provenance)


def set_facts(found: SetInfo) -> str:
    """How large a set is."""
    parts = [
        count(size, noun)
        for size, noun in ((found.records, "record"), (found.tokens, "token"), (found.prompts, "prompt"))
        if size is not None
    ]
    if found.valid is not None:
        parts.append(f"{number(found.valid, 3)} valid" if found.valid <= 1 else f"{count(found.valid)} valid")
    return " · ".join(parts)


def pair_view(at: int, pair: PairRecord) -> PairView:
    """One pair, ready to print: the primary view's table comes first."""
    main = primary(pair)
    views = sorted(pair.views, key=lambda view: view is not main)
    return PairView(
        key=f"pair-{at + 1}",
        pair=pair,
        audit=headline(pair.comparability) if pair.comparability else "",
        summary=summary(pair),
        price=price(pair),
        view=main.title if main else "",
        answers=tuple(answers(pair)),
        forest=forest(pair),
        undefined=tuple((view.title, not_defined(view.undefined)) for view in pair.views if view.undefined),
        explanations=tuple(explanations(pair)),
        tables=tuple(view_table(pair, view) for view in views),
        loves=tuple(love(view, main=view is main) for view in views if not is_raw(view) or len(views) == 1),
    )


def forest(pair: PairRecord) -> Forest:
    """Headline measures by view; without any, the first measure of each axis that has a difference."""
    there = [item for view in pair.views if not view.undefined for item in view.results]
    labels = list(dict.fromkeys(item.label for item in there if item.headline))
    fallback = not labels
    if fallback:
        known = [item for item in there if item.diff is not None]
        labels = [own[0] for axis in AXES if (own := [item.label for item in known if item.axis == axis])]
    shown = sorted((_in_views(pair, label) for label in labels), key=lambda found: _axis_place(found[0][1].axis))
    scale = forest_scale([item for found in shown for _, item in found])
    groups = []
    for found in shown:
        item = found[0][1]
        at = max(places(each) for _, each in found)
        lines = tuple(_forest_line(pair, view, each, scale, at) for view, each in found)
        axis = AXIS_WORDS[item.axis].name if item.axis else ""
        groups.append(ForestGroup(item.title, axis, _unit_note(item), lines))
    return Forest(tuple(groups), forest_ticks(scale), (scale.at(-1), scale.at(1)), scale.at(0), scale.bent, fallback)


def _in_views(pair: PairRecord, label: str) -> list[tuple[ViewRecord, Result]]:
    there = [view for view in pair.views if not view.undefined]
    return [(view, item) for view in there for item in view.results if item.label == label]


def _axis_place(axis: str) -> int:
    return AXES.index(axis) if axis in AXES else len(AXES)


def _forest_line(pair: PairRecord, view: ViewRecord, item: Result, scale: ForestScale, at: int) -> ForestLine:
    words, mark = told(pair, item), forest_mark(item, scale)
    undefined = not_defined(item.undefined) if item.diff is None else "no margin, so it has no place on the axis"
    said = f"{difference(item, at)}, margin {margin_words(item)}, {words.words}"
    return ForestLine(
        view=view.title,
        main=view is primary(pair),
        size=sizes(item.n if item.n[0] else view.records),
        told=words,
        value=signed(item.diff, at) if item.diff is not None else "",
        ends=signed_ends(item, at),
        mark=mark,
        spoken=f"{item.title}, {view.title}: {said}",
        undefined="" if mark else undefined,
    )


def _unit_note(item: Result) -> str:
    unit = item.unit if item.unit not in ("label", "mean", "score") else ""
    way = direction(item.better, item.axis) or "neither side is better"
    return ", ".join(part for part in (unit, way) if part)


def view_table(pair: PairRecord, view: ViewRecord) -> ViewTable:
    """All measures of a view; only the reason where there is no such view."""
    axes = []
    for axis in (*AXES, "") if not view.undefined else ():
        found = sorted((item for item in view.results if item.axis == axis), key=lambda item: not item.headline)
        rows = tuple(_measure_row(pair, item) for item in found)
        if rows:
            axes.append((AXIS_WORDS[axis].name if axis else "Other", rows))
    return ViewTable(view.title, view.question, view_facts(view), view.undefined, tuple(axes))


def _measure_row(pair: PairRecord, item: Result) -> MeasureRow:
    a, b = values(item)
    at = places(item)
    cells = (
        a,
        b,
        signed(item.diff, at) if item.diff is not None else "–",
        signed_ends(item, at) or "–",
        p_value(item.p_adjusted),
        margin_words(item),
        sizes(item.n) or "–",
    )
    undefined = not_defined(item.undefined) if item.diff is None else ""
    note = more(item) if item.verdict == UNKNOWN else "" if item.verdict or item.diff is None else item.about
    return MeasureRow(item.title, item.label, _unit_note(item), item.headline, cells, told(pair, item), undefined, note)
