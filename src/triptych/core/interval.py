"""Intervals and size curves from masks of groups.

The interval is the delete-a-group jackknife: the measure is read 32 times, each time without one group, and
se² = (m - 1)/m · Σ_g (T_(g) - mean)², with t on m - 1 degrees of freedom, m the number of groups that hold records
(Kott 2001, "The delete-a-group jackknife"). Nothing is resampled with replacement: repeated records lower diversity.

Three variants, named by the measure:

    plain   as above
    share   a share of records: the same error, turned into a Wilson interval with the effective number of records
            p(1 - p)/se², so that 0 and 1 have honest intervals too (Wilson 1927; Korn & Graubard 1998)
    pairs   a statistic of pairs: the plain jackknife counts the pair term twice (Efron & Stein 1981), so the squared
            second differences over all pairs of groups are subtracted; then as `share`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import CurvePoint, Interval, Undefined
from triptych.core.groups import GROUPS, Mask, everything, only, without

Reading: TypeAlias = Callable[[Mask], float | Undefined]
Counting: TypeAlias = Callable[[Mask], int]
Kind: TypeAlias = Literal["plain", "share", "pairs"]

LEVEL = 0.95
MIN_GROUPS = 8
"""With fewer groups that hold records there is no interval."""

_T975 = {
    7: 2.364624, 8: 2.306004, 9: 2.262157, 10: 2.228139, 11: 2.200985, 12: 2.178813, 13: 2.160369, 14: 2.144787,
    15: 2.131450, 16: 2.119905, 17: 2.109816, 18: 2.100922, 19: 2.093024, 20: 2.085963, 21: 2.079614, 22: 2.073873,
    23: 2.068658, 24: 2.063899, 25: 2.059539, 26: 2.055529, 27: 2.051831, 28: 2.048407, 29: 2.045230, 30: 2.042272,
    31: 2.039513,
}  # fmt: skip
"""Student's t at .975 by degrees of freedom: a table, so that the core needs no scipy."""


def t_quantile(degrees: int) -> float:
    """Student's t at .975 for 7 to 31 degrees of freedom."""
    return _T975[degrees]


def interval(read: Reading, count: Counting, kind: Kind, bounds: tuple[float, float]) -> Interval:
    """The 95 % interval of a measure.

    Args:
        read: the measure's value under a mask of kept groups.
        count: records under a mask.
        kind: which variant applies (module docstring).
        bounds: range of the measure; the interval is clipped to it.
    """
    whole = read(everything())
    held = [group for group in range(GROUPS) if count(only([group])) > 0]
    if isinstance(whole, Undefined):
        return Interval(reason=whole.reason)
    if len(held) < MIN_GROUPS:
        return Interval(
            reason=f"too few records for an interval ({count(everything())}; about {MIN_GROUPS * 2} are needed)"
        )
    left_out = [read(without(group)) for group in held]
    undefined = next((value for value in left_out if isinstance(value, Undefined)), None)
    if undefined is not None:
        return Interval(reason=f"without one of the groups of records there is no value: {undefined.reason}")
    deleted = np.array(left_out, dtype=np.float64)
    degrees = len(held) - 1
    variance = degrees / len(held) * float(np.sum((deleted - deleted.mean()) ** 2))
    if kind == "pairs":
        variance = _pair_corrected(read, count, held, deleted, whole)
    se = math.sqrt(variance)
    t = t_quantile(degrees)
    if kind == "plain":
        lo, hi = whole - t * se, whole + t * se
    else:
        lo, hi = _wilson(whole, se, count(everything()), t)
    return Interval(float(max(lo, bounds[0])), float(min(hi, bounds[1])), se)


def _wilson(share: float, se: float, n: int, t: float) -> tuple[float, float]:
    """Wilson's interval with the effective number of records; n itself where the share does not vary."""
    effective = min(share * (1 - share) / se**2, float(n)) if se > 0 and 0 < share < 1 else float(n)
    effective = max(effective, 1.0)
    centre = (share + t**2 / (2 * effective)) / (1 + t**2 / effective)
    half = t / (1 + t**2 / effective) * math.sqrt(share * (1 - share) / effective + t**2 / (4 * effective**2))
    return centre - half, centre + half


def _pair_corrected(
    read: Reading, count: Counting, held: list[int], deleted: NDArray[np.float64], whole: float
) -> float:
    """Jackknife variance of a share of records that rests on pairs, the pair term counted once.

    Works on the residual total e(mask) = (T(mask) - T) · n(mask), which is additive but for pairs: first differences
    hold each pair twice, second differences hold each pair once.
    """
    total = count(everything())
    m = len(held)
    first = -np.array([(deleted[i] - whole) * count(without(g)) for i, g in enumerate(held)]) / total
    second = []
    for i, g in enumerate(held):
        for j in range(i + 1, m):
            both = without(g, held[j])
            value = read(both)
            if not isinstance(value, Undefined):
                second.append((value - whole) * count(both) / total + first[i] + first[j])
    plain = float(np.sum((first - first.mean()) ** 2)) * m / (m - 1)
    pairs = np.array(second)
    correction = float(np.sum((pairs - pairs.mean()) ** 2)) if len(pairs) else 0.0
    return max(plain - correction, plain / 2)


def size_curve(read: Reading, count: Counting, se: float | None) -> tuple[CurvePoint, ...]:
    """The value at 1, 2, 4, 8, 16 and 32 groups: the mean over disjoint blocks of groups, each a random subset.

    The error of a mean over at least eight blocks is their spread over the square root of their number; with fewer
    blocks, one group at a time is left out of its block and the jackknife over all 32 deletions is taken. At the whole
    set it is the jackknife error already known, passed in as `se`.
    """
    points = []
    for width in (1, 2, 4, 8, 16):
        blocks = [list(range(start, start + width)) for start in range(0, GROUPS, width)]
        values = [read(only(block)) for block in blocks]
        defined = np.array([value for value in values if not isinstance(value, Undefined)], dtype=np.float64)
        if len(defined) < max(2, len(blocks) // 2):
            continue
        n = round(float(np.mean([count(only(block)) for block in blocks])))
        if len(blocks) >= MIN_GROUPS:
            error: float | None = float(defined.std(ddof=1) / math.sqrt(len(defined)))
        else:
            error = _block_jackknife(read, blocks, values)
        points.append(CurvePoint(n, float(defined.mean()), error))
    whole = read(everything())
    if not isinstance(whole, Undefined):
        points.append(CurvePoint(count(everything()), float(whole), se))
    return tuple(points)


def _block_jackknife(read: Reading, blocks: list[list[int]], values: list[float | Undefined]) -> float | None:
    """Jackknife error of the mean over blocks, each deletion touching only the block that holds the group."""
    if any(isinstance(value, Undefined) for value in values):
        return None
    known = np.array(values, dtype=np.float64)
    means = []
    for index, block in enumerate(blocks):
        for group in block:
            value = read(only([other for other in block if other != group]))
            if isinstance(value, Undefined):
                return None
            means.append((known.sum() - known[index] + value) / len(blocks))
    spread = np.array(means) - float(np.mean(means))
    return math.sqrt((GROUPS - 1) / GROUPS * float(np.sum(spread**2)))
