"""What a trial selection may still take: a copy of the basket, and quotas of the complexity bins beside its cells."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.candidates import Ints
from triptych.selectors._complexity import OUTSIDE

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Quotas:
    """How much each bin may hold.

    Attributes:
        code: bin of each candidate, (n,).
        most: of each bin, in records or tokens, (bins,).
        tokens: whether it is tokens: then a bin is full once it has reached its quota.
        left: of all quotas beside the must-keeps.
    """

    code: Ints
    most: Ints
    tokens: bool
    left: int


class Room:
    """A copy of a basket that is filled on trial."""

    def __init__(self, basket: Basket, quotas: Quotas | None) -> None:
        self.basket = copy.deepcopy(basket)
        self.quotas = quotas
        if quotas is not None:
            held = np.array(basket.taken, dtype=np.int64)
            held = held[quotas.code[held] != OUTSIDE]
            weight = basket.cost[held] if quotas.tokens else np.ones(len(held))
            self._used = np.bincount(quotas.code[held], weights=weight, minlength=len(quotas.most)).astype(np.int64)

    def open(self) -> Mask:
        """Which candidates may be taken now, (n,). O(n)."""
        open_ = self.basket.open()
        return open_ if self.quotas is None else open_ & self._wanted()[self.quotas.code]

    def admits(self, candidate: int) -> bool:
        """Whether a candidate may be taken now."""
        if not self.basket.admits(candidate):
            return False
        return self.quotas is None or bool(self._wanted()[self.quotas.code[candidate]])

    def take(self, candidate: int, gain: float) -> bool:
        """Take a candidate. True when others of its bin or cell, or that no longer fit, are closed by it."""
        basket, quotas = self.basket, self.quotas
        basket.add(candidate, gain)
        closes = bool(basket.room[basket.cells[candidate]] == 0)
        if quotas is not None and (code := int(quotas.code[candidate])) != OUTSIDE:
            self._used[code] += int(basket.cost[candidate]) if quotas.tokens else 1
            closes |= bool(self._used[code] >= quotas.most[code])
        return closes

    def _wanted(self) -> Mask:
        """Bins that are not full, with one more for what is in no bin, which is closed."""
        assert self.quotas is not None  # noqa: S101 - called where there are quotas
        return np.append(self._used < self.quotas.most, False)
