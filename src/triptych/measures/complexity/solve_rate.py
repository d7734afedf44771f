"""Solve rate: the mean over prompts of the share of responses that are right.

    mean over prompts of c/n,  n labelled responses, c of them with a label of at least `at`

How easy the prompts are for whoever answered: the lower, the harder. Prompts of one labelled response are not counted,
and n counts prompts. Unit: ratio, range 0..1. Exact; O(n) time, O(prompts) memory. Source: definition, as in pass@1
(Chen et al. 2021, arXiv 2107.03374). Confounded by the model that answered (it is its solve rate, no property of the
prompt alone), by false verdicts, and by a filter that kept right answers only. Every prompt counts once, however many
responses it has. The interval is plain, with prompts as the unit. Undefined where more than 5 % of the prompts have nothing
but identical responses that grouping dealt singly: name the field of the prompt with `--group-by`.

Worked example: prompt A solved 1 of 2 times, B 2 of 2, C answered once: (1/2 + 1)/2 = 0.75.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.prompt_verdicts import tallied, verdicts
from triptych.measures.reference import mean
from triptych.statistics.tallies import PromptTallies


@measure(
    axis="complexity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="neither",
    source="Chen et al. 2021 (arXiv 2107.03374)",
    confounders=("the model that answered", "false verdicts", "answers filtered for being right"),
    panel=(),
)
class SolveRate(Measure):
    """Mean over prompts of the share of responses whose label `field` is at least `at`."""

    field: str = ""
    at: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field:
            raise ValueError("name the label field that says what is right, as in solve_rate:field=correct")

    def statistic(self) -> PromptTallies:
        """Responses and right ones by prompt; `learnability` reads the same."""
        return PromptTallies(f"label.{self.field}", at=self.at)

    def value(self, tallies: PromptTallies, keep: Mask) -> float | Undefined:
        """The mean over prompts."""
        counts = tallied(tallies, keep)
        if isinstance(counts, Undefined):
            return counts
        return float(np.mean(counts[:, 1] / counts[:, 0]))

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Prompt by prompt."""
        return mean([sum(seen) / len(seen) for seen in verdicts(rows, self.field, self.at, 2)])


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text, "label.score": score}
        for prompt, text, score in (("A", "1", 1), ("A", "2", 0), ("B", "3", 1), ("B", "4", 1), ("C", "5", 0))
    ],
    params={"field": "score"},
    value=0.75,
)
