"""NovelSelect: always the record that is most novel beside those taken, by NovelSum's weighted distance.

Yang et al. 2025 (arXiv 2502.17184). Novelty of x beside the taken s_1, s_2, .. from the nearest on:

    v(x) = sum_r r**-alpha * density(s_r)**beta * d(x, s_r)  /  sum_r r**-alpha,     d = 1 - cosine
    density(s) = 1 / mean distance of s to its 10 nearest in the pool (at least .01, so that copies are not infinite)

with alpha = 1 and beta = .5. Near ones weigh most, and a distance in a dense region counts as longer: unlike k-center it
therefore also takes from dense regions and is less drawn to outliers. It starts with the first record, or with the
must-keeps; of equally novel ones (to a millionth) the first is taken. A text without tokens has novelty 0: it comes last.

What is not exact: the sum is cut at the `reach` nearest taken (64). While no more than that are taken it is the formula
itself. Beyond, what is cut has the weight 1 - H(64) / H(m) of m taken (.48 at 5,000, H the harmonic numbers), and those
distances are all close to the mean distance: a term that is nearly the same for all. So the value is off by that weight
times the spread of the far terms, at most (2 * 10 - v) times it where densities range to their cap; picks then follow the
near terms alone. `reach` makes it longer. Work: n k d multiplications and up to n k reach / 20 insertions. Where n k is
too much the pool is cut at random into portions of about 20,000, each with its share of the budget, as k-center does; and
above 60,000 records density comes from an approximate graph.

Confounded by outliers, if less than k-center, and by the encoder. It never looks at quality but for ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, Candidates, Ints
from triptych.core.errors import SpecError, message
from triptych.core.selector import Choice, Selector, Setting
from triptych.neighbours.graph import Graph, graph_of, vectors_of
from triptych.neighbours.search import usable
from triptych.neighbours.threads import Spread, workers
from triptych.selectors._portions import in_portions, inside, portions

Singles = NDArray[np.float32]

NEIGHBOURS = 10
CLOSEST = 0.01  # least mean distance to the nearest: what copies have
AFFORDABLE = 500_000_000  # records times picks at once: some minutes
ROWS = 8192  # records brought up to date at once


@final
@dataclass(frozen=True)
class Novelty(Selector):
    """Greedy on NovelSum.

    Attributes:
        alpha: how fast the weight of a taken record falls with its rank by nearness.
        beta: how much a distance in a dense region is stretched; 0: not at all.
        reach: how many of the nearest taken count.
    """

    alpha: float = 1.0
    beta: float = 0.5
    reach: int = 64
    name: ClassVar[str] = "novelty"
    source: ClassVar[str] = "Yang et al. 2025 (arXiv 2502.17184)"

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            SpecError: a negative exponent, or no reach.
        """
        if not (0 <= self.alpha < np.inf and 0 <= self.beta < np.inf and self.reach >= 1):
            got = f"alpha={self.alpha:g}, beta={self.beta:g}, reach={self.reach}"
            raise SpecError(
                message("novelty: out of range.", got=got, want="alpha and beta of 0 or more, reach of 1 or more")
            )

    @property
    def needs(self) -> tuple[str, ...]:
        """Vectors."""
        return ("vectors",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the most novel until the basket admits none.

        Raises:
            SelectionError: vectors hold NaN.
        """
        vectors, graph = vectors_of(pool), graph_of(pool, NEIGHBOURS, setting)
        there, stretch = usable(vectors), density(graph) ** self.beta
        expected = min(len(pool), basket.left // max(1, int(np.median(pool.cost)) if len(pool) else 1))
        parts = [np.arange(len(pool))]
        if len(pool) * expected > AFFORDABLE:
            parts = portions(len(pool), setting.seed)
        weight = np.arange(1, self.reach + 1, dtype=np.float64) ** -self.alpha
        with workers(setting.threads) as spread:

            def take(rows: Ints, floor: int) -> None:
                novel = _Novel(vectors[rows] if len(parts) > 1 else vectors, there[rows], weight, spread)
                local = np.flatnonzero(inside(basket.taken, rows))
                for one in local.tolist():
                    novel.see(one, stretch[rows[one]])
                while basket.left > floor and not basket.spent:
                    open_ = basket.open()[rows]
                    best, gain = novel.best(open_)
                    if best < 0:
                        return
                    basket.add(int(rows[best]), gain)
                    novel.see(best, stretch[rows[best]])
                    setting.told(1)

            in_portions(parts, basket, take)
        facts = {"portions": len(parts), "reach": self.reach, "exact_density": graph.exact, "recall": graph.recall}
        notes: tuple[str, ...] = ()
        if len(parts) > 1:
            notes = (f"The pool was cut at random into {len(parts)} portions, each with its share of the budget.",)
        return Choice(gained="novelty when it was taken", facts=facts, notes=notes)


def density(graph: Graph) -> NDArray[np.float64]:
    """One over the mean distance to the neighbours, at most 100; 1 for a record that has none, (n,)."""
    there = graph.neighbour >= 0
    distance = np.where(there, 1 - np.where(there, graph.similarity, 0).astype(np.float64), 0).sum(axis=1)
    count = there.sum(axis=1)
    return np.where(count > 0, 1 / np.maximum(distance / np.maximum(count, 1), CLOSEST), 1.0)


class _Novel:
    """Novelty of the records of a portion beside what is taken of it.

    Args:
        vectors: float32 (m, d).
        there: which of them are not zero, (m,).
        weight: of each rank, float64 (reach,).
        spread: does the products.
    """

    def __init__(self, vectors: Singles, there: NDArray[np.bool_], weight: NDArray[np.float64], spread: Spread) -> None:
        self._vectors, self._weight, self._spread = vectors, weight, spread
        self._there = there
        self._near = np.full((len(vectors), len(weight)), np.inf, dtype=np.float32)  # distances, ascending
        self._value = np.zeros((len(vectors), len(weight)), dtype=np.float32)  # the same, stretched
        self._novelty = np.zeros(len(vectors))
        self._count = 0

    def best(self, open_: NDArray[np.bool_]) -> tuple[int, float]:
        """The most novel open record and its novelty, NaN where nothing is taken yet; -1: none is open."""
        if not open_.any():
            return -1, 0.0
        shown = np.where(open_, np.round(self._novelty / TOLERANCE), -np.inf)
        if not self._count:
            shown = np.where(open_, self._there, -np.inf)
        best = int(np.argmax(shown))
        return best, float(self._novelty[best]) if self._count else float("nan")

    def see(self, one: int, stretch: float) -> None:
        """Take note of a record that was taken."""
        if not self._there[one]:
            return
        self._count += 1
        total = float(self._weight[: self._count].sum())

        def block(start: int) -> None:
            rows = np.arange(start, min(start + ROWS, len(self._near)))
            distance = np.maximum(1 - self._vectors[rows[0] : rows[-1] + 1] @ self._vectors[one], 0)
            held = (distance < self._near[rows, -1]) & self._there[rows]
            self._insert(rows[held], distance[held], stretch)
            if self._count <= len(self._weight):
                self._novelty[rows] = self._value[rows] @ self._weight / total
            else:
                self._novelty[rows[held]] = self._value[rows[held]] @ self._weight / total

        self._spread(block, range(0, len(self._near), ROWS))

    def _insert(self, rows: Ints, distance: Singles, stretch: float) -> None:
        near, value = self._near[rows], self._value[rows]
        at = (near <= distance[:, None]).sum(axis=1)
        column = np.arange(near.shape[1])
        for held, new in ((near, distance), (value, (distance * stretch).astype(np.float32))):
            moved = held.copy()
            moved[:, 1:] = held[:, :-1]
            out = np.where(column < at[:, None], held, moved)
            out[np.arange(len(rows)), at] = new
            (self._near if held is near else self._value)[rows] = out
