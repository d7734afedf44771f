"""Per-prompt distance: how far apart the responses to one prompt are, averaged over prompts.

For each prompt with at least two responses, the mean over pairs of responses of 1 - cosine of their embeddings; then the
mean over those prompts, each counted once. Kirk et al. 2024 (arXiv 2310.06452). Unit: cosine distance, range 0..2, higher
is more diverse. n counts prompts. Does not move with the number of responses to a prompt. Confounded by the encoder and
by the prompts: open questions have more answers than arithmetic.

Worked example: prompt A with vectors (1, 0), (0, 1): 1; prompt B with (1, 0), (1, 0): 0; mean 0.5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, mean, unit_vectors
from triptych.statistics.moments import Moments


@measure(
    axis="diversity",
    title="Distance between responses to a prompt",
    unit="cosine distance",
    bounds=(0.0, 2.0),
    better="higher",
    source="Kirk et al. 2024 (arXiv 2310.06452)",
    confounders=("encoder", "which prompts were asked"),
)
class PerPromptDistance(Measure):
    """Mean over prompts of the mean distance over pairs of responses."""

    on: On = "response"

    def statistic(self) -> Moments:
        """Moments over prompts."""
        return Moments(f"per_prompt_distance@{self.on}")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The mean over prompts."""
        return moments.mean(keep) if moments.records(keep) else Undefined("no prompt has two responses")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Prompt by prompt, pair by pair."""
        prompts: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            if row["cluster"]:
                prompts[row["cluster"]].append(row)
        pairs = [list(combinations(unit_vectors(group, f"embedding@{self.on}"), 2)) for group in prompts.values()]
        values = [mean([1 - dot(a, b) for a, b in each]) for each in pairs]
        return mean([value for value in values if value is not None])


EXAMPLE = Example(
    records=[
        {"prompt": prompt, "response": text, "embedding@response": vector}
        for prompt, text, vector in (("A", "x", [1, 0]), ("A", "y", [0, 1]), ("B", "x", [1, 0]), ("B", "z", [1, 0]))
    ],
    value=0.5,
)
