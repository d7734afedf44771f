"""Kinds of record in a pool, and which of them a narrow and a wide arm are made of.

The pool is clustered once, by k-means on unit vectors (k-means++ start, Lloyd 1982; Arthur & Vassilvitskii 2007), or by
the values of a field. An arm of low diversity is a *compact block* of clusters: grown from one cluster by adding the one
whose centre is nearest to the block's. An arm of high diversity is all clusters, as evenly as their sizes allow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.rng import stream

CLUSTERS = 50
LOW_CLUSTERS = 8
CAPACITY = 1.6
"""One cluster gives a narrow arm at most this many times its even share."""

ROUNDS = 60


@dataclass(frozen=True)
class Kinds:
    """A partition of n records into k kinds.

    Attributes:
        of: the kind of each record, int64 (n,).
        centres: the mean vector of each kind, float64 (k, d).
        sizes: how many records of each kind an arm could take at most, int64 (k,).
        lumped: whether the last kind is a rest of many rare values, which no narrow arm is made of.
    """

    of: NDArray[np.int64]
    centres: NDArray[np.float64]
    sizes: NDArray[np.int64]
    lumped: bool = False


@dataclass(frozen=True)
class Block:
    """One replicate: the kinds that its narrow and its middle arms are made of, int64 (..), and what a kind can give.

    Attributes:
        low, middle: kinds.
        narrow: most records that a narrow arm takes of each kind, (k,).
        wide: the same for the other arms, (k,).
    """

    low: NDArray[np.int64]
    middle: NDArray[np.int64]
    narrow: NDArray[np.int64]
    wide: NDArray[np.int64]

    def counts(self, code: int, size: int) -> NDArray[np.int64] | None:
        """Records of each kind in an arm of this size at this level (-1, 0 or 1), (k,); None where it is too large."""
        if code > 0:
            return even(self.wide, size)
        kinds, caps = (self.low, self.narrow) if code < 0 else (self.middle, self.wide)
        inside = np.zeros_like(caps)
        inside[kinds] = caps[kinds]
        return even(inside, size)


def k_means(vectors: NDArray[np.float64], k: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels (n,) and centres (k, d) of a k-means clustering; the same for the same seed.

    Args:
        vectors: unit rows, float64 (n, d), n >= k.
        k: number of clusters.
        seed: of the start.

    Cost: O(n k d) a round, at most 60 rounds.
    """
    centres = _spread(vectors, k, stream("design", "clusters", seed))
    labels = np.full(len(vectors), -1, dtype=np.int64)
    for _ in range(ROUNDS):
        scores = vectors @ centres.T - 0.5 * np.einsum("ij,ij->i", centres, centres)
        found = scores.argmax(axis=1)
        if np.array_equal(found, labels):
            break
        labels = found
        counts = np.bincount(labels, minlength=k)
        centres = _means(vectors, labels, k)
        best = scores[np.arange(len(labels)), labels]
        for empty in np.flatnonzero(counts == 0):  # it begins anew at the record that fits its own cluster worst
            worst = int(best.argmin())
            centres[empty], best[worst] = vectors[worst], np.inf
    return labels, _means(vectors, labels, k)


def _spread(vectors: NDArray[np.float64], k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """k-means++: each next centre is drawn in proportion to its squared distance from those before."""
    chosen = [int(rng.integers(len(vectors)))]
    far = np.full(len(vectors), np.inf)
    for _ in range(k - 1):
        far = np.minimum(far, np.maximum(((vectors - vectors[chosen[-1]]) ** 2).sum(axis=1), 0))
        total = far.cumsum()
        if total[-1] <= 0:
            break
        chosen.append(int(np.searchsorted(total, rng.random() * total[-1], side="right").clip(max=len(far) - 1)))
    out = vectors[chosen]
    return out if len(out) == k else np.vstack([out, np.repeat(out[:1], k - len(out), axis=0)])


def _means(vectors: NDArray[np.float64], labels: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels, minlength=k)
    starts = np.concatenate([[0], counts.cumsum()[:-1]])
    held = counts > 0
    out = np.zeros((k, vectors.shape[1]))
    out[held] = np.add.reduceat(vectors[order], starts[held], axis=0) / counts[held, None]
    return out


def sizes_of(of: NDArray[np.int64], prompts: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Different prompts in each kind (k,): an arm takes each at most once. A prompt of -1 counts as one of its own."""
    alone = prompts < 0
    pairs = np.unique(np.stack([of[~alone], prompts[~alone]]), axis=1)
    return np.bincount(pairs[0], minlength=k) + np.bincount(of[alone], minlength=k)


def even(caps: NDArray[np.int64], total: int) -> NDArray[np.int64] | None:
    """Whole numbers with this sum, as equal as the caps allow (k,); None where the caps are too small.

    >>> even(np.array([2, 9, 9]), 12)
    array([2, 5, 5])
    """
    if caps.sum() < total:
        return None
    low, high = 0, int(caps.max(initial=0))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(caps, middle).sum() <= total else (low, middle - 1)
    counts = np.minimum(caps, low)
    rest = np.flatnonzero(caps > low)[: total - int(counts.sum())]
    counts[rest] += 1
    return counts


def in_proportion(sizes: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Whole numbers with this sum in proportion to the sizes (k,), by largest remainders."""
    exact: NDArray[np.float64] = sizes * (total / sizes.sum())
    counts: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: total - int(counts.sum())]] += 1
    return counts


