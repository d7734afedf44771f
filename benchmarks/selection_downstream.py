"""What a model learns from what each policy selects. `python benchmarks/selection_downstream.py [--quick]`

Pools are noisy (a share of the records is wrong), skewed (few kinds make up most of it) and have a known truth. Policies see
a noisy score, never the truth. Each selection has the same number of records and trains a model of its own; every seed has
its own pool, selection, training and test items. Scores of two policies are compared seed by seed: the mean difference and
its 95 % t interval over seeds.

    worlds     programs and rewriting: 20,000 records, 60 % right, kinds used in proportion to 1 / rank ** 1.2; 4,000 are
               selected; the trainer `tiny`, from scratch. id: the commoner kinds, on new inputs; compositions: kinds that
               no record of the pool has. Two scores: `plain` is the truth plus noise; `habit` also likes usual kinds.
    text       which of 16 behaviours a question tests, by a linear probe on embeddings: questions written by a model, the
               behaviours in proportion to 1 / rank, 40 % with a wrong label. id: the model's questions, as often as in the
               pool; ood: questions that people wrote, every behaviour as often. Needs TRIPTYCH_DATA.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from harness import packages, save

from triptych import api
from triptych.core.errors import TriptychError
from triptych.core.rng import stream
from triptych.engines.local import LocalEngine
from triptych.studies.panels import Exact, ScoredPanel
from triptych.studies.trainers.registry import parse_trainer
from triptych.studies.trainers.trainer import Example
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials

SEEDS = 5
POLICIES = {
    "random": "random",
    "longest": "longest",
    "top_quality": "top_quality",
    "threshold": "threshold:quantile=0.5",
    "qurating": "qurating",
    "dedup": "dedup",
    "deita": "deita",
    "k_center": "k_center",
    "facility_location": "facility_location",
    "logdet": "logdet",
    "vendi_greedy": "vendi_greedy",
    "archive": "archive",
    "balanced": "balanced",
}
WORLDS = {"programs": 1, "rewriting": 0}
"""World to the number of its surface forms in use."""
RECORDS, BUDGET, ITEMS, COMMON = 20_000, 4_000, 300, 16
DIALS: dict[str, Any] = {"quality": 0.6, "skills": 48, "skew": 1.2, "depths": {1: 0.15, 2: 0.5, 3: 0.35}}
NOISE, HABIT = 1.0, 0.6
TEXT_POOL, TEXT_BUDGET, WRONG = 4_000, 800, 0.4
AGAINST = ("random", "top_quality")


def main() -> None:
    quick = "--quick" in sys.argv
    seeds = 2 if quick else SEEDS
    budget = 1_000 if quick else BUDGET
    rows: dict[str, Any] = {"seeds": seeds, "policies": POLICIES}
    settings = [("programs", "plain"), ("rewriting", "plain"), ("programs", "habit")][: 1 if quick else None]
    with LocalEngine() as engine:
        rows["worlds"] = [world(name, score, seeds, budget, engine) for name, score in settings]
    rows["text"] = text(seeds) if os.environ.get("TRIPTYCH_DATA") else "not measured: TRIPTYCH_DATA is not set"
    save("selection_downstream", {"packages_used": packages(("torch", "faiss-cpu")), **rows}, quick)


def world(name: str, score: str, seeds: int, budget: int, engine: LocalEngine) -> dict[str, Any]:
    """All policies and seeds of one world."""
    made, known = load_world(name), {}
    jobs, chosen = [], {}
    for seed in range(seeds):
        block = str(seed)
        dials = Dials(**DIALS, forms=WORLDS[name])
        pool = scored(made.data(dials, RECORDS, block, seed), score, seed)
        items = made.panels(block, seed, ITEMS, COMMON, WORLDS[name])
        known[seed] = [panel(which, items[which]) for which in ("id", "compositions")]
        for label, policy in POLICIES.items():
            rows, seconds = select(pool, budget, policy, "score", seed)
            if isinstance(rows, str):
                chosen[label, seed] = {"failed": rows}
                continue
            chosen[label, seed] = described(rows, "skeleton", "correct") | {"seconds": seconds}
            jobs.append((label, seed, [Example(row["prompt"], row["response"]) for row in rows]))
    texts = [f"{e.prompt} {e.response}" for _, _, data in jobs for e in data]
    trainer = parse_trainer("tiny").prepare(
        [*texts, *(f"{e.prompt} {e.response}" for p in known.values() for q in p for e in q.examples)]
    )
    outcomes = {}
    import selection_downstream as here  # noqa: PLC0415 - workers find the function by the module's name, not by __main__

    for (label, seed, _), answer in engine.attempt(
        here.trained, [(label, seed, (trainer, data, known[seed])) for label, seed, data in jobs]
    ):
        if isinstance(answer, Exception):
            chosen[label, seed]["failed"] = str(answer)
        else:
            outcomes[label, seed] = answer
    return {"world": name, "score": score, "records": RECORDS, "budget": budget} | results(chosen, outcomes)


def trained(job: tuple[str, int, Any]) -> dict[str, float]:
    """One training, in a worker: panel to mean score."""
    _, seed, (trainer, data, panels) = job
    outcome = trainer.run(data, panels, seed)
    return {name: float(np.mean(items)) for name, items in outcome.items.items()}


def panel(name: str, rows: Sequence[Mapping[str, Any]]) -> ScoredPanel:
    return ScoredPanel(name, tuple(Example(row["prompt"], row["response"], row) for row in rows), Exact())


def scored(rows: list[dict[str, Any]], score: str, seed: int) -> list[dict[str, Any]]:
    """The rows with the noisy score that the policies see."""
    draw = stream("downstream", "score", score, seed)
    share = Counter(row["skeleton"] for row in rows)
    usual = np.log([share[row["skeleton"]] for row in rows])
    usual = (usual - usual.mean()) / usual.std()
    told = np.array([1.0 if row["correct"] else -1.0 for row in rows]) + NOISE * draw.standard_normal(len(rows))
    told = told + (HABIT * usual if score == "habit" else 0.0)
    return [row | {"score": float(1 / (1 + math.exp(-value)))} for row, value in zip(rows, told, strict=True)]


def select(pool: list[dict[str, Any]], budget: int, policy: str, quality: str, seed: int) -> tuple[Any, float]:
    """The rows that a policy takes, or why it takes none; seconds."""
    started = time.perf_counter()
    try:
        options = {"on": "prompt", "estimates": False}
        made = api.select(pool, budget=budget, policy=policy, quality=quality, seed=seed, cache=False, options=options)
    except TriptychError as error:
        return str(error), 0.0
    return [dict(row) for row in made.rows()], round(time.perf_counter() - started, 2)


def described(rows: Sequence[Mapping[str, Any]], kind: str, right: str) -> dict[str, float]:
    """Truth of a selection: share of right records, effective number of kinds."""
    shares = np.array(list(Counter(row[kind] for row in rows).values())) / len(rows)
    return {
        "right": float(np.mean([row[right] for row in rows])),
        "kinds": float(np.exp(-(shares * np.log(shares)).sum())),
    }


def results(
    chosen: Mapping[tuple[str, int], dict[str, Any]], outcomes: Mapping[tuple[str, int], dict[str, float]]
) -> dict[str, Any]:
    """Means of every policy, and `balanced` less others, seed by seed."""
    by: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
    for (label, seed), scores in outcomes.items():
        by[label][seed] = scores
    policies = []
    for label in POLICIES:
        mine = [chosen[key] for key in chosen if key[0] == label]
        failed = [entry["failed"] for entry in mine if "failed" in entry]
        entry: dict[str, Any] = {"policy": label, "failed": failed[:1] or None}
        for name in ("right", "kinds", "seconds"):
            values = [one[name] for one in mine if name in one]
            entry[name] = round(float(np.mean(values)), 4) if values else None
        names = next(iter(by[label].values()), {})
        policies.append(entry | {name: interval([one[name] for one in by[label].values()]) for name in names})
    contrasts = []
    for other in AGAINST:
        both = sorted(by["balanced"].keys() & by[other].keys())
        for name in next(iter(by["balanced"].values()), {}):
            gaps = [by["balanced"][seed][name] - by[other][seed][name] for seed in both]
            contrasts.append({"balanced_less": other, "panel": name} | interval(gaps))
    return {"scores": policies, "contrasts": contrasts}


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean and its 95 % t interval."""
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to import

    mean, n = float(np.mean(values)), len(values)
    reach = float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    ends = {"lo": round(mean - reach, 4), "hi": round(mean + reach, 4)} if n > 1 else {"lo": None, "hi": None}
    return {"mean": round(mean, 4), **ends, "n": n}


