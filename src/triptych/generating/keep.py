"""Answers kept on disk: one line for each, written when it comes, so that a killed run has what was paid for.

A line that a kill cut short is passed over, and the next one begins on a line of its own.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from triptych.core.errors import OutputError, message
from triptych.generating.ask import Said

SCHEMA = "triptych/answers@1"


class Answers:
    """Answers by key in one file of a folder; threads may share one. Two processes must not write one file."""

    def __init__(self, folder: Path, name: str = "answers.jsonl") -> None:
        """Read what is there.

        Raises:
            OutputError: the file is of another kind.
        """
        self._path, self._lock = folder / name, threading.Lock()
        self._known: dict[str, Said] = {}
        self._file: IO[bytes] | None = None
        self._torn, self._size = False, 0
        if self._path.exists():
            self._read()

    def get(self, key: str) -> Said | None:
        """The answer kept under a key, marked as cached; None where there is none."""
        found = self._known.get(key)
        return None if found is None else replace(found, cached=True)

    def put(self, key: str, said: Said) -> None:
        """Keep an answer; it is on its way to the disk when this returns, and outlives the process."""
        line = json.dumps({"key": key, **asdict(replace(said, cached=False))}, allow_nan=False) + "\n"
        with self._lock:
            self._known[key] = said
            if self._file is None:
                self._open()
            file = self._file
            if file is not None:
                body = line.encode()
                if file.write(body) < len(body):
                    self._torn = True
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
                self._size = file.tell()

    def close(self) -> None:
        """Close the file; it opens again when it is needed."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    @property
    def current(self) -> bool:
        """Whether the file is as this object left it: nobody has removed it or written to it."""
        return self._size == (self._path.stat().st_size if self._path.exists() else 0)

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self._path.exists() or self._path.stat().st_size == 0
        self._file = self._path.open("ab", buffering=0)
        if fresh:
            self._file.write(json.dumps({"schema": SCHEMA}).encode() + b"\n")
        elif self._torn:
            self._file.write(b"\n")
        self._torn = False

    def _read(self) -> None:
        held = self._path.read_bytes()
        self._size, lines = len(held), held.split(b"\n")
        self._torn = bool(lines.pop())
        if lines and _loads(lines[0]).get("schema") != SCHEMA:
            what = f"{self._path}: this file holds no answers."
            raise OutputError(message(what, want=SCHEMA, hint="another folder"))
        for line in lines[1:]:
            entry = _loads(line)
            key = entry.pop("key", None)
            try:
                said = Said(**entry)
            except TypeError:
                continue
            if isinstance(key, str):
                self._known[key] = said


_OPENED: dict[Path, Answers] = {}


def answers_in(folder: Path, name: str = "answers.jsonl") -> Answers:
    """The answers of a folder; they are read once for all calls of one process, as long as nobody else changes the file."""
    path = (folder / name).resolve()
    found = _OPENED.get(path)
    if found is None or not found.current:
        found = _OPENED[path] = Answers(folder, name)
    return found


def _loads(line: bytes) -> dict[str, Any]:
    """The object of a line; an empty one where it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
