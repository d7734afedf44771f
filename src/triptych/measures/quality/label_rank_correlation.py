"""Label rank correlation: whether two label fields order the records alike.

Spearman 1904, mid-ranks for ties: right for scores on different scales (a judge's 1-10 against a reward). Unit: rank
correlation, range -1..1. Exact; O(n log n) time, O(different pairs) memory. Records that lack one of the labels are not
counted. Undefined where one of the labels does not vary. Confounded by ties (saturated scores hold it far from 1), and by anything that both labellers like,
length first of all. The interval is plain.

Worked example: scores 1, 2, 3, 4 against 10, 30, 20, 40: 1 - 6 · 2/(4 · 15) = 0.8.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.label_fields import both_labels, check_two
from triptych.measures.reference import mean
from triptych.statistics.label_pairs import LabelPairs


@measure(
    axis="quality",
    unit="rank correlation",
    bounds=(-1.0, 1.0),
    better="higher",
    source="Spearman 1904",
    confounders=("ties", "what both labellers like: length"),
    panel=(),
)
class LabelRankCorrelation(Measure):
    """Spearman's rho of the labels `field` and `against`."""

    field: str = ""
    against: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_two("label_rank_correlation", self.field, self.against)

    def statistic(self) -> LabelPairs:
        """Counts of pairs; `label_agreement` reads the same."""
        return LabelPairs(f"label.{self.field}", f"label.{self.against}")

    def value(self, pairs: LabelPairs, keep: Mask) -> float | Undefined:
        """Spearman's rho, held to its range against rounding."""
        n = pairs.records(keep)
        if n < 3:
            return Undefined(f"a rank correlation needs three records with both labels, there are {n}")
        rho = pairs.rank_correlation(keep)
        if rho is None:
            return Undefined(f'the label "{self.field}" or "{self.against}" is the same for all records')
        return min(max(rho, -1.0), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Mid-ranks by counting, then Pearson's formula."""
        found = both_labels(rows, self.field, self.against)
        if len(found) < 3:
            return None
        x, y = ([_rank(value, column) for value in column] for column in zip(*found, strict=True))
        centre = mean(x) or 0.0
        covariance = sum((a - centre) * (b - centre) for a, b in zip(x, y, strict=True))
        spread = sum((a - centre) ** 2 for a in x) * sum((b - centre) ** 2 for b in y)
        return float(covariance / spread**0.5) if spread else None


def _rank(value: float, column: Sequence[float]) -> float:
    """Mid-rank: values below, and half of those equal."""
    return sum(other < value for other in column) + sum(other == value for other in column) / 2


EXAMPLE = Example(
    records=[{"response": "x", "label.score": x, "label.other": y} for x, y in ((1, 10), (2, 30), (3, 20), (4, 40))],
    params={"field": "score", "against": "other"},
    value=0.8,
)
