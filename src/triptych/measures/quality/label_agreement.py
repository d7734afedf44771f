"""Label agreement: the share of records to which two label fields give the same value.

Of a judge and a verifier, of two annotators, of a label and its re-run. Source: definition. Unit: ratio, range 0..1. Exact;
O(n log n) time, O(different pairs) memory. Records that lack one of the labels are not counted. Confounded by how common
each value is: two labellers who say "good" to .90 of the records agree on .82 by chance (see `label_kappa`); and by the
scales: of 0-1 against 1-10 little can be equal (see `label_rank_correlation`). Interval: Wilson, as for a share.

Worked example: labels (1, 1), (0, 1), (0, 0), (1, none): 2 of 3 = 0.667.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.label_fields import both_labels, check_two, no_pair
from triptych.statistics.label_pairs import LabelPairs


@measure(
    axis="quality",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    interval="share",
    source="definition",
    confounders=("how common each value is", "scales that differ"),
    panel=(),
)
class LabelAgreement(Measure):
    """Share of records whose labels `field` and `against` are equal."""

    field: str = ""
    against: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_two("label_agreement", self.field, self.against)

    def statistic(self) -> LabelPairs:
        """Counts of pairs; `label_kappa` and `label_rank_correlation` read the same."""
        return LabelPairs(f"label.{self.field}", f"label.{self.against}")

    def value(self, pairs: LabelPairs, keep: Mask) -> float | Undefined:
        """Equal pairs over pairs."""
        if not pairs.records(keep):
            return no_pair(self.field, self.against)
        return pairs.equal(keep)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Compared one by one."""
        found = both_labels(rows, self.field, self.against)
        return sum(x == y for x, y in found) / len(found) if found else None


EXAMPLE = Example(
    records=[
        {"response": text, "label.score": x, "label.other": y}
        for text, x, y in (("a", 1.0, 1.0), ("b", 0.0, 1.0), ("c", 0.0, 0.0), ("d", 1.0, None))
    ],
    params={"field": "score", "against": "other"},
    value=2 / 3,
)
