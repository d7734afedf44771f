"""An archive of earlier rounds, of fixed size: what a record must differ from to be new.

A uniform sample of the records that were added, by hash: those of the smallest hashes of address and round. Novelty against
everything ever seen falls merely because there is more to be compared with; against a fixed number of records it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.groups import mix

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
UInts = NDArray[np.uint64]

_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Archive:
    """At most `size` records of earlier rounds.

    Attributes:
        size: how many are kept.
        order: hash of address and round of each, ascending, (k,).
        structure: key of the structure of each, 0 where it has none, (k,).
        vectors: unit rows or zeros, float32 (k, d).
    """

    size: int
    order: UInts
    structure: UInts
    vectors: Singles

    @classmethod
    def empty(cls, size: int) -> Archive:
        """An archive that holds nothing yet."""
        none = np.zeros(0, dtype=np.uint64)
        return cls(size, none, none, np.zeros((0, 0), dtype=np.float32))

    def __len__(self) -> int:
        return len(self.order)

    def grown(self, number: int, address: UInts, structure: UInts, vectors: Singles) -> Archive:
        """The archive after n records of a round.

        Args:
            number: of the round.
            address: hash of the address of each record, (n,).
            structure: key of the structure of each, (n,).
            vectors: unit rows or zeros, (n, d).
        """
        order = mix(address ^ mix(np.full(1, number + 1, dtype=np.uint64)))
        both = np.concatenate([self.order, order])
        kept = np.argsort(both, kind="stable")[: self.size]
        held = self.vectors if len(self) else vectors[:0]
        return Archive(
            self.size,
            both[kept],
            np.concatenate([self.structure, structure])[kept],
            np.concatenate([held, vectors])[kept],
        )

    def lacks(self, structure: UInts) -> NDArray[np.bool_]:
        """Which of these structures no record of the archive has, (n,)."""
        return ~np.isin(structure, self.structure)

    def distance(self, vectors: Singles) -> Floats:
        """1 - cosine to the nearest record of the archive, (n,); NaN for a row of zeros, and where nothing is held."""
        return nearest_distance(vectors, self.vectors)


def nearest_distance(vectors: NDArray[np.floating[Any]], base: Singles) -> Floats:
    """1 - cosine of each row to its nearest in the base, float64 (n,); rows of zeros are no vectors: NaN. O(n b d).

    Args:
        vectors: unit rows or zeros, (n, d).
        base: the same, (b, d).
    """
    out = np.full(len(vectors), np.nan)
    held = base[np.einsum("ij,ij->i", base, base) > 0] if len(base) else base
    if not len(held):
        return out
    rows = np.flatnonzero(np.einsum("ij,ij->i", vectors, vectors) > 0)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        out[block] = np.clip(1.0 - (vectors[block] @ held.T).max(axis=1), 0.0, 2.0)
    return out
