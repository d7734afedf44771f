"""Learnability: the mean over prompts of p(1 - p), p the probability that a prompt is solved.

    mean over prompts of c(n - c) / (n(n - 1)),  n labelled responses, c of them with a label of at least `at`

The variance of success: 0 where a prompt is always or never solved, most where it is solved half of the time. c/n in the
place of p would be too low by a factor (n - 1)/n; this form is unbiased for every n, so sets with different numbers of
responses can be compared. Foster et al. 2025 (arXiv 2502.12272), after Rutherford et al. 2024 (arXiv 2408.15099).

Unit: variance, range 0..0.5 (a single prompt of two responses can have 0.5; the mean of many stays below 0.25), higher is
more signal for training by reward. n counts prompts. Exact; O(n) time, O(prompts) memory. Confounded by the model that
answered and by noise in the verdicts, which looks like learnability. Interval: see `solve_rate`.

Worked example: prompt A solved 1 of 2 times: 1·1/(2·1) = .5; B 2 of 2: 0; mean 0.25.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.prompt_verdicts import tallied, verdicts
from triptych.measures.reference import mean
from triptych.statistics.tallies import PromptTallies


@measure(
    axis="complexity",
    unit="variance",
    bounds=(0.0, 0.5),
    better="higher",
    source="Foster et al. 2025 (arXiv 2502.12272); Rutherford et al. 2024 (arXiv 2408.15099)",
    confounders=("the model that answered", "noise in the verdicts"),
    panel=(),
)
class Learnability(Measure):
    """Mean over prompts of the variance of success."""

    field: str = ""
    at: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError("name the label field that says what is right, as in learnability:field=correct")

    def statistic(self) -> PromptTallies:
        """Responses and right ones by prompt; `solve_rate` reads the same."""
        return PromptTallies(f"label.{self.field}", at=self.at)

    def value(self, tallies: PromptTallies, keep: Mask) -> float | Undefined:
        """The mean over prompts."""
        counts = tallied(tallies, keep)
        if isinstance(counts, Undefined):
            return counts
        n, solved = counts.T.astype(np.float64)
        return float(np.mean(solved * (n - solved) / (n * (n - 1))))

    def reference(self, rows: Sequence[Row]) -> float | None:
        """The share of ordered pairs of responses of which the first is right and the second is wrong."""
        found = []
        for seen in verdicts(rows, self.field, self.at, 2):
            pairs = list(permutations(seen, 2))
            found.append(sum(first and not second for first, second in pairs) / len(pairs))
        return mean(found)


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text, "label.score": score}
        for prompt, text, score in (("A", "1", 1), ("A", "2", 0), ("B", "3", 1), ("B", "4", 1))
    ],
    params={"field": "score"},
    value=0.25,
)
