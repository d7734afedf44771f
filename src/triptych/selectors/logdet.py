"""Log-determinant: greedy MAP of a determinantal point process on the vectors, weighted with quality if asked.

    maximize  log det(I + X_SᵀX_S / ε)  =  log det(K_S + εI) - |S| log ε

K_S are the cosines within S. A DPP's most probable set, as in Wang et al. 2024 (arXiv 2402.02318); greedy: Chen et al.
2018 (1709.05135), here in the primal d x d form: gain of x = log(1 + xᵀ(εI + X_SᵀX_S)⁻¹x), so it goes on beyond d records,
O(n d k) instead of O(n k²). Beyond n d k of about 4e11 (50,000 records, 5,000 of them, at d = 256 are 6e10): stochastic
greedy, each pick the best of about 3 n/k that are drawn anew.

ε (default 0.01) is the variance below which a difference is noise. A first record adds log(1 + 1/ε) = 4.6, a copy of a
taken one at most log 2. A smaller ε changes little (beyond d records it cancels); one near 1 lets copies through.

Quality: with `alpha` > 0 each step takes the highest (1 - alpha) s log(1 + v) + alpha q, q the share of candidates of
lower quality (and half of the equal ones), s = k / max log det of k unit rows: both sums then lie between 0 and k.

Bound: monotone and submodular, so exact greedy reaches 1 - 1/e of the best at equal costs (1/2 under caps), the
stochastic one 1 - 1/e - 0.05 in expectation. All unit rows are equal at first: the first in the order of ties is taken.

Confounded by: the encoder; length and language (outliers of the encoder have high gains); validity: garbage is diverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.selector import Choice, Selector, Setting
from triptych.selectors._columns import finite_vectors
from triptych.selectors._greedy import Race, bound_facts, picks_left, quality_ranks, scores_of, take
from triptych.selectors._linear import LogDet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@final
@dataclass(frozen=True)
class LogDeterminant(Selector):
    """The candidates that span the largest volume, one after the other.

    Attributes:
        alpha: weight of quality against volume, 0..1.
        eps: variance below which a difference between vectors is noise, above 0.
    """

    alpha: float = 0.0
    eps: float = 0.01

    name: ClassVar[str] = "logdet"
    source: ClassVar[str] = "Wang et al. 2024 (arXiv 2402.02318); Chen et al. 2018 (arXiv 1709.05135)"
    sweep: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"alpha": a} for a in (0.0, 0.25, 0.5, 0.75, 0.9))

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be between 0 and 1; got {self.alpha:g}")
        if not self.eps > 0:
            raise ValueError(f"eps must be above 0; got {self.eps:g}")

    @property
    def needs(self) -> tuple[str, ...]:
        """Vectors, and quality where it has a weight."""
        return ("vectors", "quality") if self.alpha else ("vectors",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the highest gain until the basket admits none. O(n d k), or O(n d²) by samples."""
        vectors = finite_vectors(pool)
        form = LogDet(vectors.shape[1], self.eps)
        left = basket.left
        picks = picks_left(basket)
        scale = (1 - self.alpha) * self._scale(len(basket) + picks, vectors.shape[1]) if self.alpha else 1.0
        quality = self.alpha * quality_ranks(pool) if self.alpha else np.zeros(len(pool))

        def score(values: Floats, at: Ints) -> Floats:
            return scale * form.gain(values) + quality[at]

        def took(candidate: int, value: float) -> float:
            return float(scale * np.log1p(max(value, 0.0)) + quality[candidate])

        last, exact = take(Race(vectors, form, score, took, label=self.name), basket, setting)
        weighted = "volume and quality" if self.alpha else "log-determinant"
        return Choice(
            score=scores_of(basket, score(last, np.arange(len(pool)))),
            scored=f"gain in {weighted}",
            gained=weighted,
            facts={"log_det": form.total, **bound_facts(basket, exact, left)},
        )

    def _scale(self, picks: int, width: int) -> float:
        """What makes the largest log-determinant of so many unit rows equal to their number."""
        rank = min(picks, width)
        return picks / (rank * float(np.log1p(picks / (rank * self.eps))))
