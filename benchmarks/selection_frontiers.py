"""The frontier of every policy on pools whose quality is known. `python benchmarks/selection_frontiers.py [--quick]`

    programs, rewriting   the tasks of a noisy, skewed pool of a world: quality is whether the answer is right
    gsm8k                 gsm8k_model_solutions: quality is whether the solution is right
    libre                 alpaca_libre_unfiltered: quality is whether its makers accepted the record

The last two need TRIPTYCH_DATA. 600 of 4,000 records, a pool of its own for each of five seeds. Each is one call of
`triptych frontier`, as a user makes it. Counted are the points of other policies that no point of `balanced` reaches: by
one judge of diversity, by value and beyond the intervals; and by all judges at once.
The worlds' pools leave the answers out. That was decided after a first run with them, in which `balanced` was clearly behind
vendi_greedy and novelty by TF-IDF of the answers in 5 of 5 pools of `programs`: design/0010.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from harness import RESULTS, packages, save

from triptych import api
from triptych.core.rng import stream
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials

SEEDS = 5
DIALS: dict[str, Any] = {"quality": 0.6, "skills": 48, "skew": 1.2, "depths": {1: 0.15, 2: 0.5, 3: 0.35}}
RECORDS = 4_000


def world(name: str) -> Callable[[int], list[dict[str, Any]]]:
    """Tasks of a world without their answers, which are a few digits or words and tell no judge of text anything."""

    def rows(seed: int) -> list[dict[str, Any]]:
        made = load_world(name).data(Dials(**DIALS), RECORDS, str(seed), seed)
        return [{key: row[key] for key in ("prompt", "skeleton", "correct", "depth")} for row in made]

    return rows


def read(name: str) -> list[dict[str, Any]]:
    with gzip.open(Path(os.environ["TRIPTYCH_DATA"]) / f"{name}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def gsm8k(seed: int) -> list[dict[str, Any]]:
    """Solutions of six systems; the human reference is left out."""
    return sample([row for row in read("gsm8k_model_solutions") if row["model"] != "human"], seed)


def libre(seed: int) -> list[dict[str, Any]]:
    """Self-instruct with what its makers rejected."""
    return sample([row | {"accepted": row["status"] == "ok"} for row in read("alpaca_libre_unfiltered")], seed)


def sample(rows: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """So many of the rows at random, in their order: another pool for each seed."""
    chosen = stream("frontiers", seed).choice(len(rows), RECORDS, replace=False)
    return [rows[at] for at in sorted(chosen.tolist())]


POOLS: dict[str, tuple[Callable[[int], list[dict[str, Any]]], dict[str, Any]]] = {
    "programs": (world("programs"), {"budget": 600, "quality": "correct"}),
    "rewriting": (world("rewriting"), {"budget": 600, "quality": "correct"}),
    "gsm8k": (gsm8k, {"budget": 600, "quality": "correct"}),
    "libre": (libre, {"budget": 600, "quality": "accepted"}),
}


def main() -> None:
    quick = "--quick" in sys.argv
    names = (
        ["programs"]
        if quick
        else [name for name in POOLS if name in ("programs", "rewriting") or "TRIPTYCH_DATA" in os.environ]
    )
    rows = [pool(name, 1 if quick else SEEDS) for name in names]
    save("selection_frontiers", {"packages_used": packages(("faiss-cpu",)), "pools": rows}, quick)


def pool(name: str, seeds: int) -> dict[str, Any]:
    """All seeds of one pool: the means of every point, who dominates whom, hypervolumes; the first document whole."""
    make, asked = POOLS[name]
    documents, started = [], time.perf_counter()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            documents.append(api.frontier(make(seed), out=Path(folder) / "out", seed=seed, **asked))
    seconds = round((time.perf_counter() - started) / seeds, 1)
    keep(name, documents[0])
    judges = [entry["label"] for entry in documents[0]["diversity"]]
    row = {"pool": name, "budget": asked["budget"], "seeds": seeds, "seconds_each": seconds}
    row |= {"points": means(documents), "hypervolume": volumes(documents)}
    row["ahead"] = {judge: ahead(documents, [judge]) for judge in judges}
    row["ahead"]["all judges"] = ahead(documents, judges)
    print(json.dumps({"pool": name, "seconds_each": seconds, "ahead": row["ahead"]}), flush=True)
    return row


def keep(name: str, document: Mapping[str, Any]) -> None:
    """The document of the first seed, which the docs draw."""
    folder = RESULTS / "frontiers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def means(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean quality, complexity and diversities of each point over the seeds."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for document in documents:
        for point in document["points"]:
            if point["undefined"]:
                continue
            mine = values[point["text"]]
            mine["quality"].append(point["quality"]["value"])
            mine["complexity"].append((point["complexity"] or {}).get("value"))
            for label, found in point["diversity"].items():
                mine[label].append(found["value"])
    return [
        {"point": text} | {name: _mean(numbers) for name, numbers in found.items()} for text, found in values.items()
    ]


def _mean(numbers: list[Any]) -> float | None:
    known = [number for number in numbers if number is not None]
    return round(float(np.mean(known)), 4) if known else None


def volumes(documents: list[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Mean hypervolume of each policy, by judge."""
    out: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for document in documents:
        for judge, found in document["hypervolume"].items():
            for policy, value in found.items():
                out[judge][policy].append(value)
    return {judge: {policy: _mean(values) for policy, values in found.items()} for judge, found in out.items()}


def ahead(documents: list[dict[str, Any]], judges: list[str]) -> dict[str, list[str]]:
    """Points of others that no point of `balanced` reaches in quality or by some judge: by value and clearly, with seeds."""
    out: dict[str, list[str]] = {"by_value": [], "clearly": []}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for document in documents:
        points = [p for p in document["points"] if not p["undefined"]]
        points = [p for p in points if all(p["diversity"][judge]["value"] is not None for judge in judges)]
        ours = [p for p in points if p["policy"] == "balanced"]
        for how in out:
            reached = dict.fromkeys((p["text"] for p in points if p["policy"] != "balanced"), False)
            for point in (p for p in points if p["policy"] != "balanced"):  # of random there are several
                reached[point["text"]] |= any(_reaches(own, point, judges, how) for own in ours)
            for text, is_reached in reached.items():
                counts[how, text] += not is_reached
    for (how, text), count in counts.items():
        if count:
            out[how].append(f"{text} in {count} of {len(documents)}")
    return out


def _reaches(own: Mapping[str, Any], other: Mapping[str, Any], judges: list[str], how: str) -> bool:
    """Whether our point is as good in quality and by one of the judges; clearly: whether its intervals leave room for it.

    By several judges a point is reached where one of them finds ours as diverse: then no policy is ahead by all.
    """
    high, low = ("value", "value") if how == "by_value" else ("hi", "lo")

    def good(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
        return _end(mine, high) >= _end(theirs, low) - 1e-9

    diverse = any(good(own["diversity"][judge], other["diversity"][judge]) for judge in judges)
    return good(own["quality"], other["quality"]) and diverse


def _end(found: Mapping[str, Any], name: str) -> float:
    return float(found["value"] if found.get(name) is None else found[name])


if __name__ == "__main__":
    main()
