"""Lexical diversity: mean HD-D of the records, the expected share of different tokens among 42 drawn from a record.

McCarthy & Jarvis 2007, 2010. Unit: ratio, range 0..1. Exact; O(n). A richer vocabulary asks more of the reader, so it is
read as complexity of the single record; diversity of the set is another matter. Length is held equal by the draws; records
of fewer than 42 tokens have none and are not counted. Confounded by genre: code and tables repeat tokens.

Worked example: records of HD-D .8 and .6, and one too short: mean 0.7.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="complexity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="neither",
    source="McCarthy & Jarvis 2007, 2010 (HD-D)",
    confounders=("genre", "tokenizer"),
    length="lexical_diversity@response",
)
class LexicalDiversity(ColumnMean):
    """Mean HD-D."""

    column = "lexical_diversity"
    absent = "no record has 42 tokens"


EXAMPLE = Example(
    records=[{"response": "x", "lexical_diversity@response": value} for value in (0.8, 0.6, None)], value=0.7
)
