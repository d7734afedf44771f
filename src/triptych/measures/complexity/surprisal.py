"""Surprisal: how unexpected the response is to a language model that has read the prompt, mean over records.

    -1/T Σ_t log p(y_t | x, y_<t)

in the natural logarithm, over the tokens of the response without its end, under the model named by `--lm` (chat template
where it has one); the logarithm of the perplexity. Unit: nats per token, range 0..∞. One forward pass a record, about 2 s
of one core for 1,000 tokens on SmolLM2-135M: on a sample with `--lm-sample N`. Of a record longer than 2,048 tokens the
response loses its end, then the prompt its beginning. Marion et al. 2023 (arXiv 2309.04564) on perplexity as a filter.

On a sample the mean leans on what is known of all records, the vector and the length of the text `on` (from 100 values on;
the regression estimator, or PPI++: arXiv 2311.01453): unbiased, and steadier where they foretell the value.

Confounded by length (the first tokens of a response are the hardest to foresee; the rank correlation is shown beside it,
`length_adjusted:of=lm.surprisal` holds it fixed), by the model and its tokenizer, and by noise: garbage is surprising
(shuffled words score twice as high as fluent text). A small model measures fluency and surprise, not correctness.

Worked example: records of 1.5 and 2.5 nats per token, and one that was not asked about: 2.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.dear_mean import DearMean


@measure(
    axis="complexity",
    unit="nats per token",
    bounds=(0.0, float("inf")),
    better="neither",
    source="Marion et al. 2023 (arXiv 2309.04564)",
    confounders=("noise: garbage is surprising", "length", "language model and its tokenizer"),
    extra="lm",
    length="lm.surprisal@response",
)
class Surprisal(DearMean):
    """Mean surprisal of the response behind its prompt."""

    column = "lm.surprisal"
    absent = "no record that the language model read has a prompt and a response"


EXAMPLE = Example(
    records=[{"response": text, "lm.surprisal": value} for text, value in (("a", 1.5), ("b", 2.5), ("c", None))],
    value=2.0,
)
