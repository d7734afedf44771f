"""What the guard is worth: does it call a collapse before the scores fall, and leave healthy loops alone?

    python benchmarks/loops/guard.py [--quick] [--minutes M] [--workers W]

Small real loops over worlds, seeds and policies; nothing is simulated but the size. Most have eight rounds of 2,000 samples,
400 steps of training on at most 500 to 1,500 records, and go on from the last model. What a loop is called here follows from its
scores alone (`outcome`), never from its policy. The guard reads what was generated and selected; it sees no panel here.

Its numbers were fixed on the world `programs`; `rewriting` is the test. Rows go to `guarded.jsonl.gz` beside this file (running
again goes on), the summary to `../results/guard.json`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
import numpy as np
from harness import save
from playing import rows_of, run, unpacked
from scipy.stats import binomtest

from triptych.guarding.detect import Bets
from triptych.guarding.judge import JudgeOptions, Verdict, judge
from triptych.guarding.ledger import Ledger
from triptych.guarding.tracks import diversity, error

FILE = Path(__file__).parent / "guarded.jsonl.gz"
TUNED, TESTED = "programs", "rewriting"
SEEDS = 19
LATER = 13, 17
"""Seeds from here on ran after the rows before them had been read many times; from the second one on no rule was made on any."""
ROUNDS = 8

NARROW = {"skills": 12, "records": 2000}
WIDE = {"skills": 40, "records": 3000}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "fast collapse": {"policy": "quality_only", "start": WIDE, "budget": 500},
    "slow collapse": {"policy": "quality_only:anchor=0.3", "start": WIDE, "budget": 800},
    "late collapse": {
        "policy": "correct:anchor=0",
        "start": {**WIDE, "quality": 0.5},
        "dials": {"floor": 0.25},
        "budget": 1000,
        "samples": 1500,
        "at": 300,
        "steps": 200,
        "rounds": 14,
    },
    "exploring": {"policy": "archive:explore={explore},start=continue", "start": NARROW},
    "even": {"policy": "archive:explore=1.0,start=continue", "start": WIDE},
    "keep": {"policy": "keep:start=continue", "start": NARROW},
    "stalled": {"policy": "correct:anchor=0.5", "start": NARROW},
    "leaky verifier": {"policy": "correct:anchor=0", "start": WIDE, "leak": 0.5},
    "noisy start": {"policy": "correct", "start": {**WIDE, "quality": 0.5}},
}
"""What each loop is made to be; what it came to is read from its scores (`slow collapse` came out as a decline)."""

EXPLORE = {TUNED: 2.2, TESTED: 1.3}
"""Temperature of prompts at which enough of them can be read."""

LOST, HALF = 0.1, 0.5
"""Shares of the best OOD score so far."""
LATE = 5
"""A loss after this round is a slow one."""


def table(world: str, kind: str, seed: int) -> dict[str, Any]:
    """The config of one loop."""
    made = KINDS[kind]
    return {
        "seed": seed,
        "rounds": made.get("rounds", ROUNDS),
        "at": made.get("at", 400),
        "policies": [made["policy"].format(explore=EXPLORE[world])],
        "start": {"world": world, "forms": 1, "block": str(seed), "trainer": "tiny:steps=3000", **made["start"]},
        "model": {"trainer": f"tiny:steps={made.get('steps', 400)}"},
        "generator": {"kind": "self", "samples": made.get("samples", 2000)},
        "policy": {"budget": made.get("budget", 1500)},
        "dials": {"start": "continue", **made.get("dials", {})},
        "verifier": {"leak": made.get("leak", 0.0)},
        "evaluation": {"k": [], "panels": ["id", "compositions"]},
    }


def jobs(seeds: int) -> dict[str, dict[str, Any]]:
    """All loops by name, seed by seed."""
    return {
        f"{world}|{kind}|{seed}": table(world, kind, seed)
        for seed in range(seeds)
        for world in (TUNED, TESTED)
        for kind in KINDS
    }


def ood(row: Mapping[str, Any]) -> list[float]:
    """The OOD score of each round."""
    return [one["scores"]["compositions"]["score"] for one in row["rounds"]]


def lost(scores: Sequence[float], share: float) -> int | None:
    """The first round from which on the score stays at least this share below the best before it; None: never.

    In two rounds at least, and the best is a mean of two rounds: 300 items are uncertain by .03.
    """
    values = np.array(scores)
    best = np.maximum.accumulate(np.concatenate([values[:1], (values[1:] + values[:-1]) / 2]))
    below = values <= (1 - share) * best - 1e-9
    for at in range(1, len(scores) - 1):
        if below[at:].all():
            return at
    return None


def outcome(row: Mapping[str, Any]) -> str:
    """What a loop came to, by its OOD score alone.

    collapsed: in the end less than half of the best is left. declined: between that and a loss of a tenth. grew: the last
    two rounds lie a tenth above the first. flat: the rest. unknown: the start solves less than .1, so nothing can be lost.
    """
    scores = ood(row)
    if max(scores) < 0.1:
        return "unknown"
    if lost(scores, HALF) is not None:
        return "collapsed"
    if lost(scores, LOST) is not None:
        return "declined"
    return "grew" if np.mean(scores[-2:]) >= 1.1 * scores[0] else "flat"


HEALTHY = ("grew", "flat")


def blind(ledger: Ledger) -> Ledger:
    """The ledger without the scores of panels."""
    return replace(ledger, entries=tuple(replace(entry, scores={}, kinds={}) for entry in ledger.entries))


def guarded(verdicts: Sequence[Verdict], alarm_rate: float) -> dict[str, Any]:
    """First rounds of each state and verdict; `narrowing`: of a collapse that is called or a selection that narrows."""
    said: dict[str, Any] = {}
    for verdict in verdicts:
        said.setdefault(verdict.state, verdict.round)
        said.setdefault(verdict.verdict, verdict.round)
        if verdict.state == "collapsing" or (verdict.evidence.get("selection") or 0.0) >= 1 / alarm_rate:
            said.setdefault("narrowing", verdict.round)
    said["evidence"] = max(float(verdict.evidence.get("collapse") or 0.0) for verdict in verdicts)
    return said


def first_below(values: Sequence[float | None], share: float) -> int | None:
    """The first round in which a reading is this share below its best so far."""
    best = 0.0
    for at, value in enumerate(values):
        if value is None:
            continue
        best = max(best, value)
        if at and value <= (1 - share) * best:
            return at
    return None


def entropy(row: Mapping[str, Any], ledger: Ledger) -> list[float | None]:
    """Entropy of the policy in each round; None in rows that are older than this reading."""
    del ledger
    return [one.get("entropy") for one in row["rounds"]]


def read(name: str) -> Callable[[Mapping[str, Any], Ledger], list[float | None]]:
    """A reader of one reading of what was generated, of each round."""
    return lambda _, ledger: [entry.value(name, "generated") for entry in ledger.entries]


BASELINES: Mapping[str, Callable[[Mapping[str, Any], Ledger], list[float | None]]] = {
    "distinct-n below its best": read("surface"),
    "embeddings' Vendi below its best": read("semantic"),
    "mean reward below its best": read("verified"),
    "structures below their best": read("structures"),
    "policy entropy below its best": entropy,
}
SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


def called(rows: Sequence[Mapping[str, Any]], call: Callable[[Mapping[str, Any]], int | None]) -> dict[str, Any]:
    """How a rule that calls a loop in some round does: collapses found in time, false alarms, lead."""
    collapses = [row for row in rows if outcome(row) == "collapsed"]
    declines = [row for row in rows if outcome(row) == "declined"]
    slow = [row for row in collapses if (lost(ood(row), LOST) or 0) > LATE]
    healthy = [row for row in rows if outcome(row) in HEALTHY]
    calls = {row["name"]: call(row) for row in rows}

    def in_time(some: Sequence[Mapping[str, Any]], share: float) -> dict[str, Any]:
        hit = 0
        for row in some:
            at, end = calls[row["name"]], lost(ood(row), share)
            hit += at is not None and end is not None and at < end
        return rate(hit, len(some))

    leads = [
        end - at
        for row in collapses
        if (at := calls[row["name"]]) is not None and (end := lost(ood(row), HALF)) is not None
    ]
    false = sum(calls[row["name"]] is not None for row in healthy)
    return {
        "called_before_half_lost": in_time(collapses, HALF),
        "called_before_tenth_lost": in_time(collapses, LOST),
        "slow_called_before_tenth_lost": in_time(slow, LOST),
        "called_at_all": rate(sum(calls[row["name"]] is not None for row in collapses), len(collapses)),
        "declines_called": rate(sum(calls[row["name"]] is not None for row in declines), len(declines)),
        "declines_called_before_tenth_lost": in_time(declines, LOST),
        "false_alarms": rate(false, len(healthy)),
        "median_rounds_before_half": float(np.median(leads)) if leads else None,
    }


def rate(hits: int, n: int) -> dict[str, Any]:
    """A share with its Wilson interval."""
    if not n:
        return {"value": None, "n": 0}
    ends = binomtest(hits, n).proportion_ci(method="wilson")
    return {"value": hits / n, "lo": float(ends.low), "hi": float(ends.high), "n": n}


def summary(rows: Sequence[Mapping[str, Any]], options: JudgeOptions | None = None) -> dict[str, Any]:
    """By world: what the loops came to, what the guard said, ROC beside the baselines."""
    options = options or JudgeOptions()
    rows = [row for row in rows if "failed" not in row]
    ledgers = {row["name"]: blind(unpacked(row["ledger"])) for row in rows}
    said = {name: guarded(judge(ledger, options), options.alarm_rate) for name, ledger in ledgers.items()}
    worlds = {}
    for world in (TUNED, TESTED):
        some = [row for row in rows if row["name"].startswith(world + "|")]
        kinds = Counter((row["name"].split("|")[1], outcome(row)) for row in some)
        states = Counter(
            (outcome(row), "collapsing" if "collapsing" in said[row["name"]] else "not collapsing") for row in some
        )
        worlds[world] = {
            "loops": len(some),
            "kind_to_outcome": {" -> ".join(pair): n for pair, n in sorted(kinds.items())},
            "outcome_to_call": {" -> ".join(pair): n for pair, n in sorted(states.items())},
            "noise": noise([ledgers[row["name"]] for row in some if outcome(row) in HEALTHY]),
            **rules(some, said, ledgers),
            "roc": [
                {
                    "evidence": level,
                    **called(some, lambda row, level=level: _reached(ledgers[row["name"]], level, options)),
                }
                for level in (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)
            ],
            **{
                f"seeds from {first} on": rules(
                    [row for row in some if int(row["name"].split("|")[2]) >= first], said, ledgers
                )
                for first in LATER
            },
        }
    asked = len(jobs(SEEDS))
    return {"loops": len(rows), "of": asked, "tuned_on": TUNED, "tested_on": TESTED, "worlds": worlds}


def rules(
    rows: Sequence[Mapping[str, Any]], said: Mapping[str, Mapping[str, Any]], ledgers: Mapping[str, Ledger]
) -> dict[str, Any]:
    """What the guard said, and what the baselines would have said."""
    return {
        "guard_calls": called(rows, lambda row: said[row["name"]].get("collapsing")),
        "guard_calls_or_selection_narrows": called(rows, lambda row: said[row["name"]].get("narrowing")),
        "guard_stops": called(rows, lambda row: said[row["name"]].get("stop")),
        "baselines": {
            name: [{"share": share, **baseline(rows, ledgers, rule, share)} for share in SHARES]
            for name, rule in BASELINES.items()
        },
    }


def baseline(
    rows: Sequence[Mapping[str, Any]],
    ledgers: Mapping[str, Ledger],
    rule: Callable[[Mapping[str, Any], Ledger], list[float | None]],
    share: float,
) -> dict[str, Any]:
    """How a reading that falls this share below its best does, on the loops that have it."""
    series = {row["name"]: rule(row, ledgers[row["name"]]) for row in rows}
    there = [row for row in rows if any(value is not None for value in series[row["name"]])]
    return {"loops": len(there), **called(there, lambda row: first_below(series[row["name"]], share))}


def _reached(ledger: Ledger, level: float, options: JudgeOptions) -> int | None:
    """The first round in which the evidence of a collapse reaches a level."""
    for verdict in judge(ledger, options):
        if float(verdict.evidence.get("collapse") or 0.0) >= level:
            return verdict.round
    return None


def noise(ledgers: Sequence[Ledger]) -> dict[str, Any]:
    """What a reading moves from round to round beyond its own error, in logarithms: quantiles over loops.

    From second differences of rounds 1 on (what is trained on changes after round 0), less what the readings' own errors give,
    with the level's own step held at half of it, as nine rounds cannot tell the two apart. Negative: less than the errors.
    """
    found: dict[str, list[float]] = {}
    for ledger in ledgers:
        own: dict[str, float] = {}
        text: dict[str, float] = {}
        bets = Bets(1.0, 0.0, (0.1,))
        for track in diversity(ledger, bets, bets):
            entries = [ledger.entries[at] for at in track.where if ledger.entries[at].round > 0]
            if track.role == "yield" or len(entries) < 4:
                continue
            readings = [getattr(entry, track.of)[track.name] for entry in entries]
            values = np.array([one.value for one in readings])
            errors = np.array([error(one) for one in readings]) / values
            given = errors[:-2] ** 2 + 4 * errors[1:-1] ** 2 + errors[2:] ** 2
            square = float(np.mean(np.diff(np.log(values), 2) ** 2 - given)) / (6 + 2 * 0.5**2)
            kept = text if track.role == "text" else own
            kept[f"{track.of}.{track.name}"] = float(np.copysign(abs(square) ** 0.5, square))
        largest = {name: max(some.values()) for name, some in (("largest", own), ("largest of text", text)) if some}
        for name, value in (text | own | largest).items():
            found.setdefault(name, []).append(value)
    return {
        name: {"loops": len(values), "median": float(np.median(values)), "q90": float(np.quantile(values, 0.9))}
        for name, values in sorted(found.items())
    }


def main() -> None:
    quick, words = "--quick" in sys.argv, sys.argv[1:]
    minutes = float(words[words.index("--minutes") + 1]) if "--minutes" in words else 6000
    workers = int(words[words.index("--workers") + 1]) if "--workers" in words else 2
    file = FILE.with_name("guarded-quick.jsonl.gz") if quick else FILE
    for row in run(jobs(1 if quick else SEEDS), file, workers, minutes):
        about = {"name": row["name"], "failed": row.get("failed"), "cpu_seconds": row.get("cpu_seconds")}
        if "failed" not in row:
            about |= {"outcome": outcome(row), "ood": [round(score, 2) for score in ood(row)]}
        print(json.dumps(about), flush=True)
    save("guard", summary(rows_of(file)), quick)


if __name__ == "__main__":
    main()
