"""Clusters of the candidates' vectors, shared by the policies that need them.

Spherical k-means by faiss, begun by k-means++. It is fitted to the *different* vectors in an order that follows from what they hold, on one
thread: copies never pull a centroid, equal texts never part, and the result depends neither on the order of the
candidates nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import Candidates
from triptych.core.rng import stream
from triptych.neighbours.threads import library
from triptych.selectors._columns import finite_vectors

Ints = NDArray[np.int64]
Vectors = NDArray[np.float32]

NO_CLUSTER = -1
"""The code of a zero vector: a text without tokens."""

_ROUNDS = 10
_SHARE = 128  # vectors for each centroid that the fit looks at
_ROWS = 65_536  # hashed at once


def clusters_of(pool: Candidates, number: int, seed: int) -> tuple[Ints, Vectors]:
    """Cluster of each candidate, and the centroids. Computed once for a pool, number and seed.

    Fits 128 vectors for each centroid in 10 rounds, then assigns all: O((1280 k + n) k d) for k clusters.

    Args:
        pool: with vectors.
        number: of clusters wanted; fewer where there are fewer different vectors.
        seed: of the fit.

    Returns:
        Codes from 0, `NO_CLUSTER` (-1) for a zero vector, int64 (n,); unit centroids, float32 (k, d).

    Raises:
        SelectionError: a vector is not finite.
    """
    name = f"clusters:{number}:{seed}"
    if name not in pool.memo:
        pool.memo[name] = _cluster(finite_vectors(pool), number, seed)
    codes, centroids = pool.memo[name]
    return codes, centroids


def _cluster(vectors: Vectors, number: int, seed: int) -> tuple[Ints, Vectors]:
    library()  # threads are limited only once it is loaded
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    first, place = different(vectors)
    full = first[np.concatenate([block.any(axis=1) for block in _blocks(vectors)])[first]]
    number = min(number, len(full))
    if not number:
        return np.full(len(vectors), NO_CLUSTER, dtype=np.int64), np.zeros((0, vectors.shape[1]), dtype=np.float32)
    with threadpool_limits(1):
        centroids = _fit(vectors, full, number, seed)
        codes = np.full(len(vectors), NO_CLUSTER, dtype=np.int64)
        for start in range(0, len(full), _ROWS):
            rows = full[start : start + _ROWS]
            codes[rows] = (vectors[rows] @ centroids.T).argmax(axis=1)
    return codes[first][place], centroids


def _fit(vectors: Vectors, full: Ints, number: int, seed: int) -> Vectors:
    """Unit centroids, float32 (number, d), of a sample of the vectors at the positions `full`."""
    rng = stream("clusters", number, seed)
    some = np.sort(rng.permutation(len(full))[: _SHARE * number])
    seen = np.ascontiguousarray(vectors[full[some]], dtype=np.float32)
    means = library().Kmeans(
        vectors.shape[1],
        number,
        niter=_ROUNDS,
        spherical=True,
        seed=int(rng.integers(2**31 - 1)),
        min_points_per_centroid=1,
        max_points_per_centroid=_SHARE + 1,
    )
    means.train(seen, init_centroids=_spread(seen, number, rng))
    return np.asarray(means.centroids, dtype=np.float32)


def _spread(vectors: Vectors, number: int, rng: np.random.Generator) -> Vectors:
    """Vectors to begin with, each drawn with probability proportional to its squared distance to those drawn before.

    k-means++ (Arthur and Vassilvitskii 2007). Beginning with vectors drawn evenly left clusters of 2 and 3 of 390 within
    larger ones, though there were twice as many centroids as clusters. O(m number d).
    """
    first = int(rng.integers(len(vectors)))
    drawn, away = [first], 2 - 2 * (vectors @ vectors[first]).astype(np.float64)
    while len(drawn) < number:
        away = np.maximum(away, 0)
        away[drawn] = 0
        total = np.cumsum(away)
        if total[-1] <= 0:
            drawn += [int(one) for one in np.setdiff1d(np.arange(len(vectors)), drawn)[: number - len(drawn)]]
            break
        drawn.append(int(np.searchsorted(total, rng.uniform() * total[-1], side="right")))
        away = np.minimum(away, 2 - 2 * (vectors @ vectors[drawn[-1]]).astype(np.float64))
    return np.ascontiguousarray(vectors[drawn])


def different(vectors: Vectors) -> tuple[Ints, Ints]:
    """The different vectors, in an order that follows from their bits alone.

    Args:
        vectors: (n, d).

    Returns:
        Position of the first candidate with each of m different vectors, (m,), and for each candidate its place among
        them, (n,).
    """
    factors = stream("different vectors", vectors.shape[1]).integers(2**63, size=vectors.shape[1], dtype=np.uint64) | 1
    keys = np.concatenate(
        [
            np.einsum("ij,j->i", (block + np.float32(0)).view(np.uint32), factors, dtype=np.uint64)  # -0 becomes 0
            for block in _blocks(vectors)
        ]
    )
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return first.astype(np.int64), place.reshape(-1).astype(np.int64)


def _blocks(vectors: Vectors) -> Iterator[Vectors]:
    """The rows, so many at once that what is derived from them is small; at least one block."""
    for start in range(0, max(len(vectors), 1), _ROWS):
        yield vectors[start : start + _ROWS]
