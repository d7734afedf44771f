"""Sparse clusters: what is rare so far is shown as examples, and what falls where much is already is dropped.

Prismatic synthesis (Jung et al. 2025, arXiv 2505.20161), in the space of text embeddings instead of gradients: before each
batch the pool (seeds and records handed on) is clustered by spherical k-means; the smallest clusters that hold `share` of the pool together
are sparse. The method draws from their members alone, and of what it makes only records nearest to a sparse cluster are handed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.generating.ask import Batch, Desk, Made, Method, Search, Vectors
from triptych.generating.methods._drafts import seed_of
from triptych.generating.searches._cells import centres_of, whole
from triptych.generating.searches._steered import Steered, dropped


@final
@dataclass(frozen=True)
class SparseClusters(Search):
    """Records in sparse clusters.

    Attributes:
        clusters: at most; a pool of n has no more than n / 4.
        share: of the pool that the sparse clusters hold together, at most; the smallest one is always sparse.
        start: records and seeds in the pool before it is clustered; until then all are handed on.
    """

    clusters: int = 32
    share: float = 0.35
    start: int = 16

    name: ClassVar[str] = "sparse_clusters"
    source: ClassVar[str] = "Jung et al. 2025 (arXiv 2505.20161)"

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.clusters < 2:
            raise ValueError(f"clusters must be at least 2; got {self.clusters}")
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1; got {self.share:g}")
        if self.start < 8:
            raise ValueError(f"start must be at least 8: two clusters of four; got {self.start}")

    def make(self, method: Method, desk: Desk) -> Iterator[Batch]:
        """The method's batches, without what falls in crowded clusters."""
        steered = Steered(desk)
        pool = [seed for seed in desk.seeds if seed.prompt or seed.response]
        vectors = desk.embed([whole(seed.prompt, seed.response) for seed in pool])
        batches = method.make(steered)
        while True:
            codes, centres, sparse = self._sparse(vectors, len(pool))
            inside = [seed for seed, code in zip(pool, codes, strict=True) if code in sparse]
            steered.seeds = inside or desk.seeds
            batch = next(batches, None)
            if batch is None:
                return
            made = [one for one in batch if isinstance(one, Made)]
            if not made:
                yield batch
                continue
            new = desk.embed([whole(one.prompt, one.response) for one in made])
            fell = (new @ centres.T).argmax(axis=1) if sparse else np.zeros(len(made), dtype=np.int64)
            good = [not sparse or int(code) in sparse for code in fell]
            kept = iter(good)
            yield [
                dropped(one, "falls in a crowded cluster") if isinstance(one, Made) and not next(kept) else one
                for one in batch
            ]
            pool += [seed_of(one) for one, keep in zip(made, good, strict=True) if keep]
            vectors = (
                np.concatenate([vectors, new[np.array(good, dtype=np.bool_)]]) if len(vectors) else new[np.array(good)]
            )

    def _sparse(self, vectors: Vectors, n: int) -> tuple[NDArray[np.int64], Vectors, frozenset[int]]:
        """Cluster of each of the pool, unit centroids, and the codes of the sparse clusters: none while the pool is small."""
        if n < self.start:
            return np.full(n, -1, dtype=np.int64), vectors[:0], frozenset()
        codes, centres = centres_of(vectors, min(self.clusters, n // 4))
        sizes = np.bincount(codes[codes >= 0], minlength=len(centres))
        order = np.argsort(sizes, kind="stable")
        room = np.cumsum(sizes[order]) <= self.share * n
        room[:1] = True
        return codes, centres, frozenset(order[room].tolist())
