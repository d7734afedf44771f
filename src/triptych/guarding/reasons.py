"""The guard's reasons, in words with their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from triptych.guarding.ledger import Entry
from triptych.guarding.states import JudgeOptions, Plateau
from triptych.guarding.tracks import Sign

WORDS = {
    "structures": "effective structures among {valid} records",
    "correct_structures": "effective structures among {correct} records",
    "structures_all": "effective structures among all {plain} records",
    "surface": "distinct n-grams of {valid} records",
    "semantic": "semantic diversity (Vendi) of {valid} records",
    "per_prompt": "the distance of two answers to one prompt among {plain} records",
    "tail": "the share of the anchor's rarer structures that {plain} records still have",
    "templates": "effective templates among {valid} records",
    "reward_gap": "the share that is verified but not right (reward hacking)",
    "tokens": "mean length of {plain} records",
    "zero_signal": "the share of prompts whose answers are all right or all wrong",
    "verified": "the share that is right, as far as is known,",
}


def change(sign: Sign, entries: Sequence[Entry]) -> str:
    """A sign in words: what fell or rose, from what in which round to what, and how rarely a healthy loop does so."""
    return f"{moved(sign, entries)}; chance of such a change in a healthy loop {chance(sign.log)}"


def moved(sign: Sign, entries: Sequence[Entry]) -> str:
    """The same without the chance."""
    if sign.role == "selection":
        share = (
            f"{sign.now / sign.before:.0%} of the effective structures that were written in round {entries[-1].round}"
        )
        return f"selection itself narrows: it keeps {share} ({number(sign.now)} of {number(sign.before)})"
    verb = "went" if sign.now == sign.before else "fell" if sign.now < sign.before else "rose"
    start = entries[sign.last].round
    text = f"{_subject(sign)} {verb} from {number(sign.before)} in round {start} to {number(sign.now)}"
    if sign.role in {"hacking", "zero"} or sign.before <= 0:
        return text
    return f"{text} ({(sign.now / sign.before - 1) * 100:+.0f} %)"


def chance(log: float) -> str:
    """Ville's bound for this evidence, in words."""
    bound = math.exp(-max(0.0, log))
    for limit in (0.001, 0.01, 0.05):
        if bound <= limit:
            return f"below {limit:g}"
    return f"at most {bound:.2f}"


def number(value: float) -> str:
    """A number as people read it: three digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def still(plateau: Plateau, entry: Entry, entries: Sequence[Entry]) -> list[str]:
    """Why a loop stands still."""
    start = entries[plateau.since]
    was, now = number(structures(start) or 0.0), number(structures(entry) or 0.0)
    found = [f"effective structures do not grow: {was} in round {start.round}, {now} now"]
    if plateau.novelty is not None:
        found.append(f"only {plateau.novelty:.1%} of valid records have a structure that earlier rounds do not")
    if plateau.ood is not None and plateau.ood_gain is not None:
        found.append(f"OOD stands at {number(plateau.ood)}")
    first = next((value for other in entries if (value := entry_quality(other)) is not None), None)
    last = entry_quality(entry)
    if first is not None and last is not None:
        found.append(f"quality went from {number(first)} to {number(last)} meanwhile")
    if plateau.evenness is None:
        found.append(
            "that these are all structures that can be reached is not seen from such rounds; exploration would tell"
        )
    else:
        found.append(
            f"structures are {plateau.grown or 0.0:.1f} times those of the first round, effective over distinct "
            f"{plateau.evenness:.2f}: it has not explored, or leaves rare ones rare"
        )
    return found


def covering(plateau: Plateau, entry: Entry, options: JudgeOptions) -> list[str]:
    """Why a plateau counts as coverage; empty where there is no plateau, or where something else speaks for the loop."""
    if plateau.growth is None or plateau.growth >= options.growth or not plateau.covered(options):
        return []
    now = number(structures(entry) or 0.0)
    grown = f"structures no longer grow ({now}), after growing {plateau.grown or 0.0:.1f}-fold"
    if plateau.evenness is not None:
        return [f"{grown}, and what is known is covered evenly ({plateau.evenness:.2f} of distinct)"]
    panel = "" if plateau.ood is None else f", OOD stands at {number(plateau.ood)}"
    return [f"{grown}{panel}; whether these are all that can be reached is not seen from the rounds alone"]


def kept(signs: Sequence[Sign], entries: Sequence[Entry]) -> list[str]:
    """What did not fall when structures among all records did, in words; nothing where it is not read."""
    made = next((sign for sign in signs if sign.role == "structures" and sign.of == "generated"), None)
    if made is None:
        return []
    since = [
        replace(sign, last=made.last, before=was)
        for sign in signs
        if sign.role == "text" and sign.of == "generated" and (was := entries[made.last].value(sign.name))
    ]
    if since and made.now < made.before:
        return [f"{moved(made, entries)}, but {moved(min(since, key=lambda sign: sign.now / sign.before), entries)}"]
    return [moved(made, entries)]


def structures(entry: Entry) -> float | None:
    """The reading of structure that a plateau is judged by."""
    for of, name in (("generated", "correct_structures"), ("generated", "structures"), ("selected", "structures")):
        value = entry.value(name, of)
        if value is not None:
            return value
    return None


def entry_quality(entry: Entry) -> float | None:
    """Share verified, else quality."""
    verified = entry.value("verified")
    return entry.value("quality") if verified is None else verified


def _subject(sign: Sign) -> str:
    """What a sign is of."""
    if sign.role == "score":
        return f"the score of panel {sign.name}"
    selected = sign.of == "selected"
    words = {"valid": "valid", "correct": "correct", "plain": "generated"}
    if selected:
        words = {"valid": "selected", "correct": "correct selected", "plain": "selected"}
    return WORDS.get(sign.name, sign.name).format(**words)
