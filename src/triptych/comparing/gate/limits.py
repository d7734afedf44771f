"""What a rule says of a value or of a difference: pass, fail, or unsure.

A limit fails only where the interval lies wholly on its wrong side, and passes where it lies wholly on the right one; in
between nothing is told. So noise does not fail a gate: a value that is truly at its limit fails in at most 1 of 40 sets,
and a set that is truly as good as its baseline fails a margin of two standard errors in hardly one of 5,000.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from triptych.comparing.difference import Difference
from triptych.comparing.student import quantile
from triptych.core.interval import Changes, wilson
from triptych.core.measure import Measure

LEVEL = 0.95
PASS, FAIL, UNSURE = "pass", "fail", "unsure"


@dataclass(frozen=True)
class Ends:
    """A number and its interval."""

    value: float
    lo: float
    hi: float

    def turned(self, sign: int) -> Ends:
        """The same with the other sign, where `sign` is -1."""
        return self if sign > 0 else Ends(-self.value, -self.hi, -self.lo)

    def __str__(self) -> str:
        return f"{show(self.value)} [{show(self.lo)}, {show(self.hi)}]"


def value_ends(found: Changes, measure: Measure, many: int) -> Ends:
    """The value of a measure with its interval, wide enough for so many values at once (Bonferroni).

    A value that lies at the end of its range in every group has an interval of no width.
    """
    t = _quantile(found.degrees, many)
    if found.kind in {"plain", "growing"}:
        lo, hi = found.whole - t * found.se, found.whole + t * found.se
    else:
        share = min(found.whole / found.scale, 1.0)
        lo, hi = (end * found.scale for end in wilson(share, found.se / found.scale, found.n, t))
    low, high = measure.about.bounds
    return Ends(found.whole, min(max(lo, low), found.whole), max(min(hi, high), found.whole))


def difference_ends(found: Difference, many: int) -> Ends:
    """Data less baseline with its interval, wide enough for so many differences at once."""
    ratio = _quantile(found.degrees, many) / _quantile(found.degrees, 1)
    return Ends(found.diff, found.diff - ratio * (found.diff - found.lo), found.diff + ratio * (found.hi - found.diff))


def _quantile(degrees: float, many: int) -> float:
    """Wide enough for so many at once (Bonferroni)."""
    return quantile(degrees, 1 - (1 - LEVEL) / 2 / many)


def at_least(found: Ends, limit: float) -> str:
    """Whether a number reaches a limit."""
    if found.lo >= limit:
        return PASS
    return FAIL if found.hi < limit else UNSURE


def at_most(found: Ends, limit: float) -> str:
    """Whether a number stays at or under a limit."""
    return at_least(found.turned(-1), -limit)


def gone(expected: float, records: int, many: int) -> bool:
    """Whether no record of a kind is clearly too few: the kind is a share `expected` of the baseline."""
    return records * math.log1p(-min(expected, 1 - 1e-12)) < math.log((1 - LEVEL) / 2 / many)


def show(number: float) -> str:
    """A number for people."""
    if number and not 1e-4 <= abs(number) < 1e6:
        return f"{number:.3g}"
    return f"{number:,.1f}" if abs(number) >= 1000 else f"{number:.4g}"
