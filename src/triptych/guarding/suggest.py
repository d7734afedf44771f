"""What to do about a verdict: a few actions, the most useful first."""

from __future__ import annotations

from collections.abc import Collection

from triptych.guarding.ledger import Entry
from triptych.guarding.states import Standing
from triptych.guarding.tracks import Sign

LOWER = "lower the quality threshold: take correct records at random rather than the likeliest or best"
NARROW = 0.8  # selected over generated structures below which selection itself narrows
SIDES = {
    "hacking": "check a sample of verified records by hand, or with a second verifier: what it passes is less often right",
    "length": "hold the length: cap it, or normalise the score by it",
    "zero": "take prompts that are neither always nor never solved (policy boundary)",
    "right": "lower the temperature while answering, or train on verified records only",
    "selection": LOWER,
    "score": "keep the last model before the panel fell, and compare it with the next one",
}


def narrows(entry: Entry) -> float | None:
    """Effective structures selected over those generated, in this round; None where either is not read."""
    chosen, written = entry.value("structures", "selected"), entry.value("structures")
    return None if chosen is None or not written else chosen / written


def suggest(standing: Standing, sides: Collection[Sign], entry: Entry, good: int | None) -> tuple[str, ...]:
    """The actions for a round.

    Args:
        standing: its state and verdict.
        sides: side signs that are called.
        entry: the round.
        good: the last round before the change, where there was one.
    """
    found: list[str] = []
    if standing.state == "collapsing":
        found += _collapsing(standing, entry, good)
    if standing.state == "stalled":
        found += [
            "raise the temperature while writing prompts, not while answering them",
            "sample evenly over structures from an archive of all rounds, rarest first, so that rare ones are amplified",
            LOWER,
        ]
    found += [SIDES[role] for role in dict.fromkeys(sign.role for sign in sides) if role in SIDES]
    return tuple(dict.fromkeys(found))


def _collapsing(standing: Standing, entry: Entry, good: int | None) -> list[str]:
    """Against a collapse: go back first where it must stop."""
    back = [] if good is None else [f"roll back to round {good}, the last one before the change"]
    ratio = narrows(entry)
    rest = [
        "sample evenly over structures from an archive of all rounds",
        "mix anchor (real) data into what is trained on",
        "raise the temperature while writing prompts",
    ]
    rest.insert(0 if ratio is not None and ratio < NARROW else 2, LOWER)
    return [*back, *rest] if standing.verdict == "stop" else [*rest, *back]
