"""What each loop policy is worth, over seeds and worlds. `python benchmarks/loops/worth.py [--quick] [--minutes M]`

Every loop starts from a narrow, all-right start (12 skills a depth, in `rewriting` 24, 2,000 records), has six rounds of 8,000 samples, trains
on at most 4,000 records for equally many steps, and is verified by the world. Closed: the structures of every OOD panel that
the start does not hold, and the prompts of all panels, are kept out of what is trained on, and the overlap is counted. Open:
only the prompts are. Policies are compared on equal seeds: a seed is a block of skills, a draw of data, and all randomness.
Seeds 0 and 1 were used to make `keep`; where other seeds have run, these are in no number.

Rows go to `runs.jsonl.gz` beside this file; running again goes on. The summary goes to `../results/loops.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
import numpy as np
from harness import save
from playing import rows_of, run
from scipy.stats import t as student

FILE = Path(__file__).parent / "runs.jsonl.gz"

DEVELOPED = (0, 1)
"""Seeds on which `keep` was made: run by hand, never in an interval."""
SEEDS, FEW = tuple(range(2, 12)), 3
BEST_TRIAL = "archive"
MAIN = ("keep", BEST_TRIAL, "correct:anchor=0.5")
"""The last one is the policy `anchor` too."""
OTHERS = (
    "quality_only",
    "accumulate",
    "balanced",
    "boundary",
    "bstar",
    "wiseft",
    "none",
    "archive:explore=2.5,start=continue",
    "archive:explore=2.8,min_p=0.001",
)
ABLATION = {
    "without exploration": "keep:explore=no",
    "without archive": "keep:archive=no",
    "without anchor": "keep:anchor=0",
    "without push": "keep:push=0",
}
BARE = {"explore": "no", "archive": "no", "even": "0", "boundary": "0", "anchor": "0", "push": "0"}
"""`keep` without an ingredient: random correct samples, from the base until the last two trainings."""
ALONE = {
    "none of them": {},
    "exploration alone": {"explore": "yes"},
    "archive, evenly, alone": {"archive": "yes", "even": "1"},
    "anchor alone": {"anchor": "0.25"},
    "push alone": {"push": "1"},
}
"""What is put back into `BARE`."""
FINER = {
    "without cutting tokens off": "keep:min_p=0",
    "without evenness": "keep:even=0",
    "without boundary": "keep:boundary=0",
    "going on each round": "keep:start=continue",
    "from the base each round": "keep:polish=0",
}
"""Parts of ingredients, left out."""
WORLDS: Mapping[str, Mapping[str, Any]] = {
    "programs": {"start": {"skills": 12, "records": 2000, "forms": 1}, "ood": ("compositions",)},
    "rewriting": {"start": {"skills": 24, "records": 2000, "forms": 1}, "ood": ("compositions", "deeper")},
}
WANTED = {"ood": 0.85, "id": 0.93}


def table(world: str, policy: str, seed: int, *, closed: bool = True, quick: bool = False) -> dict[str, Any]:
    """The config of one loop."""
    about = WORLDS[world]
    steps, samples, budget, rounds = (60, 300, 200, 2) if quick else (3000, 8000, 4000, 6)
    return {
        "seed": seed,
        "rounds": rounds,
        "at": 100 if quick else 1000,
        "policies": [policy],
        "start": {"world": world, **about["start"], "block": str(seed), "trainer": f"tiny:steps={steps}"},
        "model": {"trainer": f"tiny:steps={steps}"},
        "generator": {"kind": "self", "samples": samples},
        "policy": {"budget": budget, **({} if closed else {"closed": []})},
        "evaluation": {"k": [1, 16], "k_items": 50, "panels": ["id", *about["ood"]]},
    }


def jobs(quick: bool) -> dict[str, dict[str, Any]]:
    """All loops by name, the ones that matter most first; of the others one world whole, then the next."""
    seeds, out = DEVELOPED[:1] if quick else SEEDS, {}
    for seed in seeds:
        for world in WORLDS:
            for policy in MAIN:
                out[f"{world} {policy} {seed} closed"] = table(world, policy, seed, quick=quick)
    alone = [f"keep:{','.join(f'{name}={value}' for name, value in (BARE | put).items())}" for put in ALONE.values()]
    for some in ((*ABLATION.values(), *alone, *OTHERS), tuple(FINER.values())):
        for world in WORLDS:
            for seed in seeds[:FEW]:
                for policy in some:
                    out[f"{world} {policy} {seed} closed"] = table(world, policy, seed, quick=quick)
                out[f"{world} keep {seed} open"] = table(world, "keep", seed, closed=False, quick=quick)
    return out


def curves(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], dict[int, dict[str, Any]]]:
    """(world, policy, panels closed or open) to seed to what its rounds came to."""
    out: dict[tuple[str, str, str], dict[int, dict[str, Any]]] = {}
    for row in rows:
        if "failed" in row:
            continue
        world, policy, seed, panels = row["name"].split(" ")
        ood = WORLDS[world]["ood"][0]
        score = {name: [one["scores"][name]["score"] for one in row["rounds"]] for name in ("id", ood)}
        for values in score.values():  # a loop that ended early stays where it ended
            values += values[-1:] * (row["config"]["rounds"] + 1 - len(values))
        structures = [entry["generated"]["structures"]["value"] for entry in row["ledger"]["entries"]]
        overlap = sum(
            count["structures"] for one in row["rounds"] for name, count in one["overlap"].items() if name == ood
        )
        found = {"id": score["id"], "ood": score[ood], "structures": structures, "overlap": overlap}
        out.setdefault((world, policy, panels), {})[int(seed)] = found
    return out


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean with its 95 % t interval over seeds; from two on."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return {"value": mean, "n": n}
    half = float(student.ppf(0.975, n - 1)) * float(np.std(values, ddof=1)) / n**0.5
    return {"value": mean, "lo": mean - half, "hi": mean + half, "n": n}


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Per policy: start, end and area under the OOD curve; keep minus each other policy on equal seeds."""
    found = curves(rows)
    policies, differences = [], []
    for (world, policy, panels), every in sorted(found.items()):
        seeds = {seed: one for seed, one in every.items() if seed not in DEVELOPED} or every
        runs = [seeds[seed] for seed in sorted(seeds)]
        line: dict[str, Any] = {"world": world, "policy": policy, "panels": panels, "seeds": sorted(seeds)}
        line |= {f"{what}_start": interval([one[what][0] for one in runs]) for what in ("id", "ood")}
        line |= {f"{what}_end": interval([one[what][-1] for one in runs]) for what in ("id", "ood")}
        line["ood_area"] = interval([float(np.mean(one["ood"][1:])) for one in runs])
        ends = [one["structures"][-1] for one in runs if one["structures"] and one["structures"][-1] is not None]
        line["structures_end"] = interval(ends) if ends else None
        line["overlap"] = sum(one["overlap"] for one in runs)
        line["curves"] = {str(seed): {what: seeds[seed][what] for what in ("id", "ood")} for seed in sorted(seeds)}
        policies.append(line)
        keep = found.get((world, "keep", panels), {})
        both = sorted(set(keep) & set(seeds) - set(DEVELOPED))
        if policy != "keep" and both:
            ends = [keep[seed]["ood"][-1] - seeds[seed]["ood"][-1] for seed in both]
            areas = [float(np.mean(keep[s]["ood"][1:]) - np.mean(seeds[s]["ood"][1:])) for s in both]
            line = {"world": world, "keep_minus": policy, "panels": panels, "seeds": both}
            differences.append(line | {"ood_end": interval(ends), "ood_area": interval(areas)})
    failed = [row for row in rows if "failed" in row]
    return {"wanted": WANTED, "policies": policies, "differences": differences, "failed": failed}


def main() -> None:
    quick = "--quick" in sys.argv
    words = sys.argv[1:]
    minutes = float(words[words.index("--minutes") + 1]) if "--minutes" in words else 6000
    workers = int(words[words.index("--workers") + 1]) if "--workers" in words else 2
    file = FILE.with_name("quick.jsonl.gz") if quick else FILE
    for row in run(jobs(quick), file, workers, minutes):
        ends = (
            {name: round(one["score"], 3) for name, one in row["rounds"][-1]["scores"].items()}
            if "rounds" in row
            else row
        )
        print(json.dumps({"name": row["name"], "ends": ends, "cpu_seconds": row.get("cpu_seconds")}), flush=True)
    rows, asked = rows_of(file), jobs(quick)
    about = {
        "loops": sum(row["name"] in asked for row in rows),
        "of": len(asked),
        "cpu_seconds": sum(row.get("cpu_seconds", 0) for row in rows),
    }
    save("loops", about | summary(rows), quick)


if __name__ == "__main__":
    main()
