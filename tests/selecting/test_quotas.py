"""Quotas against brute force on tiny pools; `fill` keeps every bound, whatever the policy."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.budget import Budget
from triptych.core.candidates import Candidates
from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Choice, Selector, Setting
from triptych.selecting.duplicates import Duplicates
from triptych.selecting.fill import DROPPED, fill
from triptych.selecting.limits import Bound, Bounded, Limits
from triptych.selecting.quotas import Program, Sums

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class First(Selector):
    """Takes the first of the tie order, and nothing below a floor of quality."""

    name: ClassVar[str] = "first_of_test"
    floor_at: float = -1.0

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        assert pool.quality is not None
        low = np.flatnonzero((pool.quality < self.floor_at) & basket.open())
        basket.refuse(low, "below the floor", pool.quality[low], self.floor_at)
        basket.fill(np.arange(len(pool)))
        return Choice(score=pool.quality, scored="quality")


def candidates(n: int, cost: Ints | None = None) -> Candidates:
    cost = np.ones(n, dtype=np.int64) if cost is None else cost
    return Candidates(np.arange(n, dtype=np.uint64), cost, cost.astype(np.float64), np.linspace(1, 0, n))


def bounded(field: str, codes: Any, most: dict[int, int], least: dict[int, int], start: int) -> tuple[Bounded, Any]:
    """One field and its written bounds, numbered from `start`."""
    codes = np.array(codes, dtype=np.int64)
    values = int(codes.max()) + 1
    low, high = np.zeros(values + 1, dtype=np.int64), np.full(values + 1, len(codes))
    low_by, high_by, written = np.full(values + 1, -1), np.full(values + 1, -1), []
    for kind, given, numbers, by in (("max", most, high, high_by), ("min", least, low, low_by)):
        for value, number in given.items():
            numbers[value], by[value] = number, start + len(written)
            written.append(Bound(kind, field, str(value), number))
    names = (*map(str, range(values)), "any other")
    return Bounded(field, codes, names, low, high, low_by, high_by), tuple(written)


def random_limits(label: str, trial: int, n: int, fields: int = 2) -> Limits:
    rng = stream("test quotas", label, trial)
    made: list[Bounded] = []
    written: tuple[Bound, ...] = ()
    for number in range(fields):
        codes = rng.integers(0, 3, n)
        codes[:3] = np.arange(3)
        most = {v: int(rng.integers(0, n // 2 + 1)) for v in range(3) if rng.random() < 0.5}
        least = {v: int(rng.integers(0, n // 4 + 1)) for v in range(3) if rng.random() < 0.4}
        one, more = bounded(f"f{number}", codes, most, least, len(written))
        made.append(one)
        written += more
    keep = np.sort(rng.choice(n, int(rng.integers(0, 3)), replace=False))
    drop = np.setdiff1d(rng.choice(n, int(rng.integers(0, 3)), replace=False), keep)
    return Limits(bounds=written, fields=tuple(made), keep=keep, drop=drop)


def holds(limits: Limits, taken: Any) -> bool:
    taken = np.array(taken, dtype=np.int64)
    for one in limits.fields:
        counts = np.bincount(one.codes[taken], minlength=len(one.names))
        if (counts > one.most).any() or (counts < one.least).any():
            return False
    return set(limits.keep) <= set(taken.tolist()) and not set(limits.drop) & set(taken.tolist())


def cell_of(limits: Limits) -> Ints:
    key = np.zeros(len(limits.fields[0].codes), dtype=np.int64)
    for one in limits.fields:
        key = key * 10 + one.codes
    return np.unique(key, return_inverse=True)[1].reshape(-1)


def best_distance(limits: Limits, n: int, total: int) -> int | None:
    """Least distance of any feasible set's cell counts from those of the policy under the maximums alone."""
    free = Limits(
        fields=tuple(
            Bounded(f.field, f.codes, f.names, f.least * 0, f.most, f.least_by * 0 - 1, f.most_by)
            for f in limits.fields
        ),
        keep=limits.keep,
        drop=limits.drop,
    )
    cells = cell_of(limits)
    maximums = [(f.codes, f.most) for f in free.fields]
    basket = Basket(np.ones(n, dtype=np.int64), total, *maximums[0], limits.keep.tolist(), maximums[1:])
    basket.refuse(limits.drop, DROPPED)
    basket.fill(np.arange(n))
    wished = np.bincount(cells[basket.taken], minlength=cells.max() + 1)
    distances = [
        int(np.abs(np.bincount(cells[list(taken)], minlength=len(wished)) - wished).sum())
        for taken in itertools.combinations(range(n), total)
        if holds(limits, taken)
    ]
    return min(distances, default=None)


