"""Records held against a reference set, which is fixed: 500 vectors of five clusters; the records favour three of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from triptych.core.batch import Batch, list_array
from triptych.core.groups import GROUPS
from triptych.features.reference import Balls, against

K, WIDTH = 5, 16


@dataclass(frozen=True)
class AgainstReference:
    """n records of which one in ten belongs to no cluster."""

    n: int
    size: int = 500

    @cached_property
    def _balls(self) -> Balls:
        return Balls.around(self._around(np.random.default_rng(1), self.size, np.full(5, 0.2)), K)

    def _around(self, rng: np.random.Generator, n: int, weights: np.ndarray) -> np.ndarray:
        centres = np.random.default_rng(0).normal(size=(5, WIDTH))
        x = (centres[rng.choice(5, n, p=weights)] + 0.5 * rng.normal(size=(n, WIDTH))).astype(np.float32)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def draw(self, rng: np.random.Generator) -> Batch:
        x = self._around(rng, self.n, np.array([0.5, 0.3, 0.16, 0.02, 0.02]))
        strange = rng.random(self.n) < 0.1
        x[strange] = rng.normal(size=(int(strange.sum()), WIDTH))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        nearest, near, inside = against(x.astype(np.float32), self._balls)
        counts = np.array([len(row) for row in inside])
        columns = {
            "embedding@response": pa.FixedSizeListArray.from_arrays(pa.array(x.astype(np.float32).ravel()), WIDTH),
            "reference_nearest@response": nearest,
            "reference_near@response": near,
            "reference_inside@response": (counts > 0).astype(float),
            "reference_density@response": counts / K,
            "reference_balls@response": list_array(
                np.concatenate(inside).astype(np.int32), np.concatenate([[0], np.cumsum(counts)])
            ),
            "reference_size@response": np.full(self.n, self.size, np.int32),
        }
        made = {name: each if isinstance(each, pa.Array) else pa.array(each) for name, each in columns.items()}
        group = rng.integers(0, GROUPS, self.n).astype(np.uint8)
        return Batch(made, group, rng.integers(0, 1 << 63, self.n).astype(np.uint64))
