"""A table of finished runs: what every analysis reads, wherever the runs came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RunTable:
    """Finished runs, one a row, n in all.

    Attributes:
        runs: name of each run.
        factors: what was varied, designed (-1, 0, 1: low, centre, high) or measured; float64 (n,), finite.
        outcomes: panel to score; float64 (n,), NaN where a run has none.
        blocks: what runs were repeated over (block, seed, model); labels (n,).
        covariates: what should not have moved or is to be partialled out (length, size, tokens); float64 (n,), finite.
        items: panel to the score of each item, float64 (n, items), NaN where missing; only where runs kept them.
        arms: the data condition of each run; labels (n,); empty where the table has no arms.
        measured: what measures read on the data of each run, by label (vendi:q=2); float64 (n,), NaN where missing.
    """

    runs: tuple[str, ...]
    factors: Mapping[str, NDArray[np.float64]]
    outcomes: Mapping[str, NDArray[np.float64]]
    blocks: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    items: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    arms: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype=np.str_))
    measured: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.runs)
