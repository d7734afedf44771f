"""Quotas: how many candidates of each cell, so that every bound, every must-keep and the total hold.

A cell is a combination of values of the bounded fields. `Program` holds what there is of each and the bounds on sums of
cells; it finds the counts nearest to wished ones (least sum of absolute differences), the least counts that meet the
minimums, and, where nothing meets all bounds, the smallest change that would. With one or two fields the matrix is
totally unimodular (two laminar families), so a linear program has whole vertices; with more, whole numbers are asked
for. HiGHS solves both, always the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import Floats, Ints

INFEASIBLE = 2
_LAMINAR = 2
_SLACK = 1e-5


@dataclass(frozen=True, eq=False)
class Sums:
    """Bounds on sums of cells.

    Attributes:
        cell, row: each cell's entry in each sum, int64 (e,).
        least, most: of each sum, int64 (r,).
        least_by, most_by: the written bound that each comes from, -1: none, int64 (r,).
    """

    cell: Ints
    row: Ints
    least: Ints
    most: Ints
    least_by: Ints
    most_by: Ints

    def matrix(self, cells: int) -> Any:
        """The 0/1 matrix (r, cells), sparse."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - scipy is loaded when it is needed

        return csr_array((np.ones(len(self.cell)), (self.row, self.cell)), shape=(len(self.least), cells))


@dataclass(frozen=True, eq=False)
class Change:
    """The smallest change that makes a program feasible.

    Attributes:
        bounds: (written bound, by how much), several only where no single one does.
        total: the nearest total that all bounds allow, or None.
    """

    bounds: tuple[tuple[int, int], ...]
    total: int | None


