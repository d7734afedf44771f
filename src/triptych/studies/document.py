"""The inference parts of `study.json`, from a table of runs: `analyse(table, Analysis(factors=("Q", "D", "C")))`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from triptych.core.errors import SpecError
from triptych.core.registry import parse
from triptych.studies.conclusions import conclusions
from triptych.studies.effects.cells import cells, dose, points
from triptych.studies.effects.contrasts import contrasts
from triptych.studies.effects.estimates import Question, effects
from triptych.studies.effects.model import Array
from triptych.studies.effects.panels import Scores, described, inside, read, warned
from triptych.studies.effects.plan import Analysis
from triptych.studies.effects.sensitivity import Case, sensitivity
from triptych.studies.effects.setting import Setting, setting
from triptych.studies.effects.terms import SIZES, Factor, coded
from triptych.studies.effects.verdict import Row, judged, with_margin
from triptych.studies.power import finished
from triptych.studies.table import RunTable

__all__ = ["Analysis", "analyse"]


def analyse(table: RunTable, plan: Analysis) -> dict[str, Any]:
    """All that can be said of a table of runs.

    Returns:
        `effects`, `contrasts`, `cells`, `dose`, `points`, `power`, `sensitivity`, `panels`, `conclusions`, `warnings` as
        in `study.json`, and `inference`: what intervals count, and the rules that were used. JSON values only.

    Raises:
        InputError: a name in the plan is not in the table, or the table has no runs, no factors, or a run twice.
    """
    plan = plan.checked(table)
    factors = [coded(name, table.factors[name]) for name in plan.factors]
    where = setting(table, plan, factors)
    panels = inside(read(table), where.labels if where.block else None)
    sizes = {name: values for name, values in table.covariates.items() if name in SIZES and (values > 0).all()}
    question = Question(factors, plan.interactions, sizes=sizes if plan.interactions else None)
    told = _designed(effects(question, panels, where, plan), factors)
    told += _measured(table, panels, plan)
    told = judged(told, plan)
    parts: dict[str, Any] = {
        "effects": told,
        "contrasts": judged(contrasts(factors, panels, where, plan), plan),
        "cells": cells(table, factors, panels, where),
        "points": points(table, factors, panels, where),
        "dose": dose(table, factors, panels, where),
        "power": finished([one for one in told if one["family"] == "main"], panels, where, table),
        "sensitivity": sensitivity(Case(table, factors, panels, where, plan), told),
        "panels": described(panels, plan),
        "inference": _inference(where, plan),
    }
    parts["warnings"] = [*where.warnings, *warned(panels), *_refused(told)]
    parts["conclusions"] = conclusions(parts, panels, where, plan)
    return parts


def _designed(rows: Sequence[Row], factors: Sequence[Factor]) -> list[Row]:
    measured = {one.name for one in factors if not one.designed}
    out = []
    for one in rows:
        of = {part.removesuffix("²") for part in one["factor"].split(":")}
        out.append({"kind": "measured" if of & measured else "designed", "items": None, **one})
    return out


def _measured(table: RunTable, panels: Mapping[str, Scores], plan: Analysis) -> list[Row]:
    """Effects of what measures read on the data of the runs, per SD; runs without a reading are left out.

    From low to high is 2 SD of a two-level factor, so that half the margin is the same demand of an effect per SD.
    """
    if not plan.measured:
        return []
    labels = {factor: label for factor, label in plan.measured.items() if factor in plan.factors} or plan.measured
    columns = {factor: _reading(label, table.measured[label]) for factor, label in labels.items()}
    there = np.all([np.isfinite(values) for values, _ in columns.values()], axis=0)
    factors = [_standard(name, values, there) for name, (values, _) in columns.items()]
    kept = {name: replace(one, values=np.where(there, one.values, np.nan), items=None) for name, one in panels.items()}
    kept = {name: _enough(one) for name, one in kept.items()}
    where: Setting = setting(table, plan, factors)
    out = []
    for one in effects(Question(factors), kept, where, plan):
        shown = {"kind": "measured", "measure": labels[one["factor"]], "log": columns[one["factor"]][1]}
        out.append({**with_margin(one, one["margin"] / 2), **shown, "family": "measured", "items": None})
    return out


def _reading(label: str, values: Array) -> tuple[Array, bool]:
    """Values of a measure, in logarithms where its unit is a count of effective things; and whether they are."""
    try:
        unit = parse([label])[0].about.unit
    except SpecError:
        # A label of the user's own: nothing is known of its unit.
        return values, False
    if not unit.startswith("effective") or not (values[np.isfinite(values)] > 0).all():
        return values, False
    return np.log(values), True


def _standard(name: str, values: Array, there: Any) -> Factor:
    seen = values[there]
    spread = float(seen.std()) if len(seen) else 0.0
    constant = not spread > 1e-12 * max(1.0, float(np.abs(seen).max()) if len(seen) else 1.0)
    scaled = np.zeros(len(values)) if constant else np.where(there, (values - seen.mean()) / spread, 0.0)
    return Factor(name, scaled, designed=False)


def _enough(one: Scores) -> Scores:
    runs = int(one.there.sum())
    if one.undefined or runs >= 3:
        return one
    return replace(one, undefined=f"only {runs} runs have scores and readings: at least 3 are needed")


def _refused(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Factors and products that the design cannot tell."""
    found = {}
    for one in rows:
        reason = one["undefined"] or ""
        if " goes with " in reason and not reason.endswith(("a mix of the others", "the blocks")):
            found[reason] = {
                "code": "aliased",
                "text": f"{one['factor']}: {reason}; an effect of either is an effect of both.",
            }
        elif reason.startswith("not separable"):
            found[reason] = {"code": "not_separable", "text": f"{reason}."}
        elif reason.endswith("nothing to compare"):
            found[reason] = {"code": "constant_factor", "text": f"{reason}."}
    return list(found.values())


def _inference(where: Setting, plan: Analysis) -> dict[str, Any]:
    adjusted = "Holm" if plan.multiplicity == "holm" else "Benjamini and Hochberg"
    how = "a random effect" if where.random else "held fixed"
    return {
        "block": where.block,
        "random": where.random,
        "error": "CR2 sandwich, Bell and McCaffrey's degrees of freedom",
        "counted": where.counted,
        "level": plan.level,
        "margin": plan.margin,
        "margin_unit": plan.margin_unit if plan.margin is not None else "score .05 in 0..1, else .2 SD",
        "multiplicity": plan.multiplicity,
        "text": (
            f"Intervals count {where.counted}s"
            + (f" ({how})" if where.block else "")
            + f" as independent. p is adjusted by {adjusted} within a family: main effects, interactions, shapes, "
            "contrasts and measured effects, each over all panels. An effect counts as not worth the margin when two "
            "one-sided tests at 5 % say that it is smaller."
        ),
    }
