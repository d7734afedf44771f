"""100,000 of 1,000,000 records by six policies. `python benchmarks/selection_million.py [--quick]`

Writes made-up records (about 60 tokens each): 2,000 topics of unequal size, each with words of its own beside those that
all share, 5 % copies, and a noisy score. `triptych select` runs once for each policy on two workers, as a user runs it; the
first run computes the features, the others find them in the cache, and the neighbour graph likewise. Memory is summed over
the processes. Needs no data of others.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from harness import packages, save, watch
from memory import vocabulary

from triptych.core.rng import stream

POLICIES = ("random", "top_quality", "deita", "k_center", "facility_location", "balanced")
RECORDS, BUDGET = 1_000_000, 100_000
TOPICS, OWN, PIECE = 2_000, 60, 20_000
MINUTES, MEMORY_MB = 40, 6_000


def write(path: Path, records: int) -> None:
    """Write so many records."""
    words = vocabulary()
    weight = 1 / np.arange(10, len(words) + 10) ** 1.05
    ladder = np.cumsum(weight / weight.sum())
    sizes = np.cumsum(1 / np.arange(5, TOPICS + 5) ** 0.8)
    own = stream("million", "topics").integers(0, len(words), (TOPICS, OWN))
    with path.open("w", encoding="utf-8") as out:
        for start in range(0, records, PIECE):
            draw = stream("million", "records", start)
            topic = np.searchsorted(sizes, draw.random(PIECE) * sizes[-1])
            length = np.clip(draw.lognormal([2.3, 3.3], [0.5, 0.6], (PIECE, 2)).astype(int), 3, 800)
            total = int(length.sum())
            at = np.searchsorted(ladder, draw.random(total)).clip(0, len(words) - 1)
            whose = np.repeat(topic, length.sum(axis=1))
            mine = own[whose, draw.integers(0, OWN, total)]
            at = np.where(draw.random(total) < 0.6, mine, at)
            picked = iter(np.split(words[at], np.cumsum(length.reshape(-1))[:-1]))
            copies, score = draw.random(PIECE), draw.beta(4, 2, PIECE)
            before: list[tuple[str, str]] = []
            for number in range(min(PIECE, records - start)):
                prompt, response = " ".join(next(picked)) + "?", " ".join(next(picked)) + "."
                if copies[number] < 0.05 and before:
                    prompt, response = before[int(draw.integers(len(before)))]
                before.append((prompt, response))
                row = {"prompt": prompt, "response": response, "score": round(float(score[number]), 4)}
                out.write(json.dumps(row) + "\n")


def main() -> None:
    quick = "--quick" in sys.argv
    records, budget = (20_000, 2_000) if quick else (RECORDS, BUDGET)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write(path, records)
        for policy in POLICIES:
            rows.append(selected(path, Path(folder), policy, budget))
            print(json.dumps(rows[-1]), flush=True)
    minutes = sum(row["wall_seconds"] for row in rows) / 60
    peak = max(row["peak_memory_mb"] for row in rows)
    total = {"minutes": round(minutes, 1), "target_minutes": MINUTES, "peak_memory_mb": peak, "target_mb": MEMORY_MB}
    about = {"records": records, "budget": budget, "packages_used": packages(("faiss-cpu",))}
    save("selection_million", about | {"policies": rows, "all": total}, quick)


def selected(path: Path, folder: Path, policy: str, budget: int) -> dict[str, Any]:
    """What one policy takes."""
    words = ["select", str(path), "--budget", str(budget), "--policy", policy, "--quality", "score"]
    command = [sys.executable, "-m", "triptych.cli", *words, "-o", f"{folder}/{policy}", "--workers", "2", "--json"]
    usage = watch(command, 3600, {"TRIPTYCH_CACHE": f"{folder}/cache"})
    said = json.loads(usage.output)
    kept = said["counts"]["kept"]
    means = {entry["label"]: entry["selected"] for entry in said["estimates"]}
    return {
        "policy": policy,
        "kept": kept,
        **usage.row(),
        "stages": usage.stages,
        "estimates": means,
        "facts": said["facts"],
    }


if __name__ == "__main__":
    main()
