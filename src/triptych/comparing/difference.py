"""The difference of one measure between two sets, with its interval.

Paired: the records of both sets lie in the same 32 groups (a shared prompt takes its records of both sets to one group), so
what a group contributes to the difference is the difference of what it contributes to either value, and the covariance of
paired data counts: the delete-a-group jackknife of the difference, t on 31 degrees of freedom. Unpaired: variances add, with
Welch's degrees of freedom, at most 62.

Values in a closed range (shares, effective numbers) have the ends of Zou & Donner (2008, "Construction of confidence limits
about effect measures", MOVER): the distances of both values to the ends of their own Wilson intervals, with the correlation
that the groups show (0 where unpaired). A p-value and the 90 % interval for equivalence use the error that each end
implies, so that p < .05 exactly where the interval does not hold 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.student import p_value, quantile, share_reach
from triptych.core.interval import Changes, t_quantile

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """First less second.

    Attributes:
        a, b: the two values.
        diff: a - b, or its mean over draws of a matching.
        lo, hi: ends of the 95 % interval.
        se: standard error.
        degrees: of freedom.
        p: of no difference, two-sided.
        inner: ends of the 90 % interval: within a margin on both sides, the two are equivalent at 5 %.
        share: whether the values are shares of records.
    """

    a: float
    b: float
    diff: float
    lo: float
    hi: float
    se: float
    degrees: float
    p: float
    inner: tuple[float, float]
    share: bool = False


def difference(a: Changes, b: Changes, *, paired: bool, draws: Sequence[tuple[float, float]] = ()) -> Difference:
    """The difference of two values, first less second.

    Args:
        a: what the groups contribute to the first value; of the first draw where a matching was drawn several times.
        b: likewise to the second.
        paired: whether the groups of both are the same.
        draws: values of both sets in every draw of a matching, the first among them: the difference is their mean, and the
            spread of the draws is part of the error. What a group contributes within one draw holds the chance of that
            draw already, so the mean of several is never made narrower than one.
    """
    values = np.array(draws or [(a.whole, b.whole)], dtype=np.float64)
    gaps = values[:, 0] - values[:, 1]
    diff = float(gaps.mean())
    drawn = float(gaps.var(ddof=1) / len(gaps)) if len(gaps) > 1 else 0.0
    correlation = _correlation(a, b) if paired else 0.0
    variance = _variance(a, b, paired=paired) + drawn
    degrees = _degrees(a, b, paired=paired)
    t = quantile(degrees, (1 + LEVEL) / 2)
    if a.kind in {"plain", "growing"}:
        below = above = t * math.sqrt(variance)
    else:
        (down_a, up_a), (down_b, up_b) = (share_reach(one, t_quantile(one.degrees)) for one in (a, b))
        extra = t**2 * drawn
        below = math.sqrt(max(down_a**2 + up_b**2 - 2 * correlation * down_a * up_b, 0.0) + extra)
        above = math.sqrt(max(up_a**2 + down_b**2 - 2 * correlation * up_a * down_b, 0.0) + extra)
    facing = (below if diff > 0 else above) / t
    ratio = quantile(degrees, LEVEL) / t
    return Difference(
        a=float(values[:, 0].mean()),
        b=float(values[:, 1].mean()),
        diff=diff,
        lo=diff - below,
        hi=diff + above,
        se=math.sqrt(variance),
        degrees=degrees,
        p=p_value(diff, facing, degrees),
        inner=(diff - ratio * below, diff + ratio * above),
        share=a.kind == "share",
    )


def _scaled(found: Changes) -> NDArray[np.float64]:
    """What each group contributes, in the units of the value; 0 where it holds no record of the set."""
    return np.nan_to_num(found.each, nan=0.0) * found.scale


def _variance(a: Changes, b: Changes, *, paired: bool) -> float:
    """Variance of the difference."""
    if not paired:
        return a.se**2 + b.se**2
    held = ~(np.isnan(a.each) & np.isnan(b.each))
    both = (_scaled(a) - _scaled(b))[held]
    m = len(both)
    whole = float(both @ both) * m / min(a.degrees, b.degrees)
    twice = a.pairs * a.scale**2 + b.pairs * b.scale**2
    return max(whole - twice, whole / 2) if twice else whole


def _correlation(a: Changes, b: Changes) -> float:
    """Of what the groups contribute to either; 0 where one of them does not vary."""
    x, y = _scaled(a), _scaled(b)
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(np.clip(x @ y / size, -1.0, 1.0)) if size > 0 else 0.0


def _degrees(a: Changes, b: Changes, *, paired: bool) -> float:
    if paired:
        return float(min(a.degrees, b.degrees))
    x, y = a.se**2, b.se**2
    if not x + y:
        return float(a.degrees + b.degrees)
    return (x + y) ** 2 / (x**2 / a.degrees + y**2 / b.degrees)
