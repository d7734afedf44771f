"""NovelSum: the distances of each record to all others, near ones weighing most, stretched where records are dense.

    mean_i σ_i Σ_r r^-α d_i(r) / Σ_r r^-α,   σ_i = (mean of the k least)^-β

d_i are the cosine distances of record i to the others, ascending. Yang et al. 2025 (arXiv 2502.17184): of eleven measures
the one that went best (.97) with scores after fine-tuning; α = 1, β = .5, k = 10. Unit: stretched cosine distance, range
0 up to 20, higher is more diverse.

density=reference is the paper's form: the k least distances of σ are those to the records of a corpus, `--reference FILE`
(at most 10,000 of them, k = 10), and a set is marked down for lying where the corpus is sparse. density=own, the default and
ours, takes them among the set's own different vectors, so that copies do not make a place dense. In both the mean distance is
at least .01, so that near-copies are not infinitely dense. The paper's text stretches by the density of the other record, its
released code by that of the record itself: this is the code's. That code also counts each record as its own nearest, at
distance 0, and squares the distances of the density (a factor of 2^-β).

Exact up to some 1,400 records (n² (d + log n)); above, the value of a random sample of 2,048. It moves slowly with the number
of records: read it at a common n. Confounded by the encoder, by the corpus where there is one, and by validity: garbage is far from everything.

Worked example: vectors (1, 0), (1, 0), (0, 1), k = 1: rows (0, 1), (0, 1), (1, 1) with weights 2/3, 1/3: 1/3, 1/3, 1, and
σ = 1: a copy is no neighbour of its own; mean 5/9 = 0.555556. With density=reference and mean distances .25, .25 and .0625
to the corpus: σ = 2, 2, 4; mean of 2/3, 2/3, 4: 16/9 = 1.777778.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, mean, unit_vectors
from triptych.statistics.sample import VectorSample

_CLOSEST = 0.01
"""Least mean distance to the nearest: what copies have."""

_COLUMN, _NEAR = "reference_near", 10
"""Mean distance to the nearest records of the reference, and how many those are."""


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
    density: Literal["own", "reference"] = "own"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 <= self.alpha < float("inf") and 0 <= self.beta < float("inf")):
            raise ValueError(f"alpha and beta must be 0 or more; got {self.alpha:g} and {self.beta:g}")
        if self.k < 1:
            raise ValueError(f"k must be at least 1, got {self.k}")

    def statistic(self) -> VectorSample:
        """Vectors: fewer than other measures read, since all pairs are sorted."""
        beside = _COLUMN if self.density == "reference" else ""
        return VectorSample(on=self.on, where="valid" if self.valid_only else "all", size=2048, beside=beside)

    def value(self, sample: VectorSample, keep: Mask) -> float | Undefined:
        """The mean over records."""
        distance, different = sample.ascending(keep)
        n, kinds = len(distance), int(different[:1].sum()) + 1
        if self.density == "reference":
            if self.k != _NEAR:
                return Undefined(f"density=reference reads the {_NEAR} nearest of the reference, not k={self.k}")
            if n < 2:
                return Undefined(f"there must be two records with a vector, there are {n}")
            near = sample.numbers(keep)
        elif not n or kinds <= self.k:
            return Undefined(f"density needs {self.k + 1} different vectors, there are {kinds if n else 0}")
        else:
            near = distance[different].reshape(n, -1)[:, : self.k].mean(axis=1)
        weight = np.arange(1, n, dtype=np.float64) ** -self.alpha
        return float(np.mean(np.maximum(near, _CLOSEST) ** -self.beta * (distance @ weight))) / float(weight.sum())

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Record by record."""
        held, far = kept(rows, self.valid_only), self.density == "reference"
        held = [row for row in held if not far or row[f"{_COLUMN}@{self.on}"] is not None]
        vectors = unit_vectors(held, f"embedding@{self.on}")
        kinds = {tuple(round(x, 5) + 0.0 for x in vector): vector for vector in vectors}
        if (len(vectors) < 2 or self.k != _NEAR) if far else (len(kinds) <= self.k):
            return None
        weights = [rank**-self.alpha for rank in range(1, len(vectors))]
        values = []
        for i, own in enumerate(vectors):
            distances = sorted(max(1 - dot(own, other), 0.0) for j, other in enumerate(vectors) if j != i)
            close = held[i][f"{_COLUMN}@{self.on}"] if far else self._among(own, kinds)
            values.append(max(close, _CLOSEST) ** -self.beta * dot(distances, weights) / sum(weights))
        return mean(values)

    def _among(self, own: Sequence[float], kinds: Mapping[tuple[float, ...], Sequence[float]]) -> float:
        """Mean distance to the nearest different vectors."""
        mine = tuple(round(x, 5) + 0.0 for x in own)
        return sum(sorted(1 - dot(own, other) for kind, other in kinds.items() if kind != mine)[: self.k]) / self.k


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    params={"k": 1},
    value=5 / 9,
)
