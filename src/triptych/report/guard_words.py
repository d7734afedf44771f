"""How a guard reads in words: names of readings and states, the headline, what each state means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triptych.report.guard_records import SPLITS, Guarded, Round, Ruling
from triptych.report.study_records import Reading
from triptych.report.words import count, decimals, number, span

ID, OOD = "id", "ood"
LARGE = 100
"""From here on a number in a sentence needs no decimals, where one would be written."""


@dataclass(frozen=True)
class Named:
    """A reading for people: its title, its unit, and the keys under which documents hold it."""

    key: str
    title: str
    unit: str = ""
    also: tuple[str, ...] = ()


READINGS = (
    Named("quality", "Quality as measured"),
    Named("verified", "Passed by the verifier", "ratio"),
    Named("true", "Right in truth", "ratio", ("right",)),
    Named("structures", "Effective structures", "effective structures", ("diversity",)),
    Named("structures_all", "Effective structures, valid or not", "effective structures"),
    Named("correct_structures", "Effective structures among correct records", "effective structures"),
    Named("templates", "Effective templates", "effective templates", ("template_effective",)),
    Named("semantic", "Vendi score of meanings", "effective records"),
    Named("surface", "Distinct n-grams", "ratio"),
    Named("per_prompt", "Distance of responses to one prompt", "ratio"),
    Named("per_prompt_novelty", "N-grams that others to the prompt lack", "ratio"),
    Named("complexity", "Complexity"),
    Named("tokens", "Tokens of a record", "tokens"),
    Named("novelty", "New against earlier rounds", "ratio"),
    Named("semantic_novelty", "Distance to earlier rounds", "ratio"),
    Named("anchor_novelty", "New against the anchor", "ratio"),
    Named("tail", "Rare structures that still occur", "ratio"),
    Named("zero_signal", "Prompts always or never solved", "ratio"),
    Named("evenness", "Effective over different structures", "ratio"),
    Named("real", "Real data", "ratio"),
)
"""The readings of a ledger, in the order of the tables."""

SPLIT_NAMES = (
    Named("reward_gap", "Verified less true (reward hacking)"),
    Named("false_pass", "Passed, and wrong"),
    Named("false_fail", "Right, and not passed"),
    Named("gap", "Generation-verification gap"),
    Named("quality_control", "Lost by quality control"),
    Named("narrowing", "Lost by narrowing"),
    Named("illusion", "Illusion index"),
    Named("pass_gap", "Pass@k less pass@1"),
    Named("length_drift", "Drift of length"),
)

BY_KEY = {key: each for each in READINGS for key in (each.key, *each.also)}
BY_SPLIT = {each.key: each for each in SPLIT_NAMES}


@dataclass(frozen=True)
class State:
    """A state in words: `css` is its colour, `clause` ends the headline sentence."""

    name: str
    css: str
    clause: str
    meant: str


STATES = {
    "healthy": State("healthy", "s2", "the loop is healthy", "What it writes stays varied, or grows more so."),
    "quality_control": State(
        "quality control",
        "s0",
        "the loop narrows only by what was wrong",
        "Diversity falls because wrong records go; among correct ones it holds. This is benign.",
    ),
    "stalled": State(
        "stalled",
        "s4",
        "the loop has stalled",
        "Nothing new is explored: scores near the data may climb, others do not.",
    ),
    "collapsing": State(
        "collapsing", "s6", "the loop is collapsing", "Correct records too come from fewer and fewer structures."
    ),
}
NO_STATE = State("no state", "s5", "its state is not known", "The document gives no state.")
SIGNS = {"continue": "●", "warn": "▲", "stop": "■"}
"""The sign of each verdict, so that it is never told by colour alone."""


def state_of(ruling: Ruling) -> State:
    """The words of a state; one that is not known goes under its own name."""
    found = STATES.get(ruling.state)
    if found is not None or not ruling.state:
        return found or NO_STATE
    return State(ruling.state.replace("_", " "), "s5", f"its state is {ruling.state.replace('_', ' ')}", "")


def headline(ruling: Ruling) -> str:
    """Verdict and state in a sentence.

    >>> headline(Ruling("collapsing", "stop", 3.0)), headline(Ruling("healthy", "continue"))
    ('Stop: the loop is collapsing, since round 3.', 'Continue: the loop is healthy.')
    >>> headline(Ruling("healthy", "warn"))
    'Warn: what it writes stays varied, but another sign is amiss.'
    """
    if not ruling.state and not ruling.verdict:
        return "The document gives no verdict."
    verdict = ruling.verdict or "no verdict"
    since = ruling.since if ruling.state != "healthy" else None
    when = f", since round {number(since, 0)}" if since is not None else ""
    beside = ruling.state == "healthy" and ruling.verdict not in ("", "continue")
    clause = "what it writes stays varied, but another sign is amiss" if beside else state_of(ruling).clause
    return f"{verdict[:1].upper()}{verdict[1:]}: {clause}{when}."


def told(ruling: Ruling) -> str:
    """State and verdict in short: "collapsing, stop"; empty where there is neither."""
    parts = [state_of(ruling).name] if ruling.state else []
    return ", ".join([*parts, *([ruling.verdict] if ruling.verdict else [])])


def read_how(found: Guarded) -> str:
    """How many rounds were read, how, and at what rate of false alarms."""
    parts = [f"{count(found.rounds_total, 'round')} read"]
    parts += [f"diversity at {count(found.at, 'valid record')} in each"] if found.at is not None else []
    parts += [f"a structure is the {found.structure}"] if found.structure else []
    text = ", ".join(parts) + "."
    if found.alarm_rate is not None:
        text += f" Declared false-alarm rate: {rate(found.alarm_rate)}."
    return text


def rate(found: float) -> str:
    """A small rate with the digits that it has.

    >>> rate(0.05), rate(0.001)
    ('0.05', '0.001')
    """
    return f"{found:.3g}" if found >= 0.0001 else number(found, unit="ratio")


def one_in(found: float | None) -> str:
    """What a false-alarm rate means for healthy loops."""
    if found is None or not 0 < found < 1:
        return "The document declares no rate of false alarms, so nothing is promised about them."
    return (
        f"Here it is {rate(found)}: of loops in which nothing changes, at most about one in {count(round(1 / found))} "
        "would ever be stopped, however many rounds they run. It bounds false alarms, not missed ones."
    )


def panel_kind(name: str, kinds: Mapping[str, str] | None = None) -> str:
    """`id` or `ood` of a panel, `@k` left aside: as the document says, else by its name."""
    base = name.split("@", 1)[0]
    found = (kinds or {}).get(name) or (kinds or {}).get(base)
    return found if found in (ID, OOD) else ID if base.lower().startswith(ID) else OOD


def title_of(name: str, of: str = "") -> Named:
    """A reading's words; one that is not known goes under its own name."""
    known = BY_SPLIT if of == SPLITS else BY_KEY
    return known.get(name) or Named(name, name.replace("_", " "))


