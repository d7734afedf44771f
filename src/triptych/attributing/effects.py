"""What each component did to each measure: estimates, errors, verdicts.

Main effects are one family, interactions another: p is adjusted by Holm over all measures in it. Verdicts: *equivalent*
where the 90 % interval lies within the margin (two one-sided tests at 5 %, Schuirmann 1987), judged first; *raises* or
*lowers* where the adjusted p is under .05; else *cannot tell*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.attributing.cells import Cells
from triptych.attributing.contrast import LEVEL, Contrast, around, between, scatter, within
from triptych.attributing.factors import Components
from triptych.attributing.terms import Weights, interactions, main_effects, residual
from triptych.comparing.difference import Difference
from triptych.comparing.verdict import Margin, default_margin
from triptych.core.estimate import Undefined
from triptych.core.interval import Changes
from triptych.core.measure import Measure
from triptych.core.multiplicity import holm

RAISES, LOWERS, SAME, UNKNOWN = "raises", "lowers", "equivalent", "cannot tell"
RUNS, CELLS, RECORDS = "replicates", "scatter of the cells", "one run of each cell"
"""Where an error comes from."""
EQUIVALENCE = 0.05

Row = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """The rows of `attribution.json`: main effects, interactions, and how far runs scatter around the model."""

    main: list[Row]
    pairs: list[Row]
    scatter: list[Row]


def effects(cells: Cells, components: Components, margins: Mapping[str, Margin]) -> Found:
    """All effects on all measures, with verdicts.

    Args:
        cells: what was read of the runs.
        components: which of them differ.
        margins: by label of the measure; others have the default.
    """
    runs = len(cells.sides)
    single, double = main_effects(components.factors, runs), interactions(components.factors, runs)
    left = {pairs: residual(components.factors, runs, pairs=pairs) for pairs in (False, True)}
    main, pairs, spread = [], [], []
    for place, measure in enumerate(cells.measures):
        values = cells.values(place)
        missing = _missing(values, cells)
        margin = margins.get(measure.label)
        where = _Where(cells, components, measure, missing, margin)
        main += [_row(one, values, where, left[False]) for one in single]
        pairs += [_row(one, values, where, left[True]) for one in double]
        known = [one for one in values if isinstance(one, Changes)]
        if not components.replicated and np.trace(left[True]) > 0.5 and not missing:
            spread.append(_scatter(measure, known, left[True]))
    return Found(judged(main), judged(pairs), spread)


@dataclass(frozen=True)
class _Where:
    """A measure on all runs; `missing` says why some run has no value, "" where all have one."""

    cells: Cells
    components: Components
    measure: Measure
    missing: str
    margin: Margin | None


def _missing(values: Sequence[Changes | Undefined], cells: Cells) -> str:
    """Why there is no effect where a run has no value; "" where all have one."""
    reasons = [
        f"{side.name}: {one.reason}"
        for side, one in zip(cells.sides, values, strict=True)
        if isinstance(one, Undefined)
    ]
    more = f" (and {len(reasons) - 2} more)" if len(reasons) > 2 else ""
    return "; ".join(reasons[:2]) + more


def _row(weights: Weights, values: Sequence[Changes | Undefined], where: _Where, left: np.ndarray[Any, Any]) -> Row:
    """One effect on one measure; p is not adjusted yet."""
    measure = where.measure
    head = {**named(weights, where.components), **described(measure, where.cells.headlines)}
    known = [one for one in values if isinstance(one, Changes)]
    if weights.of is None or where.missing:
        return {**head, **_empty(), "undefined": where.missing or confounded(weights)}
    inside = within(known, weights.of, joint=where.cells.joint)
    whole = np.array([one.whole for one in known])
    found, source = _error(inside, whole, (where.components, left), weights.of)
    if not found.se > 0 and found.value != 0:
        reason = f"every {'replicate' if source == RUNS else 'group of records'} gives the same: no spread to tell an error from"
        return {**head, **_empty(), "undefined": f"{reason} (the difference is {found.value:.4g})"}
    size, why = _margin(measure, known, found, whole, where.margin)
    return {
        **head,
        **numbers(found),
        "mean": float(whole.mean()),
        "inner": list(found.inner),
        "error_from": source,
        "within": {"lo": inside.lo, "hi": inside.hi, "se": inside.se},
        "margin": size,
        "margin_why": why,
        "p_adjusted": None,
        "verdict": UNKNOWN,
        "undefined": None,
    }


def _error(
    inside: Contrast,
    whole: np.ndarray[Any, Any],
    design: tuple[Components, np.ndarray[Any, Any]],
    weights: np.ndarray[Any, Any],
) -> tuple[Contrast, str]:
    """The effect with the error that is told: of replicates where there are any; else the wider of what the records and
    what the scatter of the cells show.
    """
    components, left = design
    if components.replicated:
        outside = between(whole, components.cells, weights)
        return (outside, RUNS) if outside is not None else (inside, RECORDS)
    spread = around(whole, left, weights)
    if spread is not None and spread.hi - spread.lo > inside.hi - inside.lo:
        return spread, CELLS
    return inside, RECORDS


def named(weights: Weights, components: Components) -> Row:
    """Components, levels and references of an effect."""
    factors = {factor.name: factor for factor in components.factors}
    term = weights.term
    levels = [factors[name].levels[place] for name, place in zip(term.factors, term.levels, strict=True)]
    references = [factors[name].levels[0] for name in term.factors]
    if len(levels) == 1:
        return {"component": term.factors[0], "level": levels[0], "reference": references[0]}
    return {"components": list(term.factors), "levels": levels, "references": references}


def described(measure: Measure, headlines: frozenset[str]) -> Row:
    """What a measure is, as everywhere."""
    about, spec = measure.about, measure.spec
    return {
        "measure": about.name,
        "axis": about.axis,
        "label": measure.label,
        "title": _title(measure),
        "unit": about.unit,
        "better": about.better,
        "headline": spec.hash in headlines,
        "spec": {"params": spec.params, "hash": spec.hash},
    }


def _title(measure: Measure) -> str:
    """The measure's title; one that is named for the response and reads the prompt is named for the prompt."""
    title, on = measure.about.title, measure.spec.params.get("on")
    return title.replace("Response", "Prompt", 1) if on == "prompt" else title