def blocks_of(kinds: Kinds, n: int, low: int, room: float, wanted: int, seed: int) -> list[Block] | None:
    """`wanted` blocks for arms of n records; None where n records are too many for the kinds.

    Narrow parts of different blocks share no kind while there are enough of them.

    Args:
        kinds: of the pool.
        n: records in the largest arm.
        low: kinds that a narrow arm has at least.
        room: how many records a kind must hold for each one that an arm takes from it.
        wanted: number of blocks.
        seed: of the first beginning.
    """
    wide = np.floor(kinds.sizes / room).astype(np.int64)
    narrow = np.minimum(wide, math.ceil(CAPACITY * n / low))
    if kinds.lumped:
        narrow[-1] = 0
    usable = np.flatnonzero(narrow > 0)
    if wide.sum() < n or narrow.sum() < n:
        return None
    free = np.zeros(len(wide), dtype=np.bool_)
    free[usable] = True
    starts: list[int] = []
    out = []
    for _ in range(wanted):
        start = _start(kinds, free if free.any() else narrow > 0, starts, low, seed)
        order = _grown(kinds.centres, usable, free, start, narrow)
        count = max(int(np.searchsorted(narrow[order].cumsum(), n) + 1), min(low, len(order)))
        starts.append(start)
        free[order[:count]] = False
        middle = max(count, min(len(order), round(math.sqrt(count * np.count_nonzero(wide)))))
        out.append(Block(order[:count], order[:middle], narrow, wide))
    return out


def _start(kinds: Kinds, free: NDArray[np.bool_], before: list[int], low: int, seed: int) -> int:
    """Where a block begins: in the compact half of what is free, at random or far from the beginnings before.

    A kind is in the compact half when it and its nearest `low` - 1 neighbours have a high mean cosine: some kinds (short
    answers of all sorts) are scattered, and a narrow arm made of them is not narrow.
    """
    pool = np.flatnonzero(free)
    centres, sizes = kinds.centres[pool], kinds.sizes[pool]
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    near = np.argsort(apart, axis=1, kind="stable")[:, :low]
    means = (centres[near] * sizes[near][..., None]).sum(axis=1) / sizes[near].sum(axis=1, keepdims=True)
    compact = (means**2).sum(axis=1)
    half = pool[np.sort(np.argsort(-compact, kind="stable")[: (len(pool) + 1) // 2])]
    if not before:
        return int(stream("design", "blocks", seed).choice(half))
    far = np.linalg.norm(kinds.centres[half][:, None] - kinds.centres[before][None], axis=2).min(axis=1)
    return int(half[far.argmax()])


def _grown(
    centres: NDArray[np.float64],
    usable: NDArray[np.int64],
    free: NDArray[np.bool_],
    start: int,
    weights: NDArray[np.int64],
) -> NDArray[np.int64]:
    """All usable kinds in the order in which a block takes them in: free ones first, each time the nearest."""
    order = [start]
    left = [int(kind) for kind in usable if kind != start]
    while left:
        pool = [kind for kind in left if free[kind]] or left
        weight = weights[order].astype(np.float64)
        middle = weight @ centres[order] / weight.sum()
        nearest = pool[int(np.linalg.norm(centres[pool] - middle, axis=1).argmin())]
        order.append(nearest)
        left.remove(nearest)
    return np.array(order)
