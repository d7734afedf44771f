"""An audit document read into frozen records: cleaned, bounded, tolerant of missing keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.report.audit_records import (
    SECTIONS,
    Audit,
    AuditLimits,
    AuditNumber,
    Block,
    Failed,
    Scorer,
)
from triptych.report.fields import items, listed, mapping, number, numbers, text
from triptych.report.loose import facts
from triptych.report.loose_numbers import bounded, reading
from triptych.report.model import Histogram
from triptych.report.study_model import checked, read_warnings
from triptych.report.study_records import Facts
from triptych.report.text import line

SCHEMA = "triptych/audit@1"
NAME = 80
BLOCKS = 24


def read_audit(document: Any, limits: AuditLimits | None = None) -> Audit:
    """Read one document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    limits = limits or AuditLimits()
    checked(document, SCHEMA)
    data, gold, found = mapping(document, "dataset"), mapping(document, "gold"), listed(document, "scorers")
    return Audit(
        title=text(data, "name", NAME) or "the data",
        data=_data(data),
        gold=facts({key: value for key, value in gold.items() if key != "failures"}),
        gold_name=text(gold, "name", NAME),
        scorers=tuple(_scorer(item, limits) for item in found[: limits.scorers]),
        scorers_total=len(found),
        thresholds=facts(mapping(document, "thresholds")),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=facts(mapping(document, "provenance"), text=limits.text),
    )


def _data(data: Mapping[str, Any]) -> Facts:
    return facts({key: value for key, value in data.items() if key != "name"}, text=400)


def _scorer(item: Mapping[str, Any], limits: AuditLimits) -> Scorer:
    said = [line(each, limits.text) for each in items(item.get("reasons")) if isinstance(each, str)]
    sections = mapping(item, "numbers")
    return Scorer(
        name=text(item, "name", NAME) or "unnamed",
        kind=text(item, "kind", 20),
        verdict=text(item, "verdict", 40),
        reasons=tuple(said[: limits.notes]),
        needed=text(mapping(item, "needed"), "text", limits.text),
        failures=tuple(_failed(each, limits) for each in listed(item, "failures")[: limits.notes]),
        sections=tuple(
            (key, tuple(_number(each, limits) for each in listed(sections, key)[: limits.numbers])) for key in SECTIONS
        ),
        histogram=_histogram(mapping(item, "histogram")),
        blocks=tuple(_block(each) for each in listed(item, "blocks")[:BLOCKS]),
    )


def _number(item: Mapping[str, Any], limits: AuditLimits) -> AuditNumber:
    return AuditNumber(
        key=text(item, "key", NAME),
        title=text(item, "title", limits.text) or "unnamed",
        unit=text(item, "unit", NAME),
        reading=reading(item),
        n=bounded(item.get("n")),
        clusters=bounded(item.get("clusters")),
        undefined=text(item, "undefined", limits.text),
        no_interval=text(item, "no_interval", limits.text),
        note=text(item, "note", limits.text),
    )


def _failed(item: Mapping[str, Any], limits: AuditLimits) -> Failed:
    return Failed(
        text(item, "kind", NAME) or "unnamed",
        number(item, "count"),
        text(item, "place", limits.text),
        text(item, "example", limits.text),
    )


def _block(item: Mapping[str, Any]) -> Block:
    mean = {"value": item.get("mean"), "lo": item.get("lo"), "hi": item.get("hi")}
    return Block(text(item, "first", 160), reading(mean), number(item, "failed"))


def _histogram(item: Mapping[str, Any]) -> Histogram | None:
    edges, counts = numbers(item.get("edges")), numbers(item.get("counts"))
    if not edges or not counts or len(edges) != len(counts) + 1 or edges != sorted(edges) or len(counts) > 400:
        return None
    held = tuple(max(0.0, value) for value in counts)
    return Histogram("score", "scores", "", "score", tuple(edges), held, number(item, "missing") or 0.0)
