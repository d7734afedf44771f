"""Readability grade: mean Flesch-Kincaid grade of the records.

    0.39 words/sentences + 11.8 syllables/words - 15.59

Kincaid et al. 1975. Unit: school grade (years of US school), unbounded on both sides. Exact; O(n). Records of fewer than
10 words, mostly code or in another script have no grade and are not counted. Confounded by layout (lists make short
sentences) and by names; made for English.

Worked example: records of grade 4 and 7, and one without: mean 5.5.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="complexity",
    unit="school grade",
    bounds=(float("-inf"), float("inf")),
    better="neither",
    source="Kincaid et al. 1975",
    confounders=("layout", "names", "language"),
    length="readability_grade@response",
)
class ReadabilityGrade(ColumnMean):
    """Mean Flesch-Kincaid grade."""

    column = "readability_grade"
    absent = "no record has 10 words of prose"


EXAMPLE = Example(
    records=[{"response": "x", "readability_grade@response": grade} for grade in (4.0, 7.0, None)],
    value=5.5,
)
