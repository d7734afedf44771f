"""What components cost: requests, tokens, seconds and money for each record that was kept, and the share that was kept.

A run has one number of each, which is a count and no sample: it has an interval only from replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from triptych.attributing.contrast import between
from triptych.attributing.effects import RUNS, confounded, judged, named, numbers
from triptych.attributing.factors import Components
from triptych.attributing.runs import Run
from triptych.attributing.terms import main_effects

KINDS = {
    "requests": "requests per kept record",
    "prompt_tokens": "tokens read per kept record",
    "tokens": "tokens written per kept record",
    "seconds": "seconds per kept record",
    "money": "money per kept record",
}
ACCEPTED = "accepted"
"""Share of the records made that passed all filters."""
ALONE = "one run of each cell: a count, no sample; several runs (--replicates) give an interval"

Row = dict[str, Any]


def per_record(run: Run) -> dict[str, float | None]:
    """Costs of one run, None where they are not stated."""
    kept = run.kept or 0
    out: dict[str, float | None] = {
        kind: run.cost[kind] / kept if kind in run.cost and kept else None for kind in KINDS
    }
    out[ACCEPTED] = run.accepted
    return out


def costs(runs: Sequence[Run], components: Components) -> list[Row]:
    """What each level of each factor does to each cost against its reference."""
    each = [per_record(run) for run in runs]
    out = []
    for kind in (*KINDS, ACCEPTED):
        values = [one[kind] for one in each]
        if all(value is None for value in values):
            continue
        silent = [run.name for run, value in zip(runs, values, strict=True) if value is None]
        for weights in main_effects(components.factors, len(runs)):
            head = {**named(weights, components), "cost": kind, "title": KINDS.get(kind, "share of records kept")}
            if silent or weights.of is None:
                reason = f"not stated by {', '.join(silent[:3])}" if silent else confounded(weights)
                out.append({**head, **_row(None, None), "undefined": reason})
                continue
            known = np.array(values, dtype=np.float64)
            found = between(known, components.cells, weights.of)
            row = {**head, **_row(float(weights.of @ known), float(known.mean())), "undefined": None}
            if found is not None and found.se > 0:
                row |= {**numbers(found), "inner": list(found.inner), "error_from": RUNS, "no_interval": None}
            out.append(row)
    return _with_verdicts(out)


def _row(estimate: float | None, mean: float | None) -> Row:
    empty = dict.fromkeys(("lo", "hi", "se", "df", "p", "p_adjusted", "inner", "error_from"))
    return {"estimate": estimate, "mean": mean, **empty, "no_interval": ALONE, "verdict": "cannot tell", "margin": None}


def _with_verdicts(rows: list[Row]) -> list[Row]:
    """Verdicts of the costs that have intervals; nothing under a twentieth of the mean matters."""
    tested = [row for row in rows if row["p"] is not None]
    for row in tested:
        row["margin"] = abs(row["mean"]) / 20
    judged(tested)
    return rows
