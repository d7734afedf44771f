"""One sentence for each set, made from its headline numbers. It never merges axes and never ranks across them."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.report.model import Estimate, Profile
from triptych.report.rows import Cell, headline
from triptych.report.words import (
    AXES,
    AXIS_WORDS,
    OPTIONAL,
    common_decimals,
    count,
    follows_length,
    listing,
    not_defined,
    number,
)

SIMILAR_SIZE = 1.1
"""Diversity of two sets is ranked only when their n differ by at most this factor: it grows with n."""


def sentences(profiles: Sequence[Profile]) -> list[str]:
    """One sentence for each profile, in order."""
    return [verdict(profile, [other for other in profiles if other is not profile]) for profile in profiles]


def verdict(profile: Profile, others: Sequence[Profile] = ()) -> str:
    """Say what the headline numbers of a set are, and where it stands apart from the other sets."""
    parts, absent = [], []
    for axis in AXES:
        cell = headline(profile, axis)
        if cell is None:
            absent += [] if axis in OPTIONAL else [axis]
            continue
        rivals = [found.estimate for other in others if (found := headline(other, axis))]
        parts.append(_phrase(cell, rivals) + _rank(cell.estimate, rivals) + _length(cell))
    if absent:
        parts.append(f"no headline measure of {listing(absent)}")
    text = "; ".join(parts) or "no headline measure"
    return text[0].upper() + text[1:] + "."


def _phrase(cell: Cell, rivals: Sequence[Estimate]) -> str:
    item = cell.estimate
    if item.value is None:
        return f"{AXIS_WORDS[item.axis].name.lower()} ({_lower(item.title)}) is {not_defined(item.undefined)}"
    value = number(item.value, common_decimals([item, *(other for other in rivals if other.key == item.key)]))
    if item.unit.startswith("effective "):
        return f"{count(item.n, 'record')} {'counts' if item.n == 1 else 'count'} as {value} {item.unit}"
    unit = "" if item.unit in ("", "ratio") or item.unit in item.title.lower() else f" {item.unit}"
    return f"{_lower(item.title)} {value}{unit}"


def _length(cell: Cell) -> str:
    other = cell.companion
    if cell.estimate.value is None or other is None or other.value is None:
        return ""
    return f" ({follows_length(other.value)}: rank correlation {number(other.value, 2)})"


def _rank(item: Estimate, rivals: Sequence[Estimate]) -> str:
    """Say that an estimate is highest or lowest when all sets can be compared and no interval touches its own."""
    comparable = [
        other
        for other in rivals
        if other.key == item.key and other.about.conditional_on == item.about.conditional_on and other.value is not None
    ]
    if item.value is None or not rivals or len(comparable) != len(rivals):
        return ""
    if item.axis == "diversity" and not _similar([item, *comparable]):
        return ""
    if None in (item.lo, *(other.lo for other in comparable)):
        return ""
    which = "of the two sets" if len(rivals) == 1 else f"of the {len(rivals) + 1} sets"
    if all((item.lo or 0) > (other.hi or 0) for other in comparable):
        return f", the highest {which}"
    if all((item.hi or 0) < (other.lo or 0) for other in comparable):
        return f", the lowest {which}"
    return ""


def _similar(items: Sequence[Estimate]) -> bool:
    sizes = [item.n for item in items if item.n]
    return len(sizes) == len(items) and max(sizes) <= SIMILAR_SIZE * min(sizes)


def _lower(title: str) -> str:
    """A title inside a sentence: its first letter small unless the word is a name or an abbreviation."""
    first = title.split(" ", 1)[0]
    return (
        title
        if first[1:] != first[1:].lower() or first in ("Vendi", "Hill", "Shannon")
        else title[:1].lower() + title[1:]
    )
