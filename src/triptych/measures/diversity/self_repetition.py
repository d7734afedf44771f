"""Self-repetition: how often the n-grams of a record stand in other records.

    mean over records of log(1 + Σ over the record's different n-grams of the number of other records that hold it)

Salkar et al. 2022; Shaib et al. 2024 (arXiv 2403.00553). Unit: nats, range 0 upwards, lower is more diverse. Read on at
most 65,536 records, counted against all. Grows with the number of records and with length: read it at a common n. Records
shorter than n tokens are not counted.

Worked example: "a b c d", "a b c d", "v w x y", n = 4: log 2, log 2, 0; mean 0.4621.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import grams, mean
from triptych.statistics.vectors import GroupVectors


@measure(
    axis="diversity",
    unit="nats",
    bounds=(0.0, float("inf")),
    better="lower",
    interval="growing",
    source="Salkar et al. 2022; Shaib et al. 2024 (arXiv 2403.00553)",
    confounders=("number of records", "length"),
)
class SelfRepetition(Measure):
    """Mean log of 1 + occurrences of a record's n-grams in other records."""

    n: int = 4
    on: On = "response"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")

    def statistic(self) -> GroupVectors:
        """What each record shares with each group."""
        return GroupVectors(f"repeats:n={self.n}@{self.on}")

    def value(self, vectors: GroupVectors, keep: Mask) -> float | Undefined:
        """Recounted within the kept groups."""
        if not vectors.records(keep):
            return Undefined(f"no record has {self.n} tokens")
        return float(np.mean(np.log1p(vectors.totals(keep))))

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Every record against every other."""
        sets = [set(grams(row[f"tokens@{self.on}"], self.n)) for row in rows]
        sets = [each for each in sets if each]
        return mean(
            [
                math.log(1 + sum(len(own & other) for j, other in enumerate(sets) if j != i))
                for i, own in enumerate(sets)
            ]
        )


EXAMPLE = Example(records=["a b c d", "a b c d", "v w x y"], value=2 * math.log(2) / 3)
