"""Distance to the k-th nearest: how far the k-th nearest other record is, averaged over records.

    mean_i d_i(k),   d_i the cosine distances of record i to the others, ascending

One of the measures that Yang et al. 2025 (arXiv 2502.17184) compare. The k-th looks past the k - 1 nearest, so that a few
copies of each record do not decide it, as they do at k = 1 (`chamfer_distance`). Unit: cosine distance, range 0..2, higher
is more diverse.

Neighbours are found anew for every subset: at a sixteenth of one set the mean distance was .839 with neighbours held fixed
and 1.333 in truth. Exact up to some 7,000 records (n² d multiplications); above, the value of a random sample of 8,192. It
falls with the number of records: read it at a common n. Confounded by the encoder and by validity: garbage is far from
everything.

Worked example: vectors (1, 0), (1, 0), (0, 1), k = 2: every second nearest is at distance 1; mean 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, mean, unit_vectors
from triptych.statistics.sample import VectorSample

_MOST = 32


@measure(
    axis="diversity",
    title="Distance to the k-th nearest",
    unit="cosine distance",
    bounds=(0.0, 2.0),
    better="higher",
    interval="growing",
    source="Yang et al. 2025 (arXiv 2502.17184)",
    confounders=("number of records", "encoder", "length", "validity: garbage is far from everything"),
    panel=(),
)
class KnnDistance(Measure):
    """Mean distance to the k-th nearest other record."""

    k: int = 10
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.k <= _MOST:
            raise ValueError(f"k must lie in 2..{_MOST}, got {self.k}; the nearest alone is chamfer_distance")

    def statistic(self) -> VectorSample:
        """Vectors; `chamfer_distance` and `effective_clusters` read the same."""
        return VectorSample(on=self.on, where="valid" if self.valid_only else "all")

    def value(self, sample: VectorSample, keep: Mask) -> float | Undefined:
        """The mean over records."""
        n = sample.records(keep)
        if n <= self.k:
            return Undefined(f"the {self.k}-th nearest needs {self.k + 1} records with a vector, there are {n}")
        return min(float(sample.nearest(keep, self.k)[:, -1].mean()), 2.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Record by record."""
        vectors = unit_vectors(kept(rows, self.valid_only), f"embedding@{self.on}")
        if len(vectors) <= self.k:
            return None
        others = [sorted(1 - dot(a, b) for j, b in enumerate(vectors) if j != i) for i, a in enumerate(vectors)]
        return mean([distances[self.k - 1] for distances in others])


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    params={"k": 2},
    value=1.0,
)
