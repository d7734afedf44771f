"""A gate from its request to `gate.json` and `gate.md`.

The draws of the matching do not depend on `--seed`: they are those of a fixed number, hashed with the address of each
record. So the same data give the same verdict, and data that change by a record change by that record's part in the draws.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych._version import __version__
from triptych.comparing.gate.against import common_size
from triptych.comparing.gate.judging import Judged, judge_rules
from triptych.comparing.gate.prepared import Prepared, content, ready
from triptych.comparing.gate.request import GateRequest, Source
from triptych.comparing.gate.told import told
from triptych.comparing.gate.words import entry, markdown, sentence
from triptych.comparing.sides import Side
from triptych.core.profile import write_json, write_text
from triptych.profiling.bench import Bench

SCHEMA = "triptych/gate@1"
GATE_FILES = frozenset({"gate.json", "gate.md"})


def run_gate(request: GateRequest, bench: Bench) -> dict[str, Any]:
    """The document of `gate.json`.

    Raises:
        InputError: a rule asks for something that the data or the baseline do not have; the message names the rule.
    """
    started = time.perf_counter()
    prepared = ready(request, bench)
    judged = judge_rules(prepared, bench)
    verdict = told(judged.changes)
    outcomes = judged.outcomes
    return {
        "schema": SCHEMA,
        "verdict": verdict.verdict,
        "passed": not any(outcome.fails for outcome in outcomes),
        "sentence": sentence(verdict, outcomes),
        "better": list(verdict.better),
        "worse": list(verdict.worse),
        "data": _described(request.data, prepared.alone),
        "baseline": _baseline(request.baseline, prepared),
        "rules": [entry(outcome) for outcome in outcomes],
        "views": judged.views,
        "contamination": judged.held,
        "warnings": _warnings(request, prepared, judged),
        "provenance": bench.provenance(time.perf_counter() - started),
    }


def save(document: Mapping[str, Any], folder: Path) -> None:
    """Write `gate.json` and `gate.md` into the folder."""
    write_json(folder / "gate.json", document)
    write_text(folder / "gate.md", markdown(document))


def _described(source: Source, side: Side) -> dict[str, Any]:
    kind = "data" if source.saved is None else "features"
    out = {"kind": kind, "name": side.name, "path": side.dataset.path, "sha256": content(source)}
    return out | {"records": len(side)}


def _baseline(source: Source | None, prepared: Prepared) -> dict[str, Any] | None:
    if source is None:
        return None
    if prepared.base is not None:
        return _described(source, prepared.base)
    if source.saved is None:
        return None  # no rule compares: it was not read
    known = source.saved.profile.dataset
    kind = "profile" if source.saved.dataset is None else "features"
    out = {"kind": kind, "name": known.get("name"), "path": str(source.given), "sha256": known.get("sha256")}
    return out | {"records": known.get("measured")}


def _warnings(request: GateRequest, prepared: Prepared, judged: Judged) -> list[dict[str, str]]:
    """What a reader must know of how this was judged."""
    out = [{"code": "groups", "text": text} for text in judged.notes]
    if not any(rule.compares for rule, _ in prepared.rules):
        out.append({"code": "no_comparison", "text": "no rule compares with a baseline, so no change can be told"})
    if prepared.same:
        out.append({"code": "same", "text": "the data and the baseline are the very same records"})
    out += _alone(prepared)
    for source in (request.data, request.baseline):
        summary = None if source is None or source.dataset is None else source.dataset.summary
        if summary is not None and summary.skipped_total:
            text = f"{summary.skipped_total:,} rows of {summary.rows + summary.skipped_total:,} could not be read and were left out"
            out.append({"code": "skipped", "text": text})
    for which, source in (("data", request.data), ("baseline", request.baseline)):
        saved = source.saved if source is not None else None
        if saved is None:
            continue
        version = saved.profile.provenance.get("version")
        if version != __version__:
            text = f"the {which} were measured by version {version}, this is {__version__}: measure again to be sure"
            out.append({"code": "version", "text": text})
        known = saved.profile.dataset
        if saved.dataset is not None and known.get("measured") != known.get("records"):
            text = f"the profile of the {which} is of {known.get('measured'):,} valid records; all {known.get('records'):,} are judged"
            out.append({"code": "valid_only", "text": text})
    if not prepared.same and any(shown["paired"] for shown in judged.views):
        out.append({"code": "paired", "text": "prompts or groups are shared, so differences are paired"})
    return out


def _alone(prepared: Prepared) -> list[dict[str, str]]:
    """How a profile without records was compared with."""
    profile = prepared.profile
    if profile is None or prepared.same or not any(rule.compares for rule, _ in prepared.rules):
        return []
    measured = int(profile.dataset["measured"])
    size = common_size(len(prepared.alone), measured)
    text = "the baseline is a profile without its records: nothing is paired"
    if size is not None and size.part < 1:
        text += f", and both sets are read at {size.records:,} records, 1/{round(1 / size.part)} of the baseline, where its size curve has a value"
    elif size is not None:
        text += f", and both sets are read at {size.records:,} records"
    return [{"code": "profile_alone", "text": text}]
