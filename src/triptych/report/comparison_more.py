"""What a comparison document may hold beside its pairs: ranks, overlap with benchmarks, duplicates across sets, models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from triptych.report.comparison_records import (
    Across,
    ComparisonLimits,
    Excerpt,
    ModelRow,
    Models,
    Overlap,
    Overlaps,
    Place,
    Ranking,
    SetInfo,
    Twin,
)
from triptych.report.fields import items, listed, mapping, raw, text
from triptych.report.loose_numbers import bounded, reading
from triptych.report.study_records import Reading
from triptych.report.text import clean, line
from triptych.report.words import AXES, AXIS_WORDS, count, number

NAME = 80
CELLS = (
    ("quality", "Quality"),
    ("per_prompt", "Distance between answers to a prompt"),
    ("per_prompt_novelty", "Novelty between answers to a prompt"),
    ("complexity", "Complexity"),
)
WHERE = {"both": "prompt and response", "prompt": "the prompt", "response": "the response"}
SPANS = 40
"""Marked places that are followed in one example."""

Named = Callable[[Any], SetInfo]


def read_ranks(document: Mapping[str, Any], named: Named, limits: ComparisonLimits) -> tuple[Ranking, ...]:
    """The order of all sets by each measure; measures that order fewer than two sets are left out."""
    found = [_ranking(item, named, limits) for item in listed(document, "ranks")[: limits.ranks]]
    return tuple(each for each in found if len(each.places) > 1)


def _ranking(item: Mapping[str, Any], named: Named, limits: ComparisonLimits) -> Ranking:
    label = text(item, "label", NAME) or text(item, "measure", NAME) or "unnamed"
    axis, better = text(item, "axis", 20), text(item, "better", 20)
    places = [
        Place(named(each.get("set")), reading(each), at + 1, bounded(each.get("rank_lo")), bounded(each.get("rank_hi")))
        for at, each in enumerate(listed(item, "order")[: limits.sets])
    ]
    return Ranking(
        label=label,
        title=text(item, "title", NAME) or label,
        unit=text(item, "unit", 60),
        axis=AXIS_WORDS[axis].name if axis in AXES else "",
        better=better if better in ("higher", "lower") else "",
        places=tuple(each for each in places if each.reading.value is not None),
    )


def read_overlaps(document: Mapping[str, Any], limits: ComparisonLimits) -> Overlaps | None:
    """What the sets share with benchmarks; None where that was not asked."""
    if not isinstance(document.get("contamination"), Mapping):
        return None
    item = mapping(document, "contamination")
    rows = tuple(_overlap(each, limits) for each in listed(item, "benchmarks")[: limits.benchmarks])
    return Overlaps(rows, text(item, "text", 4 * limits.text))


def _overlap(item: Mapping[str, Any], limits: ComparisonLimits) -> Overlap:
    items_, held = bounded(item.get("items")), bounded(item.get("items_hit"))
    return Overlap(
        name=text(item, "name", NAME) or "unnamed",
        owner=text(item, "set", NAME),
        records=bounded(item.get("records")),
        hits=bounded(item.get("hits")),
        share=reading({"value": item.get("share"), "lo": item.get("lo"), "hi": item.get("hi")}),
        precision=reading(item.get("precision")),
        by=_told_by(text(mapping(item, "precision"), "by", 40)),
        threshold=bounded(item.get("threshold")),
        items=f"{count(held)} of {count(items_)}" if held is not None and items_ is not None else "",
        undefined=text(item, "undefined", limits.text),
        examples=tuple(_excerpt(each, limits.text) for each in listed(item, "examples")[: limits.examples]),
    )


def _told_by(found: str) -> str:
    """Where a precision comes from, in words."""
    return {"chance": "by the chance level", "labels": "by labels"}.get(found, found and f"by {found}")


def _excerpt(found: Any, limit: int) -> Excerpt:
    """A record as text with its spans marked; where it is only a text, that."""
    if not isinstance(found, Mapping):
        return Excerpt("", ((False, line(str(found), limit)),) if found is not None else ())
    of, similarity = _address(found.get("benchmark")), bounded(found.get("similarity"))
    note = f"{number(similarity, 2)} of {of}" if of and similarity is not None else of
    return Excerpt(_address(found.get("record")), _marked(found, limit), note)


def _address(found: Any) -> str:
    if isinstance(found, Mapping):
        parts = [text(found, key, NAME) for key in ("source", "row", "field")]
        return ":".join(part for part in parts if part)
    return "" if found is None else line(str(found), NAME)


def _marked(item: Mapping[str, Any], limit: int) -> tuple[tuple[bool, str], ...]:
    """A text cut at its marked spans (places from, to); spans that are texts are marked where they first occur.

    Of a long text the part is shown in which its longest span begins.
    """
    whole = raw(item, "text")
    ends = sorted(span for each in items(item.get("spans"))[:SPANS] if (span := _span(each, whole)) is not None)
    first = _window(ends, len(whole), limit)
    last = min(first + limit, len(whole))
    pieces: list[tuple[bool, str]] = [(False, "…")] if first or bounded(item.get("start")) else []
    at = first
    for start, end in ends:
        if min(end, last) <= at or start >= last:
            continue
        pieces += [(False, whole[at : max(at, start)]), (True, whole[max(at, start) : min(end, last)])]
        at = min(end, last)
    pieces.append((False, whole[at:last] + ("…" if last < len(whole) else "")))
    return tuple((marked, clean(piece, limit + 1)) for marked, piece in pieces if piece)


def _window(ends: Sequence[tuple[int, int]], size: int, limit: int) -> int:
    """Where the part of a text begins that is shown: a little before its longest span, unless that fits from the start."""
    longest = max(ends, key=lambda span: (span[1] - span[0], -span[0]), default=(0, 0))
    if longest[1] <= limit:
        return 0
    return max(min(longest[0] - limit // 8, size - limit), 0)


def _span(found: Any, whole: str) -> tuple[int, int] | None:
    if isinstance(found, str):
        start = whole.find(found)
        return (start, start + len(found)) if found and start >= 0 else None
    if isinstance(found, Mapping):
        found = [found.get("start"), found.get("end")]
    ends = [bounded(each) for each in items(found)[:2]]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    start, end = (int(min(max(each, 0), len(whole))) for each in (ends[0], ends[1]))
    return (start, end) if end > start else None


def read_across(document: Mapping[str, Any], limits: ComparisonLimits) -> tuple[Across, ...]:
    """Duplicates across sets, by text and by meaning where that was asked; empty where they were not looked for."""
    whole = mapping(document, "across")
    return tuple(_across(item, limits) for item in (whole, mapping(whole, "meaning")) if item)


def _across(item: Mapping[str, Any], limits: ComparisonLimits) -> Across:
    labels, found = mapping(item, "adjudication"), listed(item, "examples")
    by, on = text(item, "by", 20), text(item, "on", 20)
    return Across(
        title=" ".join(part for part in (by and f"By {by}", on and f"of {WHERE.get(on, on)}") if part),
        pairs=bounded(item.get("pairs")),
        share=reading({"value": item.get("share"), "lo": item.get("lo"), "hi": item.get("hi")}),
        threshold=bounded(item.get("threshold")),
        suggested=_sentence(text(mapping(item, "suggested"), "why", limits.text)),
        examples=tuple(_twin(each, limits.text) for each in found[: limits.examples]),
        examples_total=len(found),
        labelled=bounded(labels.get("labelled")),
        precision=reading({"value": labels.get("precision"), "lo": labels.get("lo"), "hi": labels.get("hi")}),
        undefined=text(item, "undefined", limits.text),
    )


def _sentence(found: str) -> str:
    return f"{found[0].upper()}{found[1:].rstrip('.')}." if found else ""


def _twin(item: Mapping[str, Any], limit: int) -> Twin:
    span = item.get("span")
    shown = span if isinstance(span, str) else ", ".join(map(str, items(span)[:4]))
    first, second = (_excerpt(item.get(key), limit) for key in ("first", "second"))
    return Twin(first, second, bounded(item.get("similarity")), line(shown, limit))


def read_models(document: Mapping[str, Any], named: Named, limits: ComparisonLimits) -> Models | None:
    """Answers of models side by side; None where the sets are not that."""
    item = mapping(document, "models")
    found = listed(item, "rows")[: limits.sets]
    undefined = text(item, "undefined", limits.text)
    if not found and not undefined:
        return None
    sizes = [str(key) for key in items(item.get("k"))[:8]]
    sizes = sizes or list(dict.fromkeys(str(key) for each in found for key in islice(mapping(each, "pass_at"), 8)))[:8]
    cells = [(key, head) for key, head in CELLS if any(each.get(key) is not None for each in found)]
    return Models(
        heads=tuple(head for _, head in cells),
        k=tuple(line(each, 12) for each in sizes),
        rows=tuple(
            ModelRow(
                named(each.get("set")),
                tuple(reading(each.get(key)) for key, _ in cells),
                tuple(_at(mapping(each, "pass_at"), key) for key in sizes),
            )
            for each in found
        ),
        said=tuple(said for key in ("text", "note") if (said := text(item, key, 4 * limits.text))),
        undefined=undefined,
    )


def _at(found: Mapping[Any, Any], key: str) -> Reading:
    return reading(next((value for name, value in islice(found.items(), 60) if str(name) == key), None))
