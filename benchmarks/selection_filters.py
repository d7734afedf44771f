"""DEITA's filter, k-center and the neighbour graph beside their peers. `python benchmarks/selection_filters.py [--quick]`

Vectors are those of the responses of alpaca_cleaned_52k by the shipped encoder; scores are made here. Each side of a row
runs in a process of its own, on one core with one thread, in turn in one run: CPU seconds are the best of up to three
repetitions, loading apart. Picks are compared, and a row with other picks than it should have is a failure.

DEITA is not on the package index: `deita class` is the filter of its repository (src/deita/selection/filter at b279f2c)
written down again step for step: a data frame, one record at a time (batch size 1, the only one with the paper's picks),
vectors normalized twice for each comparison, all in torch. The plain loops are the shortest numpy that does the work.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "sides"))
from clock import run
from harness import ONE_THREAD, data_folder, packages, save

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.rng import stream
from triptych.core.selector import Selector, Setting

TIMEOUT = 900


def read(folder: Path, size: str) -> tuple[Any, Any, int]:
    """Vectors (n, d) in falling order of score, their scores, and the budget."""
    n, budget = json.loads((folder / "sizes.json").read_text())[size]
    return np.load(folder / "vectors.npy")[:n], np.load(folder / "scores.npy")[:n], budget


def ours(policy: Callable[[], Selector], size: str) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        vectors, scores, budget = read(folder, size)
        one = np.ones(len(vectors), np.int64)
        made = policy()

        def work() -> Any:
            pool = Candidates(np.arange(len(one), dtype=np.uint64), one, one * 1.0, quality=scores, vectors=vectors)
            basket = Basket(one, budget)
            choice = made.choose(pool, basket, Setting())
            return {"picks": basket.taken, "facts": dict(choice.facts)}

        return work

    return prepare


def deita(threshold: float | str) -> Callable[[], Selector]:
    def made() -> Selector:
        from triptych.selectors.deita import Deita  # noqa: PLC0415 - each side loads what it times

        return Deita(score="quality", threshold=threshold)

    return made


def k_center() -> Selector:
    from triptych.selectors.k_center import KCenter  # noqa: PLC0415 - each side loads what it times

    return KCenter()


def deita_class(threshold: float, size: str) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        import pandas as pd  # noqa: PLC0415 - the peer's
        import torch  # noqa: PLC0415 - the peer's

        torch.set_num_threads(1)
        vectors, scores, budget = read(folder, size)
        frame = pd.DataFrame({"embedding": list(vectors), "score": [np.array([score]) for score in scores]})

        def unit(rows: Any) -> Any:
            return rows / rows.norm(dim=1)[:, None]

        def close(mine: Any, others: Any) -> Any:
            out = torch.zeros((mine.size(0), len(others)), dtype=torch.float32)
            for at in range(0, len(others), 100_000):
                piece = torch.tensor(others[at : at + 100_000], dtype=torch.float32)
                out[:, at : at + len(piece)] = torch.mm(unit(unit(mine)), unit(unit(piece)).t())
            return out

        def work() -> Any:
            frame["final_score"] = frame["score"].apply(lambda score: score.sum())
            ranked = frame.sort_values(by="final_score", ascending=False)
            embeddings = np.array(ranked["embedding"].values.tolist())
            kept = [0]
            for at in range(1, len(embeddings)):
                mine = torch.tensor(embeddings[at : at + 1], dtype=torch.float32)
                far = torch.any(close(mine, embeddings[kept]) > threshold, dim=1)
                inside = torch.any(close(mine, mine).tril(-1) > threshold, dim=1)
                if not bool(far | inside):
                    kept.append(at)
                if len(kept) >= budget:
                    break
            return {"picks": ranked.index[kept].tolist()}

        return work

    return prepare


def deita_loop(threshold: float, size: str) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        vectors, _, budget = read(folder, size)

        def work() -> Any:
            held, picks = np.empty((budget, vectors.shape[1]), np.float32), []
            for at, row in enumerate(vectors):
                if not picks or (held[: len(picks)] @ row).max() <= threshold:
                    held[len(picks)] = row
                    picks.append(at)
                    if len(picks) == budget:
                        break
            return {"picks": picks}

        return work

    return prepare


def k_center_loop(size: str, stepped: bool) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        vectors, _, budget = read(folder, size)

        def work() -> Any:
            """Plain; or in double precision with distances in steps, so that ties are ties: those picks must be ours."""
            rows = vectors.astype(np.float64) if stepped else vectors
            near, best, picks = np.full(len(rows), -np.inf, rows.dtype), 0, []
            for _ in range(budget):
                picks.append(best)
                np.maximum(near, rows @ rows[best], out=near)
                near[best] = np.inf
                if stepped:
                    far = np.maximum(np.round((1 - near) / TOLERANCE), 0)
                    far[picks] = -1
                    best = int(np.argmax(far))
                else:
                    best = int(np.argmin(near))
            return {"picks": picks}

        return work

    return prepare


def graph(size: str, k: int) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        from triptych.neighbours.graph import build  # noqa: PLC0415 - each side loads what it times

        vectors = read(folder, size)[0]
        return lambda: {"sum": float(build(vectors, k, 1).similarity.sum(dtype=np.float64))}

    return prepare


def flat(size: str, k: int) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        import faiss  # noqa: PLC0415 - the peer's

        faiss.omp_set_num_threads(1)
        vectors = read(folder, size)[0]

        def work() -> Any:
            index = faiss.IndexFlatIP(vectors.shape[1])
            index.add(vectors)
            close, at = index.search(vectors, k + 1)
            own = at == np.arange(len(at))[:, None]
            own[~own.any(axis=1), -1] = True
            return {"sum": float(close[~own].sum(dtype=np.float64))}

        return work

    return prepare


TASKS: dict[str, Any] = {}
for _size in ("small", "large"):
    for _bar in (0.9, 0.5):
        TASKS[f"deita_{_bar}_{_size}"] = ours(deita(_bar), _size)
        TASKS[f"deita_class_{_bar}_{_size}"] = deita_class(_bar, _size)
        TASKS[f"deita_loop_{_bar}_{_size}"] = deita_loop(_bar, _size)
    TASKS[f"deita_auto_{_size}"] = ours(deita("auto"), _size)
    TASKS[f"k_center_{_size}"] = ours(k_center, _size)
    TASKS[f"k_center_loop_{_size}"] = k_center_loop(_size, stepped=False)
    TASKS[f"k_center_steps_{_size}"] = k_center_loop(_size, stepped=True)
    for _k in (10, 50):
        TASKS[f"graph_{_k}_{_size}"] = graph(_size, _k)
        TASKS[f"flat_{_k}_{_size}"] = flat(_size, _k)


# work, our task, the peer's, the peer in words, times faster at least, whose picks ours must equal.
ROWS = (
    ("DEITA's filter at .9, {small}", "deita_0.9_small", "deita_class_0.9_small", "deita class", 40, "peer"),
    ("DEITA's filter at .5, {small}", "deita_0.5_small", "deita_class_0.5_small", "deita class", 40, "peer"),
    ("DEITA's filter at .5, {small}", "deita_0.5_small", "deita_loop_0.5_small", "plain numpy loop", None, "peer"),
    ("DEITA's filter at .5, {large}", "deita_0.5_large", "deita_class_0.5_large", "deita class", 40, "peer"),
    ("DEITA's filter at .5, {large}", "deita_0.5_large", "deita_loop_0.5_large", "plain numpy loop", 3, "peer"),
    ("DEITA's filter, threshold found, {large}", "deita_auto_large", None, "", None, None),
    ("k-center, {small}", "k_center_small", "k_center_loop_small", "plain numpy loop", None, "k_center_steps_small"),
    ("k-center, {large}", "k_center_large", "k_center_loop_large", "plain numpy loop", 5, "k_center_steps_large"),
    ("10 neighbours, {large}", "graph_10_large", "flat_10_large", "faiss IndexFlatIP", 1, None),
    ("50 neighbours, {large}", "graph_50_large", "flat_50_large", "faiss IndexFlatIP", 1, None),
)  # fmt: skip


def prepare(place: Path, folder: Path, quick: bool) -> dict[str, str]:
    """Vectors in falling order of a made score; the sizes in words."""
    from triptych.features.static_encoder import StaticEncoder  # noqa: PLC0415 - the sides need it not

    sizes = (
        {"small": (2000, 200), "large": (10_000, 1000)} if quick else {"small": (10_000, 1000), "large": (50_000, 5000)}
    )
    with gzip.open(place / "alpaca_cleaned_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["response"] for line in islice(lines, 52_000)]
    texts = [text for text in texts if text.split()][: sizes["large"][0]]
    scores = stream("benchmark", "selection_filters").random(len(texts))
    order = np.argsort(-scores, kind="stable")  # the first rows are the best, so "small" is the top of "large"
    np.save(folder / "vectors.npy", StaticEncoder.load().encode([texts[at] for at in order]))
    np.save(folder / "scores.npy", scores[order])
    (folder / "sizes.json").write_text(json.dumps(sizes))
    return {name: f"{budget:,} of {n:,}" for name, (n, budget) in sizes.items()}


def side(task: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, task, str(folder)], check=True, timeout=TIMEOUT, capture_output=True, text=True,
        env=os.environ | ONE_THREAD,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    place, rows, known = data_folder(), [], {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sizes = prepare(place, folder, quick)

        def measured(task: str) -> dict[str, Any]:
            known[task] = known.get(task) or side(task, folder)
            return known[task]

        for work, mine, peer, words, target, same in ROWS:
            one = measured(mine)
            row: dict[str, Any] = {"work": work.format(**sizes), "peer": words or None, "target": target}
            row["ours"] = {key: one[key] for key in ("cpu", "wall", "above_input_mb", "runs")}
            row["facts"] = one["found"].get("facts", {})
            if peer:
                other = measured(peer)
                row["theirs"] = {key: other[key] for key in ("cpu", "wall", "above_input_mb", "runs")}
                row["ratio"] = round(other["cpu"] / one["cpu"], 2)
                row["met"] = target is None or row["ratio"] >= target
                row |= compared(one["found"], other["found"])
            if same:
                true = measured(peer if same == "peer" else same)["found"]["picks"]
                row["picks_identical"] = true == one["found"]["picks"]
                if not row["picks_identical"]:
                    raise SystemExit(f"{row['work']}: the picks differ")
            rows.append(row)
            print(json.dumps(row), flush=True)
    save("selection_filters", {"packages_used": packages(("faiss-cpu", "torch", "pandas")), "rows": rows}, quick)


def compared(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """How many picks the two have in common, or how far their sums of similarities lie apart."""
    if "picks" in one:
        return {"picks_in_common": len(set(one["picks"]) & set(other["picks"])), "picks": len(one["picks"])}
    return {"sums_apart": abs(one["sum"] / other["sum"] - 1)}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run(TASKS)
    else:
        main()
