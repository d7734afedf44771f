"""Near-duplicate rate: the share of records that nearly repeat a record of lower rank.

Two records are near-duplicates when the Jaccard similarity of their sets of n-grams of tokens is at least `threshold`
(Broder 1997). A record counts when one of its near-duplicates has a lower rank, the rank being a hash of the address: of
a pair one record counts, of m copies m - 1, as de-duplication in random order would flag. A record shorter than n tokens
is one n-gram; records without tokens are not counted.

Unit: ratio, range 0..1, lower is better. Found by MinHash (128 functions: the similarity has a standard error of at most
.044). Grows with the number of records. "Duplicate" without n and threshold means nothing: other definitions found 12 or
5,310 in the same 51,941 records.

Worked example: "a b c d e", the same again, "v w x y z": 1 of 3 = 0.333.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import grams
from triptych.statistics.vectors import PatternCounts


@measure(
    axis="diversity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="lower",
    interval="pairs",
    source="Broder 1997",
    confounders=("number of records", "length: short records repeat more easily", "shared boilerplate"),
)
class NearDuplicateRate(Measure):
    """Share of records with a near-duplicate of lower rank."""

    n: int = 5
    threshold: float = 0.8
    on: On = "both"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if not 0.5 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie in 0.5..1, got {self.threshold:g}")

    def statistic(self) -> PatternCounts:
        """Groups of the near-duplicates of lower rank."""
        return PatternCounts(f"near_duplicates:n={self.n},threshold={self.threshold:g}@{self.on}")

    def value(self, patterns: PatternCounts, keep: Mask) -> float | Undefined:
        """Records that repeat another kept record, over records with tokens."""
        n = patterns.records(keep)
        return patterns.touching(keep) / n if n else Undefined("no record has tokens")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """All pairs of records."""
        texts = [(row["address"], row[f"tokens@{self.on}"]) for row in rows if row[f"tokens@{self.on}"]]
        sets = [(address, set(grams(tokens, self.n)) or {tuple(tokens)}) for address, tokens in texts]
        repeats = [any(rank < own and len(a & b) >= self.threshold * len(a | b) for rank, b in sets) for own, a in sets]
        return sum(repeats) / len(repeats) if repeats else None


EXAMPLE = Example(records=["a b c d e", "a b c d e", "v w x y z"], value=1 / 3)
