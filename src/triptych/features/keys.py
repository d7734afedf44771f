"""Hashes of the texts and of the group of a record: what the grouping rule needs to know."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from triptych.core.feature import Feature


@dataclass(frozen=True)
class TextKeys(Feature):
    """Columns `key@prompt`, `key@response`, `key@group` uint64: equal for equal texts, null where there is none."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The texts and the explicit group."""
        return ("prompt", "response", "group_key")

    @property
    def gives(self) -> tuple[str, ...]:
        """One key for each."""
        return ("key@prompt", "key@response", "key@group")

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Keys of a shard."""
        return {name: _keys(batch.column(column)) for name, column in zip(self.gives, self.needs, strict=True)}


def _keys(column: pa.Array) -> pa.Array:
    digests = b"".join(
        hashlib.blake2b(text or b"", digest_size=8).digest() for text in column.cast(pa.binary()).to_pylist()
    )
    return pa.array(np.frombuffer(digests, dtype="<u8"), mask=np.asarray(column.is_null()))
