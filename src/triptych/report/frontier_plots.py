"""The frontier as plain geometry: quality against diversity, complexity as colour. `frontier_plots.html.jinja` draws it.

Places are rounded to a tenth, and everything goes by the order of the document, so that equal documents give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from triptych.report.frontier_front import front, judged, letters, main_judge, places, policies, reading, shown
from triptych.report.frontier_labels import Box, Label, Wanted, place, text_width
from triptych.report.frontier_records import Axis, Frontier, Spot
from triptych.report.frontier_shapes import NARROW, SHAPES, SMALL, Frame, Point, boxes, joined, shape
from triptych.report.scales import Scale, rounded, ticks
from triptych.report.study_records import Reading
from triptych.report.words import short_number

STEPS = 7
"""Steps of the colour scale of complexity."""
REACH = 0.35
"""How far beyond the points, in parts of their range, intervals may stretch an axis; longer ones are cut at the frame."""
POLICY_LABEL, LEGEND = 20, 38
"""Longest names of policies and of complexity in the drawing, in characters."""
Places = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Mark:
    """One point: `css` names its step of complexity, `kind` is front, dominated or random."""

    shape: str
    errors: str
    css: str
    kind: str
    ring: str
    spoken: str


@dataclass(frozen=True)
class Sweep:
    """The points of one policy, joined in the order of its dial."""

    path: str
    ahead: bool


@dataclass(frozen=True)
class KeyEntry:
    """One policy in the list of shapes; `shape` is drawn around (9, 9)."""

    shape: str
    kind: str
    name: str
    note: str


@dataclass(frozen=True)
class Legend:
    """The steps of complexity, lowest first; empty where no point has it."""

    steps: tuple[str, ...]
    lo: str
    hi: str
    title: str

    @property
    def before(self) -> float:
        """Room that the lower end takes before the steps."""
        return round(text_width(self.lo, 12) + 16, 1)


@dataclass(frozen=True)
class Scatter:
    """One drawing of the frontier."""

    frame: Frame
    marks: tuple[Mark, ...]
    sweeps: tuple[Sweep, ...]
    steps: str
    area: str
    labels: tuple[Label, ...]
    x_ticks: Places
    y_ticks: Places
    x_title: str
    y_title: str
    cut: bool
    spoken: str


def legend(found: Frontier) -> Legend:
    """The colour scale."""
    values = _complexities(found)
    axis = found.complexity
    if not values or axis is None:
        return Legend((), "", "", "")
    steps = tuple(f"q{at}" for at in range(STEPS)) if values[0] < values[-1] else (f"q{STEPS // 2}",)
    title = f"Complexity: {_title(axis)}"
    title = title if len(title) <= LEGEND else title[: LEGEND - 1] + "…"
    lo, hi = (short_number(float(f"{value:.3g}")) for value in (values[0], values[-1]))
    return Legend(steps, lo, hi, title)


def colours(found: Frontier) -> Callable[[Reading], str]:
    """From a complexity to the class of its step; "qx" where it is not known."""
    values = _complexities(found)
    scale = Scale(values[0], values[-1]) if values else Scale(0.0, 1.0)

    def css(item: Reading) -> str:
        if item.value is None or found.complexity is None:
            return "qx"
        return f"q{min(STEPS - 1, int(scale.at(item.value) * STEPS))}" if scale.lo < scale.hi else f"q{STEPS // 2}"

    return css


def _complexities(found: Frontier) -> list[float]:
    return sorted(
        spot.complexity.value
        for spot in judged(found, main_judge(found))
        if found.complexity is not None and spot.complexity.value is not None
    )


def key(found: Frontier) -> list[KeyEntry]:
    """Every policy with its shape and how many of its points are on the front."""
    judge = main_judge(found)
    best, spots, shapes = front(found, judge), judged(found, judge), _shapes(found)
    out = []
    for name in policies(found, judge):
        own = [spot for spot in spots if spot.policy == name]
        ahead = sum(spot.policy == name for spot in best)
        kind = "random" if all(spot.role == "random" for spot in own) else "front" if ahead else "dominated"
        size = 3.4 if kind == "random" else 5.5
        out.append(KeyEntry(shape(shapes[name], 9.0, 9.0, size), kind, name, f"{ahead} of {len(own)}"))
    return out


def scatter(found: Frontier, judge: Axis, frame: Frame) -> Scatter | None:
    """Quality against what one judge read; None where no point has both. A small frame has letters only."""
    spots = judged(found, judge)
    if not spots:
        return None
    across = _scale([reading(spot, judge) for spot in spots], ratio=judge.unit == "ratio")
    up = _scale([spot.quality for spot in spots], ratio=True)
    best = front(found, judge)
    at = {
        spot.place: (frame.x(across.at(reading(spot, judge).value or 0.0)), frame.y(up.at(spot.quality.value or 0.0)))
        for spot in spots
    }
    small = frame is SMALL
    stairs = _stairs([at[spot.place] for spot in best], frame)
    sweeps = {} if small else _sweeps(spots, at)
    drawn = [box for line in (stairs, *sweeps.values()) for box in boxes(line)]
    ahead = {spot.policy for spot in best}
    x_name, y_name = _title(judge), _title(found.quality)
    return Scatter(
        frame=frame,
        marks=tuple(_marks(found, judge, frame, at, (across, up))),
        sweeps=tuple(Sweep(joined(line), name in ahead) for name, line in sweeps.items()),
        steps=joined(stairs),
        area=joined([*stairs, frame.inner[::3]]) if stairs else "",
        labels=tuple(_labels(found, judge, frame, at, drawn)),
        x_ticks=tuple((frame.x(tick.at), tick.label) for tick in ticks(across, 4 if frame.width < 500 else 7)),
        y_ticks=tuple((frame.y(tick.at), tick.label) for tick in ticks(up, 4 if small else 6)),
        x_title=_cut(x_name if small else f"Diversity: {x_name}", frame, 1.0),
        y_title=_cut(y_name if small else f"Quality: {y_name}", frame, 0.45 if frame.width > NARROW.width else 1.0),
        cut=_is_cut(spots, judge, across, up),
        spoken=_spoken(found, judge, best, len(spots)),
    )


def _cut(text: str, frame: Frame, part: float) -> str:
    """A title that fits its part of the width."""
    most = int(part * (frame.width - frame.left) / text_width("x", frame.font + 1))
    return text if len(text) <= most else text[: most - 1] + "…"


def _title(axis: Axis) -> str:
    return axis.title + (f", {axis.unit}" if axis.unit and axis.unit.lower() not in axis.title.lower() else "")


def _scale(readings: Sequence[Reading], *, ratio: bool) -> Scale:
    """A range that holds every value and most of every interval; what may be a share ends at 0 and 1."""
    values = [item.value for item in readings if item.value is not None]
    lo, hi = min(values), max(values)
    reach = REACH * (hi - lo) if hi > lo else float("inf")
    ends = [end for item in readings for end in (item.lo, item.hi) if end is not None]
    least, most = min([lo, *ends]), max([hi, *ends])
    least, most = max(least, lo - reach), min(most, hi + reach)
    pad = 0.04 * (most - least)
    scale = Scale(least - pad, most + pad) if most > least else rounded(least, most)
    if lo >= 0 and scale.lo < 0:
        scale = Scale(0.0, scale.hi)
    return Scale(max(0.0, scale.lo), min(1.0, scale.hi)) if ratio and lo >= 0 and hi <= 1 else scale


def _is_cut(spots: Sequence[Spot], judge: Axis, across: Scale, up: Scale) -> bool:
    return any(
        item.lo is not None and item.hi is not None and (item.lo < scale.lo or item.hi > scale.hi)
        for spot in spots
        for item, scale in ((reading(spot, judge), across), (spot.quality, up))
    )


def _stairs(corners: Sequence[Point], frame: Frame) -> list[Point]:
    """The front as steps, highest quality first; nothing for no point."""
    if not corners:
        return []
    left, _, _, bottom = frame.inner
    steps = [(left, corners[0][1]), corners[0]]
    for x, y in corners[1:]:
        steps += [(steps[-1][0], y), (x, y)]
    return [*steps, (steps[-1][0], bottom)]


def _sweeps(spots: Sequence[Spot], at: Mapping[int, Point]) -> dict[str, list[Point]]:
    """The points of each policy that was swept; the most diverse point of all belongs to its policy's sweep."""
    own: dict[str, list[Point]] = {}
    for spot in spots:
        if spot.role in ("policy", "most_diverse"):
            own.setdefault(spot.policy, []).append(at[spot.place])
    return {name: line for name, line in own.items() if len(line) > 1}


