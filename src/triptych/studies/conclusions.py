"""What can and what cannot be concluded, in words made from the numbers and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from triptych.studies.effects.panels import Scores
from triptych.studies.effects.plan import Analysis
from triptych.studies.effects.setting import Setting
from triptych.studies.effects.verdict import LOWERS, NOTHING, RAISES, Row

Line = dict[str, str]


def conclusions(
    parts: Mapping[str, Sequence[Row]], panels: Mapping[str, Scores], setting: Setting, plan: Analysis
) -> list[Line]:
    """The part `conclusions`: `kind` can or cannot, and `text`, the thesis' contrasts first."""
    lines = [
        *_contrasts(parts["contrasts"], parts["sensitivity"]),
        *_effects([one for one in parts["effects"] if one["family"] == "main"]),
        *_conditions([one for one in parts["effects"] if one["family"] in {"interactions", "shape"}]),
        *_undefined(panels),
        *_fragile(parts),
        *_other_items(parts["effects"]),
        *_scope(parts, panels, setting, plan),
    ]
    return sorted(lines, key=lambda one: one["kind"])


def _contrasts(rows: Sequence[Row], sensitivity: Sequence[Row]) -> Iterator[Line]:
    odds = {one["name"]: one for one in sensitivity if one["kind"] == "log odds" and one["undefined"] is None}
    for one in rows:
        if one["undefined"] is not None:
            continue
        where = one["name"].split(": ", 1)[1]
        ood, _, inside = where.rpartition(" - ")
        if one["verdict"] in {RAISES, LOWERS}:
            more = "more" if one["estimate"] > 0 else "less"
            text = f"{one['factor']} does {more} for {ood} than for {inside}: {_numbers(one)}."
            yield _line("can", text + _other_scale(one, odds.get(one["name"])))
        elif one["verdict"] == NOTHING:
            text = (
                f"{one['factor']} does as much for {ood} as for {inside}, within {one['margin']:.3g}: {_numbers(one)}."
            )
            yield _line("can", text)
        else:
            yield _line("cannot", f"Whether {one['factor']} does more for {ood} than for {inside}: {_numbers(one)}.")


def _other_scale(one: Row, odds: Row | None) -> str:
    if odds is None or (odds["lo"] > 0 if one["estimate"] > 0 else odds["hi"] < 0):
        return ""
    return (
        f" In log odds the difference is {odds['estimate']:.2f} [{odds['lo']:.2f}, {odds['hi']:.2f}]: part of it may be "
        "that a panel is near an end of its scale."
    )


def _effects(rows: Sequence[Row]) -> Iterator[Line]:
    for one in rows:
        factor, panel = one["factor"], one["panel"]
        unit = " per SD" if "per SD" in one["unit"] else ""
        if one["undefined"] is not None:
            continue
        if one["verdict"] in {RAISES, LOWERS}:
            yield _line("can", f"{factor} {one['verdict']} {panel}: {_numbers(one)}{unit}.")
        elif one["verdict"] == NOTHING:
            yield _line("can", f"{factor} has no effect on {panel} worth {one['margin']:.3g}: {_numbers(one)}{unit}.")
        else:
            yield _line("cannot", f"Whether {factor} moves {panel} by {one['margin']:.3g}: {_numbers(one)}{unit}.")
    for reason in dict.fromkeys(
        f"What {one['factor']} does: {one['undefined']}."
        for one in rows
        if one["undefined"] is not None and one["undefined"].startswith(("not separable", f"{one['factor']} has one"))
    ):
        yield _line("cannot", reason)


def _conditions(rows: Sequence[Row]) -> Iterator[Line]:
    """Only what is clear: an interaction that cannot be told is the rule, and the table lists it."""
    for one in rows:
        if one["undefined"] is not None or one["verdict"] not in {RAISES, LOWERS}:
            continue
        names = one["factor"].split(":")
        if one["factor"] == "curvature":
            side = "above" if one["estimate"] > 0 else "below"
            yield _line(
                "can", f"On {one['panel']} the centre scores {side} the mean of the corners, by {_numbers(one)}."
            )
        elif len(names) == 2 and not names[1].startswith("log "):
            more = "more" if one["estimate"] > 0 else "less"
            a, b = names
            yield _line("can", f"{a} does {more} for {one['panel']} where {b} is high: {a}:{b} is {_numbers(one)}.")
        else:
            yield _line("can", f"{one['factor']} on {one['panel']} is {_numbers(one)}.")


def _undefined(panels: Mapping[str, Scores]) -> Iterator[Line]:
    for name, one in panels.items():
        if one.undefined:
            yield _line("cannot", f"Anything about {name}: {one.undefined}.")


def _fragile(parts: Mapping[str, Sequence[Row]]) -> Iterator[Line]:
    """Effects that were found, but not without one of the blocks."""
    found = {(one["factor"], one["panel"]) for one in parts["effects"] if one["verdict"] in {RAISES, LOWERS}}
    for one in parts["sensitivity"]:
        if one["kind"] == "leave one out" and one["sign_changes"] and (one["factor"], one["panel"]) in found:
            text = (
                f"The sign of {one['factor']} on {one['panel']} hangs on one {one['block']}: {one['lowest']:.3f} without "
                f"{one['lowest_without']}, {one['highest']:.3f} without {one['highest_without']}."
            )
            yield _line("cannot", text)


def _other_items(rows: Sequence[Row]) -> Iterator[Line]:
    """Effects that were found on these items, and need not be there on others of the same kind."""
    for one in rows:
        items = one["items"]
        if one["verdict"] in {RAISES, LOWERS} and items and items["lo"] <= 0 <= items["hi"]:
            text = (
                f"Whether {one['factor']} {one['verdict']} {one['panel']} on other items of its kind: with items drawn too "
                f"the interval is [{items['lo']:.3f}, {items['hi']:.3f}]."
            )
            yield _line("cannot", text)


def _scope(
    parts: Mapping[str, Sequence[Row]], panels: Mapping[str, Scores], setting: Setting, plan: Analysis
) -> Iterator[Line]:
    inside = [name for name in panels if plan.is_id(name)]
    if not inside or len(inside) == len(panels):
        what = "in-distribution" if not inside else "out-of-distribution"
        yield _line("cannot", f"How in and out of distribution compare: no panel is {what}.")
    if setting.block is None:
        yield _line("cannot", "What other blocks of data would give: intervals count runs, not blocks.")
    if parts["power"]:
        worst = max(parts["power"], key=lambda one: one["mde"])
        text = (
            f"Effects smaller than the study could see: from {min(one['mde'] for one in parts['power']):.3f} to "
            f"{worst['mde']:.3f} ({worst['factor']} on {worst['panel']}), by factor and panel."
        )
        yield _line("cannot", text)
    if any(one["kind"] == "measured" for one in parts["effects"]):
        text = "That a measured axis, rather than what goes with it, is the cause: only designed factors were set."
        yield _line("cannot", text)


def _numbers(one: Mapping[str, Any]) -> str:
    p = one["p_adjusted"]
    shown = "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 1 else "1"
    level = f"{one['level']:.0%}".replace("%", " %")
    sign = "" if p < 0.001 else "= "
    return f"{one['estimate']:+.3f} [{one['lo']:+.3f}, {one['hi']:+.3f}] ({level}, adjusted p {sign}{shown})"


def _line(kind: str, text: str) -> Line:
    return {"kind": kind, "text": text}
