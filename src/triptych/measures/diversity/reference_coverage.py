"""Reference coverage: share of a reference set that some record is near.

    |{j : some record i with d(i, j) <= distance of j to its k-th nearest other}| / m,   k = 5

Naeem et al. 2020 (arXiv 2002.09797): what recall was meant to say, read from the balls of the reference alone, so that
outliers of the measured set do not raise it. Unit: ratio, range 0..1, higher covers more. Exact given the reference, which
is frozen: --reference FILE, at most 10,000 records of it. Cost O(n m d).

Grows with the number of records: read it at a common n. What the set has that the reference has not, it does not see.
Confounded by the encoder and by length.

Worked example: of three reference records the balls 0 and 2 are hit: 0.666667.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept
from triptych.statistics.covered import CoveredItems


@measure(
    axis="diversity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    interval="growing",
    source="Naeem et al. 2020 (arXiv 2002.09797)",
    confounders=("number of records", "the reference", "encoder", "length"),
)
class ReferenceCoverage(Measure):
    """Share of the reference's balls that hold a record."""

    on: On = "response"
    valid_only: bool = False

    def statistic(self) -> CoveredItems:
        """Balls hit by each group."""
        return CoveredItems(self.on, where="valid" if self.valid_only else "all")

    def value(self, covered: CoveredItems, keep: Mask) -> float | Undefined:
        """The share."""
        return covered.share(keep) if covered.records(keep) else Undefined("no record has a vector")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By a set of balls."""
        held = [row for row in kept(rows, self.valid_only) if row[f"reference_size@{self.on}"] is not None]
        hit = {ball for row in held for ball in row[f"reference_balls@{self.on}"] or ()}
        sizes = [row[f"reference_size@{self.on}"] for row in held]
        return len(hit) / max(sizes) if held else None


EXAMPLE = Example(
    records=[
        {"response": text, "reference_balls@response": balls, "reference_size@response": 3}
        for text, balls in (("a", [0, 2]), ("b", []), ("c", [2]))
    ],
    value=2 / 3,
)
