"""The fold: statistics of any set of records, from their features.

`fold(store, grouping, statistics, rows=..)` computes the relations over exactly those records, updates a fresh copy of
every statistic over units of four shards, and merges the copies in their order. Workers never share a statistic and
units are cut by number alone, so the result is the same bits for any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.relation import Keys, Relation, Sparse
from triptych.core.statistic import Statistic
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.engines.store import FeatureStore, ShardColumns


@dataclass(frozen=True)
class Selected:
    """The records of a fold: a store, and which of its records are read (`rows`, ascending; None: all)."""

    store: FeatureStore
    all_keys: Keys
    rows: NDArray[np.int64] | None = None

    @property
    def keys(self) -> Keys:
        """Keys of the records read, in order."""
        if self.rows is None:
            return self.all_keys
        k = self.all_keys
        return Keys(k.ordinal[self.rows], k.address[self.rows], k.group[self.rows], k.cluster[self.rows])

    def pieces(self) -> Iterator[tuple[int, ShardColumns, NDArray[np.int64] | None, Keys]]:
        """For each shard: position of its first record read, its files, rows inside it (None: all), their keys."""
        keys, bounds = self.keys, self.store.bounds
        edges = bounds if self.rows is None else np.searchsorted(self.rows, bounds)
        for index, shard in enumerate(self.store.shards):
            lo, hi = int(edges[index]), int(edges[index + 1])
            inside = None if self.rows is None else self.rows[lo:hi] - bounds[index]
            part = Keys(keys.ordinal[lo:hi], keys.address[lo:hi], keys.group[lo:hi], keys.cluster[lo:hi])
            yield lo, shard, inside, part

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[int, Batch]]:
        """For each shard: position of its first record read, and the batch with these columns."""
        for start, shard, inside, keys in self.pieces():
            yield start, _batch(shard, columns, inside, keys)


UNIT = 4
"""Shards folded into one state before it is merged: a state of all measures is some 60 MB."""


@dataclass(frozen=True)
class _Piece:
    shard: ShardColumns
    inside: NDArray[np.int64] | None
    keys: Keys
    related: dict[str, pa.Array]


@dataclass(frozen=True)
class _Job:
    pieces: tuple[_Piece, ...]
    statistics: tuple[Statistic, ...]


def fold(
    selected: Selected,
    statistics: Sequence[Statistic],
    relations: Sequence[Relation],
    engine: LocalEngine,
    progress: Progress,
) -> dict[str, Statistic]:
    """The statistics of the selected records, by hash of their spec. Equal specs are computed once."""
    wanted = tuple({statistic.spec.hash: statistic.fresh() for statistic in statistics}.values())
    related: dict[str, Sparse] = {}
    if relations:
        with progress.stage("neighbours and repeats", unit="passes", total=len(relations)) as stage:
            for found in engine.share(lambda relation: relation.compute(selected), relations):
                related.update(found)
                stage.advance(1)
    columns = {name for statistic in wanted for name in statistic.needs}

    def pieces() -> Iterator[_Piece]:
        for start, shard, inside, keys in selected.pieces():
            mine = {n: c.piece(start, start + len(keys)) for n, c in related.items() if n in columns}
            yield _Piece(shard, inside, keys, mine)

    def jobs() -> Iterator[_Job]:
        stream = pieces()
        while unit := tuple(islice(stream, UNIT)):
            yield _Job(unit, wanted)

    merged = [statistic.fresh() for statistic in wanted]
    with progress.stage("statistics", unit="records", total=len(selected.keys)) as stage:
        for job_states, size in engine.share(_update, jobs()):
            for total, state in zip(merged, job_states, strict=True):
                total.merge(state)
            stage.advance(size)
    return {statistic.spec.hash: statistic for statistic in merged}


def _update(job: _Job) -> tuple[list[Statistic], int]:
    """Fresh statistics of one unit of shards."""
    names = dict.fromkeys(name for statistic in job.statistics for name in statistic.needs)
    held: dict[str, list[pa.Array]] = {name: [] for name in names}
    for piece in job.pieces:
        wanted = [name for name in names if name not in piece.related]
        columns = {**_batch(piece.shard, wanted, piece.inside, piece.keys).columns, **piece.related}
        for name, pieces in held.items():
            pieces.append(columns[name])
    group = np.concatenate([piece.keys.group for piece in job.pieces])
    address = np.concatenate([piece.keys.address for piece in job.pieces])
    whole = Batch({name: pa.concat_arrays(pieces) for name, pieces in held.items()}, group, address)
    fresh = []
    for statistic in job.statistics:
        statistic = statistic.fresh()
        statistic.update(whole)
        statistic.settle()
        fresh.append(statistic)
    return fresh, len(whole)


def _batch(shard: ShardColumns, columns: Sequence[str], inside: NDArray[np.int64] | None, keys: Keys) -> Batch:
    read = shard.read(columns)
    if inside is not None:
        take = pa.array(inside)
        read = {name: column.take(take) for name, column in read.items()}
    return Batch(read, keys.group, keys.address)
