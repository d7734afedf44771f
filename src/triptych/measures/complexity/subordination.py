"""Subordination: mean over records of the subordinate clauses in a hundred words.

Counted by the words that open a clause: conjunctions (because, although, unless, whether ..), relative words (which, who,
whose ..) and "that" before a subject. After the clause ratios of Lu 2010, "Automatic analysis of syntactic complexity in
second language writing", with marks in the place of a parser. Unit: clauses in a hundred words, range 0..100. Exact; O(n).
Tells nested sentences from long ones: over 4,082 Alpaca answers its rank correlation with the Flesch-Kincaid grade is .01,
with sentence length .22, with length .34.

Records of fewer than 10 words, mostly code or in another script are not counted. English only. Confounded by genre
(narrative and argument against lists), and blind to clauses that nothing opens ("the man I saw").

Worked example: records of 2 and 4 clauses in a hundred words, and one without: mean 3.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="complexity",
    unit="clauses in a hundred words",
    bounds=(0.0, 100.0),
    better="neither",
    source="rules of this project, after Lu 2010",
    confounders=("genre", "language", "clauses that nothing opens"),
    length="subordination@response",
    panel=(),
)
class Subordination(ColumnMean):
    """Mean number of subordinate clauses in a hundred words."""

    column = "subordination"
    absent = "no record has 10 words of prose"


EXAMPLE = Example(
    records=[{"response": "x", "subordination@response": clauses} for clauses in (2.0, 4.0, None)], value=3.0
)
