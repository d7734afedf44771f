"""Archive: everything correct that was ever written is kept, and sampled evenly over structures, deeper ones favoured.

An archive of all that is new, as in MAP-Elites (Mouret and Clune 2015, arXiv 1504.04909) and quality-diversity with language
models; the model explores with a higher temperature while it writes a prompt than while it answers it. The real data
that the verifier does not refuse are in the archive from the start. Blind to how well a structure is already known, and its
temperature is fixed: too low it finds little that is new, too high it finds little that is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from triptych.looping.dials import Dials, Regime
from triptych.looping.policies._fixed import Fixed, check_share, check_temperature, fixed
from triptych.looping.policy import Candidates, Given, Policy, Turn
from triptych.looping.records import ANCHOR, Judged


@final
@dataclass(frozen=True)
class Archive(Policy):
    """Records of all rounds, evenly over structures.

    Attributes:
        explore: temperature while writing a prompt.
        min_p: while writing a prompt, see `Dials.min_p`.
        temperature: while answering it.
        even: 1: evenly over structures; 0: as often as they were written.
        push: weight of a structure grows with (1 + complexity) to this power.
        start: base or continue.
    """

    explore: float = 1.6
    min_p: float = 0.0
    temperature: float = 0.7
    even: float = 1.0
    push: float = 1.0
    start: Regime = "base"

    name: ClassVar[str] = "archive"
    title: ClassVar[str] = "Persistent archive, evenly over structures"

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_share("even", self.even)
        check_share("min_p", self.min_p)
        check_temperature("explore", self.explore)
        check_temperature("temperature", self.temperature)

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """Fixed dials."""
        del turns
        why = {
            "explore": "hotter while writing a prompt, so that new structures are written",
            "min_p": "hot prompts stay readable" if self.min_p else "any token may be drawn",
            "temperature": "cooler while answering, so that they are solved",
            "archive": "what was once solved is kept for good",
            "even": "every structure counts alike, however often it was written",
            "push": "deeper structures count more",
            "start": "the start's weights" if self.start == "base" else "goes on from the last model",
        }
        return fixed(
            given,
            why,
            explore=((self.explore, 1.0),),
            min_p=self.min_p,
            temperature=self.temperature,
            archive=1.0,
            even=self.even,
            push=self.push,
            start=self.start,
        )

    def choose(self, candidates: Candidates, dials: Dials, budget: int, draw: np.random.Generator) -> list[Judged]:
        """The common rule, with the real data in the archive."""
        return super().choose(with_anchor(candidates), dials, budget, draw)


def with_anchor(candidates: Candidates) -> Candidates:
    """The candidates with the real data that the verifier does not refuse among the earlier records."""
    real = [replace(one, source=ANCHOR) for one in candidates.anchor if one.verified is None or one.passed]
    return replace(candidates, earlier=[*real, *candidates.earlier])
