"""Length-adjusted complexity: the mean of a complexity column at one length, by regression on log length.

    ȳ + b (log at - x̄),  x the log of the length in tokens, b = Σ(x - x̄)(y - ȳ) / Σ(x - x̄)²

The adjusted mean of the analysis of covariance (Cochran 1957, "Analysis of covariance: its nature and uses"), as Dubois et
al. 2024 (arXiv 2404.04475) adjust win rates: what the column would be on average were all texts `at` tokens long. Read it
beside the plain mean: where two sets differ in the one and not in the other, they differ in length.

Unit: that of the column, range: all numbers (a line can leave the range of its column). Exact; O(n). Records without the
column or without tokens are not counted. Undefined where the length does not vary, and where `at` lies more than two
standard deviations of log length from the mean: that would be a guess. Confounded by a relation that is no line in log
length, and by why texts are long: a set that is long because it is harder has its difficulty adjusted away.

Worked example, at = 20: steps 1, 2, 3 at 10, 20, 40 tokens: b = 1/log 2, mean 2 at 20 tokens: 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.core.batch import Text
from triptych.core.dear import column_of
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept, mean
from triptych.statistics.comoments import CoMoments

REACH = 2.0
"""Standard deviations of log length within which the line is read."""


@measure(
    axis="complexity",
    title="Complexity at one length",
    unit="of the column",
    bounds=(float("-inf"), float("inf")),
    better="neither",
    source="Cochran 1957; Dubois et al. 2024 (arXiv 2404.04475)",
    confounders=("a relation that is no line in log length", "difficulty that makes texts long", "tokenizer"),
    panel=(),
)
class LengthAdjusted(Measure):
    """Mean of column `of@on` at `at` tokens."""

    of: str = "reasoning_steps"
    on: Text = "response"
    at: float = 100.0
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.at < math.inf:
            raise ValueError(f"at is a length of one token or more, got {self.at:g}")

    def statistic(self) -> CoMoments:
        """Joint moments of log length and the column."""
        column = column_of(self.of, self.on)
        return CoMoments(f"length@{self.on}", column, log_x=True, where="valid" if self.valid_only else "all")

    def value(self, moments: CoMoments, keep: Mask) -> float | Undefined:
        """The height of the line at the length asked for."""
        n = moments.records(keep)
        if n < 3:
            return Undefined(f"a line needs three records with {self.of} and tokens, there are {n}")
        slope, (log_length, height) = moments.slope(keep), moments.means(keep)
        if slope is None:
            return Undefined("the length is the same for all records")
        away = (math.log(self.at) - log_length) / math.sqrt(moments.variance(keep))
        if abs(away) > REACH:
            typical = round(math.exp(log_length))
            return Undefined(
                f"{self.at:g} tokens lie {abs(away):.1f} standard deviations from the lengths there are; "
                f"try at={max(typical, 1)}"
            )
        return height + slope * (math.log(self.at) - log_length)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Least squares by its formula."""
        found = [(row[f"length@{self.on}"], row[column_of(self.of, self.on)]) for row in kept(rows, self.valid_only)]
        pairs = [(math.log(x), float(y)) for x, y in found if x and y is not None and math.isfinite(y)]
        mean_x, mean_y = mean([x for x, _ in pairs]), mean([y for _, y in pairs])
        if len(pairs) < 3 or mean_x is None or mean_y is None:
            return None
        spread = math.fsum((x - mean_x) ** 2 for x, _ in pairs)
        away = math.log(self.at) - mean_x
        if spread < 1e-9 or abs(away) > REACH * math.sqrt(spread / len(pairs)):
            return None
        return mean_y + away * math.fsum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread


EXAMPLE = Example(
    records=[
        {"response": "x", "reasoning_steps@response": steps, "length@response": length}
        for steps, length in ((1, 10), (2, 20), (3, 40))
    ],
    params={"at": 20.0},
    value=2.0,
)