@dataclass(frozen=True, eq=False)
class Program:
    """Cells, what there is, and the bounds.

    Attributes:
        kept: must-keeps in each cell: its least count, int64 (c,).
        available: candidates in each cell: its largest count, int64 (c,).
        sums: the bounds on sums.
        fields: bounded fields.
    """

    kept: Ints
    available: Ints
    sums: Sums
    fields: int

    def nearest(self, wished: Ints, total: int, available: Ints | None = None) -> Ints | None:
        """Counts of this total, nearest to the wished ones, that all bounds allow; None: there are none.

        Args:
            wished: counts (c,).
            total: their sum.
            available: of each cell (c,), instead of `self.available`.
        """
        if self.fields == 1:
            return self._nearest_of_one(wished, total, available)
        available = self.available if available is None else np.maximum(available, self.kept)
        wished = np.clip(wished, self.kept, available)
        # a count is what is wished, and more, and less: two columns for each cell
        upper = np.concatenate([available - wished, wished - self.kept])
        matrix = self._with_total()
        base = matrix @ wished.astype(np.float64)
        least, most = np.append(self.sums.least, total), np.append(self.sums.most, total)
        solved = self._solve(np.ones(2 * len(wished)), _beside(matrix, -matrix), (least - base, most - base), upper)
        if solved is None:
            return None
        return np.asarray(wished + solved[: len(wished)] - solved[len(wished) :])

    def largest(self, available: Ints | None = None) -> int | None:
        """The largest total that all bounds allow; None: nothing meets them."""
        if self.fields == 1:
            low, high = self._boxes(available)
            return int(high.sum()) if (low <= high).all() else None
        upper = (self.available if available is None else np.maximum(available, self.kept)) - self.kept
        matrix = self.sums.matrix(len(self.kept))
        base = matrix @ self.kept.astype(np.float64)
        solved = self._solve(-np.ones(len(upper)), matrix, (self.sums.least - base, self.sums.most - base), upper)
        return None if solved is None else int(solved.sum() + self.kept.sum())

    def needed(self, wished: Ints, available: Ints | None = None) -> Ints | None:
        """The least counts that meet the minimums, what is wished counting half; None: nothing meets them."""
        if self.fields == 1:
            low, high = self._boxes(available)
            return low if (low <= high).all() else None
        available = self.available if available is None else np.maximum(available, self.kept)
        wished = np.clip(wished, self.kept, available)
        upper = np.concatenate([wished - self.kept, available - wished])
        matrix = self.sums.matrix(len(self.kept))
        base = matrix @ self.kept.astype(np.float64)
        cost = np.repeat([1.0, 2.0], len(wished))
        bounds = (self.sums.least - base, self.sums.most - base)
        solved = self._solve(cost, _beside(matrix, matrix), bounds, upper)
        if solved is None:
            return None
        return np.asarray(self.kept + solved[: len(wished)] + solved[len(wished) :])

    def change(self, total: int | None) -> Change:
        """The smallest change that makes bounds and total feasible. A total of None is free."""
        by = np.union1d(self.sums.least_by, self.sums.most_by)
        written = by[by >= 0].tolist()
        ways = [(amount, one) for one in written if (amount := self._given_way(one, total)) is not None]
        if ways:
            amount, one = min(ways)
            return Change(((one, amount),), self._nearest_total(total))
        together = self._relaxed(written, total) if written else None
        changed = zip(written, together or (), strict=False)
        return Change(tuple((one, by) for one, by in changed if by), self._nearest_total(total))

    def feasible(self, total: int | None) -> bool:
        """Whether some counts meet all bounds, with this total or, for None, with any."""
        if total is None:
            return self.largest() is not None
        return self.nearest(self.kept, total) is not None

    def _given_way(self, bound: int, total: int | None) -> int | None:
        """By how much one written bound must give way at least; None: it would not help. By halving."""
        sums = self.sums
        low, high = 0, int(max(self.available.sum(), sums.least.max(initial=0)))

        def loosened(by: int) -> bool:
            least = np.where(sums.least_by == bound, np.maximum(sums.least - by, 0), sums.least)
            most = np.where(sums.most_by == bound, sums.most + by, sums.most)
            return replace(self, sums=replace(sums, least=least, most=most)).feasible(total)

        if not loosened(high):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if loosened(middle) else (middle, high)
        return high

    def _boxes(self, available: Ints | None = None) -> tuple[Ints, Ints]:
        """Least and most of each cell where every cell is one sum: with one field."""
        low = self.kept.copy()
        high = (self.available if available is None else np.maximum(available, self.kept)).copy()
        cell, row = self.sums.cell, self.sums.row
        low[cell] = np.maximum(low[cell], self.sums.least[row])
        high[cell] = np.minimum(high[cell], self.sums.most[row])
        return low, high

    def _nearest_of_one(self, wished: Ints, total: int, available: Ints | None) -> Ints | None:
        """With one field every way to add or remove the rest is as near: it is spread by the room that cells have."""
        low, high = self._boxes(available)
        if (low > high).any() or not low.sum() <= total <= high.sum():
            return None
        counts = np.clip(wished, low, high)
        rest = total - int(counts.sum())
        room = high - counts if rest > 0 else counts - low
        shares, left = np.divmod(abs(rest) * room, max(int(room.sum()), 1))
        shares[np.argsort(-left, kind="stable")[: abs(rest) - int(shares.sum())]] += 1
        return np.asarray(counts + (shares if rest > 0 else -shares))

    def _nearest_total(self, total: int | None) -> int | None:
        """The nearest total that all bounds allow."""
        least = self.needed(self.available)
        most = self.largest()
        if total is None or least is None or most is None:
            return None
        return min(max(total, int(least.sum())), most)

    def _relaxed(self, bounds: Sequence[int], total: int | None) -> list[int] | None:
        """By how much these written bounds must give way at least, in sum; None: it would not help."""
        from scipy.sparse import csr_array, vstack  # noqa: PLC0415 - scipy is loaded when it is needed

        sums, matrix = self.sums, self.sums.matrix(len(self.kept))
        by = np.array(bounds)
        looser = csr_array((sums.least_by[:, None] == by).astype(np.float64))
        wider = csr_array((sums.most_by[:, None] == by).astype(np.float64))
        base = matrix @ self.kept.astype(np.float64)
        rows = [_beside(matrix, looser), _beside(matrix, -wider)]
        least = [sums.least - base, np.full(len(base), -np.inf)]
        most = [np.full(len(base), np.inf), sums.most - base]
        if total is not None:
            ones = np.append(np.ones(len(self.kept)), np.zeros(len(by)))
            rows.append(csr_array(ones[None, :]))
            least.append(np.array([total - float(self.kept.sum())]))
            most.append(least[-1])
        cost = np.append(np.zeros(len(self.kept)), np.ones(len(by)))
        upper = np.append(
            self.available - self.kept, np.full(len(by), self.available.sum() + abs(sums.least).max(initial=0))
        )
        whole = np.append(np.full(len(self.kept), self.fields > _LAMINAR), np.ones(len(by), dtype=np.bool_))
        solved = _solve(cost, vstack(rows), (np.concatenate(least), np.concatenate(most)), upper, whole)
        return None if solved is None else solved[len(self.kept) :].tolist()

    def _with_total(self) -> Any:
        from scipy.sparse import csr_array, vstack  # noqa: PLC0415 - scipy is loaded when it is needed

        return vstack([self.sums.matrix(len(self.kept)), csr_array(np.ones((1, len(self.kept))))], format="csr")

    def _solve(self, cost: Floats, matrix: Any, bounds: tuple[Floats, Floats], upper: Ints) -> Ints | None:
        return _solve(cost, matrix, bounds, upper, np.full(len(cost), self.fields > _LAMINAR))


def _beside(*parts: Any) -> Any:
    from scipy.sparse import hstack  # noqa: PLC0415 - scipy is loaded when it is needed

    return hstack(parts, format="csr")


def _solve(
    cost: Floats, matrix: Any, bounds: tuple[Floats, Floats], upper: Ints, whole: NDArray[np.bool_]
) -> Ints | None:
    """Whole numbers from 0 to `upper` of least cost whose sums lie within the bounds; None: there are none.

    Raises:
        RuntimeError: the solver gives up, or gives a broken number where none can be: a defect.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - scipy is loaded when it is needed

    if not len(cost):
        return np.zeros(0, dtype=np.int64) if np.all(bounds[0] <= 0) and np.all(bounds[1] >= 0) else None
    if np.any(upper < 0) or np.any(bounds[0] > bounds[1]):
        return None
    found = milp(
        cost,
        constraints=LinearConstraint(matrix, *bounds),
        bounds=Bounds(np.zeros(len(cost)), upper),
        integrality=whole.astype(np.int64),
        options={"mip_rel_gap": 0.0},
    )
    if found.status == INFEASIBLE:
        return None
    if found.x is None:
        raise RuntimeError(f"the solver of quotas gave up: {found.message}")
    rounded = np.rint(found.x)
    if np.abs(found.x - rounded).max() > _SLACK:
        if whole.all():
            raise RuntimeError("the solver of quotas gave a broken number")
        return _solve(cost, matrix, bounds, upper, np.ones(len(cost), dtype=np.bool_))
    return np.asarray(rounded.astype(np.int64))
