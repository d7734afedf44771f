"""Top quality: the candidates of the highest quality, nothing else. The far end of every frontier.

Of equally good candidates the first is taken. Optimizing quality alone narrows a set: read it beside the diversity it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.selector import Choice, Selector, Setting
from triptych.selectors._columns import quality_of


@final
@dataclass(frozen=True)
class TopQuality(Selector):
    """Candidates by quality, best first."""

    name: ClassVar[str] = "top_quality"

    @property
    def needs(self) -> tuple[str, ...]:
        """Quality."""
        return ("quality",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the best that fits, until the basket admits none. O(n log n)."""
        quality = quality_of(pool)
        order = np.argsort(-quality, kind="stable")
        held = len(basket)
        basket.fill(order, quality[order])
        setting.told(len(basket) - held)
        return Choice(score=quality, scored="quality", gained="quality")
