"""Folders of a loop: `round_NNN/` with everything in it, each file whole or not there.

    OUT/config.json               what made it: another config is refused here
    OUT/round_000/model/          the model of the round
                  scores.json     what it scores on the panels
                  generated.jsonl what it wrote, judged
                  written.json    what generator and verifier had to say: failures, tokens
                  selected.jsonl  what the next model is trained on
                  meta.json       dials and why, counts, overlap with panels, ledger, the guard's verdict, seconds
    OUT/loop.json, report.html, loop.svg (the headline picture alone)

A loop of several policies has a folder `arm_NAME/` of this kind for each. A file or a model is written under another name
and moved into place, so what is there is complete; a rerun does what is not there.
"""

from __future__ import annotations

import contextlib
import errno
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from triptych.core.errors import OutputError, ReadError, TriptychError, message
from triptych.core.profile import write_json, write_text
from triptych.looping.records import Judged

SCHEMA = "triptych/loop-config@1"
CONFIG, DOCUMENT, REPORT, PICTURE = "config.json", "loop.json", "report.html", "loop.svg"
LOOP_FILES = frozenset({CONFIG, DOCUMENT, REPORT, PICTURE})
_PART = ".part"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OURS = re.compile(r"(?:round_\d{3,}|arm_.+)")


@dataclass(frozen=True)
class RoundFolder:
    """The folder of one round."""

    path: Path
    number: int

    @property
    def model(self) -> Path:
        """Where the round's model is."""
        return self.path / "model"

    @property
    def generated(self) -> Path:
        """What it wrote."""
        return self.path / "generated.jsonl"

    @property
    def notes(self) -> Path:
        """What generator and verifier had to say."""
        return self.path / "written.json"

    @property
    def selected(self) -> Path:
        """What the next model is trained on."""
        return self.path / "selected.jsonl"

    @property
    def scores(self) -> Path:
        """What the round's model scores."""
        return self.path / "scores.json"

    @property
    def meta(self) -> Path:
        """Everything else; written last."""
        return self.path / "meta.json"

    def save_model(self, save: Callable[[Path], None], notes: Mapping[str, Any]) -> None:
        """Write a model by its own means, with `training.json` beside its files; all of it or nothing."""
        part = self.path / f".model{_PART}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            save(part)
            write_json(part / "training.json", notes)
            part.replace(self.model)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def copy_model(self, other: RoundFolder) -> None:
        """The model of another folder, where there is none yet."""
        if not self.model.exists():
            self.save_model(lambda part: _copied(other.model, part), read_document(other.model / "training.json"))


@dataclass(frozen=True)
class ArmFolder:
    """The folder of one arm: its config and its rounds."""

    path: Path

    def round(self, number: int) -> RoundFolder:
        """The folder of a round."""
        return RoundFolder(self.path / f"round_{number:03}", number)

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Take the folder for this loop, or go on in one that the same loop began.

        Args:
            identity: everything that the result follows from, JSON values.

        Raises:
            OutputError: another loop's rounds are there.
        """
        self.check(identity)
        self.path.mkdir(parents=True, exist_ok=True)
        for part in self.path.rglob(f".*{_PART}"):  # of a killed run
            shutil.rmtree(part) if part.is_dir() else part.unlink()
        if not (self.path / CONFIG).exists():
            write_json(self.path / CONFIG, {"schema": SCHEMA, **identity})

    def check(self, identity: Mapping[str, Any]) -> None:
        """Raise OutputError where another loop's rounds are here; writes nothing."""
        file = self.path / CONFIG
        if not file.exists():
            return
        known = {key: value for key, value in read_document(file).items() if key != "schema"}
        changed = [
            f"{name} = {_shown(was)} there, {_shown(now)} asked"
            for name, was, now in _changes(known, json.loads(json.dumps(identity)))
        ]
        if changed:
            what = f"{self.path}: the rounds there are of another loop; nothing was written."
            got = "; ".join(changed[:4]) + (" .." if len(changed) > 4 else "")
            raise OutputError(message(what, got=got, want="the same config", hint="-o another/folder"))


@contextmanager
def told_when_full(folder: Path) -> Iterator[None]:
    """Say where a disk is full, and that nothing is lost.

    Raises:
        TriptychError: there is no room left, or a file would be larger than this user may write.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        what = f"{folder}: a file of a round could not be written whole."
        hint = "make room, and run the same command again: every file that is there is whole"
        raise TriptychError(message(what, got=error.strerror, want="room on the disk", hint=hint)) from error


def write_records(path: Path, records: Iterable[Judged]) -> None:
    """Write records as JSON lines, all or none."""
    write_text(path, "".join(orjson.dumps(r.to_json(), option=orjson.OPT_APPEND_NEWLINE).decode() for r in records))


def read_records(path: Path) -> list[Judged]:
    """The records of a file that `write_records` wrote.

    Raises:
        ReadError: it is damaged.
    """
    try:
        return [Judged.of_json(orjson.loads(line)) for line in path.read_bytes().splitlines()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(message(f"{path}: no records of a loop can be read.", got=str(error))) from error


def read_document(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ReadError: there is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(message(f"{path}: cannot be read.", got=str(error), hint="remove it, and rerun")) from error
    if not isinstance(found, dict):
        raise ReadError(message(f"{path}: no JSON object.", got=type(found).__name__))
    return found


def own_folders(path: Path) -> tuple[str, ...]:
    """Names of the folders in a result that are rounds or arms."""
    return tuple(item.name for item in path.iterdir() if _OURS.fullmatch(item.name)) if path.is_dir() else ()


def arm_name(policy: str, taken: Iterable[str] = ()) -> str:
    """The folder of a policy's arm: safe characters, `-2`, `-3` behind one that is taken."""
    base = "arm_" + (re.sub(r"[^\w.=+-]+", "_", policy).strip("._") or "policy")
    others, name, turn = set(taken), base, 2
    while name in others:
        name, turn = f"{base}-{turn}", turn + 1
    return name


def _copied(source: Path, target: Path) -> None:
    for item in source.iterdir():
        with contextlib.suppress(FileExistsError):
            shutil.copytree(item, target / item.name) if item.is_dir() else shutil.copy2(item, target / item.name)


def _changes(was: Any, now: Any, name: str = "") -> Iterable[tuple[str, Any, Any]]:
    """Where two JSON values differ: dotted name, the one, the other."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*was, *now]):
            yield from _changes(was.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif was != now:
        yield name, was, now


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
