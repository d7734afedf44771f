"""Misfit rate: the share of records whose prompt makes the response less likely to a language model, not more.

    share of records with CE(y|x) > CE(y), that is, with an IFD above 1

the records that Li et al. 2024 (arXiv 2308.12032) and Superfiltering (arXiv 2402.00530) drop as misaligned. CE is the mean
surprisal of the response's tokens behind the prompt and alone, under the model named by `--lm`. Unit: ratio, range 0..1,
lower is better. Two forward passes a record, on a sample with `--lm-sample N`. A response of one token and a record without
prompt are not counted.

On a sample the mean leans on what is known of all records, the vector and the length of the text `on` (from 100 values on;
the regression estimator, or PPI++: arXiv 2311.01453): unbiased, and steadier where they foretell the value.

It sees responses that belong to another prompt: of 40 swapped ones 30 were above 1, of 100 that were not 2 (SmolLM2-135M, a
public set). It does not see answers that are wrong and to the point. Confounded by length (short responses vary widely), by
lists and formulas whose tokens the prompt cannot foretell, and by the model: a small one understands fewer prompts.

Worked example: of the ratios .6, .9, 1.2 and .8 one is above 1: .25.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.dear_mean import DearMean


@measure(
    axis="quality",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="lower",
    interval="share",
    source="Li et al. 2024 (arXiv 2308.12032); Superfiltering, Li et al. 2024 (arXiv 2402.00530)",
    confounders=("length: short responses vary widely", "language model", "chat template"),
    extra="lm",
)
class MisfitRate(DearMean):
    """Share of records with an IFD above 1."""

    column = "lm.misfit"
    absent = "no record that the language model read has a prompt and a response of two tokens"


EXAMPLE = Example(
    records=[{"response": str(ratio), "lm.misfit": float(ratio > 1)} for ratio in (0.6, 0.9, 1.2, 0.8)], value=0.25
)
