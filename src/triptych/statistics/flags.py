"""Counts of the bits of a flag column, by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic

WIDTH = 16


@dataclass(eq=False)
class FlagCounts(Statistic):
    """How many records carry each bit of an unsigned flag column, and how many carry none."""

    column: str

    def __post_init__(self) -> None:
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._clear = np.zeros(GROUPS, dtype=np.int64)
        self._bits = np.zeros((GROUPS, WIDTH), dtype=np.int64)

    @property
    def needs(self) -> tuple[str, ...]:
        """The flag column."""
        return (self.column,)

    def update(self, batch: Batch) -> None:
        """Count a batch."""
        flags = batch.keys(self.column)
        self._n = self._n + np.bincount(batch.group, minlength=GROUPS)
        self._clear = self._clear + np.bincount(batch.group[flags == 0], minlength=GROUPS)
        carried = flags[:, None] >> np.arange(WIDTH, dtype=np.uint64) & np.uint64(1) == 1
        counts = [np.bincount(batch.group[carried[:, bit]], minlength=GROUPS) for bit in range(WIDTH)]
        self._bits = self._bits + np.stack(counts, axis=1)

    def merge(self, other: Self) -> None:
        """Add the counts of other records."""
        self._n = self._n + other._n
        self._clear = self._clear + other._clear
        self._bits = self._bits + other._bits

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays n and clear (32,), bits (32, 16)."""
        return {"n": self._n, "clear": self._clear, "bits": self._bits}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._n, self._clear, self._bits = state["n"], state["clear"], state["bits"]

    def records(self, keep: Mask) -> int:
        """Records in the kept groups."""
        return int(self._n[keep].sum())

    def clear(self, keep: Mask) -> int:
        """Records without any bit."""
        return int(self._clear[keep].sum())

    def carrying(self, bit: int, keep: Mask) -> int:
        """Records with this bit."""
        return int(self._bits[keep, bit].sum())
