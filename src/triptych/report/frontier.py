"""Frontier documents to one page, and to one drawing: `render_frontier`, `frontier_svg`. Pure; equal documents, equal bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.report.frontier_front import (
    DOWN,
    NO_INTERVAL,
    UNKNOWN,
    UP,
    by_id,
    compare,
    front,
    judged,
    letters,
    main_judge,
    places,
    policies,
    reading,
    shown,
)
from triptych.report.frontier_lines import threshold_drawings, typicality_drawing
from triptych.report.frontier_model import read_frontier
from triptych.report.frontier_plots import Scatter, key, legend, scatter
from triptych.report.frontier_records import FRONTIER_LADDER, Axis, Frontier, FrontierLimits, Spot
from triptych.report.frontier_shapes import NARROW, SMALL, WIDE
from triptych.report.frontier_words import MEANT, answers, asked, cards, command, digits, seed_claim, typical_claim
from triptych.report.page import render, render_bounded
from triptych.report.study_records import Reading
from triptych.report.words import count, listing, number

FULL = 40
"""More points than this are folded away in the table of all points."""


@dataclass(frozen=True)
class Multiple:
    """The frontier by another judge."""

    title: str
    note: str
    independent: str
    plot: Scatter | None


@dataclass(frozen=True)
class PriceRow:
    """From one point of the front to its neighbour, in words."""

    letters: str
    start: str
    end: str
    cells: tuple[str, ...]
    verdict: str


@dataclass(frozen=True)
class Bar:
    """A hypervolume as a bar, in hundredths of the longest."""

    name: str
    value: str
    width: float
    ahead: bool


@dataclass(frozen=True)
class PointRow:
    """One line of the table of all points."""

    letter: str
    text: str
    note: str
    cells: tuple[str, ...]
    standing: str
    undefined: str


def render_frontier(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page for a frontier document.

    Args:
        document: a frontier document (`triptych/frontier@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        SchemaError: the document has another schema.
    """
    return render_bounded(
        "frontier.html.jinja", lambda limits: frontier_view(read_frontier(document, limits), limits), FRONTIER_LADDER
    )


def frontier_svg(document: Mapping[str, Any]) -> str:
    """The main drawing alone, as an SVG file that follows the reader's light or dark mode.

    Raises:
        SchemaError: the document has another schema.
    """
    found = read_frontier(document)
    plot = scatter(found, main_judge(found), WIDE)
    context = {"plot": plot, "legend": legend(found), "title": f"Quality against diversity: {found.name or 'the pool'}"}
    return render("frontier.svg.jinja", context)


def typicality_svg(document: Mapping[str, Any]) -> str | None:
    """Compliance by typicality as an SVG file; None where the document does not have it.

    Raises:
        SchemaError: the document has another schema.
    """
    found = read_frontier(document)
    drawing = typicality_drawing(found.typicality) if found.typicality else None
    return render("frontier_line.svg.jinja", {"item": drawing}) if drawing else None


