"""A frontier document read into frozen records: cleaned, bounded, tolerant of missing keys.

Everything after this module works on these records and never on the raw JSON, so that one gate (`text.clean`) stands
between data and page. A number that is no number, or is absurdly large, is read as absent; an interval that does not
hold its value too.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from triptych.report.fields import finite, items, listed, mapping, text
from triptych.report.frontier_records import (
    REFERENCES,
    Axis,
    Decile,
    Frontier,
    FrontierLimits,
    Price,
    Rung,
    Spot,
    Threshold,
    Typicality,
)
from triptych.report.loose import facts
from triptych.report.loose_numbers import LARGEST, bounded, reading
from triptych.report.study_model import checked, read_warnings
from triptych.report.study_records import Facts, Reading
from triptych.report.text import line
from triptych.report.words import count

SCHEMA = "triptych/frontier@1"
NAME = 80
PLAIN = frozenset({"label", "mean", "score"})
"""Units that say nothing beside the name of the axis."""


def read_frontier(document: Any, limits: FrontierLimits | None = None) -> Frontier:
    """Read one document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    limits = limits or FrontierLimits()
    checked(document, SCHEMA)
    data, pick, pool = (mapping(document, key) for key in ("data", "pick", "pool"))
    judges = _judges(document)
    points = listed(document, "points")
    failed, prices = listed(document, "failed"), [_price(item) for item in listed(document, "price")[:2000]]
    return Frontier(
        name=text(data, "name", 60) or text(data, "path", 240).rsplit("/", 1)[-1],
        path=text(data, "path", 240),
        sha256=text(data, "sha256", 80),
        pool=bounded(data.get("records")),
        facts=facts(pool),
        budget=_budget(document),
        at=_at(document.get("at")),
        quality=_axis(mapping(document, "quality"), "quality"),
        complexity=_axis(mapping(document, "complexity"), "complexity") if mapping(document, "complexity") else None,
        judges=tuple(judges[: limits.judges]),
        judges_total=len(judges),
        spots=_spots(points, limits),
        spots_total=len(points),
        front={_key(key): tuple(map(_key, items(ids)[:400])) for key, ids in _pairs(document, "frontier")},
        volumes=_volumes(document),
        volume_of_all=_readings(document, "hypervolume_of_all"),
        knee={_key(key): _key(value) for key, value in _pairs(document, "knee") if value is not None},
        no_knee={_key(key): line(str(why), 200) for key, why in _pairs(document, "knee_reason") if why is not None},
        rules=facts(mapping(document, "rules"), text=limits.text),
        noise=facts(mapping(document, "noise"), text=limits.text),
        prices=tuple(price for price in prices if price.judge in ("", *(axis.key for axis in judges[:1])))[
            : limits.prices
        ],
        threshold=_threshold(document.get("threshold"), limits),
        typicality=_typicality(mapping(document, "typicality"), limits),
        pick_rule=text(pick, "rule", NAME),
        pick=_key(pick.get("id")) if pick.get("id") is not None else "",
        pick_why=text(pick, "why", limits.text),
        failed=_reasons(failed[: limits.notes], "error", limits),
        failed_total=len(failed),
        skipped=_reasons(listed(document, "skipped")[: limits.notes], "reason", limits),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=facts(mapping(document, "provenance"), text=limits.text),
    )


def _reasons(found: list[Mapping[str, Any]], key: str, limits: FrontierLimits) -> Facts:
    return tuple(
        (text(each, "policy", NAME) or "a policy", text(each, key, limits.text) or "no reason was given")
        for each in found
    )


def _key(found: Any) -> str:
    """A label or an id as it is compared and printed."""
    return line(str(found), NAME)


def _pairs(document: Mapping[str, Any], key: str) -> list[tuple[Any, Any]]:
    return list(islice(mapping(document, key).items(), 40))


def _readings(item: Mapping[str, Any], key: str) -> dict[str, Reading]:
    return {_key(name): reading(found) for name, found in _pairs(item, key)}


def _axis(item: Mapping[str, Any], fallback: str) -> Axis:
    # The mean of a label field is named by its field: that is what the reader knows, and what --quality takes.
    label = (text(item, "label", NAME) or fallback).removeprefix("label_mean:field=")
    independent, unit = item.get("independent"), text(item, "unit", 60)
    return Axis(
        key=_key(item.get("label", fallback)),
        label=label,
        title=text(item, "title", NAME) or label,
        unit="" if unit in PLAIN else unit,
        independent=independent if isinstance(independent, bool) else None,
    )


def _judges(document: Mapping[str, Any]) -> list[Axis]:
    """The judges of diversity; where the document names none, those by which its points were judged."""
    named = [_axis(item, "diversity") for item in listed(document, "diversity")[:40]]
    if not named:
        found = dict.fromkeys(key for point in listed(document, "points")[:40] for key in _readings(point, "diversity"))
        named = [_axis({"label": key}, key) for key in found]
    return list({axis.key: axis for axis in named}.values())


def _budget(document: Mapping[str, Any]) -> str:
    """A budget in the words of the command line: "1,000 records", "2,000,000 tokens"; empty where there is none."""
    item = document.get("budget")
    if isinstance(item, Mapping):
        number, unit = bounded(item.get("number")), text(item, "unit", 20) or "records"
        return "" if number is None else f"{count(number)} {unit}"
    number = finite(item)
    return line(item, NAME) if isinstance(item, str) else "" if number is None else count(number, "record")


def _at(found: Any) -> str:
    """At how many records diversity was read."""
    sizes = found.values() if isinstance(found, Mapping) else [found]
    known = sorted({size for each in islice(sizes, 40) if (size := finite(each)) is not None and 0 < size < LARGEST})
    return "" if not known else count(known[0]) if len(known) == 1 else f"{count(known[0])} to {count(known[-1])}"


