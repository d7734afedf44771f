"""Exact duplicate rate: the share of records that copy an earlier record, prompt and response alike.

    1 - different contents / records

Unit: ratio, range 0..1, lower is better. Exact up to 59-bit hash collisions; O(different contents) memory, a sample with
a stated bound beyond two million entries. Grows with the number of records: read it at a common n (the size curve).

Worked example: "a", "a", "b": 2 different of 3: 1 - 2/3 = 0.333.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.statistics.tables import ColumnTable


@measure(
    axis="diversity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="lower",
    interval="pairs",
    source="definition",
    confounders=("number of records",),
)
class ExactDuplicateRate(Measure):
    """Share of records that are copies."""

    def statistic(self) -> ColumnTable:
        """Contents by group."""
        return ColumnTable(column="content_id")

    def value(self, table: ColumnTable, keep: Mask) -> float | Undefined:
        """Records beyond the first of each content, over records."""
        n = table.total(keep)
        return max(1 - table.distinct(keep) / n, 0.0) if n else Undefined("there are no records")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By a set of contents."""
        return 1 - len({row["content_id"] for row in rows}) / len(rows) if rows else None


EXAMPLE = Example(records=["a", "a", "b"], value=1 / 3)
