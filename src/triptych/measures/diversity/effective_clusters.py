"""Effective clusters: the number of equally large, well separated clusters that would look as varied.

    exp(-mean_i log p_i),   p_i the share of records whose cosine with record i is at least `cosine`

The similarity-sensitive diversity of order 1 of Leinster & Cobbold 2012 (Ecology 93, 477), records within `cosine` of each
other counting as the same. Where clusters are tighter than `cosine` and farther apart it is exp of the entropy of their
sizes, exactly: partition entropy without a partition. A partition that is fitted to each set is no measure: k-means in
each half of a set said that equal halves differ in 16 to 21 % of trials, where 5 % are allowed.

Unit: effective clusters, range 1..n, higher is more diverse. Exact up to some 7,000 records (n² d multiplications); above,
the value of a random sample of 8,192. A record that is near no other counts as a cluster of its own: where most are, the
value is near n and says little; a lower `cosine` sees coarser clusters. Grows with the number of records: read it at a
common n. Confounded by the encoder, whose cosines have their own scale: compare under one encoder and one `cosine` only.

Worked example: vectors (1, 0), (1, 0), (0, 1): shares 2/3, 2/3, 1/3: 3 · 4^(-1/3) = 1.889882.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from triptych.core.batch import On
from triptych.core.candidates import TOLERANCE
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, mean, unit_vectors
from triptych.statistics.sample import VectorSample


@measure(
    axis="diversity",
    unit="effective clusters",
    bounds=(1.0, float("inf")),
    better="higher",
    interval="growing",
    source="Leinster & Cobbold 2012, Ecology 93, 477",
    confounders=("number of records", "encoder: its scale of cosines", "length"),
    panel=(),
)
class EffectiveClusters(Measure):
    """Clusters of records within a cosine of each other, counted by the exponential of their entropy."""

    cosine: float = 0.5
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.cosine <= 1:
            raise ValueError(f"cosine must lie in 0..1, above 0; got {self.cosine:g}")

    def statistic(self) -> VectorSample:
        """Vectors; `chamfer_distance` and `knn_distance` read the same."""
        return VectorSample(on=self.on, where="valid" if self.valid_only else "all")

    def value(self, sample: VectorSample, keep: Mask) -> float | Undefined:
        """From the number of close records of each."""
        n = sample.records(keep)
        if not n:
            return Undefined("no record has a vector")
        return max(float(np.exp(-np.mean(np.log(sample.close(keep, self.cosine) / n)))), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Pair by pair."""
        vectors = unit_vectors(kept(rows, self.valid_only), f"embedding@{self.on}")
        close = [sum(dot(a, b) >= self.cosine - TOLERANCE for b in vectors) for a in vectors]
        logs = mean([math.log(number / len(vectors)) for number in close])
        return None if logs is None else math.exp(-logs)


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    value=3 * 4 ** (-1 / 3),
)
