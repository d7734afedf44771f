"""The feature store of one data set: for each shard, which file holds which column.

`scan` reads a data set once, in order, and has the missing columns computed shard by shard; what the cache holds already
is not computed again, and a shard whose columns are all there is not even sent to a worker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.feature import Feature
from triptych.core.groups import address_keys
from triptych.core.relation import Keys
from triptych.data import Dataset
from triptych.engines.cache import ColumnCache, read_columns, readable
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress


class ShardColumns(Protocol):
    """One shard whose columns can be read."""

    @property
    def records(self) -> int:
        """Number of records."""

    def read(self, columns: Sequence[str]) -> dict[str, pa.Array]:
        """These columns."""


@dataclass(frozen=True)
class ShardFiles:
    """One shard: its number of records and, for each column, the file that holds it."""

    records: int
    files: dict[str, Path]

    def read(self, columns: Sequence[str]) -> dict[str, pa.Array]:
        """These columns, memory-mapped.

        Raises:
            KeyError: a column was not computed.
        """
        by_file: dict[Path, list[str]] = {}
        for name in columns:
            by_file.setdefault(self.files[name], []).append(name)
        return {name: column for path, names in by_file.items() for name, column in read_columns(path, names).items()}


@dataclass(frozen=True)
class FeatureStore:
    """All shards of a data set in order, and the names of the columns that each has."""

    shards: tuple[ShardColumns, ...]
    columns: tuple[str, ...]

    def __len__(self) -> int:
        return sum(shard.records for shard in self.shards)

    @property
    def bounds(self) -> NDArray[np.int64]:
        """Ordinal of the first record of each shard, and the number of records at the end (shards + 1,)."""
        return np.cumsum([0, *(shard.records for shard in self.shards)])

    def whole(self, column: str) -> pa.ChunkedArray:
        """One column of all records: for numbers and keys, not for texts or vectors."""
        return pa.chunked_array([shard.read([column])[column] for shard in self.shards])

    def address(self) -> NDArray[np.uint64]:
        """Scrambled key of the address of every record, (n,)."""
        return address_keys(*(self.whole(name).to_numpy() for name in ("source", "row", "part")))

    def keys(self) -> Keys:
        """Keys of all records as they were saved (columns `group` and `cluster`)."""
        group, cluster = (self.whole(name).to_numpy() for name in ("group", "cluster"))
        return Keys(np.arange(len(self)), self.address(), group, cluster)


@dataclass(frozen=True)
class _Job:
    cache: ColumnCache
    fingerprint: str
    batch: pa.RecordBatch | None
    records: int
    missing: tuple[Feature, ...]
    files: dict[str, Path]


def scan(
    dataset: Dataset, features: Sequence[Feature], cache: ColumnCache, engine: LocalEngine, progress: Progress
) -> FeatureStore:
    """Read a data set and compute the columns of `features` (in an order that works) for every shard."""
    shards: list[ShardFiles] = []
    home = _at_home(features)
    total = None if dataset.layout.parts else dataset.expected_rows()
    with progress.stage(f"features of {dataset.name}", unit="records", total=total) as stage:

        def missing() -> Iterator[_Job]:
            for job in _jobs(dataset, features, home, cache):
                shards.append(ShardFiles(job.records, job.files))
                if job.batch is None:
                    stage.advance(job.records)
                else:
                    yield job

        for records in engine.map(_compute, missing(), parts=features):
            stage.advance(records)
    engine.rest()
    _compute_here(home, shards, cache, progress)
    return FeatureStore(tuple(shards), tuple(shards[0].files) if shards else ())


def _at_home(features: Sequence[Feature]) -> list[Feature]:
    """The features that only this process computes, with those that read their columns, in order."""
    home: list[Feature] = []
    given: set[str] = set()
    for feature in features:
        if feature.at_home or given & set(feature.needs):
            home.append(feature)
            given |= set(feature.gives)
    return home


def _compute_here(
    features: Sequence[Feature], shards: Sequence[ShardFiles], cache: ColumnCache, progress: Progress
) -> None:
    """Compute here what several processes must not: a server is asked, or a model fills the memory."""
    for feature in features:
        missing = [shard for shard in shards if not readable(shard.files[feature.gives[0]])]
        if not missing:
            continue
        with progress.stage(feature.gives[0], unit="records", total=sum(s.records for s in missing)) as stage:
            for shard in missing:
                cache.write(shard.files[feature.gives[0]], _columns(feature, shard))
                stage.advance(shard.records)


def _columns(feature: Feature, shard: ShardFiles) -> Mapping[str, pa.Array]:
    """The columns of a feature for one shard."""
    needed = shard.read(feature.needs)
    return feature.compute(
        pa.RecordBatch.from_arrays([needed[name] for name in feature.needs], names=list(feature.needs))
    )


def _jobs(dataset: Dataset, features: Sequence[Feature], home: Sequence[Feature], cache: ColumnCache) -> Iterator[_Job]:
    for shard in dataset.shards():
        base = cache.path(shard.fingerprint, _base_key(shard.batch))
        files = dict.fromkeys(shard.batch.schema.names, base)
        missing = []
        for feature in features:
            path = cache.path(shard.fingerprint, feature.cache_key)
            files |= dict.fromkeys(feature.gives, path)
            if feature not in home and not readable(path):
                missing.append(feature)
        batch = shard.batch if missing or not readable(base) else None
        yield _Job(cache, shard.fingerprint, batch, shard.batch.num_rows, tuple(missing), files)


def _base_key(batch: pa.RecordBatch) -> str:
    """What the columns as read are cached by: lines are no content, but equal content may stand on other lines."""
    return "base" + hashlib.sha256(batch.column("line").to_numpy().tobytes()).hexdigest()[:16]


def _compute(job: _Job) -> int:
    """Compute and write the missing columns of a shard; the number of its records."""
    assert job.batch is not None  # noqa: S101 - shards that lack nothing are no jobs
    shard = ShardFiles(job.records, job.files)
    base = job.cache.path(job.fingerprint, _base_key(job.batch))
    if not readable(base):
        job.cache.write(base, dict(zip(job.batch.schema.names, job.batch.columns, strict=True)))
    for feature in job.missing:
        job.cache.write(job.cache.path(job.fingerprint, feature.cache_key), _columns(feature, shard))
    return job.records
