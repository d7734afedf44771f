"""Which point of a frontier is picked: the knee, or the best on one axis that holds a level on the other."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych.core.errors import SelectionError, UsageError, message
from triptych.selecting.frontier.sweep import Swept

_RULE = re.compile(r"\s*(quality|diversity)\s*>=\s*([^\s]+)\s*")


@dataclass(frozen=True)
class Rule:
    """`knee`, or an axis with the level it must hold."""

    text: str
    axis: str | None = None
    level: float = 0.0

    @classmethod
    def of(cls, text: str) -> Rule:
        """From words.

        Raises:
            UsageError: none of the rules.
        """
        if text.strip() == "knee":
            return cls("knee")
        found = _RULE.fullmatch(text)
        try:
            level = float(found[2]) if found else math.nan
        except ValueError:
            level = math.nan
        if not found or not math.isfinite(level):
            want = "knee, quality>=X or diversity>=Y"
            raise UsageError(message("--pick is not right.", got=text, want=want, hint="--pick 'quality>=0.8'"))
        return cls(f"{found[1]}>={level:g}", found[1], level)


def pickable(swept: Swept, label: str) -> dict[str, tuple[float, float]]:
    """Points that may be picked, with (diversity, quality): those of policies; random ones where there is nothing else."""
    known: dict[str, tuple[float, float]] = {}
    random: dict[str, tuple[float, float]] = {}
    for one in swept.taken:
        name, judged = one.point.id, swept.judged[one.point.id]
        x, y = judged.diversity[label].value, judged.quality.value
        if name not in swept.short and x is not None and y is not None:
            (random if one.point.role == "random" else known)[name] = (x, y)
    return known or random


def picked(rule: Rule, swept: Swept, label: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """The entry `pick` of the document.

    Raises:
        SelectionError: no point fits; the message names the nearest level that one reaches.
    """
    known = pickable(swept, label)
    if not known:
        raise SelectionError(message("no point has both numbers, so none can be picked.", got=rule.text))
    if rule.axis is None:
        found = shape["knee"][label]
        if found is None:
            hint = f"--pick 'quality>={_short(_median(y for _, y in known.values()))}'"
            what = "the frontier has no knee to pick."
            raise SelectionError(message(what, got=shape["knee_reason"][label], hint=hint))
        why = f"the knee of the frontier under {label}: farthest above the chord between its ends"
        return {"rule": rule.text, "id": found, "why": why}
    own, other = (1, 0) if rule.axis == "quality" else (0, 1)
    fit = {name: place for name, place in known.items() if place[own] >= rule.level}
    if not fit:
        best = max(place[own] for place in known.values())
        what = f"no point has a {rule.axis} of {rule.level:g} or more."
        level = _short(best)
        raise SelectionError(message(what, got=f"at most {level}", hint=f"--pick '{rule.axis}>={level}'"))
    name = max(fit, key=lambda key: (fit[key][other], fit[key][own]))
    words = ("the most diverse", label) if rule.axis == "quality" else ("the best quality", "quality")
    why = f"{words[0]} of {len(fit)} points with {rule.text}: {words[1]} {fit[name][other]:.4g}, {rule.axis} {fit[name][own]:.4g}"
    return {"rule": rule.text, "id": name, "why": why}


def _short(value: float) -> str:
    """Rounded down, so that the level is reached."""
    step = 10 ** (math.floor(math.log10(abs(value))) - 3) if value else 1.0
    return f"{math.floor(value / step) * step:.6g}"


def _median(values: Any) -> float:
    ordered = sorted(values)
    return float(ordered[len(ordered) // 2])
