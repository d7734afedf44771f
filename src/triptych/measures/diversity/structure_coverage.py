"""Structure coverage: different structures over records.

A record's structure is its structure field or, failing one, its template (see effective_structures). Source: the coverage
of tags in Lu et al. 2023 (arXiv 2308.07074), without a vocabulary. Unit: ratio, range 0..1, higher is more diverse: 1 when
no two records share a structure. Exact up to hash collisions. Falls with the number of records: read it at a common n.

Worked example: templates A, A, B, B: 2 of 4 = 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import Text
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept
from triptych.statistics.tables import ColumnTable


@measure(
    axis="diversity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    interval="pairs",
    source="after Lu et al. 2023 (arXiv 2308.07074)",
    confounders=("number of records", "what a template masks"),
)
class StructureCoverage(Measure):
    """Different structures over records."""

    on: Text = "prompt"
    valid_only: bool = True

    def statistic(self) -> ColumnTable:
        """Structures by group; `effective_structures` reads the same."""
        return ColumnTable(column=f"template@{self.on}", where="valid" if self.valid_only else "all")

    def value(self, table: ColumnTable, keep: Mask) -> float | Undefined:
        """Different structures over records that have one."""
        n = table.total(keep)
        return min(table.distinct(keep) / n, 1.0) if n else Undefined("no record has a structure")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By a set of structures."""
        column = f"template@{self.on}"
        found = [row[column] for row in kept(rows, self.valid_only) if row[column] is not None]
        return len(set(found)) / len(found) if found else None


EXAMPLE = Example(
    records=[
        {"prompt": f"Add {i} apples." if i < 3 else f"What is the square of {i}?", "response": "Four."}
        for i in range(1, 5)
    ],
    value=0.5,
)
