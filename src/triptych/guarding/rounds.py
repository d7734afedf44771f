"""Rounds: which files a loop's rounds are in, and which number each round has.

A round is a file (`rounds/round_3.jsonl`), a folder of its own (`round_003/` with `generated.jsonl`, and `selected.jsonl`
and `scores.json` where there are any), or rows in memory. A folder that holds such files or folders stands for all of them.
Numbers are read from names such as `round_3`, `iter-3` or `003`; a name that has none counts by its place.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, UsageError, message, nearest
from triptych.data.bytestream import WANTED, ending, plain_name

GENERATED, SELECTED, SCORES = "generated", "selected", "scores.json"
"""What the files of a round's folder are called; the first two with any ending that data sets have."""

_NUMBERED = re.compile(
    r"(?:^|[^a-z])(?:rounds?|iteration|iter|generation|gen|epoch|r)[ _-]?(\d+)|^(\d+)$", re.IGNORECASE
)
_PARTS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class RoundSource:
    """Where one round is read from.

    Attributes:
        round: its number.
        name: of its file or folder, for people.
        generated: file, or rows in memory, of what was generated.
        selected: the same of what was selected for training; None where that is not known.
        scores: a `scores.json`; None where there is none.
        notes: what a reader should know, one sentence each.
    """

    round: int
    name: str
    generated: Any
    selected: Any = None
    scores: Path | None = None
    notes: tuple[str, ...] = ()


def find_rounds(paths: Sequence[Any]) -> tuple[RoundSource, ...]:
    """The rounds of a loop, in order.

    Args:
        paths: files and folders of rounds, one each, or rows in memory; or one folder that holds the files or folders.

    Returns:
        One source a round, ascending by number. Notes tell of a gap in the numbers and of folders without a round.

    Raises:
        ReadError: something is not there, or a folder holds no round.
        UsageError: nothing is given, or a round is given twice.
    """
    if not paths:
        raise UsageError(message("no round is given.", want="a file or a folder for each round, or one folder of them"))
    notes: list[str] = []
    if (
        len(paths) == 1
        and _is_path(paths[0])
        and Path(paths[0]).is_dir()
        and _file_of(Path(paths[0]), GENERATED) is None
    ):
        found = _inside(Path(paths[0]), notes)
    else:
        _check_once(paths)
        found = [_one(given, at) for at, given in enumerate(paths)]
    return _numbered(found, notes)


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """A key that sorts numbers inside of texts by size: 2 before 10."""
    parts = _PARTS.split(text)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts if part)


def _is_path(given: Any) -> bool:
    return isinstance(given, (str, os.PathLike))


def _check_once(paths: Iterable[Any]) -> None:
    """Raises UsageError for a path that is given twice."""
    counts = Counter(Path(given).resolve() for given in paths if _is_path(given))
    twice = next((path for path, number in counts.items() if number > 1), None)
    if twice is not None:
        raise UsageError(message(f"{twice.name} is given twice.", want="each round once"))


def _one(given: Any, at: int) -> RoundSource:
    """The round of a path or of rows; its number is its place until the names are known."""
    if not _is_path(given):
        return RoundSource(at, f"round {at}", given)
    path = Path(given)
    if not path.exists():
        raise ReadError(_not_there(path))
    if not path.is_dir():
        return RoundSource(at, path.name, path)
    source = _of_folder(path)
    if source is None:
        held = ", ".join(sorted(child.name for child in path.iterdir())[:5]) or "nothing"
        want = f"{GENERATED}.jsonl in it (and {SELECTED}.jsonl, {SCORES}), or a file of rows"
        raise ReadError(message(f"{path}: the folder holds no round.", got=held, want=want))
    return replace(source, round=at)


def _not_there(path: Path) -> str:
    near = None
    if path.parent.is_dir():
        near = nearest(path.name, sorted(child.name for child in path.parent.iterdir()))
    hint = str(path.parent / near) if near else None
    return message(f"{path}: no such file or folder.", want=f"a round: {WANTED}", hint=hint)


