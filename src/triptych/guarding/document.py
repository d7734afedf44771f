"""`guard.json`: every round with its readings and its verdict, and the verdict of the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.guarding.judge import Verdict
from triptych.guarding.ledger import Entry, Ledger, Reading
from triptych.guarding.request import GuardRequest

SCHEMA = "triptych/guard@1"
FEW = 4
"""Rounds below which only a steep fall can be stopped for."""

NAMES = {
    "quality": "quality",
    "verified": "verified",
    "true": "true",
    "diversity": "structures",
    "structures_all": "structures_all",
    "template_effective": "templates",
    "semantic": "semantic",
    "surface": "surface",
    "per_prompt": "per_prompt",
    "per_prompt_novelty": "per_prompt_novelty",
    "complexity": "complexity",
    "novelty": "novelty",
    "semantic_novelty": "semantic_novelty",
    "anchor_novelty": "anchor_novelty",
    "tail": "tail",
    "correct_structures": "correct_structures",
    "tokens": "tokens",
    "zero_signal": "zero_signal",
    "real": "real",
}
"""Name in the document to name in the ledger; others of the ledger keep their names."""

NOT_READ = Reading(None, undefined="not read on these rounds")


def document(ledger: Ledger, verdicts: Sequence[Verdict], request: GuardRequest) -> dict[str, Any]:
    """The document, without its provenance.

    Args:
        ledger: of all rounds.
        verdicts: one for each, in order.
        request: what was asked.
    """
    last = verdicts[-1]
    rounds = [_round(entry, verdict) for entry, verdict in zip(ledger.entries, verdicts, strict=True)]
    panels: dict[str, str] = {}
    for entry in ledger.entries:
        panels |= entry.kinds
    return {
        "schema": SCHEMA,
        "state": last.state,
        "verdict": last.verdict,
        "since": last.since,
        "reasons": list(last.reasons),
        "suggest": list(last.suggest),
        "rounds": rounds,
        "panels": panels,
        "at": ledger.at,
        "structure": ledger.structure,
        "shared_prompts": ledger.shared_prompts,
        "alarm_rate": request.options.alarm_rate,
        "anchor": request.anchor_name,
        "fields": dict(request.options.named),
        "notes": list(ledger.notes),
        "warnings": _warnings(ledger),
    }


def _round(entry: Entry, verdict: Verdict) -> dict[str, Any]:
    scores = {name: reading.to_json() for name, reading in entry.scores.items()}
    return {
        "round": entry.round,
        "name": entry.name,
        "n": entry.records,
        "valid": entry.valid,
        **readings(entry.generated),
        "pass_at": {name: reading for name, reading in scores.items() if "@" in name},
        "scores": scores,
        "selected": readings(entry.selected) if entry.selected else {},
        "splits": {name: reading.to_json() for name, reading in entry.splits.items()},
        **verdict_json(verdict),
    }


def readings(found: Mapping[str, Reading]) -> dict[str, Any]:
    """All readings under the document's names; one that was not read says so. Without a structure field the effective
    structures are effective templates, and stand under both names.
    """
    out = {}
    for name, key in NAMES.items():
        reading = found.get(key)
        if reading is None and key == "templates":
            reading = found.get("structures")
        out[name] = (reading or NOT_READ).to_json()
    known = set(NAMES.values())
    return out | {key: reading.to_json() for key, reading in found.items() if key not in known}


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as strict JSON values, without its round."""
    return {
        "state": verdict.state,
        "verdict": verdict.verdict,
        "since": verdict.since,
        "reasons": list(verdict.reasons),
        "suggest": list(verdict.suggest),
        "evidence": dict(verdict.evidence),
    }


def _warnings(ledger: Ledger) -> list[dict[str, str]]:
    """What makes the verdicts weaker than they could be."""
    out = []
    empty = [str(entry.round) for entry in ledger.entries if not entry.valid]
    if empty:
        out.append({"code": "nothing_valid", "text": f"no record is valid in round {', '.join(empty[:5])}."})
    if len(ledger.entries) < FEW:
        there = "1 round" if len(ledger.entries) == 1 else f"{len(ledger.entries)} rounds"
        text = f"{there}: a guard needs {FEW} before it can say stop of a fall that is not steep."
        out.append({"code": "few_rounds", "text": text})
    if not any(entry.scores for entry in ledger.entries):
        text = "no panel: that diversity moves is known, what it does to scores is not."
        out.append({"code": "no_panel", "text": text})
    return out
