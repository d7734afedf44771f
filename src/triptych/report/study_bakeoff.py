"""The bake-off of a study document: held-out skill of each measure, panel by panel; whatever else it holds as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.report.fields import items, number, text
from triptych.report.loose import tables
from triptych.report.study_records import Bakeoff, Check, StudyLimits

NAMES = ("candidate", "measure", "label")
VALUES = ("gain", "skill", "estimate")


def read_bakeoff(item: Mapping[str, Any], limits: StudyLimits) -> Bakeoff:
    """Entries (a measure, a panel, a gain) as checks; other lists as tables, other values as facts."""
    entries: list[Check] = []
    rest = {}
    for key, value in item.items():
        listed = [each for each in items(value) if isinstance(each, Mapping)]
        if listed and all(_is_entry(each) for each in listed):
            entries += [_entry(each, limits) for each in listed[: 4 * limits.rows]]
        else:
            rest[key] = value
    found, facts = tables(rest, limits.rows, limits.columns)
    return Bakeoff(tuple(entries), found, facts)


def _is_entry(item: Mapping[str, Any]) -> bool:
    return "panel" in item and any(key in item for key in NAMES) and any(key in item for key in VALUES)


def _entry(item: Mapping[str, Any], limits: StudyLimits) -> Check:
    name = _first([text(item, key, 80) for key in NAMES]) or "unnamed"
    values = [found for key in VALUES if (found := number(item, key)) is not None]
    undefined = text(item, "undefined", limits.text)
    lo, hi = number(item, "lo"), number(item, "hi")
    known = bool(values) and not undefined and lo is not None and hi is not None and lo <= hi
    rank = "–".join(shown for key in ("rank_lo", "rank_hi") if (shown := text(item, key, 8)))
    note = [text(item, "verdict", 40), f"rank {text(item, 'rank', 8)} ({rank})" if "rank" in item and rank else ""]
    return Check(
        factor="",
        panel=text(item, "panel", 80),
        name=name,
        value=values[0] if values and not undefined else None,
        lo=lo if known else None,
        hi=hi if known else None,
        note=undefined if undefined or not values else ", ".join(part for part in note if part),
    )


def _first(found: Sequence[str]) -> str:
    return next((each for each in found if each), "")