def _marks(
    found: Frontier, judge: Axis, frame: Frame, at: Mapping[int, Point], scales: tuple[Scale, Scale]
) -> list[Mark]:
    """Faint ones first, so that the front lies on top."""
    css, shapes = colours(found), _shapes(found)
    best = {spot.place for spot in front(found, judge)}
    small = frame is SMALL
    knee = found.knee.get(judge.key, "")
    digits = (
        places((spot.quality for spot in found.spots), found.quality.unit),
        places((reading(spot, judge) for spot in found.spots), judge.unit),
    )
    out: list[tuple[int, int, Mark]] = []
    for spot in judged(found, judge):
        x, y = at[spot.place]
        kind = "front" if spot.place in best else "random" if spot.role == "random" else "dominated"
        size = {"front": 6.6, "random": 3.4, "dominated": 5.2}[kind] * (0.8 if small else 1.0)
        ringed = spot.id in (knee, found.pick) and spot.id != ""
        mark = Mark(
            shape=shape(shapes[spot.policy], x, y, size),
            errors=_errors(spot.quality, reading(spot, judge), (x, y), frame, scales),
            css=css(spot.complexity),
            kind=kind,
            ring=shape("circle", x, y, 11.0 if not small else 9.0) if ringed else "",
            spoken=_told(spot, judge, digits),
        )
        out.append((("dominated", "random", "front").index(kind), len(out), mark))
    return [mark for _, _, mark in sorted(out, key=lambda each: each[:2])]


