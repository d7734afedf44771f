"""The figures of loops: the picture of all arms, the frontier that moves, what is still written, dials and counts by round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from triptych.report.frontier_labels import Box, Label, Wanted, place
from triptych.report.frontier_shapes import Frame, Point, boxes, joined, shape
from triptych.report.guard_figures import LOGGED, REST
from triptych.report.guard_plots import Chart, Line, chart, labels, line_of, log_axis
from triptych.report.guard_records import GENERATED, SCORES, SELECTED, Round
from triptych.report.guard_words import panel_kind, places_of, shown, title_of
from triptych.report.loop_records import Arm, Loop, Turn
from triptych.report.loop_words import all_panels, called, groups, mean_score, quality_name
from triptych.report.scales import rounded
from triptych.report.study_plots import Places, score_scale
from triptych.report.study_records import Reading

PATHS = Frame(760.0, 400.0, 50.0, 24.0, 30.0, 52.0, 12.5)
PATHS_NARROW = Frame(400.0, 360.0, 44.0, 14.0, 30.0, 50.0, 12.5)
ARROW = 7.0
"""Length of an arrow's head."""
COLUMNS = 30
"""Most rounds in a table of dials or counts."""


@dataclass(frozen=True)
class Path:
    """One arm's way through quality and diversity: a point a round, arrows between them."""

    css: str
    label: str
    line: str
    heads: str
    dots: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PathPlot:
    """The frontier that moves."""

    frame: Frame
    paths: tuple[Path, ...]
    labels: tuple[Label, ...]
    x_ticks: Places
    y_ticks: Places
    x_title: str
    y_title: str
    spoken: str