@pytest.mark.parametrize("trial", range(40))
def test_fill_keeps_every_bound_or_refuses_with_a_change_that_works(trial: int) -> None:
    n, total = 11, 5
    limits = random_limits("fill", trial, n)
    best = best_distance_or_keeps(limits, n, total)
    pool, budget = candidates(n), Budget(total)
    if best is None:
        with pytest.raises(SelectionError) as error:
            fill(pool, First(), budget, limits, Setting())
        text = str(error.value).partition("try:")[2]
        changed = dict(re.findall(r"(--m\w\w f\d:\d)=\d+ -> (\d+)", text))
        assert changed, str(error.value)
        basket, _ = fill(pool, First(), budget, loosened(limits, changed), Setting())
        assert holds(loosened(limits, changed), basket.taken)
        assert len(basket) == total
        # no smaller change of one bound would do
        if len(changed) == 1:
            [(name, number)] = changed.items()
            before = next(b for b in limits.bounds if b.name == name).number
            step = 1 if before > int(number) else -1
            if abs(before - int(number)) > 1:
                with pytest.raises(SelectionError):
                    fill(pool, First(), budget, loosened(limits, {name: str(int(number) + step)}), Setting())
        return
    basket, _ = fill(pool, First(), budget, limits, Setting())
    assert len(basket) == total
    assert holds(limits, basket.taken)
    assert basket.kept == len(limits.keep)
    assert basket.taken[: basket.kept] == limits.keep.tolist()


def best_distance_or_keeps(limits: Limits, n: int, total: int) -> int | None:
    """As `best_distance`; 0 stands for any distance where the must-keeps alone break a maximum under the first run."""
    feasible = [t for t in itertools.combinations(range(n), total) if holds(limits, t)]
    return 0 if feasible else None


def loosened(limits: Limits, changed: dict[str, str]) -> Limits:
    """The limits with some bounds changed."""
    bounds = tuple(
        Bound(b.kind, b.field, b.value, int(changed[b.name])) if b.name in changed else b for b in limits.bounds
    )
    fields = []
    for one in limits.fields:
        least, most = one.least.copy(), one.most.copy()
        for by, numbers in ((one.least_by, least), (one.most_by, most)):
            for value in np.flatnonzero(by >= 0):
                numbers[value] = bounds[by[value]].number
        fields.append(Bounded(one.field, one.codes, one.names, least, most, one.least_by, one.most_by))
    return Limits(bounds=bounds, fields=tuple(fields), keep=limits.keep, drop=limits.drop)


@pytest.mark.parametrize("trial", range(25))
def test_counts_are_the_nearest_to_the_wishes(trial: int) -> None:
    n, total = 11, 5
    limits = random_limits("nearest", trial, n)
    if best_distance_or_keeps(limits, n, total) is None:
        return
    best = best_distance(limits, n, total)
    basket, _ = fill(candidates(n), First(), Budget(total), limits, Setting())
    cells = cell_of(limits)
    maximums = [(f.codes, f.most) for f in limits.fields]
    free = Basket(np.ones(n, dtype=np.int64), total, *maximums[0], limits.keep.tolist(), maximums[1:])
    free.refuse(limits.drop, DROPPED)
    free.fill(np.arange(n))
    wished = np.bincount(cells[free.taken], minlength=cells.max() + 1)
    got = np.bincount(cells[basket.taken], minlength=cells.max() + 1)
    assert int(np.abs(got - wished).sum()) == best


