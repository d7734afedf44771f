"""Columns of the model: factors as they are coded, products, squares, and what the design cannot separate.

A factor with two values, or with the levels -1, 0, 1, is *designed*: its effect is the score at high less the score at
low. Any other is *measured*: its effect is per SD. The effect of a product of designed factors is half the difference of
the differences (Box, Hunter and Hunter), so that all designed effects have one error in a balanced design.

Refused: a factor that is constant, and factors that move together so closely that the condition number of their
standardized matrix passes 30 (Belsley, Kuh and Welsch 1980: their names are those with most of their variance in the
weak direction).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from triptych.studies.effects.model import Array

CONDITION = 30.0
MOST_FACTORS = 4
"""With more factors products are left out: 5 factors would have 26 of them."""

SPARE = 2

SIZES = frozenset(("n", "size", "records", "rows", "examples", "tokens", "log_n"))
"""Covariates that count how much data a run had."""

Family: TypeAlias = Literal["main", "interactions", "shape"]
Absorb: TypeAlias = Callable[[Array], Array]


@dataclass(frozen=True)
class Factor:
    """A factor as the model reads it: -1, 0, 1 if designed, else standardized over all runs; (n,)."""

    name: str
    column: Array
    designed: bool

    @property
    def constant(self) -> bool:
        """Whether all runs have one value."""
        return bool(np.ptp(self.column) == 0)


@dataclass(frozen=True)
class Term:
    """One column of the model and how its coefficient reads as an effect.

    Attributes:
        name: `Q`, `Q:D`, `C²`, `curvature`, `C:log tokens`.
        family: tests of one family are adjusted together.
        factors: the factors it is made of.
        column: (n,).
        scale: the effect is this times the coefficient.
        unit: "" for scores, else " per SD" and the like.
    """

    name: str
    family: Family
    factors: tuple[str, ...]
    column: Array
    scale: float
    unit: str = ""


@dataclass(frozen=True)
class Terms:
    """Terms that can be told apart, those that cannot, and the columns that stay in the model to be held fixed."""

    terms: tuple[Term, ...]
    refused: Mapping[str, str]
    families: Mapping[str, Family]
    held: Array = field(default_factory=lambda: np.empty((0, 0)))


def coded(name: str, values: Array) -> Factor:
    """A factor from its raw values."""
    levels = np.unique(values)
    if len(levels) == 2:
        return Factor(name, np.where(values == levels[1], 1.0, -1.0), designed=True)
    if set(levels.tolist()) == {-1.0, 0.0, 1.0}:
        return Factor(name, values, designed=True)
    spread = values.std()
    return Factor(name, (values - values.mean()) / (spread or 1.0), designed=False)


def mains(factors: Sequence[Factor]) -> list[Term]:
    """One term for each factor."""
    return [
        Term(one.name, "main", (one.name,), one.column, 2.0 if one.designed else 1.0, "" if one.designed else " per SD")
        for one in factors
    ]


def products(factors: Sequence[Factor]) -> list[Term]:
    """Products of two and more factors; none where there are more than `MOST_FACTORS`."""
    deepest = len(factors) if len(factors) <= MOST_FACTORS else 1
    out = []
    for size in range(2, deepest + 1):
        for some in itertools.combinations(factors, size):
            names = tuple(one.name for one in some)
            column = np.prod([one.column for one in some], axis=0)
            designed = all(one.designed for one in some)
            unit = "" if designed else " per SD" if size == 2 and any(one.designed for one in some) else " per SD each"
            out.append(Term(":".join(names), "interactions", names, column, 2.0 if designed else 1.0, unit))
    return out


def shapes(factors: Sequence[Factor]) -> list[Term]:
    """Squares: `curvature` where designed factors are at their centre only together, else one for each factor.

    Of designed factors it is the score at the centre less that midway between low and high; of measured ones the
    coefficient of the square, per SD².
    """
    middle = [one for one in factors if one.designed and (one.column == 0).any()]
    designed = [one for one in factors if one.designed]
    if (
        middle
        and len(designed) > 1
        and all((one.column == 0).tolist() == (middle[0].column == 0).tolist() for one in designed)
    ):
        names = tuple(one.name for one in designed)
        out = [Term("curvature", "shape", names, 1 - middle[0].column ** 2, 1.0)]
    else:
        out = [Term(f"{one.name}²", "shape", (one.name,), 1 - one.column**2, 1.0) for one in middle]
    for one in factors:
        if not one.designed and len(np.unique(one.column)) >= 3:
            out.append(Term(f"{one.name}²", "shape", (one.name,), one.column**2, 1.0, " per SD²"))
    return out


def by_size(factors: Sequence[Factor], covariates: Mapping[str, Array]) -> list[Term]:
    """Each factor times the logarithm of the amount of data, where a table says it and it varies by half or more."""
    out = []
    for name, values in covariates.items():
        if name not in SIZES or not (values > 0).all() or values.max() < 1.5 * values.min():
            continue
        size = np.log(values)
        size = (size - size.mean()) / size.std()
        for one in factors:
            scale, unit = (2.0, " per SD") if one.designed else (1.0, " per SD each")
            out.append(Term(f"{one.name}:log {name}", "shape", (one.name,), one.column * size, scale, unit))
    return out


def separable(first: Sequence[Term], then: Sequence[Term], absorb: Absorb, spare: int) -> Terms:
    """Sort terms into those that this design can tell apart and those that it cannot.

    Args:
        first: terms that stand or fall together: the factors.
        then: terms taken one after another as long as they add something.
        absorb: takes out of columns (n, k) what the model holds fixed.
        spare: runs less the columns that the model holds fixed; `SPARE` of them are kept for the error.
    """
    refused: dict[str, str] = {}
    for term in first:
        if np.ptp(term.column) == 0:
            refused[term.name] = f"{term.name} has one value in all runs: nothing to compare"
    alive = [term for term in first if term.name not in refused]
    raw = np.column_stack([term.column - term.column.mean() for term in alive]) if alive else np.empty((0, 0))
    for columns, place in ((raw, ""), (absorb(raw), " inside blocks")) if alive else ():
        for index, reason in _entangled(columns, raw, [term.name for term in alive], place).items():
            refused.setdefault(alive[index].name, reason)
    kept = [term for term in alive if term.name not in refused]
    held = [term.column for term in alive if term.name in refused]
    for term in then:
        lost = [name for name in term.factors if name in refused]
        if lost:
            refused[term.name] = f"{', '.join(lost)} cannot be told: {refused[lost[0]]}"
            continue
        if spare - len(kept) - len(held) - 1 < SPARE:
            refused[term.name] = f"too few runs to tell {term.name} beside the rest"
            continue
        columns = absorb(np.column_stack([one.column - one.column.mean() for one in [*kept, term]]))
        worst = condition(columns)
        if worst > CONDITION:
            twin = _twin(columns, [one.name for one in kept])
            refused[term.name] = f"not separable in this design: {term.name} goes with {twin}"
            continue
        kept.append(term)
    families = {term.name: term.family for term in (*first, *then)}
    stacked = np.column_stack(held) if held else np.empty((len(first[0].column) if first else 0, 0))
    return Terms(tuple(kept), refused, families, stacked)


def condition(columns: Array) -> float:
    """Condition number of columns (n, k) scaled to one length, with a constant beside them; inf if one is nought."""
    lengths = np.linalg.norm(columns, axis=0)
    if not columns.shape[1]:
        return 1.0
    if (lengths <= 1e-9 * np.sqrt(len(columns))).any():
        return float("inf")
    values = np.linalg.svd(columns / lengths, compute_uv=False)
    return (
        float(max(values[0], 1.0) / values[-1])
        if values[-1] > 1e-9 and len(columns) > columns.shape[1]
        else float("inf")
    )


def _entangled(columns: Array, raw: Array, names: list[str], place: str) -> dict[int, str]:
    """Index of each factor that cannot be separated, with the reason."""
    lengths = np.linalg.norm(columns, axis=0)
    gone = [i for i in range(len(names)) if lengths[i] <= np.linalg.norm(raw[:, i]) / CONDITION]
    out = {i: f"not separable: {names[i]} hardly varies once blocks and covariates are held fixed" for i in gone}
    rest = [i for i in range(len(names)) if i not in out]
    worst = condition(columns[:, rest])
    if len(rest) < 2 or worst <= CONDITION:
        return out
    _, values, vectors = np.linalg.svd(columns[:, rest] / lengths[rest], full_matrices=True)
    full = np.zeros(len(rest))
    full[: len(values)] = values
    floor = np.maximum(full, 1e-6 * full[0])
    parts = (vectors.T / floor) ** 2
    shares = parts / parts.sum(1, keepdims=True)
    weak = full[0] / floor > CONDITION
    guilty = [i for i, share in zip(rest, shares[:, weak].sum(1), strict=True) if share > 0.5]
    together = " and ".join(names[i] for i in guilty)
    number = f"{worst:.0f}" if worst < 1e6 else "infinite"
    return out | dict.fromkeys(
        guilty, f"not separable{place}: {together} move together (condition number {number}, at most 30)"
    )


def _twin(columns: Array, names: list[str]) -> str:
    """What the last column goes with: one of the others, a mix of them, or what is held fixed."""
    last, others = columns[:, -1], columns[:, :-1]
    if np.linalg.norm(last) <= 1e-9 * np.sqrt(len(last)) or not names:
        return "the blocks"
    weights = np.linalg.lstsq(others, last, rcond=None)[0] * np.linalg.norm(others, axis=0) / np.linalg.norm(last)
    strong = [name for name, weight in zip(names, weights, strict=True) if abs(weight) > 0.3]
    return strong[0] if len(strong) == 1 else "a mix of the others"
