"""Arms from real pools: gaps, balance, diversity, seconds. `python benchmarks/design.py [--quick] [--only NAME]`

10,000 Alpaca rows with scores that are made here (free of length, or tied to it by a known correlation), arms of 800; and
answers of seven systems to 1,319 grade-school problems with their real `correct` and reasoning steps, arms of 200. Seconds
are of the whole call with columns of the pool in the cache or not as it comes, and CPU seconds are of all processes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import data_folder, save

from triptych import api
from triptych.core.errors import SpecError
from triptych.core.rng import stream

ALPACA, GSM8K = "alpaca_cleaned_52k.jsonl.gz", "gsm8k_model_solutions.jsonl.gz"
BOTH = "Q=q,D=embedding,C=c"
SECONDS = 60
# Three blocks of eight arms and a centre arm, or one block.
CASES: dict[str, tuple[str, float, float, dict[str, Any]]] = {
    # name: pool, correlation of q and of c with log length, what is asked
    "free": (ALPACA, 0.0, 0.0, {"budget": 800, "levels": BOTH}),
    "gsm8k": (GSM8K, 0.0, 0.0, {"budget": 200, "levels": "Q=correct,D=embedding,C=reasoning_steps"}),
    "q_with_length_.5": (ALPACA, 0.5, 0.0, {"budget": 800, "levels": BOTH, "blocks": 1}),
    "c_with_length_.6": (ALPACA, 0.0, 0.6, {"budget": 800, "levels": BOTH, "blocks": 1}),
    "c_with_length_.9": (ALPACA, 0.0, 0.9, {"budget": 800, "levels": BOTH, "blocks": 1}),
    "c_with_length_.98": (ALPACA, 0.0, 0.98, {"budget": 800, "levels": BOTH, "blocks": 1}),
    "sixteen_kinds": (ALPACA, 0.0, 0.0, {"budget": 800, "levels": "Q=q,D=embedding:16,50,C=c", "blocks": 1}),
}


def pool(place: Path, folder: Path, name: str, q: float, c: float, rows: int) -> Path:
    """The rows with scores of a known correlation with the log of their length in words."""
    if name != ALPACA:
        return place / name
    with gzip.open(place / name, "rt", encoding="utf-8") as lines:
        kept = [json.loads(line) for line in islice(lines, rows)]
    length = np.log([len(row["response"].split()) + 1 for row in kept])
    length = (length - length.mean()) / length.std()
    out = folder / f"pool-{q}-{c}.jsonl"
    with out.open("w", encoding="utf-8") as file:
        noise = stream("benchmark", "design").normal(size=(2, len(kept)))
        scores = [r * length + np.sqrt(1 - r * r) * e for r, e in zip((q, c), noise, strict=True)]
        for row, a, b in zip(kept, *scores, strict=True):
            file.write(json.dumps(row | {"q": a, "c": b}) + "\n")
    return out


def row(document: dict[str, Any]) -> dict[str, Any]:
    """The numbers of one design."""
    part = document.get("designs", [document])[0]
    asked = {line["variable"]: line for line in part["balance"] if line["asked"]}
    worst = max(asked.values(), key=lambda line: line["smd"])
    seen = {line["arm"]: line for line in document["diversity"]}
    label = next(name for name in ("vendi:on=prompt", "vendi") if name in document["diversity"][0])
    read = {code: [seen[a["name"]] for a in document["arms"] if a["levels"].get("D") == code] for code in (-1, 1)}
    return {
        "designs": [found["title"] for found in document.get("designs", [])]
        or ["equal " + ", ".join(document["equal"])],
        "largest_gap_sd": [round(gap, 3) for gap in part["gap"]["largest"]],
        "gap_taken_sd": round(part["gap"]["taken"], 3),
        "reached": {name: [round(v, 3) for v in factor["reached"]] for name, factor in part["factors"].items()},
        "largest_smd": round(worst["smd"], 4),
        "largest_smd_of": worst["variable"],
        "smd_tokens": round(asked.get("tokens", worst)["smd"], 4),
        "smd_length": round(asked.get("length", worst)["smd"], 4),
        **{
            f"log_{name}_{word}": [
                round(float(np.log([one[key] for one in read[code]]).min()), 3),
                round(float(np.log([one[key] for one in read[code]]).max()), 3),
            ]
            for name, key in (("vendi", label), ("tfidf_vendi", "tfidf_vendi:q=1"))
            for code, word in ((-1, "low"), (1, "high"))
        },
        "condition_number": round(part["condition_number"], 3),
        "overlap_within_block": round(part["overlap"]["within_block"]["max"], 3),
        "arms": len(document["arms"]),
    }


def cpu() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append")
    chosen = parser.parse_args()
    place, cases = data_folder(), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (source, q, c, asked) in CASES.items():
            if chosen.only and name not in chosen.only:
                continue
            data = pool(place, Path(folder), source, q, c, 3000 if chosen.quick else 10_000)
            asked = asked | {"budget": 150} if chosen.quick else dict(asked)
            blocks = asked.pop("blocks", 3)
            began, before = time.perf_counter(), cpu()
            try:
                found = row(api.design(str(data), options={"blocks": blocks}, **asked))
            except SpecError as error:
                found = {"refused": str(error)}
            found |= {"seconds": round(time.perf_counter() - began, 1), "cpu_seconds": round(cpu() - before, 1)}
            cases[name] = {"asked": asked, "blocks": blocks, **found}
            print(name, json.dumps(cases[name]), flush=True)
            if not chosen.quick:  # a run that is cut short has told what it found
                save("design", {"target_seconds_for_8_arms": SECONDS, "cases": cases}, chosen.quick)
    if chosen.quick:
        save("design", {"target_seconds_for_8_arms": SECONDS, "cases": cases}, chosen.quick)


if __name__ == "__main__":
    main()
