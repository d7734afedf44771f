"""Single values of a row: as text, as a number, as a list of numbers; and what a bad row raises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

from triptych.core.errors import message

EXCERPT = 80
FIELDS_LISTED = 20

Row = Mapping[Any, Any]  # names are strings, but what is passed from Python may hold others


class MisfitError(Exception):
    """A row that does not fit its layout; the reader adds the place and raises it, or counts the row as skipped."""

    def __init__(self, what: str, *, got: str | None = None, want: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what, self.got, self.want, self.hint = what, got, want, hint

    def text(self, place: str) -> str:
        """The whole message, with the place in front and skipping as the last thing to try."""
        hint = f"{self.hint}, or --on-bad skip" if self.hint else "--on-bad skip"
        return message(f"{place}: {self.what}.", got=self.got, want=self.want, hint=hint)


def is_absent(value: Any) -> bool:
    """Whether a field holds nothing: null, or the NaN that data frames put where nothing is."""
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124 - NaN is not itself


def excerpt(value: object) -> str:
    """At most 80 characters of a value, on one line."""
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT else text[: EXCERPT - 3] + "..."


def fields_of(row: Row) -> str:
    """The names of the fields of a row that hold something, for messages."""
    names = [str(name) for name, value in row.items() if value is not None]
    more = f", .. ({len(names)} fields)" if len(names) > FIELDS_LISTED else ""
    return ", ".join(names[:FIELDS_LISTED]) + more if names else "no field that holds a value"


def without_nulls(value: Any) -> Any:
    """Drop null entries of mappings at every depth: Arrow adds them to structs, so they are no content."""
    if isinstance(value, Mapping):
        return {str(key): without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [without_nulls(item) for item in value]
    return value


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces and no null entries; a value that JSON lacks becomes its string."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY
    try:
        return orjson.dumps(without_nulls(value), default=str, option=options).decode()
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, a lone surrogate
        return str(value)


def as_text(value: Any) -> str:
    """A value as text: strings verbatim, everything else as canonical JSON (72, 1.5, true)."""
    return value if isinstance(value, str) else canonical(value)


LARGEST = 1e100
"""Labels beyond it are no measurements, and their squares would leave the range of numbers."""

_WORDS = {"true": 1.0, "false": 0.0}


def as_label(value: Any) -> float | None:
    """A label as a number: true and false to 1 and 0 (as words too, in any case: CSV has no others), numbers and numeric
    strings kept, null, "" and NaN to null.

    Raises:
        ValueError: anything else; infinities and what is beyond `LARGEST` too.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        word = _WORDS.get(value.strip().lower())
        if word is not None:
            return word
        if "_" in value:
            raise ValueError(value)
    if isinstance(value, (list, tuple, Mapping, bytes)):
        raise ValueError(excerpt(value))  # noqa: TRY004 - the value is wrong, not the call
    try:
        number = float(value)
    except (TypeError, OverflowError) as error:
        raise ValueError(excerpt(value)) from error
    if abs(number) > LARGEST:
        raise ValueError(excerpt(value))
    return None if math.isnan(number) else number


def as_key(value: Any) -> str | None:
    """A structure or group value as a string: lists joined by " | ", "" and null to null."""
    if is_absent(value) or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a data frame turns integers beside nulls into floats
    if isinstance(value, (list, tuple)):
        return " | ".join(as_text(item) for item in value) or None
    return canonical(value)


def as_vector(value: Any) -> list[float] | None:
    """A carried list of numbers; null stays null. Raises ValueError for anything else."""
    if value is None:
        return None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple)) or any(
        isinstance(x, bool) or not isinstance(x, (int, float)) for x in value
    ):
        raise ValueError(excerpt(value))
    return [float(x) for x in value]
