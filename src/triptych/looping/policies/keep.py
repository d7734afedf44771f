"""Keep: a controller that reads each round and sets the dials so that the loop keeps finding and keeping what is new.

What is kept: everything that passed, of all rounds, with the real data (`archive`). It is sampled not as often as it was written
but where something is left to learn: p the share of a structure that was solved, those near one half favoured, and deeper ones.
What is set, each round, from the rounds before it, with its reason:

    explore       shares of the prompts' temperatures: a bandit on new structures that passed (`_exploring`)
    min_p         cuts unlikely tokens off while a prompt is written (min-p sampling, Nguyen et al. 2024, arXiv 2407.01082), so
                  that hot prompts stay readable: fewer while most prompts are tasks, more while few are
    temperature   of answers: cooler while many answers fail, back up when nearly all pass
    anchor        share of real data drawn beside the archive: falls as the rarer half of the real data's structures is
                  written again by the model itself (the ledger's `tail`)
    push          up where what is less deep than the deepest level that is solved at all is mastered, down where it is not
    start         from scratch while there is time to look for what is new: a model that goes on keeps writing what it wrote,
                  and generalizes less (Ash and Adams 2020, arXiv 1910.08475); the last rounds go on, and learn what was found
    floor         above 0 only where what was trained on passed the verifier and is not right (the ledger's `true`)

Sources: an archive with a curriculum by solve rate as in PowerPlay (Schmidhuber 2013, arXiv 1112.5309) and POET (Wang et al.
2019, 1901.01753); exploration by learning progress (Oudeyer et al. 2007). It never reads the score of a panel. Blind to
structures that no temperature reaches, and where nobody names structures, to whatever templates of prompts do not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias, final

import numpy as np

from triptych.looping.dials import Decision, Dials, Regime
from triptych.looping.policies._exploring import explore_next
from triptych.looping.policies._fixed import Fixed, check_share, fixed, shown
from triptych.looping.policies.archive import with_anchor
from triptych.looping.policy import Candidates, Given, Policy, Turn
from triptych.looping.records import Judged

FAILING, PASSING = 0.5, 0.95
"""Shares of passed answers below which answers get cooler, and above which they may get hotter again."""

COOLER, HOTTER, COOLEST = 0.2, 0.1, 0.3
"""Steps of the answering temperature, and the least that a step down leads to."""

SOLVED, UNSOLVED = 0.85, 0.6
"""Shares of passed answers below the deepest level above which the deepest counts more, and below which it counts less."""

SCRATCH = 0.5
"""Steps of a training from scratch, as a share of those of the first model, below which it goes on instead."""

PUSH_STEP, PUSH_MOST = 0.5, 3.0

READABLE, UNREADABLE = 0.75, 0.35
"""Shares of prompts that are tasks above which fewer unlikely tokens are cut off, and below which more are: of a first model most
new structures came where .4 to .65 were, in both worlds."""

CUT_STEP, CUT_MOST = 2.0, 16.0
"""Factor of a step of `min_p`, and how far it may go from where it began, either way."""

LEVEL_SHARE, LEVEL_LEAST = 0.01, 20
"""A level counts where this share of the tasks is on it and so many of them passed: on programs a few prompts are deeper than
anything that can be solved, and these say nothing."""

FLOOR_TIMES, FLOOR_STEP, FLOOR_MOST = 2.0, 0.1, 0.5
"""The floor as a multiple of the gap of verified and right, its step down without one, and the most that it leaves out."""

Moved: TypeAlias = tuple[str, Any, str]
"""A dial, its value, and why."""


@final
@dataclass(frozen=True)
class Keep(Policy):
    """The controller. Every ingredient can be left out.

    Attributes:
        explore: whether temperatures of prompts are set; no: they stay as the user gave them.
        min_p: while writing prompts, see `Dials.min_p`; 0: any token may be drawn.
        archive: whether earlier rounds are kept.
        even: 1: evenly over structures; 0: as often as they were written.
        boundary: how much structures weigh by p (1 - p); 0: not.
        anchor: share of real data in the first round, and the most there is later; 0: none, in the archive neither.
        push: power of (1 + complexity) to begin with, and the most there is later; 0: none, ever.
        start: base or continue, until the last rounds; base goes on where a training from scratch would be too short.
        polish: so many last trainings go on from the model before, whatever `start` says.
    """

    explore: bool = True
    min_p: float = 0.001
    archive: bool = True
    even: float = 1.0
    boundary: float = 0.7
    anchor: float = 0.25
    push: float = 1.0
    start: Regime = "base"
    polish: int = 2

    name: ClassVar[str] = "keep"
    title: ClassVar[str] = "Keep: a controller of exploration, archive and depth"

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            ValueError: one is out of range.
        """
        check_share("even", self.even)
        check_share("min_p", self.min_p)
        check_share("anchor", self.anchor)
        check_share("boundary", self.boundary)
        if self.polish < 0:
            raise ValueError(f"polish must be 0 rounds or more; got {self.polish}")
        if not 0 <= self.push <= PUSH_MOST:
            raise ValueError(f"push must be between 0 and {PUSH_MOST:g}; got {self.push:g}")

    def dials(self, given: Given, turns: Sequence[Turn]) -> Fixed:
        """The fixed dials, and those that the last rounds move."""
        why = {
            "archive": "what passed once is kept for good" if self.archive else "left out",
            "even": "every structure counts alike, however often it was written" if self.even == 1 else "as asked",
            "boundary": "what is sometimes solved counts most" if self.boundary else "left out",
        }
        start, why["start"] = self._start(given, turns)
        own: dict[str, Any] = {"even": self.even, "boundary": self.boundary, "start": start}
        dials, decisions = fixed(given, why, archive=float(self.archive), **own)
        moved: list[Moved] = [_temperature(given, turns), self._anchor(turns), self._push(turns), _floor(turns)]
        if self.explore:
            moved += [
                ("explore", *explore_next(given, turns, cut=self.min_p > 0 and given.cuts)),
                self._cut(turns),
            ]
        decisions += [Decision(dial, shown(value), reason) for dial, value, reason in moved]
        return replace(dials, **{dial: value for dial, value, _ in moved}), decisions

    def _start(self, given: Given, turns: Sequence[Turn]) -> tuple[Regime, str]:
        """From scratch or from the last model."""
        left = given.rounds - len(turns)
        if left <= self.polish:
            return "continue", f"one of the last {self.polish} trainings: the model learns what was found"
        if self.start == "continue":
            return "continue", "goes on from the last model, as asked"
        if given.scratch < SCRATCH:
            return "continue", f"from scratch it would have {given.scratch:.0%} of the steps that the first model had"
        return "base", f"{left} trainings are left: a model from scratch writes more that is new"

    def choose(self, candidates: Candidates, dials: Dials, budget: int, draw: np.random.Generator) -> list[Judged]:
        """The common rule, with the real data in the archive.

        A floor needs likelihoods: where no record has one, there is none.
        """
        if self.archive and self.anchor:
            candidates = with_anchor(candidates)
        if dials.floor and all(record.likelihood is None for record in candidates.fresh):
            dials = replace(dials, floor=0.0)
        return super().choose(candidates, dials, budget, draw)

    def _cut(self, turns: Sequence[Turn]) -> Moved:
        """Less is cut off while most prompts are tasks, more while few are."""
        if not self.min_p:
            return "min_p", 0.0, "any token may be drawn"
        tried = [each for turn in turns[-1:] for each in turn.tried.values()]
        samples, valid = (sum(each.get(name, 0) for each in tried) for name in ("samples", "valid"))
        last = (turns[-1].dials.min_p if turns else 0.0) or self.min_p
        if not samples:
            return "min_p", last, "hot prompts stay readable" if not turns else "nothing was tried: as it was"
        said = f"{valid:,} of {samples:,} prompts are tasks"
        if valid > READABLE * samples:
            return "min_p", max(last / CUT_STEP, self.min_p / CUT_MOST), f"{said}: fewer tokens are cut off"
        if valid < UNREADABLE * samples:
            return "min_p", min(last * CUT_STEP, self.min_p * CUT_MOST, 1.0), f"{said}: more tokens are cut off"
        return "min_p", last, f"{said}: as it was"

    def _anchor(self, turns: Sequence[Turn]) -> Moved:
        """Real data for what the model does not write by itself."""
        if not self.anchor:
            return "anchor", 0.0, "left out"
        tail = turns[-1].entry.value("tail") if turns else None
        if tail is None:
            told = "the first round" if not turns else "how much of it the model covers is not known"
            return "anchor", self.anchor, f"{told}: the full share"
        share = round(self.anchor * (1 - tail), 3)
        return "anchor", share, f"the model itself writes {tail:.0%} of the rarer half of the real data's structures"

    def _push(self, turns: Sequence[Turn]) -> Moved:
        """Deeper where the deepest level is solved, less deep where it is not."""
        if not self.push:
            return "push", 0.0, "left out"
        if not turns:
            return "push", self.push, "to begin with"
        last, levels = turns[-1].dials.push, turns[-1].levels
        tried = sum(count for _, count in levels.values())
        counted = [
            level for level, (passed, count) in levels.items() if passed >= LEVEL_LEAST and count >= LEVEL_SHARE * tried
        ]
        if not counted:
            return "push", last, "how deep tasks are is not known, or too few passed on any level: as it was"
        deepest = max(counted)
        below = [levels[level] for level in counted if level < deepest] or [levels[deepest]]
        passed, count = (sum(part) for part in zip(*below, strict=True))
        said = f"below level {deepest:g}, the deepest that enough passed on, {passed:,} of {count:,} passed"
        said += ", and on it {:,} of {:,}".format(*levels[deepest])
        if passed > SOLVED * count:
            return "push", min(self.push, last + PUSH_STEP), f"{said}: what is left to learn is deep, so it counts more"
        if passed < UNSOLVED * count:
            return "push", max(0.0, last - PUSH_STEP), f"{said}: what is left to learn is not deep, so deep counts less"
        return "push", last, f"{said}: as it was"


