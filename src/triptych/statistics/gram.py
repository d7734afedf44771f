"""Gram matrices and sums of embedding vectors, by group.

For unit rows X (n, d) the state is XᵀX and Σx of each group in float64. Products are taken in float32 within a batch and
summed in float64: exact to 2e-8 against all-float64 and three times cheaper. Rows of zeros (a text without tokens) are
no vectors and are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, On, Where
from triptych.core.groups import GROUPS, Mask
from triptych.core.statistic import Statistic


@dataclass(eq=False)
class Gram(Statistic):
    """XᵀX (upper triangle), Σx and n of the unit vectors in column `embedding@on`."""

    on: On = "response"
    where: Where = "all"

    def __post_init__(self) -> None:
        self._n = np.zeros(GROUPS, dtype=np.int64)
        self._sums = np.zeros((GROUPS, 0))
        self._triangles = np.zeros((GROUPS, 0))
        self._spectra: dict[bytes, NDArray[np.float64]] = {}
        self._products: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The embedding, and the defects where only valid records are read."""
        return (f"embedding@{self.on}",) if self.where == "all" else (f"embedding@{self.on}", DEFECTS)

    def update(self, batch: Batch) -> None:
        """Add the vectors of a batch."""
        batch = batch.where(self.where)
        if not len(batch):
            return
        vectors = batch.matrix(f"embedding@{self.on}")
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
        held = np.flatnonzero(norms > 0)
        order = held[np.argsort(batch.group[held], kind="stable")]
        rows = vectors[order].astype(np.float32, copy=False)
        rows /= norms[order, None].astype(np.float32)
        self._widen(rows.shape[1])
        square = np.empty((rows.shape[1], rows.shape[1]), dtype=np.float32)
        triangle = np.empty(self._triangles.shape[1], dtype=np.float32)
        place = _flat_upper(rows.shape[1])
        ends = np.searchsorted(batch.group[order], np.arange(GROUPS), side="right")
        for g, (start, stop) in enumerate(pairwise([0, *ends])):
            if start == stop:
                continue
            part = rows[start:stop]
            self._n[g] += stop - start
            self._sums[g] += part.sum(axis=0, dtype=np.float64)
            np.matmul(part.T, part, out=square)
            self._triangles[g] += np.take(square.reshape(-1), place, out=triangle, mode="clip")
        self._forget()

    def _widen(self, width: int) -> None:
        if self._sums.shape[1] == 0:
            self._sums = np.zeros((GROUPS, width))
            self._triangles = np.zeros((GROUPS, width * (width + 1) // 2))

    def merge(self, other: Self) -> None:
        """Add the state of other records."""
        if other._sums.shape[1] == 0:
            return
        self._widen(other._sums.shape[1])
        self._n = self._n + other._n
        self._sums += other._sums
        self._triangles += other._triangles
        self._forget()

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of n (32,), sums (32, d), triangles (32, d(d+1)/2): updates work in place."""
        return {"n": self._n.copy(), "sums": self._sums.copy(), "triangles": self._triangles.copy()}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._n, self._sums, self._triangles = state["n"], state["sums"], state["triangles"]
        self._forget()

    def records(self, keep: Mask) -> int:
        """Records with a vector."""
        return int(self._n[keep].sum())

    def sum_norm2(self, keep: Mask) -> float:
        """|Σx|² over the kept groups."""
        total = self._sums[keep].sum(axis=0)
        return float(total @ total)

    def spectrum(self, keep: Mask) -> NDArray[np.float64]:
        """Eigenvalues (d,) of XᵀX/n over the kept groups: not negative, summing to 1. There must be a vector."""
        label = keep.tobytes()
        if label not in self._spectra:
            values = np.linalg.eigvalsh(self._square(keep), UPLO="U")
            values = np.clip(values, 0.0, None)
            self._spectra[label] = values / values.sum()
        return self._spectra[label]

    def purity(self, keep: Mask) -> float:
        """Σλ² over the kept groups, from the inner products of the groups' matrices: needs no eigendecomposition."""
        if self._products is None:
            rows, columns = _upper(self._sums.shape[1])
            twice = np.where(rows == columns, 1.0, 2.0)
            traces = self._triangles[:, rows == columns].sum(axis=1)
            self._products = (self._triangles * twice) @ self._triangles.T, traces
        products, traces = self._products
        kept = keep.astype(np.float64)
        return float(kept @ products @ kept / (kept @ traces) ** 2)

    def _square(self, keep: Mask) -> NDArray[np.float64]:
        """Upper triangle of Σ xxᵀ / n, zeros below."""
        width = self._sums.shape[1]
        square = np.zeros((width, width))
        square[_upper(width)] = keep.astype(np.float64) @ self._triangles / self.records(keep)
        return square

    def _forget(self) -> None:
        """Drop what was read from an earlier state."""
        self._spectra = {}
        self._products = None


@lru_cache(maxsize=4)
def _upper(width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the upper triangle."""
    return np.triu_indices(width)


@lru_cache(maxsize=4)
def _flat_upper(width: int) -> NDArray[np.intp]:
    """Positions of the upper triangle in the flat square."""
    rows, columns = np.triu_indices(width)
    return rows * width + columns
