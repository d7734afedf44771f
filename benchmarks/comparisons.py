"""What compare says of real sets that differ in a known way. `python benchmarks/comparisons.py [--quick]`

1. Six systems and people on the same problems: is it told that only the generator differs, and is the order of accuracy found?
2. Behaviours for which there are both, questions written by people and by a model to one specification: verdicts on the questions at equal
   records, and at equal records and length. They may go either way; Holm over the measures of a behaviour.
3. One pool after de-duplication and after similarity filters: each step against the raw pool, as it is (the naive way, where
   the smaller set looks less varied or more, for being smaller) and at equal records.
4. A padded copy (the same content, longer) and a set of one constant answer, against the original.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from harness import RESULTS, data_folder, save

import triptych

LADDER = ("dedupe-only", "similarity-0.9", "similarity-0.8", "similarity-0.7", "similarity-0.6")
QUESTIONS = ("distinct_n:n=3,on=prompt", "vendi:q=2,on=prompt", "near_duplicate_rate:on=prompt", "tokens:on=prompt",
             "effective_structures:on=prompt", "knn_distance:on=prompt", "readability_grade:on=prompt")  # fmt: skip
STEPS = (
    "distinct_n:n=3",
    "vendi:q=2",
    "near_duplicate_rate",
    "self_repetition",
    "effective_structures",
    "knn_distance",
)
PAD = " I hope this helps. Please let me know if you have any further questions about this topic."
CONSTANT = "I am glad that you asked. This is an excellent and thoughtful answer to your question."


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def told(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every pair, view and measure with its verdict, short."""
    out = []
    for pair in document["pairs"]:
        for view in pair["views"]:
            for one in view["results"]:
                row = {"a": pair["first"], "b": pair["second"], "view": view["name"], "records": view["records"]}
                row |= {
                    key: one[key] for key in ("label", "axis", "better", "diff", "lo", "hi", "p_adjusted", "verdict")
                }
                row["values"] = [one["a"], one["b"]]
                out.append(row)
    return out


def systems(folder: Path, _: Path) -> dict[str, Any]:
    document = triptych.compare(
        str(folder / "gsm8k_model_solutions.jsonl.gz"), by="model", measures=("label_mean:field=correct", "tokens")
    )
    known = Counter[str]()
    asked = Counter[str]()
    for row in lines(folder, "gsm8k_model_solutions"):
        known[row["model"]] += bool(row["correct"])
        asked[row["model"]] += 1
    accuracy = {name: known[name] / asked[name] for name in asked}
    rows = [row for row in told(document) if row["label"].startswith("label_mean")]
    main = [row for row in rows if row["view"] == rows[0]["view"]]
    right = wrong = 0
    for row in main:
        if row["verdict"] in ("a", "b"):
            better = row["a"] if row["verdict"] == "a" else row["b"]
            worse = row["b"] if row["verdict"] == "a" else row["a"]
            right, wrong = right + (accuracy[better] > accuracy[worse]), wrong + (accuracy[better] < accuracy[worse])
    audits = Counter(pair["comparability"]["verdict"] for pair in document["pairs"])
    differs = sorted({text for pair in document["pairs"] for text in map(str, pair["comparability"]["differs"])})
    return {
        "accuracy": accuracy,
        "comparability": dict(audits),
        "differs": differs,
        "pairs": len(main),
        "told": right + wrong,
        "right": right,
        "wrong": wrong,
        "results": main,
    }


def behaviours(folder: Path, place: Path) -> dict[str, Any]:
    sets: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in lines(folder, "model_vs_human_written_evals"):
        sets.setdefault((row["behaviour"], "human" if row["generator"] == "human" else "model"), []).append(row)
    out = {}
    both = sorted(name for name, who in sets if who == "human" and (name, "model") in sets)
    for behaviour in both:
        paths = []
        for who in ("human", "model"):
            rows = [{"prompt": row["prompt"]} for row in sets[behaviour, who]]
            paths.append(f"{who}={written(place / f'{behaviour}-{who}.jsonl', rows)}")
        out[behaviour] = told(triptych.compare(*paths, match="records,length", measures=QUESTIONS))
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for rows in out.values():
        for row in rows:
            verdict = {"a": "human", "b": "model"}.get(row["verdict"], row["verdict"])
            view = counts.setdefault(row["view"], {}).setdefault(row["label"], {})
            view[verdict] = view.get(verdict, 0) + 1
    only = sorted({name for name, _ in sets} - set(both))
    return {"behaviours": len(both), "one_side_only": only, "verdicts": counts, "results": out}


def written(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def ladder(folder: Path, place: Path) -> dict[str, Any]:
    pools: dict[str, list[dict[str, Any]]] = {name: [] for name in LADDER}
    for row in lines(folder, "gpteacher_toolformer_dedup_ladder"):
        pools[row["subset"]].append({"prompt": row["prompt"], "response": row["response"]})
    paths = {name: written(place / f"{name}.jsonl", rows) for name, rows in pools.items()}
    first = LADDER[0]
    return {
        name: told(
            triptych.compare(f"{name}={paths[name]}", f"{first}={paths[first]}", match="records", measures=STEPS)
        )
        for name in LADDER[1:]
    }


def copies(folder: Path, place: Path) -> dict[str, Any]:
    rows = [row for row in lines(folder, "alpaca_libre_unfiltered") if row["status"] == "ok"][:2000]
    plain = [{"prompt": row["prompt"], "response": row["response"]} for row in rows]
    original = written(place / "original.jsonl", plain)
    padded = written(place / "padded.jsonl", [{**row, "response": row["response"] + PAD} for row in plain])
    constant = written(place / "constant.jsonl", [{**row, "response": CONSTANT, "judge_score": 9.5} for row in plain])
    scored = written(place / "scored.jsonl", [{**row, "judge_score": 7.0 + at % 3} for at, row in enumerate(plain)])
    out = {}
    for name, paths in {"padded": (padded, original), "constant": (constant, scored)}.items():
        document = triptych.compare(f"{name}={paths[0]}", f"original={paths[1]}")
        results = told(document)
        wins = Counter((row["view"], row["verdict"]) for row in results if row["better"] != "neither")
        counted = [{"view": view, "verdict": verdict, "measures": n} for (view, verdict), n in sorted(wins.items())]
        said = [each["text"] for each in document["warnings"]]
        out[name] = {"counted": counted, "price": document["pairs"][0]["price"], "warnings": said, "results": results}
    return out


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--only", nargs="*", default=["systems", "behaviours", "ladder", "copies"])
    options.add_argument("--print", action="store_true")  # and keep nothing
    asked = options.parse_args()
    folder, known = data_folder(), RESULTS / "comparisons.json"
    found = json.loads(known.read_text())["rows"] if known.exists() and not asked.print else {}
    with tempfile.TemporaryDirectory() as place:
        for part in (systems, behaviours, ladder, copies):
            if part.__name__ in asked.only:
                found[part.__name__] = part(folder, Path(place))
                print(part.__name__, "done", flush=True)
                if not asked.print:
                    save("comparisons", {"rows": found}, quick=False)
    if asked.print:
        json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
