"""Large pools in portions: a policy whose work grows with records times budget takes its share in each of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.rng import stream

Ints = NDArray[np.int64]

SIZE = 20_000  # records in a portion


def portions(n: int, seed: int, size: int = SIZE) -> list[Ints]:
    """Positions 0..n-1 in portions of about `size` at random, ascending in each."""
    mixed = stream("portions", seed).permutation(n)
    return [np.sort(part) for part in np.array_split(mixed, max(1, round(n / size)))]


def in_portions(parts: list[Ints], basket: Basket, take: Callable[[Ints, int], None]) -> None:
    """Take from each portion its share of the budget, by the cost of what is open; then from each what is left.

    Args:
        parts: positions of each portion.
        basket: to be filled.
        take: takes from these positions until the basket's `left` is at most the number given, or until none is open.
    """
    budget, open_ = basket.left, basket.open()
    parts = [rows for rows in parts if open_[rows].any()]
    ends = np.cumsum([float(basket.cost[rows][open_[rows]].sum()) for rows in parts])
    for rows, end in zip(parts, ends, strict=True):
        take(rows, budget - round(budget * end / ends[-1]))
    for rows in parts:
        if len(parts) > 1 and not basket.spent and basket.open()[rows].any():
            take(rows, 0)


def inside(taken: list[int], rows: Ints) -> NDArray[np.bool_]:
    """Which of these positions, which ascend, are taken."""
    return np.isin(rows, np.array(taken, dtype=np.int64))
