"""The depth of a record's structure: how many operations, tags or levels its structure field names.

A structure is a chain ("reverse>sort>head", "a -> b"), a path ("math/algebra"), a sum ("invert+split") or a list of tags
(joined by " | " where it is read): its depth is the number of its parts. A structure that is a number is its own depth (a
field of levels, `--map structure=level`). A name without a separator has depth 1.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping

import pyarrow as pa

from triptych.core.feature import Feature

_PARTS = re.compile(r"->|=>|[>→|+/;,]")
_NUMBER = re.compile(r"\s*[-+]?\d+(?:\.\d+)?\s*")


def depth(structure: str) -> float | None:
    """Parts of a structure, or the number that it is; None for an empty one, and for objects written as JSON.

    >>> depth("reverse>sort>head"), depth("math | algebra"), depth("4"), depth("chain")
    (3.0, 2.0, 4.0, 1.0)
    """
    if _NUMBER.fullmatch(structure):
        number = float(structure)
        return number if math.isfinite(number) else None
    if structure.lstrip().startswith(("{", "[")):
        return None
    return float(sum(bool(part.strip()) for part in _PARTS.split(structure))) or None


@dataclasses.dataclass(frozen=True)
class StructureDepth(Feature):
    """`structure_depth@prompt` float64: depth of the structure field of the task; null where there is none."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The structure field."""
        return ("structure",)

    @property
    def gives(self) -> tuple[str, ...]:
        """One number."""
        return ("structure_depth@prompt",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The depth of each record."""
        fields: list[str | None] = batch.column("structure").to_pylist()
        found = [None if field is None else depth(field) for field in fields]
        return {self.gives[0]: pa.array(found, type=pa.float64())}
