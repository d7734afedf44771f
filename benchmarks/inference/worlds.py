"""Simulated studies with known effects: what a study of 2 x 2 x 2 arms and a centre, run in blocks, may look like."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

CORNERS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
LEVELS = np.vstack([CORNERS, np.zeros((1, 3))])
"""Levels of Q, D, C of the nine arms, the centre last, (9, 3)."""

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)


@dataclass(frozen=True)
class World:
    """How scores come about. On the scale of log odds, except where `normal`.

    Attributes:
        effects: of Q, D, C from -1 to +1, halved (the slope).
        base: log odds of the mean arm.
        items: test items of a panel.
        difficulty: SD of items, the same for all arms.
        own_items: whether each block has its own items.
        block: SD of blocks.
        slope: SD of a block's own effect of each factor: blocks differ in how much a factor does.
        run: SD of training runs.
        normal: scores are normal with this SD for each arm (9,), no items.
    """

    effects: tuple[float, float, float] = (0.0, 0.0, 0.0)
    base: float = 0.0
    items: int = 250
    difficulty: float = 1.5
    own_items: bool = True
    block: float = 0.3
    slope: float = 0.0
    run: float = 0.15
    normal: tuple[float, ...] = ()

    def draw(self, rng: np.random.Generator, blocks: int, panels: int = 1, answers: bool = False) -> np.ndarray:
        """Scores (blocks, 9, panels), or with `answers` each item's, (blocks, 9, panels, items)."""
        shape = (blocks, 9, panels)
        slopes = np.array(self.effects) + self.slope * rng.normal(size=(blocks, 1, 1, 3))
        mean = self.base + (LEVELS[:, None, :] * slopes).sum(-1) + self.block * rng.normal(size=(blocks, 1, panels))
        if self.normal:
            return mean + np.array(self.normal)[:, None] * rng.normal(size=shape)
        mean = mean + self.run * rng.normal(size=shape)
        hard = self.difficulty * rng.normal(size=(blocks if self.own_items else 1, 1, panels, self.items))
        right = rng.random((*shape, self.items)) < 1 / (1 + np.exp(-(mean[..., None] + hard)))
        return right.astype(float) if answers else right.mean(-1)

    def truth(self) -> np.ndarray:
        """The true effects of Q, D, C: high less low, over all blocks, runs and items there could be, (3,)."""
        if self.normal:
            return 2 * np.array(self.effects)
        fixed = self.base + CORNERS @ np.array(self.effects)
        spread = np.sqrt(self.difficulty**2 + self.block**2 + self.run**2 + 3 * self.slope**2)
        means = (1 / (1 + np.exp(-(fixed[:, None] + spread * NODES))) * WEIGHTS).sum(1) / WEIGHTS.sum()
        return CORNERS.T @ means / 4


EVEN = (0.05,) * 9
UNEVEN = (0.01, 0.01, 0.02, 0.02, 0.04, 0.04, 0.1, 0.15, 0.02)

WORLDS = {
    "normal, no effect": World(normal=EVEN),
    "normal, effects": World(effects=(0.1, 0.05, 0.0), normal=EVEN),
    "uneven arms, no effect": World(normal=UNEVEN),
    "uneven arms, effects": World(effects=(0.1, 0.05, 0.0), normal=UNEVEN),
    "blocks differ in effect": World(effects=(0.1, 0.05, 0.0), slope=0.05, normal=EVEN),
    "blocks differ, no effect": World(slope=0.05, normal=EVEN),
    "items, no effect": World(items=250),
    "items, effects": World(effects=(0.8, 0.3, 0.1), items=250),
    "items, near floor": World(effects=(0.4, 0.8, 0.0), base=-4.0, items=250),
    "items, near ceiling": World(effects=(1.0, 0.2, 0.2), base=3.5, items=250),
    "items, effects differ": World(effects=(0.5, 0.8, 0.1), slope=0.3, items=250),
    "items, noisy training": World(effects=(0.5, 0.8, 0.1), run=0.5, items=200),
}
