"""The mean of a dear column: of what a model that was asked about some or all records said.

Where a sample was asked about, its mean leans on what is known of all records, their vectors and lengths: see
`triptych.statistics.powered`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from triptych.core.batch import Text
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Measure, Row
from triptych.measures.reference import dot, kept, mean
from triptych.statistics.powered import LEAST, RIDGE, PoweredMean


@dataclass(frozen=True)
class DearMean(Measure):
    """Mean of column `{column}`, from the records that were asked about and have a value.

    Attributes:
        on: the text whose vector and length predict the values that were not asked for.
    """

    on: Text = "response"
    valid_only: bool = False

    column: ClassVar[str]
    absent: ClassVar[str]
    """Why there may be no value at all."""

    def statistic(self) -> PoweredMean:
        """Sums of the column beside those of vectors and lengths."""
        return PoweredMean(self.column, self.on, where="valid" if self.valid_only else "all")

    def value(self, powered: PoweredMean, keep: Mask) -> float | Undefined:
        """The mean."""
        return powered.mean(keep) if powered.records(keep) else Undefined(self.absent)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Summed one by one."""
        return reference_mean(kept(rows, self.valid_only), self.column, self.on)


def reference_mean(held: Sequence[Row], column: str, on: Text) -> float | None:
    """The mean of a dear column over these rows, what the sample is off in vector and length taken out; None of no value."""
    scored = [row for row in held if row[column] is not None]
    plain = mean([float(row[column]) for row in scored])
    if plain is None or len(scored) == len(held) or len(scored) < LEAST:
        return plain
    gaps = [a - b for a, b in zip(_middle(held, on), _middle(scored, on), strict=True)]
    return plain + dot(gaps, _slope(scored, column, on))


def _cheap(row: Row, on: Text) -> list[float]:
    """Unit vector and log length of a record."""
    vector = row[f"embedding@{on}"] or []
    size = math.sqrt(dot(vector, vector)) or 1.0
    return [*(x / size for x in vector), math.log1p(row[f"length@{on}"] or 0) / 12]


def _middle(rows: Sequence[Row], on: Text) -> list[float]:
    columns = zip(*(_cheap(row, on) for row in rows), strict=True)
    return [sum(column) / len(rows) for column in columns]


def _slope(rows: Sequence[Row], column: str, on: Text) -> list[float]:
    """Ridge regression of the column on vector and length, as least squares with a record for each penalty."""
    middle, level = _middle(rows, on), sum(row[column] for row in rows) / len(rows)
    x = [[a - b for a, b in zip(_cheap(row, on), middle, strict=True)] for row in rows]
    penalty = (math.sqrt(RIDGE * len(rows)) * np.eye(len(middle))).tolist()
    found = np.linalg.lstsq([*x, *penalty], [row[column] - level for row in rows] + [0.0] * len(middle), rcond=None)
    slope: list[float] = found[0].tolist()
    return slope
