"""What measures of two label fields share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.measure import Row


def check_two(name: str, field: str, against: str) -> None:
    """Both fields must be named.

    Raises:
        ValueError: one of them is not.
    """
    if not field or not against:
        raise ValueError(f"name the two label fields, as in {name}:field=judge_score,against=correct")


def no_pair(field: str, against: str) -> Undefined:
    """Why there is no value."""
    return Undefined(f'no record has both labels, "{field}" and "{against}"')


def both_labels(rows: Sequence[Row], field: str, against: str) -> list[tuple[float, float]]:
    """The two labels of the records that have both."""
    found = [(row[f"label.{field}"], row[f"label.{against}"]) for row in rows]
    return [(x, y) for x, y in found if x is not None and y is not None and math.isfinite(x) and math.isfinite(y)]
