"""Our side of benchmarks/selection_greedy.py, and greedy MAP as Chen et al. wrote it, in numpy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from clock import run

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.selector import Selector, Setting
from triptych.neighbours.graph import graph_of
from triptych.selectors.facility_location import FacilityLocation
from triptych.selectors.logdet import LogDeterminant
from triptych.selectors.vendi_greedy import VendiGreedy

Task = Callable[[Path], Callable[[], Any]]


def pool_of(folder: Path, name: str) -> Candidates:
    vectors = np.load(folder / f"{name}.npy")
    n = len(vectors)
    return Candidates(
        id=np.arange(n, dtype=np.uint64), cost=np.ones(n, dtype=np.int64), length=np.ones(n), vectors=vectors
    )


def policy(made: Selector, name: str, graph: bool = False) -> Task:
    """A tenth of the candidates by a policy. `graph`: the graph of neighbours is there before the clock starts."""

    def prepare(folder: Path) -> Callable[[], Any]:
        pool = pool_of(folder, name)
        if graph:
            graph_of(pool, 50, Setting())

        def work() -> Any:
            if not graph:
                pool.memo.clear()
            basket = Basket(pool.cost, len(pool) // 10)
            choice = made.choose(pool, basket, Setting())
            return {"taken": basket.taken, "facts": dict(choice.facts)}

        return work

    return prepare


def graph_alone(name: str) -> Task:
    def prepare(folder: Path) -> Callable[[], Any]:
        pool = pool_of(folder, name)

        def work() -> Any:
            pool.memo.clear()
            return {"exact": graph_of(pool, 50, Setting()).exact}

        return work

    return prepare


def chen(name: str) -> Task:
    """Greedy MAP with an incremental Cholesky factor (Chen et al. 2018, algorithm 1), float64, O(n k²)."""

    def prepare(folder: Path) -> Callable[[], Any]:
        rows = np.load(folder / f"{name}.npy").astype(np.float64)
        picks, eps = len(rows) // 10, 0.01

        def work() -> Any:
            factor, left = np.zeros((picks, len(rows))), np.einsum("ij,ij->i", rows, rows) + eps
            taken: list[int] = [0]
            for step in range(picks - 1):
                last = taken[-1]
                row = rows @ rows[last]
                row[last] += eps
                row = (row - factor[:step, last] @ factor[:step]) / np.sqrt(left[last])
                factor[step] = row
                left -= row**2
                left[last] = -np.inf
                taken.append(int(left.argmax()))
            return {"taken": taken}

        return work

    return prepare


if __name__ == "__main__":
    run({
        "all_pairs": policy(FacilityLocation(neighbours=0), "some"),
        "graph_50": policy(FacilityLocation(), "some"),
        "beyond_graph": policy(FacilityLocation(), "all", graph=True),
        "graph_alone": graph_alone("all"),
        "logdet_some": policy(LogDeterminant(), "some"),
        "logdet_all": policy(LogDeterminant(), "all"),
        "vendi_all": policy(VendiGreedy(weight=0), "all"),
        "chen_some": chen("some"),
    })  # fmt: skip
