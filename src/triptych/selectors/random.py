"""Random: every candidate is as likely as any other. What each policy must beat.

At equal cost each set of the budget's size is equally likely. Under a budget of tokens the candidates are drawn one after
the other and those that no longer fit are passed over, so the last few drawn are shorter than the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.rng import stream
from triptych.core.selector import Choice, Selector, Setting


@final
@dataclass(frozen=True)
class Random(Selector):
    """Candidates in a random order that the seed decides."""

    name: ClassVar[str] = "random"

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Draw without replacement until the basket admits none. O(n)."""
        held = len(basket)
        basket.fill(stream("select", "random", setting.seed).permutation(len(pool)))
        setting.told(len(basket) - held)
        return Choice()
