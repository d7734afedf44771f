"""Populations of TRIPTYCH_DATA whose order is known from how they came about.

Each experiment gives data sets in order; the first is the base. Pairs share a `prompt_id`, so their groups are the same.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.core.rng import stream

Row = dict[str, Any]

RECORDS = 1000
LADDER = ("dedupe-only", "similarity-0.9", "similarity-0.8", "similarity-0.7", "similarity-0.6")
ALIKE = ("gpt3_175b_finetuning", "gpt3_6b_verification")
ADVERSARIAL = "LLMBar/Adversarial"


@dataclass(frozen=True)
class Experiment:
    """Data sets in a known order, by name; `file` says whose they are, `reference` what they can be held against."""

    name: str
    words: str
    file: str
    make: Callable[[Path], dict[str, list[Row]]]
    paired: bool = True
    reference: Callable[[Path], list[Row]] | None = None


def lines(folder: Path, name: str) -> Iterator[Row]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def drawn(rows: list[Row], n: int, *labels: str) -> list[Row]:
    """So many of the rows at random, in their order; all where there are fewer."""
    if len(rows) <= n:
        return rows
    return [rows[at] for at in sorted(stream("validity", *labels).choice(len(rows), n, replace=False))]


def texts(rows: list[Row]) -> list[Row]:
    """Prompt and response, and the key that a pair shares."""
    return [{key: row[key] for key in ("prompt", "response", "prompt_id", "correct") if key in row} for row in rows]


def ladder(folder: Path) -> dict[str, list[Row]]:
    steps = defaultdict(list)
    for row in lines(folder, "gpteacher_toolformer_dedup_ladder"):
        steps[row["subset"]].append(row)
    return {step: texts(drawn(steps[step], RECORDS, "ladder", step)) for step in LADDER}


def pool(folder: Path) -> list[Row]:
    """Rows of the pool that no step of the ladder drew."""
    drawn_before = {(row["prompt"], row["response"]) for rows in ladder(folder).values() for row in rows}
    rows = [row for row in lines(folder, "gpteacher_toolformer_dedup_ladder") if row["subset"] == LADDER[0]]
    left = [row for row in rows if (row["prompt"], row["response"]) not in drawn_before]
    return texts(drawn(left, RECORDS, "ladder", "reference"))


def _instructions(folder: Path) -> dict[str, dict[int, str]]:
    groups: dict[str, dict[int, str]] = defaultdict(dict)
    for row in lines(folder, "followbench_levels"):
        if row["prompt"].strip():
            groups[row["group"]][int(row["level"])] = row["prompt"]
    return groups


def levels(folder: Path) -> dict[str, list[Row]]:
    whole = {group: by for group, by in _instructions(folder).items() if set(by) >= set(range(6))}
    return {f"{level}": [{"prompt": by[level], "prompt_id": g} for g, by in whole.items()] for level in range(6)}


def equal_length(folder: Path) -> dict[str, list[Row]]:
    """Of each group the pair of levels furthest apart, at least two, whose lengths are within a tenth."""
    low, high = [], []
    for group, by in _instructions(folder).items():
        near = [
            (b - a, a, b)
            for a in by
            for b in by
            if b >= a + 2 and abs(len(by[b].split()) / len(by[a].split()) - 1) <= 0.1
        ]
        if near:
            _, a, b = max(near)
            low.append({"prompt": by[a], "prompt_id": group})
            high.append({"prompt": by[b], "prompt_id": group})
    return {"low": low, "high": high}


def rejected(status: str) -> Callable[[Path], dict[str, list[Row]]]:
    """Accepted rows, and those rejected for this reason (any other but "too similar": the bad ones)."""

    def make(folder: Path) -> dict[str, list[Row]]:
        rows = list(lines(folder, "alpaca_libre_unfiltered"))
        bad = [row for row in rows if row["status"] not in ("ok", "too similar")]
        chosen = bad if status == "bad" else [row for row in rows if row["status"] == status]
        accepted = [row for row in rows if row["status"] == "ok"]
        n = min(RECORDS, len(chosen))
        return {"accepted": texts(drawn(accepted, n, "accepted", status)), status: texts(drawn(chosen, n, status))}

    return make


def accepted(folder: Path) -> list[Row]:
    """Accepted rows that are in neither of the sets that rejected rows are held against."""
    rows = [row for row in lines(folder, "alpaca_libre_unfiltered") if row["status"] == "ok"]
    used = {row["prompt"] for status in ("too similar", "bad") for row in rejected(status)(folder)["accepted"]}
    return texts(drawn([row for row in rows if row["prompt"] not in used], RECORDS, "accepted", "reference"))


def by_people(folder: Path) -> list[Row]:
    """Solutions by people to problems of the training part, which no system was asked."""
    rows = [row for row in lines(folder, "gsm8k_human") if row["split"] == "train" and row["style"] == "plain"]
    return texts(drawn(rows, RECORDS, "solutions by people"))


def systems(folder: Path) -> dict[str, list[Row]]:
    by: dict[str, list[Row]] = defaultdict(list)
    for row in lines(folder, "gsm8k_model_solutions"):
        by[row["model"]].append(row)
    ranked = sorted((model for model in by if model != "human"), key=lambda model: _accuracy(by[model]))
    return {f"{model} ({_accuracy(by[model]):.2f})": texts(by[model][:RECORDS]) for model in ranked}


def _accuracy(rows: list[Row]) -> float:
    return sum(bool(row["correct"]) for row in rows) / len(rows)


def solutions(folder: Path) -> dict[str, list[Row]]:
    """A right and a wrong solution of each problem that one of two systems of like accuracy and one style missed."""
    by: dict[Any, list[Row]] = defaultdict(list)
    for row in lines(folder, "gsm8k_model_solutions"):
        if row["model"] in ALIKE:
            by[row["prompt_id"]].append(row)
    apart = [rows for rows in by.values() if len({bool(row["correct"]) for row in rows}) == 2]
    return {
        name: texts([next(row for row in rows if bool(row["correct"]) == right) for rows in apart][:RECORDS])
        for name, right in (("right", True), ("wrong", False))
    }


def preferred(name: str, keep: Callable[[Row], bool]) -> Callable[[Path], dict[str, list[Row]]]:
    """Of each pair the answer that people preferred after the other one; ties left out."""

    def make(folder: Path) -> dict[str, list[Row]]:
        pairs = defaultdict(list)
        for row in lines(folder, name):
            if keep(row):
                pairs[str(row["pair_id"])].append(row)
        worse, better = [], []
        for pair, rows in pairs.items():
            if sorted(row["preference"] for row in rows) == [0.0, 1.0]:
                for row in rows:
                    (better if row["preference"] else worse).append({**row, "prompt_id": pair})
        return {"not preferred": texts(worse[:RECORDS]), "preferred": texts(better[:RECORDS])}

    return make


def writers(folder: Path) -> dict[str, list[Row]]:
    """Question sets by people and by a model to one specification, as many of each behaviour."""
    by: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in lines(folder, "model_vs_human_written_evals"):
        by[row["behaviour"]][row["generator"]].append({"prompt": row["prompt"]})
    both = {name: parts for name, parts in by.items() if len(parts) == 2}
    share = RECORDS // len(both)
    return {
        who: [row for name, parts in both.items() for row in drawn(parts[who], share, "writers", name, who)]
        for who in ("human", "lm")
    }


def large_numbers(folder: Path) -> dict[str, list[Row]]:
    """The test problems as people wrote them, and with large numbers."""
    plain = [row for row in lines(folder, "gsm8k_human") if row["split"] == "test" and row["style"] == "plain"]
    hard = list(lines(folder, "gsm_hard"))
    if len(plain) != len(hard):
        known = {row["prompt"][:40]: row for row in plain}
        pairs = [(known[row["prompt"][:40]], row) for row in hard if row["prompt"][:40] in known]
    else:
        pairs = list(zip(plain, hard, strict=True))
    out: dict[str, list[Row]] = {"as written": [], "large numbers": []}
    for at, pair in enumerate(pairs[:RECORDS]):
        for part, row in zip(out.values(), pair, strict=True):
            part.append({"prompt": row["prompt"], "prompt_id": at})
    return out


EXPERIMENTS = (
    Experiment("dedup ladder", "one pool after stricter and stricter removal of similar rows, 1,000 rows each",
               "gpteacher_toolformer_dedup_ladder", ladder, paired=False, reference=pool),
    Experiment("levels", "instructions with 0 .. 5 added constraints", "followbench_levels", levels),
    Experiment("levels (equal length)", "two levels of one instruction, at least two apart, within a tenth of one length",
               "followbench_levels", equal_length),
    Experiment("too similar rows", "rows that a pipeline rejected as too similar, against accepted ones",
               "alpaca_libre_unfiltered", rejected("too similar"), paired=False, reference=accepted),
    Experiment("rejected rows", "rows that a pipeline rejected as too short, blacklisted or in error, against accepted ones",
               "alpaca_libre_unfiltered", rejected("bad"), paired=False, reference=accepted),
    Experiment("better system", "solutions of six systems to the same problems, by accuracy",
               "gsm8k_model_solutions", systems, reference=by_people),
    Experiment("wrong solutions", "the wrong against the right solution, where one of two like systems missed a problem", "gsm8k_model_solutions", solutions,
               reference=by_people),
    Experiment("people prefer", "the answer that most of three people preferred, against the other", "pandalm_human3",
               preferred("pandalm_human3", lambda row: "preference" in row)),
    Experiment("experts prefer (natural)", "the answer that experts preferred", "llmbar_pairs",
               preferred("llmbar_pairs", lambda row: row["subset"] == "LLMBar/Natural")),
    Experiment("experts prefer (adversarial)", "the same where the worse answer looks better", "llmbar_pairs",
               preferred("llmbar_pairs", lambda row: row["subset"].startswith(ADVERSARIAL))),
    Experiment("model's writing", "questions by a model against questions by people, to one specification",
               "model_vs_human_written_evals", writers, paired=False),
    Experiment("large numbers", "problems of grade school with large numbers in the place of small ones", "gsm_hard",
               large_numbers),
)  # fmt: skip
