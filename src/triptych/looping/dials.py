"""Dials: everything that a policy may set for one round. What is not a dial is the same for every policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Regime: TypeAlias = Literal["base", "continue"]


@dataclass(frozen=True)
class Dials:
    """The settings of one round.

    Attributes:
        temperature: while answering.
        explore: temperature while writing a prompt to the share of the samples written at it; the shares sum to 1.
        min_p: while writing a prompt a token less likely than so many times the likeliest one, before the temperature, is
            never drawn (min-p sampling, Nguyen et al. 2024, arXiv 2407.01082): hot prompts then stay readable. 0: all are.
        archive: share of what is taken that may come from earlier rounds; 1: this round's records and earlier ones alike.
        even: 0: structures as often as they were written; 1: evenly over structures; between: in proportion to their
            number to the power 1 - even.
        push: a structure's weight grows with (1 + its complexity) to this power.
        likely: among the records of a structure take the likeliest first rather than random ones; with even = 0, the
            likeliest of all.
        floor: share of the passed records of this round, the least likely ones, that is left out.
        boundary: 1: weight structures by p (1 - p), p their share of right answers in this round; 0: not; between: by
            1 - boundary + boundary · 4 p (1 - p), so that what is always solved keeps some weight.
        anchor: share of the budget that is real data, drawn anew each round.
        start: train from the base ("base": the start's own weights before any data) or go on from the last model.
        blend: weight of the newly trained model in an average of its weights with those before; 1: the new one alone.
        unverified: take what the verifier did not pass too.
    """

    temperature: float = 0.7
    explore: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    min_p: float = 0.0
    archive: float = 0.0
    even: float = 0.0
    push: float = 0.0
    likely: bool = False
    floor: float = 0.0
    boundary: float = 0.0
    anchor: float = 0.0
    start: Regime = "base"
    blend: float = 1.0
    unverified: bool = False

    def to_json(self) -> dict[str, Any]:
        """Strict JSON values; `of_json` reads them."""
        return {**asdict(self), "explore": [list(pair) for pair in self.explore]}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Dials:
        """The dials of a document."""
        return cls(**{**values, "explore": tuple((float(t), float(share)) for t, share in values["explore"])})


@dataclass(frozen=True)
class Decision:
    """Why a dial stands where it does: logged each round.

    Attributes:
        dial: its name.
        value: what it was set to, as text.
        reason: in words, with the numbers it rests on.
    """

    dial: str
    value: str
    reason: str
