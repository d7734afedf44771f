"""Fields as numbers: what a user names, what a value says, and what is no number.

A failure to parse is never a number: "8/10" is text, and counted as such with its first example.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.data.values import as_text, excerpt, is_absent

Floats = NDArray[np.float64]

MISSING, TEXT, INFINITE, NESTED = "missing", "text, not a number", "not finite", "a list or an object"
NO_VERDICT = "names neither response"
_REFERENCE = re.compile(r"(?P<name>.+?)(?:\[(?P<index>[^\]]*)\])?(?:=(?P<value>.*))?", re.DOTALL)

FIRST, TIE, SECOND = 1.0, 0.5, 0.0
"""A verdict as the share of the win that the first response has."""
_WORDS = {
    **dict.fromkeys(("1", "1.0", "a", "first", "response 1", "response a", "model_a", "assistant a"), FIRST),
    **dict.fromkeys(("2", "2.0", "b", "second", "response 2", "response b", "model_b", "assistant b"), SECOND),
    **dict.fromkeys(("0", "0.0", "c", "tie", "draw", "both", "equal", "same"), TIE),
}


class NoScore(str):
    """Why a scorer that was asked gave no score."""

    __slots__ = ()


@dataclass(frozen=True)
class Reference:
    """A column as it was named: a field, perhaps an item of it, perhaps whether it has a value."""

    text: str
    name: str
    index: str | None = None
    value: str | None = None

    @classmethod
    def of(cls, text: str, known: frozenset[str]) -> Reference:
        """`FIELD`, `FIELD[0]`, `FIELD[key]`, `FIELD=VALUE`; a field that is called just so goes first."""
        found = _REFERENCE.fullmatch(text)
        if text in known or found is None:
            return cls(text, text)
        return cls(text, found["name"], found["index"], found["value"])

    def pick(self, held: Any) -> Any:
        """What is meant of a field's value; None where there is no such item."""
        if self.index is None or is_absent(held):
            return held
        if isinstance(held, Mapping):
            return held.get(self.index)
        if isinstance(held, (list, tuple)) and re.fullmatch(r"-?\d+", self.index):
            at = int(self.index)
            return held[at] if -len(held) <= at < len(held) else None
        # What stands in place of a list is what it is: text is counted as text; a number is the first and only item.
        return held if isinstance(held, str) or self.index == "0" else None


@dataclass(frozen=True)
class Failure:
    """Values of one kind that are no score: how many, and the first with its place."""

    kind: str
    count: int
    first: int
    example: str


@dataclass(frozen=True, eq=False)
class Column:
    """Numbers of a column, NaN where there is none, and why there is none."""

    name: str
    values: Floats
    failures: tuple[Failure, ...]

    @property
    def failed(self) -> int:
        """How many values are no number."""
        return int(np.isnan(self.values).sum())


def number_of(value: Any) -> float | str:
    """A value as a number, or the kind of failure that it is."""
    if isinstance(value, NoScore):
        return str(value)
    if is_absent(value) or (isinstance(value, str) and not value.strip()):
        return MISSING
    if isinstance(value, (list, tuple, Mapping, bytes)):
        return NESTED
    if isinstance(value, str) and not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", value):
        return TEXT
    try:
        number = float(value)
    except (TypeError, ValueError):
        return TEXT
    except OverflowError:
        return INFINITE
    return number if math.isfinite(number) else INFINITE


def verdict_of(value: Any) -> float | str:
    """A verdict on two responses as the first one's share of the win, or the kind of failure that it is."""
    if isinstance(value, NoScore):
        return str(value)
    if is_absent(value) or (isinstance(value, str) and not value.strip()):
        return MISSING
    if isinstance(value, (list, tuple, Mapping, bytes, bool)):
        return NO_VERDICT
    return _WORDS.get(as_text(value).strip().strip("[]").lower(), NO_VERDICT)


def read_column(reference: Reference, raw: Sequence[Any], *, verdicts: bool = False) -> Column:
    """A column of numbers, or of verdicts."""
    values = np.full(len(raw), np.nan)
    failures: dict[str, Failure] = {}
    for at, held in enumerate(raw):
        value = reference.pick(held)
        if reference.value is not None:
            found: float | str = MISSING if is_absent(value) else float(as_text(value).strip() == reference.value)
        else:
            found = verdict_of(value) if verdicts else number_of(value)
        if isinstance(found, str):
            known = failures.get(found)
            if known is None:
                failures[found] = Failure(found, 1, at, "" if is_absent(value) else excerpt(value))
            else:
                failures[found] = replace(known, count=known.count + 1)
        else:
            values[at] = found
    return Column(reference.text, values, tuple(sorted(failures.values(), key=lambda one: (-one.count, one.kind))))


def list_length(raw: Sequence[Any]) -> int:
    """The commonest length of the lists where most values that are there are lists of several; 0 otherwise."""
    held = [value for value in raw if not is_absent(value)]
    sizes = [len(value) for value in held if isinstance(value, (list, tuple))]
    if not sizes or 2 * len(sizes) <= len(held):
        return 0
    return int(np.bincount(sizes).argmax())
