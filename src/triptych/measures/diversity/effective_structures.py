"""Effective structures: the number of equally common structures that would have the same entropy.

    exp(-Σ p log p),  p the shares of the structures

A record's structure is its structure field or, failing one, its template: the text with digits, quoted strings, names and
long literals masked. Lu et al. 2023 (arXiv 2308.07074) count tags so; counting only valid records is the honest form
(2504.12522). Unit: effective structures, range 1..∞, higher is more diverse. Exact up to hash collisions; O(different
structures) memory. Grows with the number of records while new structures keep coming: read it at a common n. Confounded
by what the mask leaves in (a synonym makes a new template).

Worked example: templates A, A, B, B: exp(log 2) = 2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from triptych.core.batch import Text
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept
from triptych.statistics.tables import ColumnTable


@measure(
    axis="diversity",
    unit="effective structures",
    bounds=(1.0, float("inf")),
    better="higher",
    interval="effective",
    source="Lu et al. 2023 (arXiv 2308.07074); arXiv 2504.12522",
    confounders=("number of records", "what a template masks"),
    headline=({},),
)
class EffectiveStructures(Measure):
    """Structures, counted by the exponential of their entropy."""

    on: Text = "prompt"
    valid_only: bool = True

    def statistic(self) -> ColumnTable:
        """Structures by group."""
        return ColumnTable(column=f"template@{self.on}", where="valid" if self.valid_only else "all")

    def value(self, table: ColumnTable, keep: Mask) -> float | Undefined:
        """The exponential of the entropy."""
        if not table.total(keep):
            return Undefined("no record has a structure")
        return math.exp(table.entropy(keep))

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By counting structures."""
        column = f"template@{self.on}"
        counts = Counter(row[column] for row in kept(rows, self.valid_only) if row[column] is not None)
        total = sum(counts.values())
        return math.exp(-sum(c / total * math.log(c / total) for c in counts.values())) if total else None


EXAMPLE = Example(
    records=[
        {"prompt": f"Add {i} apples." if i < 3 else f"What is the square of {i}?", "response": "Four."}
        for i in range(1, 5)
    ],
    value=2.0,
)