def text(seeds: int) -> dict[str, Any]:
    """The linear probe on real text."""
    with gzip.open(Path(os.environ["TRIPTYCH_DATA"]) / "model_vs_human_written_evals.jsonl.gz", "rt") as stream_:
        every = [json.loads(line) for line in stream_]
    rows = {
        who: [row for row in every if (row["generator"] == "human") == (who == "human")] for who in ("human", "model")
    }
    kinds = sorted({row["behaviour"] for row in rows["human"]} & {row["behaviour"] for row in rows["model"]})
    chosen, outcomes = {}, {}
    for seed in range(seeds):
        draw = stream("downstream", "text", seed)
        order = [kinds[i] for i in draw.permutation(len(kinds))]
        weights = 1 / np.arange(1, len(order) + 1)
        counts = np.round(TEXT_POOL * weights / weights.sum()).astype(int)
        pool, tests = [], []
        for kind, count in zip(order, counts, strict=True):
            mine = [row for row in rows["model"] if row["behaviour"] == kind]
            mine = [mine[i] for i in draw.permutation(len(mine))]
            cut = min(count, len(mine) * 4 // 5)
            pool += mine[:cut]
            tests += mine[cut : cut + max(5, count // 8)]
        human = []
        for kind in order:
            mine = [row for row in rows["human"] if row["behaviour"] == kind]
            human += [mine[i] for i in draw.permutation(len(mine))[:60]]
        examples = [spoilt(row, kinds, draw) for row in pool]
        panels = [panel("id", [asked(row) for row in tests]), panel("ood", [asked(row) for row in human])]
        for label, policy in POLICIES.items():
            taken, seconds = select(examples, TEXT_BUDGET, policy, "score", seed)
            if isinstance(taken, str):
                chosen[label, seed] = {"failed": taken}
                continue
            chosen[label, seed] = described(taken, "truth", "right") | {"seconds": seconds}
            data = [Example(row["prompt"], row["response"]) for row in taken]
            outcome = parse_trainer("probe").run(data, panels, seed)
            outcomes[label, seed] = {name: float(np.mean(items)) for name, items in outcome.items.items()}
    about = {"pool": len(examples), "budget": TEXT_BUDGET, "behaviours": len(kinds), "wrong_labels": WRONG}
    return about | results(chosen, outcomes)


def asked(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"prompt": row["prompt"], "response": row["behaviour"]}


def spoilt(row: Mapping[str, Any], kinds: Sequence[str], draw: np.random.Generator) -> dict[str, Any]:
    """A record whose label may be wrong, with a noisy score of whether it is right."""
    right = bool(draw.random() >= WRONG)
    others = [kind for kind in kinds if kind != row["behaviour"]]
    label = row["behaviour"] if right else others[int(draw.integers(len(others)))]
    told = (1.0 if right else -1.0) + NOISE * float(draw.standard_normal())
    return {
        "prompt": row["prompt"],
        "response": label,
        "right": right,
        "truth": row["behaviour"],
        "score": 1 / (1 + math.exp(-told)),
    }


if __name__ == "__main__":
    main()
