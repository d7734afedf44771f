"""A program of the user's answers asks: JSON lines in, JSON lines out.

The command is run as it stands (no shell), once for each batch of asks, with one line for each on its standard input:

    {"id": 0, "messages": [{"role": "user", "content": ".."}], "purpose": "prompt", "temperature": 0.8,
     "max_tokens": 256, "seed": 123}

and says one line for each on its standard output, in any order:

    {"id": 0, "text": ".."}             with "finish" (stop, length), "prompt_tokens" and "tokens" where it knows them
    {"id": 1, "error": ".."}            where it has no answer

A line that is none of these is passed over, and an ask without a line has no answer; both are said of that ask.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, final

from triptych.core.errors import TriptychError, message
from triptych.core.script import Script, loads
from triptych.core.spec import Spec, spec_of
from triptych.data.values import excerpt
from triptych.generating.ask import Ask, Said, Told, Writer
from triptych.generating.writers._answering import answered, check, seed_of

WANT = 'lines {"id": .., "text": ".."}'


@final
@dataclass(frozen=True)
class CommandWriter(Writer):
    """The user's program.

    Attributes:
        run: what is run: words as in a shell, but no shell; files are looked for beside the recipe, then here.
        temperature: that is asked for.
        max_tokens: of an answer.
        timeout: seconds that one batch may take.
        licence: of what it writes.
    """

    kind: ClassVar[str] = "command"

    run: str
    temperature: float = 0.8
    max_tokens: int = 512
    timeout: float = 3600.0
    licence: str = ""
    folder: Path = field(default=Path(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the numbers, and that there is a command.

        Raises:
            SpecError: no command, or a number out of range.
        """
        check(self.kind, temperature=(self.temperature, 0, 100), max_tokens=(self.max_tokens, 1, math.inf))
        check(self.kind, timeout=(self.timeout, 1e-3, math.inf))
        Script.parse(self.run)

    @property
    def spec(self) -> Spec:
        """The command and the content of the files it names."""
        own = spec_of(self, kind=self.kind, version=self.version)
        return Spec(own.kind, {**own.params, "files": self._script().hashes()}, own.version)

    def beside(self, folder: Path) -> CommandWriter:
        """The writer with the files of its command looked for in this folder."""
        placed = copy.copy(self)
        object.__setattr__(placed, "folder", folder)
        return placed

    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        """The answers, in the order of the asks.

        Raises:
            TriptychError: the program cannot be started, fails, takes too long, or answers nothing.
        """
        return answered(self._answering, asks, None if keep is None else keep / f"command-{self.spec.hash}.jsonl", done)

    def _answering(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Said]]:
        begun = time.perf_counter()
        text = "".join(json.dumps(self._line(place, ask)) + "\n" for place, ask in enumerate(asks))
        out = self._script().run(self.timeout, text=text)
        seconds = round((time.perf_counter() - begun) / len(asks), 3)
        found, bad = dict[int, Said](), ""
        for line in filter(str.strip, out.split("\n")):
            told = loads(line)
            place = told.get("id") if isinstance(told, dict) else None
            if isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(asks) and place not in found:
                found[place] = _said(told, seconds)
            else:
                bad = bad or excerpt(line)
        if not found:
            what = f"command {self.run}: it answered none of {len(asks)} asks."
            raise TriptychError(message(what, got=bad or "nothing", want=WANT))
        lost = Said(None, "the command said nothing to this ask" + (f"; it said {bad}" if bad else ""))
        yield from ((place, found.get(place, lost)) for place in range(len(asks)))

    def _line(self, place: int, ask: Ask) -> dict[str, Any]:
        return {
            "id": place,
            "messages": [{"role": turn.role, "content": turn.content} for turn in ask.messages],
            "purpose": ask.purpose,
            "temperature": self.temperature if ask.temperature is None else ask.temperature,
            "max_tokens": ask.max_tokens or self.max_tokens,
            "seed": seed_of(ask),
        }

    def _script(self) -> Script:
        return Script.parse(self.run, self.folder)


def _said(told: Mapping[str, Any], seconds: float) -> Said:
    """An answer, or what is wrong with its line."""
    text, error = told.get("text"), told.get("error")
    read, written = (_count(told.get(name)) for name in ("prompt_tokens", "tokens"))
    if isinstance(text, str):
        finish = told.get("finish")
        return Said(text, "", finish if isinstance(finish, str) else "", read, written, seconds)
    reason = error if isinstance(error, str) and error else f"no text in the command's line; want {WANT}"
    return Said(None, reason, "", read, written, seconds)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
