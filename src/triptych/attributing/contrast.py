"""A weighted sum of the values of several runs, with its interval.

Three errors, told apart:

    within    what the records of each run leave uncertain: the delete-a-group jackknife of each run's value. Runs that share
              no prompt are independent, and variances add with Welch's degrees of freedom; where runs share prompts all lie
              in joint groups, and what a group contributes to the sum is the sum of what it contributes (see
              `triptych.comparing.sides`). It is conditional on the one run that was made of each cell.
    between   another run of the same recipe is another data set. Where cells have several runs, their spread inside cells,
              pooled, is the error of a run's value: it holds both what records and what runs leave uncertain.
    around    with one run of each cell, how far the runs lie from the linear model of the effects: differences between runs
              of one recipe show there too, and so do effects that the model leaves out, so it is wide rather than narrow.

Values in a closed range have the ends of Zou & Donner (2008, MOVER), as in `triptych.comparing.difference`, for any weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.student import p_value, quantile, share_reach
from triptych.core.interval import Changes

Floats = NDArray[np.float64]

LEVEL = 0.95
LEAST_DEGREES = 2
"""With one degree of freedom an interval is 6 times as wide as with many: no error is read from so little."""


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of values.

    Attributes:
        value: the sum.
        lo, hi: ends of the 95 % interval.
        se, degrees: standard error and its degrees of freedom.
        p: of no effect, two-sided: under .05 exactly where the interval does not hold 0.
        inner: ends of the 90 % interval, for equivalence.
    """

    value: float
    lo: float
    hi: float
    se: float
    degrees: float
    p: float
    inner: tuple[float, float]


def within(values: Sequence[Changes], weights: Floats, *, joint: bool) -> Contrast:
    """The sum with the error that the records leave.

    Args:
        values: what the groups contribute to the value of each run.
        weights: of each run (runs,); those of weight 0 play no part.
        joint: whether the groups of all runs are the same.
    """
    used = [(one, float(weight)) for one, weight in zip(values, weights, strict=True) if weight]
    parts, factors = [one for one, _ in used], np.array([weight for _, weight in used])
    value = float(factors @ np.array([one.whole for one in parts]))
    contributed = np.array([np.nan_to_num(one.each, nan=0.0) * one.scale for one in parts])
    variance, degrees = _joint(parts, factors, contributed) if joint else _independent(parts, factors)
    t = quantile(degrees, (1 + LEVEL) / 2)
    if all(one.kind in {"plain", "growing"} for one in parts):
        below = above = t * math.sqrt(variance)
    else:
        alike = _correlations(contributed) if joint else np.eye(len(parts))
        reach = np.array([_reach(one, t) for one in parts])
        size, sign, up = np.abs(factors), np.sign(factors), factors > 0
        down_arm = size * np.where(up, reach[:, 0], reach[:, 1]) * sign
        up_arm = size * np.where(up, reach[:, 1], reach[:, 0]) * sign
        below, above = (math.sqrt(max(float(arm @ alike @ arm), 0.0)) for arm in (down_arm, up_arm))
    facing = (below if value > 0 else above) / t
    ratio = quantile(degrees, LEVEL) / t
    return Contrast(
        value=value,
        lo=value - below,
        hi=value + above,
        se=math.sqrt(variance),
        degrees=degrees,
        p=p_value(value, facing, degrees),
        inner=(value - ratio * below, value + ratio * above),
    )


def between(values: Floats, cells: NDArray[np.int64], weights: Floats) -> Contrast | None:
    """The sum with the error that another run of each cell would show; None where no cell has several runs.

    Args:
        values: of each run (runs,).
        cells: number of the cell of each run (runs,).
        weights: of each run (runs,).
    """
    names, place = np.unique(cells, return_inverse=True)
    degrees = len(values) - len(names)
    if degrees < 1:
        return None
    means = np.bincount(place, weights=values) / np.bincount(place)
    spread = float(((values - means[place]) ** 2).sum()) / degrees
    return _symmetric(float(weights @ values), math.sqrt(spread * float(weights @ weights)), degrees)


def around(values: Floats, left: Floats, weights: Floats) -> Contrast | None:
    """The sum with the error that the runs' scatter around the model shows; None with fewer than `LEAST_DEGREES`.

    Args:
        values: of each run (runs,).
        left: what turns values into residuals of the model (runs, runs), a projection.
        weights: of each run (runs,).
    """
    degrees = round(float(np.trace(left)))
    if degrees < LEAST_DEGREES:
        return None
    off = left @ values
    return _symmetric(
        float(weights @ values), math.sqrt(float(off @ off) / degrees * float(weights @ weights)), degrees
    )


def scatter(values: Sequence[Changes], left: Floats) -> tuple[float, float]:
    """How much more runs scatter around the model than their records explain, and the p of that.

    Args:
        values: what the groups contribute to the value of each run.
        left: what turns values into residuals (runs, runs), a projection.

    Returns:
        The ratio of the squares of residuals to what the jackknife expects of them, and its p (chi-square with the
        degrees of freedom that the unequal errors leave, after Satterthwaite).
    """
    from scipy.special import chdtrc  # noqa: PLC0415 - scipy is slow to import

    off = left @ np.array([one.whole for one in values])
    mixed = left @ np.diag([one.se**2 for one in values]) @ left
    expected, spread = float(np.trace(mixed)), float((mixed**2).sum())
    if expected <= 0:
        return (math.inf, 0.0) if float(off @ off) > 0 else (1.0, 1.0)
    ratio = float(off @ off) / expected
    degrees = expected**2 / spread
    return ratio, float(chdtrc(degrees, degrees * ratio))


def _symmetric(value: float, se: float, degrees: float) -> Contrast:
    """By Student's t."""
    wide, narrow = (quantile(degrees, at) * se for at in ((1 + LEVEL) / 2, LEVEL))
    inner = (value - narrow, value + narrow)
    return Contrast(value, value - wide, value + wide, se, float(degrees), p_value(value, se, degrees), inner)


def _independent(parts: Sequence[Changes], factors: Floats) -> tuple[float, float]:
    own = np.array([one.se**2 for one in parts]) * factors**2
    degrees = np.array([one.degrees for one in parts], dtype=np.float64)
    total = float(own.sum())
    return total, total**2 / float((own**2 / degrees).sum()) if total else float(degrees.sum())


def _joint(parts: Sequence[Changes], factors: Floats, contributed: Floats) -> tuple[float, float]:
    """As for two sets: what each group contributes to the sum, less what pairs of records add a second time."""
    held = ~np.all([np.isnan(one.each) for one in parts], axis=0)
    both = (factors @ contributed)[held]
    degrees = min(one.degrees for one in parts)
    whole = float(both @ both) * len(both) / degrees
    twice = float(sum(w**2 * one.pairs * one.scale**2 for one, w in zip(parts, factors, strict=True)))
    return (max(whole - twice, whole / 2) if twice else whole), float(degrees)


def _correlations(contributed: Floats) -> Floats:
    """Of what the groups contribute to every two values, 0 where one does not vary (k, k)."""
    sizes = np.sqrt((contributed**2).sum(axis=1))
    known = sizes > 0
    unit = np.where(known[:, None], contributed, 0.0) / np.where(known, sizes, 1.0)[:, None]
    alike: Floats = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(alike, 1.0)
    return alike


def _reach(found: Changes, t: float) -> tuple[float, float]:
    """Distance of the value to the lower and the upper end of its own interval."""
    if found.kind in {"plain", "growing"}:
        return t * found.se, t * found.se
    return share_reach(found, t)
