"""What a comparison says, in sentences: whether it may be made, which set is better on which axis, the price, what explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from triptych.report.comparison_model import is_raw
from triptych.report.comparison_records import (
    CONFOUNDED,
    CONTROLLED,
    NOT_KNOWN,
    SAME,
    UNKNOWN,
    A,
    B,
    Comparability,
    Comparison,
    PairRecord,
    Result,
    Trade,
    ViewRecord,
)
from triptych.report.study_records import Reading
from triptych.report.study_words import signed
from triptych.report.words import AXES, AXIS_WORDS, OPTIONAL, count, decimals, listing, not_defined, number, span

BETTER = {"quality": "better", "diversity": "more varied", "complexity": "more demanding"}
KINDS = {A: "first", B: "second", SAME: "same", UNKNOWN: "open", "": "none"}
"""Verdicts as classes of the page; each has its own shape."""
DISAGREE = "the measures disagree"
LONGEST = 120
"""Longest part of a headline that is taken from the document, in characters."""
NAMED = 4
"""Causes named in the headline; the others are counted."""
SHRUNK = 0.5
"""A difference that falls below this share of the raw one has shrunk, and is not only harder to see."""


@dataclass(frozen=True)
class Told:
    """A verdict for people: its class, which is its shape, and its words."""

    kind: str
    words: str


@dataclass(frozen=True)
class Line:
    """One headline measure in the answer of an axis."""

    title: str
    told: Told
    numbers: str
    more: str


@dataclass(frozen=True)
class Answer:
    """What the primary view says of one axis. `share`: by how many of its measures, where they do not all say so."""

    axis: str
    question: str
    told: Told
    share: str
    lines: tuple[Line, ...]
    undefined: str


def headline(found: Comparability) -> str:
    """The verdict on comparability, with the causes that differ or what is missing."""
    names = [each.name for each in found.differs]
    if found.verdict == CONTROLLED:
        return f"Controlled: only one thing differs, the {names[0]}" if names else "Controlled: no known cause differs"
    if found.verdict == CONFOUNDED:
        rest = [count(len(names) - NAMED, "more cause")] if len(names) > NAMED else []
        named = listing(names[:NAMED] + rest)
        return f"Confounded: {named} differ at once" if len(names) > 1 else "Confounded: several causes differ at once"
    if found.verdict == NOT_KNOWN:
        own = found.sentence.split(". ", maxsplit=1)[0].rstrip(".")
        if own.startswith("Unknown") and len(own) <= LONGEST:
            return own
        missing = listing(list(found.missing))
        short = f": {missing}" if missing and len(missing) <= LONGEST else ""
        many = f": {count(len(found.missing), 'thing')} are missing" if found.missing and not short else ""
        return f"Unknown whether the sets can be compared{short or many}"
    return "Not audited: whether the sets can be compared is not said"


def sentence(found: Comparability) -> str:
    """What the document says beyond the headline; its own verdict in other words is not said twice."""
    title, own = headline(found), found.sentence
    if own.startswith(title):
        return own.removeprefix(title).lstrip(". ")
    restated = found.verdict in (CONTROLLED, CONFOUNDED) and own.casefold().startswith(f"{found.verdict}:")
    return "" if restated and found.differs else own


def advice(found: Comparability) -> str:
    """How the differences below are to be read."""
    left = [each.name for each in found.differs if not each.held]
    if found.verdict == CONFOUNDED:
        if len(left) == 1:
            return f"The main view holds all but the {left[0]} equal: only its differences can be put down to that."
        return "Every difference below is that of all these causes together. None can be put down to one of them."
    if found.verdict == CONTROLLED:
        known = "As far as is known, the sets were made in the same way."
        return "A difference below can be put down to it." if found.differs else known
    return "The differences below hold for these files; what made them cannot be said." if found.verdict else ""


def told(pair: PairRecord, item: Result) -> Told:
    """The verdict on one measure."""
    kind = KINDS[item.verdict]
    if item.diff is None:
        return Told("none", "not defined")
    if item.verdict in (A, B):
        owner = pair.first if item.verdict == A else pair.second
        return Told(kind, f"{owner.letter} {BETTER.get(item.axis, 'better') if item.better != 'neither' else 'higher'}")
    return Told(kind, item.verdict or "no verdict")


def answers(pair: PairRecord) -> list[Answer]:
    """Quality, diversity, complexity, by the headline measures of the primary view."""
    view = primary(pair)
    read = {item.axis for item in view.results} if view else set()
    return [answer(pair, axis) for axis in AXES if axis not in OPTIONAL or axis in read]


def answer(pair: PairRecord, axis: str) -> Answer:
    """What the primary view says of one axis."""
    words, view = AXIS_WORDS[axis], primary(pair)
    found = [item for item in view.results if item.axis == axis and item.headline] if view else []
    if not found:
        reason = not_defined(view.undefined) if view and view.undefined else "No headline measure on this axis."
        return Answer(words.name, words.question, Told("none", "not read"), "", (), reason)
    lines = tuple(_line(pair, item) for item in found)
    whole, share = _joined([line.told for line in lines])
    return Answer(words.name, words.question, whole, share, lines, "")


def _joined(found: list[Told]) -> tuple[Told, str]:
    """One verdict of several measures: what is told comes before equivalent, that before cannot tell."""
    kinds = [each.kind for each in found]
    if "first" in kinds and "second" in kinds:
        return Told("mixed", DISAGREE), ""
    kind = next((kind for kind in ("first", "second", "same", "open") if kind in kinds), "none")
    own = [each for each in found if each.kind == kind]
    return own[0], "" if len(own) == len(found) else f"by {len(own)} of {count(len(found), 'measure')}"


def primary(pair: PairRecord) -> ViewRecord | None:
    """The view that answers."""
    return None if pair.primary is None else pair.views[pair.primary]


def places(item: Result) -> int:
    """Decimals of a measure: of both values and of their difference."""
    half = (item.hi - item.lo) / 2 if item.hi is not None and item.lo is not None else None
    largest = max((abs(each) for each in (item.a, item.b) if each is not None), default=abs(item.diff or 0.0))
    return decimals(largest, half, item.unit)


def _line(pair: PairRecord, item: Result) -> Line:
    if item.diff is None:
        return Line(item.title, told(pair, item), "", not_defined(item.undefined))
    unit = f" {item.unit}" if item.unit not in ("", "ratio", "label", "mean", "score") else ""
    a, b = values(item)
    numbers = f"{pair.first.letter} {a}, {pair.second.letter} {b}{unit}: {difference(item)}"
    return Line(item.title, told(pair, item), numbers, more(item))


def values(item: Result) -> tuple[str, str]:
    """Both values, with the decimals of their difference."""
    at = places(item)
    return _value(item.a, at), _value(item.b, at)


def _value(value: float | None, at: int) -> str:
    return "–" if value is None else number(value, at)


def difference(item: Result, at: int | None = None) -> str:
    """A difference with its interval: "+0.031 (+0.012 to +0.050)"."""
    if item.diff is None:
        return "–"
    at = places(item) if at is None else at
    ends = signed_ends(item, at)
    return f"{signed(item.diff, at)} ({ends})" if ends else signed(item.diff, at)


def signed_ends(item: Result, at: int) -> str:
    """Both ends of the interval of a difference; empty where there are none."""
    return f"{signed(item.lo, at)} to {signed(item.hi, at)}" if item.lo is not None and item.hi is not None else ""


def more(item: Result) -> str:
    """What it would take to tell, or what the margin is."""
    if item.verdict == UNKNOWN:
        alone = "Alone it would tell, but not with p adjusted for all measures. " if told_alone(item) else ""
        if item.needed is None:
            return f"{alone}No number of records that can be had would tell."
        return f"{alone}About {count(item.needed)} records in each set would tell."
    if item.verdict == SAME and item.margin is not None:
        return f"The interval lies within the margin of {margin_words(item)}."
    if item.verdict in (A, B) and item.better == "neither":
        return "Higher is neither better nor worse."
    return ""


def margin_words(item: Result) -> str:
    """A margin: at least two of its digits, and no fewer decimals than the difference."""
    if item.margin is None:
        return "–"
    least = max(0, min(6, 1 - math.floor(math.log10(item.margin))))
    return number(item.margin, max(min(places(item), 3), least if item.margin < 10 else 0))


def summary(pair: PairRecord) -> str:
    """All axes in one sentence; a trade is called one, and no set is ever called the winner."""
    found = [each for each in answers(pair) if each.lines]
    view = primary(pair)
    if not found or view is None or view.undefined:
        reason = (view.undefined if view else "") or "the document has no headline measure"
        return f"There is no answer: {reason}."
    parts = []
    for key in dict.fromkeys((each.told.words, each.share) for each in found):
        axes = listing([each.axis.lower() for each in found if (each.told.words, each.share) == key])
        parts.append(f"{_clause(key[0], axes)} {key[1]}".rstrip())
    text = f"{view.title}: {'; '.join(parts)}."
    sides = {item.verdict for item in view.results if item.headline and item.axis in ("quality", "diversity")}
    if pair.price or {A, B} <= sides:
        return f"{text} That is a trade, not a win."
    return text


def _clause(words: str, axes: str) -> str:
    several = " and " in axes
    if words == SAME:
        return f"{axes} {'are' if several else 'is'} equivalent"
    if words == UNKNOWN:
        return f"on {axes} one cannot tell"
    if words == DISAGREE:
        return f"on {axes} {words}"
    if words in ("not defined", "no verdict"):
        return f"{axes}: {words}"
    owner, _, what = words.partition(" ")
    return f"{owner} is {what} on {axes}" if what in ("higher", "better") else f"{owner} is {what}"


def price(pair: PairRecord) -> str:
    """A trade in one sentence; empty where there is none."""
    trade = pair.price
    if trade is None:
        return ""
    owner = {A: pair.first.letter, B: pair.second.letter}
    richer, better = owner[trade.diversity_side], owner[trade.quality_side]
    if trade.lost is None or trade.gained is None:
        return f"{richer} has the diversity, {better} the quality."
    unit = trade.unit.rpartition(" per ")[2] or "units of diversity"
    gained = number(trade.gained, decimals(trade.gained, None, unit))
    text = f"{richer} has {gained} {unit} more, {better} has {number(trade.lost, 3)} more of quality"
    return f"{text}: {_per_unit(trade, unit)}." if trade.per_unit is not None else f"{text}."


def _per_unit(trade: Trade, unit: str) -> str:
    """The price of a power of ten of diversity, the one for which it is a number that can be read."""
    value = abs(trade.per_unit or 0.0)
    power = max(0, min(9, -math.floor(math.log10(value)) - 1)) if value > 0 else 0
    size = f"{number(10.0**power, 0)} {unit} cost" if power else "each of them costs"
    lo, hi = (None if end is None else end * 10**power for end in (trade.lo, trade.hi))
    ends = interval(lo, hi, 3) or (f"at least {number(lo, 3)}" if lo is not None else "")
    return f"{size} {number(value * 10**power, 3)} of quality" + (f" ({ends})" if ends else "")


def explanations(pair: PairRecord) -> list[tuple[str, list[str]]]:
    """Where a view says otherwise than the raw sets (without them, the main view), measure by measure, and why."""
    there = [view for view in pair.views if not view.undefined]
    plain = next((view for view in there if is_raw(view)), primary(pair))
    if plain is None or plain.undefined:
        return []
    out: dict[str, list[str]] = {}
    for item in plain.results:
        for view in there:
            other = next((each for each in view.results if each.label == item.label), None)
            if view is not plain and other is not None and (item.headline or other.headline):
                said = _explained(pair, (plain, view), item, other)
                if said:
                    out.setdefault(item.title, []).append(said[0].upper() + said[1:])
    return list(out.items())


def _explained(pair: PairRecord, views: tuple[ViewRecord, ViewRecord], item: Result, other: Result) -> str:
    """What the second view says of a measure that the first does not, in words; empty where they agree."""
    if item.diff is None or other.diff is None or not item.verdict or not other.verdict:
        return ""
    view, before = views[1], "as they are" if is_raw(views[0]) else "in the main view"
    cause, raw, held = held_equal(view), told(pair, item).words, told(pair, other).words
    at = max(places(item), places(other))
    moved = f"{signed(item.diff, at)} becomes {signed(other.diff, at)}"
    if item.verdict not in (A, B):
        return f"it shows only with {cause} held equal: {held} ({moved})." if other.verdict in (A, B) else ""
    if other.verdict == item.verdict:
        return ""
    if other.verdict in (A, B):
        return f"the sign turns with {cause} held equal ({moved}): {raw} {before}, {held} then."
    start = f"{before[0].upper()}{before[1:]}, {raw}; with {cause} held equal"
    if other.verdict == SAME:
        return f"{cause_name(view)} it. {start}, equivalent ({moved})."
    if abs(other.diff) < SHRUNK * abs(item.diff) or (other.diff > 0) != (item.diff > 0):
        return f"{cause_name(view, may=True)} it. {start} one cannot tell ({moved})."
    why = "p is too large once it is adjusted for all measures" if told_alone(other) else "the interval holds 0"
    return f"{start} the difference stays ({moved}), but one cannot tell: {why}."


def told_alone(item: Result) -> bool:
    """Whether an interval leaves 0 out, though p adjusted for all measures does not tell."""
    return item.lo is not None and item.hi is not None and not item.lo <= 0 <= item.hi


def held_equal(view: ViewRecord) -> str:
    """What a view holds equal, in words: "length", "prompts and length"."""
    names = {"records": "size", "tokens": "tokens", "length": "length", "prompt": "prompts"}
    parts = [names.get(part, part.removeprefix("mix:")) for part in view.name.split("+")]
    return listing(parts)


def cause_name(view: ViewRecord, *, may: bool = False) -> str:
    """What a view holds equal as the subject of a sentence: "length explains", "prompts and length may explain"."""
    held = held_equal(view)
    several = " and " in held or held in ("tokens", "prompts")
    return f"{held} {'may explain' if may else 'explain' if several else 'explains'}"


def interval(lo: float | None, hi: float | None, at: int) -> str:
    """Both ends of a value; empty where there are none."""
    return span(lo, hi, at) if lo is not None and hi is not None else ""


def compared(found: Comparison) -> str:
    """The title of the page."""
    names = [each.name for each in found.sets]
    if len(names) == 2:
        return f"{names[0]} against {names[1]}"
    return f"{count(found.sets_total, 'set')} compared" if names else "A comparison"


def sizes(sizes: tuple[float | None, float | None]) -> str:
    """Records on either side: one number where they are equal."""
    a, b = sizes
    if a is None or b is None:
        return ""
    return f"{count(a)} each" if a == b else f"{count(a)} / {count(b)}"


def view_facts(view: ViewRecord) -> str:
    """How many records and tokens a view has, whether it is paired, how often it was drawn."""
    records, tokens = (sizes(each) for each in (view.records, view.tokens))
    parts = [f"{records} records" if records else "", f"{tokens} tokens" if tokens else ""]
    parts += ["paired by prompt" if view.paired else "not paired"] if not view.undefined else []
    parts += [f"{count(view.draws)} draws"] if view.draws is not None and view.draws > 1 else []
    return " · ".join(
        part.replace(" each records", " records each").replace(" each tokens", " tokens each") for part in parts if part
    )


def reading_words(found: Reading, at: int = 3) -> str:
    """A number with its interval, or a dash."""
    if found.value is None:
        return "–"
    ends = interval(found.lo, found.hi, at)
    return number(found.value, at) + (f" ({ends})" if ends else "")