def test_three_fields_are_solved_in_whole_numbers() -> None:
    for trial in range(12):
        limits = random_limits("three", trial, 10, fields=3)
        feasible = best_distance_or_keeps(limits, 10, 4) is not None
        if feasible:
            basket, _ = fill(candidates(10), First(), Budget(4), limits, Setting())
            assert holds(limits, basket.taken)
            assert len(basket) == 4
        else:
            with pytest.raises(SelectionError):
                fill(candidates(10), First(), Budget(4), limits, Setting())


@pytest.mark.parametrize("trial", range(12))
def test_filling_a_basket_at_once_is_filling_it_one_by_one(trial: int) -> None:
    rng = stream("test basket", trial)
    n = 80
    cost = rng.integers(1, 5, n) if trial % 2 else np.full(n, 3)
    dims = [(rng.integers(0, 6, n), rng.integers(0, 9, 6)) for _ in range(1 + trial % 3)]
    order = rng.permutation(n)[:70]
    gains = rng.random(70)
    at_once, slow = (Basket(cost, 60, *dims[0], [], dims[1:]) for _ in range(2))
    for basket in (at_once, slow):
        basket.refuse(order[:5], "no")
    at_once.fill(order, gains)
    for candidate, gain in zip(order.tolist(), gains.tolist(), strict=True):
        if slow.admits(candidate):
            slow.add(candidate, gain)
    assert at_once.taken == slow.taken
    assert at_once.gains == slow.gains
    assert at_once.left == slow.left
    assert np.array_equal(at_once.open(), slow.open())
    assert np.array_equal(at_once.room, slow.room)
    assert at_once.open().tolist() == [at_once.admits(one) for one in range(n)]


def test_maximums_alone_take_one_run_and_the_first_in_order() -> None:
    field, written = bounded("source", [0, 0, 0, 1, 1, 2], {0: 1, 1: 1}, {}, 0)
    basket, choice = fill(candidates(6), First(), Budget(3), Limits(bounds=written, fields=(field,)), Setting())
    assert basket.taken == [0, 3, 5]
    assert not choice.notes


def test_maximums_of_two_fields_do_not_stand_in_each_others_way() -> None:
    # greedy takes (a, x) and then nothing fits: b is only with x. Quotas find (a, y), (b, x).
    one, first = bounded("f", [0, 0, 1], {0: 1, 1: 1}, {}, 0)
    two, second = bounded("g", [0, 1, 0], {0: 1, 1: 1}, {}, 2)
    limits = Limits(bounds=first + second, fields=(one, two))
    basket, choice = fill(candidates(3), First(), Budget(2), limits, Setting())
    assert sorted(basket.taken) == [1, 2]
    assert "quotas" in choice.notes[-1]


@pytest.mark.parametrize("trial", range(20))
def test_tokens_are_met_within_one_record_and_minimums_hold(trial: int) -> None:
    rng = stream("test tokens", trial)
    n = 60
    cost = rng.integers(5, 60, n)
    one, written = bounded("f", rng.integers(0, 3, n), {0: 12}, {1: 6, 2: 3}, 0)
    limits = Limits(bounds=written, fields=(one,), keep=np.array([3, 8]), drop=np.array([0]))
    budget = Budget(800, "tokens")
    basket, _ = fill(candidates(n, cost), First(), budget, limits, Setting())
    taken = np.array(basket.taken)
    assert holds(limits, taken)
    assert cost[taken].sum() + basket.left == 800
    assert len(set(basket.taken)) == len(taken)
    assert not basket.open().any()
    assert basket.kept == 2


