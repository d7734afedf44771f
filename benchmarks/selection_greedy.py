"""Greedy policies beside apricot and a plain log-determinant. `python benchmarks/selection_greedy.py [--quick]`

A tenth of 10,000 and of 50,000 real vectors: responses of alpaca_cleaned_52k by the shipped encoder. Each side of a row
runs in a process of its own on one core with one thread: CPU seconds, the best of up to three repetitions, loading apart,
cosines and graphs counted on both sides (one row says otherwise). apricot compiles anew for every object that is made, so
each of its users waits for that: it is counted, and the ratio without it is given beside. Values are those of all pairs:
the mean cosine of a record to the nearest one taken, and log det(I + X'X / 0.01).
apricot lives in an environment of its own, made in $TRIPTYCH_BENCH_ENVS (or a folder that is removed).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import data_folder, save
from peers import ENVIRONMENTS, environment, side

from triptych.core.rng import stream

ENVIRONMENTS["apricot"] = [["apricot-select", "scikit-learn"]]  # apricot imports it and does not name it
LIMIT_MB = 1300


def prepare(data: Path, folder: Path, quick: bool) -> dict[str, np.ndarray[Any, Any]]:
    """Write the vectors of both sizes and return them."""
    from triptych.features.embedding import load_encoder  # noqa: PLC0415

    some, number = (1000, 3000) if quick else (10_000, 50_000)
    with gzip.open(data / "alpaca_cleaned_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["response"] for line, _ in zip(lines, range(number), strict=False)]
    vectors = load_encoder("static").encode(texts)
    found = {"some": vectors[:some], "all": vectors}
    for name, rows in found.items():
        np.save(folder / f"{name}.npy", rows)
    return found


def coverage(vectors: np.ndarray[Any, Any], taken: list[int]) -> float:
    """Mean cosine to the nearest taken."""
    best = [(vectors[at : at + 4096] @ vectors[taken].T).max(axis=1) for at in range(0, len(vectors), 4096)]
    return float(np.concatenate(best).clip(0).mean(dtype=np.float64))


def log_det(vectors: np.ndarray[Any, Any], taken: list[int]) -> float:
    rows = vectors[taken].astype(np.float64)
    return float(np.linalg.slogdet(np.eye(rows.shape[1]) + rows.T @ rows / 0.01)[1])


def usage(found: dict[str, Any]) -> dict[str, Any]:
    return {"cpu_seconds": round(found["cpu"], 2), "runs": found["runs"], "peak_memory_mb": found["peak_mb"]}


def row(work: str, ours: dict[str, Any], theirs: dict[str, Any] | None, target: float | None, **more: Any) -> Any:
    """One line of the result; `theirs` None: the peer could not be run."""
    out: dict[str, Any] = {"work": work, "ours": usage(ours), **more, "target": target}
    if theirs:
        out |= {"theirs": usage(theirs), "ratio": round(theirs["cpu"] / ours["cpu"], 2)}
        if compiling := theirs["found"].get("compiling"):
            out["ratio_without_compiling"] = round((theirs["cpu"] - compiling) / ours["cpu"], 2)
        out["met"] = target is None or out["ratio"] >= target
    print(json.dumps(out), flush=True)
    return out


def apricot(envs: Path, folder: Path) -> dict[str, Any] | None:
    try:
        return side(environment("apricot", envs), "greedy_theirs", "apricot", folder)
    except subprocess.SubprocessError as error:
        print(f"apricot: {(getattr(error, 'stderr', None) or str(error))[-300:]}")
        return None


def rows_of(folder: Path, envs: Path, held: dict[str, np.ndarray[Any, Any]]) -> list[Any]:
    """All rows of the table."""

    def ours(task: str) -> dict[str, Any]:
        return side(Path(sys.executable), "greedy_ours", task, folder)

    some, every = held["some"], held["all"]
    first, second = f"{len(some) // 10:,} of {len(some):,}", f"{len(every) // 10:,} of {len(every):,}"
    peer = apricot(envs, folder)
    pairs, graph = ours("all_pairs"), ours("graph_50")
    draws = [stream("selection_greedy", seed).permutation(len(some))[: len(some) // 10] for seed in range(5)]
    random = float(np.mean([coverage(some, list(drawn)) for drawn in draws]))
    values = {"random": random, "all_pairs": coverage(some, pairs["found"]["taken"])}
    values |= {"graph_50": coverage(some, graph["found"]["taken"])}
    if peer:
        values["apricot"] = coverage(some, peer["found"]["taken"])
    kept = (values["graph_50"] - random) / (values["all_pairs"] - random)
    values = {name: round(value, 6) for name, value in values.items()}
    beyond, alone = ours("beyond_graph"), ours("graph_alone")
    fits = beyond["cpu"] <= 1 and max(beyond["peak_mb"], alone["peak_mb"]) <= LIMIT_MB
    plain, volume = ours("chen_some"), ours("logdet_some")
    volumes = [round(log_det(some, each["found"]["taken"]), 3) for each in (volume, plain)]
    large = ours("logdet_all")
    gb = 4 * len(every) ** 2 / 1e9
    return [
        row(f"facility location, {first}, all pairs", pairs, peer, 4.0, mean_similarity=values),
        row(f"facility location, {first}, graph of 50", graph, peer, 8.0, share_of_gain_kept=round(kept, 4)),
        row(f"facility location, {second}, beyond the graph", beyond, None, None, met=fits, graph=usage(alone),
            note=f"goal: 1 s, 1,300 MB; apricot would hold a dense matrix of {gb:.0f} GB and work on copies of it"),
        row(f"log-determinant, {first}, beside greedy MAP in numpy", volume, plain, None,
            log_det={"ours": volumes[0], "numpy": volumes[1]}),
        row(f"log-determinant, {second}", large, None, None, met=large["cpu"] <= 60,
            note="goal: 60 s; the plain rule would hold a factor of "
            f"{8 * len(every) * (len(every) // 10) / 1e9:.1f} GB and take time as the square of the picks"),
        row(f"greedy Vendi of order 2, {second}", ours("vendi_all"), None, None),
    ]  # fmt: skip


def versions(envs: Path) -> dict[str, str]:
    """Of what is installed in the peer's environment."""
    python = envs / "apricot" / "bin" / "python"
    if not python.exists():
        return {}
    code = "import importlib.metadata as m,json;print(json.dumps({n:m.version(n) for n in ('apricot-select','numba','numpy','scipy')}))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="300 of 3,000 records; writes no result")
    given = parser.parse_args()
    data = data_folder()
    named = os.environ.get("TRIPTYCH_BENCH_ENVS")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
        envs, place = Path(named or temporary), Path(folder)
        rows = rows_of(place, envs, prepare(data, place, given.quick))
        save("selection_greedy", {"peers": versions(envs), "rows": rows}, given.quick)


if __name__ == "__main__":
    main()
