"""The candidates of a selection: what a policy knows of the records that it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """n records, in the order in which ties are broken: higher quality first, then smaller id.

    Policies speak of candidates by position in this order, so of two that are equally good the first is the right one.
    An attribute is None where the policy did not ask for it, or where the data have none.

    Attributes:
        id: scrambled key of each record's address, different for all, uint64 (n,).
        cost: what each takes of the budget: 1, or its tokens; at least 1, int64 (n,).
        length: tokens of the judged text, float64 (n,).
        quality: NaN where a record has none; higher is better, float64 (n,).
        complexity: NaN where a record has none; higher is more complex, float64 (n,).
        vectors: unit rows, or zeros for a text without tokens, float32 (n, d).
        structure: key of each record's skeleton, tag or program, 0 where it has none, uint64 (n,); only where the rows
            have such a field: a template is no structure to select by, for it judges what was selected.
        codes: fields named as descriptors, as codes from 0 in order of the field's texts, -1 where missing, int64 (n,).
        numbers: fields named as descriptors that hold numbers, NaN where missing, float64 (n,).
        key: what everything above follows from, in one hash; "" where nothing derived is to be kept on disk.
        memo: what policies derive and share (the neighbour graph), by name; derived from the above alone.
    """

    id: NDArray[np.uint64]
    cost: Ints
    length: Floats
    quality: Floats | None = None
    complexity: Floats | None = None
    vectors: NDArray[np.float32] | None = None
    structure: NDArray[np.uint64] | None = None
    codes: Mapping[str, Ints] = field(default_factory=dict)
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    key: str = ""
    memo: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.id)


TOLERANCE = 1e-6
"""Values that differ by less than this share of the larger are equal: what float32 products leave uncertain."""


def first_best(values: NDArray[np.floating[Any]], open_: NDArray[np.bool_] | None = None) -> int:
    """Position of the highest value among the open ones; of those within `TOLERANCE` of it, the first. -1: none is open.

    Args:
        values: (n,), no NaN where open.
        open_: (n,); None: all.
    """
    shown = values if open_ is None else np.where(open_, values, -np.inf)
    if not len(shown):
        return -1
    top = float(shown.max())
    if top == -np.inf:
        return -1
    return int(np.argmax(shown >= top - TOLERANCE * max(abs(top), TOLERANCE)))
