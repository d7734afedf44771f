"""Least squares with an error that holds: clusters counted as wholes, and degrees of freedom counted to match.

The error of an effect is the sandwich CR2 of Bell and McCaffrey 2002 with their Satterthwaite degrees of freedom, with
block means absorbed (Pustejovsky and Tipton 2018, Journal of Business & Economic Statistics 36, theorem 2). What that is:

    every block has every arm     the t-test over the blocks' own effects, blocks - 1 degrees of freedom
    no blocks, each run alone     HC2; where arms repeat, Welch's degrees of freedom if they are fewer, because arms
                                  that differ in spread leave less than runs that are alike would
    runs missing, many blocks     what lies between, and needs no further rule

It assumes that blocks are independent, and nothing about the spread of arms, about runs of one block (which share items)
or about whether an effect is the same in every block. One pass serves any number of outcomes with the same rows.

Worked example: four blocks whose effects are .1, .2, .3, .4: estimate .25, error .0645 (SD .129 / 2), 3 degrees of
freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[Any]

TINY = 1e-10


@dataclass(frozen=True)
class Solution:
    """Coefficients of p terms for m outcomes.

    Attributes:
        beta: (p, m).
        se: (p, m).
        df: degrees of freedom of each error, (p, m).
        residuals: (n, m).
        partial_r2: share of what the other terms leave that a term explains, (p, m).
    """

    beta: Array
    se: Array
    df: Array
    residuals: Array
    partial_r2: Array


@dataclass(frozen=True)
class Clusters:
    """Which runs an interval counts as one, and what is taken out of each.

    Attributes:
        codes: cluster of each run, 0 .. count - 1; (n,).
        count: number of clusters.
        share: how much of its cluster's mean is taken out of a run: 1 (fixed), 0 (none), or between (random); (count,).
    """

    codes: NDArray[np.intp]
    count: int
    share: Array

    @staticmethod
    def of(labels: Labels, share: float = 1.0) -> Clusters:
        """Clusters by label."""
        names, codes = np.unique(labels, return_inverse=True)
        return Clusters(codes.ravel(), len(names), np.full(len(names), share))

    @staticmethod
    def alone(n: int) -> Clusters:
        """Every run by itself."""
        return Clusters(np.arange(n), n, np.zeros(n))

    @cached_property
    def sizes(self) -> Array:
        """Runs of each cluster, (count,)."""
        return np.bincount(self.codes, minlength=self.count).astype(np.float64)

    def without_means(self, values: Array) -> Array:
        """Values (n, k) less `share` of the mean of their cluster."""
        if not self.share.any():
            return values
        return values - (self.share / self.sizes)[self.codes, None] * self.sums(values)[self.codes]

    def sums(self, values: Array) -> Array:
        """Sum over the runs of each cluster, (count, k)."""
        order = np.argsort(self.codes, kind="stable")
        starts = np.r_[0, np.cumsum(self.sizes[:-1])].astype(int)
        out: Array = np.add.reduceat(values[order], starts, axis=0)
        return out


class Fit:
    """A design that can be solved for any number of outcomes.

    Args:
        terms: columns whose coefficients are wanted, (n, p), linearly independent of one another and of `nuisance`.
        nuisance: columns that are only held fixed, (n, k); may be collinear. The constant belongs here.
        clusters: what the error counts.
    """

    def __init__(self, terms: Array, nuisance: Array, clusters: Clusters) -> None:
        self.clusters = clusters
        self.n, self.p = terms.shape
        self._arms = _repeated(terms) if clusters.count == self.n else None
        absorbed = clusters.without_means(np.column_stack([terms, nuisance]))
        design: Array = np.column_stack([absorbed[:, : self.p], basis(absorbed[:, self.p :])])
        self._inverse: Array = np.linalg.inv(design.T @ design).astype(np.float64)
        self._design = design

    @property
    def df_residual(self) -> float:
        """Runs less columns, block means included."""
        blocks = float(np.count_nonzero(self.clusters.share >= 1))
        return float(self.n - self._design.shape[1]) - blocks

    @property
    def leverage(self) -> Array:
        """How much of each run's fit is its own doing, fixed block means included, (n,)."""
        own = np.einsum("ij,jk,ik->i", self._design, self._inverse, self._design)
        means = np.where(self.clusters.share >= 1, 1 / self.clusters.sizes, 0.0)
        out: Array = own + means[self.clusters.codes]
        return out

    @cached_property
    def weights(self) -> Array:
        """What each run counts for in each coefficient, (p, n)."""
        raw: Array = self._inverse[: self.p] @ self._design.T
        return raw

    @cached_property
    def _sandwich(self) -> tuple[Array, Array]:
        """Weights after Bell and McCaffrey's adjustment (p, n), and degrees of freedom (p,)."""
        adjusted = np.empty((self.p, self.n))
        root = _root(self._inverse)
        for mine in _members(self.clusters):
            left, values, _ = np.linalg.svd(self._design[mine] @ root, full_matrices=False)
            rest = 1 - values**2
            # A direction in which this cluster alone decides has no residual: it is left out (Moore and Penrose).
            factor = np.where(rest > TINY, 1 / np.sqrt(np.maximum(rest, TINY)), 0.0) - 1
            raw = self.weights[:, mine]
            adjusted[:, mine] = raw + (raw @ left) * factor @ left.T
        return adjusted, np.array([self._freedom(row) for row in adjusted])

    def _freedom(self, adjusted: Array) -> float:
        """Satterthwaite's degrees of freedom of one error, were all runs alike and independent."""
        inside = self.clusters.sums((adjusted**2)[:, None])[:, 0]
        pulls = self.clusters.sums(adjusted[:, None] * self._design)
        # Omega = diag(inside) - pulls M pulls'; both traces without the matrix of clusters by clusters.
        cross = pulls.T @ pulls
        diagonal = np.einsum("gi,ij,gj->g", pulls, self._inverse, pulls)
        trace = inside.sum() - diagonal.sum()
        middle = self._inverse @ cross
        squares = (inside**2).sum() - 2 * (inside * diagonal).sum() + np.trace(middle @ middle)
        return float(trace**2 / squares) if squares > 0 and trace > TINY * inside.sum() else 0.0

    def solve(self, outcomes: Array) -> Solution:
        """Coefficients and errors for outcomes (n, m), all finite."""
        y = self.clusters.without_means(outcomes)
        all_beta = self._inverse @ (self._design.T @ y)
        residuals = y - self._design @ all_beta
        adjusted, df = self._sandwich
        variance = np.stack([(self.clusters.sums(row[:, None] * residuals) ** 2).sum(0) for row in adjusted])
        freedom = np.repeat(df[:, None], outcomes.shape[1], axis=1)
        if self._arms is not None:
            freedom = np.minimum(
                freedom, np.stack([_welch((row[:, None] * residuals) ** 2, self._arms) for row in adjusted])
            )
        beta = all_beta[: self.p]
        rest = (residuals**2).sum(0)
        explained = beta**2 / np.diag(self._inverse)[: self.p, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            partial = np.where(explained + rest > 0, explained / (explained + rest), 0.0)
        return Solution(beta, np.sqrt(variance), freedom, residuals, partial)

    def pieces(self, outcomes: Array) -> tuple[Array, Array]:
        """X'X (clusters, q, q) and X'y (clusters, q, m) of each cluster; q columns, the p terms first."""
        y = self.clusters.without_means(outcomes)
        q, m = self._design.shape[1], y.shape[1]
        squares, products = np.zeros((self.clusters.count, q, q)), np.zeros((self.clusters.count, q, m))
        for g, mine in enumerate(_members(self.clusters)):
            squares[g] = self._design[mine].T @ self._design[mine]
            products[g] = self._design[mine].T @ y[mine]
        return squares, products


def basis(columns: Array) -> Array:
    """An orthonormal basis (n, rank) of the space of some columns (n, k)."""
    if not columns.shape[1]:
        return columns
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    out: Array = left[:, values > 1e-9 * max(1.0, float(values[0]) if values.size else 1.0)]
    return out


def _repeated(terms: Array) -> Clusters | None:
    """Runs with the same terms, where most runs have such a fellow."""
    _, codes = np.unique(terms, axis=0, return_inverse=True)
    arms = Clusters.of(codes.ravel())
    return arms if arms.count <= len(terms) / 2 else None


def _welch(parts: Array, arms: Clusters) -> Array:
    """Satterthwaite's degrees of freedom of a sum of squares (n, m) whose arms differ in spread, (m,)."""
    each = arms.sums(parts)
    whole = (each**2 / np.maximum(arms.sizes - 1, 1)[:, None]).sum(0)
    out: Array = np.where(whole > 0, each.sum(0) ** 2 / np.where(whole > 0, whole, 1.0), np.inf)
    return out


def _root(symmetric: Array) -> Array:
    values, vectors = np.linalg.eigh(symmetric)
    root: Array = vectors * np.sqrt(np.maximum(values, 0))
    return root


def _members(clusters: Clusters) -> list[NDArray[np.intp]]:
    order = np.argsort(clusters.codes, kind="stable")
    return np.split(order, np.cumsum(clusters.sizes[:-1]).astype(int))
