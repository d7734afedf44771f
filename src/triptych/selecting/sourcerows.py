"""Rows of a pool as they stand in its source: their fields by name, and their lines verbatim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from triptych.data import ReadOptions
from triptych.data.bytestream import open_bytes, reading, sniff
from triptych.data.sources import Source, Sources, locate
from triptych.data.values import Row

_BOM = b"\xef\xbb\xbf"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def fields_of_rows(
    source: object, options: ReadOptions, names: Sequence[str]
) -> Iterator[tuple[tuple[int, int], list[Any]]]:
    """The values of some fields of every row, with the ordinals of its source and of the row in it, in source order.

    Rows that are no objects (bare texts, lists of turns) are left out; a field that a row lacks is None.
    """
    seen = 0
    for at, item in enumerate(locate(source, options).items):
        rows = item.rows()
        for row, (_, value) in enumerate(rows if options.limit is None else islice(rows, options.limit - seen)):
            seen += 1
            if isinstance(value, Mapping):
                yield (at, row), [value.get(name) for name in names]


def verbatim(source: object, options: ReadOptions, wanted: Sequence[tuple[int, int, int]]) -> list[bytes]:
    """Rows as lines of JSON, without line ends: the very bytes of a JSONL source, else the row written as JSON.

    Args:
        source: what the pool was opened from.
        options: how it was read.
        wanted: (ordinal of the source, of the row in it, line) of each row, in source order, each once.
    """
    table = np.array(wanted, dtype=np.int64).reshape(-1, 3)
    return list(stream(source, options, table))


def stream(source: object, options: ReadOptions, wanted: NDArray[np.int64]) -> Iterator[bytes]:
    """As `verbatim`, one row after the other: memory does not grow with their number.

    Args:
        source: what the pool was opened from.
        options: how it was read.
        wanted: ordinal of the source, of the row in it, and line of each row, in source order, each once, (k, 3).
    """
    sources = locate(source, options)
    for at, item in enumerate(sources.items):
        mine = wanted[wanted[:, 0] == at]
        if not len(mine):
            continue
        path = _lines_of(item, sources)
        yield from _written(item, mine[:, 1]) if path is None else _read(path, item.label, mine[:, 2])


def objects(source: object, options: ReadOptions, wanted: NDArray[np.int64]) -> Iterator[Row]:
    """As `stream`, the rows as objects."""
    for at, item in enumerate(locate(source, options).items):
        mine = wanted[wanted[:, 0] == at, 1]
        if len(mine):
            yield from (_row(value) for value in _at(item, mine))


def _lines_of(item: Source, sources: Sources) -> Path | None:
    """The file of JSON lines that a source is, or None."""
    if not item.by_line:
        return None
    path = sources.keep[0].path if sources.path == "-" else Path(item.label)
    return path if sources.path == "-" or sniff(path, item.label) == "jsonl" else None


def _read(path: Path, label: str, lines: NDArray[np.int64]) -> Iterator[bytes]:
    left = iter(lines.tolist())
    wanted = next(left)
    with reading(label), open_bytes(path) as opened:
        for number, raw in enumerate(opened, start=1):
            if number != wanted:
                continue
            yield (raw.removeprefix(_BOM) if number == 1 else raw).rstrip(b"\r\n")
            wanted = next(left, None)
            if wanted is None:
                return


def _written(item: Source, rows: NDArray[np.int64]) -> Iterator[bytes]:
    for value in _at(item, rows):
        yield orjson.dumps(_row(value), default=str, option=_OPTIONS)


def _at(item: Source, rows: NDArray[np.int64]) -> Iterator[Any]:
    """The values of some rows, given by ordinals in ascending order."""
    left = iter(rows.tolist())
    wanted = next(left)
    for row, (_, value) in enumerate(item.rows()):
        if row == wanted:
            yield value
            wanted = next(left, None)
            if wanted is None:
                return


def _row(value: Any) -> Row:
    if isinstance(value, str):
        return {"text": value}
    return dict(value) if isinstance(value, Mapping) else {"messages": value}
