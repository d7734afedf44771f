"""Quality only: go on training on the likeliest of the correct samples. The case that collapses.

What a loop does that has nothing but a score to go by: each round the model is drawn to what it already does best, its
samples look better and better, and what it can do shrinks (Shumailov et al. 2023, arXiv 2305.17493; Wu et al. 2024,
2407.05013). Blind to diversity and complexity; every quality dial looks splendid while it goes down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.looping.policies._fixed import Fixed, check_share, fixed
from triptych.looping.policy import Given, Policy, Turn


@final
@dataclass(frozen=True)
class QualityOnly(Policy):
    """The likeliest correct records.

    Attributes:
        anchor: share of real data.
    """

    anchor: float = 0.0

    name: ClassVar[str] = "quality_only"
    title: ClassVar[str] = "The likeliest correct samples"

    def __post_init__(self) -> None:
        """Check the share."""
        check_share("anchor", self.anchor)

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """The likeliest, from the last model."""
        del turns
        why = {
            "likely": "likelihood is all that counts among correct records",
            "start": "goes on from the last model, so that it sees its own best again and again",
            "anchor": "a fixed share of real data",
        }
        return fixed(given, why, likely=True, start="continue", anchor=self.anchor)
