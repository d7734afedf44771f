"""WiSE-FT: random correct samples, and after each training the average of the new weights and those before.

Averages of weights keep what both models do (Wortsman et al. 2021, arXiv 2109.01903). Blind to the data: it slows down
whatever the data do to the model, what is good as well as what is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.looping.policies._fixed import Fixed, check_share, fixed
from triptych.looping.policy import Given, Policy, Turn


@final
@dataclass(frozen=True)
class WiseFt(Policy):
    """Random correct records, weights averaged.

    Attributes:
        blend: weight of the new model.
        anchor: share of real data.
    """

    blend: float = 0.5
    anchor: float = 0.25

    name: ClassVar[str] = "wiseft"
    title: ClassVar[str] = "Correct samples, weights averaged"

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            ValueError: the new model has no weight, or a parameter is no share.
        """
        check_share("anchor", self.anchor)
        if not 0 < self.blend <= 1:
            raise ValueError(f"blend must be above 0 and at most 1; got {self.blend:g}")

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """Go on from the last model, so that an average of the weights of both has a meaning."""
        del turns
        why = {
            "blend": "the average of the weights before and after training",
            "start": "weights can be averaged where one model comes from the other",
            "anchor": "a fixed share of real data",
        }
        return fixed(given, why, blend=self.blend, start="continue", anchor=self.anchor)
