"""Reference distance: how far records lie from the nearest record of a reference set.

    mean_i min_j (1 - cos(i, j))

Novelty against a corpus, as the minimum distance to an archive in novelty search (Lehman & Stanley 2011). Unit: cosine distance, range
0..2. Neither side is better: 0 is a copy of the reference, 2 has nothing to do with it. Exact given the reference, which
is frozen: --reference FILE, at most 10,000 records of it. Cost O(n m d).

Falls as the reference grows. Garbage is far from everything: read it on valid records. Confounded by the encoder, whose
cosines have their own scale, and by length.

Worked example: distances 0.1, 0.3, none: 0.2.
"""

from __future__ import annotations

from typing import ClassVar

from triptych.core.measure import Example, measure
from triptych.measures.column_mean import ColumnMean


@measure(
    axis="diversity",
    unit="cosine distance",
    bounds=(0.0, 2.0),
    better="neither",
    source="after Lehman & Stanley 2011, Evol. Comput. 19, 189",
    confounders=("the reference and its size", "encoder", "length", "validity: garbage is far from everything"),
)
class ReferenceDistance(ColumnMean):
    """Mean cosine distance to the nearest reference record."""

    column: ClassVar[str] = "reference_nearest"
    absent: ClassVar[str] = "no record has a vector"


EXAMPLE = Example(
    records=[{"response": t, "reference_nearest@response": x} for t, x in zip("abc", (0.1, 0.3, None), strict=True)],
    value=0.2,
)
