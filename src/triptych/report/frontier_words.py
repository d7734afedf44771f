"""What a frontier says, in sentences: who is ahead, what diversity costs, the references, the pick, the seed claim."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from triptych.report.frontier_front import (
    DOWN,
    NO_INTERVAL,
    UNKNOWN,
    UP,
    by_id,
    clearly,
    compare,
    front,
    judged,
    letters,
    main_judge,
    mean,
    places,
    reading,
    standing,
)
from triptych.report.frontier_lines import changed, verdict
from triptych.report.frontier_records import Axis, Frontier, Spot
from triptych.report.study_records import Reading
from triptych.report.words import count, listing, not_defined, number

NAMED = 6
"""Policies named in one sentence; the others are counted."""
REFERENCE_NAMES = {
    "random": "random",
    "longest": "longest",
    "top_quality": "top quality",
    "most_diverse": "most diverse",
}
MEANT = (
    "As a rule one record cannot be far from the typical case and fully typical of the specification at once. "
    "A set can hold both, far records that comply beside many typical ones: that is what the frontier is for."
)


@dataclass(frozen=True)
class Card:
    """One answer of the page's head: sentences, one under the other."""

    title: str
    lines: tuple[str, ...]


def asked(found: Frontier) -> str:
    """What was asked, in one sentence."""
    judge = main_judge(found)
    pool = f"{count(found.pool, 'record')} of {found.name or 'the pool'}" if found.pool else found.name or "the pool"
    at = f", at {found.at} records" if found.at else ""
    taken = f"{found.budget} taken from {pool}" if found.budget else f"Selections from {pool}"
    return f"{taken}. Quality is {_named(found.quality)}; diversity is {_named(judge)}{at}."


def _named(axis: Axis) -> str:
    unit = f" ({axis.unit})" if axis.unit and axis.unit.lower() not in axis.title.lower() else ""
    return f"{axis.title}{unit}"


def cards(found: Frontier) -> list[Card]:
    """The head of the page: four answers, each with its intervals counted."""
    return [
        Card("Who is ahead", tuple(ahead(found))),
        Card("What diversity costs", tuple(cost(found))),
        Card("Against the references", tuple(references(found))),
        Card("What was picked", (picked(found),)),
    ]


def answers(found: Frontier) -> list[Card]:
    """All that the frontier says: the head, then the seed claim and one record's trade-off where the document has them."""
    more = [("Tightening a rejection threshold", seed_claim(found)), ("One record", typical_claim(found))]
    return cards(found) + [Card(title, (text,)) for title, text in more if text]


def ahead(found: Frontier) -> list[str]:
    """Which policy holds the front, and of how many others it dominates every point."""
    best = standing(found, main_judge(found))
    if best is None:
        reasons = dict.fromkeys(spot.undefined for spot in found.spots if spot.undefined)
        return [f"There is no front: {next(iter(reasons), 'no point has both numbers')}."]
    points = f"{best.on_front} of the {count(best.front, 'point')} of the front"
    lines = [f"{best.policy} has {points if best.front > 1 else 'the only point of the front'}."]
    rest = [spot.policy for spot in front(found, main_judge(found)) if spot.policy != best.policy]
    if rest:
        lines[0] += f" Also on it: {_bounded(list(dict.fromkeys(rest)))}."
    if not best.others:
        return lines
    others = f"{len(best.over)} of {count(best.others)} other {'policy' if best.others == 1 else 'policies'}"
    if not best.over:
        return [
            *lines,
            f"It dominates none of {count(best.others, 'other policy')} on all points.".replace("policys", "policies"),
        ]
    lines.append(f"It dominates {others}: for each of their points it has one at least as good on both axes.")
    unsure = [name for name in best.over if name not in best.clear]
    if unsure:
        lines.append(f"For {_bounded(unsure)} that is within the intervals: cannot tell.")
    return lines


def _bounded(names: list[str]) -> str:
    more = len(names) - NAMED
    return listing(names[:NAMED] + ([f"{more} more"] if more > 0 else []))


