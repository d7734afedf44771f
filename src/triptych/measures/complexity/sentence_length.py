"""Sentence length: mean over records of the number of words in a sentence.

    words / sentences

As MLS in Lu 2010, "Automatic analysis of syntactic complexity in second language writing". Unit: words, range 1..∞. Exact;
O(n). A part of the Flesch-Kincaid grade, and no twin of it: over 4,082 Alpaca answers their rank correlation is .70.
Records of fewer than 10 words, mostly code or in another script are not counted. Confounded by layout (lists make short
sentences, text without full stops one long one) and by genre. The rank correlation with length is shown beside it.

Worked example: records of 12 and 18 words a sentence, and one without: mean 15.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="complexity",
    unit="words",
    bounds=(1.0, float("inf")),
    better="neither",
    source="Lu 2010",
    confounders=("layout", "genre", "language"),
    length="sentence_length@response",
    panel=(),
)
class SentenceLength(ColumnMean):
    """Mean number of words in a sentence."""

    column = "sentence_length"
    absent = "no record has 10 words of prose"


EXAMPLE = Example(
    records=[{"response": "x", "sentence_length@response": words} for words in (12.0, 18.0, None)], value=15.0
)
