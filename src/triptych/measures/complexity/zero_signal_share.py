"""Zero-signal share: how often `k` responses to a prompt are all right or all wrong.

    mean over prompts of [C(c, k) + C(n - c, k)] / C(n, k),  n labelled responses, c of them right, n ≥ k

The chance that k of the responses of a prompt, drawn without replacement, agree: such a group has no advantage and gives
no gradient to training by group-relative reward, which is why dynamic sampling leaves it out (Yu et al. 2025, DAPO,
arXiv 2503.14476). At k = n it is the plain share of prompts that are always or never solved; a fixed k makes sets with
different numbers of responses comparable (the form is unbiased, as that of pass@k, Chen et al. 2021, arXiv 2107.03374).

Unit: ratio, range 0..1, lower is better. n counts prompts; those of fewer than k labelled responses are not counted.
Exact; O(n) time, O(prompts) memory. Confounded by k itself (name that of the training run), by the model that answered
and by noise in the verdicts. Interval: that of a share where all prompts have exactly k responses, else plain.

Worked example, k = 2: prompt A solved 1 of 2 times: 0; B 2 of 3 times: C(2, 2)/C(3, 2) = 1/3; mean 1/6 = 0.167.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask, everything
from triptych.core.interval import Kind
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.prompt_verdicts import tallied, verdicts
from triptych.measures.reference import mean
from triptych.statistics.tallies import PromptTallies


@measure(
    axis="complexity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="lower",
    source="Yu et al. 2025 (arXiv 2503.14476); Chen et al. 2021 (arXiv 2107.03374)",
    confounders=("the number k of responses", "the model that answered", "noise in the verdicts"),
    panel=(),
)
class ZeroSignalShare(Measure):
    """Mean over prompts of the chance that `k` responses are all right or all wrong."""

    field: str = ""
    k: int = 4
    at: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError("name the label field that says what is right, as in zero_signal_share:field=correct")
        if self.k < 2:
            raise ValueError(f"k must be at least 2, got {self.k}")

    def statistic(self) -> PromptTallies:
        """Responses and right ones by prompt, of prompts with at least k."""
        return PromptTallies(f"label.{self.field}", at=self.at, least=self.k)

    def value(self, tallies: PromptTallies, keep: Mask) -> float | Undefined:
        """The mean over prompts."""
        counts = tallied(tallies, keep)
        if isinstance(counts, Undefined):
            return counts
        n, solved = counts.T
        chance = _all_drawn(solved, n, self.k) + _all_drawn(n - solved, n, self.k)
        return min(float(np.mean(chance)), 1.0)

    def interval_kind(self, tallies: PromptTallies) -> Kind:
        """With exactly k responses each, every prompt is 0 or 1: a share."""
        counts = tallies.counts(everything())
        return "share" if bool(np.all(counts[:, 0] == self.k)) else "plain"

    def reference(self, rows: Sequence[Row]) -> float | None:
        """All ways to draw k of the responses of a prompt."""
        found = []
        for seen in verdicts(rows, self.field, self.at, self.k):
            draws = [all(draw) or not any(draw) for draw in combinations(seen, self.k)]
            found.append(math.fsum(draws) / len(draws))
        return mean(found)


def _all_drawn(marked: NDArray[np.int64], n: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Probability that k drawn of n without replacement are all marked, element by element."""
    chance = np.ones(len(n))
    for drawn in range(k):
        chance *= np.maximum(marked - drawn, 0) / (n - drawn)
    return chance


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text, "label.score": score}
        for prompt, text, score in (("A", "1", 1), ("A", "2", 0), ("B", "3", 1), ("B", "4", 1), ("B", "5", 0))
    ],
    params={"field": "score", "k": 2},
    value=1 / 6,
)
