"""A feature: columns computed for each record, once, and shared by every statistic that reads them.

A concrete feature is a frozen dataclass whose fields are its parameters. `compute` sees one shard as an Arrow record
batch with the columns named in `needs` and returns the columns named in `gives`, each as long as the batch. It must
depend on nothing else: results are cached by (content of the shard, spec of the feature) and computed in worker
processes. Bump `version` whenever the result changes, so that stale caches are not read.

Features meet by column name, not by import. Columns that every shard has:

    source int32, row int64, part int32   the address: ordinal of the source, of the row in it, of the record in the row
    ordinal int64                         position of the record in the data set
    prompt, response string, nullable     null: the record has no such text
    structure string, nullable            the structure field, where the rows have one
    group_key string, nullable            the explicit group, where the rows have one
    content_id fixed_size_binary(16)      equal for exact copies (prompt and response)
    label.NAME float64, nullable          one column for each label-like field
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import pyarrow as pa

from triptych.core.spec import Spec, spec_of


class Feature(ABC):
    """Columns computed per record. Subclasses are frozen dataclasses and final."""

    version: ClassVar[int] = 1

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Names of the columns that `compute` reads."""

    @property
    @abstractmethod
    def gives(self) -> tuple[str, ...]:
        """Names of the columns that `compute` returns."""

    @abstractmethod
    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array[Any]]:
        """Compute the columns for one shard.

        Args:
            batch: n records with at least the columns in `needs`.

        Returns:
            One array of length n for each name in `gives`.
        """

    @property
    def at_home(self) -> bool:
        """Whether `compute` runs in the main process alone, after the others, as do features that need its columns."""
        return False

    @property
    def spec(self) -> Spec:
        """Name, parameters and version."""
        return spec_of(self, version=self.version)

    @property
    def cache_key(self) -> str:
        """What the cache is keyed by beside the content: the spec, and the names of the columns read and made."""
        names = " ".join((*self.needs, "->", *self.gives))
        return hashlib.sha256(f"{self.spec.canonical} {names}".encode()).hexdigest()[:16]
