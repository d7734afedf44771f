"""Per-prompt novelty: how little the responses to one prompt share of their n-grams, averaged over prompts.

For each prompt with at least two responses of n tokens or more, the mean over pairs of 1 - |A∩B|/|A∪B|, A and B their sets
of n-grams; then the mean over those prompts. After Kirk et al. 2024 (arXiv 2310.06452), who show why: on checkpoints
trained 1, 2 and 3 epochs the overlap of two answers to one prompt went .032, .040, .086 while pooled distinct-3 moved only
.895, .891, .868. Unit: ratio, range 0..1, higher is more diverse. n counts prompts. Confounded by length (longer answers
share less by chance) and by the prompts.

Worked example: one prompt, responses "a b c d" and "a b c e", n = 3: abc shared of abc, bcd, bce: 1 - 1/3 = 0.667.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import Gram, grams, mean
from triptych.statistics.moments import Moments


@measure(
    axis="diversity",
    title="Novelty between responses to a prompt",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    source="after Kirk et al. 2024 (arXiv 2310.06452)",
    confounders=("length", "which prompts were asked"),
)
class PerPromptNovelty(Measure):
    """Mean over prompts of the mean over pairs of responses of 1 - Jaccard similarity."""

    n: int = 3
    on: On = "response"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")

    def statistic(self) -> Moments:
        """Moments over prompts."""
        return Moments(f"per_prompt_novelty:n={self.n}@{self.on}")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The mean over prompts."""
        if not moments.records(keep):
            return Undefined(f"no prompt has two responses of {self.n} tokens")
        return moments.mean(keep)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Prompt by prompt, pair by pair."""
        prompts: dict[int, list[set[Gram]]] = defaultdict(list)
        for row in rows:
            found = set(grams(row[f"tokens@{self.on}"], self.n))
            if row["cluster"] and found:
                prompts[row["cluster"]].append(found)
        values = [mean([1 - len(a & b) / len(a | b) for a, b in combinations(s, 2)]) for s in prompts.values()]
        return mean([value for value in values if value is not None])


EXAMPLE = Example(
    records=[{"prompt": "Say it.", "response": "a b c d"}, {"prompt": "Say it.", "response": "a b c e"}],
    value=2 / 3,
)
