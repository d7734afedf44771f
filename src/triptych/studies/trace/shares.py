"""Who explains the scores: shares of variance of blocks and factors, and whether models rank data sets alike.

Shares of one outcome, all of its variance between runs:

    alone       R² of the term by itself
    unique      what R² loses when the term is left out of the model with all terms
    partial_r2  unique as a share of what the other terms leave; its interval inverts the noncentral F (Steiger 2004,
                Psychological Methods 9; in Patnaik's form of 1949 where shares are large and the exact series fails).
                It takes runs as independent: where runs share more than the terms say, it is too narrow
    together    of two blocks: what adjusted R² gains when every pair of their levels has a mean of its own

Agreement: Spearman's correlation of the mean scores of data sets between two models, averaged over all pairs of models that
share enough data sets. Its interval is the jackknife over data sets, on Fisher's z: means of runs that differ in other
factors too are compared as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.studies.table import RunTable
from triptych.studies.trace.checks import dummies, is_seed, residual

Array = NDArray[np.float64]
Entry: TypeAlias = dict[str, Any]

EXACT = 500.0
"""Noncentrality up to which the series of the noncentral F is taken; above it, Patnaik's form is as good."""

MIN_SHARED = 4
"""Data sets that two models must share to be compared."""


def variance_shares(table: RunTable, level: float = 0.95) -> list[Entry]:
    """One entry for each outcome and term: blocks that are no seeds, factors, covariates, and two blocks together."""
    terms = {name: dummies(labels) for name, labels in table.blocks.items() if not is_seed(name)}
    terms |= {name: values[:, None] for name, values in {**table.factors, **table.covariates}.items()}
    out = []
    for panel, scores in table.outcomes.items():
        there = np.isfinite(scores)
        shown = {name: columns[there] for name, columns in terms.items()}
        out += _of_panel(panel, scores[there], shown, level)
        blocks = [labels[there] for name, labels in table.blocks.items() if not is_seed(name)]
        if len(blocks) == 2:
            names = [name for name in table.blocks if not is_seed(name)]
            out.append({"panel": panel, "term": f"{names[0]}:{names[1]}"} | _together(scores[there], blocks, shown))
    return out


def _of_panel(panel: str, y: Array, terms: Mapping[str, Array], level: float) -> list[Entry]:
    whole = float(((y - y.mean()) ** 2).sum())
    if not whole > 0:
        return [{"panel": panel, "term": name, "undefined": "every run has the same score"} for name in terms]
    rest, rank = _rest(y, [*terms.values()])
    entries = []
    for name, columns in terms.items():
        others, fewer = _rest(y, [column for other, column in terms.items() if other != name])
        alone, _ = _rest(y, [columns])
        df = rank - fewer
        entry: Entry = {"panel": panel, "term": name, "df": df, "alone": 1 - alone / whole}
        if df == 0:
            entries.append(entry | {"undefined": "the other terms say it already"})
            continue
        partial = max(1 - rest / others, 0.0)
        lo, hi = _partial_interval(partial, df, len(y) - rank, level)
        entry |= {"unique": (others - rest) / whole, "partial_r2": partial, "lo": lo, "hi": hi, "undefined": None}
        entries.append(entry)
    return entries


def _rest(y: Array, columns: list[Array]) -> tuple[float, int]:
    """Residual sum of squares and rank of a linear model with a constant."""
    design = np.hstack([np.ones((len(y), 1)), *columns])
    scaled = design / np.maximum(np.abs(design).max(axis=0), 1e-300)
    left = residual(y, scaled)
    return float(left @ left), int(np.linalg.matrix_rank(scaled))


def _partial_interval(partial: float, df: int, left: int, level: float) -> tuple[float | None, float | None]:
    """Interval of a partial R²: the noncentralities under which an F as large, or as small, is as rare as (1 - level) / 2."""
    from scipy.optimize import brentq  # noqa: PLC0415 - scipy is slow to load
    from scipy.special import fdtr, ncfdtr  # noqa: PLC0415

    if left < 1 or partial >= 1:
        return None, None
    observed = partial / (1 - partial) * left / df

    def below(noncentrality: float) -> float:
        exact = (
            float(ncfdtr(df, left, noncentrality, observed)) if max(noncentrality, observed * df) <= EXACT else np.nan
        )
        moved = df + noncentrality
        return (
            exact
            if np.isfinite(exact)
            else float(fdtr(moved**2 / (moved + noncentrality), left, observed * df / moved))
        )

    def end(tail: float) -> float:
        if below(0.0) <= tail:
            return 0.0
        top = observed * df + 20.0
        while below(top) > tail:
            top *= 2
        found = float(brentq(lambda value: below(value) - tail, 0.0, top, xtol=1e-5 * top))
        return found / (found + left + df + 1)

    return min(end((1 + level) / 2), partial), max(end((1 - level) / 2), partial)


