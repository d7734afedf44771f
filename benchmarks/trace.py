"""`triptych trace`: how long 1,000 runs × 10 panels take, and whether the bake-off says what it may say.

    python benchmarks/trace.py [--quick]

Three parts. Time: a synthetic table of 1,000 runs through the command line, imports and report included. Bake-off: simulated
studies with a known best measure, a weak copy of it, one that goes with length, and noise: how often each is called a
predictor, ranked first, and how often intervals cover. With TRIPTYCH_DATA: 1,027 public fine-tuning runs.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import ONE_THREAD, packages, save, watch

from triptych import api
from triptych.core.rng import stream
from triptych.studies.table import RunTable
from triptych.studies.trace.bakeoff import BakeoffOptions, bakeoff

GOAL_SECONDS = 30.0
PANELS = ("id", *(f"ood{k}" for k in range(1, 10)))
MEASURES = tuple(f"measure{k}" for k in range(10))


def table(path: Path, runs: int = 1000) -> None:
    """A table of runs: ten models, arms of a 2³ factorial in several data draws, three seeds, ten panels, ten measures."""
    rng = stream("benchmark trace")
    worth, models = 0.03 * rng.normal(size=(len(PANELS), 3)), 10
    arms = [tuple(1 if arm >> bit & 1 else -1 for bit in range(3)) for arm in range(8)] * 5
    reads, shifts = rng.normal(size=(len(arms), len(MEASURES) + 2)), 0.02 * rng.normal(size=(len(arms), len(PANELS)))
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["run", "model", "seed", "arm", "Q", "D", "C", "tokens", "length", *MEASURES, *PANELS])
        for run in range(runs):
            model, arm, seed = run % models, run // models % len(arms), run // models // len(arms)
            scores = (
                0.5 + 0.02 * model + worth @ np.array(arms[arm]) + shifts[arm] + 0.03 * rng.normal(size=len(PANELS))
            )
            facts = [5000 + 100 * reads[arm, -2], 80 + 5 * reads[arm, -1], *reads[arm, :-2]]
            writer.writerow([f"r{run}", f"m{model}", seed, f"arm{arm}", *arms[arm], *facts, *scores.clip(0, 1)])


def speed() -> dict[str, Any]:
    """Seconds of the whole command, without and with the bake-off, one BLAS thread."""
    out: dict[str, Any] = {"runs": 1000, "panels": len(PANELS), "goal_seconds": GOAL_SECONDS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        table(path)
        command = [sys.executable, "-m", "triptych.cli", "trace", str(path), "--outcome", ",".join(PANELS), "--factors"]
        command += ["Q,D,C", "--blocks", "model,seed", "--covariates", "tokens,length", "-o", f"{folder}/out"]
        for name, more in (("trace", []), ("trace_bakeoff", ["--bakeoff", "--candidates", ",".join(MEASURES)])):
            out[name] = watch([*command, *more], 600, ONE_THREAD).row()
            print(name, out[name])
    return out


def study(arms: int, worth: float, *labels: str | int) -> RunTable:
    """One study: `best` reads what moves the score, `weak` reads it badly, `longish` reads length, `noise` nothing."""
    rng = stream("benchmark bake-off", *labels)
    truth, length = rng.normal(size=arms), rng.normal(size=arms)
    reads = {
        "best": truth + 0.4 * rng.normal(size=arms),
        "weak": truth + 2.0 * rng.normal(size=arms),
        "longish": length + 0.4 * rng.normal(size=arms),
        "noise": rng.normal(size=arms),
    }
    arm = np.repeat(np.arange(arms), 3)
    score = worth * truth + 0.7 * length + 0.7 * rng.normal(size=arms)
    return RunTable(
        runs=tuple(map(str, range(3 * arms))),
        factors={},
        outcomes={"ood": score[arm] + 0.5 * rng.normal(size=3 * arms)},
        covariates={"length": length[arm]},
        arms=arm.astype(str),
        measured={name: values[arm] for name, values in reads.items()},
    )


def honesty(studies: int) -> list[dict[str, Any]]:
    """How often each measure is called a predictor and ranked first, and how often intervals cover the expected gain."""
    rows = []
    for arms in (12, 27, 60):
        for worth in (0.0, 0.8):
            found: dict[str, list[dict[str, Any]]] = {}
            for trial in range(studies):
                document = bakeoff(study(arms, worth, arms, str(worth), trial), BakeoffOptions(draws=500))
                for entry in document["entries"]:
                    found.setdefault(entry["candidate"], []).append(entry)
            for name, entries in found.items():
                expected = float(np.mean([e["gain"] for e in entries]))
                row = {"arms": arms, "worth": worth, "measure": name, "studies": studies, "expected_gain": expected}
                row |= {
                    "covers_expected_gain": np.mean([e["lo"] <= expected <= e["hi"] for e in entries]),
                    "lower_end_at_most_0": np.mean([e["lo"] <= 0 for e in entries]),
                    "partial_pearson_covers_0": np.mean([e["pearson_lo"] <= 0 <= e["pearson_hi"] for e in entries]),
                    "called_predictor": np.mean([e["verdict"] == "predicts" for e in entries]),
                    "ranked_first": np.mean([e["rank"] == 1 for e in entries]),
                    "surely_first": np.mean([e["p_best"] > 0.95 for e in entries]),
                }
                rows.append({key: round(float(v), 4) if isinstance(v, float) else v for key, v in row.items()})
                print(rows[-1])
    return rows


def real() -> dict[str, Any] | None:
    """Shares of variance and agreement on public fine-tuning runs, where the data are at hand."""
    place = os.environ.get("TRIPTYCH_DATA")
    path = Path(place or "") / "massive_sft_runs.csv"
    if not place or not path.is_file():
        print("real runs are left out: set TRIPTYCH_DATA to the folder of massive_sft_runs.csv")
        return None
    panels = (
        "mtbench-total",
        "mmlu-0shot",
        "mmlu-5shot",
        "gsm8k-0shot",
        "math-0shot",
        "nq-0shot",
        "nq-1shot",
        "nq-5shot",
    )
    document = api.trace(
        path, outcome=panels, factors=("epoch", "data_size", "lora"), blocks=("model_name", "data_name"), bootstrap=0
    )
    keep = ("panel", "term", "alone", "unique", "partial_r2", "lo", "hi", "together")
    shares = [{key: entry[key] for key in keep if key in entry} for entry in document["shares"]]
    return {"analysed": document["runs"]["analysed"], "shares": shares, "agreement": document["agreement"]}


def main() -> None:
    quick = "--quick" in sys.argv
    rows = {
        "packages_used": packages(("statsmodels", "scipy")),
        "speed": speed(),
        "bakeoff": honesty(20 if quick else 400),
        "real_runs": real(),
    }
    save("trace", rows, quick)


if __name__ == "__main__":
    main()
