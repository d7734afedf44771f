"""Drawings beside the frontier: a rejection threshold that is tightened, and compliance by typicality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from triptych.report.frontier_front import DOWN, NO_INTERVAL, UNKNOWN, UP, compare, places, shown
from triptych.report.frontier_records import Axis, Threshold, Typicality
from triptych.report.frontier_shapes import Frame
from triptych.report.scales import Scale, rounded, ticks
from triptych.report.study_records import Reading
from triptych.report.words import number, short_number

STEP = Frame(420.0, 190.0, 46.0, 14.0, 12.0, 46.0, 12.0)
DECILES = Frame(560.0, 260.0, 46.0, 14.0, 14.0, 48.0, 12.0)
TICKS = 12

Places = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class LineDrawing:
    """One line with intervals on its own axes."""

    frame: Frame
    css: str
    title: str
    path: str
    errors: str
    dots: tuple[tuple[float, float, str], ...]
    x_ticks: Places
    y_ticks: Places
    x_title: str
    spoken: str
    moved: str
    verdict: str


def threshold_drawings(found: Threshold, quality: Axis, judges: Sequence[Axis]) -> list[LineDrawing]:
    """Quality, then what each judge read, against the threshold."""
    names = tuple(
        short_number(float(f"{row.threshold:.3g}")) if row.threshold is not None else f"#{at + 1}"
        for at, row in enumerate(found.rows)
    )
    shares = [row.share for row in found.rows]
    title = "threshold, loosest to tightest"
    if shares and shares[0] is not None and shares[-1] is not None:
        title += f"; accepts {number(shares[0], 2)} to {number(shares[-1], 2)} of the candidates"
    own = [row.quality for row in found.rows]
    out = [
        _drawing(STEP, ("s0", f"Quality: {quality.title}", changed(found, "", own)), own, names, title, quality.unit)
    ]
    for judge in judges:
        values = [row.diversity.get(judge.key, Reading()) for row in found.rows]
        out.append(
            _drawing(
                STEP,
                ("s2", f"Diversity: {judge.title}", changed(found, judge.key, values)),
                values,
                names,
                title,
                judge.unit,
            )
        )
    return [item for item in out if item is not None]


def typicality_drawing(found: Typicality) -> LineDrawing | None:
    """Compliance of each decile of typicality, least typical first."""
    names = tuple(short_number(row.rank) for row in found.rows)
    values = [row.compliance for row in found.rows]
    title = "decile of typicality: 1 farthest from the typical case, 10 most typical"
    if len(found.rows) != 10:
        title = "groups of records by typicality, the least typical first"
    return _drawing(DECILES, ("s0", "Compliance", ""), values, names, title, "ratio")


def verdict(values: Sequence[Reading]) -> str:
    """Whether the last of a row of readings lies above the first: "up", "down", "cannot tell", "no interval"."""
    known = [item for item in values if item.value is not None]
    return compare(known[0], known[-1]) if len(known) > 1 else NO_INTERVAL


def changed(own: Threshold, key: str, values: list[Reading]) -> str:
    """The verdict on quality (key "") or on what one judge read: the document's own, else by the first and the last row."""
    words = {UP: "rises", DOWN: "falls"} if not key else {UP: "widens", DOWN: "narrows"}
    return own.changes.get(key) or words.get(verdict(values), UNKNOWN)


def _drawing(
    frame: Frame, look: tuple[str, str, str], values: Sequence[Reading], names: Sequence[str], x_title: str, unit: str
) -> LineDrawing | None:
    known = [(at, item, item.value) for at, item in enumerate(values) if item.value is not None]
    if len(known) < 2:
        return None
    ends = [end for _, item, value in known for end in (value, item.lo, item.hi) if end is not None]
    pad = 0.06 * (max(ends) - min(ends))
    scale = rounded(min(ends) - pad, max(ends) + pad, 4)
    if min(ends) >= 0:
        scale = Scale(max(0.0, scale.lo), min(1.0, scale.hi) if max(ends) <= 1 else scale.hi)
    digits = places((item for _, item, _ in known), unit)
    across = [frame.x(0.04 + 0.92 * at / max(1, len(values) - 1)) for at in range(len(values))]
    dots = [(across[at], frame.y(scale.at(value)), f"{names[at]}: {shown(item, digits)}") for at, item, value in known]
    errors = "".join(
        f"M{across[at]:g} {frame.y(scale.at(item.lo)):g}V{frame.y(scale.at(item.hi)):g}"
        for at, item, _ in known
        if item.lo is not None and item.hi is not None and item.lo < item.hi
    )
    every = -(-len(names) // TICKS)
    first, last = (number(item[2], digits) for item in (known[0], known[-1]))
    return LineDrawing(
        frame=frame,
        css=look[0],
        title=look[1] + (f", {unit}" if unit and unit not in ("ratio", "share") else ""),
        path="M" + "L".join(f"{x:g} {y:g}" for x, y, _ in dots),
        errors=errors,
        dots=tuple(dots),
        x_ticks=tuple((x, name) for at, (x, name) in enumerate(zip(across, names, strict=True)) if at % every == 0),
        y_ticks=tuple((frame.y(tick.at), tick.label) for tick in ticks(scale, 4)),
        x_title=x_title,
        spoken=f"{look[1]}: " + "; ".join(text for _, _, text in dots),
        moved=f"{first} → {last}",
        verdict=look[2],
    )
