"""Does it hang on one block, on length or size, or on the scale? Main effects told again under other choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triptych.studies.effects.contrasts import differences
from triptych.studies.effects.estimates import Question, answers, effects, held
from triptych.studies.effects.model import Array, Clusters, Labels
from triptych.studies.effects.panels import Scores
from triptych.studies.effects.plan import Analysis
from triptych.studies.effects.setting import Setting
from triptych.studies.effects.terms import Factor
from triptych.studies.effects.verdict import Row
from triptych.studies.table import RunTable

MOST_LEVELS = 200
"""A block with more levels than this is not left out level by level."""


@dataclass(frozen=True)
class Case:
    """What the sensitivity of is told."""

    table: RunTable
    factors: Sequence[Factor]
    panels: Mapping[str, Scores]
    setting: Setting
    plan: Analysis

    def question(self) -> Question:
        """Main effects as they are told first."""
        together = self.plan.interactions and all(one.designed for one in self.factors)
        return Question(self.factors, interactions=together)


def sensitivity(case: Case, first: Sequence[Row]) -> list[Row]:
    """The part `sensitivity` of a study. `first` are the main effects as told."""
    told = {(one["factor"], one["panel"]): one for one in first if one["family"] == "main"}
    return [*_left_out(case), *_covariates(case, told), *_log_odds(case)]


def _left_out(case: Case) -> Iterator[Row]:
    """Each level of each block left out in turn: the lowest and the highest effect, and which level was out."""
    found = list(answers(case.question(), case.panels.values(), case.setting))
    for block, labels in _different(case.table.blocks).items():
        for answer in found:
            levels = np.unique(labels[answer.rows])
            if not 3 <= len(levels) <= MOST_LEVELS or not answer.fits:
                continue
            main = [j for j, term in enumerate(answer.terms.terms) if term.family == "main"]
            for k, panel in enumerate(answer.names):
                outcome = case.panels[panel].values[answer.rows]
                held_fixed = held(case.question(), answer.terms, answer.rows, case.setting)
                columns = np.column_stack([term.column[answer.rows] for term in answer.terms.terms])
                moved = _without(columns, held_fixed, outcome, (labels[answer.rows], levels), answer.fits[k].clusters)
                for j in main:
                    term = answer.terms.terms[j]
                    estimate = float(term.scale * answer.solutions[k].beta[j, 0])
                    yield _range(term.name, panel, block, estimate, term.scale * moved[:, j], levels)


def _different(blocks: Mapping[str, Labels]) -> dict[str, Labels]:
    """Blocks less those that split the runs as an earlier one does: a data seed that is a block's."""
    seen: dict[bytes, str] = {}
    for name, labels in blocks.items():
        _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
        seen.setdefault(first[codes.ravel()].tobytes(), name)
    return {name: blocks[name] for name in seen.values()}


def _without(columns: Array, nuisance: Array, outcome: Array, left: tuple[Array, Array], clusters: Clusters) -> Array:
    """Coefficients with each level left out, (levels, p); NaN where the rest cannot tell them."""
    labels, levels = left
    out = np.full((len(levels), columns.shape[1]), np.nan)
    for i, level in enumerate(levels):
        keep = labels != level
        names, codes = np.unique(clusters.codes[keep], return_inverse=True)
        rest = Clusters(codes, len(names), clusters.share[names])
        design = rest.without_means(np.column_stack([columns[keep], nuisance[keep]]))
        beta, _, rank, _ = np.linalg.lstsq(design, rest.without_means(outcome[keep, None])[:, 0], rcond=1e-9)
        whole = np.linalg.matrix_rank(design[:, columns.shape[1] :], tol=1e-9) + columns.shape[1]
        if rank == whole:
            out[i] = beta[: columns.shape[1]]
    return out


def _range(factor: str, panel: str, block: str, estimate: float, moved: Array, levels: Array) -> Row:
    shown = {"kind": "leave one out", "block": block, "factor": factor, "panel": panel, "estimate": estimate}
    there = np.isfinite(moved)
    if not there.any():
        reason = f"without any one {block} the effect cannot be told"
        empty = dict.fromkeys(("lowest", "lowest_without", "highest", "highest_without", "sign_changes"))
        return {**shown, **empty, "undefined": reason}
    values, names = moved[there], levels[there]
    low, high = int(np.argmin(values)), int(np.argmax(values))
    return {
        **shown,
        "lowest": float(values[low]),
        "lowest_without": str(names[low]),
        "highest": float(values[high]),
        "highest_without": str(names[high]),
        "sign_changes": bool(values[low] * values[high] < 0 or values[low] * estimate < 0),
        "undefined": None,
    }


def _covariates(case: Case, told: Mapping[tuple[str, str], Row]) -> Iterator[Row]:
    """Main effects with each covariate held fixed, and with all of them."""
    names = case.plan.covariates
    sets = [(name,) for name in names] + ([names] if len(names) > 1 else [])
    plain = Analysis(**{**vars(case.plan), "bootstrap": 0})
    for some in sets:
        columns = {name: _standard(case.table.covariates[name]) for name in some}
        question = Question(case.factors, case.question().interactions, columns)
        for one in effects(question, case.panels, case.setting, plain):
            if one["family"] != "main":
                continue
            before = told[one["factor"], one["panel"]]
            yield {
                "kind": "covariate",
                "covariate": " and ".join(some),
                "factor": one["factor"],
                "panel": one["panel"],
                "estimate": before["estimate"],
                "with_covariate": one["estimate"],
                "lo": one["lo"],
                "hi": one["hi"],
                "p": one["p"],
                "undefined": one["undefined"],
            }


def _log_odds(case: Case) -> Iterator[Row]:
    """The contrasts on the scale of log odds, where the ends of the scale do not squeeze them."""
    plain = Analysis(**{**vars(case.plan), "bootstrap": 0})
    scores = {
        name: Scores(name, _logit(one), one.undefined, bounded=False, within=one.within)
        for name, one in case.panels.items()
        if one.bounded or one.undefined
    }
    found = {one.name: one.scores for one in differences(scores, plain)}
    for one in effects(case.question(), found, case.setting, plain):
        if one["family"] == "main":
            shown = {"kind": "log odds", "name": f"{one['factor']} x panel: {one['panel']}"}
            yield {**shown, **{key: one[key] for key in ("factor", "panel", "estimate", "lo", "hi", "p", "undefined")}}


def _logit(one: Scores) -> Array:
    """Log odds of a score, half an item from either end."""
    half = 0.5 / one.items.shape[1] if one.items is not None else 0.005
    inside = np.clip(one.values, half, 1 - half)
    out: Array = np.log(inside / (1 - inside))
    return out


def _standard(values: Array) -> Array:
    spread = values.std()
    out: Array = (values - values.mean()) / (spread or 1.0)
    return out
