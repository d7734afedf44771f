"""Label kappa: agreement of two label fields beyond what chance gives.

    (p_o - p_e) / (1 - p_e),  p_o the share of equal labels, p_e = Σ_v share_1(v) · share_2(v)

Cohen 1960, "A coefficient of agreement for nominal scales". 1: always equal; 0: no more than labels dealt at random with
the same frequencies; below 0: less. Unit: kappa, range -1..1. Exact. Records that lack one of the
labels are not counted. Undefined where both fields have one and the same value throughout: then chance alone gives
agreement. Confounded by rare values (kappa falls with prevalence at equal error rates), and by scores on a fine scale: a
near miss counts as a miss (see `label_rank_correlation`). The interval is plain (a smooth function of shares).

Worked example: labels (1, 1), (1, 1), (0, 0), (0, 1): p_o = .75, p_e = .5 · .75 + .5 · .25 = .5: 0.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.label_fields import both_labels, check_two, no_pair
from triptych.statistics.label_pairs import LabelPairs


@measure(
    axis="quality",
    unit="kappa",
    bounds=(-1.0, 1.0),
    better="higher",
    source="Cohen 1960",
    confounders=("rare values", "near misses on a fine scale"),
    panel=(),
)
class LabelKappa(Measure):
    """Cohen's kappa of the labels `field` and `against`."""

    field: str = ""
    against: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_two("label_kappa", self.field, self.against)

    def statistic(self) -> LabelPairs:
        """Counts of pairs; `label_agreement` reads the same."""
        return LabelPairs(f"label.{self.field}", f"label.{self.against}")

    def value(self, pairs: LabelPairs, keep: Mask) -> float | Undefined:
        """Agreement beyond chance over what chance leaves."""
        if not pairs.records(keep):
            return no_pair(self.field, self.against)
        chance = pairs.chance(keep)
        if chance >= 1:
            return Undefined("both labels have one and the same value throughout")
        return (pairs.equal(keep) - chance) / (1 - chance)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By counting values."""
        found = both_labels(rows, self.field, self.against)
        n = len(found)
        first, second = Counter(x for x, _ in found), Counter(y for _, y in found)
        by_chance = sum(first[value] * second[value] for value in first)
        if by_chance == n * n:
            return None
        return (n * sum(x == y for x, y in found) - by_chance) / (n * n - by_chance)


EXAMPLE = Example(
    records=[
        {"response": text, "label.score": x, "label.other": y}
        for text, x, y in (("a", 1.0, 1.0), ("b", 1.0, 1.0), ("c", 0.0, 0.0), ("d", 0.0, 1.0))
    ],
    params={"field": "score", "against": "other"},
    value=0.5,
)
