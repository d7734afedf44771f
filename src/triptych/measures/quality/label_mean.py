"""Label mean: the mean of a numeric field that says how good a record is (a score, a reward, correct or not).

Unit: that of the field. Range: all numbers. Exact (Welford); O(n). Records without the label are not counted.

Confounded by whoever set the labels: judges favour long and confident text, and their scores saturate. Labels that are
missing for the bad records make the mean too high.

Worked example: scores 1, 0, none, 1: 2/3 = 0.667.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.interval import Kind
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept, mean, numbers
from triptych.statistics.moments import Moments


@measure(
    axis="quality",
    unit="label",
    bounds=(float("-inf"), float("inf")),
    better="higher",
    source="the data set's own labels",
    confounders=("the labeller's taste (length, style)", "saturated scores", "labels missing not at random"),
    panel=(),
)
class LabelMean(Measure):
    """Mean of the label field `field`."""

    field: str = ""
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError("name the label field, as in label_mean:field=score")

    def statistic(self) -> Moments:
        """Moments of the label."""
        return Moments(f"label.{self.field}", where="valid" if self.valid_only else "all")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The mean over records that have the label."""
        return moments.mean(keep) if moments.records(keep) else Undefined(f'no record has a label "{self.field}"')

    def interval_kind(self, moments: Moments) -> Kind:
        """A label of 0 and 1 is a share of records, so that 0 and 1 have honest intervals too."""
        return "share" if moments.binary() else "plain"

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Summed one by one."""
        return mean(numbers(kept(rows, self.valid_only), f"label.{self.field}"))


EXAMPLE = Example(
    records=[
        {"response": text, "label.score": score} for text, score in (("a", 1.0), ("b", 0.0), ("c", None), ("d", 1.0))
    ],
    params={"field": "score"},
    value=2 / 3,
)