def cost(found: Frontier) -> list[str]:
    """From the knee to the most diverse point: what is gained, what is lost, whether it can be told."""
    judge = main_judge(found)
    best = front(found, judge)
    if len(best) < 2:
        return [f"There is no price: the front has {'one point' if best else 'no points'}."]
    knee = next((spot for spot in best if spot.id == found.knee.get(judge.key)), None)
    start, name = (knee, "the knee") if knee is not None and knee is not best[-1] else (best[0], "the best quality")
    said = step(found, judge, start, best[-1])
    lines = [f"From {name} ({label(found, start)}) to the most diverse point ({label(found, best[-1])}): {said}."]
    if knee is not None and knee is not best[0]:
        lines.append(
            f"From the best quality ({label(found, best[0])}) to the knee: {step(found, judge, best[0], knee)}."
        )
    elif knee is None and judge.key in found.no_knee:
        lines.append(f"There is no knee: {found.no_knee[judge.key]}.")
    return lines


def step(found: Frontier, judge: Axis, start: Spot, end: Spot) -> str:
    """What going from one point to another gains and costs."""
    quality, diversity = digits(found, judge)
    gained = (reading(end, judge).value or 0.0) - (reading(start, judge).value or 0.0)
    lost = (start.quality.value or 0.0) - (end.quality.value or 0.0)
    unit = judge.unit or judge.title
    text = f"{number(abs(gained), diversity)} {unit} {'more' if gained >= 0 else 'fewer'}"
    text += f" for {number(abs(lost), quality)} of quality{'' if lost >= 0 else ' gained'}"
    told = {
        "quality": compare(start.quality, end.quality),
        "diversity": compare(reading(start, judge), reading(end, judge)),
    }
    unsure = [name for name, said in told.items() if said == UNKNOWN]
    return text + (f" ({listing(unsure)} within the intervals: cannot tell)" if unsure else "")


def references(found: Frontier) -> list[str]:
    """Where random and the other points of reference lie."""
    judge = main_judge(found)
    spots, best = judged(found, judge), front(found, judge)
    quality, diversity = digits(found, judge)
    parts = []
    for role, name in REFERENCE_NAMES.items():
        own = [spot for spot in spots if spot.role == role]
        middle = mean(own, judge)
        if middle is None:
            continue
        at = f"quality {number(middle[0], quality)}, diversity {number(middle[1], diversity)}"
        draws = f" (mean of {count(len(own), 'draw')})" if len(own) > 1 else ""
        where = _where(own, best, judge)
        parts.append(f"{name[0].upper()}{name[1:]}{draws}: {at}, {where}.")
    return parts or ["The document has no points of reference."]


def _where(own: list[Spot], best: list[Spot], judge: Axis) -> str:
    on_front = sum(spot in best for spot in own)
    if on_front:
        return "on the front" if on_front == len(own) else f"{on_front} of {len(own)} on the front"
    clear = all(
        clearly(spot, better, judge)
        for spot in own
        if (better := [each for each in best if each.id in spot.dominated_by.get(judge.key, frozenset())])
    )
    return "dominated" if clear else "dominated within the intervals: cannot tell"


def picked(found: Frontier) -> str:
    """What was picked, by which rule."""
    if not found.pick_rule and not found.pick:
        return "Nothing was asked for: add --pick knee, --pick 'quality>=0.8' or --pick 'diversity>=100' to write a selection, or run one of the commands below."
    rule = f"--pick {found.pick_rule}" if found.pick_rule else "hand"
    spot = by_id(found).get(found.pick)
    if spot is None:
        return f"No point meets {rule}."
    judge = main_judge(found)
    quality, diversity = digits(found, judge)
    size = f", {count(spot.records, 'record')}" if spot.records is not None else ""
    return (
        f"By {rule}: {label(found, spot)}, quality {_value(spot.quality, quality)}, "
        f"diversity {_value(reading(spot, judge), diversity)} {judge.unit}{size}."
    )


