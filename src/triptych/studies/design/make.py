"""Arms from a pool: sizes, blocks, programs solved, and the arms that every study has beside its design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SpecError, message
from triptych.core.rng import stream
from triptych.studies.design.assign import Problem, Solution
from triptych.studies.design.balance import Arm
from triptych.studies.design.clusters import Block
from triptych.studies.design.problems import Setup, problem_of
from triptych.studies.design.search import SHARE, Search, refused, separable, smaller

ALL_EQUAL = ("records", "tokens", "length")
BESIDE = ("random", "longest")


@dataclass(frozen=True)
class Made:
    """One design: what is equal, its arms, the largest gap of each block and the gap that was taken, in pool SDs."""

    equal: tuple[str, ...]
    arms: tuple[Arm, ...]
    widest: tuple[float, ...]
    gap: float

    @property
    def title(self) -> str:
        """As "equal records, tokens, length"."""
        return "equal " + ", ".join(self.equal)


class Maker:
    """Makes the arms of a setup."""

    def __init__(self, setup: Setup, search: Search) -> None:
        self.setup, self._search = setup, search
        self.n = self._size()
        self.blocks = self._blocks(self.n)
        self._known: dict[tuple[str, ...], Made] = {}

    def made(self, equal: tuple[str, ...], prefix: str = "") -> Made:
        """The arms of a design in which arms have equal records (and tokens, and length).

        Raises:
            SpecError: the levels are not separable in this pool; the message names the limit and the nearest design.
        """
        if "records" not in equal:
            return self._equal_tokens(equal, prefix)
        problems = self._problems(self.blocks, self.n, equal)
        widest: list[Solution | None] = []
        if set(problems[0].moved) - set(problems[0].levels):
            widest = self._search.gaps(problems)
            for problem, solution in zip(problems, widest, strict=True):
                if not separable(solution, problem.moved):
                    raise self._refused(problem, equal)
        gaps = [solution.gap for solution in widest if solution]
        gap = SHARE * min(gaps, default=0.0)
        self._known[equal] = Made(equal, self._drawn(problems, gap, equal, prefix), tuple(gaps), gap)
        return self._known[equal]

    def beside(self) -> list[Arm]:
        """The arms `random` and `longest`, at the budget; at most one answer to a prompt in the random one."""
        pool, request = self.setup.pool, self.setup.request
        out = []
        for draw in range(request.draws):
            order = stream("design", "random", request.seed, draw).permutation(len(pool))
            name = "random" if request.draws == 1 else f"random-s{draw}"
            out.append(Arm(name, {}, "", draw, self._filled(order[self._first_of_prompts(order)])))
        order = np.lexsort((pool.store.address()[pool.rows], -pool.length))
        out.append(Arm("longest", {}, "", 0, self._filled(order)))
        return out

    def _first_of_prompts(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places in an order where a prompt comes first, ascending."""
        prompts = self.setup.pool.prompts[order]
        names = np.where(prompts < 0, -1 - order, prompts)
        return np.sort(np.unique(names, return_index=True)[1])

    def _filled(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first records of an order that make the budget."""
        budget = self.setup.request.budget
        if budget.unit == "records":
            return np.sort(order[: self.n])
        total = self.setup.pool.tokens[order].cumsum()
        return np.sort(order[: int(np.searchsorted(total, budget.number)) + 1])

    def _size(self) -> int:
        """Records of an arm: as asked, or as many as have the tokens asked for in the arms' kinds."""
        budget, pool = self.setup.request.budget, self.setup.pool
        if budget.unit == "records":
            return budget.number
        n = max(round(budget.number / float(pool.tokens.mean())), 1)
        for _ in range(3):  # wide and narrow arms take other kinds than the pool has, and which depends on n
            blocks = self._blocks(n)
            n = max(round(budget.number / self._mean_tokens(blocks, n)), 1)
        return n

    def _mean_tokens(self, blocks: Sequence[Block], n: int) -> float:
        kinds, pool = self.setup.kinds, self.setup.pool
        sums = np.bincount(kinds.of, weights=pool.tokens, minlength=len(kinds.sizes))
        means = sums / np.maximum(np.bincount(kinds.of, minlength=len(kinds.sizes)), 1)
        if "D" not in self.setup.points[0]:
            return float(pool.tokens.mean())
        counts = [block.counts(code, n) for block in blocks for code in (-1, 1)]
        return float(np.mean([count @ means / n for count in counts if count is not None]))

    def _blocks(self, n: int) -> list[Block]:
        setup = self.setup
        blocks = setup.blocks(n)
        if blocks is not None and "D" in setup.points[0]:
            part = max(len(block.low) / np.count_nonzero(block.wide) for block in blocks)
            blocks = blocks if part <= 0.5 else None
        if blocks is not None:
            return blocks
        largest = self._largest(n)
        what = f"{setup.pool.dataset.name}: the pool is too small for arms of {n:,} records"
        what += " of which some are narrow." if "D" in setup.points[0] else "."
        holds = f"{int(setup.kinds.sizes.sum()):,} {'prompts' if setup.several else 'records'} in {len(setup.kinds.sizes)} kinds"
        hint = f"--budget {largest}" if largest else "a larger pool"
        raise SpecError(message(what, got=holds, want=f"{setup.room:g} to choose from for each one taken", hint=hint))

    def _largest(self, n: int) -> int | None:
        """The largest number of records below n for which there are blocks, to about 5 %."""
        size = n
        while size > 20:
            size = int(size * 0.95)
            blocks = self.setup.blocks(size)
            narrow = "D" in self.setup.points[0]
            if blocks and not (narrow and any(2 * len(b.low) > np.count_nonzero(b.wide) for b in blocks)):
                return size
        return None

    def _problems(self, blocks: Sequence[Block], n: int | Mapping[int, int], equal: tuple[str, ...]) -> list[Problem]:
        sizes = n if isinstance(n, Mapping) else dict.fromkeys((-1, 0, 1), n)
        found = [problem_of(self.setup, block, index, sizes, equal) for index, block in enumerate(blocks)]
        problems = [problem for problem in found if problem is not None]
        if len(problems) < len(found):
            raise SpecError(
                message("the pool is too small for the larger arms.", got=f"{max(sizes.values()):,} records")
            )
        budget, tokens = self.setup.request.budget, self.setup.pool.tokens
        if budget.unit == "tokens" and "tokens" in equal:
            mean = float(tokens.mean())
            total = {"tokens": (tokens / mean, budget.number / mean)}
            problems = [replace(problem, totals=total) for problem in problems]
        return problems

    def _drawn(self, problems: Sequence[Problem], gap: float, equal: tuple[str, ...], prefix: str) -> tuple[Arm, ...]:
        draws = self.setup.request.draws
        found = self._search.draws(problems, gap, draws)
        arms = []
        for index, chosen in enumerate(found):
            block, draw = divmod(index, draws)
            if chosen is None:
                raise self._refused(problems[block], equal)
            for part, records in zip(problems[block].parts, chosen, strict=True):
                name = f"{prefix}{part.name}" + (f"-s{draw}" if draws > 1 else "")
                arms.append(Arm(name, part.codes, str(block), draw, records))
        return tuple(arms)

    def _equal_tokens(self, equal: tuple[str, ...], prefix: str) -> Made:
        """Arms of equal tokens and as many records as have them: more where complexity is low.

        The levels of complexity are those of the design of equal records.
        """
        pool, budget = self.setup.pool, self.setup.request.budget
        base = self._known.get(("records",)) or self.made(("records",))
        per = {
            code: float(np.mean([pool.tokens[a.chosen].mean() for a in base.arms if a.codes.get("C", 0) == code]))
            for code in {arm.codes.get("C", 0) for arm in base.arms}
        }
        mean = float(pool.tokens.mean())
        total = budget.number if budget.unit == "tokens" else self.n * float(np.mean(list(per.values())))
        sizes = {code: max(round(total / tokens), 1) for code, tokens in per.items()}
        blocks = self._blocks(max(sizes.values()))
        problems = [
            replace(problem, totals={"tokens": (pool.tokens / mean, total / mean)})
            for problem in self._problems(blocks, {-1: 0, 0: 0, 1: 0} | sizes, equal)
        ]
        free = [name for name in problems[0].moved if name not in problems[0].levels]
        half = {name: (None, base.gap / 2) for name in free if name == "C"}
        problems = [replace(problem, levels={**problem.levels, **half}) for problem in problems]
        return Made(equal, self._drawn(problems, base.gap, equal, prefix), base.widest, base.gap)

    def _refused(self, problem: Problem, equal: tuple[str, ...]) -> SpecError:
        """The message of a design that cannot be had."""
        found = self._search.refusal(problem)
        name = self.setup.pool.dataset.name
        if problem.levels and found.gap:
            what = f"{name}: arms of {self.n:,} records at the levels asked for"
            near = ",".join(
                f"{factor}={self._near(factor, found.levels[factor], down=half < 0)}"
                for factor, (_, half) in problem.levels.items()
            )
            return refused(what, found, f"--levels {near}")

        def make(n: int) -> Problem | None:
            blocks = self.setup.blocks(n)
            return problem_of(self.setup, blocks[0], 0, dict.fromkeys((-1, 0, 1), n), equal) if blocks else None

        size = smaller(make, self.n, lambda solution: separable(solution, problem.moved))
        hint = f"--budget {size}" if size else f"--equal {', '.join(equal[:-1])}" if len(equal) > 1 else None
        return refused(f"{name}: arms of {self.n:,} records", found, hint)

    def _near(self, factor: str, levels: tuple[float, float], *, down: bool) -> str:
        """As on the command line: levels that can be had, from middle and half gap in pool SDs; `down`: high ones first."""
        asked = self.setup.request.factor(factor)
        values = self.setup.pool.factors[factor]
        low, high = (float(values.mean() + (levels[0] + sign * levels[1]) * values.std()) for sign in (-SHARE, SHARE))
        low, high = (high, low) if down else (low, high)
        return f"{asked.source if asked else factor}:value:{low:.3g},value:{high:.3g}"
