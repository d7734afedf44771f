"""Reading loose JSON: each function gives a neutral value where a key is missing or holds another type."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from triptych.report.text import EXCERPT, line


def mapping(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping under `key`, or an empty one."""
    found = item.get(key)
    return found if isinstance(found, Mapping) else {}


def items(found: Any) -> Sequence[Any]:
    """A list as it is, one text as a list of one, anything else as nothing."""
    return found if isinstance(found, (list, tuple)) else [found] if isinstance(found, str) else []


def listed(item: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The mappings in the list under `key`."""
    return [each for each in items(item.get(key)) if isinstance(each, Mapping)]


def raw(item: Mapping[str, Any], key: str) -> str:
    """The text under `key` as it came; never printed without `text.clean`."""
    found = item.get(key)
    return "" if found is None else found if isinstance(found, str) else str(found)


def text(item: Mapping[str, Any], key: str, limit: int = EXCERPT) -> str:
    """The text under `key`, cleaned, on one line, at most `limit` characters."""
    return line(raw(item, key), limit)


def number(item: Mapping[str, Any], key: str) -> float | None:
    """The finite number under `key`, or None."""
    return finite(item.get(key))


def numbers(found: Any) -> list[float] | None:
    """A list of finite numbers, or None where one of them is not."""
    values = [finite(value) for value in items(found)]
    return None if None in values else [value for value in values if value is not None]


def finite(found: Any) -> float | None:
    """A finite number as a float; None for everything else, true and false too."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    try:
        value = float(found)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None
