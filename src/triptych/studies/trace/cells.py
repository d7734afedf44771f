"""Cells and columns: numbers, words and blanks, told apart once.

A blank is an empty cell, null, NaN or one of the words that stand for "not there". Infinity is no score either: it is
counted as not finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SchemaError, message

_BLANKS = frozenset({"", "none", "null", "nan", "na", "n/a", "-", "<na>", "nil", "undefined"})
_BOOLEAN = frozenset({"true", "yes", "false", "no"})
_REVERSED = frozenset({("high", "low"), ("large", "small"), ("strong", "weak"), ("big", "small"), ("long", "short")})
"""Pairs of words that the alphabet puts high before low."""


def is_missing(value: Any) -> bool:
    """Whether a cell says nothing."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.strip().lower() in _BLANKS


def number(value: Any) -> float:
    """A cell as a number; NaN for a blank.

    Raises:
        ValueError: it is neither.
    """
    if is_missing(value):
        return math.nan
    if isinstance(value, (bool, int, float, np.integer, np.floating)):
        return float(value)
    if isinstance(value, str):
        return float(value)
    raise ValueError(f"{type(value).__name__} is no number")


@dataclass(frozen=True)
class Column:
    """One column of a table of runs.

    Attributes:
        name: its name.
        values: as read, one a run.
        places: where each stands, for messages.
    """

    name: str
    values: Sequence[Any]
    places: Sequence[str]

    def numbers(self, role: str) -> NDArray[np.float64]:
        """The column as numbers, (n,); NaN for blanks, infinities as they are.

        Raises:
            SchemaError: it holds words, or numbers and words mixed.
        """
        out = np.full(len(self.values), math.nan)
        words = []
        for index, value in enumerate(self.values):
            try:
                out[index] = number(value)
            except ValueError:
                words.append(index)
        if words:
            first = words[0]
            got = f'"{self.values[first]}" ({self.places[first]})'
            mixed = len(words) < sum(not is_missing(value) for value in self.values)
            what = f'column "{self.name}" holds words' + (" beside numbers" if mixed else "") + "."
            hint = f"--blocks {self.name}" if role in ("factor", "covariate") and not mixed else None
            raise SchemaError(message(what, got=f"{got}, {len(words)} in all", want=f"numbers: a {role}", hint=hint))
        return out

    def labels(self) -> NDArray[np.str_]:
        """The column as labels, (n,): "" for blanks; the numbers 1.0 and 1 alike, true and True alike."""
        return np.array([_label(value) for value in self.values], dtype=np.str_)

    def factor(self) -> tuple[NDArray[np.float64], tuple[str, str] | None]:
        """The column as a factor, (n,), NaN for blanks; and, where it has two values, which is low and which high.

        Two values become -1 and 1: numbers by size, true over false, words by the alphabet. Numbers of which all are
        -1, 0 or 1 are a design already and stay. Anything else must be numbers.

        Raises:
            SchemaError: words of more than two values, or numbers and words mixed.
        """
        labels = self.labels()
        levels = sorted(set(labels.tolist()) - {""})
        try:
            values = self.numbers("factor")
        except SchemaError:
            if len(levels) != 2 or any(_is_number(level) for level in levels):
                raise
            low, high = levels[::-1] if (levels[0].lower(), levels[1].lower()) in _REVERSED else levels
        else:
            finite = np.unique(values[np.isfinite(values)])
            if len(finite) != 2 or set(finite.tolist()) <= {-1.0, 0.0, 1.0}:
                return np.where(np.isfinite(values), values, math.nan), None
            low, high = f"{finite[0]:g}", f"{finite[1]:g}"
            labels = np.array(["" if not math.isfinite(v) else f"{v:g}" for v in values], dtype=np.str_)
        coded = np.where(labels == high, 1.0, np.where(labels == low, -1.0, math.nan))
        return coded, (low, high)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label(value: Any) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, str):
        text = value.strip()
        return text.lower() if text.lower() in _BOOLEAN else text
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
