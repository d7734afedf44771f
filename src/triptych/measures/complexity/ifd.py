"""Instruction-following difficulty: how little the prompt helps a language model to foresee the response, mean over records.

    CE(y|x) / CE(y);   form = perplexity: exp(CE(y|x) - CE(y))

CE is the mean surprisal of the response's tokens in nats, behind the prompt and alone. The ratio of losses is the score of
Li et al. 2024 (arXiv 2308.12032), that of perplexities the one of Superfiltering (arXiv 2402.00530), where a small model
keeps the order of large ones; both are above 1 for the same records. Unit: ratio, range 0..∞: near 1 the prompt tells
nothing; above 1 it misleads, and the authors drop such records. Two forward passes a record, under the model of `--lm`, on a
sample with `--lm-sample N`. A response of one token has no loss of its own and is not counted, nor is a record without prompt.
Nothing cheap helps the mean of a sample here: it is that of the records asked about.

Confounded by length (short responses vary widely; the rank correlation is shown beside it, `length_adjusted:of=lm.ifd`
holds it fixed), by responses that repeat the prompt (low) and by wrong or swapped responses (high): it reads misfit as
difficulty. The chat template stands around the prompt only, so the two losses differ by it too.

Worked example: 2.0 nats behind the prompt and 2.5 alone: 0.8; 1.2 and 1.0: 1.2; mean 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept, mean, numbers
from triptych.statistics.moments import Moments

COLUMNS = {"loss": "lm.ifd", "perplexity": "lm.ifd_perplexity"}


@measure(
    axis="complexity",
    title="Instruction-following difficulty",
    unit="loss ratio",
    bounds=(0.0, float("inf")),
    better="neither",
    source="Li et al. 2024 (arXiv 2308.12032); Superfiltering, Li et al. 2024 (arXiv 2402.00530)",
    confounders=(
        "length",
        "responses that do not answer: misfit reads as difficulty",
        "language model",
        "chat template",
    ),
    extra="lm",
    length="lm.ifd@response",
)
class Ifd(Measure):
    """Mean ratio of the response's losses behind the prompt and alone."""

    form: Literal["loss", "perplexity"] = "loss"
    valid_only: bool = False

    def statistic(self) -> Moments:
        """Moments of the ratio."""
        return Moments(COLUMNS[self.form], where="valid" if self.valid_only else "all")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The mean."""
        if not moments.records(keep):
            return Undefined("no record that the language model read has a prompt and a response of two tokens")
        return moments.mean(keep)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Summed one by one."""
        return mean(numbers(kept(rows, self.valid_only), COLUMNS[self.form]))


EXAMPLE = Example(
    records=[{"response": "x", "lm.ifd": behind / alone} for behind, alone in ((2.0, 2.5), (1.2, 1.0))], value=1.0
)