def places_of(readings: Sequence[Reading], unit: str) -> int:
    """Decimals shared by the readings of one name: three for what may be a share, else what its sharpest interval deserves.

    >>> places_of([Reading(57.3, 55.0, 59.6), Reading(4.1, 3.9, 4.3)], "effective structures")
    1
    """
    values = [item.value for item in readings if item.value is not None]
    if not values:
        return 0
    if unit == "ratio" or all(-1 <= value <= 1 for value in values):
        return 3
    halves = [
        decimals(item.value, (item.hi - item.lo) / 2, unit)
        for item in readings
        if item.value is not None and item.lo is not None and item.hi is not None
    ]
    most = 1 if unit.startswith("effective") else 2
    return min(most, max(halves or [decimals(value, None, unit) for value in values]))


def shown(item: Reading, places: int) -> str:
    """A value with its interval; a dash where there is none."""
    if item.value is None:
        return "–"
    ends = f" ({span(item.lo, item.hi, places)})" if item.lo is not None and item.hi is not None else ""
    return number(item.value, places) + ends


def moved(rounds: Sequence[Round], name: str, of: str, unit: str = "") -> str:
    """From the first to the last round that has a number: "0.712 → 0.023"; empty where fewer than one has."""
    known = [item for each in rounds if (item := each.get(name, of)).value is not None]
    if not known:
        return ""
    places = places_of(known, unit)
    values = [item.value or 0.0 for item in (known[0], known[-1])]
    first, last = (number(value, 0 if places == 1 and abs(value) >= LARGE else places) for value in values)
    return f"{first} → {last}" if len(known) > 1 else first
