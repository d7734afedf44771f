"""Intervals and size curves from masks of groups.

The interval is the delete-a-group jackknife: the measure is read 32 times, each time without one group. A group's change
is d_g = (T - T_(g)) · n_(g)/n, n_(g) the records that are left, and se² = m/(m - 1) · Σ_g (d_g - mean)², with t on m - 1
degrees of freedom, m the number of groups that hold records (Kott 2001, "The delete-a-group jackknife"). Nothing is resampled with replacement: repeated records lower diversity.

Five variants, named by the measure:

    plain      as above
    growing    a measure that moves with the number of records: groups differ in size by chance, the whole set does not.
               What the mere size of a group explains (a line through the changes) is taken out, for one degree of
               freedom. The size is the number of what is dealt: of records, or of clusters where records are dealt by
               cluster (whole prompts with all their responses). How many records a cluster has is part of the sample,
               and is left in. 998 effective structures of 1,000 records: the error falls from 31 to 2 (true: 1.6).
               Never below the share of the value that one record has
    share      a share of records: the plain error, turned into a Wilson interval with the effective number of records
               p(1 - p)/se², so that 0 and 1 have honest intervals too (Wilson 1927; Korn & Graubard 1998)
    pairs      a share of records that rests on pairs: the plain jackknife counts the pair term twice (Efron & Stein
               1981), so the squared second differences over all pairs of groups are subtracted; sizes as in `growing`,
               ends as in `share`, but the error may be smaller than that of n independent records (not than one record)
    effective  an effective number of records, 1..n: the interval of its share of n; sizes and ends as in `pairs`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import CurvePoint, Interval, Undefined
from triptych.core.groups import GROUPS, Mask, everything, only, without

Reading: TypeAlias = Callable[[Mask], float | Undefined]
Counting: TypeAlias = Callable[[Mask], int]
Dealt: TypeAlias = NDArray[np.int64]
Kind: TypeAlias = Literal["plain", "growing", "effective", "share", "pairs"]

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


@dataclass(frozen=True)
class Changes:
    """What each group of records contributes to the error of a value: what an interval and a difference are made of.

    Attributes:
        whole: the value on all records.
        n: records.
        kind: the variant that was used.
        each: change of the value that the group makes, centred, without what its mere size explains where the variant
            takes that out; in units of `scale`; NaN for groups without records, float64 (32,).
        degrees: of freedom of the sum of their squares.
        pairs: variance that pairs of records add a second time, in units of `scale` squared.
        scale: 1, or the number of records for an effective number: `each` then speaks of its share of them.
    """

    whole: float
    n: int
    kind: Kind
    each: NDArray[np.float64]
    degrees: int
    pairs: float
    scale: float

    @property
    def se(self) -> float:
        """The standard error of the value, never below what so many records leave uncertain."""
        held = self.each[~np.isnan(self.each)]
        spread = float(held @ held) * len(held) / self.degrees
        se = math.sqrt(max(spread - self.pairs, spread / 2)) if self.kind == "pairs" else math.sqrt(spread)
        if self.kind == "growing":
            return max(se, abs(self.whole) / self.n)
        if self.kind == "plain":
            return se
        share = min(self.whole / self.scale, 1.0)
        dealt = math.sqrt(share * (1 - share) / self.n)
        return max(se, dealt if self.kind == "share" else min(dealt, 1 / self.n)) * self.scale


def changes(
    read: Reading, count: Counting, kind: Kind, dealt: Dealt | None = None, fitted: int = 0
) -> Changes | Undefined:
    """What each group of records contributes to the error of a measure's value, or why that cannot be told.

    Args:
        read: the measure's value under a mask of kept groups.
        count: records under a mask.
        kind: which variant applies (module docstring).
        dealt: records on their own and clusters in each group, (32,); None: all records are on their own.
        fitted: numbers inside `read` that were fitted to the changes of these groups: so many degrees of freedom less.
    """
    whole = read(everything())
    held = [group for group in range(GROUPS) if count(only([group])) > 0]
    if isinstance(whole, Undefined):
        return whole
    if len(held) < MIN_GROUPS + fitted:
        return Undefined(
            f"the records fall in {len(held)} of the 32 groups, {MIN_GROUPS + fitted} are needed for an interval: too few "
            "records, or too few prompts with all their responses"
        )
    left_out = [read(without(group)) for group in held]
    undefined = next((value for value in left_out if isinstance(value, Undefined)), None)
    if undefined is not None:
        return Undefined(f"without one of the groups of records there is no value: {undefined.reason}")
    left = np.array([count(without(group)) for group in held])
    n, values = count(everything()), np.array(left_out, dtype=np.float64)
    unit = n if kind == "effective" else 1
    moved = (whole / unit - values / (left if kind == "effective" else 1)) * left / n
    each = np.full(GROUPS, np.nan)
    sizes = _sizes(count, held, dealt) if kind in {"growing", "effective", "pairs"} else None
    each[held], degrees = _centred(moved, sizes)
    pairs = _pair_term(read, count, held, moved, whole) if kind == "pairs" else 0.0
    return Changes(float(whole), n, kind, each, degrees - fitted, pairs, float(unit))


def interval(
    read: Reading,
    count: Counting,
    kind: Kind,
    bounds: tuple[float, float],
    dealt: Dealt | None = None,
    *,
    fitted: int = 0,
) -> Interval:
    """The 95 % interval of a measure.

    Args:
        read: the measure's value under a mask of kept groups.
        count: records under a mask.
        kind: which variant applies (module docstring).
        bounds: range of the measure; the interval is clipped to it.
        dealt: records on their own and clusters in each group, (32,); None: all records are on their own.
        fitted: as of `changes`.
    """
    found = changes(read, count, kind, dealt, fitted)
    if isinstance(found, Undefined):
        return Interval(reason=found.reason)
    whole, se, t, unit = found.whole, found.se, t_quantile(found.degrees), found.scale
    if kind in {"plain", "growing"}:
        if not np.nansum(found.each**2) and whole in bounds:
            return Interval(reason="the value lies at the end of its range in every group: its error cannot be told")
        lo, hi = whole - t * se, whole + t * se
    else:
        lo, hi = (end * unit for end in wilson(min(whole / unit, 1.0), se / unit, found.n, t))
    lo, hi = max(lo, bounds[0]), min(hi, bounds[1])
    return Interval(float(min(lo, whole)), float(max(hi, whole)), se)


def _sizes(count: Counting, held: list[int], dealt: Dealt | None) -> NDArray[np.float64] | None:
    """How much was dealt to each of the groups that hold records, (m,); None where that cannot be told.

    It is the number of records where these vary as records dealt singly do (a variance of at most 1.6 times their mean:
    chi-square on 31 degrees of freedom exceeds it in 2 %), else that of records on their own and clusters. In between,
    where few records have others beside them, either is about right, and the records that the measure reads are nearer.
    """
    if len(held) < 2 * MIN_GROUPS:
        return None
    records = np.array([count(only([group])) for group in held], dtype=np.float64)
    if records.var(ddof=1) <= 1.6 * records.mean():
        return records
    return None if dealt is None else dealt[held].astype(np.float64)


def _centred(changes: NDArray[np.float64], sizes: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], int]:
    """The changes that the groups make, centred and without their line over the sizes, and the degrees of freedom of
    the sum of their squares.
    """
    m = len(changes)
    centred = changes - changes.mean()
    excess = np.zeros(m) if sizes is None else sizes - sizes.mean()
    total = float(excess @ excess)
    if not total:
        return centred, m - 1
    return centred - excess * float(excess @ centred) / total, m - 2


def wilson(share: float, se: float, n: int, t: float) -> tuple[float, float]:
    """Wilson's interval with the effective number of records share(1 - share)/se²; n itself at 0 and 1."""
    effective = max(share * (1 - share) / se**2, 1.0) if 0 < share < 1 else float(n)
    centre = (share + t**2 / (2 * effective)) / (1 + t**2 / effective)
    half = t / (1 + t**2 / effective) * math.sqrt(share * (1 - share) / effective + t**2 / (4 * effective**2))
    return centre - half, centre + half


def _pair_term(read: Reading, count: Counting, held: list[int], changes: NDArray[np.float64], whole: float) -> float:
    """The part of the jackknife variance that pairs of records add a second time.

    Works on the residual total e(mask) = (T(mask) - T) · n(mask) / n, which is additive but for pairs: the change that a
    group makes holds each pair twice, second differences hold each pair once.
    """
    total = count(everything())
    second = []
    for i, g in enumerate(held):
        for j in range(i + 1, len(held)):
            both = without(g, held[j])
            value = read(both)
            if not isinstance(value, Undefined):
                second.append((value - whole) * count(both) / total + changes[i] + changes[j])
    pairs = np.array(second)
    return float(np.sum((pairs - pairs.mean()) ** 2)) if len(pairs) else 0.0


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
