"""Calibrated complexity: the mean of a label that some records have, with a judge's grades as its stand-in for the others.

    θ = mean_L y + b · (m - mean_L x), b the slope of y on x over L;   (n* θ + Σ_U y) / (n* + |U|)

y the label `field`, of difficulty (a level, people's rating), x the judge's grade, L the records that have both, m the
judge's mean over all that it graded (where that is a sample, leaning on vectors and lengths as `judge_complexity`
does). U, the labelled records that it did not grade, add what θ does not know: θ is worth n* labels,
1/n* = (1 - r²)/|L| + r²/|S|, r the correlation over L and S all graded records. The judge is on no scale but its own:
the labels say what its grades are worth, and the line `label = a + b x grade` is told beside the number. A judge that
sees nothing leaves the mean of the labels with its own interval, one that sees makes it shorter, a biased one does no
harm. Source: the regression estimator of survey sampling, the mean of PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv
2311.01453); with the labels of U, generalized least squares.

Unit: that of the label, range: all numbers. The labelled records must be a random sample: of a chosen part (the
hardest, the first) neither line nor mean holds for the rest; where the judge grades them unlike the others it is said.
At least 20 records need both. The error of labels and line is in the interval. Cost: a request for each different task.
Confounded by what else the label follows, and by labels that are wrong.

Worked example: ten records of grade 2 and label 1, ten of grade 4 and label 3, twenty of grade 5 without a label. The
line is label = grade - 1; the judge's mean is (20 + 40 + 100)/40 = 4: 2 + 1 · (4 - 3) = 3.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.calibrated_mean import CalibratedMean


@measure(
    axis="complexity",
    unit="label",
    bounds=(float("-inf"), float("inf")),
    better="neither",
    source="Angelopoulos, Duchi & Zrnic 2023 (arXiv 2311.01453)",
    confounders=("labels that are no random sample", "errors of the labels"),
    panel=(),
    length="judge.complexity@prompt",
)
class CalibratedComplexity(CalibratedMean):
    """Mean of the label `field`, with the judge's grade of complexity as its stand-in."""

    column = "judge.complexity"


EXAMPLE = Example(
    records=[
        {"response": str(at), "judge.complexity": grade, "label.score": label}
        for at, (grade, label) in enumerate([(2.0, 1.0)] * 10 + [(4.0, 3.0)] * 10 + [(5.0, None)] * 20)
    ],
    params={"field": "score"},
    value=3.0,
)
