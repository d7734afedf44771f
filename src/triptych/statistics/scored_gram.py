"""Gram matrices of the records that have a label, with the moments of the label: quality and diversity of one set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic
from triptych.statistics.gram import Gram
from triptych.statistics.moments import Moments


@dataclass(eq=False)
class ScoredGram(Statistic):
    """The `Gram` and the `Moments` of label `field` over the records that have both a vector and the label.

    A label that is not in 0..`top` is counted apart.
    """

    field: str
    top: float = 1.0
    on: On = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self.gram = Gram(self.on)
        self.label = Moments(f"label.{self.field}")
        self._outside = np.zeros(GROUPS, dtype=np.int64)

    @property
    def needs(self) -> tuple[str, ...]:
        """The embedding, the label, and the defects where only valid records are read."""
        both = (f"embedding@{self.on}", f"label.{self.field}")
        return both if self.where == "all" else (*both, DEFECTS)

    def update(self, batch: Batch) -> None:
        """Take in the records of a batch that have both."""
        batch = batch.where(self.where)
        if not len(batch):
            return
        values, present = batch.numbers(f"label.{self.field}")
        held = present & batch.matrix(f"embedding@{self.on}").any(axis=1)
        outside = held & ((values < 0) | (values > self.top))
        self._outside = self._outside + np.bincount(batch.group[outside], minlength=GROUPS)
        part = batch.take(held)
        self.gram.update(part)
        self.label.update(part)

    def merge(self, other: Self) -> None:
        """Take in other records."""
        self._outside = self._outside + other._outside
        self.gram.merge(other.gram)
        self.label.merge(other.label)

    def state(self) -> dict[str, NDArray[Any]]:
        """The state of the Gram, that of the label under `label.`, and labels outside by group (32,)."""
        label = {f"label.{name}": array for name, array in self.label.state().items()}
        return {**self.gram.state(), **label, "outside": self._outside}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self.gram.load({name: state[name] for name in ("n", "sums", "triangles")})
        self.label.load({name: state[f"label.{name}"] for name in ("n", "mean", "squares")})
        self._outside = state["outside"]

    def records(self, keep: Mask) -> int:
        """Records that have both."""
        return self.gram.records(keep)

    def outside(self, keep: Mask) -> int:
        """Records whose label is not in 0..`top`."""
        return int(self._outside[keep].sum())
