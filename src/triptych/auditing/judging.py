"""The verdict on a scorer, by thresholds on the ends of intervals, never on a value alone.

    usable              the concordance with gold is shown to reach .70, and nothing below speaks against it
    weak                it is shown to reach .55, or to stay under .70, or a defect is shown
    no discrimination   it is shown to stay under .55, or the scores cannot tell records apart
    cannot tell         none of these is shown; how many gold labels would show it is said

.70 for normal scores is a correlation of .59 with gold, .55 one of .16 (concordance = 1/2 + asin(r)/π).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.auditing.intervals import Number

USABLE, WEAK, NOTHING, UNKNOWN = "usable", "weak", "no discrimination", "cannot tell"

THRESHOLDS: dict[str, float] = {
    "concordance_usable": 0.70,
    "concordance_any": 0.55,
    "failed_weak": 0.10,
    "ties_weak": 0.80,
    "ties_none": 0.95,
    "repeat_weak": 0.50,
    "repeat_none": 0.10,
    "flips_weak": 0.20,
    "flips_none": 0.45,
    "position_weak": 0.15,
    "length_weak": 0.70,
}
PRIMARY = ("pair_accuracy", "concordance")
LEAST_LABELS, MOST_LABELS = 40, 1_000_000
PROMPTS = 20
"""From so many prompts with responses of different gold on, a scorer has to tell those apart too."""
Z, POWER = 1.96, 0.84


@dataclass(frozen=True)
class Judged:
    """What is said of a scorer."""

    verdict: str
    reasons: tuple[str, ...]
    needed: Mapping[str, Any] | None
    primary: str | None


@dataclass(frozen=True)
class _Found:
    """A defect that is shown, and the best verdict that it leaves."""

    verdict: str
    reason: str


def judge(numbers: Sequence[Number], *, gold: str | None) -> Judged:
    """The verdict, its reasons, and how many gold labels are missing."""
    known = {number.key: number for number in numbers if number.value is not None}
    empty = next((n for n in numbers if n.key == "failed"), None)
    if empty is not None and empty.value == 1:
        return Judged(NOTHING, ("no record has a score",), None, None)
    primary = next((known[key] for key in PRIMARY if key in known), None) if gold else None
    defects = [*_defects(known), *_beside_gold(known, primary)]
    first, reason = _by_gold(primary, gold)
    verdict = first
    order = (USABLE, WEAK, NOTHING)
    for one in defects:
        if verdict == UNKNOWN:
            verdict = one.verdict if one.verdict == NOTHING or primary is None else verdict
        elif order.index(one.verdict) > order.index(verdict):
            verdict = one.verdict
    deciding = [reason] if verdict == first else [one.reason for one in defects if one.verdict == verdict]
    reasons = [*deciding, reason, *(one.reason for one in defects), *_cautions(known)]
    open_still = first == UNKNOWN or (first == WEAK and primary is not None and _reaches(primary))
    needed = _needed(primary) if open_still and verdict in (UNKNOWN, WEAK) else None
    return Judged(verdict, tuple(dict.fromkeys(reasons)), needed, primary.key if primary else None)


def _by_gold(primary: Number | None, gold: str | None) -> tuple[str, str]:
    """What the agreement with gold alone says."""
    if primary is None:
        why = "no gold is named" if gold is None else f"no record has both a score and a label in {gold} that differs"
        return UNKNOWN, f"{why}: whether the scores are right cannot be told from them alone"
    high, low = THRESHOLDS["concordance_usable"], THRESHOLDS["concordance_any"]
    said = f"{primary.title}: {_written(primary)}"
    if primary.lo is None or primary.hi is None:
        return UNKNOWN, f"{said}; it has no interval: {primary.no_interval}"
    if primary.lo >= high:
        return USABLE, f"{said}; all of the interval lies above {high:g}"
    if primary.hi < 1 - low:
        return NOTHING, f"{said}; it runs against gold: turned round, it might serve"
    if primary.hi < low:
        return NOTHING, f"{said}; all of the interval lies under {low:g}, chance being .5"
    if primary.lo >= low:
        more = f"under {high:g} at its lower end" if primary.hi >= high else f"all of it under {high:g}"
        return WEAK, f"{said}; above {low:g}, {more}"
    return UNKNOWN, f"{said}; the interval reaches from under {low:g} to above it"


def _defects(known: Mapping[str, Number]) -> list[_Found]:
    """Defects that are shown without gold."""
    out = []
    for key, words in _ABOVE.items():
        number = known.get(key)
        if number is None or number.lo is None:
            continue
        none, weak = THRESHOLDS.get(f"{words[0]}_none"), THRESHOLDS[f"{words[0]}_weak"]
        if none is not None and number.lo >= none:
            out.append(_Found(NOTHING, f"{words[1]}: {_written(number)}"))
        elif number.lo >= weak:
            out.append(_Found(WEAK, f"{words[1]}: {_written(number)}"))
    for key in ("icc", "repeat_kappa"):
        number = known.get(key)
        if number is None or number.hi is None:
            continue
        if number.hi < THRESHOLDS["repeat_none"]:
            out.append(_Found(NOTHING, f"a second score hardly repeats the first: {_written(number)}"))
        elif number.hi < THRESHOLDS["repeat_weak"]:
            out.append(_Found(WEAK, f"second scores often differ: {_written(number)}"))
    sd = known.get("sd")
    if sd is not None and sd.value == 0:
        out.append(_Found(NOTHING, "every record has the same score"))
    return [*out, *_favours(known)]


def _favours(known: Mapping[str, Number]) -> list[_Found]:
    """Whether the place in a pair decides: more than gold gives it, where there is gold."""
    number = known.get("first_excess", known.get("first"))
    if number is None or number.lo is None or number.hi is None:
        return []
    middle, edge = (0.0 if number.key == "first_excess" else 0.5), THRESHOLDS["position_weak"]
    if number.lo < middle + edge and number.hi > middle - edge:
        return []
    which = "first" if number.lo >= middle + edge else "second"
    return [_Found(WEAK, f"it favours the {which} response: {number.title}, {_written(number)}")]


def _reaches(primary: Number) -> bool:
    """Whether the concordance may still be that of a usable scorer."""
    return primary.hi is not None and primary.hi >= THRESHOLDS["concordance_usable"]


def _cautions(known: Mapping[str, Number]) -> list[str]:
    """What the verdict does not rest on: better among the responses of one prompt, and defects that too few records show."""
    out, low = [], THRESHOLDS["concordance_any"]
    pooled, within = known.get("concordance"), known.get("concordance_within")
    if pooled is not None and pooled.hi is not None and within is not None and within.lo is not None:
        better = within.lo > max(pooled.hi, low)
        more = f"it does better among the responses of one prompt than across prompts: {_written(within)}"
        out += [more] if better else []
    for key, (threshold, words) in _ABOVE.items():
        number, weak = known.get(key), THRESHOLDS[f"{threshold}_weak"]
        if number is None or number.value is None:
            continue
        if number.value >= weak and (number.lo is None or number.lo < weak):
            out.append(f"not shown, but worth a look: {words}: {_written(number)} of {number.n:,}")
    return out


_ABOVE = {
    "failed": ("failed", "many scores are missing or no number"),
    "ties": ("ties", "most scores are the same"),
    "flips": ("flips", "the winner changes with the order of the responses"),
}


def _beside_gold(known: Mapping[str, Number], primary: Number | None) -> list[_Found]:
    """Defects that count where a scorer agrees with gold, or in place of gold."""
    out = []
    length = known.get("length")
    if primary is None:
        edge = THRESHOLDS["length_weak"]
        ends = None if length is None or length.lo is None or length.hi is None else (length.lo, length.hi)
        if length is not None and ends is not None and (ends[0] >= edge or ends[1] <= -edge):
            out.append(_Found(WEAK, f"it is nearly the length of the response: {_written(length)}"))
        return out
    if primary.hi is not None and primary.hi < THRESHOLDS["concordance_any"]:
        return out
    over = known.get("over_length")
    if over is not None and over.lo is not None and over.lo <= 0:
        out.append(
            _Found(WEAK, f"it is not shown to know more of gold than length does: {_written(over)} beyond length")
        )
    within = known.get("concordance_within")
    if primary.key != "concordance" or within is None or within.lo is None or within.clusters < PROMPTS:
        return out
    if within.lo <= 0.5:
        out.append(_Found(WEAK, f"it is not shown to tell the responses of one prompt apart: {_written(within)}"))
    return out


def _needed(primary: Number | None) -> dict[str, Any]:
    """Gold labels that would decide: on the numbers at hand, or on a guess where there are none."""
    high, low = THRESHOLDS["concordance_usable"], THRESHOLDS["concordance_any"]
    if primary is None or primary.value is None or primary.lo is None or primary.hi is None:
        labels = {f"{true:g}": _labels_for(true, high) for true in (0.75, 0.80, 0.90)}
        text = (
            f"to show a concordance of {high:g}, about {labels['0.8']:,} records with gold labels (half of each of two), one "
            f"a prompt, if it is .80 in truth; {labels['0.75']:,} if it is .75, {labels['0.9']:,} if it is .90"
        )
        return {"labels": labels["0.8"], "if_true": labels, "text": text}
    edge = high if primary.value >= high or primary.lo >= low else low
    gap, half = abs(primary.value - edge), (primary.hi - primary.lo) / 2
    wanted = math.ceil(primary.n * (half * (Z + POWER) / Z / max(gap, 1e-9)) ** 2)
    if wanted > MOST_LABELS:
        text = f"the value lies on the threshold of {edge:g}: no number of gold labels at hand would decide"
        return {"labels": None, "if_true": {}, "text": text}
    wanted = max(wanted, primary.n + 1)
    side = "above" if primary.value >= edge else "under"
    text = (
        f"about {wanted:,} with gold in all ({primary.n:,} there are) to show that it is {side} {edge:g}, if it stays "
        f"at {primary.value:.3f}"
    )
    return {"labels": wanted, "if_true": {}, "text": text}


def _labels_for(true: float, edge: float) -> int:
    """Records, half of each label, for an interval above `edge` four times in five (Hanley & McNeil 1982)."""
    q1, q2 = true / (2 - true), 2 * true**2 / (1 + true)
    n = LEAST_LABELS
    while n < MOST_LABELS:
        half = n / 2
        variance = (true * (1 - true) + (half - 1) * (q1 + q2 - 2 * true**2)) / half**2
        if (Z + POWER) * math.sqrt(variance) <= true - edge:
            return n
        n += max(2, n // 20 // 2 * 2)
    return n


def _written(number: Number) -> str:
    if number.value is None:
        return "not defined"
    if number.lo is None or number.hi is None:
        return f"{number.value:.3f} (no interval)"
    return f"{number.value:.3f} ({number.lo:.3f} to {number.hi:.3f})"
