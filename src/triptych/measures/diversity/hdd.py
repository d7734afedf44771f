"""HD-D of the set: the expected share of different n-grams among `draws` n-grams drawn from all records.

    Σ over n-grams of [1 - C(N - k, draws) / C(N, draws)] / draws,  k occurrences of the n-gram, N of all

McCarthy & Jarvis 2007, 2010 draw 42 tokens from one text to compare texts of different length; drawn from the whole set, the
same formula compares sets of different size: distinct_n falls with size and length, this does not (Hurlbert 1971 has it for
species). The mean HD-D of single records is the measure `lexical_diversity`.

Unit: ratio, range 1/draws..1, higher is more diverse. Exact up to hash collisions; reads the table of `distinct_n`. Few draws
weigh common n-grams, many draws rare ones: only equal draws compare. Confounded by the tokenizer and the genre; draws mix the
records, so it does not see which n-grams stand in one record.

Worked example: records "a a" and "b", n = 1, 2 draws of C(3, 2) = 3 pairs: aa, ab, ab. "a" is in all, "b" in 2 of 3:
(1 + 2/3) / 2 = 0.8333.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import comb

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import grams, kept
from triptych.statistics.occupancy import expected_different
from triptych.statistics.tables import NGramTable


@measure(
    axis="diversity",
    title="HD-D of the set",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    source="McCarthy & Jarvis 2007, 2010 (HD-D); Hurlbert 1971 (Ecology 52, 577-586)",
    confounders=("tokenizer", "genre", "number of draws"),
    panel=(),
)
class Hdd(Measure):
    """Expected different n-grams among a fixed number drawn from the set, over that number."""

    n: int = 1
    draws: int = 1000
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if not 2 <= self.draws <= 100_000:
            raise ValueError(f"draws must lie in 2..100000, got {self.draws}")

    def statistic(self) -> NGramTable:
        """n-grams by group; `distinct_n` reads the same table."""
        return NGramTable(n=self.n, on=self.on, where="valid" if self.valid_only else "all")

    def value(self, table: NGramTable, keep: Mask) -> float | Undefined:
        """The expectation over draws from the kept groups."""
        if table.total(keep) < self.draws:
            return Undefined(f"the records have {table.total(keep):,} n-grams, {self.draws:,} are drawn")
        return min(expected_different(table, keep, self.draws) / self.draws, 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """The formula with whole numbers."""
        found = Counter(gram for row in kept(rows, self.valid_only) for gram in grams(row[f"tokens@{self.on}"], self.n))
        total, number = found.total(), Counter(found.values())
        if total < self.draws:
            return None
        ways = comb(total, self.draws)
        seen = sum(times * (1 - Fraction(comb(total - k, self.draws), ways)) for k, times in number.items())
        return float(seen / self.draws)


EXAMPLE = Example(records=["a a", "b"], params={"draws": 2}, value=5 / 6)
