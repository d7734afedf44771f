"""Correct: train on random samples that the verifier passed, with a share of real data.

Rejection sampling as in STaR (Zelikman et al. 2022, arXiv 2203.14465) and ReST-EM (Singh et al. 2023, 2312.06585). Blind to
what is already known: what is easy is written often and trained on often, so scores in distribution climb while nothing
new is explored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.looping.policies._fixed import Fixed, check_share, fixed
from triptych.looping.policy import Given, Policy, Turn


@final
@dataclass(frozen=True)
class Correct(Policy):
    """Random correct records.

    Attributes:
        anchor: share of real data.
    """

    anchor: float = 0.25

    name: ClassVar[str] = "correct"
    title: ClassVar[str] = "Random correct samples"

    def __post_init__(self) -> None:
        """Check the share."""
        check_share("anchor", self.anchor)

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """A fixed share of real data."""
        del turns
        return fixed(given, {"anchor": "a fixed share of real data"}, anchor=self.anchor)
