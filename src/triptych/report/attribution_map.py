"""Where the runs lie: quality upright, diversity across, each with the interval of its records. `attribution.html.jinja` draws it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from triptych.report.attribution_model import MeasureInfo, RunTold
from triptych.report.scales import Scale, ticks, value_scale
from triptych.report.study_plots import Places
from triptych.report.words import decimals, letter, number

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640.0, 340.0, 52.0, 14.0, 12.0, 44.0
MOST = 64


@dataclass(frozen=True)
class RunDot:
    """A run: place, error bars as path data, the letter of its cell, and what it says."""

    x: float
    y: float
    errors: str
    label: str
    spoken: str


@dataclass(frozen=True)
class RunMap:
    """All runs on common axes; view box 640 by 340. The key names the first run of each cell."""

    dots: tuple[RunDot, ...]
    x_ticks: Places
    y_ticks: Places
    x_title: str
    y_title: str
    key: tuple[tuple[str, str], ...]


def run_map(runs: Sequence[RunTold], across: MeasureInfo, upright: MeasureInfo) -> RunMap | None:
    """The runs that have both values; None with fewer than two."""
    held = [
        run
        for run in runs[:MOST]
        if all(
            (found := run.values.get(info.label)) is not None and found.value is not None for info in (across, upright)
        )
    ]
    if len(held) < 2:
        return None
    cells = list(dict.fromkeys(run.name if run.cell is None else run.cell for run in held))
    names = [letter(cells.index(run.name if run.cell is None else run.cell)) for run in held]
    many = len(held) > len(cells)
    scales = [value_scale(_ends(held, info), info.unit) for info in (across, upright)]
    return RunMap(
        dots=tuple(_dot(run, name, (across, upright), scales) for name, run in zip(names, held, strict=True)),
        x_ticks=tuple((_x(tick.at), tick.label) for tick in ticks(scales[0], 6)),
        y_ticks=tuple((_y(tick.at), tick.label) for tick in ticks(scales[1], 5)),
        x_title=_named(across),
        y_title=_named(upright),
        key=tuple(
            {name: _cell_name(run.name, many) for name, run in reversed(list(zip(names, held, strict=True)))}.items()
        )[::-1],
    )


def _named(info: MeasureInfo) -> str:
    """Title and unit; the title alone where it says the unit."""
    return info.title if info.unit.lower() in info.title.lower() else f"{info.title}, {info.unit}"


def _cell_name(run: str, many: bool) -> str:
    """The name of a run, without the number of its replicate where a letter stands for several."""
    return re.sub(r"-r\d+\Z", "", run) if many else run


def _ends(runs: Sequence[RunTold], info: MeasureInfo) -> list[float]:
    found = [run.values[info.label] for run in runs]
    ends = [end for one in found for end in (one.value, one.lo, one.hi) if end is not None]
    values = [one.value for one in found if one.value is not None]
    if 0 <= min(values) <= max(values) <= 1:  # shares: a symmetric interval may reach beyond what can be
        return [min(1.0, max(0.0, end)) for end in ends]
    return ends


def _dot(run: RunTold, name: str, infos: tuple[MeasureInfo, MeasureInfo], scales: Sequence[Scale]) -> RunDot:
    across, upright = (run.values[info.label] for info in infos)
    x, y = _x(scales[0].at(across.value or 0.0)), _y(scales[1].at(upright.value or 0.0))
    errors = ""
    if across.lo is not None and across.hi is not None:
        errors += f"M{_x(scales[0].at(across.lo)):g} {y:g}H{_x(scales[0].at(across.hi)):g}"
    if upright.lo is not None and upright.hi is not None:
        errors += f"M{x:g} {_y(scales[1].at(upright.lo)):g}V{_y(scales[1].at(upright.hi)):g}"
    told = [
        f"{info.title} {number(found.value, decimals(found.value, None, info.unit))}"
        for info, found in zip(infos, (across, upright), strict=True)
        if found.value is not None
    ]
    return RunDot(x, y, errors, name, f"{name} {run.name}: {', '.join(told)}")


def _x(at: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * at, 1)


def _y(at: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - at), 1)
