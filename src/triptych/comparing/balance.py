"""How well two sets are matched: standardized mean differences of everything that is known of the records.

The difference of the means over the pooled standard deviation of the two raw sets (Austin 2009), so that before and after
are on one scale: what a matching removes shows as the fall of this number, not of its denominator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.sides import Side
from triptych.comparing.view import Balance, Draw

Floats = NDArray[np.float64]


def balance(
    sides: tuple[Side, Side], draws: Sequence[Draw], asked: Sequence[str], beside: Mapping[str, tuple[Floats, Floats]]
) -> tuple[Balance, ...]:
    """Tokens, length, its logarithm, validity and what stands beside, before and after.

    Args:
        sides: the two sets.
        draws: the records that a view keeps.
        asked: what the view holds equal.
        beside: more numbers of the records, NaN where missing.
    """
    held = {"tokens": "tokens", "length": "length", "log length": "length"}
    columns: dict[str, tuple[Floats, Floats]] = {
        "tokens": tuple(side.tokens.astype(np.float64) for side in sides),  # type: ignore[dict-item] # two of them
        "length": tuple(side.length.astype(np.float64) for side in sides),  # type: ignore[dict-item]
        "log length": tuple(np.log1p(side.length) for side in sides),  # type: ignore[dict-item]
        "valid": tuple(side.valid.astype(np.float64) for side in sides),  # type: ignore[dict-item]
        **beside,
    }
    out = []
    for name, (a, b) in columns.items():
        spread = _pooled(a, b)
        after = [_gap(a[draw.a], b[draw.b], spread) for draw in draws]
        known = [gap for gap in after if gap is not None]
        mean = sum(known) / len(known) if known and len(known) == len(after) else None
        out.append(Balance(name, _gap(a, b, spread), mean, held.get(name, name) in asked))
    return tuple(out)


def _pooled(a: Floats, b: Floats) -> float:
    known = [column[~np.isnan(column)] for column in (a, b)]
    if not all(map(len, known)):
        return 0.0
    return math.sqrt(sum(float(column.var()) for column in known) / 2)


def _gap(a: Floats, b: Floats, spread: float) -> float | None:
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if not len(a) or not len(b):
        return None
    gap = float(a.mean() - b.mean())
    if spread == 0:
        return 0.0 if gap == 0 else None
    return gap / spread
