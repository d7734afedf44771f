"""Per-prompt Vendi: the effective number of different responses among k to one prompt, of order 2.

    1 / (1/k + (1 - 1/k) · c2),  c2 the mean over prompts of the mean over pairs of responses of cosine²

The Vendi score of order 2 of m vectors is 1/Σλ² = 1 / (1/m + (1 - 1/m) · mean over pairs of cosine²) (RKE, arXiv 2410.21719;
Vendi: Friedman & Dieng 2023, arXiv 2210.02410). It grows with m; the mean over pairs does not, so this is the score that k
responses would have, from any number of them: an exact correction for size. Averaged on the scale of Σλ² (the harmonic mean
over prompts), where the mean of pairs is unbiased. Inside a prompt: Kirk et al. 2024 (arXiv 2310.06452).

Unit: effective responses, range 1..k, higher is more diverse. n counts prompts. Prompts are told apart by their text; a prompt
that is always answered alike counts. Read on at most 16,384 prompts and 32 responses to each; frozen encoder, so the interval
is conditional on it. Confounded by the encoder (answers to one question are about one thing: values far below k are usual)
and by the prompts.

Worked example: prompt A with vectors (1, 0), (0, 1): 0; prompt B with (1, 0), (1, 0): 1; c2 = .5, k = 2:
1/(1/2 + 1/4) = 1.333.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.per_prompt_rows import by_prompt
from triptych.measures.reference import dot, mean, unit_vectors
from triptych.statistics.prompt_sample import PromptPurity


@measure(
    axis="diversity",
    title="Vendi score of k responses to a prompt",
    unit="effective responses",
    bounds=(1.0, float("inf")),
    better="higher",
    source="RKE (arXiv 2410.21719); Friedman & Dieng 2023 (arXiv 2210.02410); Kirk et al. 2024 (arXiv 2310.06452)",
    confounders=("encoder", "which prompts were asked", "length"),
    panel=(),
)
class PerPromptVendi(Measure):
    """Effective responses among k to one prompt."""

    k: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k < 2:
            raise ValueError(f"k must be at least 2, got {self.k}")

    def statistic(self) -> PromptPurity:
        """Squared cosines of responses by prompt; every k reads the same."""
        return PromptPurity()

    def value(self, sample: PromptPurity, keep: Mask) -> float | Undefined:
        """From the mean squared cosine over prompts."""
        if not sample.records(keep):
            return Undefined("no prompt has two responses with a vector")
        return max(1 / (1 / self.k + (1 - 1 / self.k) * sample.mean(keep)), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Prompt by prompt, pair by pair."""
        prompts = by_prompt(rows, lambda row: unit_vectors([row], "embedding@response"), 2)
        values = [mean([dot(a, b) ** 2 for (a,), (b,) in combinations(held, 2)]) for held in prompts]
        purity = mean([value for value in values if value is not None])
        return None if purity is None else 1 / (1 / self.k + (1 - 1 / self.k) * purity)


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text, "embedding@response": vector}
        for prompt, text, vector in (("A", "x", [1, 0]), ("A", "y", [0, 1]), ("B", "x", [1, 0]), ("B", "z", [1, 0]))
    ],
    params={"k": 2},
    value=4 / 3,
)
