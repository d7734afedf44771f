"""Expectation-adjusted distinct: different n-grams over the number expected of uniform draws from a vocabulary.

    EAD = N / (V (1 - ((V - 1)/V)^C)),  N different n-grams of C in all, V the size of the vocabulary

Liu et al. 2022 (arXiv 2202.13587). Unit: ratio to the expectation, range 0 upwards (about 1 for uniform draws; above 1 is
possible, and for n > 1 likely, as V stays that of single tokens), higher is more diverse. Made to take length out of
distinct-n. It does so where words are uniform; natural text is not, so EAD still falls slowly with size. Cost: that of
distinct-n, whose table it shares.

Worked example: tokens "a b a", n = 1, V = 2: N = 2, C = 3, 2 / (2 · (1 - 1/8)) = 1.142857.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import grams, kept
from triptych.statistics.tables import NGramTable


@measure(
    axis="diversity",
    title="Expectation-adjusted distinct",
    unit="ratio to expectation",
    bounds=(0.0, float("inf")),
    better="higher",
    interval="growing",
    source="Liu et al. 2022 (arXiv 2202.13587)",
    confounders=("number of tokens", "tokenizer and its vocabulary"),
)
class Ead(Measure):
    """Different n-grams over those expected of uniform draws."""

    n: int = 1
    vocabulary: int = 30522
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if self.vocabulary < 2:
            raise ValueError(f"vocabulary must be at least 2, got {self.vocabulary}")

    def statistic(self) -> NGramTable:
        """n-grams by group; `distinct_n` reads the same table."""
        return NGramTable(n=self.n, on=self.on, where="valid" if self.valid_only else "all")

    def value(self, table: NGramTable, keep: Mask) -> float | Undefined:
        """Different n-grams over those expected."""
        total = table.total(keep)
        if not total:
            return Undefined(f"no record has {self.n} tokens")
        expected = -self.vocabulary * math.expm1(total * math.log1p(-1 / self.vocabulary))
        return table.distinct(keep) / expected

    def reference(self, rows: Sequence[Row]) -> float | None:
        """The formula as printed."""
        found = [gram for row in kept(rows, self.valid_only) for gram in grams(row[f"tokens@{self.on}"], self.n)]
        v = self.vocabulary
        return len(set(found)) / (v * (1 - ((v - 1) / v) ** len(found))) if found else None


EXAMPLE = Example(records=["a b a"], params={"n": 1, "vocabulary": 2}, value=8 / 7)
