"""Which records make which arm of a block: one linear program over all of them.

A record is in an arm to a share in [0, 1]; nearly all shares come out as 0 or 1. Every arm takes an exact number of
records of each kind, and at most one record of a prompt. What must not move has the same mean in all arms, at a level
that is free; a factor has the mean `middle + code * half` in an arm of code -1, 0 or 1, where middle and half gap are free
(or given) and shared by all arms. The squared projections on the main axes of the embedding have one mean in all arms of
one level of diversity: so diversity cannot follow the other factors.

First the largest gap is found, in pool SDs and the same for all factors; then the gap is fixed and the costs are random:
of all designs that hold, one is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Method: TypeAlias = Literal["highs-ipm", "highs-ds"]
METHODS: tuple[Method, ...] = ("highs-ipm", "highs-ds")
"""The interior point is four times faster at finding the gap, the simplex a little at a random draw."""

_SOLVED, _INFEASIBLE = 0, 2

LEVELS_APART = 4.0
"""A gap of more than so many pool SDs is no gap of means that a program should look for."""


@dataclass(frozen=True)
class Part:
    """One arm of a block.

    Attributes:
        name: of the arm.
        codes: level of each factor: -1, 0 or 1.
        records: positions in the pool that it may take, ascending (m,).
        counts: how many records of each kind it takes, (k,).
    """

    name: str
    codes: Mapping[str, int]
    records: Ints
    counts: Ints

    @property
    def size(self) -> int:
        """Records in the arm."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class Problem:
    """The arms of one block and what is asked of them. Columns are of the pool's n records, in pool SDs.

    Attributes:
        parts: the arms.
        kinds: of each record (n,).
        prompts: of each record (n,); -1: it has none that others share.
        moved: factor to its column.
        matched: name of a limit to columns (n, j) whose means are equal in all arms.
        pinned: columns (n, j) whose means are equal in all arms of one level of diversity, by that level.
        totals: columns (n,) in units of their mean whose sum over an arm is given to within 1, with the sum.
        levels: factor to (middle, half gap) where they are given, in pool SDs from the pool's mean.
        cap: records of one prompt that an arm may have.
    """

    parts: tuple[Part, ...]
    kinds: Ints
    prompts: Ints
    moved: Mapping[str, Floats]
    matched: Mapping[str, Floats] = field(default_factory=dict)
    pinned: Mapping[int, Floats] = field(default_factory=dict)
    totals: Mapping[str, tuple[Floats, float]] = field(default_factory=dict)
    levels: Mapping[str, tuple[float | None, float]] = field(default_factory=dict)
    cap: int = 1

    def without(self, limit: str) -> Problem:
        """The same without one limit: a name of `matched` or `totals`, "diversity" or "prompts"."""
        if limit == "diversity":
            return replace(self, pinned={})
        if limit == "prompts":
            return replace(self, prompts=np.full_like(self.prompts, -1))
        return replace(
            self,
            matched={name: column for name, column in self.matched.items() if name != limit},
            totals={name: total for name, total in self.totals.items() if name != limit},
        )

    @property
    def limits(self) -> tuple[str, ...]:
        """Names of what could be given up."""
        capped = ("prompts",) if (self.prompts >= 0).any() else ()
        return (*dict.fromkeys([*self.matched, *self.totals]), *(("diversity",) if self.pinned else ()), *capped)


@dataclass(frozen=True)
class Solution:
    """Shares of the records of each part (m,), the common gap, and middle and half gap of each factor, in pool SDs."""

    shares: tuple[Floats, ...]
    gap: float
    levels: Mapping[str, tuple[float, float]]


class _Rows:
    """Rows of a sparse matrix, collected as triplets."""

    def __init__(self) -> None:
        self.rows: list[Ints] = []
        self.columns: list[Ints] = []
        self.values: list[Floats] = []
        self.right: list[float] = []

    def add(self, columns: Ints, values: Floats, right: float) -> None:
        """One row."""
        self.rows.append(np.full(len(columns), len(self.right)))
        self.columns.append(columns)
        self.values.append(values)
        self.right.append(right)

    def matrix(self, width: int) -> tuple[Any, Floats] | tuple[None, None]:
        """The matrix and its right side; None without rows."""
        from scipy import sparse  # noqa: PLC0415 - slow to import

        if not self.right:
            return None, None
        places = (np.concatenate(self.rows), np.concatenate(self.columns))
        matrix = sparse.csr_array((np.concatenate(self.values), places), shape=(len(self.right), width))
        return matrix, np.array(self.right)


