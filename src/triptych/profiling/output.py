"""Result folders: an existing one is replaced only when it is the tool's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from triptych.core.errors import OutputError, message
from triptych.data import Dataset

_OWN = frozenset(
    {"profile.json", "features.parquet", "report.html", "adapted.safetensors", "adjudicate.jsonl", "adjudicate.csv"}
)
_MARKS = {
    ".html": re.compile(rb'<meta name="generator" content="Triptych">'),
    ".json": re.compile(rb'"schema"\s*:\s*"triptych/'),
}
"""What stands near the beginning of every page and document that this tool writes."""
_HEAD = 1 << 16


def claim(folder: Path, beside: Collection[str] = (), own: Collection[str] = _OWN) -> Path:
    """The folder, made if need be; `beside` names folders inside it that are the command's own too, `own` its files.

    Raises:
        OutputError: it holds something that this tool did not write, be it under a name of its own, or it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            message(f"{folder}: this is a file.", want="a folder for the result", hint="-o another/folder")
        )
    if folder.is_dir():
        foreign = sorted(str(path.relative_to(folder)) for path in _foreign(folder, own) if path.name not in beside)
        if foreign:
            raise OutputError(
                message(
                    f"{folder}: the folder holds something else; nothing was written.",
                    got=", ".join(foreign[:5]) + (" .." if len(foreign) > 5 else ""),
                    want="an empty folder, or an earlier result of this command",
                    hint="-o another/folder",
                )
            )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _foreign(folder: Path, own: Collection[str]) -> list[Path]:
    """What in a folder is neither a result file, nor a half-written one of a killed run, nor a folder of such."""
    out = []
    for path in folder.iterdir():
        if path.is_dir():
            inside = list(path.iterdir())
            if not inside or not all(_is_own(item, own) for item in inside):
                out.append(path)
        elif not _is_own(path, own):
            out.append(path)
    return out


def _is_own(path: Path, own: Collection[str]) -> bool:
    part = path.name.startswith(".") and path.suffix == ".part"
    return path.is_file() and (part or (path.name in own and is_marked(path)))


def is_marked(path: Path) -> bool:
    """Whether a page or a JSON document was written by this tool; other kinds of files cannot be told, and pass.

    Raises:
        OutputError: it cannot be read.
    """
    mark = _MARKS.get(path.suffix)
    if mark is None:
        return True
    try:
        with path.open("rb") as file:
            return mark.search(file.read(_HEAD)) is not None
    except OSError as error:
        raise OutputError(message(f"{path}: cannot be read.", got=error.strerror or str(error))) from error


def unique_names(datasets: list[Dataset]) -> list[Dataset]:
    """Give every data set a name of its own that can be a folder: safe characters, `-2`, `-3` behind repeated ones."""
    seen: Counter[str] = Counter()
    for dataset in datasets:
        base = re.sub(r"[^\w.+-]+", "_", dataset.name).strip("._") or "data"
        seen[base] += 1
        dataset.name = base if seen[base] == 1 else f"{base}-{seen[base]}"
    return datasets
