"""Chamfer distance: how far the nearest other record is, averaged over records.

    mean_i min_{j ≠ i} (1 - cosine(x_i, x_j))

Cox et al. 2021 (arXiv 2101.06030); Shaib et al. 2024 (2403.00553) list it beside "remote clique", our
`mean_cosine_distance`. Unit: cosine distance, range 0..2, higher is more diverse. Unlike that one it sees copies: a set in
which every record occurs twice scores 0, whatever else is in it.

Neighbours are found anew for every subset: held fixed they would give intervals that are too narrow, and a size curve that
is wrong. Exact up to some 7,000 records (n² d multiplications); above, the value of a random sample of 8,192. It falls with
the number of records, as neighbours come nearer: read it at a common n. Confounded by copies, by the encoder and by
validity: garbage is far from everything.

Worked example: vectors (1, 0), (1, 0), (0, 1): distances 0, 0, 1; mean 0.333.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, mean, unit_vectors
from triptych.statistics.sample import VectorSample


@measure(
    axis="diversity",
    unit="cosine distance",
    bounds=(0.0, 2.0),
    better="higher",
    interval="growing",
    source="Cox et al. 2021 (arXiv 2101.06030); Shaib et al. 2024 (arXiv 2403.00553)",
    confounders=("number of records", "copies", "encoder", "length", "validity: garbage is far from everything"),
    panel=(),
)
class ChamferDistance(Measure):
    """Mean distance to the nearest other record."""

    on: On = "response"
    valid_only: bool = False

    def statistic(self) -> VectorSample:
        """Vectors; `knn_distance` and `effective_clusters` read the same."""
        return VectorSample(on=self.on, where="valid" if self.valid_only else "all")

    def value(self, sample: VectorSample, keep: Mask) -> float | Undefined:
        """The mean over records."""
        n = sample.records(keep)
        if n < 2:
            return Undefined(f"a distance needs two records with a vector, there are {n}")
        return min(float(sample.nearest(keep, 1).mean()), 2.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Record by record."""
        vectors = unit_vectors(kept(rows, self.valid_only), f"embedding@{self.on}")
        if len(vectors) < 2:
            return None
        return mean([min(1 - dot(a, b) for j, b in enumerate(vectors) if j != i) for i, a in enumerate(vectors)])


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    value=1 / 3,
)
