"""Which combinations of levels a block holds: full and fractional factorials, D-optimal sets, centre points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import UsageError, message
from triptych.core.rng import stream

STARTS = 40


def points_of(kind: str, factors: Sequence[str], seed: int) -> list[dict[str, int]]:
    """The arms of one block without centre points: for each, the code of every factor (-1 or 1; also 0 if D-optimal).

    Args:
        kind: "full", "fractional" (half of the combinations: the last factor is the product of the others),
            "d-optimal" (as few arms as tell main effects apart, and one) or "d-optimal:N".
        factors: one to three names.
        seed: of the starts of the exchange.

    Raises:
        UsageError: an unknown kind, or too few arms for the factors.
    """
    k = len(factors)
    name, _, number = kind.partition(":")
    if name == "full" and not number:
        codes = list(product((-1, 1), repeat=k))
    elif name == "fractional" and not number:
        if k < 3:
            what = f"half of the combinations of {k} factors cannot tell their effects apart."
            raise UsageError(message(what, want="three factors", hint="--points full"))
        codes = [(*rest, int(np.prod(rest))) for rest in product((-1, 1), repeat=k - 1)]
    elif name == "d-optimal" and (not number or number.isdigit()):
        arms = int(number) if number else k + 2
        if arms < k + 1:
            raise UsageError(message(f"{arms} arms cannot tell {k} factors apart.", want=f"at least {k + 1}"))
        codes = [(*map(int, row),) for row in d_optimal(k, arms, seed)]
    else:
        want = "full, fractional, d-optimal or d-optimal:N"
        raise UsageError(message("--points is not right.", got=kind, want=want))
    return [dict(zip(factors, code, strict=True)) for code in codes]


def aliases(points: Sequence[dict[str, int]]) -> list[str]:
    """Pairs of effects that these points cannot tell apart, as "C = Q:D"."""
    names = list(points[0])
    columns = {name: np.array([point[name] for point in points]) for name in names}
    columns |= {f"{a}:{b}": columns[a] * columns[b] for a, b in combinations(names, 2)}
    return [f"{a} = {b}" for a, b in combinations(columns, 2) if abs(int(columns[a] @ columns[b])) == len(points)]


def model_matrix(codes: NDArray[np.float64], *, interactions: bool) -> NDArray[np.float64]:
    """Intercept, main effects and, if asked for, products of two factors: (arms, terms)."""
    pairs = combinations(range(codes.shape[1]), 2) if interactions else ()
    return np.column_stack([np.ones(len(codes)), codes, *(codes[:, a] * codes[:, b] for a, b in pairs)])


def d_optimal(k: int, arms: int, seed: int) -> NDArray[np.int64]:
    """Codes (arms, k) whose information matrix has the largest determinant that coordinate exchange finds.

    Meyer & Nachtsheim 1995. Two-way interactions are in the model when there are arms for them.
    """
    interactions = arms >= 1 + k + k * (k - 1) // 2
    rng = stream("design", "points", k, arms, seed)
    best, codes = -1.0, np.zeros((arms, k))
    for _ in range(STARTS):
        trial = rng.choice([-1.0, 1.0], (arms, k))
        value = _information(trial, interactions=interactions)
        better = True
        while better:
            better = False
            for row, column in product(range(arms), range(k)):
                for level in (-1.0, 0.0, 1.0):
                    before = trial[row, column]
                    trial[row, column] = level
                    found = _information(trial, interactions=interactions)
                    if found > value * (1 + 1e-9) + 1e-12:
                        value, better = found, True
                    else:
                        trial[row, column] = before
        if value > best * (1 + 1e-9):
            best, codes = value, trial.copy()
    return np.array(sorted(map(tuple, codes.astype(int))), dtype=np.int64)


def _information(codes: NDArray[np.float64], *, interactions: bool) -> float:
    matrix = model_matrix(codes, interactions=interactions)
    return float(max(np.linalg.det(matrix.T @ matrix), 0.0))
