"""Judge mean: the mean grade that a language model gives to the records, from 1 (useless) to 6 (excellent).

One request for each record: the record and a rubric, at temperature 0. The grade is Σ g·p(g) / Σ p(g) over the tokens "1"
to "6", with the log-probabilities that the server tells, else the digit that was written. Source: the expected value is
that of G-Eval (Liu et al. 2023, arXiv 2303.16634); prompts and scale are this project's. Unit: grade, range 1..6. A reply
without one clear grade is no number: it is counted with its reason and left out. On a sample of N records drawn at random
with `--judge-sample N`; the interval is over the records that have a grade, and says nothing about the judge's errors.

On a sample the mean leans on what is known of all records, the vector and the length of the text `on` (from 100 values on;
the regression estimator, or PPI++: arXiv 2311.01453): unbiased, and steadier where they foretell the value.

Confounded by length, style and confident tone; by the judge's own origin (models prefer texts like their own) and by its
size: small models hardly tell good from bad. Audit a judge before its numbers are trusted: `triptych audit`.

Worked example: grades 5 and 2.5, and a record that was not asked about: 3.75.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.dear_mean import DearMean


@measure(
    axis="quality",
    unit="grade",
    bounds=(1.0, 6.0),
    better="higher",
    source="Liu et al. 2023 (arXiv 2303.16634), with prompts of this project",
    confounders=("length", "style", "likeness to the judge's own texts", "records that got no grade"),
)
class JudgeMean(DearMean):
    """Mean grade of quality by a judge."""

    column = "judge.quality"
    absent = "the judge gave no record a grade"


EXAMPLE = Example(
    records=[{"response": text, "judge.quality": grade} for text, grade in (("a", 5.0), ("b", 2.5), ("c", None))],
    value=3.75,
)
