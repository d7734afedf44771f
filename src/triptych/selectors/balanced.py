"""Balanced: quality held at a target, complexity kept at a profile, the rest of the budget spent on what is new.

Greedy: take the candidate of the highest log novelty + price · z.

1. Novelty is the product of three shares (`_novelty`): of its direction that the taken leave open (log-determinant), of
   it that the nearest taken record does not say already (k-center), and 1 / (1 + how many of its structure are taken).
2. z is the quality in standard deviations; its price settles where the mean quality is the one asked for (`_quality`).
3. A floor keeps out every record below it. Complexity is held by exact quotas of bins (`_complexity`).

Three dials. `quality` (a mean, at least), or `strictness` where the scale is not known: 0 asks for nothing, 1 for the best
mean that the budget allows, between them a mean at this share of the way from the candidates' mean to the best. `minimum`:
the floor. `complexity`: the profile. Without a dial of quality: strictness 0.8; with a minimum alone: 0. Where the data have
no quality, novelty alone decides, and the result says so.

Under a budget of tokens what a record costs does not enter its score, so short records are not favoured. Must-keeps count
as taken in novelty, in the mean and in the quotas; groups and sources with full cells are closed as for every policy.

Novelty combines the directions of greedy MAP inference (Chen et al. 2018, arXiv 1709.05135), the distances of k-center
(Sener and Savarese 2018, 1708.00489) and the even use of structures that keeps a self-improving loop alive; weighing
quality against it is the decomposition of a determinantal process (Kulesza and Taskar 2012, 1207.6083). design/0010 tells
what was tried. Exact for small pools, stochastic greedy for large ones; the result says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.errors import SelectionError, message
from triptych.core.selector import Choice, Selector, Setting
from triptych.selectors._balancing import Balancing, Dials
from triptych.selectors._complexity import read_shares

Word = Literal["free", "as-is", "harder", "easier"]


@final
@dataclass(frozen=True)
class Balanced(Selector):
    """New records at a held quality and complexity.

    Attributes:
        quality: mean quality of what is taken, at least; it is above where novelty alone leads there.
        strictness: the same on a scale from 0 to 1 that does not depend on the data.
        minimum: no record of lower quality is taken.
        complexity: free, as-is, harder, easier, shares of bins such as 1/2/1, or bins such as 1:.2/2:.5/3:.3.
    """

    quality: float | None = None
    strictness: float | None = None
    minimum: float | None = None
    complexity: Word | str = "free"

    name: ClassVar[str] = "balanced"
    source: ClassVar[str] = "the rule is this project's own; the thesis: Havrilla et al. 2024 (arXiv 2412.02980)"
    floor: ClassVar[bool] = True
    sweep: ClassVar = tuple({"strictness": share} for share in (0.0, 0.25, 0.5, 0.75, 0.9, 1.0))

    def __post_init__(self) -> None:
        """Check the dials.

        Raises:
            ValueError: one is out of range, or the mean is asked for twice.
        """
        if self.quality is not None and self.strictness is not None:
            raise ValueError("give the mean as quality=MEAN or as strictness=SHARE, one of the two")
        if self.strictness is not None and not 0 <= self.strictness <= 1:
            raise ValueError(f"strictness must be between 0 and 1; got {self.strictness}")
        for dial in ("quality", "minimum"):
            value = getattr(self, dial)
            if value is not None and not np.isfinite(value):
                raise ValueError(f"{dial} must be a finite number; got {value}")
        read_shares(self.complexity)

    @property
    def needs(self) -> tuple[str, ...]:
        """Quality where a dial speaks of it in its own units, complexity where it is not free."""
        asked = ("quality",) if self.quality is not None or self.minimum is not None else ()
        return asked + (("complexity",) if self.complexity != "free" else ())

    @property
    def wants(self) -> tuple[str, ...]:
        """Quality, vectors, structure: novelty needs one of the last two."""
        return ("quality", "vectors", "structure")

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take until the basket admits none. O(n d) for each pick, or O(n d²) in all where that costs too much.

        Raises:
            SelectionError: a dial cannot be met, or there is neither a vector nor a structure to tell records apart.
        """
        if pool.vectors is None and pool.structure is None:
            what = "balanced needs something to tell records apart by, and these have neither vectors nor a structure."
            raise SelectionError(message(what, hint="a policy without diversity, such as top_quality"))
        with threadpool_limits(1):
            dials = Dials(self.quality, self.strictness, self.minimum, read_shares(self.complexity))
            return Balancing(dials, pool, basket, setting).choice()
