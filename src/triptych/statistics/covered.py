"""Which items of a reference are hit, by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic


@dataclass(eq=False)
class CoveredItems(Statistic):
    """For each of the m items of a reference, whether a record of each group hits it. Exact; m · 32 bits."""

    on: On = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._hit = np.zeros((0, GROUPS), dtype=np.bool_)

    @property
    def needs(self) -> tuple[str, ...]:
        """What is hit, the number of items, and the defects where only valid records are read."""
        own = (f"reference_balls@{self.on}", f"reference_size@{self.on}")
        return own if self.where == "all" else (*own, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        batch = batch.where(self.where)
        sizes, present = batch.numbers(self.needs[1])
        if not present.any():
            return
        items, offsets = batch.lists(self.needs[0])
        hit = np.zeros((int(sizes[present].max()), GROUPS), dtype=np.bool_)
        hit[items, np.repeat(batch.group, np.diff(offsets))] = True
        self._take(np.bincount(batch.group[present], minlength=GROUPS), hit)

    def merge(self, other: Self) -> None:
        """Hit by either."""
        self._take(other._n, other._hit)

    def _take(self, n: NDArray[np.int64], hit: NDArray[np.bool_]) -> None:
        self._n = self._n + n
        longer, shorter = (self._hit, hit) if len(self._hit) >= len(hit) else (hit, self._hit)
        joined = longer.copy()
        joined[: len(shorter)] |= shorter
        self._hit = joined

    def state(self) -> dict[str, NDArray[Any]]:
        """Records (32,), and items hit (m, 32)."""
        return {"n": self._n, "hit": self._hit}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._n, self._hit = state["n"], state["hit"]

    def records(self, keep: Mask) -> int:
        """Records that have a vector."""
        return int(self._n[keep].sum())

    def share(self, keep: Mask) -> float:
        """Items hit over items; there must be at least one item."""
        return float(self._hit[:, keep].any(axis=1).mean())