def _spots(points: list[Mapping[str, Any]], limits: FrontierLimits) -> tuple[Spot, ...]:
    """The points. Where they are too many, those on no front go first."""
    places = range(len(points))
    if len(points) > limits.points:
        best = sorted(places, key=lambda at: (not _undominated(points[at]), at))[: limits.points]
        places = sorted(best)  # type: ignore[assignment]
    return tuple(_spot(at, points[at], limits) for at in places)


def _undominated(item: Mapping[str, Any]) -> bool:
    found = mapping(item, "dominated_by")
    return bool(found) and not all(found.values())


def _spot(place: int, item: Mapping[str, Any], limits: FrontierLimits) -> Spot:
    quality, diversity = reading(item.get("quality")), _readings(item, "diversity")
    undefined = text(item, "undefined", limits.text)
    if not undefined and (quality.value is None or not any(each.value is not None for each in diversity.values())):
        undefined = "the document gives neither both numbers nor a reason"
    policy, seed, role = text(item, "policy", 40) or "unnamed", item.get("seed"), text(item, "role", 20)
    return Spot(
        place=place,
        id=_key(item.get("id", place)),
        policy=policy,
        text=text(item, "text", 200) or policy,
        seed="" if seed is None else line(str(seed), 20),
        role=role if role in REFERENCES else "policy",
        records=bounded(item.get("records")),
        tokens=bounded(item.get("tokens")),
        quality=quality,
        complexity=reading(item.get("complexity")),
        diversity=diversity,
        dominated_by=_ids(item, "dominated_by"),
        same_as=_key(item["same_as"]) if item.get("same_as") is not None else "",
        clearly=_ids(item, "clearly_dominated_by") if "clearly_dominated_by" in item else None,
        undefined=undefined,
    )


def _ids(item: Mapping[str, Any], key: str) -> dict[str, frozenset[str]]:
    return {_key(name): frozenset(map(_key, items(ids)[:400])) for name, ids in _pairs(item, key)}


def _volumes(document: Mapping[str, Any]) -> dict[str, tuple[tuple[str, Reading], ...]]:
    """Hypervolumes by judge, the largest first; those without a number last."""
    out = {}
    for key, found in _pairs(document, "hypervolume"):
        rows = [
            (line(str(name), 40), reading(value))
            for name, value in islice(found.items() if isinstance(found, Mapping) else (), 60)
        ]
        out[_key(key)] = tuple(sorted(rows, key=lambda row: (row[1].value is None, -(row[1].value or 0.0), row[0])))
    return out


def _price(item: Mapping[str, Any]) -> Price:
    return Price(
        judge=_key(item["judge"]) if item.get("judge") is not None else "",
        start=_key(item.get("from", "")),
        end=_key(item.get("to", "")),
        gained=bounded(item.get("diversity_gained")),
        lost=bounded(item.get("quality_lost")),
        per_unit=bounded(item.get("per_unit")),
        verdict=text(item, "verdict", NAME),
    )


def _threshold(found: Any, limits: FrontierLimits) -> Threshold | None:
    item = found if isinstance(found, Mapping) else {"rows": found}
    steps = [_rung(each) for each in (listed(item, "rows") or listed(item, "points"))[:60]]
    # Several levels may come to one threshold: the same selection is shown once.
    rows = [
        row
        for at, row in enumerate(steps)
        if not at or row.threshold is None or row.threshold != steps[at - 1].threshold
    ]
    undefined, said = text(item, "undefined", limits.text), text(item, "text", 4 * limits.text)
    if not rows and not undefined and not said:
        return None
    changes = {_key(key): text(each, "verdict", 40) for key, each in _pairs(item, "diversity_change") if _is_map(each)}
    changes[""] = text(mapping(item, "quality_change"), "verdict", 40)
    return Threshold(
        rows=tuple(rows),
        verdict=text(item, "verdict", NAME),
        changes={key: found for key, found in changes.items() if found},
        text=said,
        undefined=undefined or ("" if rows else "the document has no rows"),
    )


def _is_map(found: Any) -> bool:
    return isinstance(found, Mapping)


def _rung(item: Mapping[str, Any]) -> Rung:
    return Rung(
        threshold=bounded(item.get("threshold")),
        share=bounded(item.get("share")),
        records=bounded(item.get("records")),
        quality=reading(item.get("quality")),
        diversity=_readings(item, "diversity"),
        complexity=reading(item.get("complexity")),
    )


def _typicality(item: Mapping[str, Any], limits: FrontierLimits) -> Typicality | None:
    found = listed(item, "deciles") or listed(item, "rows") or listed(item, "points")
    rows = [_decile(at, each) for at, each in enumerate(found[:20])]
    rows.sort(key=lambda row: row.rank)
    undefined, said = text(item, "undefined", limits.text), text(item, "text", 4 * limits.text)
    if not rows and not undefined and not said:
        return None
    return Typicality(
        rows=tuple(rows),
        label=text(item, "label", 120),
        quality=text(item, "quality", NAME),
        correlation=reading(item.get("correlation")),
        verdict=text(item, "verdict", NAME),
        text=said,
        undefined=undefined or ("" if rows else "the document has no rows"),
    )


def _decile(at: int, item: Mapping[str, Any]) -> Decile:
    rank = bounded(item.get("decile"))
    return Decile(
        rank=float(at + 1) if rank is None else rank,
        typicality=reading(item.get("typicality")).value,
        compliance=reading(item.get("compliance", item.get("quality"))),
        records=bounded(item.get("records")),
    )