def _value(found: Reading, decimals: int) -> str:
    return "not defined" if found.value is None else number(found.value, decimals)


def label(found: Frontier, spot: Spot) -> str:
    """A point by its letter and its policy."""
    own = letters(found).get(spot.id, "")
    return f"{own}, {spot.text}" if own else spot.text


def digits(found: Frontier, judge: Axis) -> tuple[int, int]:
    """The decimals of quality and of diversity."""
    spots = judged(found, judge)
    quality = places((spot.quality for spot in spots), found.quality.unit)
    return quality, places((reading(spot, judge) for spot in spots), judge.unit)


def seed_claim(found: Frontier) -> str:
    """What tightening a rejection threshold did: to quality, and by how many judges to diversity."""
    own = found.threshold
    if own is None or not own.rows:
        return not_defined(own.undefined) if own else ""
    quality = changed(own, "", [row.quality for row in own.rows])
    judges = [
        changed(own, each.key, [row.diversity.get(each.key, Reading()) for row in own.rows]) for each in found.judges
    ]
    told = [
        f"{word} by {judges.count(word)} of {count(len(judges), 'judge')}"
        for word in dict.fromkeys(judges)
        if word != UNKNOWN
    ]
    unsure = f"by {judges.count(UNKNOWN)} of {count(len(judges), 'judge')} one cannot tell" if UNKNOWN in judges else ""
    text = f"From the loosest threshold to the tightest, quality {quality}" if quality not in ("", UNKNOWN) else ""
    text = text or "From the loosest threshold to the tightest, one cannot tell whether quality changes"
    parts = [
        f"diversity {listing(told)}" if told else "",
        ("" if told else "of diversity, ") + unsure if unsure else "",
    ]
    return "; ".join([text, *(part for part in parts if part)]) + "."


def typical_claim(found: Frontier) -> str:
    """What the deciles of typicality show."""
    own = found.typicality
    if own is None or not own.rows:
        return not_defined(own.undefined) if own else ""
    if own.text:
        return own.text + (" This pool does not follow the rule." if own.verdict == "more" else "")
    values = [row.compliance for row in own.rows]
    known = [item for item in values if item.value is not None]
    if len(known) < 2:
        return "Too few groups have a number."
    decimals = places(known, "ratio")
    said = {
        UP: "the farther a record lies from the typical case, the less it complies",
        DOWN: "here the farther records comply more, against the rule",
        UNKNOWN: "that is within the intervals: cannot tell",
        NO_INTERVAL: "there are no intervals, so that nothing can be told",
    }[verdict(values)]
    ends = f"{number(known[0].value or 0.0, decimals)} among the least typical records, {number(known[-1].value or 0.0, decimals)} among the most typical"
    rank = own.correlation
    along = ""
    if rank.value is not None:
        along = f" Correlation {number(rank.value, 3)}"
        along += (
            f" ({number(rank.lo, 3)} to {number(rank.hi, 3)})." if rank.lo is not None and rank.hi is not None else "."
        )
    return f"Compliance is {ends}: {said}.{along}"


def command(found: Frontier, spot: Spot) -> str:
    """The command that makes the selection of a point again."""
    parts = ["triptych select", shlex.quote(found.path or "DATA")]
    budget = re.sub(r",(?=\d{3})", "", found.budget).removesuffix(" records").removesuffix(" record")
    parts += ["--budget", shlex.quote(budget)] if budget else []
    parts += ["--quality", shlex.quote(found.quality.label)] if found.quality.key != "quality" else []
    if found.complexity and found.complexity.label not in ("complexity", "reasoning_steps"):
        parts += ["--complexity", shlex.quote(found.complexity.label)]
    parts += ["--policy", shlex.quote(spot.text)]
    return " ".join([*parts, *(["--seed", shlex.quote(spot.seed)] if spot.seed not in ("", "0") else [])])
