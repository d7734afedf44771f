"""A policy's run under limits: every bound and the budget hold exactly, whatever the policy.

Maximums are room in the basket, so one run keeps them. Where that run misses a minimum, or maximums of several fields
stand in each other's way, its counts are wishes. With a budget in which candidates count the same, the policy runs again
with quotas: whole counts of each combination of values, nearest to the wishes in sum of absolute differences, that meet
every bound and the budget. With a budget of tokens, it first takes the least that meets the minimums, then all else under
the maximums. Where the policy's own rule keeps it from filling a quota, the quotas are found anew without what it
refuses; where no quotas are left, the limits are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from triptych.core.basket import Basket
from triptych.core.budget import Budget
from triptych.core.candidates import Candidates, Ints
from triptych.core.errors import SelectionError, message
from triptych.core.selector import Choice, Selector, Setting
from triptych.data.values import excerpt
from triptych.selecting.limits import Bound, Bounded, Limits
from triptych.selecting.quotas import Program, Sums

DROPPED = "on the drop list"
_RUNS = 5
_EARLY = 20_000
"""Up to so many cells it takes moments to tell, before the policy runs, whether anything meets the limits."""
_SHARES = (1.0, 0.5, 0.25, 0.1, 0.05)
"""Where the minimums do not fit a budget of tokens, so much of each cell's candidates, the cheapest, may meet them."""


def fill(
    candidates: Candidates, policy: Selector, budget: Budget, limits: Limits, setting: Setting
) -> tuple[Basket, Choice]:
    """Run a policy under limits.

    Args:
        candidates: n candidates.
        policy: the policy.
        budget: in the unit of their cost.
        limits: resolved over these candidates; must-keeps outside them are paid from the budget first.
        setting: seed, threads, progress. Runs after the first tell no progress.

    Returns:
        The basket, whose first `kept` are the must-keeps, and what the policy says.

    Raises:
        SelectionError: the limits cannot be met together, or not by this policy; with the smallest change that would do.
    """
    return _Filling(candidates, policy, budget, limits, setting).run()


@dataclass(frozen=True, eq=False)
class _Joint:
    """Combinations of values of the bounded fields: of each candidate (n,), and the values of each (c, fields)."""

    of: Ints
    values: Ints


def _joint(limits: Limits, n: int) -> _Joint:
    of = np.zeros(n, dtype=np.int64)
    for one in limits.fields:
        of = np.unique(of * len(one.names) + one.codes, return_inverse=True)[1].reshape(-1).astype(np.int64)
    _, first = np.unique(of, return_index=True)
    columns = [one.codes[first] for one in limits.fields]
    return _Joint(of, np.stack(columns, axis=1) if columns else np.zeros((len(first), 0), dtype=np.int64))


def _bounded_values(one: Bounded) -> Ints:
    return np.flatnonzero((one.least_by >= 0) | (one.most_by >= 0))


def _program(limits: Limits, joint: _Joint, open_: np.ndarray[Any, Any], keep: Ints) -> Program:
    """The bounds over the cells; sums that nothing bounds are left out."""
    cells = len(joint.values)
    cell, row, columns, at = [], [], [], 0
    for number, one in enumerate(limits.fields):
        bounded = _bounded_values(one)
        place = np.full(len(one.names), -1)
        place[bounded] = at + np.arange(len(bounded))
        mine = place[joint.values[:, number]]
        cell.append(np.flatnonzero(mine >= 0))
        row.append(mine[mine >= 0])
        columns.append([values[bounded] for values in (one.least, one.most, one.least_by, one.most_by)])
        at += len(bounded)
    none = np.zeros(0, dtype=np.int64)
    sides = [np.concatenate([part[side] for part in columns] or [none]) for side in range(4)]
    sums = Sums(np.concatenate(cell or [none]), np.concatenate(row or [none]), *sides)
    return Program(
        np.bincount(joint.of[keep], minlength=cells),
        np.bincount(joint.of[open_], minlength=cells),
        sums,
        len(limits.fields),
    )


