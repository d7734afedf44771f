"""Columns of shards on disk, keyed by (content of the shard, spec of the feature).

One Arrow IPC file for each; written under a temporary name and moved into place, so that a killed run leaves no half
file and a rerun goes on where it stopped. A damaged file is computed again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa


class ColumnCache:
    """Files of columns below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, content: str, spec: str) -> Path:
        """Where the columns of this content and spec lie."""
        return self.root / "columns" / content[:2] / f"{content}-{spec}.arrow"

    def write(self, path: Path, columns: Mapping[str, pa.Array]) -> None:
        """Write columns of equal length, atomically."""
        path.parent.mkdir(parents=True, exist_ok=True)
        batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as out, pa.ipc.new_file(out, batch.schema) as writer:
                writer.write_batch(batch)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def readable(path: Path) -> bool:
    """Whether the file is there and whole (an Arrow file begins and ends with its magic)."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
            file.seek(-6, os.SEEK_END)
            return head == b"ARROW1" and file.read(6) == b"ARROW1"
    except OSError:
        return False


def read_columns(path: Path, names: list[str] | None = None) -> dict[str, pa.Array]:
    """The columns of a file, memory-mapped: only what is read comes into memory."""
    with pa.memory_map(str(path)) as source:
        batch = pa.ipc.open_file(source).get_batch(0)
    return {name: batch.column(name) for name in (names or batch.schema.names)}
