"""`attribution.json`, from what was found. Strict JSON values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from triptych.attributing.cells import Cells
from triptych.attributing.comparability import comparability
from triptych.attributing.contrast import LEVEL, within
from triptych.attributing.cost import costs, per_record
from triptych.attributing.effects import RECORDS, RUNS, described, effects
from triptych.attributing.factors import CONFOUNDED, Components
from triptych.attributing.request import AttributeOptions
from triptych.attributing.runs import Run
from triptych.attributing.taxonomy import taxonomy
from triptych.comparing.verdict import Margin
from triptych.core.estimate import Undefined

SCHEMA = "triptych/attribution@1"
LEAST = 64
"""With fewer records in a run, most of the 32 groups hold none or one: intervals are wide, and shares of few records rough."""

INFERENCE = {
    RUNS: (
        "Cells have several runs, and their spread inside cells (pooled over all cells) is the error of a run, so intervals "
        "speak of other runs of the same recipes too; those of the records alone stand beside them as within."
    ),
    RECORDS: (
        "Every cell has one run, so its data set is one draw of its recipe. An interval is the wider of two: what the records "
        "of the runs leave uncertain, which is conditional on the one run of each cell (within), and how far the runs scatter "
        "around the model, which holds differences between runs and interactions too, where there are runs enough to see it "
        "(error_from says which). How much another run of one recipe differs only several runs of each cell show."
    ),
}
METHOD = (
    "An effect is the mean of the runs with a level less that of the runs with the reference, the other components held "
    "equal (least squares on main effects); an interaction is a difference of differences in the model with all pairs. "
    "Errors of one run are delete-a-group jackknifes over 32 groups of records. p is adjusted by Holm over all measures of a "
    "family. Equivalent: the 90 % interval lies within the margin."
)
JOINT = "Runs share prompts, so records of one prompt lie in one group in all runs and the covariance of what they share counts."
APART = "Runs share no prompt, and are taken to be independent."


def document(
    runs: Sequence[Run], cells: Cells, components: Components, asked: tuple[AttributeOptions, Mapping[str, Margin]]
) -> dict[str, Any]:
    """The whole document but for its provenance.

    Args:
        runs: in order.
        cells: what was read of them.
        components: of the runs, sorted.
        asked: the options, and the margins in them.
    """
    options, margins = asked
    varied = [one.key for one in options.vary]
    found = effects(cells, components, margins)
    spent = costs(runs, components)
    told = comparability(runs, components, varied)
    source = RUNS if components.replicated else RECORDS
    return {
        "schema": SCHEMA,
        "comparability": told,
        "design": _design(cells, components, options),
        "runs": [_run(place, runs, cells, components) for place in range(len(runs))],
        "factors": [
            {"component": one.name, "levels": list(one.levels), "reference": one.levels[0]}
            for one in components.factors
        ],
        "measures": [described(measure, cells.headlines) for measure in cells.measures],
        "taxonomy": taxonomy(components, found.main, spent),
        "effects": found.main,
        "interactions": found.pairs,
        "costs": spent,
        "scatter": found.scatter,
        "inference": {
            "level": LEVEL,
            "error_from": source,
            "joint": cells.joint,
            "multiplicity": "Holm over the effects of a family on all measures",
            "text": f"{METHOD} {INFERENCE[source]} {JOINT if cells.joint else APART}",
        },
        "warnings": _warnings(runs, cells, told, found.scatter),
    }


def _design(cells: Cells, components: Components, options: AttributeOptions) -> dict[str, Any]:
    sizes = [len(rows) for rows in cells.rows]
    tokens = [int(side.tokens[rows].sum()) for side, rows in zip(cells.sides, cells.rows, strict=True)]
    return {
        "kind": options.design if options.vary else "found",
        "cells": len(np.unique(components.cells)),
        "runs": len(components.cells),
        "match": options.match,
        "records": [min(sizes), max(sizes)],
        "tokens": [min(tokens), max(tokens)],
    }


def _run(place: int, runs: Sequence[Run], cells: Cells, components: Components) -> dict[str, Any]:
    run, side, rows = runs[place], cells.sides[place], cells.rows[place]
    read: dict[str, dict[str, float | str | None]] = {}
    for measure, found in zip(cells.measures, cells.read[place], strict=True):
        if isinstance(found, Undefined):
            read[measure.label] = {"value": None, "lo": None, "hi": None, "undefined": found.reason}
            continue
        ends = within([found], np.ones(1), joint=False)
        low, high = measure.about.bounds
        read[measure.label] = {
            "value": found.whole,
            "lo": max(ends.lo, low),
            "hi": min(ends.hi, high),
            "undefined": None,
        }
    return {
        "name": run.name,
        "path": run.path,
        "made_by": run.kind,
        "cell": int(components.cells[place]),
        "seed": run.seed,
        "components": dict(run.components),
        "unknown": list(run.unknown),
        "records": len(side),
        "used": len(rows),
        "tokens": int(side.tokens[rows].sum()),
        "kept": run.kept,
        "made": run.made,
        "cost": dict(run.cost),
        "per_record": per_record(run),
        "measures": read,
        "notes": list(run.notes),
    }


def _warnings(
    runs: Sequence[Run], cells: Cells, told: Mapping[str, Any], spread: Sequence[Mapping[str, Any]]
) -> list[dict[str, str]]:
    out = []
    if told["verdict"] == CONFOUNDED:
        out.append({"code": "confounded", "text": told["sentence"]})
    fewest = min(range(len(runs)), key=lambda place: len(cells.rows[place]))
    size = len(cells.rows[fewest])
    if size < LEAST:
        text = f"Runs are read at {size} records ({runs[fewest].name} has no more): intervals are wide and rough below {LEAST}."
        out.append({"code": "few_records", "text": text})
    left = [(run.name, len(side) - len(rows)) for run, side, rows in zip(runs, cells.sides, cells.rows, strict=True)]
    most = max(left, key=lambda one: one[1])
    if most[1]:
        text = f"All runs are cut to equal size by hash order; most are left out of {most[0]}: {most[1]:,} records."
        out.append({"code": "cut", "text": text})
    for one in told["budgets"]:
        text = f"{one['component']} differs between runs ({', '.join(one['values'])}): a search may gain from more."
        out.append({"code": "budget_differs", "text": text})
    out += [{"code": "scatter", "text": f"{one['label']}: {one['text']}."} for one in spread if one["p"] < 1 - LEVEL]
    out += [{"code": "note", "text": f"{run.name}: {note}."} for run in runs for note in run.notes]
    return out