@dataclass(frozen=True)
class Grid:
    """A table with one column a round; `changed` cells differ from the round before."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...]
    left_out: int


def headline_charts(found: Loop) -> list[Chart]:
    """What explains a loop: quality as measured, effective structures, scores in and out of distribution, arm by arm."""
    numbers = numbers_of(found)
    if not numbers:
        return []
    out = []
    measured = [_line(arm, quality_name(arm.rounds) or "quality", GENERATED) for arm in found.arms]
    verified = any(quality_name(arm.rounds) == "verified" for arm in found.arms)
    title = "What the dial shows: passed by the verifier" if verified else "What the dial shows: quality as measured"
    out.append(chart(title, measured, numbers, unit="ratio", axis="whole"))
    name, told = "structures", "Effective structures of what is written"
    if not any(each.value(name) is not None for arm in found.arms for each in arm.rounds):
        name, told = "structures_all", "Effective structures of what is written, valid or not"
    varied = [replace(_line(arm, name, GENERATED), flags=tuple(called(arm))) for arm in found.arms]
    out.append(chart(told, varied, numbers, axis="log"))
    for group in groups(found):
        lines = [
            Line(arm.label, arm.css, _means(arm.rounds, group.names), shape=arm.shape, flags=_flags(arm, group.short))
            for arm in found.arms
        ]
        out.append(chart(group.title, lines, numbers, unit="ratio", axis="whole"))
    return [each for each in out if each is not None]


def arm_charts(found: Loop) -> list[Chart]:
    """Each reading with the arms as lines; dashed is what was selected, where there are few arms."""
    numbers = numbers_of(found)
    if not numbers:
        return []
    out = []
    for name in ("quality", "true", "structures", "complexity", "tokens", "novelty", "anchor_novelty", *REST):
        if name == "quality" and _same(found, "quality", "verified"):
            continue
        lines = [_line(arm, name, GENERATED) for arm in found.arms]
        if len(found.arms) <= 3 and name in ("structures", "complexity", "tokens"):
            chosen = [_line(arm, name, SELECTED, dashed=True) for arm in found.arms]
            lines += [replace(line, label=f"{line.label}, selected", quiet=True) for line in chosen]
        named = title_of(name)
        unit = "" if named.unit.lower() in named.title.lower() else named.unit
        out.append(chart(named.title, lines, numbers, unit=unit, axis="log" if name in LOGGED else "plain"))
    return [each for each in out if each is not None]


def panel_charts(found: Loop, *, tries: bool) -> list[Chart]:
    """Each panel with the arms as lines; `tries`: the share solved within k tries instead."""
    numbers = numbers_of(found)
    if not numbers:
        return []
    out = []
    names = sorted(
        (name for name in all_panels(found) if ("@" in name) is tries),
        key=lambda name: (panel_kind(name, found.kinds) != "id", name),
    )
    for name in names:
        lines = [_line(arm, name, SCORES) for arm in found.arms]
        told = f"{name} ({panel_kind(name, found.kinds).upper()}{', closed' if name.split('@', 1)[0] in found.closed else ''})"
        out.append(chart(told, lines, numbers, unit="ratio"))
    return [each for each in out if each is not None]


def numbers_of(found: Loop) -> list[int]:
    """The numbers of all rounds of all arms, in order."""
    return sorted({each.number for arm in found.arms for each in arm.rounds})


def path_plot(found: Loop, frame: Frame) -> PathPlot | None:
    """Quality against diversity, a point a round; None where no arm has two rounds with both."""
    ways = {arm.label: _way(arm) for arm in found.arms}
    drawn = [arm for arm in found.arms if len(ways[arm.label]) > 1]
    if not drawn:
        return None
    points = [point for arm in drawn for point in ways[arm.label]]
    wide = [x.value for _, x, _ in points if x.value is not None]
    across = (
        log_axis(min(wide), max(wide))
        if min(wide) > 0 and max(wide) / min(wide) >= 3
        else rounded(min(wide), max(wide))
    )
    up = score_scale([y.value for _, _, y in points if y.value is not None])
    at = {
        arm.label: [
            (where, (frame.x(across.at(x.value or 0.0)), frame.y(up.at(y.value or 0.0))))
            for where, x, y in ways[arm.label]
        ]
        for arm in drawn
    }
    paths = tuple(_path(arm, ways[arm.label], at[arm.label]) for arm in drawn)
    name = _quality(drawn)
    return PathPlot(
        frame=frame,
        paths=paths,
        labels=tuple(_path_labels(drawn, at, frame)),
        x_ticks=tuple((frame.x(place_), label) for place_, label in labels(across, 5 if frame is PATHS_NARROW else 7)),
        y_ticks=tuple((frame.y(place_), label) for place_, label in labels(up, 5)),
        x_title="Effective structures" + (", log scale" if across.log else ""),
        y_title=title_of(name).title,
        spoken=_spoken(drawn, ways, name),
    )


def dial_grid(arm: Arm) -> Grid | None:
    """The dials of every round, those that moved first; None where there are none."""
    turns = arm.turns[-COLUMNS:]
    names = list(dict.fromkeys(name for turn in turns for name in turn.dials))
    if not names:
        return None
    rows = [(name.replace("_", " "), [turn.dials.get(name, "–") for turn in turns]) for name in names]
    rows.sort(key=lambda row: len(set(row[1])) == 1)
    return _grid(turns, rows, len(arm.turns) - len(turns))


def count_grid(found: Loop, arm: Arm) -> Grid | None:
    """What was written, passed, left out and selected, and what was shared with panels; None where nothing is said."""
    turns = arm.turns[-COLUMNS:]
    rows: list[tuple[str, list[str]]] = []
    for name in dict.fromkeys(name for turn in turns for name in turn.counts):
        words = {"closed": "left out for a closed panel", "failed": "verifier failed"}.get(name, name.replace("_", " "))
        rows.append((words, [_whole(turn.counts.get(name)) for turn in turns]))
    sources = dict.fromkeys(name for turn in turns for name in turn.selected)
    rows += [(f"selected: {name}", [_whole(turn.selected.get(name)) for turn in turns]) for name in sources]
    for name in dict.fromkeys(name for turn in turns for name in turn.overlap):
        held = " (closed)" if name in found.closed else " (open)" if found.closed else ""
        for what in ("prompts", "structures"):
            values = [getattr(turn.overlap.get(name), what, None) for turn in turns]
            rows.append((f"selected, with a {what[:-1]} of {name}{held}", [_whole(value) for value in values]))
    if any(turn.seconds is not None for turn in turns):
        rows.append(("seconds", [_whole(turn.seconds) for turn in turns]))
    return _grid(turns, rows, len(arm.turns) - len(turns)) if rows else None


def _grid(turns: Sequence[Turn], rows: Sequence[tuple[str, Sequence[str]]], left_out: int) -> Grid:
    made = tuple(
        (name, tuple((text, at > 0 and text != texts[at - 1]) for at, text in enumerate(texts))) for name, texts in rows
    )
    return Grid(tuple(str(turn.round.number) for turn in turns), made, left_out)


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _line(arm: Arm, name: str, of: str, *, dashed: bool = False) -> Line:
    return line_of(arm.rounds, name, of, (arm.label, arm.css), dashed=dashed, mark=arm.shape)


def _means(rounds: Sequence[Round], names: Sequence[str]) -> Mapping[int, Reading]:
    return {each.number: item for each in rounds if (item := mean_score(each, names)).value is not None}


def _flags(arm: Arm, group: str) -> tuple[tuple[int, str], ...]:
    return () if group == "ID" else tuple(called(arm))


def _same(found: Loop, one: str, other: str) -> bool:
    """Whether two readings are equal wherever either is there: one chart is enough."""
    pairs = [(each.value(one), each.value(other)) for arm in found.arms for each in arm.rounds]
    return all(a == b for a, b in pairs)


def _quality(arms: Sequence[Arm]) -> str:
    every = [each for arm in arms for each in arm.rounds]
    return next(
        (n for n in ("true", "verified", "quality") if any(each.value(n) is not None for each in every)), "quality"
    )


def _way(arm: Arm) -> list[tuple[int, Reading, Reading]]:
    """Round, diversity and quality of the rounds that have both."""
    name = _quality([arm])
    found = [(each.number, each.get("structures"), each.get(name)) for each in arm.rounds]
    return [each for each in found if each[1].value is not None and each[2].value is not None]


def _path(arm: Arm, way: Sequence[tuple[int, Reading, Reading]], at: Sequence[tuple[int, Point]]) -> Path:
    points = [point for _, point in at]
    wide, high = places_of([x for _, x, _ in way], "effective structures"), places_of([y for _, _, y in way], "ratio")
    dots = [
        (
            shape(arm.shape, *point, 4.2 if n in (0, len(at) - 1) else 3.2),
            f"{arm.label}, round {where}: quality {shown(y, high)}, effective structures {shown(x, wide)}",
        )
        for n, ((where, point), (_, x, y)) in enumerate(zip(at, way, strict=True))
    ]
    heads = "".join(_head(a, b) for a, b in pairwise(points))
    return Path(arm.css, arm.label, joined(points), heads, tuple(dots))


def _head(start: Point, end: Point) -> str:
    """An arrow's head in the middle of a step; nothing where the step is too short for one."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    if length < 2.5 * ARROW:
        return ""
    ux, uy = dx / length, dy / length
    tip = (start[0] + 0.5 * dx + ux * ARROW / 2, start[1] + 0.5 * dy + uy * ARROW / 2)
    back = (tip[0] - ux * ARROW, tip[1] - uy * ARROW)
    wing = ARROW / 2
    return joined([(back[0] - uy * wing, back[1] + ux * wing), tip, (back[0] + uy * wing, back[1] - ux * wing)])


