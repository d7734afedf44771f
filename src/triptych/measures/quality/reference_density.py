"""Reference density: how many balls of a reference set a record lies in, over the number expected.

    mean_i |{j : d(i, j) <= distance of j to its k-th nearest other}| / k,   k = 5

Naeem et al. 2020 (arXiv 2002.09797). Unit: ratio to the reference's own density, range 0 up, higher is more like the dense parts of the
reference; near 1 for records drawn as the reference was. Unlike precision it is not moved by one outlier of the reference.
Exact given the reference, which is frozen: --reference FILE. Cost O(n m d).

A set that repeats the most typical case is dense: read it beside reference_coverage. Confounded by the encoder and by length.

Worked example: densities 0.4, 0, 1.2, none: mean 0.533333.
"""

from __future__ import annotations

from typing import ClassVar

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="quality",
    unit="times the reference",
    bounds=(0.0, float("inf")),
    better="higher",
    source="Naeem et al. 2020 (arXiv 2002.09797)",
    confounders=("the reference", "encoder", "length", "typical cases repeated"),
)
class ReferenceDensity(ColumnMean):
    """Mean number of balls of the reference that a record lies in, over k."""

    column: ClassVar[str] = "reference_density"
    absent: ClassVar[str] = "no record has a vector"


EXAMPLE = Example(
    records=[
        {"response": t, "reference_density@response": x} for t, x in zip("abcd", (0.4, 0.0, 1.2, None), strict=True)
    ],
    value=1.6 / 3,
)
