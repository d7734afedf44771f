"""`command`: the user's own script trains and scores; any trainer on any cluster fits.

    --trainer "command:./train.sh --model big"        --trainer "command:timeout=600,python train.py"

The command is run as it stands (no shell) in a folder of its own, which is removed afterwards, with one more argument: a
JSON file that says what to do. The same is in the environment, for scripts that rather read that.

    task.json                                     environment
    "data": "/../train.jsonl"                     TRIPTYCH_TRAIN     lines {"prompt", "response", "row"}
    "panels": {"id": "/../panels/0-id.jsonl"}     TRIPTYCH_PANELS    the folder of those files: one a panel, the same lines
    "seed": 123                                   TRIPTYCH_SEED
    "output": "/../scores.json"                   TRIPTYCH_OUTPUT    where the answer goes
                                                  TRIPTYCH_TASK      task.json itself

The answer is JSON in the output file or, where the script writes none, the last line of its standard output:

    {"panels": {"id": [1, 0, 1], "deeper": 0.53}, "steps": 100, "tokens": 5000, "notes": {"loss": 0.1}}

A panel's value is the score of each item in order (null where an item has none) or its mean alone; the rest may be left
out. A mean alone is kept as one item, so nothing can be said about the spread over items. A script that fails, answers
nonsense, or leaves out a panel fails the run, never the study.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SpecError, TriptychError, message, nearest
from triptych.core.profile import write_json, write_text
from triptych.core.script import Script, loads, number
from triptych.core.spec import Spec, params_of
from triptych.data.values import excerpt
from triptych.studies.trainers.trainer import Cost, Example, Outcome, Panel, Trainer

SCHEMA = "triptych/task@1"
WANT = '{"panels": {"NAME": [a number for each item, or null], ..}}'


@final
@dataclass(frozen=True)
class Command(Trainer):
    """The user's script.

    Attributes:
        command: what is run: words as in a shell, quotes and all, but no shell; files are found from the current folder.
        timeout: seconds that one run may take; 24 hours unless said.
    """

    name: ClassVar[str] = "command"
    ARGUMENT: ClassVar[str] = "command"
    VERBATIM: ClassVar[bool] = True

    command: str
    timeout: float = 86400.0
    script: Script = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the script.

        Raises:
            SpecError: no command, or a time that is none.
        """
        if not self.timeout > 0:
            raise SpecError(
                message("command: timeout is out of range.", got=f"{self.timeout}", want="seconds, above 0")
            )
        object.__setattr__(self, "script", Script.parse(self.command))

    @property
    def spec(self) -> Spec:
        """The command and the content of the files it names."""
        return Spec(self.name, {**params_of(self), "files": self.script.hashes()})

    def run(self, data: Sequence[Example], panels: Sequence[Panel], seed: int) -> Outcome:
        """Write the task, run the script, read its answer.

        Raises:
            TriptychError: the script cannot be started, fails, takes too long, or its answer is not one.
        """
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="triptych-run-") as name:
            task = _write_task(Path(name), data, panels, seed)
            out = self._runner(task).run(self.timeout, folder=Path(name), env=_environment(task))
            answer = self._answer(Path(task["output"]), out)
        scores = {panel.name: self._scores(panel, answer["panels"]) for panel in panels}
        cost = Cost(time.perf_counter() - started, _count(answer, "steps"), _count(answer, "tokens"))
        return Outcome(scores, cost, _notes(answer, panels, scores))

    def _runner(self, task: Mapping[str, Any]) -> Script:
        return Script(self.script.text, (*self.script.words, task["task"]))

    def _answer(self, file: Path, out: str) -> dict[str, Any]:
        """The object that the script wrote, checked to hold panels."""
        lines = [line for line in out.splitlines() if line.strip()]
        if file.exists():
            text, place = file.read_text(encoding="utf-8", errors="replace"), "its output file"
        else:
            text, place = lines[-1] if lines else "", "the last line of its standard output"
        answer = loads(text)
        if not isinstance(answer, dict) or not isinstance(answer.get("panels"), dict):
            got = f"{place}: {excerpt(text) or 'empty'}"
            raise TriptychError(message(f"command {self.command}: its answer holds no scores.", got=got, want=WANT))
        return answer

    def _scores(self, panel: Panel, answer: Mapping[str, Any]) -> NDArray[np.float64]:
        """The scores of one panel, (n,), or its mean alone, (1,)."""
        what = f'command {self.command}: panel "{panel.name}"'
        if panel.name not in answer:
            got = "scores for " + (", ".join(answer) or "no panel")
            near = nearest(panel.name, answer)
            hint = f'rename "{near}" to "{panel.name}"' if near else None
            raise TriptychError(message(f"{what} is missing in its answer.", got=got, want=WANT, hint=hint))
        value, n = answer[panel.name], len(panel.examples)
        mean = number(value)
        if mean is not None:
            return np.array([mean])
        if not isinstance(value, list):
            raise TriptychError(message(f"{what} has no score.", got=excerpt(json.dumps(value)), want=WANT))
        if len(value) != n:
            raise TriptychError(message(f"{what} has a wrong number of scores.", got=f"{len(value)}", want=f"{n}"))
        found = [number(each) for each in value]
        if all(each is None for each in found):
            got = f"{excerpt(json.dumps(value[0]))}, for the first"
            raise TriptychError(message(f"{what} has no score for any of {n} items.", got=got, want=WANT))
        return np.array([np.nan if each is None else each for each in found], dtype=np.float64)


