"""Anchor: random correct samples mixed with as much real data.

Real data in every round keeps the distribution where it was; the best share of it can be about .618 (arXiv 2502.18049).
Blind to everything else: it holds the model back as much as it holds it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.looping.policies._fixed import Fixed, check_share, fixed
from triptych.looping.policy import Given, Policy, Turn


@final
@dataclass(frozen=True)
class Anchor(Policy):
    """Random correct records and real data.

    Attributes:
        share: of real data.
    """

    share: float = 0.5

    name: ClassVar[str] = "anchor"
    title: ClassVar[str] = "Correct samples and real data"

    def __post_init__(self) -> None:
        """Check the share."""
        check_share("share", self.share)

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """A fixed share of real data."""
        del turns
        return fixed(given, {"anchor": "a fixed share of real data, drawn anew each round"}, anchor=self.share)
