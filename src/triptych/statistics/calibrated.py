"""A dear column beside labels that some records bring along: the mean of the label, with the column as its stand-in.

The labels are the truth; what was asked of a model is known of more records. A straight line from the one to the other
is fitted on the records that have both, and read at the mean that the column has on all:

    θ = mean_L y + b · (m - mean_L x),   b = cov_L(x, y) / var_L(x)

L the records that have both, m the mean of the column (itself prediction-powered where a sample was asked about). It is
the regression estimator (Cochran 1977, ch. 7), the mean of PPI++ at its optimal weight (Angelopoulos, Duchi & Zrnic
2023, arXiv 2311.01453), and the mean of the calibrated column: all three are this line. Whatever the true relation, θ
is unbiased up to terms of order 1/|L| if the labelled records are a random sample; if they are not, only as far as the
line holds elsewhere too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from triptych.core.batch import Batch, Text, Where
from triptych.core.groups import Mask
from triptych.core.statistic import Statistic
from triptych.statistics.comoments import CoMoments
from triptych.statistics.powered import PoweredMean

UNLIKE = 3.0
"""Standard errors between the labelled records and the others, in the column, from which they are told to be unlike."""


@dataclass(eq=False)
class Calibrated(Statistic):
    """What θ is made of, for a dear column x and a label y.

    Attributes:
        column: the dear one; null where a record has no value.
        field: the label; null where a record has none.
        on: the text whose vector and length predict the column where a sample was asked about.
    """

    column: str
    field: str
    on: Text = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self._every = PoweredMean(self.column, self.on, self.where)
        self._both = CoMoments(self.column, f"label.{self.field}", where=self.where)

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns of both parts."""
        return tuple(dict.fromkeys((*self._every.needs, *self._both.needs)))

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        self._every.update(batch)
        self._both.update(batch)

    def merge(self, other: Self) -> None:
        """Take in other records."""
        self._every.merge(other._every)
        self._both.merge(other._both)

    def state(self) -> dict[str, NDArray[Any]]:
        """The states of both parts."""
        parts = {"every": self._every.state(), "both": self._both.state()}
        return {f"{part}.{name}": array for part, state in parts.items() for name, array in state.items()}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        for part, statistic in (("every.", self._every), ("both.", self._both)):
            own = {name.removeprefix(part): array for name, array in state.items() if name.startswith(part)}
            statistic.load(own)

    def records(self, keep: Mask) -> int:
        """Records that have both."""
        return self._both.records(keep)

    def leans(self, keep: Mask) -> bool:
        """Whether the mean of the column leans on vectors and lengths."""
        return self._every.leans(keep)

    def mean(self, keep: Mask) -> float:
        """θ; there must be a record that has both. The plain mean of the label where the column does not vary."""
        x, y = self._both.means(keep)
        return y + (self._both.slope(keep) or 0.0) * (self._every.mean(keep) - x)

    def told(self, keep: Mask) -> str:
        """The line in words, and whether the labelled records are unlike the others."""
        if not self.records(keep):
            return ""
        (x, y), slope, n = self._both.means(keep), self._both.slope(keep), self.records(keep)
        if slope is None:
            return f"{n:,} labelled; all of one value"
        said = f"{n:,} labelled; label = {y - slope * x:.3g} {'-' if slope < 0 else '+'} {abs(slope):.3g} x value"
        every = self._every.mean(keep)
        rest = self._every.records(keep) - n
        error = math.sqrt(self._both.variance(keep) / n * (1 + n / rest)) if rest else 0.0
        # The mean of all holds the labelled ones: their gap to the others is wider.
        gap = (x - every) * (n + rest) / rest if rest else 0.0
        return f"{said}; their values are unlike the others'" if error and abs(gap) > UNLIKE * error else said
