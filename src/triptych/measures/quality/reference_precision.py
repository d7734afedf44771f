"""Reference precision: share of the records that lie where records of a reference set lie.

A record counts if it is no farther from some reference record than that one's k-th nearest other (k = 5).
Kynkäänniemi et al. 2019 (arXiv 1904.06991), called precision there. Unit: ratio, range 0..1, higher is more like the
reference. Exact given the reference, which is frozen: --reference FILE, at most 10,000 records of it. Cost O(n m d).

How good the records are it does not say: only that the reference, where it is good, has some like them. One reference record
far from all others makes a ball that holds much; reference_density is steadier. Confounded by the encoder and by length.

Worked example: two of four records lie in a ball: 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept, mean, numbers
from triptych.statistics.moments import Moments


@measure(
    axis="quality",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    interval="share",
    source="Kynkäänniemi et al. 2019 (arXiv 1904.06991)",
    confounders=("the reference", "encoder", "length", "outliers of the reference"),
)
class ReferencePrecision(Measure):
    """Share of records inside a ball of the reference."""

    on: On = "response"
    valid_only: bool = False

    def statistic(self) -> Moments:
        """Moments of the flag."""
        return Moments(f"reference_inside@{self.on}", where="valid" if self.valid_only else "all")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The share."""
        return moments.mean(keep) if moments.records(keep) else Undefined("no record has a vector")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Summed one by one."""
        return mean(numbers(kept(rows, self.valid_only), f"reference_inside@{self.on}"))


EXAMPLE = Example(
    records=[{"response": text, "reference_inside@response": x} for text, x in zip("abcd", (1, 0, 0, 1), strict=True)],
    value=0.5,
)