class _Filling:
    """One call of `fill`."""

    def __init__(
        self, candidates: Candidates, policy: Selector, budget: Budget, limits: Limits, setting: Setting
    ) -> None:
        self._candidates, self._policy, self._budget, self._limits = candidates, policy, budget, limits
        self._setting = setting
        n, cost = len(candidates), candidates.cost
        self._left = budget.number - limits.spent
        self._even = int(cost.min(initial=1)) == int(cost.max(initial=1))
        self._total = self._left // int(cost.max(initial=1))
        self._open = np.ones(n, dtype=np.bool_)
        self._open[limits.drop] = False
        if limits.duplicates is not None:
            self._open[limits.duplicates.at] = False

    def run(self) -> tuple[Basket, Choice]:
        """The policy under the maximums and, where that is not enough, under quotas."""
        limits = self._limits
        if not limits.fields:
            return self._once(self._basket(), self._setting)
        self._joint = _joint(limits, len(self._candidates))
        self._program = _program(limits, self._joint, self._open, limits.keep)
        minimums = any((one.least > 0).any() for one in limits.fields)
        early = minimums and len(self._joint.values) <= _EARLY
        if early or not self._keeps_fit():
            self._check()
        basket, choice = self._once(self._basket(), self._setting)
        if self._holds(basket) and (basket.spent or not self._could_hold_more(basket)):
            return basket, self._said_full(basket, choice)
        wished = self._counts(basket)
        return self._by_quotas(wished) if self._even else self._minimums_first(wished)

    def _once(self, basket: Basket, setting: Setting) -> tuple[Basket, Choice]:
        return basket, self._policy.choose(self._candidates, basket, setting)

    def _quietly(self, basket: Basket) -> tuple[Basket, Choice | None, SelectionError | None]:
        """A further run; a policy that says it has too few may have filled the basket so far."""
        setting = Setting(seed=self._setting.seed, threads=self._setting.threads, cache=self._setting.cache)
        try:
            return basket, self._policy.choose(self._candidates, basket, setting), None
        except SelectionError as error:
            return basket, None, error

    def _basket(self, quotas: Ints | None = None, taken: Sequence[int] = (), closed: Ints | None = None) -> Basket:
        """A basket with the must-keeps in it, and what was taken before; drops, duplicates and `closed` are shut."""
        cost, limits = self._candidates.cost, self._limits
        dims = [(one.codes, one.most) for one in limits.fields if (one.most_by >= 0).any()]
        if quotas is not None:
            dims = [(self._joint.of, quotas)]
        if closed is not None and len(closed):
            shut = np.zeros(len(cost), dtype=np.int64)
            shut[closed] = 1
            dims.append((shut, np.array([len(cost), 0])))
        dims.sort(key=lambda dim: -len(dim[1]))  # policies that plan by cells see the finest
        cells, room = dims[0] if dims else (None, None)
        basket = Basket(cost, self._left, cells, room, limits.keep.tolist(), dims[1:])
        for candidate in taken:
            basket.add(candidate)
        basket.kept = len(basket)
        if len(limits.drop):
            basket.refuse(limits.drop, DROPPED)
        gone = limits.duplicates
        if gone is not None and len(gone.at):
            basket.refuse(gone.at, gone.why, gone.similarity, gone.threshold, gone.rival)
        return basket

    def _counts(self, basket: Basket) -> Ints:
        return np.bincount(self._joint.of[basket.taken], minlength=len(self._joint.values))

    def _short(self, basket: Basket) -> list[tuple[Bound, int]]:
        """Minimums that the basket misses: the written bound, and by how much."""
        taken = np.array(basket.taken, dtype=np.int64)
        out: dict[int, int] = {}
        for one in self._limits.fields:
            missing = one.least - np.bincount(one.codes[taken], minlength=len(one.names))
            for value in np.flatnonzero(missing > 0).tolist():
                by = int(one.least_by[value])
                out[by] = max(out.get(by, 0), int(missing[value]))
        return [(self._limits.bounds[by], missing) for by, missing in out.items()]

    def _holds(self, basket: Basket) -> bool:
        return not self._short(basket)

    def _could_hold_more(self, basket: Basket) -> bool:
        """Whether other counts of what the policy does not refuse would spend more of the budget."""
        if not self._even or len(self._limits.fields) == 1:
            return False
        left = self._counts(basket) + np.bincount(
            self._joint.of[(basket.reason < 0) & ~self._in(basket)], minlength=len(self._joint.values)
        )
        most = self._program.largest(left)
        return most is not None and min(most, self._total) > len(basket)

    def _in(self, basket: Basket) -> Any:
        taken = np.zeros(len(self._candidates), dtype=np.bool_)
        taken[basket.taken] = True
        return taken

    def _said_full(self, basket: Basket, choice: Choice) -> Choice:
        """Say so where it is the maximums that leave some of a budget of tokens."""
        fits = (basket.reason < 0) & ~self._in(basket) & (basket.cost <= basket.left)
        if self._even or not (fits & ~basket.open()).any():
            return choice
        return _noted(choice, f"The maximums are full: {basket.left:,} {self._budget.unit} of the budget are left.")

    def _keeps_fit(self) -> bool:
        """Whether the must-keeps are within every maximum, and the maximums of each field leave enough for the budget."""
        keep, open_ = self._limits.keep, np.flatnonzero(self._open)
        for one in self._limits.fields:
            if (np.bincount(one.codes[keep], minlength=len(one.names)) > one.most).any():
                return False
            there = np.bincount(one.codes[open_], minlength=len(one.names))
            if self._even and int(np.minimum(there, one.most).sum()) < self._total:
                return False
        return True

    def _check(self) -> None:
        """Refuse limits that nothing meets, with the smallest change that would do.

        Raises:
            SelectionError: they cannot be met together.
        """
        total = self._total if self._even else None
        if total is None:
            met = self._program.needed(self._program.kept) is not None
        else:
            met = self._program.nearest(self._program.kept, total) is not None
        if not met:
            raise refusal(self._limits, self._program, self._budget, total, int(self._candidates.cost.max(initial=1)))

    def _by_quotas(self, wished: Ints) -> tuple[Basket, Choice]:
        """The policy with quotas nearest to its wishes; what it does not fill counts as not there, and quotas change."""
        available, total = self._program.available, self._total
        best: tuple[Basket, Choice] | None = None
        error: SelectionError | None = None
        basket = self._basket()
        for _ in range(_RUNS):
            quotas = self._program.nearest(wished, total, available)
            if quotas is None:
                if best is None and error is None and available is self._program.available:
                    self._check()
                most = self._program.largest(available)  # less than the budget, where the policy refuses so many
                if most is None:
                    break
                total = min(total, most)
                quotas = self._program.nearest(wished, total, available)
                if quotas is None:
                    break
            basket, choice, error = self._quietly(self._basket(quotas))
            got = self._counts(basket)
            if choice is not None and self._holds(basket) and (best is None or len(basket) > len(best[0])):
                best = basket, choice
            if (got == quotas).all():
                break
            available = np.where(got < quotas, got, available)
        if best is None:
            raise self._not_by_policy(basket) from error
        return best[0], _noted(best[1], "The policy ran again with quotas, so that every bound and the budget hold.")

    def _minimums_first(self, wished: Ints) -> tuple[Basket, Choice]:
        """First the least that meets the minimums, then all else under the maximums."""
        need = self._program.needed(wished)
        if need is None:
            raise refusal(self._limits, self._program, self._budget, None, 1)
        basket = self._basket()
        error: SelectionError | None = None
        for share in _SHARES:
            basket, _, error = self._quietly(self._basket(need, closed=self._dear(need, share)))
            if self._holds(basket):
                break
        else:
            self._check_cheapest(need)
            raise self._not_by_policy(basket) from error
        first = basket.taken[len(self._limits.keep) :]
        gains = basket.gains
        basket, choice, error = self._quietly(self._basket(taken=first))
        if error is not None or choice is None:
            raise error or self._not_by_policy(basket)
        basket.kept = len(self._limits.keep)
        basket.gains[: len(gains)] = gains
        choice = _noted(choice, f"The policy first took {len(first):,} records that meet the minimums.")
        return basket, self._said_full(basket, choice)

    def _dear(self, need: Ints, share: float) -> Ints:
        """Candidates that are not among the cheapest share of their cell; at least what is needed is left of each."""
        if share >= 1:
            return np.zeros(0, dtype=np.int64)
        of, cost = self._joint.of, self._candidates.cost
        order = np.flatnonzero(self._open)
        order = order[np.lexsort((order, cost[order], of[order]))]
        cells = of[order]
        number = np.arange(len(order)) - np.searchsorted(cells, cells)
        size = np.bincount(cells, minlength=len(need))
        stay = np.maximum(np.ceil(share * size).astype(np.int64), need)
        dear = order[number >= stay[cells]]
        return np.setdiff1d(dear, self._limits.keep)

    def _check_cheapest(self, need: Ints) -> None:
        """Refuse a budget of tokens that not even the cheapest candidates of each cell leave enough of."""
        keep, cost = self._limits.keep, self._candidates.cost
        rest = np.setdiff1d(np.flatnonzero(self._open), keep)
        rest = rest[np.lexsort((cost[rest], self._joint.of[rest]))]
        cells = self._joint.of[rest]
        number = np.arange(len(rest)) - np.searchsorted(cells, cells)
        left = need - np.bincount(self._joint.of[keep], minlength=len(need))
        takes = int(cost[keep].sum() + cost[rest[number < left[cells]]].sum()) + self._limits.spent
        if takes > self._budget.number:
            what = "the budget is too small for the minimums."
            got = f"the shortest records that meet them take {takes:,} {self._budget.unit}"
            hint = f"--budget '{takes} {self._budget.unit}'"
            raise SelectionError(message(what, got=got, want=f"at most {self._budget}", hint=hint))

    def _not_by_policy(self, basket: Basket) -> SelectionError:
        """The policy's own rule stands against the minimums."""
        short = self._short(basket)
        counts = [(int((basket.reason == at).sum()), why) for at, why in enumerate(basket.reasons)]
        got = "; ".join(f"{bound} falls short by {missing:,}" for bound, missing in short)
        refused = ", ".join(f"{count:,} {why}" for count, why in counts if count)
        hint = ", ".join(f"{bound.name}={bound.number - missing}" for bound, missing in short)
        what = f"{self._policy.name} leaves too few for the minimums" + (f": it refuses {refused}." if refused else ".")
        return SelectionError(
            message(what, got=got or None, want="bounds that its dials leave room for", hint=hint or None)
        )


