"""Accumulate: train on random correct samples of all rounds together.

Keeping what was written before bounds the error that replacing it lets grow (Gerstgrasser et al. 2024, arXiv 2404.01413).
Blind to structure: what was written most often in any round is trained on most often, so the rare is kept but stays rare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.looping.policies._fixed import Fixed, check_share, fixed
from triptych.looping.policy import Given, Policy, Turn


@final
@dataclass(frozen=True)
class Accumulate(Policy):
    """Random correct records of all rounds.

    Attributes:
        anchor: share of real data.
    """

    anchor: float = 0.25

    name: ClassVar[str] = "accumulate"
    title: ClassVar[str] = "Correct samples of all rounds"

    def __post_init__(self) -> None:
        """Check the share."""
        check_share("anchor", self.anchor)

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """Earlier rounds count as this one does."""
        del turns
        why = {"archive": "records of all rounds count alike", "anchor": "a fixed share of real data"}
        return fixed(given, why, archive=1.0, anchor=self.anchor)
