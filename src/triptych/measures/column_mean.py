"""The mean of a numeric column of a text: what most measures of complexity are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from triptych.core.batch import Text
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Measure, Row
from triptych.measures.reference import kept, mean, numbers
from triptych.statistics.moments import Moments


@dataclass(frozen=True)
class ColumnMean(Measure):
    """Mean of column `{column}@{on}` over the records that have a value."""

    on: Text = "response"
    valid_only: bool = False

    column: ClassVar[str]
    absent: ClassVar[str]
    """Why there may be no value at all."""

    def statistic(self) -> Moments:
        """Moments of the column."""
        return Moments(f"{self.column}@{self.on}", where="valid" if self.valid_only else "all")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The mean."""
        return moments.mean(keep) if moments.records(keep) else Undefined(self.absent)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Summed one by one."""
        return mean(numbers(kept(rows, self.valid_only), f"{self.column}@{self.on}"))