def _noted(choice: Choice, note: str) -> Choice:
    return replace(choice, notes=(*choice.notes, note))


def refusal(limits: Limits, program: Program, budget: Budget, total: int | None, each: int) -> SelectionError:
    """Limits that nothing meets: what stands against what, and the smallest change that would do."""
    change = program.change(total)
    tries = [_changed(limits.bounds[at], by) for at, by in change.bounds]
    hint = " and ".join(tries)
    if change.total is not None and total is not None and change.total != total and change.total > 0:
        spent = limits.spent + change.total * each
        hint += f"{', or ' if hint else ''}--budget {spent if budget.unit == 'records' else f'{spent} {budget.unit}'!r}"
    got = ", ".join(str(bound) for bound in limits.bounds)
    got += f"; {len(limits.keep):,} must-keeps" if len(limits.keep) else ""
    return SelectionError(
        message(_why(limits, program, total), got=got, want=f"a budget of {budget}", hint=hint or None)
    )


def _changed(bound: Bound, by: int) -> str:
    number = bound.number + (by if bound.kind == "max" else -by)
    return f"{bound} -> {number}"


def _why(limits: Limits, program: Program, total: int | None) -> str:
    """The first thing that stands in the way, in words."""
    matrix = program.sums.matrix(len(program.kept))
    there, kept = matrix @ program.available, matrix @ program.kept
    sums = program.sums
    rows = ((one.field, value) for one in limits.fields for value in _bounded_values(one).tolist())
    named = {one.field: one.names for one in limits.fields}
    for at, (name, value) in enumerate(rows):
        low, high = int(sums.least_by[at]), int(sums.most_by[at])
        of = f"{name} {excerpt(named[name][value])}"
        if sums.least[at] > there[at]:
            return f"{limits.bounds[low]}: of {of} there are only {int(there[at]):,}."
        if high >= 0 and kept[at] > sums.most[at]:
            return f"{limits.bounds[high]}: of {of} there are {int(kept[at]):,} must-keeps."
        if sums.least[at] > sums.most[at]:
            return f"{limits.bounds[low]} is above {limits.bounds[high]} for {of}."
    for one in limits.fields:
        least = int(one.least.sum())
        if total is not None and least > total:
            return f"the minimums of {one.field} sum to {least:,}, above the budget."
    if total is not None:
        most = program.largest()
        if most is not None and most < total:
            return f"under the maximums there are only {most:,} records."
    return "the limits cannot be met together."
