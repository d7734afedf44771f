"""The mean of a label that some records bring along, with what a model said of all of them as its stand-in.

See `triptych.statistics.calibrated`: it is the model's mean, calibrated to the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from triptych.core.batch import Text
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Measure, Row
from triptych.measures.dear_mean import reference_mean
from triptych.measures.reference import dot, kept, mean
from triptych.statistics.calibrated import Calibrated

LABELLED = 20
"""With fewer records that have both there is no line to speak of."""


@dataclass(frozen=True)
class CalibratedMean(Measure):
    """Mean of the label `field`, from the records that have it, and the column `{column}` of the others.

    Attributes:
        field: a label that some of the records have, a random sample of them.
        on: the text whose vector and length predict the column where a sample was asked about.
    """

    field: str = ""
    on: Text = "response"
    valid_only: bool = False

    column: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError(f"name the label that is the truth, as in {self.about.name}:field=rating")

    def statistic(self) -> Calibrated:
        """Joint moments of column and label, beside the mean of the column."""
        return Calibrated(self.column, self.field, self.on, where="valid" if self.valid_only else "all")

    def value(self, calibrated: Calibrated, keep: Mask) -> float | Undefined:
        """The mean of the label."""
        n = calibrated.both(keep)
        if n < LABELLED:
            return Undefined(f'{n} records have both a value and a label "{self.field}"; {LABELLED} are needed')
        return calibrated.mean(keep)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """A line by two sums, read at the mean of the column, and the labels of the other records by their precision."""
        held, name = kept(rows, self.valid_only), f"label.{self.field}"
        both = [row for row in held if row[self.column] is not None and row[name] is not None]
        every = reference_mean(held, self.column, self.on)
        x, y = mean([row[self.column] for row in both]), mean([row[name] for row in both])
        if len(both) < LABELLED or every is None or x is None or y is None:
            return None
        across = [row[self.column] - x for row in both]
        spread = dot(across, across)
        up = [row[name] - y for row in both]
        slope = dot(across, up) / spread if spread > 0 else 0.0
        rest: list[float] = [row[name] for row in held if row[self.column] is None and row[name] is not None]
        r2: float = slope**2 * spread / dot(up, up) if slope else 0.0
        worth = 1 / ((1 - r2) / len(both) + r2 / sum(row[self.column] is not None for row in held))
        return (worth * (y + slope * (every - x)) + sum(rest)) / (worth + len(rest))
