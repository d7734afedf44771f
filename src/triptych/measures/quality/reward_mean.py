"""Reward mean: the mean score of a reward model, or of a sequence classifier, over the records.

The score is the model's one output for prompt and response; of a classifier with several classes, the expected class
(Σ i·p(i), classes in their order), which is what graders of educational value and of toxicity are made for. Source: reward
models of Ouyang et al. 2022 (arXiv 2203.02155), score models of Liu et al. 2024 (arXiv 2312.15685). Unit: that of the
model, range: all numbers; two models' scores cannot be compared. Records that the model cannot read (too long for it, no
text) are counted with their reason and left out. `--reward-sample N` asks about N records drawn at random.

On a sample the mean leans on what is known of all records, the vector and the length of the text `on` (from 100 values on;
the regression estimator, or PPI++: arXiv 2311.01453): unbiased, and steadier where they foretell the value.

Confounded by length and style, and by whatever the model was trained on: a score outside of that is a number all the same.

Worked example: scores -1.5, 0.5 and none: -0.5.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.dear_mean import DearMean


@measure(
    axis="quality",
    unit="score",
    bounds=(float("-inf"), float("inf")),
    better="higher",
    source="Ouyang et al. 2022 (arXiv 2203.02155)",
    confounders=("length", "style", "texts unlike those the model was trained on"),
    extra="lm",
)
class RewardMean(DearMean):
    """Mean score of a reward model."""

    column = "reward.score"
    absent = "the reward model gave no record a score"


EXAMPLE = Example(
    records=[{"response": text, "reward.score": score} for text, score in (("a", -1.5), ("b", 0.5), ("c", None))],
    value=-0.5,
)
