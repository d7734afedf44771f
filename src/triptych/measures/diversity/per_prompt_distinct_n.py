"""Per-prompt distinct-n: the share of different n-grams in two responses to one prompt.

For each prompt with at least two responses of n tokens or more, the mean over pairs of responses of (different n-grams of
both) / (n-grams of both); then the mean over those prompts, each counted once. Distinct-n is Li et al. 2016 (arXiv
1510.03055); inside a prompt: Kirk et al. 2024 (arXiv 2310.06452), who take all its responses at once: that falls with their
number, a mean over pairs does not. Two equal responses without repetition give 0.5, two that share nothing 1; repetition
inside a response lowers it too (`per_prompt_novelty` sees only what two responses share).

Unit: ratio, range 0..1, higher is more diverse. n counts prompts. Prompts are told apart by their text; a prompt that is
always answered alike counts. Read on at most 16,384 prompts and 32 responses to each. Confounded by length (long responses
repeat themselves) and by the prompts: open questions have more answers.

Worked example: one prompt, responses "a b c d" and "a b c e", n = 2: ab, bc, cd, ce, of 6: 4/6 = 0.667.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.per_prompt_rows import by_prompt
from triptych.measures.reference import grams, mean
from triptych.statistics.prompt_sample import PromptGrams


@measure(
    axis="diversity",
    title="Distinct-n in two responses to a prompt",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    source="Li et al. 2016 (arXiv 1510.03055); Kirk et al. 2024 (arXiv 2310.06452), over pairs",
    confounders=("length", "which prompts were asked", "tokenizer"),
    panel=(),
)
class PerPromptDistinctN(Measure):
    """Mean over prompts of the mean over pairs of different n-grams over n-grams."""

    n: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")

    def statistic(self) -> PromptGrams:
        """n-grams of responses by prompt."""
        return PromptGrams(n=self.n)

    def value(self, sample: PromptGrams, keep: Mask) -> float | Undefined:
        """The mean over prompts."""
        if not sample.records(keep):
            return Undefined(f"no prompt has two responses of {self.n} tokens")
        return min(sample.mean(keep), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Prompt by prompt, pair by pair."""
        prompts = by_prompt(rows, lambda row: grams(row["tokens@response"], self.n), 2)
        values = [mean([len({*a, *b}) / (len(a) + len(b)) for a, b in combinations(held, 2)]) for held in prompts]
        return mean([value for value in values if value is not None])


EXAMPLE = Example(
    records=[{"prompt": "Say it.", "response": "a b c d"}, {"prompt": "Say it.", "response": "a b c e"}],
    value=2 / 3,
)
