"""GRACE: how far the gradients of held-out records lie outside what the other records teach the student; lower is better.

    mean over records i of  g_iᵀ Σ̃_{-f(i)}⁻¹ g_i,   Σ̃ = (1 - ν) Σ + ν tr(Σ)/d · I,   Σ = mean over j of ĝ_j ĝ_jᵀ

g_i is the projected gradient of the student's loss on record i, ĝ_j that of record j at length 1, and Σ_{-f} is made
without the fold f of record i. "In Good GRACEs" (Panigrahi et al., arXiv 2511.02833; ν = .001), as its released code has
it: the training side at length 1, the held-out side as it is. Ours splits by the 32 groups of records, into eight folds, not
at random, so that all answers to one prompt are held out together. Low: small and shared gradients. Up to .86 correlated
with the accuracy after distillation on GSM8K and MATH, where the teacher's own accuracy gave .11.

Unit: none, range 0..∞. Gradients under the model named by `--student`, of its linear layers, projected to 512 numbers
(factored random signs: an approximation of the projection in the paper, which takes all weights). A forward and a backward
pass a record: ask for it on a sample, `--measures grace --lm-sample N`. Falls steeply while there are fewer records than
numbers (512): compare sets at equal n. Confounded by the length of responses (short ones have larger gradients), and by n.

Worked example, ν = .5, d = 2: gradients (2, 0) in one fold and (0, 1) in another. For the first the other makes Σ =
diag(0, 1), Σ̃ = diag(.25, .75): 4/.25 = 16; for the second 1/.25 = 4; mean 10.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept
from triptych.statistics.vector_rows import VectorRows

COLUMN = "student.gradient"
FOLDS = 8


@measure(
    axis="fit",
    title="GRACE",
    unit="held-out gradient",
    bounds=(0.0, float("inf")),
    better="lower",
    interval="growing",
    source="Panigrahi et al. 2025 (arXiv 2511.02833)",
    confounders=("number of records", "length of responses", "the projection"),
    panel=(),
    extra="lm",
)
class Grace(Measure):
    """Held-out gradients in the inverse of the smoothed second moment of the others."""

    smoothing: float = 1e-3
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.smoothing <= 1:
            raise ValueError(f"smoothing is above 0 and at most 1; got {self.smoothing:g}")

    def statistic(self) -> VectorRows:
        """The gradients of the records."""
        return VectorRows(COLUMN, where="valid" if self.valid_only else "all")

    def value(self, vectors: VectorRows, keep: Mask) -> float | Undefined:
        """Fold by fold: the mean over all records."""
        rows, group = vectors.rows(keep)
        folds = np.unique(group % FOLDS)
        if len(folds) < 2:
            return Undefined("records with a gradient fall in fewer than two of the eight folds")
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        outside = [_outside(rows[group % FOLDS == f], unit[group % FOLDS != f], self.smoothing) for f in folds]
        return max(sum(outside) / len(rows), 0.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Record by record, the smoothed matrix by its eigenvalues as in the released code."""
        found = [row for row in kept(rows, self.valid_only) if row[COLUMN] is not None and any(row[COLUMN])]
        each = []
        for row in found:
            others = [np.array(o[COLUMN], dtype=float) for o in found if (o["group"] - row["group"]) % FOLDS]
            if not others:
                return None
            second = np.mean([np.outer(other, other) / (other @ other) for other in others], axis=0)
            values, axes = np.linalg.eigh(second)
            values = (1 - self.smoothing) * np.clip(values, 1e-12, None) + self.smoothing * values.mean()
            along = axes.T @ np.array(row[COLUMN], dtype=float)
            each.append(float(np.sum(along**2 / values)))
        return float(np.mean(each)) if each else None


def _outside(held: NDArray[np.float64], others: NDArray[np.float64], smoothing: float) -> float:
    """Sum over the rows g of `held` (h, d) of g Σ̃⁻¹ g, Σ̃ from the unit rows `others` (m, d), whose Σ has trace 1."""
    m, width = others.shape
    ridge, share = float(smoothing / width), (1 - smoothing) / m
    if m >= width:
        second = share * (others.T @ others) + ridge * np.eye(width)
        return float(np.sum(held.T * np.linalg.solve(second, held.T)))
    inner = others @ held.T  # fewer rows than numbers: the inverse by its m × m form (Woodbury)
    kernel = share * (others @ others.T) + ridge * np.eye(m)
    return float(np.sum(held**2) - share * np.sum(inner * np.linalg.solve(kernel, inner))) / ridge


EXAMPLE = Example(
    records=[
        {"response": str(i), "group": group, COLUMN: g} for i, (group, g) in enumerate([(0, [2, 0]), (1, [0, 1])])
    ],
    params={"smoothing": 0.5},
    value=10.0,
)