def _temperature(given: Given, turns: Sequence[Turn]) -> Moved:
    """The temperature of answers, between `COOLEST` and the user's."""
    asked = given.dials.temperature
    if not turns:
        return "temperature", asked, "as the user gave it"
    last = turns[-1].dials.temperature
    tried = sum(count for _, count in turns[-1].solved.values())
    passed = sum(right for right, _ in turns[-1].solved.values())
    if not tried:
        return "temperature", last, "nothing was tried: as it was"
    said = f"{passed:,} of {tried:,} answers passed"
    if passed < FAILING * tried:
        value = max(min(COOLEST, asked), round(last - COOLER, 6))
        return "temperature", value, f"{said}: below {FAILING:.0%}, so cooler"
    if passed > PASSING * tried:
        value = min(asked, round(last + HOTTER, 6))
        return "temperature", value, f"{said}: above {PASSING:.0%}, so no cooler than the user's"
    return "temperature", last, f"{said}: as it was"


def _floor(turns: Sequence[Turn]) -> Moved:
    """The share of the least likely records that is left out: what the verifier lets pass wrongly is mostly among them.

    Read on what was trained on, all of which passed: a verifier that gives part of a point for a part of the answer says
    nothing wrong.
    """
    last = turns[-1].dials.floor if turns else 0.0
    chosen = turns[-1].entry.selected if turns else {}
    verified, right = chosen.get("verified"), chosen.get("true")
    if verified is None or right is None or verified.value is None or right.value is None:
        return "floor", last, "how much of what passed is right is not known"
    said = f"of what was trained on {verified.value:.1%} passed and {right.value:.1%} is right"
    if right.value < verified.value and (right.hi is None or right.hi < verified.value):
        value = min(FLOOR_MOST, max(last, FLOOR_TIMES * (verified.value - right.value)))
        return "floor", round(value, 3), f"{said}: twice the gap, the least likely, is left out"
    return (
        "floor",
        round(max(0.0, last - FLOOR_STEP), 3),
        f"{said}: no gap beyond its error, so nothing more is left out",
    )
