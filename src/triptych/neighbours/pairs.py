"""Who is probably near whom, when vectors are compared with themselves: each product is made once and read both ways.

A sample of the vectors says how near a neighbour of each must be to count: so near that a few times as many as are wanted
are expected. Rows for which that went wrong, and those of many equal vectors, are looked up alone. What is found is exact but
for the rounding of a product in single precision.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import Ints
from triptych.neighbours.threads import library, spread

Singles = NDArray[np.float32]
Pairs = tuple[NDArray[np.int32], NDArray[np.int32], Singles]

WORTH = 4096  # vectors below which a plain search is as quick
TILE = 1024  # rows and columns of a product that is made at once: 4 MB
SAMPLE = 1024, 12  # vectors in the sample: so many at least, and one in so many
SPARE = 2.3  # standard deviations of the count in the sample that are allowed for: a row in a hundred has too few
CROWD = 6  # times as many as wanted: what a row may find


def likely(vectors: Singles, wide: int, threads: int) -> Ints:
    """Positions (n, wide) of the nearest of each vector among all, itself included, in no order.

    About n² d / 2 multiplications, and memory of some 60 n · `wide` bytes.

    Args:
        vectors: float32 (n, d), unit rows.
        wide: how many of each.
        threads: that may be used.
    """
    edge, starts = _edges(vectors, wide, threads), range(0, len(vectors), TILE)
    found = spread(lambda start: _strip(vectors, edge, start), starts, threads)
    rows, columns, close = (np.concatenate([part[side] for part in found]) for side in range(3))
    del found
    out, faiss = _top(rows, columns, close, (len(vectors), wide)), library()
    left = np.flatnonzero(out[:, 0] < 0)

    def look(at: Ints) -> None:
        out[at] = faiss.knn(vectors[at], vectors, wide, metric=faiss.METRIC_INNER_PRODUCT)[1]

    spread(look, [left[start : start + TILE] for start in range(0, len(left), TILE)], threads)
    return out


def _edges(vectors: Singles, wide: int, threads: int) -> Singles:
    """The similarity from which on a neighbour counts, (n,); infinity in a crowd of equals."""
    n = len(vectors)
    sample = np.ascontiguousarray(vectors[:: min(-(-n // SAMPLE[0]), SAMPLE[1])])
    meant = wide * len(sample) / n
    rank = min(len(sample), math.ceil(meant + SPARE * math.sqrt(meant) + 1))

    def block(start: int) -> Singles:
        product = vectors[start : start + TILE] @ sample.T
        product.partition(len(sample) - rank, axis=1)
        edge = product[:, len(sample) - rank].copy()
        edge[(product >= edge[:, None]).sum(axis=1) > 2 * rank] = np.inf
        return edge

    return np.concatenate(spread(block, range(0, n, TILE), threads))


def _strip(vectors: Singles, edge: Singles, start: int) -> Pairs:
    """Pairs that count of these rows with all from them on, and the other way round."""
    own, found = slice(start, start + TILE), []
    for at in range(start, len(vectors), TILE):
        other = slice(at, at + TILE)
        product = vectors[own] @ vectors[other].T
        row, column, close = _hits(product, product >= edge[own, None])
        found.append((row + np.int32(start), column + np.int32(at), close))
        if at > start:
            row, column, close = _hits(product, product >= edge[other])
            found.append((column + np.int32(at), row + np.int32(start), close))
    rows, columns, close = (np.concatenate([part[side] for part in found]) for side in range(3))
    return rows, columns, close


def _hits(product: Singles, counts: NDArray[np.bool_]) -> Pairs:
    """Row, column and value where it counts, which is in few places: whole words of eight are skipped at once."""
    flat = counts.ravel()
    if flat.size % 8:
        at = np.flatnonzero(flat)
    else:
        words = np.flatnonzero(flat.view(np.uint64) != 0)  # of bools it is much quicker than of numbers
        inside = np.flatnonzero(flat.reshape(-1, 8)[words])
        at = words[inside >> 3] * 8 + (inside & 7)
    row, column = np.divmod(at.astype(np.int32), np.int32(product.shape[1]))
    return row, column, product.ravel()[at]


def _top(rows: NDArray[np.int32], columns: NDArray[np.int32], close: Singles, shape: tuple[int, int]) -> Ints:
    """The nearest of each row where there are enough, and not too many to be worth it; else -1."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - slow to load

    n, wide = shape
    pairs = coo_array((close, (rows, columns)), shape=(n, n)).tocsr()
    out = np.full(shape, -1, dtype=np.int64)
    counts = np.diff(pairs.indptr)
    right = np.flatnonzero((counts >= wide) & (counts <= CROWD * wide))
    for at in (right[start : start + TILE] for start in range(0, len(right), TILE)):
        place = np.arange(counts[at].max())
        held = place < counts[at, None]
        index = np.where(held, pairs.indptr[at, None] + place, 0)
        value = np.where(held, pairs.data[index], -np.inf)
        best = np.argpartition(value, len(place) - wide, axis=1)[:, len(place) - wide :]
        out[at] = pairs.indices[np.take_along_axis(index, best, axis=1)]
    return out