def _told(spot: Spot, judge: Axis, digits: tuple[int, int]) -> str:
    seed = f", seed {spot.seed}" if spot.seed and spot.role == "random" else ""
    quality, diversity = shown(spot.quality, digits[0]), shown(reading(spot, judge), digits[1])
    return f"{spot.text}{seed}: quality {quality}, diversity {diversity}"


def _errors(quality: Reading, diversity: Reading, at: Point, frame: Frame, scales: tuple[Scale, Scale]) -> str:
    across, up = scales
    path = ""
    if diversity.lo is not None and diversity.hi is not None and diversity.lo < diversity.hi:
        path += f"M{frame.x(across.at(diversity.lo)):g} {at[1]:g}H{frame.x(across.at(diversity.hi)):g}"
    if quality.lo is not None and quality.hi is not None and quality.lo < quality.hi:
        path += f"M{at[0]:g} {frame.y(up.at(quality.lo)):g}V{frame.y(up.at(quality.hi)):g}"
    return path


def _labels(found: Frontier, judge: Axis, frame: Frame, at: Mapping[int, Point], lines: Sequence[Box]) -> list[Label]:
    """Letters of the main front first, then the names of policies, then those of the reference points."""
    spots, names = judged(found, judge), letters(found)
    marks = [(x - 5.0, y - 5.0, x + 5.0, y + 5.0) for x, y in at.values()]
    tags: dict[Point, list[str]] = {}
    for spot in [*front(found, main_judge(found)), *spots]:
        if spot.place in at:
            own = tags.setdefault(at[spot.place], [])
            own += [names[spot.id]] if spot.id in names and names[spot.id] not in own else []
    order = list(names.values())
    for point, own in tags.items():
        if len(own) > 2 and order.index(own[-1]) - order.index(own[0]) == len(own) - 1:
            tags[point] = [f"{own[0]}–{own[-1]}"]
    for spot in spots:
        own = tags[at[spot.place]]
        own += ["knee"] if found.knee.get(judge.key, "") == spot.id else []
        own += ["picked"] if found.pick == spot.id and found.pick else []
        own += ["most diverse"] if spot.role == "most_diverse" and frame is not SMALL else []
    wanted = [
        Wanted(" · ".join(own), "letter", (point,), frame.font + 1, must=True) for point, own in tags.items() if own
    ]
    wanted.sort(key=lambda item: -len(item.text))
    drawn = {spot.policy for spot in front(found, judge)}
    for name in policies(found, judge) if frame is not SMALL else ["random"]:
        same = [spot for spot in spots if spot.policy == name]
        if same:
            text = name.replace("_", " ") if len(name) <= POLICY_LABEL else name[: POLICY_LABEL - 1] + "…"
            text += f" ×{len(same)}" if same[0].role == "random" and len(same) > 1 else ""
            anchors = tuple(at[spot.place] for spot in same[:: max(1, len(same) // 6)])
            css = "policy ahead" if name in drawn else "policy" if same[0].role == "policy" else "policy reference"
            wanted.append(Wanted(text, css, anchors, frame.font - 0.5, must=same[0].role != "policy"))
    inner = frame.inner
    return place(wanted, marks, lines, (inner[0] + 2, inner[1] - 8, frame.width - 2, inner[3] - 2))


def _shapes(found: Frontier) -> dict[str, str]:
    """The shape of each policy; random has its own."""
    spots, judge = judged(found, main_judge(found)), main_judge(found)
    drawn = {spot.policy for spot in spots if spot.role == "random"}
    names = [name for name in policies(found, judge) if name not in drawn]
    others = dict.fromkeys(spot.policy for spot in found.spots)
    names += [name for name in others if name not in names and name not in drawn]
    return {name: SHAPES[at % len(SHAPES)] for at, name in enumerate(names)} | dict.fromkeys(drawn, "circle")


def _spoken(found: Frontier, judge: Axis, best: Sequence[Spot], total: int) -> str:
    """The drawing in a sentence for who does not see it."""
    digits = (
        places((spot.quality for spot in best), found.quality.unit),
        places((reading(spot, judge) for spot in best), judge.unit),
    )
    names = letters(found)
    told = "; ".join(f"{names.get(s.id, '')} {_told(s, judge, digits)}".strip() for s in best[:12])
    more = f"; and {len(best) - 12} more" if len(best) > 12 else ""
    return f"{total} points, quality upright against {judge.title} across. On the front: {told or 'none'}{more}."
