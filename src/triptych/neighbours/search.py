"""The k nearest of some vectors for others, by inner product, exactly.

faiss finds who is near; how near is then computed again for those alone, in steps of `TOLERANCE`, and equals are ordered
by position. So neither the shape of a product nor the number of threads decides between two equal vectors, however many
there are of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import TOLERANCE, Ints
from triptych.core.errors import SelectionError, message
from triptych.neighbours.pairs import CROWD, WORTH, likely
from triptych.neighbours.threads import library, spread

Singles = NDArray[np.float32]
Found = tuple[NDArray[np.int32], Singles]

BLOCK = 1024  # queries that are searched at once
PAD = 8  # more than asked for are looked up, to see whether ties run past the last
NEAR = 4 * TOLERANCE  # closer than this to the last one, products of single precision cannot tell


def unheard(done: int) -> None:
    """Progress that nobody asked for."""
    del done


def usable(vectors: NDArray[np.floating[Any]], what: str = "vectors") -> NDArray[np.bool_]:
    """Which rows are not zero, (n,).

    Raises:
        SelectionError: a row holds NaN or infinity.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.einsum("ij,ij->i", vectors, vectors)
    bad = np.flatnonzero(~np.isfinite(square))
    if len(bad):
        raise SelectionError(
            message(
                f"{len(bad):,} of {len(vectors):,} {what} are not finite.",
                got=f"NaN or infinity, candidate {bad[0]} first",
                want="finite vectors; a text without tokens has a vector of zeros",
                hint="drop those records, or embed them again",
            )
        )
    return np.asarray(square > 0)


@dataclass(frozen=True, eq=False)
class Rows:
    """Those of some vectors that are not zero.

    Attributes:
        vectors: float32 (n, d), unit rows or zeros.
        at: positions of those that are not zero, ascending.
    """

    vectors: Singles
    at: Ints

    @classmethod
    def of(cls, vectors: Singles) -> Rows:
        """Find the zeros.

        Raises:
            SelectionError: vectors hold NaN.
        """
        return cls(vectors, np.flatnonzero(usable(vectors)))

    def __len__(self) -> int:
        return len(self.at)


def exact(
    queries: Rows, base: Rows, k: int, threads: int, skip: Ints | None = None, told: Callable[[int], None] = unheard
) -> Found:
    """The k nearest of the base for each query: positions int32 (m, k) and similarities float32 (m, k), descending.

    -1 and -inf where there are fewer, and for a query of zeros.

    Args:
        queries: m vectors.
        base: b vectors.
        k: neighbours of each.
        threads: that may be used.
        skip: position in the base that each query must not find, (m,): itself; -1: none.
        told: called with the number of queries that are done, from one thread at a time.
    """
    wide = min(k, len(base))
    held = base.vectors if len(base) == len(base.vectors) else base.vectors[base.at]
    more = min(k + PAD + 1, len(base))
    among_selves = queries is base and len(base) >= WORTH and len(base) >= CROWD * more
    known, faiss = likely(held, more, threads) if among_selves else None, library()
    place = np.full(len(base.vectors) + 1, -1, dtype=np.int64)
    place[base.at] = np.arange(len(base))
    found, lock = nothing(len(queries.vectors), k), Lock()

    def block(start: int) -> Ints:
        rows = queries.at[start : start + BLOCK]
        if known is None:
            among = faiss.knn(queries.vectors[rows], held, more, metric=faiss.METRIC_INNER_PRODUCT)[1]
        else:
            among = known[start : start + BLOCK]
        last = keep(rows, among)
        with lock:
            told(len(rows))
        tied: Ints = rows[found[1][rows, wide - 1] <= last + NEAR]
        return tied

    def keep(rows: Ints, among: Ints) -> Singles:
        left = None if skip is None else place[skip[rows]]
        at, close, last = ranked(queries.vectors[rows], held, among, wide, left)
        found[0][rows, :wide] = np.where(at >= 0, base.at[at], -1)
        found[1][rows, :wide] = close
        return last

    def again(rows: Ints) -> None:
        left = None if skip is None else place[skip[rows]]
        keep(rows, _candidates(queries.vectors[rows], held, found[1][rows, wide - 1], wide, left))

    if wide and len(queries):
        tied = np.concatenate(spread(block, range(0, len(queries), BLOCK), threads))
        step = max(1, (BLOCK * BLOCK) // len(base))
        if more < len(base):
            spread(again, [tied[start : start + step] for start in range(0, len(tied), step)], threads)
    return found


def nothing(m: int, k: int) -> Found:
    """What is found before anything is looked for."""
    return np.full((m, k), -1, dtype=np.int32), np.full((m, k), -np.inf, dtype=np.float32)


def ranked(queries: Singles, base: Singles, at: Ints, k: int, skip: Ints | None) -> tuple[Ints, Singles, Singles]:
    """The best k of the positions `at` (m, w), -1 where there is none, and the similarity of the worst of all w."""
    steps = np.round(_products(queries, base, at).astype(np.float64) / TOLERANCE)
    last = np.where(at >= 0, steps, np.inf).min(axis=1)
    steps[at < 0] = -np.inf
    if skip is not None:
        steps[at == skip[:, None]] = -np.inf
    order = np.lexsort((at, -steps))[:, :k]
    taken = np.take_along_axis(steps, order, axis=1)
    found = np.where(taken > -np.inf, np.take_along_axis(at, order, axis=1), -1)
    return found.astype(np.int64), (taken * TOLERANCE).astype(np.float32), (last * TOLERANCE).astype(np.float32)


def _products(queries: Singles, base: Singles, at: Ints) -> Singles:
    """The inner product of each query with its positions, (m, w): one pair at a time, so that none hangs on the others."""
    faiss = library()
    queries, base, at = np.ascontiguousarray(queries), np.ascontiguousarray(base), np.maximum(at, 0)
    out, (m, w) = np.empty(at.shape, dtype=np.float32), at.shape
    faiss.fvec_inner_products_by_idx(*map(faiss.swig_ptr, (out, queries, base, at)), base.shape[1], m, w)
    return out


def _candidates(queries: Singles, base: Singles, edge: Singles, k: int, skip: Ints | None) -> Ints:
    """All that are surely among the best k, and the first k + 1 of those that single precision cannot tell from the last."""
    product = queries @ base.T
    if skip is not None:
        rows = np.flatnonzero(skip >= 0)
        product[rows, skip[rows]] = -np.inf
    out = np.full((len(queries), 2 * k + 1), -1, dtype=np.int64)
    for row, (line, bound) in enumerate(zip(product, edge, strict=True)):
        sure = np.flatnonzero(line > bound + NEAR)[:k]
        even = np.flatnonzero((line <= bound + NEAR) & (line >= bound - NEAR))[: k + 1]
        out[row, : len(sure)], out[row, k : k + len(even)] = sure, even
    return out
