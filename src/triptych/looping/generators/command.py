"""A script of the user's writes the records of a round.

The command is run as it stands (no shell) in a folder of its own, with one more argument, a JSON file that says what to
write; the same file is named by TRIPTYCH_TASK.

    task.json
    "schema": "triptych/write@1"
    "samples": 6000                     records that are wanted
    "prompts": "/../prompts.jsonl"      lines {"id", "prompt", "row"}, each to be answered `each` times; null: the script
    "each": 1                           writes its own prompts
    "write": "Write one .."             what a prompt is asked for with
    "temperature": 0.7                  of responses
    "explore": [[1.0, 6000]]            temperatures of prompts, and how many are written at each
    "dials": {..}                       all dials of the round
    "model": "/../model"                folder of the round's model; null: there is none
    "seed": 123, "round": 3
    "output": "/../written.jsonl"       where the records go; or to standard output

A record is a line {"prompt": "..", "response": ".."}, with "id" where prompts are given ("prompt" may be left out then),
and with "temperature", "explore" and "likelihood" (log p per token, in nats) where the script knows them. Lines that are no
record are counted; with none that is, the round fails.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, final

from triptych.core.errors import SpecError, TriptychError, UsageError, message
from triptych.core.profile import write_json, write_text
from triptych.core.script import Script, loads, number
from triptych.core.spec import Spec, params_of
from triptych.data.values import excerpt
from triptych.looping.generators.base import Asked, Batch, Generator
from triptych.looping.records import Written
from triptych.studies.trainers.trainer import Example, Model

SCHEMA = "triptych/write@1"
WANT = 'lines {"prompt": "..", "response": ".."}'


@final
@dataclass(frozen=True)
class CommandGenerator(Generator):
    """The user's script.

    Attributes:
        run: what is run: words as in a shell, but no shell; files are looked for beside the config, then in the
            current folder.
        timeout: seconds that one round may take.
    """

    name: ClassVar[str] = "command"
    effort: ClassVar[frozenset[str]] = frozenset({"timeout"})

    run: str
    timeout: float = 86400.0
    script: Script = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the script.

        Raises:
            SpecError: no command, or a time that is none.
        """
        if not self.timeout > 0:
            got = f"{self.timeout}"
            raise SpecError(message("generator command: timeout is out of range.", got=got, want="seconds, above 0"))
        object.__setattr__(self, "script", Script.parse(self.run))

    def beside(self, folder: Path) -> CommandGenerator:
        """The same with the files of its command looked for in this folder."""
        placed = replace(self)
        object.__setattr__(placed, "script", Script.parse(self.run, folder))
        return placed

    def check(self, prompts: Sequence[Example] | None, write: str) -> None:
        """Look whether the command can be run at all.

        Raises:
            UsageError: there is no such program.
        """
        del prompts, write
        first = self.script.words[0]
        if shutil.which(first) is None:
            what = f"command {self.run}: there is no such program."
            raise UsageError(
                message(what, got=first, want="one that can be run", hint="python SCRIPT, or chmod +x SCRIPT")
            )

    @property
    def spec(self) -> Spec:
        """The command and the content of the files it names."""
        return Spec(self.name, {**params_of(self), "files": self.script.hashes()})

    def write(self, asked: Asked, model: Model | None) -> Batch:
        """Write the task, run the script, read its lines.

        Raises:
            TriptychError: the script cannot be started, fails, takes too long, or writes no record.
        """
        with tempfile.TemporaryDirectory(prefix="triptych-write-") as name:
            folder = Path(name)
            task = _write_task(folder, asked, _saved(folder, asked, model))
            runner = Script(self.script.text, (*self.script.words, str(folder / "task.json")))
            env = {"TRIPTYCH_TASK": str(folder / "task.json"), "TRIPTYCH_OUTPUT": task["output"]}
            out = runner.run(self.timeout, folder=folder, env=env)
            file = Path(task["output"])
            text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else out
        return self._read(text, asked)

    def _read(self, text: str, asked: Asked) -> Batch:
        """The records of the script's lines, at most as many as were wanted."""
        written, likelihood, bad = [], [], []
        lines = [line for line in text.split("\n") if line.strip()]
        for place, line in enumerate(lines, start=1):
            found = loads(line)
            record = _record(found, asked) if isinstance(found, dict) else "no JSON object"
            if isinstance(record, str):
                bad.append(f"line {place}: {record}: {excerpt(line)}")
            else:
                written.append(record)
                likelihood.append(number(found.get("likelihood")))
        if not written:
            got = bad[0] if bad else "nothing"
            raise TriptychError(message(f"command {self.run}: it wrote no record.", got=got, want=WANT))
        wanted = asked.samples if asked.prompts is None else len(asked.answering())
        notes: dict[str, Any] = {"failed": len(bad), "first_failed": bad[0]} if bad else {}
        notes |= {"wanted": wanted, "beyond": len(written) - wanted} if len(written) > wanted else {}
        notes |= {"wanted": wanted, "missing": wanted - len(written)} if len(written) < wanted else {}
        return Batch(tuple(written[:wanted]), tuple(likelihood[:wanted]), notes)


def _record(line: Mapping[str, Any], asked: Asked) -> Written | str:
    """A record, or what is wrong with the line."""
    response = line.get("response")
    if not isinstance(response, str):
        return "no response that is a text"
    temperature = number(line.get("temperature", asked.dials.temperature))
    if asked.prompts is None:
        prompt = line.get("prompt")
        return (
            Written(prompt, response, temperature, number(line.get("explore")))
            if isinstance(prompt, str)
            else "no prompt that is a text"
        )
    place = line.get("id")
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(asked.prompts):
        return "no id of a prompt"
    item = asked.prompts[place]
    if line.get("prompt", item.prompt) != item.prompt:
        return f"not the prompt of id {place}"
    return Written(item.prompt, response, temperature, None, str(place), item.row)


def _saved(folder: Path, asked: Asked, model: Model | None) -> Path | None:
    """Where the round's model lies."""
    if asked.saved is not None:
        return asked.saved.absolute()
    if model is None:
        return None
    model.save(folder / "model")
    return folder / "model"


def _write_task(folder: Path, asked: Asked, model: Path | None) -> dict[str, Any]:
    """Write the files of a round; gives the document of task.json."""
    prompts = None
    if asked.prompts is not None:
        prompts = folder / "prompts.jsonl"
        write_text(prompts, _lines(asked.prompts, sorted(set(asked.answering()))))
    task = {
        "schema": SCHEMA,
        "samples": asked.samples,
        "prompts": None if prompts is None else str(prompts),
        "each": asked.each,
        "write": asked.write,
        "temperature": asked.dials.temperature,
        "explore": [list(pair) for pair in asked.exploring()],
        "dials": asked.dials.to_json(),
        "model": None if model is None else str(model),
        "seed": asked.draw("command"),
        "round": asked.round,
        "output": str(folder / "written.jsonl"),
    }
    write_json(folder / "task.json", task)
    return task


def _lines(prompts: Sequence[Example], places: Sequence[int]) -> str:
    rows = ({"id": place, "prompt": prompts[place].prompt, "row": dict(prompts[place].row)} for place in places)
    return "".join(json.dumps(row, default=str) + "\n" for row in rows)
