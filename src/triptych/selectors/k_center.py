"""k-center: always the record that is farthest from everything taken (farthest-first traversal).

Sener & Savarese 2018 (arXiv 1708.00489); Gonzalez 1985: the largest distance from any record to the nearest taken one is
at most twice the best possible. Distance is 1 - cosine, in steps of 1e-6; of equally far records the first. It starts with
the first record, or with the must-keeps. A text without tokens has no direction: it counts as distance 0, so it comes last.

    next = argmax over open x of  min over taken s of  1 - cos(x, s)

The picks are those of the plain loop in double precision. Distances only fall, so among the farthest few hundred the loop can run by itself
until the best of them is no farther than the best of all others was; then one matrix product brings all others up to date.
That is single precision, the loop in the list is double: so the last bit of a product decides nothing.
Work: n k d multiplications at the speed of a matrix product. Where that is too much the pool is cut at random into portions of
about 20,000, each with its share of the budget: then the bound holds within each portion only, and that is stated.

Confounded by outliers: what is far from everything is often broken or off-topic text. It never looks at quality but for ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import NONE, Basket
from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.selector import Choice, Selector, Setting
from triptych.neighbours.graph import vectors_of
from triptych.neighbours.search import usable
from triptych.neighbours.threads import Spread, workers
from triptych.selectors._portions import in_portions, inside, portions

Ints = NDArray[np.int64]
Singles = NDArray[np.float32]

AFFORDABLE = 4_000_000_000  # records times picks at once: half a minute
SHORT, LONG = 256, 4096  # the list in which the loop runs by itself
FEW, MANY = 16, 128  # picks of a list: with fewer the next is longer, with more shorter
ROWS = 8192  # records brought up to date at once
DOUBT = 2  # steps by which single precision may misplace two records


@final
@dataclass(frozen=True)
class KCenter(Selector):
    """Farthest-first by cosine distance."""

    name: ClassVar[str] = "k_center"
    source: ClassVar[str] = "Sener & Savarese 2018 (arXiv 1708.00489)"

    @property
    def needs(self) -> tuple[str, ...]:
        """Vectors."""
        return ("vectors",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the farthest until the basket admits none.

        Raises:
            SelectionError: vectors hold NaN.
        """
        vectors = vectors_of(pool)
        there = usable(vectors)
        expected = min(len(pool), basket.left // max(1, int(np.median(pool.cost)) if len(pool) else 1))
        parts = [np.arange(len(pool))]
        if len(pool) * expected > AFFORDABLE:
            parts = portions(len(pool), setting.seed)
        radius: dict[int, float] = {}
        with workers(setting.threads) as spread:

            def take(rows: Ints, floor: int) -> None:
                far = _Far(vectors, there, rows, spread)
                far.see(np.flatnonzero(inside(basket.taken, rows)))
                radius[int(rows[0])] = far.run(basket, floor, setting)

            in_portions(parts, basket, take)
        facts = {"portions": len(parts), "largest_distance": max(radius.values(), default=0.0)}
        notes: tuple[str, ...] = ()
        if len(parts) > 1:
            notes = (f"The pool was cut at random into {len(parts)} portions, each with its share of the budget.",)
        return Choice(gained="distance to the nearest record taken", facts=facts, notes=notes)


class _Far:
    """How far the records of a portion are from what is taken of it.

    Args:
        vectors: of the pool, float32 (n, d).
        there: which of them are not zero, (n,).
        rows: the portion's positions in the pool, ascending, (m,).
        spread: does the products.
    """

    def __init__(self, vectors: Singles, there: NDArray[np.bool_], rows: Ints, spread: Spread) -> None:
        self._rows, self._spread = rows, spread
        self._vectors = vectors if len(rows) == len(vectors) else vectors[rows]
        self._near = np.where(there[rows], -np.inf, 1).astype(np.float32)  # cosine to the nearest taken
        self._who = np.full(len(rows), NONE, dtype=np.int64)  # and which that is; nobody for a row of zeros

    def see(self, taken: Ints) -> None:
        """Bring all records up to date with these, which are positions in the portion."""
        for start in range(0, len(taken), MANY):
            self._update(taken[start : start + MANY])

    def run(self, basket: Basket, floor: int, setting: Setting) -> float:
        """Take until `left` is at most the floor or none is open. The largest distance that is left, 0 where none is."""
        size = SHORT
        while basket.left > floor and not basket.spent:
            open_ = np.flatnonzero(basket.open()[self._rows])
            if not len(open_):
                break
            steps = _steps(self._near[open_])
            even = int((steps >= steps.max() - DOUBT).sum())
            short, (rest, first) = _farthest(steps, max(size, even) if even <= LONG else size)
            # The rest may be a step farther than single precision says. Where very many are even they are taken at its word.
            bar = (rest + DOUBT / 2, 0) if even <= LONG else (rest, -int(open_[first]))
            before = len(basket)
            picks, looked = self._among(open_[short], bar, basket, floor)
            setting.told(len(basket) - before)
            self._update(picks)
            size = min(LONG, 2 * size) if looked < FEW else max(SHORT, size // 2) if looked > MANY else size
        left = _steps(self._near)
        return float(left[np.isfinite(left)].max(initial=0) * TOLERANCE)

    def _among(self, short: Ints, bar: tuple[float, int], basket: Basket, floor: int) -> tuple[Ints, int]:
        """The loop within a short list (ascending positions in the portion): what it took, and how often it looked."""
        mine, picks, looked = self._vectors[short].astype(np.float64), [], 0
        near, who = self._near[short].astype(np.float64), self._who[short]
        held = who > NONE
        near[held] = np.einsum("ij,ij->i", mine[held], self._vectors[who[held]], dtype=np.float64)
        steps, product = _steps(near), mine @ mine.T
        while basket.left > floor:
            best = int(np.argmax(steps))
            if (steps[best], -short[best]) < bar or steps[best] == -np.inf:
                break
            looked += 1
            if basket.admits(int(self._rows[short[best]])):
                gain = steps[best] * TOLERANCE
                basket.add(int(self._rows[short[best]]), gain if np.isfinite(gain) else float("nan"))
                picks.append(short[best])
                np.maximum(near, product[best], out=near)
                steps = np.where(steps == -np.inf, -np.inf, _steps(near))
            steps[best] = -np.inf
        return np.array(picks, dtype=np.int64), looked

    def _update(self, picks: Ints) -> None:
        if not len(picks):
            return
        wide = self._vectors[picks].T

        def block(start: int) -> None:
            near, who = self._near[start : start + ROWS], self._who[start : start + ROWS]
            product = self._vectors[start : start + ROWS] @ wide
            at = product.argmax(axis=1)
            close = product[np.arange(len(at)), at]
            nearer = close > near
            near[nearer], who[nearer] = close[nearer], picks[at[nearer]]

        self._spread(block, range(0, len(self._near), ROWS))


def _steps(near: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Distances in steps; infinite where nothing is taken, 0 at least."""
    return np.maximum(np.round((1 - near.astype(np.float64)) / TOLERANCE), 0)


def _farthest(steps: NDArray[np.float64], size: int) -> tuple[Ints, tuple[float, int]]:
    """The farthest `size`, ascending; and the best of the rest: its steps, and where it is."""
    if len(steps) <= size:
        return np.arange(len(steps)), (-np.inf, 0)
    edge = np.partition(steps, len(steps) - size)[len(steps) - size]
    sure, even = np.flatnonzero(steps > edge), np.flatnonzero(steps == edge)
    held = size - len(sure)
    rest = steps[steps < edge].max(initial=-np.inf) if held == len(even) else edge
    first = int(even[held]) if held < len(even) else 0
    return np.sort(np.concatenate([sure, even[:held]])), (float(rest), first)
