"""Quality-weighted Vendi score: the mean quality times the effective number of different records.

    mean(q_i) · Vendi_q,   q_i = label / top, in 0..1

over the records that have both a vector and the label. Nguyen & Dieng 2024 (arXiv 2405.02449). Unit: effective records,
range 0..∞, higher is better: n different records of quality 1 score n, of quality 0 score 0. A label that is not in
0..`top` is no weight: there is no value then. Cost: that of `vendi`, O(n d² + d³).

One number for two axes hides which of them moved: read `label_mean` and `vendi` beside it. It is a product of means, so a
set whose good records are all alike scores like one whose good records differ. Confounded by all that moves those two:
the labeller, the encoder, and the number of records, with which it grows. The interval is conditional on the encoder.

Worked example: vectors (1, 0), (1, 0), (0, 1) of quality 1, 1/2, 0, order 2: 1/2 · 1.8 = 0.9.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.diversity.vendi import effective_number
from triptych.measures.reference import dot, kept, mean, numbers, unit_vectors
from triptych.statistics.scored_gram import ScoredGram


@measure(
    axis="diversity",
    title="Quality-weighted Vendi score",
    unit="effective records",
    bounds=(0.0, float("inf")),
    better="higher",
    interval="growing",
    source="Nguyen & Dieng 2024 (arXiv 2405.02449)",
    confounders=("number of records", "encoder", "the labeller's taste", "labels missing not at random"),
    panel=(),
)
class WeightedVendi(Measure):
    """Mean of the label `field`, as a share of `top`, times the Vendi score of order q."""

    field: str = ""
    top: float = 1.0
    q: float = 1.0
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError("name the label field, as in weighted_vendi:field=score")
        if not 0 < self.top < float("inf"):
            raise ValueError(f"top, the label of a perfect record, must be above 0; got {self.top:g}")
        if not self.q >= 0:
            raise ValueError(f"the order q must be 0 or more, or inf; got {self.q:g}")

    def statistic(self) -> ScoredGram:
        """Gram matrices and label of the records that have both."""
        return ScoredGram(self.field, self.top, self.on, where="valid" if self.valid_only else "all")

    def value(self, scored: ScoredGram, keep: Mask) -> float | Undefined:
        """The mean label times the Vendi score."""
        if not scored.records(keep):
            return Undefined(f'no record has a vector and a label "{self.field}"')
        if outside := scored.outside(keep):
            return Undefined(
                f'{outside:,} labels "{self.field}" are not in 0..{self.top:g}: name the label of a perfect record, as in '
                f"weighted_vendi:field={self.field},top=5"
            )
        number = 1 / scored.gram.purity(keep) if self.q == 2 else effective_number(scored.gram.spectrum(keep), self.q)
        return max(scored.label.mean(keep), 0.0) / self.top * max(number, 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """From the n × n matrix of cosines."""
        vector, label = f"embedding@{self.on}", f"label.{self.field}"
        both = [row for row in kept(rows, self.valid_only) if unit_vectors([row], vector) and numbers([row], label)]
        quality, vectors = numbers(both, label), unit_vectors(both, vector)
        average = mean(quality)
        if average is None or min(quality) < 0 or max(quality) > self.top:
            return None
        cosines = np.array([[dot(a, b) for a in vectors] for b in vectors])
        number = effective_number(np.linalg.eigvalsh(cosines / len(vectors)), self.q)
        return average / self.top * (1 / float(np.mean(cosines**2)) if self.q == 2 else number)


EXAMPLE = Example(
    records=[
        {"response": text, "embedding@response": vector, "label.score": score}
        for text, vector, score in (("a", [1, 0], 1.0), ("a", [1, 0], 0.5), ("b", [0, 1], 0.0))
    ],
    params={"field": "score", "q": 2.0},
    value=0.9,
)
