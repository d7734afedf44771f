"""Frames, shapes and paths of the frontier's drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from triptych.report.frontier_labels import Box

Point = tuple[float, float]

SHAPES = ("circle", "square", "diamond", "up", "down", "star", "hexagon", "hourglass", "right", "plus")
"""Shapes of the policies, in the order of their points on the front."""


@dataclass(frozen=True)
class Frame:
    """Size of a drawing and its margins, in pixels; `font` is the size of its labels."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    font: float

    @property
    def inner(self) -> Box:
        """Where points lie: left, top, right, bottom."""
        return self.left, self.top, self.width - self.right, self.height - self.bottom

    def x(self, at: float) -> float:
        """From 0..1 to a place across."""
        return round(self.left + (self.width - self.left - self.right) * at, 1)

    def y(self, at: float) -> float:
        """From 0..1 to a place upright; 1 is at the top."""
        return round(self.top + (self.height - self.top - self.bottom) * (1 - at), 1)


WIDE = Frame(900.0, 560.0, 54.0, 22.0, 52.0, 52.0, 13.0)
NARROW = Frame(460.0, 470.0, 44.0, 12.0, 62.0, 50.0, 12.5)
SMALL = Frame(400.0, 300.0, 44.0, 14.0, 14.0, 42.0, 12.0)


WIDE = Frame(900.0, 560.0, 54.0, 22.0, 52.0, 52.0, 13.0)
NARROW = Frame(460.0, 470.0, 44.0, 12.0, 62.0, 50.0, 12.5)
SMALL = Frame(400.0, 300.0, 44.0, 14.0, 14.0, 42.0, 12.0)

_CORNERS: dict[str, tuple[Point, ...]] = {
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "up": ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
    "down": ((0, 1.15), (1.1, -0.85), (-1.1, -0.85)),
    "right": ((1.15, 0), (-0.85, 1.1), (-0.85, -1.1)),
    "left": ((-1.15, 0), (0.85, 1.1), (0.85, -1.1)),
    "hourglass": ((-1, -1), (1, -1), (-1, 1), (1, 1)),
    "hexagon": tuple((1.05 * math.cos(math.pi * k / 3), 1.05 * math.sin(math.pi * k / 3)) for k in range(6)),
    "star": tuple(
        ((1.35, 0.6)[k % 2] * math.sin(math.pi * k / 5), -(1.35, 0.6)[k % 2] * math.cos(math.pi * k / 5))
        for k in range(10)
    ),
    "plus": tuple(
        (x, y)
        for x, y in (
            (-0.4, -1.15),
            (0.4, -1.15),
            (0.4, -0.4),
            (1.15, -0.4),
            (1.15, 0.4),
            (0.4, 0.4),
            (0.4, 1.15),
            (-0.4, 1.15),
            (-0.4, 0.4),
            (-1.15, 0.4),
            (-1.15, -0.4),
            (-0.4, -0.4),
        )
    ),
}


def shape(name: str, x: float, y: float, size: float) -> str:
    """Path data of a shape around a point."""
    if name == "circle":
        return f"M{x - size:.1f} {y:.1f}a{size:.1f} {size:.1f} 0 1 0 {2 * size:.1f} 0a{size:.1f} {size:.1f} 0 1 0 {-2 * size:.1f} 0Z"
    return joined([(x + size * dx, y + size * dy) for dx, dy in _CORNERS[name]]) + "Z"


def joined(points: Sequence[Point]) -> str:
    """Path data of a line through points; empty for none."""
    return "M" + "L".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in points) if points else ""


def boxes(points: Sequence[Point]) -> list[Box]:
    """Small boxes along a line through points: where labels had better not stand."""
    found: list[Box] = []
    for (x, y), (to_x, to_y) in pairwise(points):
        parts = max(1, int(max(abs(to_x - x), abs(to_y - y)) / 8))
        for part in range(parts):
            middle_x, middle_y = (a + (b - a) * (part + 0.5) / parts for a, b in ((x, to_x), (y, to_y)))
            found.append((middle_x - 2, middle_y - 2, middle_x + 2, middle_y + 2))
    return found
