"""Defect rate: records with one given defect, over all records.

One of empty, truncated, refusal, prompt_echo, repetition_loop, broken_encoding. Source: rules of this project. Unit:
ratio, range 0..1, lower is better. Exact; O(n). Interval: Wilson, so a rate of 0 of n has an upper end.

Precision comes before recall: read it as a lower bound. Confounded by genre and language (see valid_share).

Worked example: one empty record of four: 0.25.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import Text
from triptych.core.errors import nearest
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.statistics.flags import FlagCounts

DEFECTS = ("empty", "truncated", "refusal", "prompt_echo", "repetition_loop", "broken_encoding")
"""Bit i of the column `defects@on` is DEFECTS[i]."""


@measure(
    axis="quality",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="lower",
    interval="share",
    source="rules of this project",
    confounders=("genre", "language"),
    panel=tuple({"kind": kind} for kind in DEFECTS),
)
class DefectRate(Measure):
    """Share of records with one kind of defect."""

    kind: str = "empty"
    on: Text = "response"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in DEFECTS:
            near = nearest(self.kind, DEFECTS)
            raise ValueError(
                f'no defect is named "{self.kind}"'
                + (f'; did you mean "{near}"?' if near else "")
                + f" Known: {', '.join(DEFECTS)}."
            )

    def statistic(self) -> FlagCounts:
        """Counts of defects."""
        return FlagCounts(f"defects@{self.on}")

    def value(self, flags: FlagCounts, keep: Mask) -> float | Undefined:
        """Records with the defect over records."""
        n = flags.records(keep)
        return flags.carrying(DEFECTS.index(self.kind), keep) / n if n else Undefined("there are no records")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Counted one by one."""
        bit = 2 ** DEFECTS.index(self.kind)
        return sum((row[f"defects@{self.on}"] or 0) // bit % 2 for row in rows) / len(rows) if rows else None


EXAMPLE = Example(
    records=["The sky is blue today.", "Water boils when it is hot.", "", "Four and four make eight."],
    value=0.25,
)
