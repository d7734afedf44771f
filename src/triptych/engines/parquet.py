"""`features.parquet`: all feature columns of a data set, one row group a shard, readable again as a feature store."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from triptych.core.errors import ReadError, message
from triptych.core.relation import Keys
from triptych.engines.store import FeatureStore

_META = b"triptych"
_LEFT_OUT = ("tokens@both", "length@both", "minhash:")
"""Columns that are made again from others in less time than it takes to read them."""


@dataclass(frozen=True)
class RowGroup:
    """One shard inside a Parquet file."""

    path: Path
    index: int
    records: int

    def read(self, columns: Sequence[str]) -> dict[str, pa.Array]:
        """These columns of the shard."""
        table = pq.ParquetFile(self.path).read_row_group(self.index, columns=list(columns), use_threads=False)
        return {name: table.column(name).combine_chunks() for name in columns}


def write_features(path: Path, store: FeatureStore, keys: Keys, about: Mapping[str, Any]) -> None:
    """Write all columns of a store with the group and the cluster of each record, atomically.

    Args:
        path: the file.
        store: of n records.
        keys: group and cluster of the n records.
        about: what a later reader must know (layout, tokenizer, encoder), as JSON values.
    """
    names = [name for name in store.columns if not name.startswith(_LEFT_OUT)]
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        _write(Path(temporary), store, names, keys, about)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write(path: Path, store: FeatureStore, names: list[str], keys: Keys, about: Mapping[str, Any]) -> None:
    writer = None
    bounds = store.bounds
    for index, shard in enumerate(store.shards):
        columns = shard.read(names)
        piece = slice(bounds[index], bounds[index + 1])
        columns["group"] = pa.array(keys.group[piece])
        columns["cluster"] = pa.array(keys.cluster[piece])
        batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        if writer is None:
            schema = batch.schema.with_metadata({_META: json.dumps(about, sort_keys=True).encode()})
            vectors = {field.name for field in schema if pa.types.is_fixed_size_list(field.type)}
            packing = {name: "NONE" if name in vectors else "ZSTD" for name in columns}
            packing |= {f"{name}.list.element": "NONE" for name in vectors}
            writer = pq.ParquetWriter(path, schema, compression=packing, use_dictionary=False, write_statistics=False)
        writer.write_batch(batch, row_group_size=max(batch.num_rows, 1))
    if writer is not None:
        writer.close()


def read_features(path: Path) -> tuple[FeatureStore, Keys, dict[str, Any]]:
    """The store, the keys of its records, and what was noted when it was written.

    Raises:
        ReadError: no such file, or not one of ours.
    """
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ReadError(
            message(f"{path}: no features can be read.", got=str(error), hint="triptych measure")
        ) from error
    noted = (file.schema_arrow.metadata or {}).get(_META)
    if noted is None:
        raise ReadError(message(f"{path}: not a features.parquet of this tool.", hint="triptych measure DATA"))
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    shards = tuple(RowGroup(path, i, size) for i, size in enumerate(sizes))
    store = FeatureStore(shards, tuple(file.schema_arrow.names))
    return store, store.keys(), json.loads(noted)