def _together(y: Array, blocks: list[NDArray[np.str_]], terms: Mapping[str, Array]) -> Entry:
    """What adjusted R² gains from a mean for each pair of levels of two blocks."""
    pairs = np.array(["\x1f".join(both) for both in zip(*blocks, strict=True)])
    whole = float(((y - y.mean()) ** 2).sum()) / (len(y) - 1)
    apart, rank = _rest(y, [*terms.values()])
    joint, more = _rest(y, [*terms.values(), dummies(pairs)])
    if more >= len(y) or more == rank or not whole > 0:
        return {"undefined": "too few runs for a mean of each pair of levels"}
    gain = (apart / (len(y) - rank) - joint / (len(y) - more)) / whole
    return {"df": more - rank, "together": gain, "undefined": None}


def agreement(table: RunTable, level: float = 0.95) -> list[Entry]:
    """Whether the levels of one block rank those of another alike (models, data sets), and the other way round.

    With a single block that is no seed, arms stand for data sets. Empty where there is nothing to rank.
    """
    named = {name: labels for name, labels in table.blocks.items() if not is_seed(name)}
    if len(named) == 1 and len(table.arms):
        named |= {"arm": table.arms}
    if len(named) < 2:
        return []
    first, second = list(named.items())[:2]
    out = []
    for panel, scores in table.outcomes.items():
        for (between, judges), (over, judged) in ((first, second), (second, first)):
            entry: Entry = {"panel": panel, "between": between, "over": over}
            out.append(entry | _agreement(_means(scores, judges, judged), level))
    return out


def _means(scores: Array, judges: NDArray[np.str_], judged: NDArray[np.str_]) -> Array:
    """Mean score of each pair of levels, (judges, judged), NaN where there is no run."""
    there = np.isfinite(scores)
    rows, row = np.unique(judges[there], return_inverse=True)
    columns, column = np.unique(judged[there], return_inverse=True)
    total, count = np.zeros((len(rows), len(columns))), np.zeros((len(rows), len(columns)))
    np.add.at(total, (row, column), scores[there])
    np.add.at(count, (row, column), 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _agreement(means: Array, level: float) -> Entry:
    from scipy.stats import t as student  # noqa: PLC0415 - scipy.stats is slow to load

    nothing: Entry = {"estimate": None, "lo": None, "hi": None}
    there = np.isfinite(means)
    pairs = [pair for pair in combinations(range(len(means)), 2) if there[[*pair]].all(axis=0).sum() >= MIN_SHARED]
    count = means.shape[1]
    facts = {"pairs": len(pairs), "levels": count}
    if not pairs:
        return nothing | facts | {"undefined": f"no two share {MIN_SHARED} levels"}
    whole = _mean_rho(means, pairs)
    if whole is None:
        return nothing | facts | {"undefined": "scores do not differ"}
    left = [_mean_rho(np.delete(means, column, axis=1), pairs) for column in range(count)]
    known = np.arctanh(np.clip([value for value in left if value is not None], -1 + 1e-9, 1 - 1e-9))
    z = float(np.arctanh(np.clip(whole, -1 + 1e-9, 1 - 1e-9)))
    if len(known) < count:
        return facts | {"estimate": whole, "lo": None, "hi": None, "undefined": None}
    error = float(np.sqrt((count - 1) / count * ((known - known.mean()) ** 2).sum()))
    half = float(student.ppf((1 + level) / 2, count - 1)) * error
    return facts | {
        "estimate": whole,
        "lo": float(np.tanh(z - half)),
        "hi": float(np.tanh(z + half)),
        "undefined": None,
    }


def _mean_rho(means: Array, pairs: list[tuple[int, int]]) -> float | None:
    """Mean over pairs of rows of Spearman's correlation on the columns that both have; None where no pair has one.

    Pairs that have the same columns in common are ranked at once: mostly all pairs.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - scipy.stats is slow to load

    there = np.isfinite(means)
    alike: dict[bytes, list[tuple[int, int]]] = {}
    for first, second in pairs:
        alike.setdefault((there[first] & there[second]).tobytes(), []).append((first, second))
    found: list[float] = []
    for mask, group in alike.items():
        columns = np.frombuffer(mask, dtype=bool)
        if columns.sum() < 3:
            continue
        rows, place = np.unique(np.array(group), return_inverse=True)
        ranks = rankdata(means[rows][:, columns], axis=1)
        ranks = ranks - ranks.mean(axis=1, keepdims=True)
        length = np.sqrt((ranks**2).sum(axis=1))
        one, other = place.reshape(-1, 2).T
        known = (length[one] > 0) & (length[other] > 0)
        rho = (ranks[one] * ranks[other]).sum(axis=1)[known] / (length[one] * length[other])[known]
        found += rho.tolist()
    return float(np.mean(found)) if found else None
