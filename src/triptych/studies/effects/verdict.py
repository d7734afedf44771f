"""From an estimate and its error to the row that is written: interval, p, equivalence, and a verdict in four words.

*No effect worth the margin*: two one-sided tests at 5 % (Schuirmann 1987) show the effect smaller than the margin, also
where it is not nought; never on a panel where most runs are at floor or ceiling, which shows nothing small. Else *raises* or *lowers* where the adjusted p is under 1 - level. Else *cannot tell*.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from triptych.core.multiplicity import benjamini_hochberg, holm
from triptych.studies.effects.panels import Scores
from triptych.studies.effects.plan import Analysis

Row = dict[str, Any]

RAISES, LOWERS, NOTHING, UNKNOWN = "raises", "lowers", "no effect worth the margin", "cannot tell"


@dataclass(frozen=True)
class Numbers:
    """One effect on one panel."""

    estimate: float
    se: float
    df: float
    partial_r2: float


def spread_reason(numbers: Numbers, counted: str) -> str:
    """Why an error cannot be told, or ""."""
    if numbers.df < 0.99:
        return f"too few {counted}s bear on it to tell an error"
    if not numbers.se > 1e-12 * max(1.0, abs(numbers.estimate)):
        return f"every {counted} gives the same: no spread to tell an error from"
    return ""


def row(numbers: Numbers | str, scores: Scores, plan: Analysis, unit: str = "", counted: str = "run") -> Row:
    """The numbers of an effect as written, or the reason why there are none. p is not yet adjusted.

    Args:
        numbers: the effect, or why it is undefined.
        scores: what it is an effect on.
        plan: for level and margin.
        unit: " per SD" where it is one.
        counted: what the error counts, for the reasons.
    """
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415 - scipy is slow to import

    margin = scores.margin(plan)
    shown = ("score" if scores.bounded else "unit of the outcome") + unit
    fixed = {"level": plan.level, "margin": margin, "unit": shown, "n_runs": int(scores.there.sum())}
    reason = numbers if isinstance(numbers, str) else spread_reason(numbers, counted)
    if reason or isinstance(numbers, str):
        known = None if isinstance(numbers, str) else numbers.estimate
        empty = dict.fromkeys(("lo", "hi", "se", "df", "p", "p_adjusted", "p_equivalence", "sd_units", "partial_r2"))
        return {"estimate": None, **empty, **fixed, "verdict": UNKNOWN, "undefined": _with(reason, known)}
    value, se, df = numbers.estimate, numbers.se, numbers.df
    reach = float(stdtrit(df, (1 + plan.level) / 2)) * se
    return {
        "estimate": value,
        "lo": value - reach,
        "hi": value + reach,
        "se": se,
        "df": df,
        "p": float(2 * stdtr(df, -abs(value) / se)),
        "p_adjusted": None,
        "p_equivalence": None if scores.near_end else float(stdtr(df, (abs(value) - margin) / se)),
        "sd_units": value / scores.spread if scores.spread else None,
        "partial_r2": numbers.partial_r2,
        **fixed,
        "verdict": UNKNOWN,
        "undefined": None,
    }


def with_margin(one: Row, margin: float) -> Row:
    """The same row held against another margin."""
    from scipy.special import stdtr  # noqa: PLC0415 - scipy is slow to import

    if one["p_equivalence"] is None:
        return {**one, "margin": margin}
    p = float(stdtr(one["df"], (abs(one["estimate"]) - margin) / one["se"]))
    return {**one, "margin": margin, "p_equivalence": p}


def judged(rows: Iterable[Row], plan: Analysis) -> list[Row]:
    """Rows with p adjusted within their `family` and a verdict."""
    rows = list(rows)
    adjust = holm if plan.multiplicity == "holm" else benjamini_hochberg
    by_family = lambda one: str(one["family"])  # noqa: E731
    for _, family in groupby(sorted((one for one in rows if one["undefined"] is None), key=by_family), by_family):
        members = list(family)
        for one, p in zip(members, adjust(np.array([one["p"] for one in members])), strict=True):
            one["p_adjusted"] = float(p)
            one["verdict"] = _verdict(one, plan)
    return rows


def _verdict(one: Row, plan: Analysis) -> str:
    if one["p_equivalence"] is not None and one["p_equivalence"] < 0.05:
        return NOTHING
    if one["p_adjusted"] < 1 - plan.level:
        return RAISES if one["estimate"] > 0 else LOWERS
    return UNKNOWN


def _with(reason: str, known: float | None) -> str:
    return reason if known is None else f"{reason} (the difference is {known:.4g})"
