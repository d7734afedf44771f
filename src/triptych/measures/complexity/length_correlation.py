"""Length correlation: Spearman's rank correlation of a complexity column with length in tokens.

A companion of every complexity measure: where it is near 1 the measure says little more than length. Spearman 1904, mid-
ranks for ties. Unit: rank correlation, range -1..1; neither direction is better. Read on a grid of cells, exact for
whole numbers up to 96 and to about 1 % above; O(different cells) memory. Undefined where either column does not vary.

Worked example: steps 1, 2, 3, 4 against lengths 10, 30, 20, 40: 1 - 6 · 2/(4 · 15) = 0.8.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import Text
from triptych.core.dear import column_of
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import mean
from triptych.statistics.joint import JointCounts


@measure(
    axis="complexity",
    title="Correlation with length",
    unit="rank correlation",
    bounds=(-1.0, 1.0),
    better="neither",
    source="Spearman 1904",
    confounders=("tokenizer",),
    panel=(),
)
class LengthCorrelation(Measure):
    """Spearman's rho of column `of@on` (or a dear column `of`) and the length of text `on`."""

    of: str = "reasoning_steps"
    on: Text = "response"

    def statistic(self) -> JointCounts:
        """Joint counts of the column and the length."""
        return JointCounts(column_of(self.of, self.on), f"length@{self.on}")

    def value(self, counts: JointCounts, keep: Mask) -> float | Undefined:
        """Spearman's rho, held to its range against rounding."""
        n = counts.records(keep)
        if n < 3:
            return Undefined(f"a rank correlation needs three records, there are {n}")
        rho = counts.rank_correlation(keep)
        if rho is None:
            return Undefined(f"{self.of} or the length is the same for all records")
        return min(max(rho, -1.0), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Mid-ranks by counting, then Pearson's formula."""
        pairs = [(row[column_of(self.of, self.on)], row[f"length@{self.on}"]) for row in rows]
        pairs = [(x, y) for x, y in pairs if x is not None and y is not None]
        x, y = (
            ([_rank(value, column) for value in column] for column in zip(*pairs, strict=True)) if pairs else ([], [])
        )
        mean_x, mean_y = mean(x), mean(y)
        if mean_x is None or mean_y is None or len(pairs) < 3:
            return None
        covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
        spread = sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y)
        return float(covariance / spread**0.5) if spread else None


def _rank(value: float, column: Sequence[float]) -> float:
    """Mid-rank: values below, and half of those equal."""
    return sum(other < value for other in column) + sum(other == value for other in column) / 2


EXAMPLE = Example(
    records=[
        {"response": "x", "reasoning_steps@response": steps, "length@response": length}
        for steps, length in ((1, 10), (2, 30), (3, 20), (4, 40))
    ],
    value=0.8,
)