def frontier_answers(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a frontier says in sentences, by title: what was asked, who is ahead, the price, the references, the pick.

    Raises:
        SchemaError: the document has another schema.
    """
    found = read_frontier(document)
    return {"Asked": (asked(found),)} | {card.title: card.lines for card in answers(found)}


def frontier_view(found: Frontier, limits: FrontierLimits) -> dict[str, Any]:
    """Everything that the template prints."""
    judge = main_judge(found)
    best = front(found, judge)
    return {
        "found": found,
        "title": f"Quality against diversity: {found.name}" if found.name else "Quality against diversity",
        "asked": asked(found),
        "cards": cards(found),
        "wide": scatter(found, judge, WIDE),
        "narrow": scatter(found, judge, NARROW),
        "legend": legend(found),
        "key": key(found),
        "rings": listing(
            (["the knee"] if judge.key in found.knee else []) + (["the pick"] if found.pick in by_id(found) else [])
        ),
        "judge": judge,
        "multiples": multiples(found),
        "seed_claim": seed_claim(found),
        "threshold": threshold_drawings(found.threshold, found.quality, found.judges) if found.threshold else [],
        "price_heads": price_heads(found),
        "prices": price_rows(found),
        "bars": bars(found, judge),
        "volumes": volume_rows(found),
        "volume_of_all": _volume(found.volume_of_all.get(judge.key, Reading())),
        "typical_claim": typical_claim(found),
        "meant": MEANT,
        "typicality": typicality_drawing(found.typicality) if found.typicality else None,
        "point_heads": point_heads(found),
        "points": point_rows(found)[: limits.rows],
        "fold": len(found.spots) > FULL,
        "commands": [(letters(found)[spot.id], command(found, spot)) for spot in best[: limits.commands]],
        "left_out": left_out(found, len(best), limits),
    }


def multiples(found: Frontier) -> list[Multiple]:
    """One drawing for each further judge, and whether it agrees on the front."""
    best = {spot.id for spot in front(found, main_judge(found))}
    out = []
    for judge in found.judges[1:]:
        own = {spot.id for spot in front(found, judge)}
        note = ""
        if best and own:
            note = f"{len(best & own)} of the {count(len(best), 'lettered point')} lie on this front too; it has {count(len(own), 'point')}."
        out.append(Multiple(judge.title, note, independence(judge), scatter(found, judge, SMALL)))
    return out


def independence(judge: Axis) -> str:
    """Whether policies could have selected with what judges them."""
    return {
        True: "independent: no policy selected with it",
        False: "not independent: some policies select with it, and are flattered",
        None: "whether a policy selected with it is not said",
    }[judge.independent]


def price_heads(found: Frontier) -> tuple[str, ...]:
    """The numeric columns of the table of prices."""
    judge = main_judge(found)
    unit = judge.unit or judge.title
    return (f"Diversity gained, {unit}", "Quality lost", f"Quality lost for each {number(_per(found), 0)} {unit}")


def _per(found: Frontier) -> float:
    """The power of ten of diversity for which the price is a number that can be read."""
    largest = max((abs(price.per_unit) for price in found.prices if price.per_unit), default=1.0)
    return float(10 ** max(0, min(9, -math.floor(math.log10(largest)) - 1)))


def price_rows(found: Frontier) -> list[PriceRow]:
    """One line for each step along the front."""
    judge, spots, names = main_judge(found), by_id(found), letters(found)
    quality, diversity = digits(found, judge)
    words = {UP: "clear on both", DOWN: "clear on both", UNKNOWN: "cannot tell", NO_INTERVAL: "no interval"}
    out = []
    for price in found.prices:
        start, end = spots.get(price.start), spots.get(price.end)
        told = NO_INTERVAL
        if start is not None and end is not None:
            said = (compare(start.quality, end.quality), compare(reading(start, judge), reading(end, judge)))
            told = next((each for each in (NO_INTERVAL, UNKNOWN) if each in said), UP)
        numbers = ((price.gained, diversity), (price.lost, quality), (price.per_unit, quality))
        cells = [
            "–" if value is None else number(value * (_per(found) if at == 2 else 1), digits_)
            for at, (value, digits_) in enumerate(numbers)
        ]
        out.append(
            PriceRow(
                letters=f"{names.get(price.start, '')} → {names.get(price.end, '')}".strip(),
                start=start.text if start else price.start,
                end=end.text if end else price.end,
                cells=tuple(cells),
                verdict=price.verdict or words[told],
            )
        )
    return out


def bars(found: Frontier, judge: Axis) -> list[Bar]:
    """The hypervolume of each policy by one judge, the largest first."""
    rows = found.volumes.get(judge.key, ())
    longest = max((value.value for _, value in rows if value.value is not None), default=0.0)
    digits_ = max(3, places((value for _, value in rows), "ratio"))
    ahead = set(policies(found, judge)[: len({spot.policy for spot in front(found, judge)})])
    return [
        Bar(
            name=name,
            value=shown(value, digits_) if value.value is not None else "not defined",
            width=round(max(0.0, 100 * (value.value or 0.0) / longest), 1) if longest > 0 else 0.0,
            ahead=name in ahead,
        )
        for name, value in rows
    ]


def _volume(item: Reading) -> str:
    return "" if item.value is None else number(item.value, 3)


def volume_rows(found: Frontier) -> list[tuple[str, ...]]:
    """Hypervolumes by every judge, where there are several."""
    judges = [judge for judge in found.judges if judge.key in found.volumes]
    if len(judges) < 2:
        return []
    values = {judge.key: dict(found.volumes[judge.key]) for judge in judges}
    names = dict.fromkeys(name for judge in judges for name, _ in found.volumes[judge.key])
    heads = ("Policy", *(judge.title for judge in judges))
    return [heads] + [(name, *(shown(values[j.key].get(name, Reading()), 3) for j in judges)) for name in names]


def point_heads(found: Frontier) -> tuple[str, ...]:
    """The numeric columns of the table of all points."""
    complexity = (f"Complexity: {found.complexity.title}",) if found.complexity else ()
    return (
        "Records",
        "Tokens",
        f"Quality: {found.quality.title}",
        *(judge.title for judge in found.judges),
        *complexity,
    )


def point_rows(found: Frontier) -> list[PointRow]:
    """Every point: those of the front first, by letter, then as they come."""
    judge, names = main_judge(found), letters(found)
    best = {spot.id: at for at, spot in enumerate(front(found, judge))}
    defined = {spot.place for spot in judged(found, judge)}
    quality, _ = digits(found, judge)
    each = [digits(found, other)[1] for other in found.judges]
    complexity = places((spot.complexity for spot in found.spots), found.complexity.unit if found.complexity else "")
    out = []
    for spot in sorted(found.spots, key=lambda spot: (best.get(spot.id, len(best)), spot.place)):
        cells = [count(size) if size is not None else "–" for size in (spot.records, spot.tokens)]
        cells.append(shown(spot.quality, quality))
        cells += [shown(reading(spot, other), at) for other, at in zip(found.judges, each, strict=True)]
        cells += [shown(spot.complexity, complexity)] if found.complexity else []
        undefined = spot.undefined or ("" if spot.place in defined else "the judge on the axis gives no number")
        out.append(
            PointRow(
                names.get(spot.id, ""),
                spot.text,
                _note(found, spot),
                tuple(cells),
                _standing(spot, judge, names),
                undefined,
            )
        )
    return out


def _note(found: Frontier, spot: Spot) -> str:
    judge = main_judge(found)
    role = "" if spot.role in ("policy", spot.policy) else spot.role.replace("_", " ")
    twin = by_id(found).get(spot.same_as)
    notes = [
        role,
        f"same records as {twin.text}" if twin else "",
        f"seed {spot.seed}" if spot.seed and spot.role == "random" else "",
    ]
    notes += [
        "knee" if found.knee.get(judge.key) == spot.id else "",
        "picked" if found.pick and found.pick == spot.id else "",
    ]
    return ", ".join(note for note in notes if note)


def _standing(spot: Spot, judge: Axis, names: Mapping[str, str]) -> str:
    if spot.id in names:
        return "on the front"
    better = spot.dominated_by.get(judge.key, frozenset())
    by = sorted((names[each] for each in better if each in names), key=lambda name: (len(name), name))
    rest = len(better) - len(by)
    shown_ = [*by[:6], *([f"{rest + len(by[6:])} more"] if rest + len(by[6:]) else [])]
    return f"dominated by {', '.join(shown_)}" if shown_ else "–"


def left_out(found: Frontier, best: int, limits: FrontierLimits) -> Sequence[str]:
    """What the document has and the page has not."""
    pairs = (
        (found.spots_total, len(found.spots), "point"),
        (found.judges_total, len(found.judges), "judge"),
        (best, min(best, limits.commands), "command"),
    )
    return [
        f"{count(few)} of {count(total, noun)} are shown; the others are in the document."
        for total, few, noun in pairs
        if total > few
    ]
