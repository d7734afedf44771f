"""Effects on panels: one model for all panels whose runs are the same, one pass for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triptych.studies.effects.bootstrap import interval_over_items
from triptych.studies.effects.model import Array, Fit, Solution, basis
from triptych.studies.effects.panels import Scores
from triptych.studies.effects.plan import Analysis
from triptych.studies.effects.setting import Mask, Setting
from triptych.studies.effects.terms import Factor, Term, Terms, by_size, mains, products, separable, shapes
from triptych.studies.effects.verdict import Numbers, Row, row


@dataclass(frozen=True)
class Question:
    """What to put into the model.

    Attributes:
        factors: whose effects are wanted.
        interactions: whether their products and squares are.
        covariates: held fixed; (n,) each.
        sizes: amounts of data, by name: each factor times its logarithm is wanted; the logarithm is a covariate.
    """

    factors: Sequence[Factor]
    interactions: bool = False
    covariates: Mapping[str, Array] | None = None
    sizes: Mapping[str, Array] | None = None

    @property
    def together(self) -> bool:
        """Whether main effects are read beside products and squares: where all factors are designed.

        A main effect is then the mean over the cells, whatever runs are missing. Measured factors' are read without.
        """
        return all(one.designed for one in self.factors)


@dataclass(frozen=True)
class Answer:
    """The effects of one question on panels whose runs are the same.

    Attributes:
        rows: the runs, (n,) bool.
        terms: what could be told apart, and what not.
        names: the panels.
        fits: one for each panel (the same object where blocks are fixed).
        solutions: one for each panel.
        outcomes: (runs, panels).
    """

    rows: Mask
    terms: Terms
    names: tuple[str, ...]
    fits: tuple[Fit, ...]
    solutions: tuple[Solution, ...]

    def numbers(self, term: int, panel: int) -> Numbers:
        """One effect on one panel."""
        solution, scale = self.solutions[panel], self.terms.terms[term].scale
        return Numbers(
            float(scale * solution.beta[term, 0]),
            float(abs(scale) * solution.se[term, 0]),
            float(solution.df[term, 0]),
            float(solution.partial_r2[term, 0]),
        )


def answers(question: Question, panels: Iterable[Scores], setting: Setting) -> Iterator[Answer]:
    """Fit the model of a question to all defined panels, those with the same runs together."""
    for rows, group in same_runs(panels):
        terms = told_apart(question, rows, setting)
        if not terms.terms:
            yield Answer(rows, terms, tuple(one.name for one in group), (), ())
            continue
        columns = np.column_stack([term.column[rows] for term in terms.terms])
        nuisance = held(question, terms, rows, setting)
        outcomes = np.column_stack([one.values[rows] for one in group])
        fits, solutions = _solved(columns, nuisance, outcomes, rows, setting)
        yield Answer(rows, terms, tuple(one.name for one in group), fits, solutions)


def same_runs(panels: Iterable[Scores]) -> list[tuple[Mask, list[Scores]]]:
    """Defined panels by which runs they have."""
    groups: dict[bytes, tuple[Mask, list[Scores]]] = {}
    for one in panels:
        if not one.undefined:
            groups.setdefault(one.there.tobytes(), (one.there, []))[1].append(one)
    return list(groups.values())


def told_apart(question: Question, rows: Mask, setting: Setting) -> Terms:
    """The terms of a question that these runs can separate."""
    clusters = setting.clusters(rows)
    extra = [np.asarray(values)[rows] for values in (question.covariates or {}).values()]
    fixed = np.column_stack([setting.held[rows], *extra])
    base = basis(clusters.without_means(fixed))

    def absorb(columns: Array) -> Array:
        centred = clusters.without_means(columns)
        out: Array = centred - base @ (base.T @ centred)
        return out

    blocks = int(np.count_nonzero(clusters.share >= 1))
    first = [_cut(term, rows) for term in mains(question.factors)]
    then = [*products(question.factors), *shapes(question.factors)] if question.interactions else []
    then += by_size(question.factors, question.sizes or {})
    cut = [_cut(term, rows) for term in then]
    found = separable(first, cut, absorb, int(rows.sum()) - base.shape[1] - blocks)
    whole = {term.name: term for term in (*mains(question.factors), *then)}
    return Terms(tuple(whole[term.name] for term in found.terms), found.refused, found.families, found.held)


def held(question: Question, terms: Terms, rows: Mask, setting: Setting) -> Array:
    """Columns that are only held fixed: the constant, further blocks, covariates, factors that cannot be separated."""
    extra = [np.asarray(values)[rows] for values in (question.covariates or {}).values()]
    return np.column_stack([setting.held[rows], terms.held, *extra])


def _cut(term: Term, rows: Mask) -> Term:
    return Term(term.name, term.family, term.factors, term.column[rows], term.scale, term.unit)


def _solved(
    columns: Array, nuisance: Array, outcomes: Array, rows: Mask, setting: Setting
) -> tuple[tuple[Fit, ...], tuple[Solution, ...]]:
    if setting.random and setting.block:
        design = np.column_stack([columns, nuisance])
        each = [setting.clusters(rows, outcomes[:, k], design) for k in range(outcomes.shape[1])]
        fits = tuple(Fit(columns, nuisance, clusters) for clusters in each)
        return fits, tuple(fit.solve(outcomes[:, [k]]) for k, fit in enumerate(fits))
    fit = Fit(columns, nuisance, setting.clusters(rows))
    whole = fit.solve(outcomes)
    parts = tuple(
        Solution(
            whole.beta[:, [k]], whole.se[:, [k]], whole.df[:, [k]], whole.residuals[:, [k]], whole.partial_r2[:, [k]]
        )
        for k in range(outcomes.shape[1])
    )
    return (fit,) * len(parts), parts


def effects(question: Question, panels: Mapping[str, Scores], setting: Setting, plan: Analysis) -> list[Row]:
    """One row for each term and panel, panels in order, with `factor`, `panel` and `family`; p not yet adjusted."""
    found: dict[tuple[str, str], Row] = {}
    plain = Question(question.factors, covariates=question.covariates)
    full = Question(question.factors, question.interactions, question.covariates)
    asked = [full] if question.together or not question.interactions else [plain, full]
    asked += [
        Question(
            question.factors, covariates={**(question.covariates or {}), name: np.log(values)}, sizes={name: values}
        )
        for name, values in (question.sizes or {}).items()
    ]
    for one in asked:
        for answer in answers(one, panels.values(), setting):
            for key, value in _rows(answer, panels, setting, plan):
                found.setdefault(key, value)
    return [
        {
            "factor": term.name,
            "panel": name,
            "family": term.family,
            **(found.get((term.name, name)) or row(scores.undefined, scores, plan, term.unit)),
        }
        for name, scores in panels.items()
        for term in _all_terms(question)
    ]


def _all_terms(question: Question) -> list[Term]:
    out = mains(question.factors)
    if question.interactions:
        out += [*products(question.factors), *shapes(question.factors)]
    return [*out, *by_size(question.factors, question.sizes or {})]


def _rows(
    answer: Answer, panels: Mapping[str, Scores], setting: Setting, plan: Analysis
) -> Iterator[tuple[tuple[str, str], Row]]:
    for k, name in enumerate(answer.names):
        scores = panels[name]
        second = _second(answer, k, scores, plan)
        for j, term in enumerate(answer.terms.terms):
            value = row(answer.numbers(j, k), scores, plan, term.unit, setting.counted)
            yield (term.name, name), {**value, "items": second[j] if second and value["undefined"] is None else None}
        for refused, reason in answer.terms.refused.items():
            yield (refused, name), row(reason, scores, plan)


def _second(answer: Answer, panel: int, scores: Scores, plan: Analysis) -> list[dict[str, float | int]] | None:
    """The interval over items for each term, where runs kept their items."""
    if scores.items is None or not plan.bootstrap or not answer.fits:
        return None
    fit, solution = answer.fits[panel], answer.solutions[panel]
    scales = np.array([term.scale for term in answer.terms.terms])
    kept = scores.items[answer.rows]
    return interval_over_items(fit, solution, kept, scales, plan)
