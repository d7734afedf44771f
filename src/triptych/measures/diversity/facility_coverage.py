"""Facility coverage: how well a small share of the records stands for all of them.

    max over S of mean_v max(0, max_{a in S} cosine(a, v)),   S a `share` of the records

The facility-location value of the best `share` (5 %, rounded up) of the records, found greedily: at least 1 - 1/e of the
best. It is what QDIT (Bukharin et al. 2024, arXiv 2311.14736) maximizes when it selects; here it says how much of a set is
redundant. Unit: cosine, range 0..1, lower is more diverse: where 5 % of the records stand for the rest with a mean cosine
of .9, the other 95 % bring little. 1: all records are copies of those 5 %.

Exact up to some 600 records (n² (d + n share)); above, the value of a random sample of 1,024. Of equal gains (to a millionth)
the record of the smallest address key is taken. Grows with the number of records: read it at a common n. Confounded by the
encoder, whose cosines have their own scale, and by validity: garbage cannot be stood for.

Worked example: vectors (1, 0), (1, 0), (0, 1), one of them is taken: (1, 0) covers 1, 1, 0; mean 0.667.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from triptych.core.batch import On
from triptych.core.candidates import first_best
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, mean, unit_vectors
from triptych.statistics.sample import VectorSample


@measure(
    axis="diversity",
    unit="cosine",
    bounds=(0.0, 1.0),
    better="lower",
    interval="growing",
    source="Bukharin et al. 2024 (arXiv 2311.14736)",
    confounders=("number of records", "encoder: its scale of cosines", "length", "validity: garbage is diverse"),
    panel=(),
)
class FacilityCoverage(Measure):
    """Mean cosine of the records to the nearest of the `share` of them that stands for all best."""

    share: float = 0.05
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.share <= 0.5:
            raise ValueError(f"share must lie in 0..0.5, above 0; got {self.share:g}")

    def statistic(self) -> VectorSample:
        """Vectors: fewer than other measures read, since records are taken anew for every subset."""
        return VectorSample(on=self.on, where="valid" if self.valid_only else "all", size=1024)

    def value(self, sample: VectorSample, keep: Mask) -> float | Undefined:
        """Greedily: always the record that adds most."""
        n = sample.records(keep)
        if n < 2:
            return Undefined(f"there must be two records with a vector, one to stand for the other; there are {n}")
        rows = sample.vectors(keep)
        cosine = np.maximum(rows @ rows.T, 0.0)
        covered = np.zeros(n)
        for _ in range(math.ceil(self.share * n)):
            gain = np.maximum(cosine - covered, 0.0).sum(axis=1)
            covered = np.maximum(covered, cosine[first_best(gain)])
        return min(float(covered.mean()), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Greedily, every gain summed anew."""
        ordered = sorted(kept(rows, self.valid_only), key=lambda row: row["address"])
        vectors = unit_vectors(ordered, f"embedding@{self.on}")
        if len(vectors) < 2:
            return None
        cosine = [[max(dot(a, b), 0.0) for b in vectors] for a in vectors]
        covered = [0.0] * len(vectors)
        for _ in range(math.ceil(self.share * len(vectors))):
            gains = [math.fsum(max(c - had, 0.0) for c, had in zip(line, covered, strict=True)) for line in cosine]
            best = cosine[first_best(np.array(gains))]
            covered = [max(c, had) for c, had in zip(best, covered, strict=True)]
        return mean(covered)


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    value=2 / 3,
)
