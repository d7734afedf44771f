"""Numbers with intervals from loose JSON: what is absurdly large is absent, ends that do not hold their value too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.report.fields import finite
from triptych.report.study_records import Reading

LARGEST = 1e12
"""A number beyond this is read as absent."""
SLACK = 1e-9
"""An end may lie so far (relative) on the wrong side of its value: that is rounding."""


def bounded(found: Any) -> float | None:
    """A finite number that is not absurdly large, or None."""
    value = finite(found)
    return value if value is not None and abs(value) <= LARGEST else None


def reading(found: Any) -> Reading:
    """A value with both ends of its interval, or with none; a bare number is a value.

    >>> reading({"value": 0.5, "lo": 0.6, "hi": 0.7}), reading(2)
    (Reading(value=0.5, lo=None, hi=None), Reading(value=2.0, lo=None, hi=None))
    >>> reading({"value": 299.0000000000001, "lo": 295, "hi": 299})
    Reading(value=299.0000000000001, lo=295.0, hi=299.0000000000001)
    """
    item = found if isinstance(found, Mapping) else {"value": found}
    value, lo, hi = (bounded(item.get(key)) for key in ("value", "lo", "hi"))
    slack = SLACK * max(1.0, abs(value)) if value is not None else 0.0
    if value is None or lo is None or hi is None or not lo - slack <= value <= hi + slack:
        return Reading(value)
    return Reading(value, min(lo, value), max(hi, value))
