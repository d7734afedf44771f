"""What a policy is: it sets the dials of a round from what is known, and says which records are trained on.

Nearly every policy is a setting of dials, and takes records by the common rule of `looping.choosing`. A policy that takes
them otherwise overrides `choose`. Final subclasses are frozen dataclasses: their fields are what a user may set, and their
file in `looping/policies/` is their registration.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from triptych.core.spec import Spec, params_of
from triptych.guarding.ledger import Entry
from triptych.looping.dials import Decision, Dials
from triptych.looping.records import Judged


@dataclass(frozen=True)
class Turn:
    """A round that is over, as policies may see it.

    Attributes:
        number: of the round.
        dials: that were set.
        entry: its line of the ledger.
        tried: temperature of prompts to what came of it: `samples`, `valid`, `passed`, `new` (passed, of a structure
            that no earlier record has), `new_structures`.
        solved: structure to (passed, tried) of this round.
        closed: records that were left out because a closed panel has their structure or prompt.
        levels: complexity to (passed, tried) of this round, where it is known.
    """

    number: int
    dials: Dials
    entry: Entry
    tried: Mapping[float, Mapping[str, int]] = field(default_factory=dict)
    solved: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    closed: int = 0
    levels: Mapping[float, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What is the same in all rounds.

    Attributes:
        budget: of records to train on.
        samples: written in a round.
        rounds: in all.
        dials: that the user set; a policy changes only those that it is about.
        hottest: the highest temperature that the generator writes prompts at.
        cuts: whether it can cut unlikely tokens off (`Dials.min_p`).
        scratch: steps that a training from nothing has, as a share of those of the first model's; 1 where that begins with
            a model.
    """

    budget: int
    samples: int
    rounds: int
    dials: Dials
    hottest: float = math.inf
    cuts: bool = True
    scratch: float = 1.0


@dataclass(frozen=True)
class Candidates:
    """What a round may train on.

    Attributes:
        fresh: written in this round, judged, closed panels' kept out.
        earlier: passed records of earlier rounds, each once.
        anchor: the real data of the start.
        solved: structure to (passed, tried) of this round.
    """

    fresh: Sequence[Judged]
    earlier: Sequence[Judged]
    anchor: Sequence[Judged]
    solved: Mapping[str, tuple[int, int]]


class Policy(ABC):
    """A policy."""

    name: ClassVar[str]
    title: ClassVar[str]

    @property
    def spec(self) -> Spec:
        """Name and parameters."""
        return Spec(self.name, params_of(self))

    @abstractmethod
    def dials(self, given: Given, turns: Sequence[Turn]) -> tuple[Dials, list[Decision]]:
        """The dials of the next round, and why; `turns` are the rounds that are over (none before the first).

        A pure function of its arguments.
        """

    def choose(self, candidates: Candidates, dials: Dials, budget: int, draw: np.random.Generator) -> list[Judged]:
        """At most `budget` records to train on, anchor included."""
        from triptych.looping.choosing import take  # noqa: PLC0415 - it names this module's types

        return take(candidates, dials, budget, draw)


Floats = NDArray[np.float64]
Facts = Mapping[str, Any]
