"""Tables and lists of facts from JSON whose keys are not known in advance: bounded, cleaned, numbers written for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from triptych.report.fields import finite, items
from triptych.report.study_records import Facts, Table
from triptych.report.text import line
from triptych.report.words import number

DEPTH = 3
"""How deep mappings inside mappings are followed."""
LIST = 8
"""Longest list written out."""


def written(value: Any, limit: int = 120, *, fixed: bool = False) -> str:
    """A scalar in words; empty for None and for mappings. `fixed` keeps three decimals, so that columns line up.

    >>> written(0.12345), written(0.5), written(0.5, fixed=True), written(True), written([1, 2]), written(6000)
    ('0.123', '0.5', '0.500', 'yes', '1, 2', '6,000')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    found = finite(value)
    if found is not None:
        least = 3 if fixed and found != int(found) else next((p for p in range(3) if round(found, p) == found), 3)
        return number(found, least if least < 3 or 0.001 <= abs(found) < 1000 else None)
    if isinstance(value, str):
        return line(value, limit)
    if isinstance(value, (list, tuple)):
        shown = [text for each in value[:LIST] if (text := written(each, limit))]
        return line(", ".join(shown) + (", …" if len(value) > LIST else ""), limit)
    return ""


def facts(item: Mapping[str, Any], limit: int = 24, text: int = 160) -> Facts:
    """The scalars of a mapping and of the mappings in it: names joined by a space, values in words."""
    return tuple(islice(((line(key.replace("_", " "), 60), value) for key, value in _flat(item, text) if value), limit))


def table(title: str, found: Sequence[Mapping[str, Any]], rows: int, columns: int) -> Table | None:
    """A table with one row for each mapping and one column for each key; None when there is nothing to show."""
    flat = [dict(islice(_flat(item, 120, fixed=True), 4 * columns)) for item in found[:rows]]
    names = list(dict.fromkeys(key for row in flat for key in row if row[key]))[:columns]
    if not names:
        return None
    heads = tuple(line(name.replace("_", " "), 60) for name in names)
    body = tuple(tuple(row.get(name, "") for name in names) for row in flat)
    return Table(title, heads, body, len(found) - len(body))


def tables(item: Mapping[str, Any], rows: int, columns: int) -> tuple[tuple[Table, ...], Facts]:
    """The lists of mappings in a mapping as tables, its other values as facts."""
    found, rest = [], {}
    for key, value in islice(item.items(), 40):
        lines = [each for each in items(value) if isinstance(each, Mapping)]
        made = table(line(str(key).replace("_", " "), 60), lines, rows, columns) if lines else None
        if made:
            found.append(made)
        else:
            rest[str(key)] = value
    return tuple(found[:8]), facts(rest)


def _flat(
    item: Mapping[str, Any], text: int, prefix: str = "", depth: int = 1, *, fixed: bool = False
) -> list[tuple[str, str]]:
    found = []
    for key, value in islice(item.items(), 60):
        name = f"{prefix}{str(key)[:60]}"
        if isinstance(value, Mapping):
            found += _flat(value, text, f"{name} ", depth + 1, fixed=fixed) if depth < DEPTH else []
        else:
            found.append((name, written(value, text, fixed=fixed)))
    return found