def numbers(found: Contrast) -> Row:
    """An effect as written."""
    return {
        "estimate": found.value,
        "lo": found.lo,
        "hi": found.hi,
        "level_of_interval": LEVEL,
        "se": found.se,
        "df": found.degrees,
        "p": found.p,
    }


def _empty() -> Row:
    keys = ("estimate", "lo", "hi", "se", "df", "p", "mean", "inner", "error_from", "within", "margin", "margin_why")
    return {**dict.fromkeys(keys), "level_of_interval": LEVEL, "p_adjusted": None, "verdict": UNKNOWN}


def confounded(weights: Weights) -> str:
    """Why an effect cannot be told from others, in words."""
    names = [" × ".join(one) for one in weights.alike]
    own = " × ".join(weights.term.factors)
    if not names:
        return f"the runs at hand cannot tell {own}: levels of it go together"
    listed = names[0] if len(names) == 1 else ", ".join(names[:4]) + (" .." if len(names) > 4 else "")
    return f"{own} goes together with {listed} in the runs at hand: their effects cannot be told apart"


def _margin(
    measure: Measure, known: Sequence[Changes], found: Contrast, whole: np.ndarray[Any, Any], given: Margin | None
) -> tuple[float, str]:
    """In the units of the measure, and in words; a share of the mean over all runs where it is relative."""
    mean, half = float(whole.mean()), found.value / 2
    share = all(one.kind == "share" for one in known)
    as_pair = Difference(
        mean + half, mean - half, found.value, found.lo, found.hi, found.se, found.degrees, found.p, found.inner, share
    )
    margin = given or default_margin(measure, as_pair)
    size = margin.number * float(np.abs(whole).mean()) if margin.relative else margin.number
    return size, f"{margin.number:g} of the mean over all runs" if margin.relative else f"{margin.number:g}"


def judged(rows: list[Row]) -> list[Row]:
    """The rows of one family with p adjusted by Holm and a verdict."""
    there = [row for row in rows if row["undefined"] is None]
    adjusted = holm(np.array([row["p"] for row in there])) if there else np.zeros(0)
    for row, p in zip(there, adjusted.tolist(), strict=True):
        row["p_adjusted"] = p
        lo, hi = row["inner"]
        if (-row["margin"] < lo and hi < row["margin"]) or row["lo"] == row["hi"] == 0:
            row["verdict"] = SAME
        elif p < EQUIVALENCE:
            row["verdict"] = RAISES if row["estimate"] > 0 else LOWERS
    return rows


def _scatter(measure: Measure, known: Sequence[Changes], left: np.ndarray[Any, Any]) -> Row:
    ratio, p = scatter(known, left)
    told = p < EQUIVALENCE
    text = (
        "the runs scatter more around main effects and pairs than their records explain: runs of one recipe differ, or "
        "three components act together, so the intervals are too narrow"
        if told
        else "no more scatter than the records explain is shown"
    )
    size = ratio if math.isfinite(ratio) else None
    return {"label": measure.label, "ratio": size, "p": p, "degrees": round(float(np.trace(left)), 6), "text": text}
