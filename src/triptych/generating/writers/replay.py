"""Answers from a file, in the place of a model: those that a run kept, or a table of prompts and responses.

The lines of the file are one of

    {"key": .., "text": ..}                     as a run of a local model or of a command keeps them
    {"prompt": "..", "response": ".."}          the answer to an ask whose last message is this prompt

Where a prompt has several responses, the nonce says which, so that asks that are equal but for it go through them in turn.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, final

from triptych.core.errors import ReadError, message
from triptych.core.script import loads
from triptych.core.spec import Spec, spec_of
from triptych.data.values import excerpt
from triptych.generating.ask import Ask, Said, Told, Writer

WANT = '{"prompt": .., "response": ..}, or the answers that a run kept'


@final
@dataclass(frozen=True)
class ReplayWriter(Writer):
    """Answers that are there already.

    Attributes:
        file: of answers, looked for beside the recipe.
        licence: of what is in it.
    """

    kind: ClassVar[str] = "replay"

    file: str
    licence: str = ""
    folder: Path = field(default=Path(), init=False, repr=False, compare=False)

    @property
    def spec(self) -> Spec:
        """The name and the content of the file.

        Raises:
            ReadError: it cannot be read.
        """
        own = spec_of(self, kind=self.kind, version=self.version)
        return Spec(own.kind, {**own.params, "identity": self._lines().digest}, own.version)

    def beside(self, folder: Path) -> ReplayWriter:
        """The writer with its file looked for in this folder."""
        placed = copy.copy(self)
        object.__setattr__(placed, "folder", folder)
        return placed

    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        """The answers, in the order of the asks; an ask that the file does not know has none.

        Raises:
            ReadError: the file cannot be read, or holds no answers.
        """
        del keep
        lines = self._lines()
        found = [lines.answer(ask) for ask in asks]
        if done is not None:
            done(len(asks))
        return found

    def _lines(self) -> _Lines:
        path = (self.folder / Path(self.file).expanduser()).absolute()
        try:
            found = path.stat()
        except OSError as error:
            what = f"writer replay: {self.file} cannot be read."
            raise ReadError(message(what, got=error.strerror or str(error), want="a file of answers")) from error
        return _read(path, found.st_size, found.st_mtime_ns)


class _Lines(NamedTuple):
    """Answers by key of the ask, responses by prompt, and the hash of the file they are from."""

    keyed: Mapping[str, Said]
    told: Mapping[str, Sequence[str]]
    digest: str

    def answer(self, ask: Ask) -> Said:
        """The answer to an ask; without a text where the file knows none."""
        if ask.key in self.keyed:
            return self.keyed[ask.key]
        responses = self.told.get(ask.messages[-1].content, ())
        if not responses:
            return Said(None, "the file holds no answer to this ask")
        return Said(responses[ask.nonce % len(responses)], finish="stop", cached=True)


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed: int) -> _Lines:
    del size, changed  # part of the key: a file that was written anew is read anew
    keyed, told = dict[str, Said](), dict[str, list[str]]()
    raw = path.read_bytes()
    lines = raw.decode("utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        entry = loads(line) if line.strip() else {"schema": ""}
        said = _said(entry) if isinstance(entry, dict) else None
        if said is not None:
            keyed[entry["key"]] = said
        elif isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in ("prompt", "response")):
            told.setdefault(entry["prompt"], []).append(entry["response"])
        elif not (isinstance(entry, dict) and "schema" in entry) and number < len(
            lines
        ):  # a kill may cut the last line
            what = f"{path}:{number}: this line is no answer."
            raise ReadError(message(what, got=excerpt(line), want=WANT))
    if not keyed and not told:
        raise ReadError(message(f"{path}: this file holds no answers.", want=WANT))
    return _Lines(keyed, told, hashlib.sha256(raw).hexdigest())


def _said(entry: Mapping[str, Any]) -> Said | None:
    """An answer as a run keeps it; None where the line is none."""
    if not isinstance(entry.get("key"), str) or not isinstance(entry.get("text"), str):
        return None
    try:
        return Said(**{**{name: value for name, value in entry.items() if name != "key"}, "cached": True})
    except TypeError:
        return None
