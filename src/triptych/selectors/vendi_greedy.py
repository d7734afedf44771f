"""Greedy on the quality-weighted Vendi score of order 2: many different records, good ones.

    maximize  mean(q)^weight / Σλ²,   λ the eigenvalues of X_SᵀX_S / |S|,   Σλ² = tr((X_SᵀX_S)²) / |S|²

1/Σλ² is the Vendi score of order 2 (RKE; Pasarkar & Dieng 2023, arXiv 2310.12952; 2410.21719), mean(q) times a Vendi score
is the quality-weighted one (Nguyen & Dieng 2024, ICML, nguyen24d), here with q the share of candidates of lower quality
(and half of the equal ones) and an exponent: 0 is Vendi alone, higher means quality.

What each step takes, precisely: the candidate after which the score above is highest. Adding x changes tr(G²) by
2 xᵀGx + |x|⁴ (G = X_SᵀX_S): without quality that is the x with the smallest sum of squared cosines to all taken so far.
Not the set with the highest score: the score is not submodular (it may even fall as records are added), so greedy has no
bound. Beyond n d k of about 4e11 each pick is the best of about 3 n/k that are drawn anew.

A zero vector (a text without tokens) is no different record: it is taken only when nothing else is open.

Confounded by: the encoder; size (Vendi grows with the number of records); length; validity: garbage is diverse.
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
from triptych.selectors._greedy import Race, quality_ranks, scores_of, take
from triptych.selectors._linear import Crowding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@final
@dataclass(frozen=True)
class VendiGreedy(Selector):
    """The candidates that raise the quality-weighted Vendi score of order 2 most, one after the other.

    Attributes:
        weight: exponent of mean quality, 0 or more.
    """

    weight: float = 1.0

    name: ClassVar[str] = "vendi_greedy"
    source: ClassVar[str] = "Pasarkar & Dieng 2023 (arXiv 2310.12952); Nguyen & Dieng 2024 (ICML, nguyen24d)"
    sweep: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"weight": w} for w in (0.0, 0.5, 1.0, 2.0, 4.0))

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf"):
            raise ValueError(f"weight must be 0 or more; got {self.weight:g}")

    @property
    def needs(self) -> tuple[str, ...]:
        """Vectors, and quality where it has a weight."""
        return ("vectors", "quality") if self.weight else ("vectors",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the highest score until the basket admits none. O(n d k), or O(n d²) by samples."""
        vectors = finite_vectors(pool)
        run = _Run(pool, vectors, basket, self.weight)
        race = Race(vectors, run.form, run.score, run.took, steady=not self.weight, label=self.name)
        last, exact = take(race, basket, setting)
        facts = {"greedy": "exact" if exact else "stochastic", "bound": None, "weighted_vendi": run.value}
        scores = run.rises(last, np.arange(len(pool)))
        raced = len(basket)
        basket.fill(np.arange(len(pool)), np.zeros(len(pool)))  # zero vectors are left
        setting.told(len(basket) - raced)
        return Choice(
            score=scores_of(basket, scores),
            scored="rise of the score if it were added",
            gained="effective records, weighted with quality" if self.weight else "effective records",
            facts=facts | {"bound_reason": "the score is not submodular", "zero_vectors": len(basket) - raced},
        )


class _Run:
    """What was taken: its Gram matrix, number, sum of quality and score. Zero vectors are no records here."""

    def __init__(self, pool: Candidates, vectors: NDArray[np.float32], basket: Basket, weight: float) -> None:
        self.form = Crowding(vectors.shape[1])
        self.value = 0.0
        self._weight = weight
        self._quality = quality_ranks(pool) if weight else np.ones(len(pool))
        self._norm = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64) ** 2
        kept = np.array([one for one in basket.taken if self._norm[one] > 0], dtype=np.int64)
        self._number, self._sum = len(kept), float(self._quality[kept].sum())
        if len(kept):
            rows = vectors[kept].astype(np.float64)
            self.value = self._of(len(kept), self._sum, float(np.square(rows.T @ rows).sum()))

    def score(self, values: Floats, at: Ints) -> Floats:
        """What the pick has most of: the rise of the logarithm of the score, but for terms that are the same for all.

        Of the whole score a pick is a small share, which rounding would cover once much was taken; here all terms are
        negative, so that none covers another.
        """
        added = self._norm[at] - 2 * values
        if not self._weight:
            scores = -added
        elif not self._number:
            scores = self._weight * np.log(self._quality[at])
        else:
            gained = np.log1p(self._quality[at] / self._sum) - np.log1p(1 / self._sum)
            scores = self._weight * gained - np.log1p(added / self.form.total)
        return np.where(self._norm[at] > 0, scores, -np.inf)

    def took(self, candidate: int, value: float) -> float:
        """Note a pick before the form takes it; returns by how much the score rises."""
        self._number += 1
        self._sum += float(self._quality[candidate])
        before = self.value
        self.value = self._of(self._number, self._sum, self.form.total + float(self._norm[candidate]) - 2 * value)
        return self.value - before

    def rises(self, values: Floats, at: Ints) -> Floats:
        """By how much the score would rise if one of these were added; NaN for zero vectors."""
        square = self.form.total + self._norm[at] - 2 * values
        shown = self._norm[at] > 0
        score = self._of(self._number + 1, self._sum + self._quality[at], np.where(shown, square, 1))
        return np.where(shown, score - self.value, np.nan)

    def _of(self, number: int, quality: Any, square: Any) -> Any:
        """The score of so many records with this sum of quality and this tr(G²)."""
        return (quality / number) ** self._weight * number**2 / square
