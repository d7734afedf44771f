"""What a data set is made of: files of a path, of a folder or of a saved data set, standard input, or memory."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from triptych.core.errors import ReadError, UsageError, message, nearest
from triptych.data.bytestream import WANTED, ending, plain_name, sniff
from triptych.data.expect import expected_rows
from triptych.data.options import ReadOptions
from triptych.data.tablerows import arrow_rows, choose_split, memory_rows, parquet_rows
from triptych.data.textrows import csv_rows, json_array, json_lines

_READERS: dict[str, Callable[[Path, str], Iterator[tuple[int, Any]]]] = {
    "jsonl": json_lines,
    "array": json_array,
    "csv": csv_rows,
    "parquet": parquet_rows,
    "arrow": arrow_rows,
}
_WORDS = {"jsonl": "JSONL", "array": "JSON array", "csv": "CSV", "parquet": "Parquet", "arrow": "Arrow"}
_SIDE_FILES = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"})


@dataclass(frozen=True, slots=True)
class Source:
    """One file (or what stands for one): where its rows come from.

    Attributes:
        name: its name within the data set (the file name, or the name relative to the folder), free of paths.
        label: its name in messages, with the path as given.
        by_line: whether rows are named by line (`label:3`) or by number (`label, row 3`).
        rows: reads it from the start: (line or number, value).
        expected: about how many rows there are, or None.
    """

    name: str
    label: str
    by_line: bool
    rows: Callable[[], Iterator[tuple[int, Any]]]
    expected: Callable[[], int | None] = lambda: None

    def place(self, line: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.label}:{line}" if self.by_line else f"{self.label}, row {line}"


@dataclass(frozen=True)
class Sources:
    """The sources of a data set, in their order.

    Attributes:
        name: from the file or folder, without endings; "records" for memory, "stdin" for standard input.
        path: as given; None for memory.
        words: the format in words.
        ignored: files of a folder that are of no known kind, by relative name.
        keep: what must stay alive while the sources are read (the spooled standard input).
    """

    name: str
    path: str | None
    words: str
    items: tuple[Source, ...]
    ignored: tuple[str, ...] = ()
    keep: tuple[Any, ...] = field(default=(), repr=False)


def locate(source: object, options: ReadOptions) -> Sources:
    """Find the sources of whatever a data set can be opened from.

    Raises:
        ReadError: nothing there, an unknown kind, a split that is not there, or a type that is not understood.
        UsageError: a split named for something that has none.
    """
    if isinstance(source, (str, os.PathLike)):
        text = os.fspath(source)
        if text == "-":
            _no_split(options, "standard input")
            return _standard_input()
        return _of_path(Path(text), options)
    rows = memory_rows(source, options.split)
    if rows is None:
        want = "a path, a list of dicts, an Arrow table, a pandas data frame or a datasets.Dataset"
        raise ReadError(message("cannot read records from this object.", got=type(source).__name__, want=want))
    if "Dict" not in type(source).__name__:
        _no_split(options, "what was passed")
    words = "records in memory" if isinstance(source, (list, tuple)) else "table in memory"
    size = len(source) if isinstance(source, Sized) else None
    return Sources(
        "records", None, words, (Source("records", "records", by_line=False, rows=rows, expected=lambda: size),)
    )


def _no_split(options: ReadOptions, label: str) -> None:
    if options.split is not None:
        what = f"{label} has no splits."
        raise UsageError(message(what, got=f"--split {options.split}", want="a saved data set with several splits"))


def _of_path(path: Path, options: ReadOptions) -> Sources:
    if not path.exists():
        raise ReadError(_not_there(path))
    if path.is_dir():
        saved = _saved(path, options)
        if saved is not None:
            return saved
        _no_split(options, str(path))
        return _folder(path)
    _no_split(options, str(path))
    if path.stat().st_size == 0:
        raise ReadError(message(f"{path}: the file is empty.", want="at least one row"))
    kind = sniff(path, str(path))
    return Sources(plain_name(path), str(path), _WORDS[kind], (_file(path, kind, path.name),))


def _not_there(path: Path) -> str:
    near = None
    if path.parent.is_dir():
        near = nearest(path.name, sorted(child.name for child in path.parent.iterdir()))
    hint = str(path.parent / near) if near else None
    return message(f"{path}: no such file or folder.", want=WANTED, hint=hint)


def _file(path: Path, kind: str, name: str) -> Source:
    label = str(path)
    return Source(
        name, label, kind in ("jsonl", "csv"), lambda: _READERS[kind](path, label), lambda: expected_rows(path, kind)
    )


def _folder(path: Path) -> Sources:
    """All files of known kinds below a folder, by relative name; hidden ones are skipped, others are listed."""
    files: list[tuple[str, Path]] = []
    ignored: list[str] = []
    for child in path.rglob("*"):
        relative = child.relative_to(path)
        if any(part.startswith(".") for part in relative.parts) or not child.is_file():
            continue
        known = ending(child) is not None and child.name not in _SIDE_FILES and child.stat().st_size > 0
        (files.append((relative.as_posix(), child)) if known else ignored.append(relative.as_posix()))
    if not files:
        got = ", ".join(sorted(ignored)[:5]) or "nothing"
        raise ReadError(message(f"{path}: no file of a known kind in the folder.", got=got, want=WANTED))
    files.sort()
    kinds = [sniff(child, str(child)) for _, child in files]
    words = ", ".join(dict.fromkeys(_WORDS[kind] for kind in kinds))
    count = f"{len(files)} file" + ("s" if len(files) > 1 else "")
    items = tuple(_file(child, kind, name) for (name, child), kind in zip(files, kinds, strict=True))
    return Sources(_folder_name(path), str(path), f"folder of {count}, {words}", items, tuple(sorted(ignored)))


def _folder_name(path: Path) -> str:
    return path.name or path.resolve().name or "folder"


def _saved(path: Path, options: ReadOptions) -> Sources | None:
    """A data set saved by the `datasets` library; None when the folder is none."""
    if (path / "dataset_dict.json").is_file():
        splits = [str(name) for name in _json(path / "dataset_dict.json").get("splits", [])]
        split = choose_split(splits, options.split, f"{path}: the saved data set")
        inner = _saved(path / split, ReadOptions())
        if inner is None:
            raise ReadError(message(f"{path / split}: no saved data set.", want="state.json and *.arrow files"))
        return Sources(f"{_folder_name(path)}-{split}", str(path), inner.words, inner.items)
    markers = [name for name in ("state.json", "dataset_info.json") if (path / name).is_file()]
    files = sorted(child for child in path.glob("*.arrow") if not child.name.startswith("cache-"))
    if not markers or not files:
        return None
    if "state.json" in markers:
        state = _json(path / "state.json")
        listed = [path / str(item["filename"]) for item in state.get("_data_files") or [] if "filename" in item]
        gone = [file.name for file in listed if not file.is_file()]
        if gone:
            raise ReadError(message(f"{path}: files of the saved data set are missing.", got=", ".join(gone)))
        files = listed or files
        if options.split is not None and state.get("_split") not in (None, options.split):
            choose_split([str(state["_split"])], options.split, f"{path}: the saved data set")
    elif options.split is not None:
        named = [file for file in files if f"-{options.split}" in file.name]
        if not named:
            choose_split([file.name for file in files], options.split, f"{path}: the saved data set")
        files = named
    items = tuple(_file(file, "arrow", file.name) for file in files)
    return Sources(_folder_name(path), str(path), "saved Hugging Face data set", items)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReadError(
            message(f"{path}: not JSON.", got=str(error), want="a folder as the library saved it")
        ) from error
    return value if isinstance(value, dict) else {}


class _Spool:
    """A temporary file that goes when the data set goes."""

    def __init__(self, stream: BinaryIO) -> None:
        handle, name = tempfile.mkstemp(prefix="triptych-", suffix=".jsonl")
        self.path = Path(name)
        self._remove = weakref.finalize(self, self.path.unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(stream, file)


_SPOOLS: weakref.WeakKeyDictionary[BinaryIO, _Spool] = weakref.WeakKeyDictionary()  # a stream can be read once only


def _standard_input() -> Sources:
    """Standard input, copied to a temporary file so that it can be read twice."""
    stream = sys.stdin.buffer
    if stream not in _SPOOLS:
        _SPOOLS[stream] = _Spool(stream)
    spool = _SPOOLS[stream]
    path = spool.path
    if path.stat().st_size == 0:
        raise ReadError(message("standard input is empty.", want="one JSON object on each line"))
    item = Source("stdin", "stdin", by_line=True, rows=lambda: json_lines(path, "stdin"))
    return Sources("stdin", "-", "JSONL", (item,), keep=(spool,))
