"""The basket: what a policy has taken so far, and what it may still take under an exact budget.

The budget is a number of records or of tokens. Candidates lie in cells (the values of one field, or combinations of
several), each with room for so many records; where several fields have maximums, each has cells of its own, and all of a
candidate's cells must have room. A candidate that cannot be taken now can never be taken later: cells fill and budgets shrink.
Greedy policies may therefore forget what the basket does not admit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NONE = -1


class Basket:
    """What is taken of n candidates, in the order of taking.

    Args:
        cost: what each candidate takes of the budget, at least 1, int64 (n,).
        limit: the budget.
        cells: cell of each candidate, from 0, int64 (n,); None: one cell.
        room: records that each cell may hold, int64 (cells,); None: no limit.
        keep: candidates that are taken before the policy begins.
        more: further cells with their room, (n,) and (cells,) each: a candidate needs room in its cells of all of them.

    Attributes:
        taken: candidates in the order of taking.
        gains: what each added when it was taken, in the policy's unit; NaN where that has no meaning.
        kept: how many of the first were must-keeps.
        left: what is left of the budget.
        reason, score, threshold, rival: of candidates that the policy refused: number of the reason in `reasons` (-1:
            none), what it scored, what it would have had to score, and the taken candidate that stood in its way (-1: none).
    """

    def __init__(
        self,
        cost: Ints,
        limit: int,
        cells: Ints | None = None,
        room: Ints | None = None,
        keep: Iterable[int] = (),
        more: Sequence[tuple[Ints, Ints]] = (),
    ) -> None:
        n = len(cost)
        self.cost, self.left = cost, int(limit)
        self.cells = np.zeros(n, dtype=np.int64) if cells is None else cells
        self.room = np.full(1, n, dtype=np.int64) if room is None else room.copy()
        self._more = [(codes, places.copy()) for codes, places in more]
        self.taken: list[int] = []
        self.gains: list[float] = []
        self.reasons: list[str] = []
        self.reason = np.full(n, NONE, dtype=np.int16)
        self.score = np.full(n, np.nan)
        self.threshold = np.full(n, np.nan)
        self.rival = np.full(n, NONE, dtype=np.int64)
        self._closed = np.zeros(n, dtype=np.bool_)
        self._cheapest = int(cost.min()) if n else 1
        for candidate in keep:
            self.add(candidate)
        self.kept = len(self.taken)

    def __len__(self) -> int:
        return len(self.taken)

    @property
    def spent(self) -> bool:
        """Whether the budget has no place for even the cheapest candidate. Cells may be full before."""
        return self.left < self._cheapest

    def admits(self, candidate: int) -> bool:
        """Whether the candidate is neither taken nor refused, its cell has room, and it fits what is left."""
        return not (self._closed[candidate] or self.cost[candidate] > self.left or self.full(candidate))

    def full(self, candidate: int) -> bool:
        """Whether one of the candidate's cells has no room left."""
        if self.room[self.cells[candidate]] <= 0:
            return True
        return bool(self._more) and any(room[cells[candidate]] <= 0 for cells, room in self._more)

    def open(self) -> NDArray[np.bool_]:
        """Which candidates may be taken now, (n,)."""
        open_ = ~self._closed & (self.cost <= self.left)
        for cells, room in ((self.cells, self.room), *self._more):
            if room.min(initial=1) <= 0:
                open_ &= (room > 0)[cells]
        return open_

    def add(self, candidate: int, gain: float = float("nan")) -> None:
        """Take a candidate that the basket admits, or a must-keep.

        Raises:
            ValueError: it does not admit it: a defect of the policy.
        """
        if not self.admits(candidate):
            raise ValueError(f"the basket does not admit candidate {candidate}")
        self._closed[candidate] = True
        self.left -= int(self.cost[candidate])
        self.room[self.cells[candidate]] -= 1
        for cells, room in self._more:
            room[cells[candidate]] -= 1
        self.taken.append(int(candidate))
        self.gains.append(float(gain))

    def fill(self, order: NDArray[np.integer], gains: NDArray[np.float64] | None = None) -> None:
        """Take the candidates in this order, each if it is admitted when its turn comes.

        Args:
            order: candidates, each at most once.
            gains: what each of them adds, in the same order.
        """
        gains = np.full(len(order), np.nan) if gains is None else gains
        held = np.flatnonzero(self.open()[order])  # what is not open now never will be
        if not self._more and self._cheapest == int(self.cost.max(initial=1)):
            cells = self.cells[order[held]]
            held = held[_number_in(cells) < self.room[cells]][: self.left // self._cheapest]
            chosen = order[held]
            self._closed[chosen] = True
            self.left -= len(chosen) * self._cheapest
            self.room -= np.bincount(self.cells[chosen], minlength=len(self.room))
            self.taken += chosen.tolist()
            self.gains += gains[held].tolist()
            return
        order, gains = order[held], gains[held]
        for candidate, gain in zip(order.tolist(), gains.tolist(), strict=True):
            if self.spent:
                return
            if self.admits(candidate):
                self.add(candidate, gain)

    def refuse(
        self,
        candidates: NDArray[np.integer] | int,
        why: str,
        score: NDArray[np.float64] | float = float("nan"),
        threshold: float = float("nan"),
        rival: NDArray[np.integer] | int = NONE,
    ) -> None:
        """Say that these candidates are never to be taken, and why. They are closed from now on.

        Args:
            candidates: positions.
            why: a few words in lower case, such as "below the quality floor".
            score: what each scored; NaN: no score.
            threshold: what it would have had to reach.
            rival: the taken candidate that stood in the way.
        """
        if why not in self.reasons:
            self.reasons.append(why)
        self.reason[candidates] = self.reasons.index(why)
        self.score[candidates] = score
        self.threshold[candidates] = threshold
        self.rival[candidates] = rival
        self._closed[candidates] = True


def _number_in(cells: Ints) -> Ints:
    """For each entry how many before it lie in its cell."""
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    out = np.empty(len(cells), dtype=np.int64)
    out[order] = np.arange(len(cells)) - np.searchsorted(ordered, ordered)
    return out
