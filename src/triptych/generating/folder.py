"""The folder of a run.

    OUT/data.jsonl     the records: prompt, response, id, the fields of their own rows, and where they come from
    OUT/failed.jsonl   what did not become a record, with the reason
    OUT/recipe.json    the recipe, its components, what it gave and took
    OUT/report.html    the same as a page
    OUT/answers/       every answer that was paid for: from them a second call goes on

While a run is at work its records stand in `.data.jsonl.part`; they are moved into place when it ends, by whatever reason
but a kill. After a kill the same command plays the run again from its answers and goes on. A folder in which nothing was
made is free for another recipe, and what failed there is asked again: the server may have been mended.
"""

from __future__ import annotations

import errno
import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from triptych.core.errors import OutputError, ReadError, message
from triptych.generating.keep import Answers
from triptych.profiling.output import claim

DATA, FAILED, DOCUMENT, REPORT, ANSWERS = "data.jsonl", "failed.jsonl", "recipe.json", "report.html", "answers"
FILES = frozenset({DATA, FAILED, DOCUMENT, REPORT})
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_SHOWN = 4
FAILED_ASKS = "failed.jsonl"
"""Asks that got no answer, in the folder of answers: a run that is played again meets the same failures."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def taken(folder: Path, answers: Path, identity: Mapping[str, Any]) -> Iterator[None]:
    """Hold the folder of a run and that of its answers; the same recipe may go on in it, with another budget too.

    Args:
        folder: made if need be.
        answers: made if need be; other runs may have used it.
        identity: the document's `recipe` and the hash of its seeds.

    Raises:
        OutputError: it holds something else, the run of another recipe, a run is at work in one of the two, or the disk
            is full.
    """
    claim(folder, beside=(ANSWERS,), own=FILES)
    if answers.exists() and not answers.is_dir():
        raise OutputError(message(f"{answers}: this is a file.", want="a folder of answers"))
    try:
        with _held(folder):
            fresh = _check(folder, identity)
            answers.mkdir(parents=True, exist_ok=True)
            with _held(answers):
                if fresh and answers == folder / ANSWERS:
                    Answers(answers, FAILED_ASKS)  # it refuses a file of another kind
                    (answers / FAILED_ASKS).unlink(missing_ok=True)
                yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        hint = "make room and run the same command again: answers that were written are not asked again"
        raise OutputError(message(f"{folder}: nothing more can be written.", got=error.strerror, hint=hint)) from error


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Nobody else is at work here for as long as the block lasts; a kill ends it too."""
    with (folder / ".lock.part").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            what = f"{folder}: another run is at work in this folder."
            raise OutputError(message(what, hint="wait for it, or another folder")) from error
        try:
            yield
        finally:
            Path(lock.name).unlink(missing_ok=True)


def _check(folder: Path, identity: Mapping[str, Any]) -> bool:
    """Raise OutputError where the run of another recipe, or somebody's own file, is here; whether nothing was made here yet."""
    file = folder / DOCUMENT
    if not file.exists():
        for name in (DATA, FAILED):
            _check_rows(folder / name)
        return not (folder / DATA).exists()
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        if known["counts"]["made"] == 0 and not (folder / DATA).read_bytes():
            return True
        was = {"recipe": known["recipe"], "seeds": (known["seeds"] or {}).get("sha256")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReadError(message(f"{file}: no recipe can be read.", got=str(error), hint="-o another/folder")) from error
    changed = [
        f"{name} = {json.dumps(old)} there, {json.dumps(new)} asked" for name, old, new in _changes(was, dict(identity))
    ]
    changed = [text for text in changed if not text.startswith("recipe.budget")]
    if changed:
        got = "; ".join(changed[:_SHOWN]) + (" .." if len(changed) > _SHOWN else "")
        what = f"{folder}: the records there are of another recipe; nothing was written."
        want = "the same recipe (the budget may change)"
        raise OutputError(message(what, got=got, want=want, hint="-o another/folder"))
    return False


def _check_rows(file: Path) -> None:
    """Raise OutputError where a file that has the name of one of ours holds rows that no run wrote."""
    if not file.exists():
        return
    with file.open("rb") as lines:
        first = lines.readline()
    try:
        row = json.loads(first) if first else {"stage": ""}
        ours = "stage" in row or "recipe" in row["triptych"]
    except (ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        what = f"{file}: this file was not written by a run, and would be replaced; nothing was written."
        raise OutputError(message(what, want="an empty folder, or that of a run", hint="-o another/folder"))


def _changes(was: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ: dotted name, the one, the other."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*was, *now]):
            yield from _changes(was.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif was != now:
        yield name, was, now


class Rows:
    """A file of rows that is moved into place when it is done."""

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(f".{path.name}.part")
        self._file: IO[bytes] = self._part.open("wb")

    def add(self, row: Mapping[str, Any]) -> None:
        """One more row."""
        self._file.write(line_of(row))

    def flush(self) -> None:
        """What was added is in the file when this returns, and outlives the process."""
        self._file.flush()

    @property
    def behind(self) -> bool:
        """Whether the file in place holds more: this one was broken off while an earlier run was played again."""
        return self._path.exists() and self._path.stat().st_size > self._file.tell()

    def close(self, *, keep: bool = True) -> None:
        """Move the file into place, or throw it away."""
        try:
            self._file.close()
        except OSError:
            self._part.unlink(missing_ok=True)  # it is cut somewhere: the next call writes it anew
            raise
        if keep:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)


def line_of(row: Mapping[str, Any]) -> bytes:
    """A row as a line of JSON; what JSON cannot hold (a lone surrogate, a huge number) is escaped or written as text."""
    try:
        return orjson.dumps(row, option=_OPTIONS | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return json.dumps(row, allow_nan=False, default=str).encode() + b"\n"
