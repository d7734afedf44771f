"""Code complexity: mean cyclomatic complexity of the Python code in the records.

    1 + decisions

McCabe 1976, "A complexity measure", by the rules of radon (if, elif, loops, except, and/or, comprehensions, conditional
expressions, assert, case), all code of a record taken as one program. Unit: paths (the number of independent ones), range
1..∞. Exact; O(n), code is parsed and never run. Records without Python code, and those whose code cannot be parsed, are
not counted. Confounded by the length of the code (its rank correlation with length is shown beside it) and by style.

Worked example: a loop that holds an `if`: 3; straight code: 1; a record without code: mean 2.
"""

from __future__ import annotations

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="complexity",
    unit="paths",
    bounds=(1.0, float("inf")),
    better="neither",
    source="McCabe 1976, by the rules of radon",
    confounders=("length of the code", "style", "code that cannot be parsed is left out"),
    length="code_complexity@response",
    panel=(),
)
class CodeComplexity(ColumnMean):
    """Mean cyclomatic complexity of Python code."""

    column = "code_complexity"
    absent = "no record has Python code that can be parsed"


EXAMPLE = Example(
    records=[{"response": "x", "code_complexity@response": count} for count in (3, 1, None)],
    value=2.0,
)
