"""The linear model of the cells: which weights of the runs give the effect of a level, and which effects are one.

The value of a run is a constant, plus one number for the level of each factor, by ordinary least squares: in a full
factorial the effect of a level is the mean over all cells with it less the mean over all cells with the reference; with one
factor at a time it is one cell less the baseline. An interaction is a difference of differences, in the model that has all
pairs of factors beside. An effect is a weighted sum of the runs' values, so its error follows from theirs. Where a contrast
lies outside the row space of the model no weights give it: the effects that go with it are named.

Worked example: two factors of two levels, values 1, 2, 4, 8 at (a, x), (a, y), (b, x), (b, y). b less a: (4 + 8 - 1 - 2) / 2 =
4.5; the interaction: (8 - 4) - (2 - 1) = 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from triptych.attributing.factors import Factor

Floats = NDArray[np.float64]

TOLERANCE = 1e-8
DECIMALS = 12
"""Of weights: a quarter is a quarter, and what is nought is nought."""


@dataclass(frozen=True)
class Term:
    """A column of the model: levels (places) of one factor or of two; level -1 stands for unknown."""

    factors: tuple[str, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Weights:
    """What gives one effect: a weight for each run (runs,), or None and the factors that it cannot be told from."""

    term: Term
    of: Floats | None
    alike: tuple[tuple[str, ...], ...] = ()


def main_effects(factors: Sequence[Factor], runs: int) -> list[Weights]:
    """Every level of every factor against its reference."""
    matrix, terms = model(factors, runs, pairs=False)
    inverse = np.linalg.pinv(matrix).astype(np.float64)
    return [_weights(inverse, matrix, terms, at) for at, term in enumerate(terms) if term and term.levels[0] > 0]


def interactions(factors: Sequence[Factor], runs: int) -> list[Weights]:
    """Every pair of levels of every pair of factors against both references."""
    matrix, terms = model(factors, runs, pairs=True)
    inverse = np.linalg.pinv(matrix).astype(np.float64)
    wanted = [at for at, term in enumerate(terms) if term and len(term.factors) == 2 and min(term.levels) > 0]
    return [_weights(inverse, matrix, terms, at) for at in wanted]


def model(factors: Sequence[Factor], runs: int, *, pairs: bool) -> tuple[Floats, list[Term | None]]:
    """The columns (runs, terms) and what they are; the first is the constant (None)."""
    columns: list[Floats] = [np.ones(runs)]
    terms: list[Term | None] = [None]
    single: dict[str, list[tuple[int, Floats]]] = {}
    for factor in factors:
        levels = [*range(1, len(factor.levels)), *([-1] if (factor.of < 0).any() else [])]
        single[factor.name] = [(level, (factor.of == level).astype(np.float64)) for level in levels]
        for level, column in single[factor.name]:
            columns.append(column)
            terms.append(Term((factor.name,), (level,)))
    for a, b in combinations(factors, 2) if pairs else ():
        for (i, x), (j, y) in ((one, two) for one in single[a.name] for two in single[b.name]):
            columns.append(x * y)
            terms.append(Term((a.name, b.name), (i, j)))
    return np.column_stack(columns), terms


def residual(factors: Sequence[Factor], runs: int, *, pairs: bool) -> Floats:
    """What turns values into what the model leaves of them: a projection (runs, runs) of rank degrees of freedom."""
    matrix, _ = model(factors, runs, pairs=pairs)
    left: Floats = np.eye(runs) - matrix @ np.linalg.pinv(matrix)
    return left


def _weights(inverse: Floats, matrix: Floats, terms: Sequence[Term | None], at: int) -> Weights:
    """The weights of the term at a place, or what it cannot be told from."""
    term = terms[at]
    assert term is not None  # noqa: S101 - the constant is no effect
    free = np.eye(len(terms))[at] - inverse[at] @ matrix
    if np.abs(free).max() < TOLERANCE:
        return Weights(term, np.round(inverse[at], DECIMALS) + 0.0)
    found = [terms[place] for place in np.flatnonzero(np.abs(free) > TOLERANCE).tolist() if place != at]
    alike = dict.fromkeys(one.factors for one in found if one is not None and one.factors != term.factors)
    return Weights(term, None, tuple(alike))
