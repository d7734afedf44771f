"""The document of `frontier.json`, from what was swept and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from triptych.selecting.frontier.judging import Judge, Ruler
from triptych.selecting.frontier.pick import pickable
from triptych.selecting.frontier.shape import (
    Reading,
    difference,
    dominates,
    ends,
    front,
    hypervolume,
    knee,
    prices,
    surely_above,
    surely_dominates,
)
from triptych.selecting.frontier.sweep import ENOUGH, Swept, Taken
from triptych.selecting.pool import Pool
from triptych.selectors.registry import policy_text

SCHEMA = "triptych/frontier@1"

Places = dict[str, tuple[float, float]]
"""Id of a point to (diversity, quality)."""


def points_of(swept: Swept, judge: Judge, pool: Pool) -> list[dict[str, Any]]:
    """One entry for each point, in the order of the sweep."""
    labels = [ruler.label for ruler in judge.rulers]
    below = {label: _dominated(swept, label) for label in labels}
    surely = {label: _dominated(swept, label, surely=True) for label in labels}
    out = []
    first: dict[bytes, str] = {}
    for one in swept.taken:
        name = one.point.id
        same = first.setdefault(one.ordinals.tobytes(), name)
        out.append(
            {
                **_about(one, pool),
                "same_as": None if same == name else same,
                **swept.judged[name].to_json(),
                "dominated_by": {label: below[label].get(name, []) for label in labels},
                "clearly_dominated_by": {label: surely[label].get(name, []) for label in labels},
                "undefined": swept.short.get(name),
            }
        )
    return out


def _about(one: Taken, pool: Pool) -> dict[str, Any]:
    point = one.point
    return {
        "id": point.id,
        "policy": point.policy.name,
        "params": point.policy.spec.params,
        "text": policy_text(point.policy),
        "seed": point.seed,
        "role": point.role,
        "records": len(one.ordinals),
        "tokens": int(pool.tokens[one.ordinals].sum()),
        "spent": one.spent,
        "facts": dict(one.facts),
        "notes": list(one.notes),
    }


def places(swept: Swept, label: str) -> Places:
    """Where the compared points lie that have both numbers."""
    out: Places = {}
    for one in swept.taken:
        judged = swept.judged[one.point.id]
        x, y = judged.diversity[label].value, judged.quality.value
        if one.point.id not in swept.short and x is not None and y is not None:
            out[one.point.id] = (x, y)
    return out


def _dominated(swept: Swept, label: str, *, surely: bool = False) -> dict[str, list[str]]:
    """Id of each dominated point to the ids that dominate it."""
    known = places(swept, label)
    read = {name: (swept.judged[name].diversity[label], swept.judged[name].quality) for name in known}
    out: dict[str, list[str]] = {}
    for name, place in known.items():
        better = [
            other
            for other, its in known.items()
            if dominates(its, place) and (not surely or surely_dominates(read[other], read[name]))
        ]
        if better:
            out[name] = better
    return out


def shape(swept: Swept, rulers: Sequence[Ruler]) -> dict[str, Any]:
    """Front, hypervolume, knee for each judge, and the price of diversity on the first."""
    out: dict[str, Any] = {"frontier": {}, "hypervolume": {}, "hypervolume_of_all": {}, "reference": {}}
    out |= {"knee": {}, "knee_reason": {}, "price": [], "price_by_policy": []}
    policy = {one.point.id: one.point.policy.name for one in swept.taken}
    for ruler in rulers:
        label, known = ruler.label, places(swept, ruler.label)
        names = list(known)
        out["frontier"][label] = [names[at] for at in front(np.array(list(known.values())))] if known else []
        sets: dict[str, Places] = {}
        for name, place in known.items():
            sets.setdefault(policy[name], {})[name] = place
        reference, shares = _volumes(known, sets)
        out["reference"][label] = reference
        out["hypervolume"][label] = {name: share for name, share in shares.items() if name}
        out["hypervolume_of_all"][label] = shares.get("")
        found, reason = _knee(pickable(swept, label))
        out["knee"][label], out["knee_reason"][label] = found, reason
        out["price"] += _prices(swept, known, label, None)
    first = places(swept, rulers[0].label)
    for name in dict.fromkeys(policy.values()):
        own = {key: place for key, place in first.items() if policy[key] == name}
        out["price_by_policy"] += _prices(swept, own, rulers[0].label, name)
    return out


def _volumes(known: Places, sets: Mapping[str, Places]) -> tuple[dict[str, float] | None, dict[str, float | None]]:
    """The corners of the box, and the share of it that each set dominates ("" is all of them); None: it is flat."""
    if not known:
        return None, {}
    low, high = ends(list(known.values()))
    corners = {"diversity": low[0], "quality": low[1], "best_diversity": high[0], "best_quality": high[1]}
    box = (high[0] - low[0]) * (high[1] - low[1])
    whole = {"": known, **sets}
    areas = {name: hypervolume(np.array(list(own.values())), low) for name, own in whole.items()}
    return corners, {name: area / box if box > 0 else None for name, area in areas.items()}


def _knee(known: Places) -> tuple[str | None, str | None]:
    """Id of the knee of the front of some points, or why there is none."""
    if not known:
        return None, "no point has both numbers"
    points, names = np.array(list(known.values())), list(known)
    path = front(points)
    found = knee(points[path])
    return (None, found) if isinstance(found, str) else (names[path[found]], None)


def _prices(swept: Swept, known: Places, label: str, policy: str | None) -> list[dict[str, Any]]:
    """The steps along the front of some points; `clear` where the quality lost is beyond the intervals."""
    if not known:
        return []
    names = list(known)
    out = []
    for step in prices(np.array(list(known.values()))):
        start, end = names[step.start], names[step.end]
        clear = surely_above(swept.judged[start].quality, swept.judged[end].quality)
        gained = {"diversity_gained": step.gained, "quality_lost": step.lost, "per_unit": step.per_unit}
        verdict = "clear" if clear else "cannot tell"
        out.append({"judge": label, "from": start, "to": end, "policy": policy, **gained, "verdict": verdict})
    return out


def noise(swept: Swept, rulers: Sequence[Ruler]) -> dict[str, Any]:
    """Mean and standard deviation over the random draws: what the draw alone moves."""
    drawn = [swept.judged[one.point.id] for one in swept.taken if one.point.role == "random"]

    def over(values: list[float | None]) -> dict[str, float] | None:
        known = [value for value in values if value is not None]
        if len(known) < 2:
            return None
        return {"mean": float(np.mean(known)), "sd": float(np.std(known, ddof=1)), "draws": len(known)}

    return {
        "quality": over([judged.quality.value for judged in drawn]),
        "complexity": over([judged.complexity.value for judged in drawn]),
        "diversity": {r.label: over([judged.diversity[r.label].value for judged in drawn]) for r in rulers},
    }


def threshold(swept: Swept, rulers: Sequence[Ruler]) -> dict[str, Any]:
    """The claim itself: does tightening a rejection threshold raise quality and narrow the set?

    The loosest level against the tightest, by the interval of the difference; `rows` from loose to tight.
    """
    mine = [one for one in swept.taken if one.point.policy.name == "threshold" and one.point.id not in swept.short]
    mine.sort(key=lambda one: float(one.facts.get("level", 0.0)))
    rows = [
        {
            "id": one.point.id,
            "threshold": one.facts.get("level"),
            "share": one.facts.get("accepted_share"),
            "records": len(one.ordinals),
            **swept.judged[one.point.id].to_json(),
        }
        for one in mine
    ]
    out: dict[str, Any] = {"rows": rows, "quality_change": None, "diversity_change": {}}
    if len({row["threshold"] for row in rows}) < 2:
        reason = "the policy threshold has fewer than two different levels here"
        return {
            **out,
            "verdict": "cannot tell",
            "undefined": reason,
            "text": f"Nothing to say of thresholds: {reason}.",
        }
    loose, tight = (swept.judged[one.point.id] for one in (mine[0], mine[-1]))
    out["quality_change"] = _change(loose.quality, tight.quality, ("rises", "falls"))
    for ruler in rulers:
        change = _change(loose.diversity[ruler.label], tight.diversity[ruler.label], ("widens", "narrows"))
        out["diversity_change"][ruler.label] = change
    told = {"quality": out["quality_change"]["verdict"]}
    told["the distribution"] = out["diversity_change"][rulers[0].label]["verdict"]
    verdict = ", ".join(f"{what} {word}" if word != "cannot tell" else f"{what}: {word}" for what, word in told.items())
    return {**out, "verdict": verdict, "undefined": None, "text": " ".join(_claim(out, rulers))}


def _change(loose: Reading, tight: Reading, words: tuple[str, str]) -> dict[str, Any]:
    """From the loosest to the tightest level: the change with its interval, and what it amounts to."""
    between = difference(tight, loose)
    if loose.value is None or tight.value is None:
        return {"value": None, "lo": None, "hi": None, "verdict": "cannot tell"}
    lo, hi = between or (None, None)
    verdict = "cannot tell"
    if lo is not None and hi is not None and not lo <= 0 <= hi:
        verdict = words[0] if lo > 0 else words[1]
    return {"value": tight.value - loose.value, "lo": lo, "hi": hi, "verdict": verdict}


def _claim(found: Mapping[str, Any], rulers: Sequence[Ruler]) -> list[str]:
    """The verdicts as sentences."""
    lines = [_sentence("quality", found["quality_change"])]
    return lines + [_sentence(f"diversity by {r.label}", found["diversity_change"][r.label]) for r in rulers]


def _sentence(what: str, change: Mapping[str, Any]) -> str:
    if change["verdict"] == "cannot tell":
        return f"Tightening the threshold: cannot tell whether {what} changes{_between(change)}."
    return f"Tightening the threshold: {what} {change['verdict']}{_between(change)}."


def _between(change: Mapping[str, Any]) -> str:
    if change["value"] is None or change["lo"] is None:
        return ""
    return f" ({change['value']:+.3g} [{change['lo']:+.3g}, {change['hi']:+.3g}])"


def warnings(swept: Swept, judge: Judge, pool: Pool) -> list[dict[str, str]]:
    """What the user should know of the whole frontier."""
    out: list[tuple[str, str]] = []
    first = judge.rulers[0]
    known = list(places(swept, first.label).values())
    if known and np.ptp([y for _, y in known]) == 0:
        out.append(("constant_quality", f"Quality ({judge.quality_label}) is the same at every point: no trade-off."))
    if known and np.ptp([x for x, _ in known]) == 0:
        out.append(("constant_diversity", f"Diversity ({first.label}) is the same at every point: no trade-off."))
    if not known:
        told = swept.judged[swept.taken[0].point.id]
        reason = told.diversity[first.label].reason or told.quality.reason
        out.append(("undefined", f"No point has both numbers: {reason}."))
    if not first.independent:
        what = f"{first.label} reads what some policies select with: they are judged by their own measure."
        out.append(("not_independent", what))
    largest = max(len(one.ordinals) for one in swept.taken)
    candidates = int(pool.sizes.sum()) if pool.sizes is not None else len(pool)
    if largest > candidates / 2:
        text = f"The budget takes {largest:,} of {candidates:,} candidate records: all selections share most of them."
        out.append(("large_budget", text))
    if swept.at < ENOUGH * largest:
        text = f"Diversity is read on {swept.at:,} records of each selection, the smallest number that all have."
        out.append(("common_number", text))
    return [{"code": code, "text": text} for code, text in out]
