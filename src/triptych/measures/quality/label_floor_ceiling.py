"""Floor and ceiling: the share of records whose label lies at the end of its scale.

A score that piles up at one end cannot tell the records there apart, whatever its mean. The ends are the lowest and the
highest label seen. Source: definition (floor and ceiling effects). Unit: ratio, range 0..1, lower is better. Exact; O(n),
no sorting. Records without the label are not counted. A label that is the same for all records lies at both ends: 1.

Confounded by the scale: a label of two values lies at an end always (read `label_mean`), and an end that nobody reaches
is not seen: scores of 1-9 on a scale of 1-10 have their ceiling at 9. Interval: Wilson, as for a share, conditional on the
ends.

Worked example: scores 1, 5, 5, 3: floor 1 of 4, ceiling 2 of 4; both ends 3 of 4 = 0.75.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.core.statistic import Statistic
from triptych.measures.reference import numbers

_NOWHERE = np.array([np.inf, -np.inf])
"""Ends of no values."""


@dataclass(eq=False)
class EndCounts(Statistic):
    """Lowest and highest value of a column in each group, and how many records have them."""

    column: str

    def __post_init__(self) -> None:
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._ends = np.tile(_NOWHERE, (GROUPS, 1))
        self._counts = np.zeros((GROUPS, 2), dtype=np.int64)

    @property
    def needs(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        values, present = batch.numbers(self.column)
        values, group = values[present], batch.group[present]
        ends = np.tile(_NOWHERE, (GROUPS, 1))
        np.minimum.at(ends[:, 0], group, values)
        np.maximum.at(ends[:, 1], group, values)
        counts = [np.bincount(group[values == ends[group, end]], minlength=GROUPS) for end in (0, 1)]
        self._combine(np.bincount(group, minlength=GROUPS), ends, np.stack(counts, axis=1))

    def merge(self, other: Self) -> None:
        """Combine with the ends of other records."""
        self._combine(other._n, other._ends, other._counts)

    def _combine(self, n: NDArray[np.int64], ends: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
        outer = np.stack([np.minimum(self._ends[:, 0], ends[:, 0]), np.maximum(self._ends[:, 1], ends[:, 1])], axis=1)
        self._counts = self._counts * (self._ends == outer) + counts * (ends == outer)
        self._n, self._ends = self._n + n, outer

    def state(self) -> dict[str, NDArray[Any]]:
        """Records (32,), ends and counts at them (32, 2); a group without records has ends of 0."""
        return {"n": self._n, "ends": np.where(self._n[:, None] > 0, self._ends, 0.0), "counts": self._counts}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._n, self._counts = state["n"], state["counts"]
        self._ends = np.where(self._n[:, None] > 0, state["ends"], _NOWHERE)

    def records(self, keep: Mask) -> int:
        """Records that have a value."""
        return int(self._n[keep].sum())

    def at_floor(self, keep: Mask) -> int:
        """Records with the lowest value of the kept groups; there must be a record."""
        return self._at(keep, 0, float(self._ends[keep, 0].min()))

    def at_ceiling(self, keep: Mask) -> int:
        """Records with the highest value of the kept groups; there must be a record."""
        return self._at(keep, 1, float(self._ends[keep, 1].max()))

    def constant(self, keep: Mask) -> bool:
        """Whether all values of the kept groups are equal; there must be a record."""
        return bool(self._ends[keep, 0].min() == self._ends[keep, 1].max())

    def _at(self, keep: Mask, end: int, value: float) -> int:
        return int(self._counts[keep & (self._ends[:, end] == value), end].sum())


@measure(
    axis="quality",
    title="Labels at floor or ceiling",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="lower",
    interval="share",
    source="definition",
    confounders=("labels of two values", "an end of the scale that nobody reaches"),
    panel=(),
)
class LabelFloorCeiling(Measure):
    """Share of records whose label `field` is the lowest or the highest there is."""

    field: str = ""
    end: Literal["both", "floor", "ceiling"] = "both"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError("name the label field, as in label_floor_ceiling:field=score")

    def statistic(self) -> EndCounts:
        """Ends of the label and counts at them."""
        return EndCounts(f"label.{self.field}")

    def value(self, ends: EndCounts, keep: Mask) -> float | Undefined:
        """Records at the end over records."""
        n = ends.records(keep)
        if not n:
            return Undefined(f'no record has a label "{self.field}"')
        floor = 0 if self.end == "ceiling" else ends.at_floor(keep)
        ceiling = 0 if self.end == "floor" else ends.at_ceiling(keep)
        return 1.0 if ends.constant(keep) else (floor + ceiling) / n

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Counted one by one."""
        values = numbers(rows, f"label.{self.field}")
        if not values:
            return None
        wanted = {"floor": {min(values)}, "ceiling": {max(values)}, "both": {min(values), max(values)}}[self.end]
        return sum(value in wanted for value in values) / len(values)


EXAMPLE = Example(
    records=[{"response": str(i), "label.score": score} for i, score in enumerate((1.0, 5.0, 5.0, 3.0))],
    params={"field": "score"},
    value=0.75,
)
