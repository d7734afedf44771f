"""How a loop reads in words: its title, what came of each arm, groups of panels, counts and overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triptych.report.guard_figures import panels_of
from triptych.report.guard_records import GENERATED, SCORES, Round
from triptych.report.guard_words import ID, moved, panel_kind, state_of
from triptych.report.loop_records import Arm, Loop
from triptych.report.study_records import Reading
from triptych.report.words import count, listing, number

PAST = {"warn": "warned", "stop": "said stop"}
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NAMED = 4
"""Panels named in a title; of more, their number is said."""


@dataclass(frozen=True)
class PanelGroup:
    """Panels that are read together: their mean is one line of the headline picture."""

    title: str
    short: str
    names: tuple[str, ...]


def title(found: Loop) -> str:
    """The document's own title, or what was run."""
    if found.title:
        return found.title
    numbers = [each.number for arm in found.arms for each in arm.rounds]
    over = (
        f"rounds {min(numbers)} to {max(numbers)}" if len(set(numbers)) > 1 else "one round" if numbers else "no round"
    )
    if found.arms_total == 1 and found.arms:
        return f"{found.arms[0].title}: {over}"
    shown = SMALL[found.arms_total] if found.arms_total < len(SMALL) else count(found.arms_total)
    noun = "loop" if found.arms_total == 1 else "loops"
    return f"{shown[:1].upper()}{shown[1:]} {noun}, {over}"


def lede(found: Loop) -> str:
    """What is equal in all arms."""
    parts = [f"{count(found.samples)} samples a round"] if found.samples is not None else []
    parts += [f"at most {count(found.budget)} records trained on in a round"] if found.budget is not None else []
    parts += [f"diversity read at {count(found.at)} valid records"] if found.at is not None else []
    names = listing([arm.label for arm in found.arms])
    same = "The same for all: " if found.arms_total > 1 and parts else ""
    text = same + ", ".join(parts)
    text = f"{text[:1].upper()}{text[1:]}." if text else ""
    return f"{names}. {text}".strip() if found.arms_total > 1 and names else text


def groups(found: Loop) -> list[PanelGroup]:
    """In distribution; out of it, panels that were kept out of the loop's data apart from those that were not."""
    names = [name for name in all_panels(found) if "@" not in name]
    own = tuple(name for name in names if panel_kind(name, found.kinds) == ID)
    out = [name for name in names if name not in own]
    closed, open_ = (tuple(n for n in out if (n in found.closed) is held) for held in (True, False))
    both = bool(closed and open_)
    made = [
        ("In distribution", "ID", own),
        ("Out of distribution, closed" if closed else "Out of distribution", "OOD closed" if both else "OOD", closed),
        ("Out of distribution, open" if both else "Out of distribution", "OOD open" if both else "OOD", open_),
    ]
    return [PanelGroup(_with_names(text, each), short, each) for text, short, each in made if each]


def _with_names(text: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{text}: {names[0]}"
    told = listing(list(names)) if len(names) <= NAMED else f"{len(names)} panels"
    return f"{text}: mean of {told}"


def all_panels(found: Loop) -> list[str]:
    """Every panel of every arm."""
    return list(dict.fromkeys(name for arm in found.arms for name in panels_of(arm.rounds)))


def mean_score(found: Round, names: Sequence[str]) -> Reading:
    """The mean over panels, where a round has all of them; its interval takes the panels' items as independent draws."""
    readings = [found.get(name, SCORES) for name in names]
    values = [item.value for item in readings if item.value is not None]
    if len(values) < len(readings) or not values:
        return Reading()
    mean = sum(values) / len(values)
    down = [item.value - item.lo for item in readings if item.value is not None and item.lo is not None]
    up = [item.hi - item.value for item in readings if item.value is not None and item.hi is not None]
    if len(down) < len(values) or len(up) < len(values):
        return Reading(mean)
    lo, hi = (sum(half**2 for half in halves) ** 0.5 / len(values) for halves in (down, up))
    return Reading(mean, mean - lo, mean + hi)


def quality_name(rounds: Sequence[Round]) -> str:
    """What a loop's quality dial shows: the share that the verifier passed, else quality as measured."""
    return next((n for n in ("verified", "quality") if any(each.value(n) is not None for each in rounds)), "")


def called(arm: Arm) -> list[tuple[int, str]]:
    """The first round at which the guard warned, and the first at which it said stop."""
    found = []
    for verdict in ("warn", "stop"):
        first = next((each.number for each in arm.rounds if each.ruling.verdict == verdict), None)
        found += [(first, verdict)] if first is not None else []
    return found


def outcome(found: Loop, arm: Arm) -> list[tuple[str, str]]:
    """What came of an arm, first round to last: names and texts."""
    rounds = arm.rounds
    out = []
    name = quality_name(rounds)
    if name:
        label = "Passed by the verifier" if name == "verified" else "Quality as measured"
        out.append((label, moved(rounds, name, GENERATED, "ratio")))
    for group in groups(found):
        means = [mean_score(each, group.names).value for each in rounds]
        known = [value for value in means if value is not None]
        if known:
            text = f"{number(known[0], 3)} → {number(known[-1], 3)}" if len(known) > 1 else number(known[0], 3)
            out.append((group.short, text))
    text = moved(rounds, "structures", GENERATED, "effective structures")
    out += [("Effective structures", text)] if text else []
    return [(label, text) for label, text in out if text]


def verdict_line(arm: Arm) -> str:
    """What the guard said over the run, in a sentence."""
    rulings = [each.ruling for each in arm.rounds if each.ruling.state or each.ruling.verdict]
    if not rulings:
        return "The guard did not read this loop."
    calls = [f"{PAST[verdict]} at round {where}" for where, verdict in called(arm)]
    return f"Guard: {' and '.join(calls) if calls else 'never warned'}; at the end {state_of(rulings[-1]).name}."


def overlap_line(found: Loop, arm: Arm) -> str:
    """Whether what was trained on shared anything with the closed panels."""
    closed = [name for name in found.closed if any(name in turn.overlap for turn in arm.turns)]
    if not closed:
        return (
            "No panel was closed, or what was trained on was not compared with it."
            if not found.closed
            else (f"The document does not say what was shared with {listing(sorted(found.closed))}.")
        )
    trained = [turn for turn in arm.turns if sum(turn.selected.values())]
    told = [
        (turn.round.number, name, shared)
        for turn in trained or arm.turns  # the last round trains nothing: its 0 says nothing
        for name in closed
        if (shared := turn.overlap.get(name)) is not None
    ]
    bad = [each for each in told if each[2].prompts or each[2].structures]
    names, rounds = listing(sorted(closed)), len({where for where, _, _ in told})
    unsaid = any(shared.prompts is None or shared.structures is None for _, _, shared in told)
    if bad:
        where, name, shared = bad[0]
        return (
            f"Closed, and yet: of what round {where} selected, {count(shared.prompts or 0)} have a prompt of {name} and "
            f"{count(shared.structures or 0)} one of its structures. Scores on it say less than they seem."
        )
    if unsaid:
        return f"Of {names} some counts are missing; those that are there are 0."
    return (
        f"Of what was trained on, 0 records have a prompt of {names}, or a structure of theirs that the start lacks, in "
        f"{count(rounds, 'round')} compared."
    )
