"""Verdicts on pairs of responses that were asked for in both orders, counted by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, Where
from triptych.core.dear import PAIR, PAIR_SWAPPED
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic


@dataclass(eq=False)
class BothOrders(Statistic):
    """How many pairs the chosen response wins and loses in both orders, and in how many the word turns with the order.

    Attributes:
        where: over all pairs, or over those whose chosen record has no defect.
    """

    where: Where = "all"

    def __post_init__(self) -> None:
        self._counts = np.zeros((GROUPS, 2, 2), dtype=np.int64)

    @property
    def needs(self) -> tuple[str, ...]:
        """The verdicts of both orders, and the defects where only valid records are read."""
        return (PAIR, PAIR_SWAPPED) if self.where == "all" else (PAIR, PAIR_SWAPPED, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Count a batch."""
        batch = batch.where(self.where)
        straight, has_straight = batch.numbers(PAIR)
        swapped, has_swapped = batch.numbers(PAIR_SWAPPED)
        both = has_straight & has_swapped
        place = (
            batch.group[both].astype(np.intp),
            (straight[both] > 0).astype(np.intp),
            (swapped[both] > 0).astype(np.intp),
        )
        counts = np.zeros_like(self._counts)
        np.add.at(counts, place, 1)
        self._counts = self._counts + counts

    def merge(self, other: Self) -> None:
        """Add the counts of other pairs."""
        self._counts = self._counts + other._counts

    def state(self) -> dict[str, NDArray[Any]]:
        """One array (32, 2, 2): pairs by group, by whether the chosen one was named first, and the rejected one first."""
        return {"counts": self._counts}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._counts = state["counts"]

    def records(self, keep: Mask) -> int:
        """Pairs that have a verdict in both orders."""
        return int(self._counts[keep].sum())

    def wins(self, keep: Mask) -> int:
        """Pairs in which the chosen response is named in both orders."""
        return int(self._counts[keep, 1, 0].sum())

    def losses(self, keep: Mask) -> int:
        """Pairs in which the rejected response is named in both orders."""
        return int(self._counts[keep, 0, 1].sum())

    def told(self, keep: Mask) -> str:
        """The counts in words."""
        wins, losses, n = self.wins(keep), self.losses(keep), self.records(keep)
        return f"{wins:,} won and {losses:,} lost in both orders, {n - wins - losses:,} turn with the order"
