"""Vendi score of order q: the effective number of different records.

    exp(log(Σ λ_i^q) / (1 - q));  q = 1: exp(-Σ λ_i log λ_i);  q = ∞: 1 / max λ_i

λ are the eigenvalues of XᵀX/n, X the unit embeddings (n, d), so Σ λ = 1: the d × d form, O(n d² + d³), never O(n³).
Friedman & Dieng 2023 (arXiv 2210.02410); orders: Pasarkar & Dieng 2023 (2310.12952); q = 2 is 1/Σ λ² and needs no
eigenvalues (RKE, 2410.21719). Unit: effective records, range 1..∞ (at most d), higher is more diverse. Low orders count
rare kinds, high orders the common ones. Eigenvalues below 1e-7 are rounding and count as 0 (this matters for q near 0).

Grows with the number of records (q = 1: 72 at n = 100, 231 at n = 30,000 on one law): read it at a common n; q = 2 is
steadier. Frozen encoder: the interval is conditional on it.

Worked example: vectors (1, 0), (1, 0), (0, 1), q = 2: λ = 2/3, 1/3; 1/(4/9 + 1/9) = 1.8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import dot, kept, unit_vectors
from triptych.statistics.gram import Gram

FLOOR = 1e-7


@measure(
    axis="diversity",
    title="Vendi score",
    unit="effective records",
    bounds=(1.0, float("inf")),
    better="higher",
    interval="growing",
    source="Friedman & Dieng 2023 (arXiv 2210.02410); Pasarkar & Dieng 2023 (arXiv 2310.12952)",
    confounders=("number of records", "encoder", "length", "validity: garbage is diverse"),
    panel=({"q": 1.0}, {"q": 2.0}, {"q": math.inf}, {"q": 2.0, "valid_only": True}),
    headline=({"q": 2.0, "valid_only": True},),
)
class Vendi(Measure):
    """Effective number of different records."""

    q: float = 1.0
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.q >= 0:
            raise ValueError(f"the order q must be 0 or more, or inf; got {self.q:g}")

    def statistic(self) -> Gram:
        """Gram matrices; all orders and `mean_cosine_distance` read the same."""
        return Gram(on=self.on, where="valid" if self.valid_only else "all")

    def value(self, gram: Gram, keep: Mask) -> float | Undefined:
        """From the spectrum, or from the squared entries where q = 2."""
        if not gram.records(keep):
            return Undefined("no record has a vector")
        if self.q == 2:
            return max(1 / gram.purity(keep), 1.0)
        return effective_number(gram.spectrum(keep), self.q)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """From the n × n matrix of cosines."""
        vectors = unit_vectors(kept(rows, self.valid_only), f"embedding@{self.on}")
        if not vectors:
            return None
        cosines = np.array([[dot(a, b) for a in vectors] for b in vectors])
        if self.q == 2:
            return 1 / float(np.mean(cosines**2))
        return effective_number(np.linalg.eigvalsh(cosines / len(vectors)), self.q)


def effective_number(spectrum: NDArray[np.floating[Any]], q: float) -> float:
    """Hill number of order q of a spectrum that sums to 1 (at least 1)."""
    shares = spectrum[spectrum > FLOOR]
    if math.isinf(q):
        return max(float(1 / shares.max()), 1.0)
    if math.isclose(q, 1.0, abs_tol=1e-6):
        return max(float(np.exp(-np.sum(shares * np.log(shares)))), 1.0)
    return max(float(np.exp(np.log(np.sum(shares**q)) / (1 - q))), 1.0)


EXAMPLE = Example(
    records=[{"response": text, "embedding@response": v} for text, v in (("a", [1, 0]), ("a", [1, 0]), ("b", [0, 1]))],
    params={"q": 2.0},
    value=1.8,
)
