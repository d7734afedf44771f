"""The verdicts on a measure in a few words, as the catalog quotes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from natural import EXPERIMENTS

NATURAL = frozenset(one.name for one in EXPERIMENTS)
WORDS = {
    "sees": "sees",
    "blind": "blind to",
    "wrong way": "wrong way on",
    "reads": "misread",
    "holds": "unmoved by",
    "unclear": "unclear on",
}
HARDLY = 0.05
"""An effect that is smaller than this share of the main one is told with its size."""


def verdicts(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """Label to kind of verdict to populations."""
    out: dict[str, dict[str, list[str]]] = {}
    for each in rows:
        said = out.setdefault(each["measure"], {})
        kind = each["verdict"]
        if kind in WORDS:
            said.setdefault(WORDS[kind], []).append(_word(each))
        elif kind == "free" and each["population"] in NATURAL and each.get("way"):
            said.setdefault("moves, nothing expected", []).append(_word(each))
        elif kind == "no value" and each["population"] not in NATURAL:
            said.setdefault("no value on", []).append(each["population"])
    return {label: dict(sorted(said.items(), key=_rank)) for label, said in out.items()}


def small(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Label to how many records were read, for those that were read on few."""
    found: dict[str, list[int]] = {}
    for each in rows:
        if "records" in each:
            found.setdefault(each["measure"], []).append(each["records"])
    return {label: _by(label) + _span(min(n), max(n)) for label, n in found.items()}


def _by(label: str) -> str:
    """Which judge or reward model was asked: what is said of a number of one is said of that one."""
    if label.startswith("reward_"):
        return "with a small reward model of our own making, "
    return "with SmolLM2-135M as the judge, " if label.startswith(("judge_", "calibrated_")) else ""


def _span(low: int, high: int) -> str:
    return f"{low} records" if low == high else f"{low} to {high} records"


def _rank(item: tuple[str, Any]) -> int:
    order = [*WORDS.values(), "moves, nothing expected", "no value on"]
    return order.index(item[0])


def _word(each: Mapping[str, Any]) -> str:
    """The population, with the direction of the number and how large the effect is beside what the axis is about."""
    notes = []
    if each["verdict"] in ("reads", "wrong way", "free"):
        notes.append("rises" if each["way"] > 0 else "falls")
    if "beside" in each and each["verdict"] in ("sees", "reads", "wrong way") and each["population"] not in NATURAL:
        other, ratio = each["beside"]
        if ratio < HARDLY or each["verdict"] != "sees" or each["population"] == "reworded copies":
            notes.append(f"{times(ratio)} {other}")
    if each["verdict"] == "sees" and len(each["doses"]) > 1 and not each["in_order"]:
        notes.append("not step by step")
    return each["population"] + (f" ({', '.join(notes)})" if notes else "")


def times(ratio: float) -> str:
    """A ratio of two effects, before what it is a ratio to."""
    return (
        f"{ratio:.1f} times" if ratio >= 0.995 else f"{ratio:.2f} of".lstrip("0") if ratio >= 0.01 else "under .01 of"
    )
