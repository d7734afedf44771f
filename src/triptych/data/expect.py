"""How many rows a file is likely to hold, for a progress bar: from its size and its first megabyte."""

from __future__ import annotations

import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from triptych.data.bytestream import CHUNK, open_bytes

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def expected_rows(path: Path, kind: str) -> int | None:
    """About how many rows there are; exact for Parquet, None where nothing cheap tells."""
    try:
        if kind == "parquet":
            return int(pq.read_metadata(path).num_rows)
        if kind not in ("jsonl", "csv"):
            return None
        whole = _plain_size(path)
        with open_bytes(path) as stream:
            head = stream.read(CHUNK)
    except (OSError, EOFError, pa.ArrowInvalid):
        return None
    lines = head.count(b"\n")
    return None if whole is None or not lines else max(1, round(whole / len(head) * lines))


def _plain_size(path: Path) -> int | None:
    """Size of the file without compression: gzip notes it (modulo 4 GiB) at its end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(4)
        if magic == _ZSTD:
            return None
        if magic[:2] != _GZIP:
            return size
        file.seek(-4, 2)
        noted = int(struct.unpack("<I", file.read(4))[0])
    return noted if noted >= size else None