def _file_of(folder: Path, name: str) -> Path | None:
    """The data file of this name in a folder, whatever its ending."""
    files = sorted(child for child in folder.iterdir() if child.is_file() and ending(child) is not None)
    return next((child for child in files if plain_name(child) == name), None)


def _of_folder(folder: Path) -> RoundSource | None:
    """The round of a folder of its own; None where it holds none."""
    generated = _file_of(folder, GENERATED)
    if generated is None:
        return None
    scores = folder / SCORES
    selected = _file_of(folder, SELECTED)
    return RoundSource(0, folder.name, generated, selected, scores if scores.is_file() else None)


def _inside(folder: Path, notes: list[str]) -> list[RoundSource]:
    """The rounds that a folder holds, in natural order: folders with a round of their own, else files."""
    children = sorted((c for c in folder.iterdir() if not c.name.startswith(".")), key=lambda c: natural(c.name))
    folders = [child for child in children if child.is_dir()]
    rounds = [source for source in map(_of_folder, folders) if source is not None]
    if rounds:
        named = {source.name for source in rounds}
        bare = [child.name for child in folders if child.name not in named and _NUMBERED.search(child.name)]
        if bare:
            notes.append(f"Left out, since no {GENERATED} file is in it: {', '.join(bare)}.")
    else:
        files = [child for child in children if child.is_file() and ending(child) is not None]
        numbered = [child for child in files if _number(child.name) is not None]
        left_out = [child.name for child in files if numbered and child not in numbered]
        if left_out:
            notes.append(f"Left out, since no number of a round is in the name: {', '.join(left_out)}.")
        rounds = [RoundSource(0, child.name, child) for child in numbered or files]
    if not rounds:
        held = ", ".join(child.name for child in children[:5]) or "nothing"
        want = f"folders round_000/ with {GENERATED}.jsonl, or a file for each round"
        raise ReadError(message(f"{folder}: the folder holds no rounds.", got=held, want=want))
    return [replace(source, round=at) for at, source in enumerate(rounds)]


def _number(name: str) -> int | None:
    """The number of a round in a name; the last one where there are several."""
    found = list(_NUMBERED.finditer(plain_name(Path(name))))
    return int(found[-1][1] or found[-1][2]) if found else None


def _own_number(source: RoundSource) -> int | None:
    """Its number by the name of its file or folder, else of the folder that the file is in."""
    if not _is_path(source.generated):
        return None
    number = _number(source.name)
    parent = Path(source.generated).resolve().parent.name
    return number if number is not None or Path(source.name).name == parent else _number(parent)


def _numbered(found: Sequence[RoundSource], notes: list[str]) -> tuple[RoundSource, ...]:
    """The rounds with the numbers of their names, where every one has a number of its own; else with their places."""
    numbers = [_own_number(source) for source in found]
    known = [number for number in numbers if number is not None]
    if len(known) == len(found) and len(set(known)) == len(known):
        rounds = [replace(source, round=number) for source, number in zip(found, known, strict=True)]
        if known != sorted(known):
            notes.append("Rounds were put in the order of the numbers in their names.")
            rounds.sort(key=lambda source: source.round)
    else:
        rounds = list(found)
        twice = next((number for number, count in Counter(known).items() if count > 1), None)
        if twice is not None and len(known) == len(found):
            both = ", ".join(source.name for source, number in zip(found, numbers, strict=True) if number == twice)
            notes.append(f"Rounds are numbered by their places, as {both} are all called round {twice}.")
    missing = sorted(set(range(rounds[0].round, rounds[-1].round)) - {source.round for source in rounds})
    if missing:
        some = ", ".join(map(str, missing[:5])) + (", .." if len(missing) > 5 else "")
        notes.append(f"Rounds are missing from the numbering: {some}.")
    rounds[0] = replace(rounds[0], notes=(*rounds[0].notes, *notes))
    return tuple(rounds)