def _path_labels(arms: Sequence[Arm], at: Mapping[str, Sequence[tuple[int, Point]]], frame: Frame) -> list[Label]:
    """The name of each arm at its last round, then the numbers of first and last rounds."""
    marks: list[Box] = [(x - 4, y - 4, x + 4, y + 4) for own in at.values() for _, (x, y) in own]
    lines = [box for own in at.values() for box in boxes([point for _, point in own])]
    wanted = []
    for arm in arms:
        own = at[arm.label]
        label = arm.label if len(arm.label) <= 22 else arm.label[:21] + "…"
        wanted.append(Wanted(f"{label}, round {own[-1][0]}", f"tag {arm.css}", (own[-1][1],), frame.font, must=True))
    starts = dict.fromkeys((at[arm.label][0][0], at[arm.label][0][1]) for arm in arms)
    wanted += [Wanted(f"round {where}", "tick", (point,), frame.font) for where, point in list(starts)[:3]]
    left, top, _, bottom = frame.inner
    return place(wanted, marks, lines, (left + 2, top - 12, frame.width - 2, bottom - 2))


def _spoken(arms: Sequence[Arm], ways: Mapping[str, Sequence[tuple[int, Reading, Reading]]], name: str) -> str:
    said = []
    for arm in arms:
        way = ways[arm.label]
        wide, high = (
            places_of([x for _, x, _ in way], "effective structures"),
            places_of([y for _, _, y in way], "ratio"),
        )
        ends = [f"round {n}: quality {shown(y, high)}, structures {shown(x, wide)}" for n, x, y in (way[0], way[-1])]
        said.append(f"{arm.label} from {ends[0]} to {ends[1]}")
    return f"{title_of(name).title} upright against effective structures across. " + "; ".join(said)
