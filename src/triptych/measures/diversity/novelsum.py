"""NovelSum: the distances of each record to all others, near ones weighing most, stretched where records are dense.

    mean_i σ_i Σ_r r^-α d_i(r) / Σ_r r^-α,   σ_i = (mean of the k least)^-β

d_i are the cosine distances of record i to the others, ascending. Yang et al. 2025 (arXiv 2502.17184): of eleven measures
the one that went best (.97) with scores after fine-tuning; α = 1, β = .5, k = 10. Unit: stretched cosine distance, range
0 up to 20, higher is more diverse.

σ is taken among different vectors, so that copies do not make a place dense. What is ours: density comes from the set
itself, not from a corpus beside it (other numbers than the paper's, and a set is not marked down for lying where a corpus
is dense), and its mean distance is at least .01, so that near-copies are not infinitely dense. The paper's text stretches
by the density of the other record, its released code by that of the record itself: this is the code's. That code also
counts each record as its own nearest, at distance 0, and squares the distances of the density (a factor of 2^-β).

Exact up to some 1,400 records (n² (d + log n)); above, the value of a random sample of 2,048. It moves slowly with the number
of records: read it at a common n. Confounded by the encoder and by validity: garbage is far from everything.

Worked example: vectors (1, 0), (1, 0), (0, 1), k = 1: rows (0, 1), (0, 1), (1, 1) with weights 2/3, 1/3: 1/3, 1/3, 1, and
σ = 1: a copy is no neighbour of its own; mean 5/9 = 0.555556.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, mean, unit_vectors
from triptych.statistics.sample import VectorSample

_CLOSEST = 0.01
"""Least mean distance to the nearest: what copies have."""


@measure(
    axis="diversity",
    title="NovelSum",
    unit="stretched distance",
    bounds=(0.0, float("inf")),
    better="higher",
    interval="growing",
    source="Yang et al. 2025 (arXiv 2502.17184)",
    confounders=("number of records", "encoder", "length", "validity: garbage is far from everything"),
    panel=(),
)
class Novelsum(Measure):
    """Mean over records of their distances to the others, weighted by rank and density."""

    alpha: float = 1.0
    beta: float = 0.5
    k: int = 10
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 <= self.alpha < float("inf") and 0 <= self.beta < float("inf")):
            raise ValueError(f"alpha and beta must be 0 or more; got {self.alpha:g} and {self.beta:g}")
        if self.k < 1:
            raise ValueError(f"k must be at least 1, got {self.k}")

    def statistic(self) -> VectorSample:
        """Vectors: fewer than other measures read, since all pairs are sorted."""
        return VectorSample(on=self.on, where="valid" if self.valid_only else "all", size=2048)

    def value(self, sample: VectorSample, keep: Mask) -> float | Undefined:
        """The mean over records."""
        distance, different = sample.ascending(keep)
        n, kinds = len(distance), int(different[:1].sum()) + 1
        if not n or kinds <= self.k:
            return Undefined(f"density needs {self.k + 1} different vectors, there are {kinds if n else 0}")
        weight = np.arange(1, n, dtype=np.float64) ** -self.alpha
        near = distance[different].reshape(n, -1)[:, : self.k].mean(axis=1)
        return float(np.mean(np.maximum(near, _CLOSEST) ** -self.beta * (distance @ weight))) / float(weight.sum())

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Record by record."""
        vectors = unit_vectors(kept(rows, self.valid_only), f"embedding@{self.on}")
        kinds = {tuple(round(x, 5) + 0.0 for x in vector): vector for vector in vectors}
        if len(kinds) <= self.k:
            return None
        weights = [rank**-self.alpha for rank in range(1, len(vectors))]
        values = []
        for i, own in enumerate(vectors):
            distances = sorted(max(1 - dot(own, other), 0.0) for j, other in enumerate(vectors) if j != i)
            mine = tuple(round(x, 5) + 0.0 for x in own)
            near = sorted(1 - dot(own, other) for kind, other in kinds.items() if kind != mine)[: self.k]
            values.append(max(sum(near) / self.k, _CLOSEST) ** -self.beta * dot(distances, weights) / sum(weights))
        return mean(values)


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    params={"k": 1},
    value=5 / 9,
)