class Program:
    """The linear program of a problem: built once, solved for the gap and then for a draw."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        sizes = [len(part.records) for part in problem.parts]
        self.bounds = np.concatenate([[0], np.cumsum(sizes)])
        self.width = int(self.bounds[-1])
        self._equal, self._most = _Rows(), _Rows()
        self._lows, self._highs = [0.0] * self.width, [1.0] * self.width
        self._factors = {name: (self._variable(), self._variable(0.0, LEVELS_APART)) for name in problem.moved}
        self.gap = self._variable(0.0, LEVELS_APART)
        self._levels()
        self._kinds()
        self._prompts()
        for columns in problem.matched.values():
            for column in columns.T:
                self._same(column, problem.parts)
        for level, columns in problem.pinned.items():
            mine = tuple(part for part in problem.parts if part.codes.get("D", 1) == level)
            for column in columns.T if len(mine) > 1 else ():
                self._same(column, mine)
        for column, total in problem.totals.values():
            for part in problem.parts:
                self._most.add(self._places(part), column[part.records], total + 1)
                self._most.add(self._places(part), -column[part.records], 1 - total)

    def _variable(self, low: float = -np.inf, high: float = np.inf) -> int:
        self._lows.append(low)
        self._highs.append(high)
        return len(self._lows) - 1

    def _places(self, part: Part) -> Ints:
        at = self.problem.parts.index(part)
        return np.arange(self.bounds[at], self.bounds[at + 1])

    def _levels(self) -> None:
        """The mean of a factor in an arm is middle + code * half; gaps that are not given are the common one."""
        for name, column in self.problem.moved.items():
            middle, half = self._factors[name]
            for part in self.problem.parts:
                columns = np.append(self._places(part), [middle, half])
                values = np.append(column[part.records] / part.size, [-1.0, -float(part.codes[name])])
                self._equal.add(columns, values, 0.0)
            if name in self.problem.levels:
                given, apart = self.problem.levels[name]
                self._lows[half] = self._highs[half] = apart
                if given is not None:
                    self._lows[middle] = self._highs[middle] = given
            else:
                self._equal.add(np.array([half, self.gap]), np.array([2.0, -1.0]), 0.0)

    def _kinds(self) -> None:
        for part in self.problem.parts:
            kinds, places = self.problem.kinds[part.records], self._places(part)
            for kind in np.flatnonzero(part.counts):
                inside = places[kinds == kind]
                self._equal.add(inside, np.ones(len(inside)), float(part.counts[kind]))

    def _prompts(self) -> None:
        for part in self.problem.parts:
            prompts, places = self.problem.prompts[part.records], self._places(part)
            order = np.argsort(prompts, kind="stable")
            _, starts, counts = np.unique(prompts[order], return_index=True, return_counts=True)
            for start, count in zip(starts, counts, strict=True):
                if count > self.problem.cap and prompts[order[start]] >= 0:
                    inside = places[order[start : start + count]]
                    self._most.add(inside, np.ones(count), float(self.problem.cap))

    def _same(self, column: Floats, parts: tuple[Part, ...]) -> None:
        """One mean in all these parts."""
        level = self._variable()
        for part in parts:
            values = np.append(column[part.records] / part.size, -1.0)
            self._equal.add(np.append(self._places(part), level), values, 0.0)

    def widest(self) -> Solution | None:
        """The solution of the largest gap; None where there is none at all."""
        costs = np.zeros(len(self._lows))
        costs[self.gap] = -1.0
        return self._solve(costs, METHODS)

    def drawn(self, gap: float, rng: np.random.Generator) -> Solution | None:
        """A solution with this gap, drawn by random costs; None where there is none."""
        costs = np.zeros(len(self._lows))
        costs[: self.width] = rng.random(self.width)
        return self._solve(costs, METHODS[::-1], gap)

    def _solve(self, costs: Floats, methods: Sequence[Method], gap: float | None = None) -> Solution | None:
        from scipy.optimize import linprog  # noqa: PLC0415 - slow to import

        lows, highs = np.array(self._lows), np.array(self._highs)
        if gap is not None:
            lows[self.gap] = highs[self.gap] = gap
        equal, right = self._equal.matrix(len(lows))
        most, caps = self._most.matrix(len(lows))
        bounds = np.stack([lows, highs], axis=1)
        for method in methods:
            found: Any = linprog(costs, most, caps, equal, right, bounds, method=method)  # type: ignore[call-overload,misc]
            if found.status in (_SOLVED, _INFEASIBLE):  # else a numerical failure: the other method may do
                break
        if found.status != _SOLVED:
            return None
        cut = [found.x[a:b].clip(0, 1) for a, b in zip(self.bounds, self.bounds[1:], strict=False)]
        levels = {name: (float(found.x[a]), float(found.x[b])) for name, (a, b) in self._factors.items()}
        return Solution(tuple(cut), float(found.x[self.gap]), levels)
