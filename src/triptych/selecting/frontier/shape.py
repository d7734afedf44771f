"""The shape of a trade-off: who dominates whom, the front, the hypervolume, the knee, the price of diversity.

Points lie in the plane of diversity (x) and quality (y); more of both is better. A point dominates another when it is at
least as good on both and better on one, by value: values are exact for the records they were read on. Whether that would
hold for other records of the same kind is told beside it, by intervals (`difference`).

Worked example: points (1, 3), (2, 2), (3, 1), (1, 1): the last is dominated, the first three are the front. Against the
reference (1, 1) their hypervolume is 1 · 1 = 1 of a box of 2 · 2, the share .25: (2, 2) alone stands off the axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """A number with its interval (None: there is none, and `reason` says why); `value` None: it is not defined."""

    value: float | None
    lo: float | None = None
    hi: float | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As in the document."""
        return {"value": self.value, "lo": self.lo, "hi": self.hi, "reason": self.reason}


def dominates(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether a is at least as good as b on both axes and better on one."""
    return a[0] >= b[0] and a[1] >= b[1] and a != b


def front(points: Floats) -> list[int]:
    """Positions of the points that none dominates, by rising diversity; of equal points, all. (n, 2), O(n log n)."""
    best, kept = -math.inf, list[int]()
    order = np.lexsort((-points[:, 1], -points[:, 0]))
    for at in order.tolist():
        x, y = points[at]
        equal = bool(kept) and tuple(points[kept[-1]]) == (x, y)
        if y > best or equal:
            kept.append(at)
            best = max(best, y)
    return kept[::-1]


def hypervolume(points: Floats, reference: tuple[float, float]) -> float:
    """Area that the points dominate above the reference; 0 where none is better than it on both axes. (n, 2)."""
    inside = points[(points[:, 0] > reference[0]) & (points[:, 1] > reference[1])]
    area, left = 0.0, reference[0]
    for x, y in inside[front(inside)] if len(inside) else []:
        area += (x - left) * (y - reference[1])
        left = x
    return float(area)


def knee(points: Floats) -> int | str:
    """Where a front bends most: the point farthest above the chord between its ends, on axes scaled to 0..1.

    Args:
        points: a front by rising diversity, (n, 2).

    Returns:
        Its position, the first of equals; or why there is none.
    """
    different = np.unique(points, axis=0)
    if len(different) < 3:
        return f"the front has {len(different)} different point{'s' * (len(different) != 1)}, a knee needs 3"
    scaled = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    # A front falls from (0, 1) to (1, 0): the height above that chord is x + y - 1, up to a factor.
    above = scaled.sum(axis=1) - 1
    if above.max() <= 1e-9:
        return "no point of the front lies above the chord between its ends"
    return int(np.argmax(above >= above.max() - 1e-12))


def difference(a: Reading, b: Reading) -> tuple[float, float] | None:
    """The 95 % interval of a - b from the two intervals, the sets taken as independent.

    The lower end is (a - b) - √((a - a_lo)² + (b_hi - b)²), the upper one likewise: Zou & Donner 2008 ("Construction of
    confidence limits about effect measures", method MOVER), good for intervals that are not symmetric. Selections from
    one pool share records, so the true interval is narrower: what is said to differ does.
    """
    if a.value is None or b.value is None or a.lo is None or b.lo is None or a.hi is None or b.hi is None:
        return None
    gap = a.value - b.value
    down = math.hypot(a.value - a.lo, b.hi - b.value)
    up = math.hypot(a.hi - a.value, b.value - b.lo)
    return gap - down, gap + up


def surely_above(a: Reading, b: Reading) -> bool:
    """Whether a exceeds b beyond their intervals."""
    between = difference(a, b)
    return between is not None and between[0] > 0


def surely_dominates(a: tuple[Reading, Reading], b: tuple[Reading, Reading]) -> bool:
    """Whether a dominates b by value, and is beyond the intervals on one axis at least."""
    values = [(one[0].value, one[1].value) for one in (a, b)]
    if any(value is None for pair in values for value in pair):
        return False
    first, second = [(float(x or 0.0), float(y or 0.0)) for x, y in values]
    return dominates(first, second) and any(surely_above(one, other) for one, other in zip(a, b, strict=True))


@dataclass(frozen=True)
class Step:
    """From one point of a front to the next: diversity gained, quality lost, and what a unit of diversity cost."""

    start: int
    end: int
    gained: float
    lost: float

    @property
    def per_unit(self) -> float:
        """Quality lost per unit of diversity gained."""
        return self.lost / self.gained


def prices(points: Floats) -> list[Step]:
    """The steps along the front of some points (n, 2), by rising diversity; equal points are one."""
    steps: list[Step] = []
    path = front(points)
    for start, end in pairwise(path):
        gained, lost = points[end, 0] - points[start, 0], points[start, 1] - points[end, 1]
        if gained > 0:
            steps.append(Step(start, end, float(gained), float(lost)))
    return steps


def ends(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The worst and the best value of each axis: the reference of the hypervolume, and the corner of the box."""
    table = np.array(points, dtype=np.float64)
    low, high = table.min(axis=0), table.max(axis=0)
    return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))
