"""G-Vendi: the effective number of different gradients that the records give a small language model.

    exp(-Σ λ_i log λ_i),  λ the eigenvalues of GᵀG/n,  G the projected gradients of -log p(y|x) at length 1, (n, d)

the Vendi score of order q on gradients: records are alike where they would move the model alike. Jung et al. 2025 (arXiv
2505.20161), who found a Spearman correlation of .9 with scores out of distribution, over 300 runs on mathematics and NLI.
Unit: effective records, range 1..∞ (at most d = 512), higher is more diverse. Gradients under the model named by `--lm`, of
its linear layers, by a factored projection of random signs, which approximates the paper's projection of all weights: at
512 numbers it adds noise of about 1/√512 to a cosine, and so spreads the spectrum a little.

A forward and a backward pass a record: ask for it on a sample, `--measures g_vendi --lm-sample N` (1,000 records of 150
tokens: about 17 CPU-minutes on SmolLM2-135M). Grows with the number of records: compare at equal n. Confounded by length
(gradients of short responses are noisy, and noise is diverse), by garbage, and by the model.

Worked example: gradients (2, 0), (1, 0), (0, 3), q = 2: λ = 2/3, 1/3; 1/(4/9 + 1/9) = 1.8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.diversity.vendi import effective_number
from triptych.measures.reference import dot, kept, unit_vectors
from triptych.statistics.vector_rows import VectorRows

COLUMN = "gradients.vector"


@measure(
    axis="diversity",
    title="Vendi score of gradients",
    unit="effective records",
    bounds=(1.0, float("inf")),
    better="higher",
    interval="growing",
    source="Jung et al. 2025 (arXiv 2505.20161)",
    confounders=("number of records", "length: gradients of short responses are noisy", "garbage", "language model"),
    panel=(),
    extra="lm",
)
class GVendi(Measure):
    """Effective number of different gradients."""

    q: float = 1.0
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.q >= 0:
            raise ValueError(f"the order q must be 0 or more, or inf; got {self.q:g}")

    def statistic(self) -> VectorRows:
        """The gradients of the records."""
        return VectorRows(COLUMN, where="valid" if self.valid_only else "all")

    def value(self, vectors: VectorRows, keep: Mask) -> float | Undefined:
        """From the spectrum of the smaller of the two products."""
        rows, _ = vectors.rows(keep)
        if not len(rows):
            return Undefined("no record has a gradient")
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        square = unit @ unit.T if len(unit) < unit.shape[1] else unit.T @ unit
        return effective_number(np.linalg.eigvalsh(square / len(unit)), self.q)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """From the n × n matrix of cosines."""
        vectors = unit_vectors(kept(rows, self.valid_only), COLUMN)
        if not vectors:
            return None
        cosines = np.array([[dot(a, b) for a in vectors] for b in vectors])
        return effective_number(np.linalg.eigvalsh(cosines / len(vectors)), self.q)


EXAMPLE = Example(
    records=[{"response": text, COLUMN: v} for text, v in (("a", [2, 0]), ("b", [1, 0]), ("c", [0, 3]))],
    params={"q": 2.0},
    value=1.8,
)
