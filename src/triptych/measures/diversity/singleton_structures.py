"""Singleton structures: structures that occur just once, over records (Good-Turing's unseen mass) or over structures.

    per=records: f1 / n        per=structures: f1 / different structures        f1 structures that occur once, n records

Over records it estimates how probable it is that one more record of the same source brings a structure that is not there yet
(Good 1953, Biometrika 40, with Turing): near 1, the set has hardly begun to show what its source can do; near 0, more of the
same adds nothing new. The estimate is for the next record, with a bias of at most 1/n.

A record's structure is its structure field or, failing one, its template (see effective_structures). Unit: ratio, range 0..1.
Neither end is good by itself: all structures can be new because they are varied, or because they are noise. Exact up to hash
collisions; reads the table of `effective_structures`. Falls with the number of records: read it at a common n.

Worked example: templates A, A, B: one singleton of 3 records = 0.333, of 2 structures 0.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from triptych.core.batch import Text
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept
from triptych.statistics.occupancy import once
from triptych.statistics.tables import ColumnTable


@measure(
    axis="diversity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="neither",
    interval="pairs",
    source="Good 1953 (Biometrika 40, 237-264)",
    confounders=("number of records", "what a template masks", "noise: broken records are new"),
    panel=(),
)
class SingletonStructures(Measure):
    """Structures that occur once, over records or over structures."""

    per: Literal["records", "structures"] = "records"
    on: Text = "prompt"
    valid_only: bool = True

    def statistic(self) -> ColumnTable:
        """Structures by group; `effective_structures` reads the same."""
        return ColumnTable(column=f"template@{self.on}", where="valid" if self.valid_only else "all")

    def value(self, table: ColumnTable, keep: Mask) -> float | Undefined:
        """Singletons over records, or over structures."""
        n = table.total(keep)
        if not n:
            return Undefined("no record has a structure")
        return min(once(table, keep) / (n if self.per == "records" else table.distinct(keep)), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By counting structures."""
        column = f"template@{self.on}"
        found = Counter(row[column] for row in kept(rows, self.valid_only) if row[column] is not None)
        if not found:
            return None
        single = sum(k == 1 for k in found.values())
        return single / (found.total() if self.per == "records" else len(found))


EXAMPLE = Example(
    records=[
        {"prompt": f"Add {i} apples." if i < 3 else f"What is the square of {i}?", "response": "Four."}
        for i in range(1, 4)
    ],
    value=1 / 3,
)
