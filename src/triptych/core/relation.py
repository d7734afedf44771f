"""A relation: columns that need the whole set of records at once (neighbours, duplicates, groups of responses).

Relations are barriers: they are computed after the features of all shards and before the fold, over exactly the records
that are folded, so that a fold over other rows computes them anew. Their columns may be absent (null) for records they
do not speak of.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import GROUPS
from triptych.core.spec import Spec, spec_of

SAMPLE = 1 << 16
"""Records that carry a vector where a relation samples: those of the smallest address hash."""


@dataclass(frozen=True)
class Keys:
    """What is known of every record that is folded, each of shape (n,), in record order.

    Attributes:
        ordinal: position of the record in the data set.
        address: scrambled key of its address.
        group: its group, 0..31.
        cluster: key of its cluster (prompt, row or named group); 0: it is on its own.
    """

    ordinal: NDArray[np.int64]
    address: NDArray[np.uint64]
    group: NDArray[np.uint8]
    cluster: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.ordinal)

    def dealt(self) -> NDArray[np.int64] | None:
        """How many records on their own and clusters each group holds, (32,).

        None where no record is in a cluster, or where a few clusters hold most records (as if there were fewer than 32 of
        equal size): how many a group holds then says little of its size. Of 60 prompts with 1 to 100 responses the
        interval of distinct words held the truth in .93 of 300 draws, and in .91 with their number taken into account.
        """
        bound = self.cluster != 0
        if not bound.any():
            return None
        _, first, size = np.unique(self.cluster[bound], return_index=True, return_counts=True)
        alone, clusters = self.group[~bound], self.group[bound][first]
        if len(self) ** 2 < GROUPS * (len(alone) + int(size @ size)):
            return None
        return np.bincount(alone, minlength=GROUPS) + np.bincount(clusters, minlength=GROUPS)


class Records(Protocol):
    """The records of one fold, shard by shard, as a relation reads them."""

    @property
    def keys(self) -> Keys:
        """Keys of all records, in record order."""

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[int, Batch]]:
        """For each shard: position of its first record among the folded ones, and the batch with these columns."""


@dataclass(frozen=True)
class Sparse:
    """A column that some records have: positions (k,) ascending among the folded records, and values (k, ...)."""

    positions: NDArray[np.int64]
    values: NDArray[Any]

    def piece(self, start: int, stop: int) -> pa.Array[Any]:
        """The column for the records start..stop as an Arrow array, null where absent."""
        lo, hi = np.searchsorted(self.positions, [start, stop])
        at, values = self.positions[lo:hi] - start, self.values[lo:hi]
        present = np.zeros(stop - start, dtype=np.bool_)
        present[at] = True
        dense = np.zeros((stop - start, *values.shape[1:]), dtype=values.dtype)
        dense[at] = values
        if dense.ndim == 1:
            return pa.array(dense, mask=~present)
        flat = pa.array(dense.reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, dense.shape[1], mask=pa.array(~present))


class Relation(ABC):
    """Columns computed over all folded records. Subclasses are frozen dataclasses and final."""

    version: ClassVar[int] = 1

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Columns it reads."""

    @property
    @abstractmethod
    def gives(self) -> tuple[str, ...]:
        """Columns it makes."""

    @abstractmethod
    def compute(self, records: Records) -> Mapping[str, Sparse]:
        """Compute the columns over all records."""

    @property
    def spec(self) -> Spec:
        """Name, parameters and version."""
        return spec_of(self, version=self.version)
