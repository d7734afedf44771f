"""Bytes of a file, decompressed on the way, and what kind of file it is: by ending, else by its first bytes."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from triptych.core.errors import ReadError, message

CHUNK = 1 << 20
WANTED = ".jsonl, .json, .csv or .tsv (each also .gz or .zst), .parquet, .arrow, or a folder of them"
_ENDINGS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonlines": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
}
_COMPRESSED = (".gz", ".zst", ".zstd")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_DAMAGE = (EOFError, zlib.error, OSError)


def ending(path: Path) -> str | None:
    """The kind of file by its ending: jsonl, json, csv, parquet, arrow; None when the ending says nothing."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return _ENDINGS.get(suffixes[-1]) if suffixes else None


def plain_name(path: Path) -> str:
    """The file's name without the endings that say its kind."""
    name = path.name
    for endings in (_COMPRESSED, tuple(_ENDINGS)):
        for end in endings:
            if name.lower().endswith(end) and len(name) > len(end):
                name = name[: -len(end)]
                break
    return name


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading; gzip and Zstandard are recognised by their first bytes and streamed."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == _GZIP:
        return cast("BinaryIO", io.BufferedReader(gzip.GzipFile(path, "rb"), CHUNK))
    if magic == _ZSTD:
        stream = pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd")
        return cast("BinaryIO", io.BufferedReader(stream, CHUNK))
    return path.open("rb", buffering=CHUNK)


@contextmanager
def reading(label: str) -> Iterator[None]:
    """Turn what goes wrong below the rows (a truncated archive, a damaged file) into a ReadError."""
    try:
        yield
    except _DAMAGE as error:
        got = " ".join(str(error).split()) or type(error).__name__
        raise ReadError(
            message(
                f"{label}: the file cannot be read to its end.", got=got, want="a whole file", hint="fetch it again"
            )
        ) from error


def sniff(path: Path, label: str) -> str:
    """The kind of a file: jsonl, array, csv, parquet or arrow.

    Raises:
        ReadError: neither its ending nor its first bytes say.
    """
    kind = ending(path)
    if kind not in (None, "json"):
        return str(kind)
    with reading(label), open_bytes(path) as stream:
        first = stream.read(4096)
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()[:6]
    for magic, name in ((b"[", "array"), (b"{", "jsonl"), (b"PAR1", "parquet"), (b"ARROW1", "arrow")):
        if start.startswith(magic) or first.startswith(magic):
            return name
    if kind == "json":
        return "jsonl"
    raise ReadError(message(f"{label}: unknown kind of file.", got=f"a file that begins {first[:16]!r}", want=WANTED))
