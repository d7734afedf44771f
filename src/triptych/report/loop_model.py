"""A loop document read into frozen records: cleaned, bounded, tolerant of missing keys. Each line of the ledger is read as
in a guard document; the scores of a round's own file come before those of the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from triptych.report.fields import items, listed, mapping, numbers
from triptych.report.guard_model import read_kinds, read_round, read_ruling, read_scores, read_texts, thinned, words
from triptych.report.guard_plots import SHAPES
from triptych.report.guard_records import SCORES, Round, RoundLimits, Ruling
from triptych.report.loop_records import Arm, Common, Decided, Loop, Sample, Shared, Turn
from triptych.report.loose import facts, written
from triptych.report.loose_numbers import bounded, reading
from triptych.report.study_model import checked, read_warnings
from triptych.report.text import clean, line

SCHEMA = "triptych/loop@1"
NAME = 60
PAIR = 2
OWN = {"quality_only": "s1", "keep": "s2", "correct": "s0"}
"""Policies that have the same colour on every page."""
OTHERS = ("s3", "s4", "s7", "s6", "s5")
LISTS = ("structures", "commonest", "common_structures")
"""Keys under which a round's commonest structures may stand."""


def read_loop(document: Any, limits: RoundLimits | None = None) -> Loop:
    """Read one document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    limits = limits or RoundLimits()
    checked(document, SCHEMA)
    config, arms = mapping(document, "config"), listed(document, "arms")
    policy, generator = mapping(config, "policy"), mapping(config, "generator")
    first = [item for each in arms[:4] for item in listed(each, "rounds")[:4]]
    named = (
        items(mapping(document, "closed").get("panels")) or items(policy.get("closed")) or items(config.get("closed"))
    )
    closed = {line(each, NAME) for each in named if isinstance(each, str)}
    return Loop(
        title=words(document, "title", 120),
        arms=_arms(arms[: limits.arms], limits),
        arms_total=len(arms),
        kinds=read_kinds([document, config, *first, *(mapping(item, "ledger") for item in first)]),
        closed=frozenset(closed),
        budget=bounded(policy.get("budget", config.get("budget"))),
        samples=bounded(generator.get("samples")),
        at=bounded(config.get("at")),
        config=facts(config, limit=60),
        conclusions=_conclusions(document, limits),
        notes=read_texts(document, "notes", limits),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=facts(mapping(document, "provenance"), text=limits.text),
    )


def _conclusions(document: Mapping[str, Any], limits: RoundLimits) -> tuple[str, ...]:
    said = [words(item, "text", limits.text) for item in listed(document, "conclusions")[: limits.notes]]
    return (*read_texts(document, "conclusions", limits), *(each for each in said if each))


def _arms(found: list[Mapping[str, Any]], limits: RoundLimits) -> tuple[Arm, ...]:
    """The arms with labels, colours and shapes of their own."""
    policies = [words(item, "policy", NAME) or words(item, "title", NAME) or "a loop" for item in found]
    names = [policy.split(":", 1)[0] for policy in policies]
    labels: list[str] = []
    for at, (policy, name) in enumerate(zip(policies, names, strict=True)):
        label = name if names.count(name) == 1 else policy
        labels.append(label if label not in labels else f"{label[: NAME - 4]} {at + 1}")
    free = [css for css in (*OTHERS, *OWN.values()) if css not in {OWN.get(name) for name in names}]
    colours: list[str] = []
    for name in names:
        own = OWN.get(name, "")
        colours.append(own if own and own not in colours else free[len(colours) % len(free)] if free else "s5")
    return tuple(
        _arm(item, (label, policy, css, SHAPES[at % len(SHAPES)]), limits)
        for at, (item, label, policy, css) in enumerate(zip(found, labels, policies, colours, strict=True))
    )


def _arm(item: Mapping[str, Any], look: tuple[str, str, str, str], limits: RoundLimits) -> Arm:
    rounds = listed(item, "rounds")
    label, policy, css, shape = look
    turns = [_turn(each, at, limits) for at, each in thinned(list(enumerate(rounds)), limits.rounds)]
    return Arm(
        label=label,
        policy=policy,
        title=words(item, "title", 120) or policy,
        css=css,
        shape=shape,
        turns=tuple(sorted(turns, key=lambda turn: turn.round.number)),
        turns_total=len(rounds),
        stopped=words(item, "stopped", limits.text),
    )


def _turn(item: Mapping[str, Any], at: int, limits: RoundLimits) -> Turn:
    counts = mapping(item, "counts")
    return Turn(
        round=_round(item, at, limits),
        dials={line(str(key), 40): dial(value) for key, value in islice(mapping(item, "dials").items(), 40)},
        decisions=tuple(
            Decided(words(each, "dial", 40), written(each.get("value"), 60), words(each, "reason", limits.text))
            for each in listed(item, "decisions")[:20]
        ),
        counts=_numbers(counts),
        selected=_numbers(mapping(counts, "selected") or mapping(item, "selected")),
        overlap={
            line(str(name), NAME): Shared(bounded(each.get("prompts")), bounded(each.get("structures")))
            for name, each in islice(mapping(item, "overlap").items(), limits.panels)
            if isinstance(each, Mapping)
        },
        samples=tuple(_sample(each, limits) for each in listed(item, "samples")[: limits.samples]),
        structures=_structures(item, limits),
        seconds=bounded(item.get("seconds")),
    )


def dial(found: Any) -> str:
    """A dial's value in words; pairs of a temperature and a share are told as such.

    >>> dial([[1.0, 0.5], [1.6, 0.5]]), dial([[1.0, 1.0]]), dial(0.25), dial(True)
    ('0.5 at 1, 0.5 at 1.6', '1', '0.25', 'yes')
    """
    pairs = [numbers(each) for each in items(found)] if not isinstance(found, str) else []
    if not pairs or any(pair is None or len(pair) != PAIR for pair in pairs):
        return written(found, 60)
    told = [(written(pair[0]), written(pair[1])) for pair in pairs if pair]
    if len(told) == 1 and told[0][1] == "1":
        return told[0][0]
    return line(", ".join(f"{share} at {temperature}" for temperature, share in told), 60)


def _round(item: Mapping[str, Any], at: int, limits: RoundLimits) -> Round:
    """The line of the ledger, with the round's own number, scores and ruling."""
    ledger = mapping(item, "ledger")
    missing: dict[tuple[str, str], str] = {}
    found = read_round({"round": item.get("round")} | dict(ledger), at, limits)
    scores = dict(found.numbers.get(SCORES, {})) | read_scores(mapping(item, "scores"), missing, limits)
    said = read_ruling(mapping(item, "guard"), limits)
    counts = mapping(item, "counts")
    return replace(
        found,
        records=found.records if found.records is not None else bounded(counts.get("written")),
        valid=found.valid if found.valid is not None else bounded(counts.get("valid")),
        numbers=dict(found.numbers) | {SCORES: scores},
        missing=dict(found.missing) | missing,
        ruling=said if said != Ruling() else found.ruling,
    )


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    named = ((line(str(key), 40), reading(value).value) for key, value in islice(found.items(), 20))
    return {name: value for name, value in named if value is not None}


