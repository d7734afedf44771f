"""Quadratic forms on vectors: the log-determinant, and the sum of squared cosines to what was taken.

Both keep a d x d matrix instead of a kernel over records, so they cost O(d²) for a candidate and O(d²) for a pick, and go
on beyond d picks. `triptych.selectors._greedy` takes candidates by them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class LogDet:
    """log det(I + X_SᵀX_S / ε), S what was taken. A `Form`: the value of x is v = xᵀ(εI + X_SᵀX_S)⁻¹x.

    Taking x adds log(1 + v) (`gain`). Values only fall (the objective is submodular) and are never below 0: a zero vector
    adds nothing, a unit vector adds log(1 + 1/ε) to an empty set, and log 2 at most to a set that holds a copy of it. It
    equals log det(K_S + εI) - |S| log ε, K_S the cosines within S. Kept as the inverse in float64, one rank-one update
    for each pick (Sherman-Morrison).

    Example: `form = LogDet(256, 0.01)`; `form.gain(form.of(rows))` are the gains of rows (m, 256) now;
    `form.take(rows[0])` takes one and returns w with which the values of any others can be kept up to date:
    `values -= (others @ w) ** 2`.

    Args:
        width: d.
        ridge: ε > 0.

    Attributes:
        total: the objective for what was taken.
    """

    def __init__(self, width: int, ridge: float) -> None:
        self.total = 0.0
        self._inverse = np.eye(width) / ridge
        self._outer = np.empty((width, width))

    def of(self, rows: Floats) -> Floats:
        """Values of rows (m, d), (m,)."""
        values: Floats = np.einsum("ij,ij->i", rows @ self._inverse, rows)
        return values

    def take(self, row: Floats) -> Floats:
        """Take a vector (d,); returns w (d,): the value of every x has fallen by (x·w)²."""
        image = self._inverse @ row
        value = float(row @ image)
        direction: Floats = image / np.sqrt(1 + value)
        np.multiply(direction[:, None], direction, out=self._outer)
        self._inverse -= self._outer
        self.total += float(np.log1p(value))
        return direction

    @staticmethod
    def gain(values: Floats) -> Floats:
        """What vectors of these values add to the objective."""
        gains: Floats = np.log1p(np.maximum(values, 0))
        return gains


class Crowding:
    """-Σ_{s in S} (x·s)²: minus the sum of squared cosines to what was taken. A `Form`.

    It is -xᵀGx with G = X_SᵀX_S. Taking a unit vector x adds 2 xᵀGx + 1 to tr(G²), and Σλ² = tr(G²)/|S|².

    Args:
        width: d.

    Attributes:
        total: tr(G²).
    """

    def __init__(self, width: int) -> None:
        self.total = 0.0
        self._gram = np.zeros((width, width))
        self._outer = np.empty((width, width))

    def of(self, rows: Floats) -> Floats:
        """Values of rows (m, d), (m,)."""
        values: Floats = np.einsum("ij,ij->i", rows @ self._gram, rows)
        return -values

    def take(self, row: Floats) -> Floats:
        """Take a vector (d,); returns it: the value of every x has fallen by (x·row)²."""
        self.total += 2 * float(row @ (self._gram @ row)) + float(row @ row) ** 2
        np.multiply(row[:, None], row, out=self._outer)
        self._gram += self._outer
        return row
