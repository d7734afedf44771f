"""Per-prompt structures: how many different structures k responses to one prompt are expected to have.

    for each prompt with m >= k responses: Σ over structures of 1 - C(m - c, k) / C(m, k),  c responses of that structure

then the mean over those prompts, each counted once. The expectation over draws of k without replacement (Hurlbert 1971) is
unbiased at any m, so that the number of responses does not move it; k = 2 is 1 + the chance that two responses differ in
structure. A response's structure is its template: the text with digits, quoted strings, names and long literals masked.
That structure and not wording is what narrows: Lu et al. 2023 (arXiv 2308.07074) and 2504.12522, here inside a prompt.

Unit: structures among k, range 1..k, higher is more diverse. n counts prompts. Prompts are told apart by their text; a prompt
that is always answered alike counts. Read on at most 16,384 prompts and 32 responses to each. Saturates at k where responses
are long: no two long texts share a template, and then it tells nothing. Confounded by what the mask leaves in.

Worked example: prompt A, templates T, T: 1; prompt B, templates U, V: 2; mean 1.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.per_prompt_rows import by_prompt
from triptych.measures.reference import mean
from triptych.statistics.prompt_sample import RESPONSES, PromptStructures


@measure(
    axis="diversity",
    title="Structures among k responses to a prompt",
    unit="structures",
    bounds=(1.0, float("inf")),
    better="higher",
    source="after Lu et al. 2023 (arXiv 2308.07074); Hurlbert 1971 (Ecology 52, 577-586)",
    confounders=("what a template masks", "length", "which prompts were asked"),
    panel=(),
)
class PerPromptStructures(Measure):
    """Mean over prompts of the different structures expected among k responses."""

    k: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.k <= RESPONSES:
            raise ValueError(f"k must lie in 2..{RESPONSES}, got {self.k}")

    def statistic(self) -> PromptStructures:
        """Templates of responses by prompt."""
        return PromptStructures(least=self.k)

    def value(self, sample: PromptStructures, keep: Mask) -> float | Undefined:
        """The mean over prompts."""
        if not sample.records(keep):
            return Undefined(f"no prompt has {self.k} responses with a structure")
        return max(sample.mean(keep), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Prompt by prompt, every draw of k."""
        prompts = by_prompt(rows, lambda row: row["template@response"], self.k)
        values = [mean([len(set(drawn)) for drawn in combinations(held, self.k)]) for held in prompts]
        return mean([value for value in values if value is not None])


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text}
        for prompt, text in (("A", "It is 4."), ("A", "It is 5."), ("B", "It is 4."), ("B", "So it must be 4."))
    ],
    value=1.5,
)