def _sample(item: Mapping[str, Any], limits: RoundLimits) -> Sample:
    verified, right = (bounded(_as_number(item.get(key))) for key in ("verified", "right"))
    told = []
    if item.get("valid") is False:
        told.append("no task")
    elif verified is not None:
        told.append("passed" if verified >= 1 else "not passed")
    if right is not None and verified is not None and (right >= 1) != (verified >= 1):
        told.append("right in truth" if right >= 1 else "wrong in truth")
    return Sample(
        prompt=_said(item, "prompt", limits),
        response=_said(item, "response", limits),
        structure=words(item, "structure", 120),
        verdict=", ".join(told),
    )


def _said(item: Mapping[str, Any], key: str, limits: RoundLimits) -> str:
    found = item.get(key)
    return clean(found, limits.text) if isinstance(found, str) else ""


def _as_number(found: Any) -> Any:
    return float(found) if isinstance(found, bool) else found


def _structures(item: Mapping[str, Any], limits: RoundLimits) -> tuple[Common, ...]:
    """The commonest structures with their shares, the commonest first; nothing where the document does not say."""
    ledger = mapping(item, "ledger")
    found = next((own[key] for own in (item, ledger) for key in LISTS if own.get(key) and _listed(own[key])), None)
    if isinstance(found, Mapping):
        found = [{"structure": name, "share": value} for name, value in islice(found.items(), 400)]
    out = []
    for each in items(found)[:400]:
        one = {"structure": each[0], "share": each[1]} if isinstance(each, (list, tuple)) and len(each) == 2 else each
        if isinstance(one, Mapping):
            name = words(one, "structure", 120) or words(one, "name", 120)
            share = next(
                (v for key in ("share", "value", "n", "count") if (v := bounded(one.get(key))) is not None), None
            )
            out += [Common(name, share)] if name and share is not None and share >= 0 else []
    if out and max(each.share for each in out) > 1:  # counts: shares of the round's valid records
        whole = reading(ledger.get("valid")).value or bounded(mapping(item, "counts").get("valid"))
        whole = max(whole or 0.0, sum(each.share for each in out))
        out = [Common(each.name, each.share / whole) for each in out]
    return tuple(sorted(out, key=lambda each: -each.share)[: limits.structures])


def _listed(found: Any) -> bool:
    return isinstance(found, (list, tuple)) or (isinstance(found, Mapping) and "value" not in found)
