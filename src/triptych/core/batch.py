"""A batch: the columns of some records together with the group of each record.

Statistics see batches. A batch wraps Arrow columns and hands them out as numpy arrays in the few shapes there are:
numbers (with the rows that have one), keys, lists (flat values and offsets), matrices and bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Where: TypeAlias = Literal["all", "valid"]
"""Which records a statistic reads: all, or those without a defect."""

On: TypeAlias = Literal["response", "prompt", "both"]
"""Which text of a record is read."""

Text: TypeAlias = Literal["response", "prompt"]
"""Which text of a record is read, where the two cannot be read as one."""


DEFECTS = "defects"
"""The column that says whether a record is valid: the defects of its response, in a set of prompts those of the prompt."""


@dataclass(frozen=True)
class Batch:
    """n records: Arrow columns by name, the group (n,) uint8 and the scrambled address key (n,) uint64 of each."""

    columns: Mapping[str, pa.Array[Any]]
    group: NDArray[np.uint8]
    address: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.group)

    def take(self, keep: NDArray[np.bool_]) -> Batch:
        """The batch of the records where `keep` (n,) is True, in the same order."""
        if keep.all():
            return self
        selection = pa.array(keep)
        columns = {name: column.filter(selection) for name, column in self.columns.items()}
        return Batch(columns, self.group[keep], self.address[keep])

    def where(self, where: Where) -> Batch:
        """The batch itself, or only its records without a defect (column `defects`)."""
        return self if where == "all" else self.take(self.keys(DEFECTS) == 0)

    def numbers(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """A numeric column as float64 (n,), and where it is present (n,). Absent entries are 0 and must not be read."""
        column: Any = self.columns[name]
        present = np.asarray(column.is_valid())
        values = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False)
        return values, present & np.isfinite(values)

    def keys(self, name: str) -> NDArray[np.uint64]:
        """An integer or 16-byte column as uint64 (n,); null is 0."""
        column: Any = self.columns[name]
        if pa.types.is_fixed_size_binary(column.type):
            first: NDArray[np.uint64] = fixed_bytes(column, np.uint64)[:, 0].copy()
            return first
        values: NDArray[np.uint64] = pc.fill_null(column.cast(pa.uint64()), 0).to_numpy(zero_copy_only=False)
        return values

    def present(self, name: str) -> NDArray[np.bool_]:
        """Where the column is not null, (n,)."""
        return np.asarray(self.columns[name].is_valid())

    def lists(self, name: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """A list column as its flat values and offsets (n + 1,); a null list is empty."""
        return flat_lists(self.columns[name])

    def matrix(self, name: str) -> NDArray[Any]:
        """A fixed-size-list column as an (n, width) array in its own type; null rows are zero."""
        column: Any = self.columns[name]
        width = column.type.list_size
        flat = np.asarray(column.values.slice(column.offset * width, len(column) * width))
        rows = flat.reshape(len(column), width)
        return np.where(np.asarray(column.is_valid())[:, None], rows, 0) if column.null_count else rows

    def bytes(self, name: str) -> list[bytes | None]:
        """A string column as UTF-8 bytes, None where null."""
        return list(self.columns[name].cast(pa.binary()).to_pylist())


def fixed_bytes(column: Any, dtype: Any) -> NDArray[Any]:
    """A fixed-size-binary column without nulls as an (n, width // itemsize) array."""
    width = column.type.byte_width
    raw = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    raw = raw[column.offset * width : (column.offset + len(column)) * width]
    return raw.reshape(len(column), width).view(dtype)


def flat_lists(column: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Flat values and offsets (n + 1,) of a list column; a null list is empty."""
    if column.null_count:
        column = pc.fill_null(column, pa.scalar([], column.type))
    offsets = np.asarray(column.offsets).astype(np.int64)
    values = np.asarray(column.values)[offsets[0] : offsets[-1]]
    return values, offsets - offsets[0]


def list_array(values: NDArray[Any], offsets: NDArray[np.int64]) -> Any:
    """The list column of these flat values and offsets."""
    bounds: Any = pa.array(offsets.astype(np.int32))
    return pa.ListArray.from_arrays(bounds, pa.array(values))
