"""Preference margin: how much higher the preferred responses score than the others.

    mean score of records with `by` = 1, less the mean score of records with `by` = 0

Over pairs of chosen and rejected, each with a score, that is the mean of chosen - rejected. A small margin means that the
scorer and the preference hardly agree, or that pairs are hard; a negative one that labels may be swapped. Source:
definition; trainers of preferences print it as the reward margin.

Unit: that of the score, range: all numbers, higher is clearer. Exact; O(n). Records without a score or a preference are not
counted. Confounded by the scale of the score, by length where the scorer or the preference follows it (see
`preference_length_bias`), and by the scorer that made the preferences: then the margin is true by construction. The
interval is plain; pairs of one row share a group, so their covariance counts.

Worked example: chosen score 4 and 3, rejected 2 and 3: 3.5 - 2.5 = 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.preferred import difference, preferred_gap
from triptych.statistics.comoments import CoMoments


@measure(
    axis="quality",
    unit="label",
    bounds=(float("-inf"), float("inf")),
    better="higher",
    source="definition",
    confounders=("scale of the score", "length", "preferences that the scorer itself made"),
    panel=(),
)
class PreferenceMargin(Measure):
    """Mean of the label `field` among preferred records less that among the others."""

    field: str = ""
    by: str = "preference"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError("name the score that is compared, as in preference_margin:field=score")

    def statistic(self) -> CoMoments:
        """Joint moments of the preference and the score."""
        return CoMoments(f"label.{self.by}", f"label.{self.field}")

    def value(self, moments: CoMoments, keep: Mask) -> float | Undefined:
        """The slope on a preference of 0 or 1."""
        return preferred_gap(moments, keep, self.by)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Two means."""
        return difference([(row[f"label.{self.by}"], row[f"label.{self.field}"]) for row in rows])


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text, "label.score": score, "label.other": preferred}
        for prompt, text, score, preferred in (("A", "1", 4, 1), ("A", "2", 2, 0), ("B", "3", 3, 1), ("B", "4", 3, 0))
    ],
    params={"field": "score", "by": "other"},
    value=1.0,
)
