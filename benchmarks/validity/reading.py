"""Reading measures on populations: the difference of every dose from the base, and what is made of it in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from expectations import sign

from triptych.comparing.reading import Compared, Memory, compare_view
from triptych.comparing.sides import Side, prepare
from triptych.comparing.view import Draw, View
from triptych.core.errors import TriptychError
from triptych.core.groups import group_of
from triptych.core.measure import Measure
from triptych.core.relation import Keys
from triptych.data import open_dataset
from triptych.profiling.bench import Bench
from triptych.profiling.panel import check_labels, plan

Row = dict[str, Any]

CERTAIN, LIKELY = 1e-3, 0.05
"""A difference is one below the first p (of a thousand read, one is by chance), and none above the second."""


def side(rows: Sequence[Row], bench: Bench, *, alone: bool) -> Side:
    """The features of a set. `alone`: every record in the group of its address, so that rows of two doses are pairs."""
    made = prepare(open_dataset(list(rows), bench.settings.reading()), bench)
    if not alone:
        return made
    keys = made.keys
    group = group_of(keys.address)
    return replace(made, keys=Keys(keys.ordinal, keys.address, group, np.zeros_like(keys.cluster)))


def differences(base: Side, dose: Side, measures: Sequence[Measure], *, paired: bool, memory: Memory, bench: Bench):
    """Dose less base, for every measure."""
    view = View("raw", "", paired, (Draw(np.arange(len(dose)), np.arange(len(base))),))
    return compare_view((dose, base), view, measures, bench, memory)


@dataclass(frozen=True)
class Found:
    """One measure at one dose of one replicate: both values, the difference, its error and degrees, or why there is none."""

    base: float | None
    value: float | None
    diff: float | None
    error: float | None
    degrees: float
    undefined: str | None = None

    @classmethod
    def of(cls, compared: Compared) -> Found:
        one = compared.difference
        if one is None:
            return cls(None, None, None, None, 0.0, compared.undefined)
        # The side of the interval that faces no difference: intervals of shares are not symmetric.
        half = one.diff - one.lo if one.diff > 0 else one.hi - one.diff
        return cls(one.b, one.a, one.diff, half / quantile(one.degrees), one.degrees)


def quantile(degrees: float) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415 - as in the library

    return float(stdtrit(degrees, 0.975))


def pooled(found: Sequence[Found]) -> dict[str, Any]:
    """Replicates of one dose in one row: means, error of the mean, z and p."""
    from scipy.special import stdtr  # noqa: PLC0415

    reasons = [one.undefined for one in found if one.undefined]
    if reasons:
        return {"undefined": reasons[0]}
    diffs = np.array([one.diff for one in found], dtype=np.float64)
    errors = np.array([one.error for one in found], dtype=np.float64)
    diff, error = float(diffs.mean()), float(np.sqrt((errors**2).sum()) / len(found))
    degrees = float(sum(one.degrees for one in found))
    p = float(2 * stdtr(degrees, -abs(diff) / error)) if error > 0 else float(diff == 0)
    return {
        "base": short(float(np.mean([one.base for one in found]))),
        "value": short(float(np.mean([one.value for one in found]))),
        "diff": short(diff),
        "error": short(error),
        "z": short(diff / error, 3) if error > 0 else None,
        "p": short(p, 2),
        "spread": short(float(diffs.std(ddof=1)), 3) if len(found) > 1 else None,
    }


def short(value: float, digits: int = 5) -> float:
    return float(f"{value:.{digits}g}")


def judged(measure: Measure, doses: Sequence[Mapping[str, Any]], expected: int | None) -> dict[str, Any]:
    """What the doses say: which way it moved at the largest, whether step by step, and the verdict on it."""
    reasons = [dose["undefined"] for dose in doses if "undefined" in dose]
    if reasons:
        return {"verdict": "no value", "reason": reasons[-1]}
    diffs = [0.0, *(dose["diff"] for dose in doses)]
    way = int(np.sign(diffs[-1])) if doses[-1]["p"] < CERTAIN else 0
    steps = bool(np.all(np.diff(diffs) * (way or 1) >= 0)) if way else False
    moved = way * sign(measure)
    if expected is None:
        verdict = "free"
    elif CERTAIN <= doses[-1]["p"] < LIKELY:
        verdict = "unclear"
    elif expected == 0:
        verdict = "reads" if moved else "holds"
    else:
        verdict = {expected: "sees", 0: "blind", -expected: "wrong way"}[moved]
    return {"verdict": verdict, "way": way, "in_order": steps}


def fitted(rows: Sequence[Row], bench: Bench, labels: Sequence[str]) -> dict[str, Measure]:
    """Label to the measure fitted to the data (on the prompt where there is no response); those that do not apply are left out."""
    layout = open_dataset(list(rows), bench.settings.reading()).layout
    out = {}
    for label in labels:
        try:
            panel = plan(replace(bench.settings, measures=(label,)), layout)
            check_labels(panel.measures, layout)
        except TriptychError:
            continue
        name = label.partition(":")[0]
        out[label] = next(measure for measure in panel.measures if measure.about.name == name)
    return out
