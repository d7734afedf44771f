"""What measures of preferred against other records share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.measures.reference import mean
from triptych.statistics.comoments import CoMoments


def preferred_gap(moments: CoMoments, keep: Mask, by: str) -> float | Undefined:
    """Mean of y where x is 1 less that where x is 0, or why there is none."""
    if not moments.records(keep):
        return Undefined(f'no record has a label "{by}" and what is compared')
    if not moments.binary(keep):
        return Undefined(f'the label "{by}" is not 0 or 1 for all records')
    slope = moments.slope(keep)
    return Undefined(f'the label "{by}" is the same for all records') if slope is None else slope


def difference(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """Mean of y where x is 1 less that where x is 0; None unless x is 0 or 1 and both occur."""
    held = [(x, y) for x, y in pairs if x is not None and y is not None and math.isfinite(x) and math.isfinite(y)]
    high, low = mean([y for x, y in held if x == 1]), mean([y for x, y in held if x == 0])
    if high is None or low is None or any(x not in {0, 1} for x, _ in held):
        return None
    return high - low
