"""`loop.json`: every arm with its rounds, and what came of each in words."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from triptych._version import __version__
from triptych.core.plugins import parameters
from triptych.core.rng import stream
from triptych.looping.config import LoopConfig
from triptych.looping.dials import Decision, Dials
from triptych.looping.policy import Policy
from triptych.looping.records import Judged
from triptych.looping.registry import lookup_policy
from triptych.looping.setting import Held, Setting
from triptych.looping.watching import Seen

if TYPE_CHECKING:
    from triptych.looping.rounds import Played

SCHEMA = "triptych/loop@1"
SHOWN = 8
"""Records of each round that stand in the document."""
COMMONEST = 12
"""Structures of each round that stand in the document."""
_PACKAGES = ("numpy",)
"""Beside what the trainer names."""


def round_document(
    number: int,
    scores: Mapping[str, Any],
    dials: tuple[Dials, Sequence[Decision]],
    records: tuple[Sequence[Judged], Sequence[Judged], Sequence[Judged]],
    notes: Mapping[str, Any],
    seen: Seen | None,
) -> dict[str, Any]:
    """A round of an arm, without its seconds and its overlap with panels.

    Args:
        number: of the round.
        scores: the document of `scores.json`.
        dials: that were set, and why.
        records: written; of those what panels do not hold; and what was selected.
        notes: what generator and verifier had to say.
        seen: by the guard; None where nothing could be trained on.
    """
    set_, decisions = dials
    written, kept, selected = records
    return {
        "round": number,
        "scores": scores["scores"],
        "ledger": None if seen is None else seen.ledger(),
        "dials": set_.to_json(),
        "decisions": [{"dial": one.dial, "value": one.value, "reason": one.reason} for one in decisions],
        "counts": counts(written, kept, selected),
        "structures": commonest(written),
        "samples": samples(written, number),
        "guard": None if seen is None else seen.verdict,
        "notes": dict(notes),
    }


def counts(written: Sequence[Judged], kept: Sequence[Judged], selected: Sequence[Judged]) -> dict[str, Any]:
    """Records written, valid, passed, closed (of the passed: held by a panel), without a verdict, selected by source."""
    passed = sum(record.passed for record in written)
    return {
        "written": len(written),
        "valid": sum(record.valid for record in written),
        "passed": passed,
        "closed": passed - sum(record.passed for record in kept),
        "failed": sum(record.valid and record.verified is None for record in written),
        "selected": dict(sorted(Counter(record.source for record in selected).items())),
    }


def commonest(written: Sequence[Judged]) -> list[dict[str, Any]]:
    """The structures that were written most, with their shares of the valid records."""
    found = Counter(record.structure for record in written if record.valid)
    whole = found.total()
    top = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST]
    return [{"structure": name, "share": n / whole} for name, n in top]


def overlaps(held: Mapping[str, Held], selected: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """Panel to records selected that have one of its prompts, or of its structures."""
    return {name: one.overlap(selected) for name, one in held.items()}


def samples(written: Sequence[Judged], number: int) -> list[dict[str, Any]]:
    """A few records drawn at random, as they were written."""
    if not written:
        return []
    drawn = stream("loop", "samples", number).permutation(len(written))[:SHOWN]
    names = ("prompt", "response", "valid", "verified", "right", "structure", "complexity", "explore")
    return [{name: line[name] for name in names} for line in (written[i].to_json() for i in sorted(drawn.tolist()))]


def arm_document(policy: str, made: Policy, rounds: Sequence[Played], stopped: str | None) -> dict[str, Any]:
    """One arm."""
    return {
        "policy": policy,
        "title": made.title,
        "rounds": [played.document for played in rounds],
        "stopped": stopped,
    }


def loop_document(config: LoopConfig, setting: Setting, arms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document, of finished arms."""
    panels = {panel.name: panel.kind for panel in setting.panels}
    return {
        "schema": SCHEMA,
        "config": config.to_json(),
        "arms": list(arms),
        "panels": panels,
        "closed": {"panels": list(setting.closed.panels), "structures": len(setting.closed.structures)},
        "start": {"records": len(setting.anchor), "structures": len({r.structure for r in setting.anchor})},
        "conclusions": [conclusion(arm, panels) for arm in arms],
        "warnings": _warnings(setting, arms),
        "provenance": {
            "version": __version__,
            "packages": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
            **{f"{name}_version": text for name, text in setting.trainer.versions.items() if name != "triptych"},
        },
    }


def conclusion(arm: Mapping[str, Any], panels: Mapping[str, str]) -> str:
    """What came of an arm, in one sentence or two: every panel from first to last, effective structures, the guard."""
    rounds = arm["rounds"]
    if not rounds:
        return f"{arm['policy']}: no round was finished. {arm['stopped']}"
    first, last = rounds[0], rounds[-1]
    parts = [
        f"{'ID' if panels[name] == 'id' else 'OOD'} ({name}) {_score(first, name)} to {_score(last, name)}"
        for name in sorted(panels, key=lambda name: panels[name] != "id")
    ]
    parts.append(f"effective structures written {_structures(first)} to {_structures(last)}")
    text = f"{arm['policy']}, rounds {first['round']} to {last['round']}: {'; '.join(parts)}."
    text += _guarded(rounds)
    return text + (f" Stopped: {arm['stopped'].splitlines()[0]}" if arm["stopped"] else "")


def _score(round_: Mapping[str, Any], panel: str) -> str:
    found = round_["scores"].get(panel)
    return "not scored" if found is None else f"{found['score']:.2f}"


def _structures(round_: Mapping[str, Any]) -> str:
    value = round_["ledger"] and round_["ledger"]["diversity"]["value"]
    return "not read" if value is None else f"{value:.0f}"


def _guarded(rounds: Sequence[Mapping[str, Any]]) -> str:
    """When the guard first warned and first said stop."""
    said = []
    for verdict, words in (("warn", "warns"), ("stop", "says stop")):
        first = next((r for r in rounds if r["guard"] and r["guard"]["verdict"] == verdict), None)
        if first is not None:
            said.append(f"{words} from round {first['round']} ({first['guard']['state']})")
    if said:
        return f" The guard {' and '.join(said)}."
    return " The guard has nothing against it." if any(r["guard"] for r in rounds) else ""


def _warnings(setting: Setting, arms: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    out = []
    if setting.dropped:
        text = f"{setting.dropped:,} records of the start are test items of a panel; they were left out."
        out.append({"code": "start_holds_test_items", "text": text})
    for arm in arms:
        failed = sum(round_["counts"]["failed"] for round_ in arm["rounds"])
        if failed:
            text = f"{arm['policy']}: the verifier gave no verdict on {failed:,} records; they were not trained on."
            out.append({"code": "verifier_failed", "text": text})
    return out + [{"code": "dial_overridden", "text": text} for text in overridden(setting.config.dials, arms)]


def overridden(asked: Dials, arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of the dials that the user turned, those that every arm's policy sets to something else from the first round on."""
    used = {str(arm["policy"]): arm["rounds"][0]["dials"] for arm in arms if arm["rounds"]}
    default, out = Dials().to_json(), []
    for name, value in asked.to_json().items():
        if used and value != default[name] and all(value != dials[name] for dials in used.values()):
            own = {policy.partition(":")[0] for policy in used}
            instead = sorted(f"{policy}:{name}=..." for policy in own if name in parameters(lookup_policy(policy)))
            text = f"[dials] {name} = {value} moved nothing: {' and '.join(used)} set{'s' * (len(used) == 1)} {name} itself"
            out.append(text + (f"; what does: {', '.join(instead)}." if instead else "."))
    return out
