"""How new a candidate is beside what was taken: the product of three shares, each between 0 and 1.

* directions: v^(1/2), v = xᵀ(I + X_SᵀX_S)⁻¹x, the part of x that the directions of the taken leave open. log(1 + v) is
  the gain of the log-determinant; the root keeps it from filling up with the odd records that span rare directions.
* neighbours: 1 - c², c the cosine to the nearest taken record (at least 0): what a copy of one of them is not. In d
  dimensions v alone cannot tell records apart once many more than d are taken.
* structure: 1 / (1 + how many of the same structure are taken): the rarest first, even in the end. A record without a
  structure counts as one of an average one.

A share that is not there (no vectors, no structure) is 1. As a product needs no weights, no scale of its own is set
against another. Each share only falls as more is taken.

Worked example: S = {(1, 0)}, no structure. (1, 0): v = 1/2, c = 1: 0. (0, 1): v = 1, c = 0: 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import Candidates, Floats, Ints
from triptych.selectors._clusters import NO_CLUSTER, clusters_of
from triptych.selectors._columns import finite_vectors
from triptych.selectors._linear import LogDet

Vectors = NDArray[np.float32]

EXACT = 1e10
"""Multiplications (n d k) up to which the novelty of all candidates is kept up to date: some 10 s on one core."""

_POWER = 0.5
_LEAST = 1e-6  # a share is no lower: a copy is still to be had where nothing else is left
_ROWS = 16_384


@final
class Structures:
    """How often each structure is taken."""

    def __init__(self, keys: NDArray[np.uint64] | None) -> None:
        different, codes = np.unique(keys, return_inverse=True) if keys is not None else (np.zeros(0), None)
        self._codes = None if codes is None else codes.reshape(-1)
        self._known = different != 0
        self._counts = np.zeros(len(different))
        self._total = 0.0
        self._seen = 0

    @property
    def there(self) -> bool:
        """Whether candidates differ in structure."""
        return bool(np.count_nonzero(self._known) > 1)

    def log_share(self, among: Ints | slice) -> Floats | float:
        """-log(1 + count) of these candidates."""
        if self._codes is None or not self.there:
            return 0.0
        counts = self._counts
        if not self._known.all():
            counts = np.where(self._known, counts, self._total / max(self._seen, 1))
        shares: Floats = -np.log1p(counts)[self._codes[among]]
        return shares

    def take(self, candidate: int) -> None:
        """Count a candidate."""
        if self._codes is None:
            return
        code = self._codes[candidate]
        if self._known[code]:
            self._seen += int(self._counts[code] == 0)
            self._total += 1
            self._counts[code] += 1


class Novelty(ABC):
    """Novelty beside what was taken so far, as its logarithm."""

    def __init__(self, pool: Candidates) -> None:
        self.structures = Structures(pool.structure)

    @abstractmethod
    def of(self, among: Ints) -> Floats:
        """Of these candidates (m,), (m,)."""

    @abstractmethod
    def all(self) -> Floats:
        """Of all candidates, (n,)."""

    @abstractmethod
    def take(self, candidate: int) -> None:
        """Take a candidate."""


@final
class Kept(Novelty):
    """Novelty of all candidates, kept up to date in float64: O(n d) for each that is taken."""

    def __init__(self, pool: Candidates) -> None:
        super().__init__(pool)
        self._rows = None if pool.vectors is None else finite_vectors(pool).astype(np.float64)
        if self._rows is not None:
            self._form = LogDet(self._rows.shape[1], 1.0)
            self._open = self._form.of(self._rows)
            self._nearest = np.zeros(len(pool))
        self._n = len(pool)

    def of(self, among: Ints) -> Floats:
        """Of these candidates (m,), (m,)."""
        return self._at(among)

    def all(self) -> Floats:
        """Of all candidates, (n,)."""
        return self._at(slice(None))

    def take(self, candidate: int) -> None:
        """Take a candidate. O(n d)."""
        self.structures.take(candidate)
        if self._rows is not None:
            row = self._rows[candidate]
            moved = self._rows @ np.stack([self._form.take(row), row], axis=1)
            self._open -= np.square(moved[:, 0])
            np.maximum(self._nearest, moved[:, 1], out=self._nearest)

    def _at(self, among: Ints | slice) -> Floats:
        out = np.zeros(self._n)[among] + self.structures.log_share(among)
        if self._rows is not None:
            out += log_shares(self._open[among], self._nearest[among])
        return out


@final
class Asked(Novelty):
    """Novelty of a few candidates when it is asked for: O(d²) each, for pools where keeping all up to date costs too much.

    The nearest taken record is looked for within a candidate's cluster, √n of them.
    """

    def __init__(self, pool: Candidates, seed: int) -> None:
        super().__init__(pool)
        self._rows = None if pool.vectors is None else finite_vectors(pool)
        if self._rows is not None:
            n, width = self._rows.shape
            self._form = LogDet(width, 1.0)
            self._cluster, _ = clusters_of(pool, max(1, round(n**0.5)), seed)
            self._nearest = np.zeros(n)
            order = np.argsort(self._cluster, kind="stable")
            held = np.arange(int(self._cluster.max(initial=NO_CLUSTER)) + 2)
            starts = np.searchsorted(self._cluster[order], held)
            self._members = [order[a:b] for a, b in pairwise(starts)]
        self._n = len(pool)

    def of(self, among: Ints) -> Floats:
        """Of these candidates (m,), (m,). O(m d²)."""
        out = np.zeros(len(among)) + self.structures.log_share(among)
        if self._rows is not None:
            out += log_shares(self._form.of(self._rows[among].astype(np.float64)), self._nearest[among])
        return out

    def all(self) -> Floats:
        """Of all candidates, (n,). O(n d²)."""
        places = np.arange(self._n)
        return np.concatenate([self.of(places[start : start + _ROWS]) for start in range(0, max(self._n, 1), _ROWS)])

    def take(self, candidate: int) -> None:
        """Take a candidate: O(d²), and O(√n d) for its cluster."""
        self.structures.take(candidate)
        if self._rows is not None:
            row = self._rows[candidate]
            self._form.take(row.astype(np.float64))
            cluster = int(self._cluster[candidate])
            if cluster != NO_CLUSTER:
                near = self._members[cluster]
                self._nearest[near] = np.maximum(self._nearest[near], self._rows[near] @ row)


def log_shares(open_: Floats, nearest: Floats) -> Floats:
    """Logarithm of the shares of directions (from v) and of neighbours (from c), (m,) each."""
    shares: Floats = _POWER * np.log(np.maximum(open_, _LEAST))
    shares += np.log(np.maximum(1 - np.square(nearest), _LEAST))
    return shares
