"""Rows of a pool as they stand in its source: their fields by name, and their lines verbatim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from triptych.data import ReadOptions
from triptych.data.bytestream import open_bytes, reading, sniff
from triptych.data.sources import Source, Sources, locate
from triptych.data.values import Row

_BOM = b"\xef\xbb\xbf"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def fields_of_rows(source: object, options: ReadOptions, names: Sequence[str]) -> dict[tuple[int, int], list[Any]]:
    """The values of some fields of every row, by (ordinal of the source, of the row in it); None where it has none."""
    out = {}
    seen = 0
    for at, item in enumerate(locate(source, options).items):
        rows = item.rows()
        for row, (_, value) in enumerate(rows if options.limit is None else islice(rows, options.limit - seen)):
            seen += 1
            if isinstance(value, Mapping):
                out[at, row] = [value.get(name) for name in names]
    return out


def verbatim(source: object, options: ReadOptions, wanted: Sequence[tuple[int, int, int]]) -> list[bytes]:
    """Rows as lines of JSON, without line ends: the very bytes of a JSONL source, else the row written as JSON.

    Args:
        source: what the pool was opened from.
        options: how it was read.
        wanted: (ordinal of the source, of the row in it, line) of each row, in source order, each once.
    """
    sources = locate(source, options)
    out: list[bytes] = []
    for at, item in enumerate(sources.items):
        mine = [(row, line) for source_, row, line in wanted if source_ == at]
        if not mine:
            continue
        path = _lines_of(item, sources)
        out += _written(item, mine) if path is None else _read(path, item.label, [line for _, line in mine])
    return out


def _lines_of(item: Source, sources: Sources) -> Path | None:
    """The file of JSON lines that a source is, or None."""
    if not item.by_line:
        return None
    path = sources.keep[0].path if sources.path == "-" else Path(item.label)
    return path if sources.path == "-" or sniff(path, item.label) == "jsonl" else None


def _read(path: Path, label: str, lines: Sequence[int]) -> Iterator[bytes]:
    wanted = set(lines)
    with reading(label), open_bytes(path) as stream:
        for number, raw in enumerate(stream, start=1):
            if number in wanted:
                yield (raw.removeprefix(_BOM) if number == 1 else raw).rstrip(b"\r\n")


def _written(item: Source, mine: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    wanted = {row for row, _ in mine}
    for row, (_, value) in enumerate(item.rows()):
        if row in wanted:
            yield orjson.dumps(_row(value), default=str, option=_OPTIONS)


def _row(value: Any) -> Row:
    if isinstance(value, str):
        return {"text": value}
    return dict(value) if isinstance(value, Mapping) else {"messages": value}
