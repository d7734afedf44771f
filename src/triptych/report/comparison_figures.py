"""Figures of a comparison beside the forest, as the page shows them: how well a view is matched, the ranks of the sets."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.report.comparison_plots import LovePlot, RankMark, love_plot, rank_marks, rank_ticks
from triptych.report.comparison_records import Ranking, SetInfo, ViewRecord
from triptych.report.comparison_words import interval, view_facts
from triptych.report.study_plots import Places
from triptych.report.words import decimals, listing, number


@dataclass(frozen=True)
class Love:
    """How well one view is matched."""

    title: str
    main: bool
    facts: str
    question: str
    undefined: str
    plot: LovePlot | None
    rows: tuple[tuple[str, bool, str, str], ...]
    constant: str


@dataclass(frozen=True)
class RankView:
    """The order of the sets by one measure."""

    ranking: Ranking
    note: str
    ticks: Places
    lines: tuple[tuple[SetInfo, str, str, str, RankMark], ...]


def love(view: ViewRecord, *, main: bool) -> Love:
    """The balance of a view: what was asked first, then the largest imbalance."""
    varying = [item for item in view.balance if item.before is not None or item.after is not None]
    found = sorted(varying, key=lambda item: (not item.asked, -abs(item.after or 0.0), item.variable))
    return Love(
        title=view.title,
        main=main,
        facts=view_facts(view),
        question=view.question,
        undefined=view.undefined,
        plot=love_plot(found) if found else None,
        rows=tuple((item.variable, item.asked, _smd(item.before), _smd(item.after)) for item in found),
        constant=listing([item.variable for item in view.balance if item not in varying]),
    )


def _smd(value: float | None) -> str:
    return "–" if value is None else number(value, 2)


def rank_view(found: Ranking) -> RankView:
    """One measure's order as lines."""
    halves = [
        (place.reading.hi - place.reading.lo) / 2
        for place in found.places
        if place.reading.lo is not None and place.reading.hi is not None
    ]
    largest = max(abs(place.reading.value or 0.0) for place in found.places)
    at = decimals(largest, min(halves, default=None), found.unit)
    lines = []
    for place, mark in zip(found.places, rank_marks(found), strict=True):
        lo, hi = (place.rank if end is None else end for end in (place.rank_lo, place.rank_hi))
        ranks = f"rank {place.rank}" if lo == hi == place.rank else f"rank {number(lo, 0)} to {number(hi, 0)}"
        value = number(place.reading.value or 0.0, at)
        lines.append((place.owner, value, interval(place.reading.lo, place.reading.hi, at), ranks, mark))
    unit = found.unit if found.unit not in ("label", "mean", "score") else ""
    better = {"higher": "highest first", "lower": "lowest first"}.get(found.better, "")
    note = " · ".join(part for part in (found.axis, unit, better) if part)
    return RankView(found, note, rank_ticks(found), tuple(lines))
