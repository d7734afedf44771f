"""A dear column beside labels that some records bring along: the mean of the label, with the column as its stand-in.

The labels are the truth; what was asked of a model is known of more records. A straight line from the one to the other
is fitted on the records that have both, and read at the mean that the column has on all:

    θ = mean_L y + b · (m - mean_L x),   b = cov_L(x, y) / var_L(x)

L the records that have both, m the mean of the column (itself prediction-powered where a sample was asked about). It is
the regression estimator (Cochran 1977, ch. 7), the mean of PPI++ at its optimal weight (Angelopoulos, Duchi & Zrnic
2023, arXiv 2311.01453), and the mean of the calibrated column: all three are this line. Whatever the true relation, θ
is unbiased up to terms of order 1/|L| if the labelled records are a random sample; if they are not, only as far as the
line holds elsewhere too.

U, the records with a label that were not asked about, are a second random sample, apart from the first. θ is worth

    n* = 1 / ((1 - r²) / |L| + r² / |S|)

labels (S the records with a value of the column, r the correlation on L: of a label's variance the line explains the part
r² and knows it on S, the rest is known on L alone), so that both in proportion to their precision are (n* θ + Σ_U y) / (n* + |U|): generalized least
squares for the two means. With a blind column it is the mean of all labels, with none left out it is θ.
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
from triptych.statistics.moments import Moments
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
        self._label = Moments(f"label.{self.field}", self.where)

    @property
    def _parts(self) -> dict[str, PoweredMean | CoMoments | Moments]:
        return {"every": self._every, "both": self._both, "label": self._label}

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns of all parts."""
        return tuple(dict.fromkeys(need for part in self._parts.values() for need in part.needs))

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        for part in self._parts.values():
            part.update(batch)

    def merge(self, other: Self) -> None:
        """Take in other records."""
        self._every.merge(other._every)
        self._both.merge(other._both)
        self._label.merge(other._label)

    def state(self) -> dict[str, NDArray[Any]]:
        """The states of all parts."""
        return {f"{name}.{key}": array for name, part in self._parts.items() for key, array in part.state().items()}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        for name, part in self._parts.items():
            start = f"{name}."
            part.load({key.removeprefix(start): array for key, array in state.items() if key.startswith(start)})

    def records(self, keep: Mask) -> int:
        """Records that have a label, with or without a value: those that the error comes from."""
        return self._label.records(keep)

    def both(self, keep: Mask) -> int:
        """Records that have a label and a value."""
        return self._both.records(keep)

    def leans(self, keep: Mask) -> bool:
        """Whether the mean of the column leans on vectors and lengths."""
        return self._every.leans(keep)

    def alone(self, keep: Mask) -> int:
        """Records that have a label and no value of the column."""
        return self.records(keep) - self.both(keep)

    def mean(self, keep: Mask) -> float:
        """θ with the labels of the others; there must be a record that has both. The plain mean of the label where the column does not vary."""
        (x, y), n, more = self._both.means(keep), self.both(keep), self.alone(keep)
        line = y + (self._both.slope(keep) or 0.0) * (self._every.mean(keep) - x)
        if not more:
            return line
        r2 = self._both.r2(keep)
        worth = 1 / ((1 - r2) / n + r2 / self._every.records(keep))
        others = self._label.mean(keep) * (n + more) - y * n
        return (worth * line + others) / (worth + more)

    def told(self, keep: Mask) -> str:
        """The line in words, and whether the labelled records are unlike the others."""
        n = self.both(keep)
        if not n:
            return ""
        (x, y), slope = self._both.means(keep), self._both.slope(keep)
        if slope is None:
            return f"{self._labelled(keep)}; all of one value"
        line = f"label = {y - slope * x:.3g} {'-' if slope < 0 else '+'} {abs(slope):.3g} x value"
        said = f"{self._labelled(keep)}; {line}"
        every = self._every.mean(keep)
        rest = self._every.records(keep) - n
        error = math.sqrt(self._both.variance(keep) / n * (1 + n / rest)) if rest else 0.0
        # The mean of all holds the labelled ones: their gap to the others is wider.
        gap = (x - every) * (n + rest) / rest if rest else 0.0
        return f"{said}; their values are unlike the others'" if error and abs(gap) > UNLIKE * error else said

    def _labelled(self, keep: Mask) -> str:
        more = self.alone(keep)
        return f"{self.both(keep):,} labelled" + (f" and {more:,} labels without a value" if more else "")
