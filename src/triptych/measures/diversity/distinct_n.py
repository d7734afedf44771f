"""Distinct-n: the share of n-grams that are different.

Li et al. 2016 (arXiv 1510.03055). Unit: ratio, range 0..1, higher is more diverse. n-grams of tokens; they never cross
records. Exact up to 59-bit hash collisions; O(different n-grams) memory, a sample with a stated bound beyond four
million. Falls with the number of records and with length: read it at a common n, or read `ead`.

Worked example: records "a b a" and "a b", n = 2: bigrams ab, ba, ab; 2 different of 3 = 0.667.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import grams, kept
from triptych.statistics.tables import NGramTable


@measure(
    axis="diversity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    interval="growing",
    source="Li et al. 2016 (arXiv 1510.03055)",
    confounders=("number of records", "length", "tokenizer"),
    panel=({"n": 1}, {"n": 2}, {"n": 3}),
)
class DistinctN(Measure):
    """Different n-grams over n-grams."""

    n: int = 2
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")

    def statistic(self) -> NGramTable:
        """n-grams by group; `ead` reads the same table."""
        return NGramTable(n=self.n, on=self.on, where="valid" if self.valid_only else "all")

    def value(self, table: NGramTable, keep: Mask) -> float | Undefined:
        """Different n-grams over n-grams in the kept groups."""
        total = table.total(keep)
        return min(table.distinct(keep) / total, 1.0) if total else Undefined(f"no record has {self.n} tokens")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By a set of n-grams."""
        found = [gram for row in kept(rows, self.valid_only) for gram in grams(row[f"tokens@{self.on}"], self.n)]
        return len(set(found)) / len(found) if found else None


EXAMPLE = Example(records=["a b a", "a b"], params={"n": 2}, value=2 / 3)
