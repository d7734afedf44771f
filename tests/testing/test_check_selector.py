"""check_selector finds planted defects, and passes policies without one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pytest

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, first_best
from triptych.core.errors import LawError, SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Choice, Selector
from triptych.testing import check_selector
from triptych.testing.pools import arrays, equal_pool, pools


@dataclass(frozen=True)
class Sound(Selector):
    """Farthest first, with a weight for quality: keeps all laws. The defects below are made from it."""

    weight: float = 0.5
    start: Literal["best", "drawn"] = "best"

    name: ClassVar[str] = "sound"
    sweep: ClassVar = ({"weight": 0.0}, {"weight": 1.0})

    def __post_init__(self):
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must be 0 to 1; got {self.weight}")

    @property
    def needs(self):
        return ("vectors", "quality")

    def scores(self, pool, basket, setting):
        if not np.isfinite(pool.vectors).all():
            raise SelectionError("a vector is not finite.\n  want:  finite vectors")
        if not basket.taken:
            return pool.quality
        near = (pool.vectors @ pool.vectors[basket.taken].T).max(axis=1)
        return self.weight * pool.quality + (1 - self.weight) * np.round(1 - near.astype(float), 5)

    def choose(self, pool, basket, setting):
        if self.start == "drawn" and not basket.spent and not basket.taken:
            order = stream("sound", setting.seed).permutation(len(pool))
            self.take(basket, next(one for one in order if basket.admits(one)), setting)
        while basket.open().any():
            self.take(basket, first_best(self.scores(pool, basket, setting), basket.open()), setting)
        self.scores(pool, basket, setting)
        return Choice()

    def take(self, basket, one, setting):
        basket.add(one)
        setting.told(1)


def test_a_sound_policy_passes():
    check_selector(Sound)
    check_selector(Sound(weight=0.2))


class OverBudget(Sound):
    def choose(self, pool, basket, setting):
        super().choose(pool, basket, setting)
        basket.left += 1
        basket.taken.append(next(iter(set(range(len(pool))) - set(basket.taken)), 0))
        return Choice()


class TooFew(Sound):
    def choose(self, pool, basket, setting):
        for _ in range(min(3, len(pool))):
            if basket.open().any():
                self.take(basket, int(np.argmax(basket.open())), setting)
        return Choice()


class IgnoresCaps(Sound):
    def choose(self, pool, basket, setting):
        basket.room += len(pool)
        return super().choose(pool, basket, setting)


class ForgetsKeeps(Sound):
    def choose(self, pool, basket, setting):
        del basket.taken[: basket.kept], basket.gains[: basket.kept]
        return super().choose(pool, basket, setting)


class TakesTwice(Sound):
    def choose(self, pool, basket, setting):
        self.take(basket, int(np.argmax(basket.open())), setting)
        basket.taken.append(basket.taken[0])
        return super().choose(pool, basket, setting)


class OpensWhatIsClosed(Sound):
    def choose(self, pool, basket, setting):
        new = Basket(basket.cost, basket.left, basket.cells, basket.room)
        choice = super().choose(pool, new, setting)
        basket._closed[new.taken] = True
        basket.taken += new.taken
        basket.gains += new.gains
        basket.left, basket.room = new.left, new.room
        return choice


class OverwritesReasons(Sound):
    def choose(self, pool, basket, setting):
        closed = np.flatnonzero(basket.reason >= 0)
        basket.refuse(closed, "not liked")
        return super().choose(pool, basket, setting)


class StumblesOverNothing(Sound):
    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) / bool(len(pool) > 1 or 1 // 0)


class ByNoise(Sound):
    def choose(self, pool, basket, setting):
        while basket.open().any():
            shown = np.where(basket.open(), self.noisy(pool, basket, setting), -np.inf)
            self.take(basket, int(np.argmax(shown)), setting)
        return Choice()

    def noisy(self, pool, basket, setting):
        self.scores(pool, basket, setting)
        return -(pool.vectors @ pool.vectors[: len(basket.taken) + 3].sum(axis=0)) + 1e-3 * self.weight * pool.quality


class LastOfEquals(Sound):
    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) + 2 * TOLERANCE * np.arange(len(pool))


class GlobalDraw(Sound):
    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) + np.random.normal(size=len(pool))  # noqa: NPY002


class PlainDraw(Sound):
    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) + random.random()


class FreshDraw(Sound):
    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) + np.random.default_rng().normal(size=len(pool))


class FloatThreads(Sound):
    def scores(self, pool, basket, setting):
        parts = np.array_split(pool.vectors, setting.threads, axis=1)
        return super().scores(pool, basket, setting) + sum(part.max(axis=1) for part in parts)


class ChangesInput(Sound):
    def scores(self, pool, basket, setting):
        pool.quality[:] -= pool.quality.mean()
        return super().scores(pool, basket, setting)


class PoisonsTheMemo(Sound):
    def scores(self, pool, basket, setting):
        pool.memo["turn"] = pool.memo.get("turn", 0) + 1
        return super().scores(pool, basket, setting) * (-1 if pool.memo["turn"] > 12 else 1)


class ReadsIds(Sound):
    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) + (pool.id % np.uint64(7)).astype(float)


class UsesWhatItDidNotAskFor(Sound):
    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) + pool.complexity


class TakesNaN(Sound):
    def scores(self, pool, basket, setting):
        if not np.isfinite(pool.vectors).all():
            return pool.quality
        return super().scores(pool, basket, setting)


class Silent(Sound):
    def take(self, basket, one, setting):
        basket.add(one)


class GainsWithoutUnit(Sound):
    def take(self, basket, one, setting):
        basket.add(one, 1.0)
        setting.told(1)


class InfiniteScore(Sound):
    def choose(self, pool, basket, setting):
        super().choose(pool, basket, setting)
        return Choice(score=np.full(len(pool), np.inf), scored="nothing")


class ScoreWithoutWords(Sound):
    def choose(self, pool, basket, setting):
        super().choose(pool, basket, setting)
        return Choice(score=np.zeros(len(pool)))


class FactsWithNaN(Sound):
    def choose(self, pool, basket, setting):
        super().choose(pool, basket, setting)
        return Choice(facts={"level": float("nan")})


class NoteAsText(Sound):
    def choose(self, pool, basket, setting):
        super().choose(pool, basket, setting)
        return Choice(notes="ended")


class BareRefusal(Sound):
    def choose(self, pool, basket, setting):
        raise SelectionError("no")


class AsksForStrangeThings(Sound):
    @property
    def needs(self):
        return ("vectors", "quality", "beauty")


class AsksTwice(Sound):
    @property
    def wants(self):
        return ("quality",)


class NotFrozen(Selector):
    name: ClassVar[str] = "not_frozen"

    def choose(self, pool, basket, setting):
        return Choice()


@dataclass(frozen=True)
class NoEffect(Sound):
    depth: int = 3

    def __post_init__(self):
        super().__post_init__()
        if self.depth < 1:
            raise ValueError("depth is at least 1")


@dataclass(frozen=True)
class TakesNonsense(Sound):
    depth: int = 3

    def scores(self, pool, basket, setting):
        return super().scores(pool, basket, setting) + pool.quality * abs(self.depth)


@dataclass(frozen=True)
class BadSweep(Sound):
    sweep: ClassVar = ({"heat": 1},)


@dataclass(frozen=True)
class AnotherFromItsSpec(Sound):
    def __post_init__(self):
        object.__setattr__(self, "weight", self.weight / 2)


@pytest.mark.parametrize(
    ("policy", "broken"),
    [
        (OverBudget, "budget|once"),
        (TooFew, "budget"),
        (IgnoresCaps, "caps"),
        (ForgetsKeeps, "must-keeps"),
        (TakesTwice, "once"),
        (OpensWhatIsClosed, "closed|must-keeps|once"),
        (OverwritesReasons, "closed"),
        (StumblesOverNothing, "no error"),
        (ByNoise, "rounding"),
        (LastOfEquals, "ties"),
        (GlobalDraw, "global state"),
        (PlainDraw, "global state"),
        (FreshDraw, "determinism"),
        (FloatThreads, "determinism"),
        (ChangesInput, "inputs"),
        (PoisonsTheMemo, "determinism"),
        (ReadsIds, "ids|ties"),
        (UsesWhatItDidNotAskFor, "no error"),
        (TakesNaN, "vectors"),
        (Silent, "progress"),
        (GainsWithoutUnit, "gains"),
        (InfiniteScore, "scores"),
        (ScoreWithoutWords, "scores"),
        (FactsWithNaN, "facts"),
        (NoteAsText, "notes"),
        (BareRefusal, "refusal"),
        (AsksForStrangeThings, "needs"),
        (AsksTwice, "needs"),
        (NotFrozen, "frozen"),
        (NoEffect, "parameters"),
        (TakesNonsense, "parameters"),
        (BadSweep, "sweep"),
        (AnotherFromItsSpec, "specification"),
    ],
)
def test_a_planted_defect_is_found(policy, broken):
    if issubclass(policy, Sound) and "__dataclass_params__" not in vars(policy):
        policy = dataclass(frozen=True)(policy)
    with pytest.raises(LawError, match=rf"law broken: (?:{broken}) \("):
        check_selector(policy)


def test_a_law_can_be_left_out():
    check_selector(ByNoise(), skip=("rounding", "parameters", "ties"))


def test_values_show_an_effect_that_the_usual_ones_do_not():
    @dataclass(frozen=True)
    class Late(Sound):
        after: int = 900

        def __post_init__(self):
            super().__post_init__()
            if self.after < 1:
                raise ValueError("after is at least 1")

        def scores(self, pool, basket, setting):
            scores = super().scores(pool, basket, setting)
            return scores if self.after <= 5000 else pool.quality

    with pytest.raises(LawError, match="parameters"):
        check_selector(Late, skip=("travel",))
    check_selector(Late, skip=("travel",), values={"after": (6000,)})


def test_a_local_class_does_not_travel():
    @dataclass(frozen=True)
    class Local(Sound):
        pass

    with pytest.raises(LawError, match="travel"):
        check_selector(Local)


def test_the_pools_are_what_they_say():
    made = pools(("quality", "vectors", "field:a"), ("complexity", "structure", "field:b"))
    mixed = made["mixed"]
    assert list(mixed.codes) == ["a"]
    assert list(mixed.numbers) == ["b"]
    assert (np.diff(mixed.quality) <= 0).all()
    assert np.allclose(np.linalg.norm(mixed.vectors, axis=1), 1)
    assert len(np.unique(mixed.vectors, axis=0)) < len(mixed)
    assert len(np.unique(made["copies"].vectors, axis=0)) == 1
    assert (~made["zeros"].vectors.any(axis=1)).sum() == 16
    assert np.isnan(made["scarce"].complexity).sum() == 24
    assert not np.isnan(made["scarce"].quality).any()
    assert np.isnan(pools((), ("quality",))["scarce"].quality[-24:]).all()
    assert made["bare"].complexity is None
    assert made["bare"].structure is None
    assert np.ptp(made["constant"].quality) == 0
    assert len(made["one"]) == 1
    assert pools((), ())["mixed"].vectors is None
    assert set(arrays(mixed)) >= {"id", "cost", "length", "quality", "codes:a", "numbers:b", "vectors"}
    apart = equal_pool(("vectors",), apart=True)
    assert np.allclose(apart.vectors @ apart.vectors.T, np.eye(len(apart)), atol=1e-6)