def _write_task(folder: Path, data: Sequence[Example], panels: Sequence[Panel], seed: int) -> dict[str, Any]:
    """Write the files of a run; gives the document of task.json and, under "task", where that lies."""
    files = {}
    for place, panel in enumerate(panels):
        name = re.sub(r"[^\w.-]", "_", panel.name)
        files[panel.name] = str(folder / "panels" / f"{place}-{name}.jsonl")
        write_text(Path(files[panel.name]), _lines(panel.examples))
    (folder / "panels").mkdir(exist_ok=True)
    write_text(folder / "train.jsonl", _lines(data))
    task = {
        "schema": SCHEMA,
        "data": str(folder / "train.jsonl"),
        "panels": files,
        "seed": seed,
        "output": str(folder / "scores.json"),
    }
    write_json(folder / "task.json", task)
    return {**task, "task": str(folder / "task.json")}


def _lines(examples: Sequence[Example]) -> str:
    rows = ({"prompt": e.prompt, "response": e.response, "row": dict(e.row)} for e in examples)
    return "".join(json.dumps(row, default=str) + "\n" for row in rows)


def _environment(task: Mapping[str, Any]) -> dict[str, str]:
    return {
        "TRIPTYCH_TASK": task["task"],
        "TRIPTYCH_TRAIN": task["data"],
        "TRIPTYCH_PANELS": str(Path(task["task"]).parent / "panels"),
        "TRIPTYCH_SEED": str(task["seed"]),
        "TRIPTYCH_OUTPUT": task["output"],
    }


def _count(answer: Mapping[str, Any], name: str) -> int:
    value = number(answer.get(name))
    return int(value) if value is not None and value >= 0 else 0


def _notes(
    answer: Mapping[str, Any], panels: Sequence[Panel], scores: Mapping[str, NDArray[np.float64]]
) -> dict[str, Any]:
    """What the script said beside scores, which items have none, and which panels were told by their mean alone."""
    notes: dict[str, Any] = dict(answer["notes"]) if isinstance(answer.get("notes"), dict) else {}
    said: dict[str, Any] = {}
    for panel in panels:
        value = answer["panels"][panel.name]
        missing = np.flatnonzero(np.isnan(scores[panel.name]))
        if not isinstance(value, list):
            said[panel.name] = {"scorer": "command", "mean_only": True}
        elif len(missing):
            first = int(missing[0])
            example = f"item {first + 1}: {excerpt(json.dumps(value[first]))}"
            said[panel.name] = {"scorer": "command", "missing": len(missing), "first_missing": example}
    asked = {panel.name for panel in panels}
    ignored = [name for name in answer["panels"] if name not in asked]
    notes |= {"ignored_panels": ignored} if ignored else {}
    return {**notes, "panels": said} if said else notes
