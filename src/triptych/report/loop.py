"""Loop documents to one page, and to one picture: `render_loop`, `loop_svg`. Pure; equal documents, equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.report.guard_figures import RoundTable, main_charts, more_charts, round_table
from triptych.report.guard_plots import Chart, Strip, spells_of, strip
from triptych.report.guard_records import ROUND_LADDER, Round, RoundLimits
from triptych.report.guard_words import STATES
from triptych.report.loop_figures import (
    PATHS,
    PATHS_NARROW,
    Grid,
    arm_charts,
    count_grid,
    dial_grid,
    headline_charts,
    numbers_of,
    panel_charts,
    path_plot,
)
from triptych.report.loop_model import read_loop
from triptych.report.loop_records import Arm, Loop, Turn
from triptych.report.loop_words import called, lede, outcome, overlap_line, title, verdict_line
from triptych.report.page import render, render_bounded
from triptych.report.words import count, number

SPELLS = 8
"""Most runs of equal verdicts that are listed of one arm."""
LEAST = 0.001
"""A smaller share is told as such."""
GAP, HEAD, FOOT = 14.0, 46.0, 26.0
"""Space between the charts of the picture, and above and below them."""


@dataclass(frozen=True)
class Share:
    """One of the commonest structures: its share, and the length of its bar in hundredths of the longest of all loops."""

    name: str
    text: str
    width: float


@dataclass(frozen=True)
class Wrote:
    """What the model of one round wrote."""

    when: str
    effective: str
    shares: tuple[Share, ...]
    turn: Turn


@dataclass(frozen=True)
class ArmView:
    """One arm as the page shows it."""

    arm: Arm
    outcome: tuple[tuple[str, str], ...]
    verdict: str
    strip: Strip | None
    spells: tuple[str, ...]
    wrote: tuple[Wrote, ...]
    decisions: tuple[tuple[int, str, str, str], ...]
    decisions_left: int
    dials: Grid | None
    counts: Grid | None
    overlap: str
    table: RoundTable
    spoken: tuple[Round, ...]


def render_loop(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page for a loop document of one or several arms.

    Args:
        document: a loop document (`triptych/loop@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        SchemaError: the document has another schema.
    """
    return render_bounded(
        "loop.html.jinja", lambda limits: loop_view(read_loop(document, limits), limits), ROUND_LADDER
    )


def loop_svg(document: Mapping[str, Any]) -> str:
    """The headline picture alone, as an SVG file that follows the reader's light or dark mode.

    Raises:
        SchemaError: the document has another schema.
    """
    found = read_loop(document)
    charts = headline_charts(found)
    across = 2 if len(charts) > 1 else 1
    frame = charts[0].frame if charts else None
    width, height = (frame.width, frame.height + 22) if frame else (400.0, 60.0)
    placed = [
        (GAP + (at % across) * (width + GAP), HEAD + (at // across) * (height + GAP), chart)
        for at, chart in enumerate(charts)
    ]
    rows = -(-len(charts) // across)
    context = {
        "title": title(found),
        "placed": placed,
        "width": round(GAP + across * (width + GAP), 1),
        "height": round(HEAD + max(1, rows) * (height + GAP) + FOOT, 1),
        "flagged": any(called(arm) for arm in found.arms),
    }
    return render("loop.svg.jinja", context)


def loop_view(found: Loop, limits: RoundLimits) -> dict[str, Any]:
    """Everything that the template prints."""
    several = len(found.arms) > 1
    single = found.arms[0].rounds if found.arms and not several else ()
    return {
        "found": found,
        "several": several,
        "title": title(found),
        "lede": lede(found),
        "headline": headline_charts(found),
        "flagged": any(called(arm) for arm in found.arms),
        "arms": [arm_view(found, arm, limits) for arm in found.arms],
        "wide": path_plot(found, PATHS),
        "narrow": path_plot(found, PATHS_NARROW),
        "charts": _charts(found, single),
        "more": more_charts(single) if single else [],
        "panels": panel_charts(found, tries=False) if several else [],
        "tries": panel_charts(found, tries=True) if several else [],
        "states": list(STATES.values()),
        "promise": "",
        "left_out": _left_out(found),
    }


def arm_view(found: Loop, arm: Arm, limits: RoundLimits) -> ArmView:
    """One arm."""
    rulings = [(each.number, each.ruling) for each in arm.rounds]
    guarded = strip(rulings, arm.label, max(len(each.turns) for each in found.arms)) if rulings else None
    decisions = [
        (turn.round.number, each.dial.replace("_", " "), each.value, each.reason)
        for turn in arm.turns
        for each in turn.decisions
    ]
    most = max(1, limits.decisions // max(1, len(found.arms)))
    return ArmView(
        arm=arm,
        outcome=tuple(outcome(found, arm)),
        verdict=verdict_line(arm),
        strip=guarded,
        spells=tuple(spells_of(rulings)[-SPELLS:]) if guarded else (),
        wrote=tuple(_wrote(found, arm)),
        decisions=tuple(decisions[:most]),
        decisions_left=max(0, len(decisions) - most),
        dials=dial_grid(arm),
        counts=count_grid(found, arm),
        overlap=overlap_line(found, arm),
        table=round_table(arm.rounds),
        spoken=tuple(each for each in arm.rounds if each.ruling.reasons or each.ruling.evidence)[-24:],
    )


def _charts(found: Loop, single: Sequence[Round]) -> list[Chart]:
    """Rounds as small multiples: generated beside selected for one arm, the arms beside each other for several."""
    if not numbers_of(found):
        return []
    return main_charts(single, found.kinds) if single else arm_charts(found)


def _wrote(found: Loop, arm: Arm) -> list[Wrote]:
    """What the model wrote at first and at last."""
    longest = max((each.share for one in found.arms for turn in _ends(one) for each in turn.structures), default=0.0)
    out = []
    for turn in _ends(arm):
        value = turn.round.value("structures")
        shares = tuple(
            Share(
                each.name,
                number(each.share, 3) if each.share >= LEAST else f"under {LEAST}",
                round(100 * each.share / (longest or 1.0), 1),
            )
            for each in turn.structures
        )
        effective = (
            ""
            if value is None
            else count(value, "effective structure")
            if value == 1
            else (f"{number(value, 0 if value >= 100 else 1)} effective structures")
        )
        out.append(Wrote(f"Round {turn.round.number}", effective, shares, turn))
    return out


def _ends(arm: Arm) -> list[Turn]:
    """The first and the last round that the document shows something of."""
    shown = [turn for turn in arm.turns if turn.samples or turn.structures]
    return [shown[0], shown[-1]] if len(shown) > 1 else shown


def _left_out(found: Loop) -> list[str]:
    out = []
    if found.arms_total > len(found.arms):
        out.append(
            f"{count(len(found.arms))} of {count(found.arms_total, 'loop')} are shown; the others are in the document."
        )
    return out + [
        f"{arm.label}: {count(len(arm.turns))} of {count(arm.turns_total, 'round')} are shown; the others are in the document."
        for arm in found.arms
        if arm.turns_total > len(arm.turns)
    ]
