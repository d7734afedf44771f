"""Fluency: surprisal of the response alone under a language model, mean over records; lower is more fluent.

    -1/T Σ_t log p(y_t | y_<t)

in nats per token, under the model named by `--lm`, without prompt or template: the logarithm of the perplexity that data
filters read (Wenzek et al. 2020, CCNet, arXiv 1911.00359). Unit: nats per token, range 0..∞. One forward pass a record, on
a sample with `--lm-sample N`. The first token counts only where the tokenizer puts something before every text.

On a sample the mean leans on what is known of all records, the vector and the length of the text `on` (from 100 values on;
the regression estimator, or PPI++: arXiv 2311.01453): unbiased, and steadier where they foretell the value.

It sees garbage: shuffled words and keyboard mash. It does not see errors: a fluent lie scores well, and a repeated phrase
best of all. Confounded by length (later tokens are easier to foresee), topic, names and numbers, and language.

Worked example: 2 and 5 nats per token: 3.5.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.dear_mean import DearMean


@measure(
    axis="quality",
    title="Surprisal of the response alone",
    unit="nats per token",
    bounds=(0.0, float("inf")),
    better="lower",
    source="Wenzek et al. 2020 (arXiv 1911.00359)",
    confounders=("length", "topic, names and numbers", "repetition: it is easy to foresee", "language model"),
    extra="lm",
)
class Fluency(DearMean):
    """Mean surprisal of the response without its prompt."""

    column = "lm.surprisal_alone"
    absent = "no record that the language model read has a response of two tokens"


EXAMPLE = Example(
    records=[{"response": text, "lm.surprisal_alone": v} for text, v in (("a", 2.0), ("b", 5.0))], value=3.5
)
