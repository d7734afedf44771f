"""Two encoders side by side: where they agree on the order of data sets, and where not.

A number that hangs on an encoder has that encoder's scale, so two encoders never agree on the number; what can be compared
is the order of sets, and for one set the ratio of the two values.

    order       an encoder orders two sets on a measure when their intervals do not touch
    reversed    both encoders order the two sets, the opposite way: the claim hangs on the encoder
    one-sided   one encoder orders them, the other does not: not confirmed
    far apart   one set alone: the values differ by more than a factor of two

Where the second encoder was asked about a sample, the first one's value at as many records stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from triptych.report.model import Estimate, Profile, Second
from triptych.report.rows import rows
from triptych.report.words import AXES, common_decimals, count, letter, number, span

FACTOR = 2.0
LINES = 12
"""Disagreements that are written out; the others are counted."""


@dataclass(frozen=True)
class Reading:
    """One measure of one set under both encoders."""

    which: int
    title: str
    detail: str
    first: Estimate
    second: Estimate

    @property
    def ratio(self) -> float | None:
        """Second over first, where both are above zero."""
        a, b = self.first.value, self.second.value
        return b / a if a is not None and b is not None and a > 0 and b > 0 else None

    @property
    def texts(self) -> tuple[str, str, str]:
        """Value and interval under each, and the ratio."""
        ratio = "" if self.ratio is None else f"×{number(self.ratio, 2)}"
        return _value(self.first), _value(self.second), ratio


@dataclass(frozen=True)
class TwoEncoders:
    """What a page and a terminal print about the second encoder.

    Attributes:
        names: the two encoders.
        readings: of every set and measure that was read under both.
        apart: the disagreements in words, reversed ones first.
        summary: one line.
        sampled: whether the second was asked about samples, so that both values are those of so many records.
    """

    names: tuple[str, str]
    readings: tuple[Reading, ...]
    apart: tuple[str, ...]
    summary: str
    sampled: bool


def two_encoders(profiles: Sequence[Profile]) -> TwoEncoders | None:
    """The readings under two encoders; None where no set has them. Sets under another pair are left out."""
    pairs = [(p.provenance.encoder, p.second.encoder) if p.second else None for p in profiles]
    names = next((pair for pair in pairs if pair), None)
    if names is None:
        return None
    short = (names[0].partition("@")[0], names[1].partition("@")[0])
    readings = _readings(profiles, [which for which, pair in enumerate(pairs) if pair == names])
    sets = {reading.which for reading in readings}
    if len(sets) > 1:
        turned, single = _of_order(readings, profiles, short)
        found, kinds = (
            turned + single,
            f"{count(len(turned), 'order')} reversed, {len(single)} seen by one encoder alone",
        )
        said = f"{kinds} (pairs of sets)" if found else "no disagreement on the order of sets"
    else:
        found = _of_ratio(readings, short)
        said = f"{len(found) or 'none'} by more than a factor of two apart"
    lines = [*found[:LINES], *([f"and {len(found) - LINES} more"] if len(found) > LINES else [])]
    measures = count(len({reading.first.key for reading in readings}), "measure")
    asked = _asked([held for which in sorted(sets) if (held := profiles[which].second)])
    summary = f"Two encoders, {short[0]} and {short[1]}: {measures} read under both{asked}, {said}."
    return TwoEncoders(names, tuple(readings), tuple(lines), summary, bool(asked))


def _readings(profiles: Sequence[Profile], sets: Sequence[int]) -> list[Reading]:
    """In the order of the panels: measure by measure, set by set."""
    held = {which: found for which in sets if (found := profiles[which].second)}
    first = {which: {e.key: e for e in found.first} for which, found in held.items()}
    second = {which: {e.key: e for e in found.estimates} for which, found in held.items()}
    return [
        Reading(
            cell.which,
            row.first.title,
            row.detail,
            first[cell.which].get(cell.estimate.key, cell.estimate),
            second[cell.which][cell.estimate.key],
        )
        for axis in AXES
        for row in rows(profiles, axis)
        for cell in row.cells
        if cell.estimate.key in second.get(cell.which, {})
    ]


def _asked(held: Sequence[Second]) -> str:
    """How many records the second encoder was asked about, where it was a sample."""
    sizes = dict.fromkeys((found.asked, found.records) for found in held if found.asked is not None and found.records)
    told = ", ".join(f"{asked:,.0f} of {records:,.0f}" for asked, records in sizes)
    return f" at {told} records, drawn at random" if told else ""


def _of_order(
    readings: Sequence[Reading], profiles: Sequence[Profile], short: tuple[str, str]
) -> tuple[list[str], list[str]]:
    """Pairs of sets on whose order the encoders do not agree: reversed ones, and one-sided ones."""
    turned, single = [], []
    by_measure: dict[str, list[Reading]] = {}
    for reading in readings:
        by_measure.setdefault(reading.first.key, []).append(reading)
    for mine in by_measure.values():
        for a, b in combinations(mine, 2):
            one, two = _order(a.first, b.first), _order(a.second, b.second)
            if one == two or None in (one, two):
                continue
            who = [f"{letter(r.which)} {profiles[r.which].dataset.name}" for r in (a, b)]
            if one and two:
                told = " and ".join(
                    f"{_between(who, order)} under {name}" for order, name in zip((one, two), short, strict=True)
                )
                turned.append(f"{_name(a)}: {told}: the order is reversed.")
            else:
                name, other, order = (short[0], short[1], one) if one else (short[1], short[0], two)
                single.append(f"{_name(a)}: {_between(who, order or 0)} under {name}, not told apart under {other}.")
    return turned, single


def _of_ratio(readings: Sequence[Reading], short: tuple[str, str]) -> list[str]:
    """Measures of one set whose values are far apart."""
    out = []
    for reading in readings:
        if reading.ratio is not None and not 1 / FACTOR <= reading.ratio <= FACTOR:
            values = " and ".join(
                f"{_alone(e)} under {name}" for e, name in zip((reading.first, reading.second), short, strict=True)
            )
            out.append(f"{_name(reading)}: {values}.")
    return out


def _order(a: Estimate, b: Estimate) -> int | None:
    """1 where a lies above b, -1 below, 0 where their intervals touch; None where an interval is missing."""
    if a.lo is None or a.hi is None or b.lo is None or b.hi is None:
        return None
    return 1 if a.lo > b.hi else -1 if a.hi < b.lo else 0


def _between(who: Sequence[str], order: int) -> str:
    return f"{who[0]} {'above' if order > 0 else 'below'} {who[1]}"


def _name(reading: Reading) -> str:
    return f"{reading.title}, {reading.detail}" if reading.detail else reading.title


def _alone(item: Estimate) -> str:
    return "not defined" if item.value is None else number(item.value, common_decimals([item]))


def _value(item: Estimate) -> str:
    ends = "" if item.lo is None or item.hi is None else f" ({span(item.lo, item.hi, common_decimals([item]))})"
    return _alone(item) + ends
