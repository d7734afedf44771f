"""The k nearest of some vectors for others, approximately: each query is compared with the nearest clusters only.

The clusters of a query are its own, as in an inverted file (Jegou et al. 2011), but all queries of a batch that see a
cluster are multiplied with it at once: ten times the speed of going through the lists query by query. How many clusters
are enough hangs on the data: it is the smallest number that would have held `ENOUGH` of the true neighbours of a sample,
within what is affordable.
What is found in the end is then held against the true neighbours of another sample: that is the recall that is stated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import TOLERANCE, Ints
from triptych.core.rng import stream
from triptych.neighbours.search import BLOCK, NEAR, PAD, Found, Rows, Singles, nothing, ranked, unheard
from triptych.neighbours.threads import library, spread

SHARE = 16  # there are sqrt(SHARE * b) clusters of b vectors: finding the clusters costs what seeing 16 of them costs
SAMPLE = 24  # vectors that k-means sees for each cluster
ROUNDS = 6
PROBES = (8, 12, 16, 24, 32, 48, 64, 96, 128)  # clusters that a query may be compared with
ENOUGH = 0.96  # of the true neighbours
MOST = 12_000  # vectors in them, on average: where this is not enough, the recall says so
ASKED = 512  # queries in a sample
LARGEST = 16_384  # of a larger cluster a query sees a part
SEEN = 4  # as many times the average of its clusters a query sees at most
BATCH = 32_768  # queries that see a cluster together: 15 bits
AT_ONCE = 1 << 19  # products in one piece: 2 MB, which stay near the processor
STEPS, PLACES = 20, 28  # bits of a distance in steps of NEAR, and of a position
TOP = 1.001  # no cosine is higher, with the error of single precision


@dataclass(frozen=True, eq=False)
class Cells:
    """A base in clusters.

    Attributes:
        members: positions in the base, ascending, of each cluster.
        ranks: of each query the clusters with the nearest centroids, nearest first, (m, p); -1 for a query of zeros.
    """

    members: tuple[Ints, ...]
    ranks: NDArray[np.signedinteger]

    @classmethod
    def of(cls, queries: Rows, base: Rows, centroid: Singles, count: int, threads: int) -> Cells:
        """The base by nearest centroid, and for each query the first `count` of them."""
        ranks = _ranks(queries, centroid, count, threads)
        own = ranks if queries is base else _ranks(base, centroid, 1, threads)
        order = base.at[np.argsort(own[base.at, 0], kind="stable")]
        bounds = np.searchsorted(own[order, 0], np.arange(len(centroid) + 1))
        return cls(tuple(order[start:end] for start, end in pairwise(bounds)), ranks)

    @property
    def sizes(self) -> Ints:
        """Members of each cluster."""
        return np.array([len(members) for members in self.members], dtype=np.int64)

    def probes(self, rows: Ints) -> NDArray[np.signedinteger]:
        """The clusters of these queries, nearest first, -1 where those before hold enough, (r, p)."""
        cells, sizes = self.ranks[rows], self.sizes
        before = np.cumsum(sizes[cells], axis=1) - sizes[cells]
        return np.where(before < SEEN * cells.shape[1] * sizes.mean(), cells, -1)


def _centroids(base: Rows) -> Singles:
    """Centroids by k-means on a sample, unit rows (c, d); always the same for the same base."""
    faiss, count = library(), max(1, round(math.sqrt(SHARE * len(base))))
    draw = stream("neighbours", "k-means")
    seen = base.at[np.sort(draw.choice(len(base), min(len(base), count * SAMPLE), replace=False))]
    means = faiss.Kmeans(
        base.vectors.shape[1], count, niter=ROUNDS, seed=int(draw.integers(2**31)), spherical=True,
        max_points_per_centroid=SAMPLE + 1, min_points_per_centroid=1,
    )  # fmt: skip
    spread(means.train, [base.vectors[seen]], 1)
    return np.asarray(means.centroids, dtype=np.float32)


def enough(asking: Singles, true: Ints, base: Rows, centroid: Singles, threads: int) -> int:
    """In how many of the nearest clusters of these queries lie `ENOUGH` of their true neighbours (r, k), -1: none.

    Where no affordable number holds as many, it is the largest of those.
    """
    there = true >= 0
    own = _ranks(_all(base.vectors[true[there]]), centroid, 1, threads)[:, 0]
    affordable = [count for count in PROBES if count * len(base) <= MOST * len(centroid)] or [PROBES[0]]
    ranks = _ranks(_all(asking), centroid, min(affordable[-1], len(centroid)), threads)
    held = ranks[np.nonzero(there)[0]] == own[:, None]
    fits = (count for count in affordable if not len(own) or held[:, :count].any(axis=1).mean() >= ENOUGH)
    return min(next(fits, affordable[-1]), len(centroid))


def _all(vectors: Singles) -> Rows:
    return Rows(vectors, np.arange(len(vectors)))


def _ranks(queries: Rows, centroid: Singles, wide: int, threads: int) -> NDArray[np.signedinteger]:
    """The clusters with the nearest centroids, (m, wide)."""
    faiss = library()
    out = np.full((len(queries.vectors), wide), -1, dtype=np.int16 if len(centroid) < 1 << 15 else np.int32)

    def block(start: int) -> None:
        rows = queries.at[start : start + BLOCK]
        out[rows] = faiss.knn(queries.vectors[rows], centroid, wide, metric=faiss.METRIC_INNER_PRODUCT)[1]

    spread(block, range(0, len(queries), BLOCK), threads)
    return out


def clustered(
    queries: Rows, base: Rows, k: int, threads: int, skip: Ints | None = None, told: Callable[[int], None] = unheard
) -> tuple[Found, float]:
    """Like `exact`, but approximate; and the share of the true neighbours that were found, estimated.

    About m (16 + p) sqrt(b / 16) d multiplications for p of `PROBES`.

    Args:
        queries: m vectors.
        base: b vectors.
        k: neighbours of each.
        threads: that may be used.
        skip: position in the base that each query must not find, (m,): itself; -1: none.
        told: called with the number of queries that are done, from one thread at a time.
    """
    centroid = _centroids(base)
    asked, held = _samples(queries)
    true, _ = _truth(queries, base, asked, k, threads, skip)
    count = enough(queries.vectors[asked], true, base, centroid, threads)
    cells = Cells.of(queries, base, centroid, count, threads)
    found = nothing(len(queries.vectors), k)
    order = queries.at[np.argsort(cells.ranks[queries.at, 0], kind="stable")]  # one cell sees much the same cells
    lock = Lock()

    def search(start: int) -> None:
        rows = order[start : start + BATCH]
        asking = queries.vectors[rows]
        places = _seen(asking, cells.probes(rows), cells, base.vectors, k)
        for low in range(0, len(rows), BLOCK):
            part = slice(low, low + BLOCK)
            left = None if skip is None else skip[rows[part]]
            found[0][rows[part]], found[1][rows[part]], _ = ranked(asking[part], base.vectors, places[part], k, left)
        with lock:
            told(len(rows))

    spread(search, range(0, len(queries), BATCH), threads)
    _, close = _truth(queries, base, held, k, threads, skip)
    there = close > -np.inf
    last = np.where(there, close, np.inf).min(axis=1)
    return found, float((found[1][held] >= last[:, None] - 2 * TOLERANCE)[there].mean()) if there.any() else 1.0


def _samples(queries: Rows) -> tuple[Ints, Ints]:
    """Two samples of the queries: for one it is looked how many clusters are enough, the other judges what was found."""
    drawn = stream("neighbours", "recall").choice(len(queries), min(2 * ASKED, len(queries)), replace=False)
    half = (len(drawn) + 1) // 2
    return np.sort(queries.at[drawn[:half]]), np.sort(queries.at[drawn[-half:]])


def _truth(queries: Rows, base: Rows, asked: Ints, k: int, threads: int, skip: Ints | None) -> tuple[Ints, Singles]:
    """The true k nearest of some queries in any order of equals: positions (r, k) and similarities, descending."""
    faiss = library()
    every = len(base) == len(base.vectors)
    step = BLOCK * BLOCK // 4

    def piece(start: int) -> tuple[Ints, Singles]:
        rows = base.at[start : start + step]
        part = base.vectors[start : start + step] if every else base.vectors[rows]
        close, at = faiss.knn(queries.vectors[asked], part, min(k + 1, len(part)), metric=faiss.METRIC_INNER_PRODUCT)
        return np.where(at >= 0, rows[at], -1), close

    parts = spread(piece, range(0, len(base), step), threads)
    at = np.concatenate([part[0] for part in parts], axis=1)
    close = np.concatenate([part[1] for part in parts], axis=1)
    if skip is not None:
        close[at == skip[asked][:, None]] = -np.inf
    order = np.argsort(-close, axis=1, kind="stable")[:, :k]
    close = np.take_along_axis(close, order, axis=1)
    return np.where(close > -np.inf, np.take_along_axis(at, order, axis=1), -1), close


def _seen(asking: Singles, probes: NDArray[np.signedinteger], cells: Cells, base: Singles, k: int) -> Ints:
    """The best that each of a batch of queries sees in its clusters: positions in the base, best first, (r, k + PAD + 1)."""
    best = _Best(len(asking), k + PAD + 1)
    room = np.empty(AT_ONCE, dtype=np.float32)
    for rank in (slice(0, 1), slice(1, None)):  # its own cluster first: that sets a bar which few others pass
        row, column = np.nonzero(probes[:, rank] >= 0)
        cell = probes[:, rank][row, column]
        sort = np.argsort(cell, kind="stable")
        for group in np.split(sort, np.flatnonzero(np.diff(cell[sort])) + 1):
            if not len(group) or not len(cells.members[cell[group[0]]]):
                continue
            parts = _parts(cells.members[cell[group[0]]])
            step = AT_ONCE // max(len(part) for part in parts)
            wide = [base[part] for part in parts[: math.ceil(len(group) / step)]]
            for number, low in enumerate(range(0, len(group), step)):
                rows, at = row[group[low : low + step]], number % len(parts)
                product = room[: len(rows) * len(parts[at])].reshape(len(rows), len(parts[at]))
                np.matmul(asking[rows], wide[at].T, out=product)
                best.see(rows, parts[at], product)
        best.settle()
    return best.at


def _parts(members: Ints) -> list[Ints]:
    """A cluster in parts of at most `LARGEST`."""
    return [members[start : start + LARGEST] for start in range(0, len(members), LARGEST)]


class _Best:
    """The `wide` best of each row among all that was seen, up to what single precision leaves open.

    A row, a distance in steps of `NEAR` and a position are one number of 63 bits: sorting those is sorting by all three.
    """

    def __init__(self, rows: int, wide: int) -> None:
        empty = (np.arange(rows, dtype=np.int64) << (STEPS + PLACES)) | ((1 << (STEPS + PLACES)) - 1)
        self._key = np.repeat(empty[:, None], wide, axis=1)
        self._bar = np.full(rows, -np.inf, dtype=np.float32)
        self._waiting: list[Ints] = []
        self._size = 0

    @property
    def at(self) -> Ints:
        """Positions in the base, best first, -1 where fewer were seen."""
        at = self._key & ((1 << PLACES) - 1)
        return np.where(at == (1 << PLACES) - 1, -1, at)

    def see(self, rows: Ints, columns: Ints, product: Singles) -> None:
        """Products (r, c) of these rows with these positions of the base."""
        wide, bar = self._key.shape[1], self._bar[rows]
        if len(columns) > wide and len(new := np.flatnonzero(np.isneginf(bar))):
            bar[new] = np.partition(product[new], len(columns) - wide, axis=1)[:, len(columns) - wide] - NEAR
        flat = np.flatnonzero(product >= bar[:, None])
        row, column = np.divmod(flat, len(columns))
        steps = np.round((TOP - product.ravel()[flat]) / NEAR).astype(np.int64)
        steps = np.clip(steps, 0, (1 << STEPS) - 2)
        self._waiting.append((((rows[row] << STEPS) | steps) << PLACES) | columns[column])
        self._size += len(flat)
        if self._size > self._key.size:
            self.settle()

    def settle(self) -> None:
        """Keep the best of what waits; of equals, the first by position."""
        if not self._waiting:
            return
        wide = self._key.shape[1]
        keys = np.concatenate(self._waiting)
        self._waiting, self._size = [], 0
        has = np.zeros(len(self._key), dtype=np.bool_)
        has[keys >> (STEPS + PLACES)] = True
        touched = np.flatnonzero(has)
        keys = np.concatenate([self._key[touched].ravel(), keys])
        keys.sort()
        first = np.searchsorted(keys, touched << (STEPS + PLACES))[:, None] + np.arange(wide)
        self._key[touched] = keys[first]
        last = (self._key[touched, -1] >> PLACES) & ((1 << STEPS) - 1)
        self._bar[touched] = np.where(last == (1 << STEPS) - 1, -np.inf, TOP - (last + 1) * NEAR)
