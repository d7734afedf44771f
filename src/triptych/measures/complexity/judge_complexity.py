"""Judge complexity: the mean of how demanding a language model says the tasks are, from 1 (trivial) to 6 (very hard).

One request for each task (records with the same prompt are asked about once): the prompt, or the text where there is no
prompt, and a rubric, at temperature 0. The grade is Σ g·p(g) / Σ p(g) over the tokens "1" to "6" where the server tells
log-probabilities, else the digit written. Source: asking a model how complex an instruction is, as Deita does (Liu et al.
2024, arXiv 2312.15685); the expected value of G-Eval (arXiv 2303.16634); prompts and scale are this project's. Unit:
grade, range 1..6. What got no grade is counted with its reason and left out. `--judge-sample N` asks about N records.

On a sample the mean leans on what is known of all records, the vector and the length of the text `on` (from 100 values on;
the regression estimator, or PPI++: arXiv 2311.01453): unbiased, and steadier where they foretell the value.

Confounded by length (the rank correlation with the length of the prompt is shown beside it; `length_adjusted:
of=judge.complexity,on=prompt` holds it fixed) and by what the judge itself finds easy. It is on no scale but the
judge's: set beside a solve rate where there is one.

Worked example: grades 2 and 5: 3.5.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.dear_mean import DearMean


@measure(
    axis="complexity",
    unit="grade",
    bounds=(1.0, 6.0),
    better="neither",
    source="Liu et al. 2024 (arXiv 2312.15685), with prompts of this project",
    confounders=("length", "what the judge itself finds easy", "records that got no grade"),
    length="judge.complexity@prompt",
)
class JudgeComplexity(DearMean):
    """Mean grade of difficulty by a judge."""

    column = "judge.complexity"
    absent = "the judge gave no record a grade"


EXAMPLE = Example(records=[{"response": "x", "judge.complexity": grade} for grade in (2.0, 5.0)], value=3.5)
