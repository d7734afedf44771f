"""None: train on the real data alone, round after round; nothing that the model writes is used.

The control of every comparison: what rounds of training bring by themselves. Blind to all that the loop produces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from triptych.looping.dials import Dials
from triptych.looping.policies._fixed import Fixed, fixed
from triptych.looping.policy import Candidates, Given, Policy, Turn
from triptych.looping.records import Judged


@final
@dataclass(frozen=True)
class Nothing(Policy):
    """The start's data again."""

    name: ClassVar[str] = "none"
    title: ClassVar[str] = "Nothing new: the real data again"

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """All of the budget is real data."""
        del turns
        return fixed(given, {"anchor": "the control trains on nothing that was written"}, anchor=1.0)

    def choose(self, candidates: Candidates, dials: Dials, budget: int, draw: np.random.Generator) -> list[Judged]:
        """Real data only, also where there are fewer than the budget: training takes equal steps on them anyway."""
        return super().choose(replace(candidates, fresh=[], earlier=[]), dials, budget, draw)
