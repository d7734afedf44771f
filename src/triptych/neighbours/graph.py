"""The graph of nearest neighbours that policies share, and the nearest kept record of every other.

Exact below some tens of thousands of records. Above, each is compared with the clusters around its own, and the share of
true neighbours that this finds is estimated on a sample and stated. Similarity is the cosine, in steps of `TOLERANCE`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import Candidates, Ints
from triptych.core.errors import SelectionError, message
from triptych.core.selector import Setting
from triptych.neighbours.clusters import clustered
from triptych.neighbours.search import Rows, Singles, exact, unheard

VERSION = 3
EXACT = 60_000  # records up to which the graph is exact
PRODUCT = EXACT * EXACT  # comparisons up to which `nearest` is exact


@dataclass(frozen=True, eq=False)
class Graph:
    """The k nearest others of each of n records, nearest first, equals by position.

    Attributes:
        neighbour: positions, int32 (n, k); -1 where there are fewer, and for a record without a vector.
        similarity: cosine, float32 (n, k), descending; -inf where there is no neighbour.
        exact: whether these are the nearest, or the nearest that were found.
        recall: share of the true neighbours that were found, estimated; None where exact.
    """

    neighbour: NDArray[np.int32]
    similarity: NDArray[np.float32]
    exact: bool = True
    recall: float | None = None

    @property
    def k(self) -> int:
        """Neighbours of each."""
        return int(self.neighbour.shape[1])

    def first(self, k: int) -> Graph:
        """The graph of the k nearest only."""
        return replace(self, neighbour=self.neighbour[:, :k], similarity=self.similarity[:, :k])


def vectors_of(pool: Candidates) -> Singles:
    """The vectors, C-contiguous.

    Raises:
        SelectionError: there are none.
    """
    if pool.vectors is None:
        raise SelectionError(message("these candidates have no vectors.", want="an embedding of each text"))
    return np.ascontiguousarray(pool.vectors, dtype=np.float32)


def graph_of(pool: Candidates, k: int, setting: Setting) -> Graph:
    """The graph of the k nearest, from the pool's memo or the cache where it is there; a graph of more serves for fewer.

    It hangs on the vectors alone: not on the seed, and not on the number of threads.

    Raises:
        SelectionError: vectors hold NaN, or there are none.
    """
    held = pool.memo.get("neighbours")
    if held is not None and held.k >= k:
        return held.first(k)  # type: ignore[no-any-return]
    kept = setting.cache / "neighbours" if setting.cache is not None and pool.key else None
    graph = _read(kept, pool.key, k, len(pool)) if kept else None
    if graph is None:
        graph = build(vectors_of(pool), k, setting.threads)
        if kept:
            _write(kept, pool.key, graph)
    pool.memo["neighbours"] = graph
    return graph.first(k)


def build(vectors: Singles, k: int, threads: int, below: int = EXACT) -> Graph:
    """The graph of unit rows (n, d), exact up to `below` of them; rows of zeros have no neighbours and are nobody's.

    Exact: n² d / 2 multiplications. Approximate: at most some n · (12,000 + 4 sqrt(n)) · d, and memory of about 250 MB for each thread.

    Raises:
        SelectionError: vectors hold NaN.
    """
    rows, own, recall = Rows.of(vectors), np.arange(len(vectors)), None
    if len(rows) <= below:
        found = exact(rows, rows, k, threads, own)
    else:
        found, recall = clustered(rows, rows, k, threads, own)
    return Graph(*found, recall is None, recall)


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest of a base for each of m queries.

    Attributes:
        at: position in the base, int32 (m,); -1 where there is none.
        similarity: cosine, float32 (m,); -inf where there is none.
        recall: share of the queries for which the nearest was found, estimated; None: all, it is exact.
    """

    at: NDArray[np.int32]
    similarity: NDArray[np.float32]
    recall: float | None = None


def nearest(
    queries: Singles,
    base: Singles,
    threads: int,
    skip: Ints | None = None,
    product: int = PRODUCT,
    told: Callable[[int], None] = unheard,
) -> Nearest:
    """The nearest of the base for each query; of equals the first by position.

    Exact up to `product` comparisons, above them among the clusters around the query's. There is none for a query of
    zeros, and where the base has no other.

    Args:
        queries: float32 (m, d), unit rows or zeros.
        base: float32 (b, d), unit rows or zeros.
        threads: that may be used.
        skip: position in the base that each query must not find, (m,), such as its own; -1: none.
        product: m * b up to which every query is compared with all of the base.
        told: called with the number of queries that are done.

    Raises:
        SelectionError: vectors hold NaN.
    """
    asked, there, recall = Rows.of(queries), Rows.of(base), None
    if len(asked) * len(there) <= product:
        at, close = exact(asked, there, 1, threads, skip, told)
    else:
        (at, close), recall = clustered(asked, there, 1, threads, skip, told)
    return Nearest(at[:, 0], close[:, 0], recall)


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24] + f"-v{VERSION}"


def _read(folder: Path, key: str, k: int, n: int) -> Graph | None:
    """A kept graph of at least k neighbours; None where there is none that can be read."""
    kept = {int(place.suffix[2:]): place for place in folder.glob(f"{_name(key)}.k*") if place.suffix[2:].isdigit()}
    for wide in sorted(kept):
        if wide < k:
            continue
        try:
            facts = json.loads((kept[wide] / "facts.json").read_text("utf-8"))
            neighbour, similarity = (
                np.load(kept[wide] / f"{name}.npy", allow_pickle=False) for name in ("neighbour", "similarity")
            )
            graph = Graph(neighbour, similarity, bool(facts["exact"]), facts["recall"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # damaged: it is built again
        if neighbour.shape == similarity.shape == (n, wide):
            return graph
    return None


def _write(folder: Path, key: str, graph: Graph) -> None:
    """Keep a graph: a folder under another name, then renamed, so that it is there in whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{_name(key)}.k{graph.k}"
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    np.save(draft / "neighbour.npy", graph.neighbour)
    np.save(draft / "similarity.npy", graph.similarity)
    facts = {"exact": graph.exact, "recall": graph.recall}
    (draft / "facts.json").write_text(json.dumps(facts, allow_nan=False) + "\n", encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)  # only one that could not be read is there
    try:
        draft.replace(place)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)  # another process was quicker with the same graph
