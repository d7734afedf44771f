"""Surprisal under the student: how unexpected the responses are to the model that is to be trained, mean over records.

    -1/T Σ_t log p_student(y_t | x, y_<t)

as `surprisal`, under the model named by `--student`, in its chat template where it has one. Unit: nats per token, range
0..∞. Low: the student says such things already and has little to learn; high: they are far from what it can take up. Which
is wanted depends on the student, so neither direction is better: `rsr` sets it against the rank (arXiv 2601.14249). One
forward pass a record, on a sample with `--lm-sample N`.

On a sample the mean leans on what is known of all records, the vector and the length of the text `on` (from 100 values on;
the regression estimator, or PPI++: arXiv 2311.01453): unbiased, and steadier where they foretell the value.

Confounded by length (`length_correlation:of=student.surprisal`), by noise, and by the tokenizer: students with different
tokenizers cannot be compared in nats per token.

Worked example: 0.5 and 1.5 nats per token: 1.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.dear_mean import DearMean


@measure(
    axis="fit",
    title="Surprisal under the student",
    unit="nats per token",
    bounds=(0.0, float("inf")),
    better="neither",
    source="the surprisal of arXiv 2601.14249",
    confounders=("length", "noise: garbage is surprising", "the student's tokenizer"),
    extra="lm",
)
class StudentSurprisal(DearMean):
    """Mean surprisal of the response behind its prompt, for the student."""

    column = "student.surprisal"
    absent = "no record that the student read has a prompt and a response"


EXAMPLE = Example(
    records=[{"response": text, "student.surprisal": v} for text, v in (("a", 0.5), ("b", 1.5))], value=1.0
)
