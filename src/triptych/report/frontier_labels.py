"""Where the labels of a drawing go: near their points, off each other, off the marks, inside the frame.

A greedy dodge: labels are placed in the order given; each takes the cheapest of some forty places around its points. A
label never covers another; one that would have to, or that would stand on a crowd of marks, is left out: the list beside
the drawing names every shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

DIRECTIONS = ((1, 0), (1, -1), (1, 1), (0, -1), (0, 1), (-1, 0), (-1, -1), (-1, 1))
RADII = (10.0, 16.0, 25.0, 38.0, 56.0)
LEADER = 22.0
"""Beyond this distance a thin line ties the label to its point."""
COVER, CROSS = 6.0, 1.0
"""What it costs to stand on a mark, and on a line."""
FAR = 9.0
"""Pixels of distance that cost as much as standing on a line."""
WORST = 9.0
"""A label that costs more is left out."""


@dataclass(frozen=True)
class Wanted:
    """A label and the points where it may stand."""

    text: str
    css: str
    anchors: tuple[tuple[float, float], ...]
    size: float
    must: bool = False


@dataclass(frozen=True)
class Label:
    """A label in its place; `leader` is path data, empty for none."""

    text: str
    css: str
    x: float
    y: float
    anchor: str
    leader: str


def place(wanted: Sequence[Wanted], marks: Sequence[Box], lines: Sequence[Box], frame: Box) -> list[Label]:
    """Labels in places that do not collide.

    Args:
        wanted: labels, the most needed first.
        marks: boxes of the points that are drawn.
        lines: boxes of the segments that are drawn.
        frame: labels stay inside.
    """
    taken: list[Box] = []
    out = []
    for item in wanted:
        best: tuple[float, Label, Box] | None = None
        for point in item.anchors:
            reach = RADII[-1] + text_width(item.text, item.size)
            around = (point[0] - reach, point[1] - reach, point[0] + reach, point[1] + reach)
            near = [box for box in marks if _overlap(box, around)], [box for box in lines if _overlap(box, around)]
            for radius in RADII:
                if best is not None and best[0] <= radius / FAR:
                    break
                for to in DIRECTIONS:
                    label, box = _try(item, point, radius, to)
                    cost = _cost(box, taken, *near, frame)
                    if cost is not None and (best is None or cost + radius / FAR < best[0] - 1e-9):
                        best = (cost + radius / FAR, label, box)
        if best is not None and (item.must or best[0] <= WORST):
            taken.append(best[2])
            out.append(best[1])
    return out


def _try(item: Wanted, point: tuple[float, float], radius: float, to: tuple[int, int]) -> tuple[Label, Box]:
    slant = 0.75 if all(to) else 1.0
    x, y = point[0] + to[0] * radius * slant, point[1] + to[1] * radius * slant
    width, height = text_width(item.text, item.size), item.size
    left = x if to[0] > 0 else x - width if to[0] < 0 else x - width / 2
    top = y - height if to[1] < 0 else y if to[1] > 0 else y - height / 2
    leader = ""
    if radius > LEADER:
        near = 6 / radius
        leader = f"M{point[0] + (x - point[0]) * near:.1f} {point[1] + (y - point[1]) * near:.1f}L{x:.1f} {y:.1f}"
    anchor = ("middle", "start", "end")[to[0]]
    label = Label(item.text, item.css, round(x, 1), round(top + 0.8 * height, 1), anchor, leader)
    return label, (left - 1.5, top, left + width + 1.5, top + height)


def text_width(text: str, size: float) -> float:
    """Width of a text in a common sans-serif: on the safe side."""
    return 0.58 * size * len(text)


def _cost(box: Box, taken: Sequence[Box], marks: Sequence[Box], lines: Sequence[Box], frame: Box) -> float | None:
    inside = box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]
    if not inside or any(_overlap(box, other) for other in taken):
        return None
    return COVER * sum(_overlap(box, mark) for mark in marks) + CROSS * sum(_overlap(box, line) for line in lines)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
