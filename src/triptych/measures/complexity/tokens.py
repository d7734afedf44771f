"""Response length: mean number of tokens.

Unit: tokens, range 0..∞. Exact; O(n). Neither direction is better. Shown because nearly everything moves with length:
common diversity measures favour short text, judges favour long. Records without the text are not counted. Confounded by
the tokenizer and by language.

Worked example: "a b c" and "a": 2 tokens on average.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="complexity",
    title="Response length",
    unit="tokens",
    bounds=(0.0, float("inf")),
    better="neither",
    source="definition",
    confounders=("tokenizer", "language"),
)
class Tokens(ColumnMean):
    """Mean number of tokens."""

    column = "length"
    absent = "no record has the text"


EXAMPLE = Example(records=["a b c", "a"], value=2.0)
