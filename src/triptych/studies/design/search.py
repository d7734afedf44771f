"""Solving the programs of all blocks, and what to say where there is no solution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SpecError, message
from triptych.core.rng import stream
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.studies.design.assign import Problem, Program, Solution
from triptych.studies.design.rounding import rounded

SHARE = 0.8
"""Of the largest gap: at the very limit .04 SDs of gap cost .16 SDs of length elsewhere."""

LEAST = 0.2
"""Pool SDs: a smaller gap between low and high arms is none."""


@dataclass(frozen=True)
class Draw:
    """One draw of the arms of one block."""

    problem: Problem
    gap: float
    labels: tuple[int, int, int]


def _widest(problem: Problem) -> Solution | None:
    return Program(problem).widest()


def _drawn(draw: Draw) -> list[NDArray[np.int64]] | None:
    solution = Program(draw.problem).drawn(draw.gap, stream("design", "draw", *draw.labels))
    if solution is None:
        return None
    problem, out = draw.problem, []
    columns = np.column_stack([*problem.moved.values(), *problem.matched.values(), *_totals(problem)])
    for index, (part, shares) in enumerate(zip(problem.parts, solution.shares, strict=True)):
        rng = stream("design", "round", *draw.labels, index)
        at = part.records
        out.append(at[rounded(shares, problem.kinds[at], problem.prompts[at], columns[at], rng)])
    return out


def _totals(problem: Problem) -> list[NDArray[np.float64]]:
    return [column for column, _ in problem.totals.values()]


@dataclass(frozen=True)
class Refusal:
    """Why arms cannot be had: the limit that binds, the largest gap with and without it, and the levels at the largest
    gap (middle and half gap of each factor), in pool SDs.
    """

    limit: str | None
    gap: float | None
    without: float | None
    levels: Mapping[str, tuple[float, float]]


class Search:
    """Solves programs in worker processes."""

    def __init__(self, engine: LocalEngine, progress: Progress, seed: int) -> None:
        self._engine, self._progress, self._seed = engine, progress, seed

    def gaps(self, problems: Sequence[Problem]) -> list[Solution | None]:
        """The solution of the largest gap of every problem."""
        with self._progress.stage("largest gap", unit="blocks", total=len(problems)) as stage:
            out = []
            for solution in self._engine.map(_widest, problems):
                out.append(solution)
                stage.advance(1)
        return out

    def draws(self, problems: Sequence[Problem], gap: float, draws: int) -> list[list[NDArray[np.int64]] | None]:
        """The records of every arm: block by block, draw by draw."""
        jobs = [
            Draw(problem, gap, (self._seed, block, draw))
            for block, problem in enumerate(problems)
            for draw in range(draws)
        ]
        with self._progress.stage("arms", unit="draws", total=len(jobs)) as stage:
            out = []
            for found in self._engine.map(_drawn, jobs):
                out.append(found)
                stage.advance(1)
        return out

    def refusal(self, problem: Problem) -> Refusal:
        """Which limit of a problem without enough of a gap binds: the one whose absence gives the largest."""
        free = replace(problem, levels={})
        limits = free.limits
        first, *others = self._engine.map(_widest, [free, *(free.without(limit) for limit in limits)])
        gaps = {limit: found.gap for limit, found in zip(limits, others, strict=True) if found}
        limit = max(gaps, key=lambda name: gaps[name]) if gaps else None
        levels = first.levels if first else {}
        return Refusal(limit, first.gap if first else None, gaps[limit] if limit else None, levels)


def smaller(make: Callable[[int], Problem | None], n: int, good: Callable[[Solution | None], bool]) -> int | None:
    """The largest of .8, .6, .4, .2, .1 of n records for which there is a good solution; None where there is none."""
    for share in (0.8, 0.6, 0.4, 0.2, 0.1):
        size = int(share * n)
        problem = make(size) if size >= 2 else None
        if problem is not None and good(_widest(problem)):
            return size
    return None


def separable(solution: Solution | None, moved: Mapping[str, object]) -> bool:
    """Whether a solution moves what it should by enough."""
    return solution is not None and (not moved or solution.gap >= LEAST)


def refused(what: str, found: Refusal, nearest: str | None) -> SpecError:
    """One message: not separable, the limit that binds, the nearest design that is feasible."""
    without = f" (without it: {found.without:.2f})" if found.without is not None else ""
    gap = "none" if found.gap is None else f"{found.gap:.2f} SDs at most"
    got = f"gap of the factors: {gap}; what binds: {found.limit or 'the number of records'}{without}"
    return SpecError(
        message(f"not separable in this pool: {what}.", got=got, want=f"a gap of {LEAST:g} SDs", hint=nearest)
    )
