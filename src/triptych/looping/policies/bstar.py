"""B-STaR: the answering temperature and the floor move to where the balance score is best.

The score of Zeng et al. 2024 (arXiv 2412.17256): over what is asked, the mean of min(correct, 8) / 8 · correct / answers, so
that there are enough right answers (exploration) and few wrong ones (exploitation). What is asked are here structures, as the
model writes its own prompts. The paper scores a grid of settings on a part of the prompts before each round; here each round
tries one setting, and the dials climb: one of them moves, goes on while the score rises, and turns back when it fell.
Blind to what is not asked at all: the score says nothing of structures that the model never writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

from triptych.looping.dials import Decision
from triptych.looping.policies._fixed import Fixed, check_share, fixed, shown
from triptych.looping.policy import Given, Policy, Turn

ENOUGH = 8
"""Right answers to one prompt that are enough, as in the paper."""

STEPS: Mapping[str, tuple[float, float, float]] = {"temperature": (0.15, 0.1, 1.5), "floor": (0.1, 0.0, 0.6)}
"""Dial to its step, least and most."""


@final
@dataclass(frozen=True)
class BStar(Policy):
    """Temperature and floor by the balance score.

    Attributes:
        anchor: share of real data.
    """

    anchor: float = 0.25

    name: ClassVar[str] = "bstar"
    title: ClassVar[str] = "Temperature and floor by the balance score"

    def __post_init__(self) -> None:
        """Check the share."""
        check_share("anchor", self.anchor)

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """One step of one dial, from the scores of the rounds so far."""
        start, decisions = fixed(given, {"anchor": "a fixed share of real data"}, anchor=self.anchor)
        if not turns:
            return start, decisions
        dial, up, why = _step(turns)
        last = turns[-1].dials
        step, least, most = STEPS[dial]
        value = getattr(last, dial) + (step if up else -step)
        if not least <= value <= most:
            value = getattr(last, dial) + (-step if up else step)
            why += "; at its limit, so it turns"
        value = round(min(max(value, least), most), 6)
        kept = {name: getattr(last, name) for name in STEPS}
        return replace(start, **{**kept, dial: value}), [*decisions, Decision(dial, shown(value), why)]


def balance(solved: Mapping[str, tuple[int, int]]) -> float | None:
    """The balance score of a round, in [0, 1], from structure to (passed, tried); None where nothing was tried.

    Worked example: 4 of 8 and 9 of 9: (4/8 · 4/8 + 1 · 1) / 2 = .625.
    """
    scores = [min(passed, ENOUGH) / ENOUGH * passed / tried for passed, tried in solved.values() if tried]
    return sum(scores) / len(scores) if scores else None


def _step(turns: Sequence[Turn]) -> tuple[str, bool, str]:
    """Which dial moves, whether upwards, and why: that of the last move, if it brought something, else the other."""
    names = tuple(STEPS)
    now = balance(turns[-1].solved)
    if len(turns) < 2:
        return names[0], True, f"balance score {_said(now)}: the first step is upwards"
    before = balance(turns[-2].solved)
    moved = [name for name in names if getattr(turns[-1].dials, name) != getattr(turns[-2].dials, name)]
    said = f"balance score {_said(before)} before, {_said(now)} now"
    if not moved:
        return names[0], True, f"{said}, with nothing moved: a step upwards"
    dial = moved[0]
    up = getattr(turns[-1].dials, dial) > getattr(turns[-2].dials, dial)
    if now is None or (before is not None and now < before):
        return dial, not up, f"{said}: {dial} goes back"
    if len(turns) % 2:
        other = names[1 - names.index(dial)]
        return other, True, f"{said}: {dial} stays, and {other} is tried"
    return dial, up, f"{said}: {dial} goes on"


def _said(score: float | None) -> str:
    return "not known" if score is None else f"{score:.3f}"
