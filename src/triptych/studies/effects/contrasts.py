"""Does a factor do more out of distribution than in it? The contrasts that state the thesis.

A contrast is the effect on the difference of two panels' scores, taken run by run: what a run is good at altogether
cancels. It is a difference in score units: where one panel is near its floor or ceiling the same push moves it less, so
the sensitivity of a study also tells it in log odds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triptych.studies.effects.estimates import Question, effects
from triptych.studies.effects.model import Array
from triptych.studies.effects.panels import Scores
from triptych.studies.effects.plan import Analysis
from triptych.studies.effects.setting import Setting
from triptych.studies.effects.terms import Factor
from triptych.studies.effects.verdict import Row

MEAN_OOD, MEAN_ID = "mean OOD", "mean ID"


@dataclass(frozen=True)
class Difference:
    """Out-of-distribution panels less in-distribution ones."""

    name: str
    ood: tuple[str, ...]
    inside: tuple[str, ...]
    scores: Scores


def differences(panels: Mapping[str, Scores], plan: Analysis) -> list[Difference]:
    """Each OOD panel less ID, then the mean of the OOD panels less ID; empty without an ID or an OOD panel."""
    inside = [name for name in panels if plan.is_id(name)]
    outside = [name for name in panels if name not in inside]
    if not inside or not outside:
        return []
    known = [name for name in outside if not panels[name].undefined]
    base = inside[0] if len(inside) == 1 else MEAN_ID
    out = [_difference(f"{name} - {base}", [name], inside, panels) for name in outside]
    if len(known) > 1:
        out.append(_difference(f"{MEAN_OOD} - {base}", known, inside, panels))
    return out


def _difference(name: str, ood: Sequence[str], inside: Sequence[str], panels: Mapping[str, Scores]) -> Difference:
    usable = [one for one in inside if not panels[one].undefined]
    parts = [*ood, *(usable or inside)]
    lost = [one for one in parts if panels[one].undefined]
    scales = {panels[one].bounded for one in parts}
    reason = ""
    if lost:
        reason = f"{lost[0]}: {panels[lost[0]].undefined}"
    elif len(scales) > 1:
        reason = "the panels' scores have different scales: only some lie in 0..1"
    values = _mean(ood, panels) - _mean(usable or inside, panels)
    seen = values[np.isfinite(values)]
    if not reason and len(seen) < 3:
        reason = f"{len(seen)} runs have scores on all of {', '.join(parts)}: at least 3 are needed"
    near = next((panels[one].near_end for one in parts if panels[one].near_end), "")
    within = panels[parts[0]].within
    scores = Scores(name, values, reason, scales == {True}, near_end=near, within=within)
    return Difference(name, tuple(ood), tuple(usable or inside), scores)


def _mean(names: Sequence[str], panels: Mapping[str, Scores]) -> Array:
    out: Array = np.mean([panels[one].values for one in names], axis=0)
    return out


def contrasts(factors: Sequence[Factor], panels: Mapping[str, Scores], setting: Setting, plan: Analysis) -> list[Row]:
    """The part `contrasts` of a study, p not yet adjusted."""
    found = {one.name: one for one in differences(panels, plan)}
    # The interactions stay in the model (they are what the arms are), but only the factors themselves are asked after.
    question = Question(factors, interactions=plan.interactions)
    rows = effects(question, {name: one.scores for name, one in found.items()}, setting, plan)
    out = []
    for one in rows:
        if one["family"] != "main":
            continue
        difference = found[one.pop("panel")]
        shown = {"name": f"{one['factor']} x panel: {difference.name}", "panels": [*difference.ood, *difference.inside]}
        out.append({**shown, **one, "family": "contrasts"})
    return sorted(out, key=lambda one: [factor.name for factor in factors].index(one["factor"]))
