"""Longest: the candidates whose judged text has the most tokens. A baseline that is hard to beat.

Zhao et al. 2024 (arXiv 2402.04833): the 1,000 longest responses of Alpaca trained as well as 1,000 chosen by hand.
Of equally long candidates the first is taken. Confounded by everything that goes with length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.selector import Choice, Selector, Setting


@final
@dataclass(frozen=True)
class Longest(Selector):
    """Candidates by length, longest first."""

    name: ClassVar[str] = "longest"
    source: ClassVar[str] = "Zhao et al. 2024 (arXiv 2402.04833)"

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the longest that fits, until the basket admits none. O(n log n)."""
        held = len(basket)
        basket.fill(np.argsort(-pool.length, kind="stable"))
        setting.told(len(basket) - held)
        return Choice(score=pool.length, scored="tokens of the text")
