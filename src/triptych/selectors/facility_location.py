"""Facility location: take the records that are nearest to all others, weighted with quality if asked (QDIT).

    maximize  (1 - alpha) · (k/n) · Σ_v max(0, max_{a in S} cos(a, v))  +  alpha · Σ_{a in S} q(a)

Bukharin et al. 2024 (QDIT, arXiv 2311.14736): each step takes argmax (1 - alpha) d(a|S) + alpha q(a), d the gain of the
facility location. The paper leaves their scales to the data. Here q is the share of candidates of lower quality (and half
of the equal ones), and gains are counted in units of n/k, k the number of records that the budget has place for: divided
by k, the objective is (1 - alpha) · mean similarity to the nearest record taken + alpha · mean q.

On the graph of the `neighbours` nearest (default 50): v is covered by those that it lists and those that list it, else by
nothing. It keeps some 98 % of the gain over random of all pairs. `neighbours` = 0: all pairs, up to 16,384 candidates.

Cost: the graph, then about n · neighbours · log k: a second for 5,000 of 50,000, under a minute for 100,000 of 1,000,000.
Bound: monotone and submodular: greedy reaches 1 - 1/e of the best for its graph at equal costs, 1/2 under caps.

Confounded by: the encoder; density: it takes the typical records of large groups, and lowers the Vendi score of what is
taken, where `logdet` and `k_center` raise it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.errors import SelectionError, message
from triptych.core.selector import Choice, Selector, Setting
from triptych.neighbours.graph import graph_of
from triptych.selectors._columns import finite_vectors
from triptych.selectors._coverage import AllPairs, Coverage, Edges
from triptych.selectors._greedy import bound_facts, picks_left, quality_ranks, scores_of, take_known

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALL_PAIRS = 16_384
"""Candidates up to which all pairs are held: 1 GB."""


@final
@dataclass(frozen=True)
class FacilityLocation(Selector):
    """The candidates that the others are nearest to, one after the other.

    Attributes:
        alpha: weight of quality against coverage, 0..1.
        neighbours: of each candidate that count; 0: all.
    """

    alpha: float = 0.0
    neighbours: int = 50

    name: ClassVar[str] = "facility_location"
    source: ClassVar[str] = "Bukharin et al. 2024 (QDIT, arXiv 2311.14736)"
    sweep: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"alpha": a} for a in (0.0, 0.25, 0.5, 0.75, 0.9))

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1; got {self.alpha:g}")
        if self.neighbours < 0:
            raise ValueError(f"neighbours must be 0 (all) or more; got {self.neighbours}")

    @property
    def needs(self) -> tuple[str, ...]:
        """Vectors, and quality where it has a weight."""
        return ("vectors", "quality") if self.alpha else ("vectors",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the highest gain until the basket admits none.

        Raises:
            SelectionError: all pairs are asked for, of too many candidates.
        """
        left, picks = basket.left, picks_left(basket)
        coverage, facts = self._coverage(pool, setting)
        for candidate in basket.taken:
            coverage.take(candidate)
        unit = (1 - self.alpha) * (len(basket) + picks) / max(len(pool), 1) if self.alpha else 1.0
        quality = self.alpha * quality_ranks(pool) if self.alpha else np.zeros(len(pool))

        def score(at: Ints | slice) -> Floats:
            scores: Floats = unit * coverage.gains[at] + quality[at]
            return scores

        take_known(score, coverage.take, basket, setting)
        unit_name = "coverage and quality" if self.alpha else "coverage"
        facts |= {"coverage": float(coverage.best.mean(dtype=np.float64)) if len(pool) else 0.0}
        return Choice(
            score=scores_of(basket, score(slice(None))),
            scored=f"gain in {unit_name}",
            gained=unit_name if self.alpha else "summed similarity to the nearest record taken",
            facts=facts | bound_facts(basket, exact=True, left=left),
        )

    def _coverage(self, pool: Candidates, setting: Setting) -> tuple[Coverage, dict[str, Any]]:
        vectors = finite_vectors(pool)
        if self.neighbours:
            graph = graph_of(pool, self.neighbours, setting)
            facts: dict[str, Any] = {
                "neighbours": self.neighbours,
                "neighbours_exact": graph.exact,
                "neighbours_recall": graph.recall,
            }
            there: NDArray[np.bool_] = np.asarray(vectors.any(axis=1))
            return Edges(graph.neighbour, graph.similarity, there), facts
        if len(vectors) > ALL_PAIRS:
            raise SelectionError(
                message(
                    "facility_location: too many candidates for all pairs.",
                    got=f"{len(vectors):,} candidates, neighbours=0",
                    want=f"at most {ALL_PAIRS:,}",
                    hint="neighbours=50, which keeps some 98 % of the gain",
                )
            )
        with threadpool_limits(1):
            return AllPairs(vectors), {"neighbours": 0}
