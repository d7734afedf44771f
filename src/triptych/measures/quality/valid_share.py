"""Valid share: records without any of the six defects, over all records.

Defects are empty, truncated, refusal, prompt_echo, repetition_loop and broken_encoding, each found without a model.
Source: rules of this project. Unit: ratio, range 0..1. Exact; O(n). Interval: Wilson, at 0 and 1 too.

Says that nothing is visibly broken, not that anything is right. Confounded by genre (poems and code end without a full
stop) and by language: refusal and prompt_echo are rules for English.

Worked example: three sound records and an empty one: 3 of 4 = 0.75.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import Text
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.statistics.flags import FlagCounts


@measure(
    axis="quality",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    interval="share",
    source="rules of this project",
    confounders=("genre", "language", "a valid record can be wrong"),
    headline=({},),
)
class ValidShare(Measure):
    """Share of records without a defect."""

    on: Text = "response"

    def statistic(self) -> FlagCounts:
        """Counts of defects."""
        return FlagCounts(f"defects@{self.on}")

    def value(self, flags: FlagCounts, keep: Mask) -> float | Undefined:
        """Records without a defect over records."""
        n = flags.records(keep)
        return flags.clear(keep) / n if n else Undefined("there are no records")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Counted one by one."""
        return sum(not row[f"defects@{self.on}"] for row in rows) / len(rows) if rows else None


EXAMPLE = Example(
    records=["The sky is blue today.", "Water boils when it is hot.", "", "Four and four make eight."],
    value=0.75,
)
