"""Reasoning steps: mean number of steps that a text takes towards its answer.

Numbered steps, equations, and sentences that draw a conclusion, each counted once. Source: rules of this project, after
complexity-based prompting (Fu et al. 2023, arXiv 2210.00720), which counts the steps of a solution. Unit: steps, range
0..∞. Exact; O(n). Confounded by length (its rank correlation with length is always shown beside it) and by layout: prose
hides steps that a list shows.

Worked example: records of 2 and 4 steps: mean 3.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="complexity",
    unit="steps",
    bounds=(0.0, float("inf")),
    better="neither",
    source="rules of this project, after Fu et al. 2023 (arXiv 2210.00720)",
    confounders=("length", "layout"),
    headline=({},),
    length="reasoning_steps@response",
)
class ReasoningSteps(ColumnMean):
    """Mean number of reasoning steps."""

    column = "reasoning_steps"
    absent = "no record has the text"


EXAMPLE = Example(records=[{"response": "x", "reasoning_steps@response": steps} for steps in (2, 4)], value=3.0)
