"""Words and numbers of every report: how a value is written, what an axis means, how undefined reads.

A ratio is written as 0.123 everywhere, never as a percentage. A value and its interval share their decimals. What is
not defined is said in words, never as 0, never as a blank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

AXES = ("quality", "diversity", "complexity", "fit")

OPTIONAL = frozenset({"fit"})
"""Axes that are spoken of only where something was measured on them: they need a named student."""


@dataclass(frozen=True)
class AxisWords:
    """What a panel says about its axis."""

    name: str
    question: str
    explain: str


AXIS_WORDS = {
    "quality": AxisWords(
        "Quality",
        "Is it right?",
        "How well formed and how correct the records are, by the strongest evidence that the set carries.",
    ),
    "diversity": AxisWords(
        "Diversity",
        "Is it varied?",
        "How many different things the set says. It grows with the number of records: compare sets at equal n.",
    ),
    "complexity": AxisWords(
        "Complexity",
        "Is it demanding?",
        "How much a record asks of whoever learns from it, and how far that is mere length.",
    ),
    "fit": AxisWords(
        "Student fit",
        "Does it suit the student?",
        "How well the set suits one named student: another student, another number.",
    ),
}

_RATIO_UNITS = frozenset({"ratio", "correlation", "rank correlation", "probability", "share"})


def decimals(value: float, half: float | None, unit: str) -> int:
    """Decimals to write `value` with: three for a ratio, else what the half-width deserves (two digits of it up to 39, else one).

    A ratio below a hundredth gets two digits; one of 0 as many as two digits of its interval need.

    >>> decimals(31.24, 1.4, "effective records"), decimals(0.96, 0.01, "ratio"), decimals(0.00042, None, "ratio")
    (1, 3, 5)
    >>> decimals(0.0, 0.00004, "ratio")
    6
    """
    if unit in _RATIO_UNITS:
        size = abs(value) or 2 * (half or 0.0)
        return 3 if size == 0 or size >= 0.01 else min(9, 1 - math.floor(math.log10(size)))
    if abs(value) >= 1000:
        return 0
    if half:
        return max(0, min(3, 1 - math.floor(math.log10(2.5 * half))))
    if value == int(value):
        return 0
    return max(0, min(6, 2 - math.floor(math.log10(abs(value)))))


class Numbered(Protocol):
    """What has a value, an interval and a unit."""

    @property
    def value(self) -> float | None:
        """The value, or None."""

    @property
    def lo(self) -> float | None:
        """The lower end of the interval, or None."""

    @property
    def hi(self) -> float | None:
        """The upper end of the interval, or None."""

    @property
    def unit(self) -> str:
        """The unit in words."""


def common_decimals(items: Sequence[Numbered]) -> int:
    """The decimals shared by one measure in all sets: those of the sharpest interval, so that every difference shows."""
    found = [0]
    for item in items:
        if item.value is not None:
            half = (item.hi - item.lo) / 2 if item.hi is not None and item.lo is not None else None
            found.append(decimals(item.value, half, item.unit))
    return max(found)


def number(value: float, places: int | None = None, unit: str = "") -> str:
    """A number with thousands commas and a true minus sign; 0 is "0" where it would be a row of more than three zeros.

    >>> number(1234567), number(-0.5, 3), number(0.25, unit="ratio"), number(1e17), number(0.0, 3), number(0.0, 6)
    ('1,234,567', '−0.500', '0.250', '1.00e+17', '0.000', '0')
    """
    if value == 0 and places is not None and places > 3:
        return "0"
    if abs(value) >= 1e15 or (places is None and 0 < abs(value) < 1e-9):
        return f"{value:.2e}".replace("-", "−", 1) if value < 0 else f"{value:.2e}"
    places = decimals(value, None, unit) if places is None else places
    text = f"{value:,.{places}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else "−" + text[1:]
    return text


def count(value: float | None, noun: str = "") -> str:
    """A count with its noun: "1 record", "2,000 records"; "unknown" where there is none."""
    if value is None:
        return f"unknown {noun}s".strip() if noun else "unknown"
    text = number(value, 0)
    return text if not noun else f"{text} {noun}" if value == 1 else f"{text} {noun}s"


def span(lo: float, hi: float, places: int) -> str:
    """Both ends of an interval; "to" where a dash could be read as a minus sign.

    >>> span(29.8, 32.6, 1), span(-0.1, 0.2, 2)
    ('29.8–32.6', '−0.10 to 0.20')
    """
    joint = " to " if lo < 0 or hi < 0 else "–"
    return f"{number(lo, places)}{joint}{number(hi, places)}"


def short_number(value: float) -> str:
    """A tick label: 1.5k, 20k, 3M, else the shortest decimal.

    >>> short_number(1500), short_number(20000), short_number(0.25), short_number(2e6), short_number(0.00005)
    ('1.5k', '20k', '0.25', '2M', '0.00005')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}".replace("-", "−") + letter
    text = f"{value:.9f}".rstrip("0") if 1e-6 <= abs(value) < 1e-4 else f"{value:.4g}"
    return text.replace("-", "−")


def not_defined(reason: str) -> str:
    """How a missing number reads."""
    return f"not defined: {reason or 'no reason was given'}"


def direction(better: str, axis: str) -> str:
    """Which way is better, in words; empty where no way is."""
    more = {"quality": "better", "diversity": "more varied", "complexity": "more demanding"}.get(axis, "better")
    return {"higher": f"higher is {more}", "lower": f"lower is {more}"}.get(better, "")


def follows_length(rho: float) -> str:
    """A rank correlation with length in words. The bounds .3 and .7 only choose the word; the number is printed too."""
    size = abs(rho)
    word = "closely follows" if size >= 0.7 else "partly follows" if size >= 0.3 else "hardly follows"
    return f"{word} length" if rho >= 0 or size < 0.3 else f"{word} shortness"


def letter(index: int) -> str:
    """The letter of a set: A to Z, then AA.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'AA')
    """
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def listing(items: list[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""