def test_tokens_too_few_for_the_minimums_name_the_tokens_that_do() -> None:
    cost = np.array([50, 40, 30, 20, 10, 10])
    one, written = bounded("f", [0, 0, 0, 1, 1, 1], {}, {0: 2}, 0)
    limits = Limits(bounds=written, fields=(one,))
    with pytest.raises(SelectionError, match="budget '70 tokens'"):
        fill(candidates(6, cost), First(), Budget(60, "tokens"), limits, Setting())
    basket, _ = fill(candidates(6, cost), First(), Budget(70, "tokens"), limits, Setting())
    assert sorted(basket.taken) == [1, 2]


def test_a_policy_that_refuses_leaves_other_cells_to_fill() -> None:
    # quality falls from 1 to 0 over ten; a floor at .5 refuses the last five, so f=1 can give two only
    codes = [0, 1, 0, 1, 0, 1, 1, 1, 1, 1]
    one, written = bounded("f", codes, {}, {1: 2}, 0)
    basket, _ = fill(candidates(10), First(0.5), Budget(4), Limits(bounds=written, fields=(one,)), Setting())
    assert len(basket) == 4
    assert holds(Limits(fields=(one,)), basket.taken)
    one, written = bounded("f", codes, {}, {1: 3}, 0)
    with pytest.raises(SelectionError, match="--min f:1=2"):
        fill(candidates(10), First(0.5), Budget(4), Limits(bounds=written, fields=(one,)), Setting())


def test_drops_and_duplicates_are_refused_with_their_reason() -> None:
    gone = Duplicates(np.array([1]), np.array([0]), np.array([0.92]), 0.8, "near-duplicate of a candidate", "")
    limits = Limits(drop=np.array([0]), duplicates=gone)
    basket, _ = fill(candidates(4), First(), Budget(2), limits, Setting())
    assert basket.taken == [2, 3]
    assert [basket.reasons[at] for at in basket.reason[:2]] == [DROPPED, "near-duplicate of a candidate"]
    assert basket.rival[1] == 0
    assert basket.score[1] == 0.92
    assert basket.threshold[1] == 0.8


def test_many_groups_are_fast_and_exact() -> None:
    n = 200_000
    codes = stream("test groups").integers(0, n // 3, n)
    codes = np.unique(codes, return_inverse=True)[1].reshape(-1)
    groups = int(codes.max()) + 1
    one = Bounded(
        "group",
        codes.astype(np.int64),
        tuple(map(str, range(groups + 1))),
        np.zeros(groups + 1, dtype=np.int64),
        np.append(np.ones(groups, dtype=np.int64), n),
        np.full(groups + 1, -1),
        np.append(np.zeros(groups, dtype=np.int64), -1),
    )
    limits = Limits(bounds=(Bound("max", "group", None, 1),), fields=(one,))
    basket, _ = fill(candidates(n), First(), Budget(groups), limits, Setting())
    assert len(basket) == groups
    assert np.bincount(codes[basket.taken]).max() == 1
    with pytest.raises(SelectionError, match="--max group=1 -> 2"):
        fill(candidates(n), First(), Budget(groups + 1), limits, Setting())


def test_thousands_of_cells_are_solved_soon_and_alike() -> None:
    rng = stream("test cells")
    values = np.stack(np.divmod(np.arange(4000), 50), axis=1)
    available = rng.integers(0, 30, 4000)
    cell = np.tile(np.arange(4000), 2)
    row = np.concatenate([values[:, 0], 80 + values[:, 1]])
    there = np.bincount(row, available[cell]).astype(np.int64)
    sums = Sums(cell, row, there // 5, there // 3, np.zeros(130, dtype=np.int64), np.ones(130, dtype=np.int64))
    program = Program(np.zeros(4000, dtype=np.int64), available, sums, 2)
    wished, total = available // 2, int(available.sum()) // 4
    first, second = program.nearest(wished, total), program.nearest(wished, total)
    assert first is not None
    assert second is not None
    assert np.array_equal(first, second)
    got = np.bincount(row, first[cell]).astype(np.int64)
    assert first.sum() == total
    assert (got >= sums.least).all()
    assert (got <= sums.most).all()
