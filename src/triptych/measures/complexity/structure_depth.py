"""Structure depth: mean number of operations, tags or levels that the structure field of a task names.

Operations of a program ("reverse>sort>head": 3), tags of an instruction (Lu et al. 2023, arXiv 2308.07074, read the number
of tags as complexity), or a field of levels as it is. Unit: parts, range: all numbers (a field of levels may begin below
0). Exact; O(n). Records without a structure field are not counted. Confounded by how finely the structure is written down,
and by the length of the prompt (its rank correlation is shown beside it).

Worked example: depths 1, 3, none and 2: mean 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import mean, numbers
from triptych.statistics.moments import Moments


@measure(
    axis="complexity",
    unit="parts",
    bounds=(float("-inf"), float("inf")),
    better="neither",
    source="Lu et al. 2023 (arXiv 2308.07074)",
    confounders=("how finely structures are written", "length of the prompt"),
    length="structure_depth@prompt",
    panel=(),
)
class StructureDepth(Measure):
    """Mean depth of the structure field."""

    def statistic(self) -> Moments:
        """Moments of the depth."""
        return Moments("structure_depth@prompt")

    def value(self, moments: Moments, keep: Mask) -> float | Undefined:
        """The mean."""
        return moments.mean(keep) if moments.records(keep) else Undefined("no record has a structure field")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Summed one by one."""
        return mean(numbers(rows, "structure_depth@prompt"))


EXAMPLE = Example(
    records=[{"prompt": "x", "structure_depth@prompt": depth} for depth in (1.0, 3.0, None, 2.0)], value=2.0
)
