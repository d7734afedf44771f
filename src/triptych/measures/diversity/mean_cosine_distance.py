"""Mean cosine distance: 1 - cosine of the embeddings, averaged over all pairs of records ("remote clique").

    1 - (|Σx|² - n) / (n (n - 1)),  x unit vectors

Shaib et al. 2024 (arXiv 2403.00553). Unit: cosine distance, range 0..2, higher is more diverse. Exact in O(n d). Does not
grow with the number of records. Blind to structure: two tight clusters far apart score like an even spread. Frozen
encoder: the interval is conditional on it. Records without tokens have no vector and are not counted.

Worked example: vectors (1, 0), (1, 0), (0, 1): distances 0, 1, 1; mean 0.667.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, mean, unit_vectors
from triptych.statistics.gram import Gram


@measure(
    axis="diversity",
    unit="cosine distance",
    bounds=(0.0, 2.0),
    better="higher",
    source="Shaib et al. 2024 (arXiv 2403.00553)",
    confounders=("encoder", "topic mix: clusters far apart score like an even spread"),
)
class MeanCosineDistance(Measure):
    """Mean distance over pairs."""

    on: On = "response"
    valid_only: bool = False

    def statistic(self) -> Gram:
        """Sums of vectors; `vendi` reads the same."""
        return Gram(on=self.on, where="valid" if self.valid_only else "all")

    def value(self, gram: Gram, keep: Mask) -> float | Undefined:
        """From the squared length of the sum."""
        n = gram.records(keep)
        if n < 2:
            return Undefined(f"a distance needs two records with a vector, there are {n}")
        return min(max(1 - (gram.sum_norm2(keep) - n) / (n * (n - 1)), 0.0), 2.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Pair by pair."""
        vectors = unit_vectors(kept(rows, self.valid_only), f"embedding@{self.on}")
        return mean([1 - dot(a, b) for a, b in combinations(vectors, 2)])


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    value=2 / 3,
)
