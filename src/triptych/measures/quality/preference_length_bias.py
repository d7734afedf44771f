"""Preference length bias: how much longer the preferred responses are, as a log ratio.

    mean log length of records with `by` = 1, less the mean log length of records with `by` = 0

Over pairs of chosen and rejected that is the mean of log(chosen/rejected): 0 where length does not matter, .1 where chosen
responses are about 10 % longer, -.7 where half as long. Singhal et al. 2023 (arXiv 2310.03716) show how far a reward
learnt from such pairs is a reward for length. Unit: log ratio, range: all numbers; neither direction is better, 0 is free
of length. Exact; O(n). Records without tokens or a preference are not counted. Confounded by the tokenizer, and not
always a defect: a longer answer can be the better one. The interval is plain, as for `preference_margin`.

Worked example: chosen 20 and 5 tokens, rejected 10 and 5: (log 2 + log 1)/2 = 0.347.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.preferred import difference, preferred_gap
from triptych.statistics.comoments import CoMoments


@measure(
    axis="quality",
    unit="log ratio",
    bounds=(float("-inf"), float("inf")),
    better="neither",
    source="Singhal et al. 2023 (arXiv 2310.03716)",
    confounders=("tokenizer", "longer answers that are better"),
    panel=(),
)
class PreferenceLengthBias(Measure):
    """Mean log length of preferred responses less that of the others."""

    by: str = "preference"

    def statistic(self) -> CoMoments:
        """Joint moments of the preference and the log of the length."""
        return CoMoments(f"label.{self.by}", "length@response", log_y=True)

    def value(self, moments: CoMoments, keep: Mask) -> float | Undefined:
        """The slope on a preference of 0 or 1."""
        return preferred_gap(moments, keep, self.by)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Two means."""
        lengths = [row["length@response"] for row in rows]
        logs = [math.log(length) if length else None for length in lengths]
        return difference([(row[f"label.{self.by}"], log) for row, log in zip(rows, logs, strict=True)])


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text, "length@response": length, "label.other": preferred}
        for prompt, text, length, preferred in (
            ("A", "1", 20, 1),
            ("A", "2", 10, 0),
            ("B", "3", 5, 1),
            ("B", "4", 5, 0),
        )
    ],
    params={"by": "other"},
    value=math.log(2) / 2,
)
