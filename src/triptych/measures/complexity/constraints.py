"""Constraints: mean number of explicit requirements on the answer that a prompt states.

Length, format, items, inclusion, exclusion, style, audience and the like, each mark counted once. Source: rules of this
project, after the constraint counts of IFEval (Zhou et al. 2023, arXiv 2311.07911). Unit: constraints, range 0..∞. Exact;
O(n). Records without a prompt are not counted. Confounded by the length of the prompt (its rank correlation is shown
beside it) and by stories inside prompts that hold such words.

Worked example: prompts with 1, 0 and 2 constraints: mean 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import mean, numbers
from triptych.statistics.moments import Moments


@measure(
    axis="complexity",
    title="Constraints of the prompt",
    unit="constraints",
    bounds=(0.0, float("inf")),
    better="neither",
    source="rules of this project, after Zhou et al. 2023 (arXiv 2311.07911)",
    confounders=("length of the prompt", "quoted text inside prompts"),
    length="constraints@prompt",
)
class Constraints(Measure):
    """Mean number of constraints in the prompt."""

    def statistic(self) -> Moments:
        """Moments of the number of constraints."""
        return Moments("constraints@prompt")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The mean."""
        return moments.mean(keep) if moments.records(keep) else Undefined("no record has a prompt")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Summed one by one."""
        return mean(numbers(rows, "constraints@prompt"))


EXAMPLE = Example(records=[{"prompt": "x", "constraints@prompt": count} for count in (1, 0, 2)], value=1.0)
