"""Boundary: train on structures that are neither always nor never solved.

What is always right teaches nothing and what is never right has no record; in between lies p (1 - p), the variance of the
reward (Foster and Foerster 2025, arXiv 2502.12272; DAPO drops what has none, Yu et al. 2025, 2503.14476). Blind to how many
structures there are, and to what the model does not even ask itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.looping.policies._fixed import Fixed, check_share, fixed
from triptych.looping.policy import Given, Policy, Turn


@final
@dataclass(frozen=True)
class Boundary(Policy):
    """Correct records of structures that are sometimes solved.

    Attributes:
        even: 0: structures as often as they are written; 1: by p (1 - p) alone.
        anchor: share of real data.
    """

    even: float = 0.0
    anchor: float = 0.25

    name: ClassVar[str] = "boundary"
    title: ClassVar[str] = "Neither always nor never solved"

    def __post_init__(self) -> None:
        """Check the shares."""
        check_share("even", self.even)
        check_share("anchor", self.anchor)

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """Weight by p (1 - p)."""
        del turns
        why = {
            "boundary": "structures weigh p (1 - p), p their share of right answers in the round",
            "even": "how much the number of records of a structure counts",
            "anchor": "a fixed share of real data",
        }
        return fixed(given, why, boundary=1.0, even=self.even, anchor=self.anchor)
