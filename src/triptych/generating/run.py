"""Run a recipe: batches from the method, through the filters in order, until the budget is full.

A run has no state beside the answers that are kept: a call after a kill plays the same run again, is answered from what is
kept, and goes on where nothing is. With a larger budget the same folder goes on likewise.
"""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from triptych._version import __version__
from triptych.core.profile import write_json
from triptych.engines.progress import Progress
from triptych.generating.ask import Batch, BudgetSpentError, Dropped, Failed, Gate, Made
from triptych.generating.axes import axes
from triptych.generating.desk import BLOCKED, EMPTY, REFUSAL, RunDesk
from triptych.generating.folder import ANSWERS, DATA, DOCUMENT, FAILED, Rows, taken
from triptych.generating.planning import forecast
from triptych.generating.recipe import SCHEMA, Recipe
from triptych.generating.records import broken, data_row, lost_row, took_of
from triptych.generating.seeds import Seeds, read_seeds
from triptych.generating.tally import Passed, Tally
from triptych.generating.told import filter_text

FULL, SPENT, SHORT = "full", "spent", "short"
"""How a run ends: its budget of records is full, its tokens or money are spent, or it fell short, with the reason."""
_REASON = 500
"""Characters of an error that the document keeps."""
_HINTS = {
    ("context length", "context_length", "context size", "context window", "exceed_context"): (
        "a longer context (of the server, or [writer] context), fewer examples (shots), shorter seeds or a smaller max_tokens"
    ),
    (EMPTY, "empty prompt", "empty response"): (
        "a larger max_tokens (a model that thinks first may spend all of it), or another model"
    ),
    ("token limit",): "a larger max_tokens",
    (REFUSAL, BLOCKED): "another model, or other seeds",
    ("too much like", "copy of", "near_duplicate"): "a higher temperature, more seeds, or a looser threshold",
}
"""What to try, by words of the commonest reason why something is no record."""


@dataclass(frozen=True)
class RunOptions:
    """What a run may be told beside its recipe.

    Attributes:
        answers: folder of answers, to be shared with other runs one after the other; None: in the run's own folder.
        axes: whether quality, diversity and complexity are read before and after each filter.
        command: kept in the provenance.
    """

    answers: Path | None = None
    axes: bool = True
    command: str = "triptych.generate"


def run_recipe(
    recipe: Recipe, folder: Path, progress: Progress | None = None, options: RunOptions | None = None
) -> dict[str, Any]:
    """Run a recipe into a folder; what a killed or ended run has there is used.

    Returns:
        The document of `recipe.json`. A run that ends short of its budget says why in `stopped`.

    Raises:
        InputError: bad input, or another recipe's records are in the folder.
        TriptychError: the writer cannot go on; what was made is in the folder.
    """
    options, progress = options or RunOptions(), progress or Progress()
    seeds = read_seeds(recipe)
    known = [writer.spec for writer in (recipe.writer, recipe.judge) if writer is not None]
    del known  # a model that is not there is found out before anything is written
    if recipe.writer.purposes:
        forecast(recipe)  # a writer that cannot answer what is asked is found out before anything is written
    identity = {"recipe": recipe.to_json(), "seeds": (seeds.about or {}).get("sha256")}
    started = time.perf_counter()
    answers = options.answers or folder / ANSWERS
    with taken(folder, answers, identity):
        run = _Run(recipe, seeds, folder, replace(options, answers=answers))
        try:
            with progress.stage("records", unit="records", total=recipe.budget.records) as stage:
                ended, reason = run.play(stage.advance)
        except BaseException as error:
            if run.close(whole=False):
                reason = " ".join(str(error).split())[:_REASON] or type(error).__name__
                write_json(folder / DOCUMENT, run.document(SHORT, reason, started))
            raise
        run.close()
        found = run.axes(progress) if options.axes else {"reason": "not asked for"}
        document = run.document(ended, reason, started) | {"axes": found}
        write_json(folder / DOCUMENT, document)
    return document


@dataclass
class _Run:
    """One run: its desk, its gates, its files."""

    recipe: Recipe
    seeds: Seeds
    folder: Path
    options: RunOptions
    _ids: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.data, self.lost = Rows(self.folder / DATA), Rows(self.folder / FAILED)
        self.desk = RunDesk(recipe, self.seeds.items, self.options.answers)
        self.tally = Tally.of(recipe.filters)
        self.parts = {
            "seeds": str((self.seeds.about or {}).get("name", "none")),
            "writer": _writer_text(recipe),
            "method": filter_text(recipe.method),
            "search": filter_text(recipe.search),
            "filters": ", ".join(each.text for each in self.tally.filters) or "none",
        }

    def play(self, advance: Callable[[int], None]) -> tuple[str, str]:
        """Take batches until the end; how it ended, and why."""
        self.desk.told = lambda _: advance(0)  # a sign of life where a batch takes minutes
        gates = [each.begin(self.desk) for each in self.recipe.filters]
        batches = self.recipe.search.make(self.recipe.method, self.desk)
        idle = 0
        try:
            while True:
                batch = next(batches, None)
                if batch is None:
                    return SHORT, "the method has nothing more to make" + self._mostly()
                kept = self._take(batch, gates)
                advance(kept)
                idle = 0 if kept else idle + 1
                if self._room() == 0:
                    return FULL, ""
                if idle >= self.recipe.patience:
                    return SHORT, f"{idle} batches in a row gave no record" + self._mostly()
        except BudgetSpentError as spent:
            return SPENT, str(spent)

    def close(self, *, whole: bool = True) -> bool:
        """Move the files into place; those of a run that was broken off only where no more is there already."""
        self.desk.close()
        keep = whole or not self.data.behind
        self.data.close(keep=keep)
        self.lost.close(keep=keep)
        return keep

    def _take(self, batch: Batch, gates: Sequence[Gate]) -> int:
        """Filter a batch and write what came of it; the number of records kept."""
        usable = list(self._usable(batch))
        try:
            passed = self._filtered(usable, gates)
        finally:
            self.lost.flush()
        room = self._room()
        kept, over = passed if room is None else passed[:room], [] if room is None else passed[room:]
        for made, values in kept:
            self.data.add(self._row(made, values))
        for made, values in over:
            self.lost.add(lost_row(made, "budget", "the budget of records was full", values))
        self.tally.kept += len(kept)
        self.tally.over += len(over)
        for gate in gates:
            gate.keep([made for made, _ in kept])
        self.data.flush()
        self.lost.flush()
        return len(kept)

    def _usable(self, batch: Batch) -> Iterator[Made]:
        """The records of a batch that are any; the others are written as failed."""
        for each in batch:
            if isinstance(each, Failed):
                self.tally.failed[each.reason] += 1
                self.lost.add(lost_row(each, "method", each.reason, {}))
            elif reason := broken(each):
                self.tally.failed[reason] += 1
                self.lost.add(lost_row(each, "method", reason, {}))
            else:
                yield each

    def _filtered(self, made: Sequence[Made], gates: Sequence[Gate]) -> list[tuple[Made, dict[str, Any]]]:
        """The records that pass all gates, with what each gate looked at."""
        here: list[tuple[Made, dict[str, Any]]] = [(each, {}) for each in made]
        self.tally.made += len(made)
        for number, (gate, told) in enumerate(zip(gates, self.tally.filters, strict=True)):
            try:
                verdicts = gate.judge([each for each, _ in here]) if here else []
            except BudgetSpentError:
                for each, values in here:
                    self.lost.add(lost_row(each, told.name, "the budget was spent before it was looked at", values))
                    self.tally.passed.append(Passed(each, number))
                self.tally.unseen += len(here)
                raise
            told.add(verdicts)
            passed = []
            for (each, values), verdict in zip(here, verdicts, strict=True):
                seen = values if verdict.value is None else {**values, told.name: verdict.value}
                if isinstance(verdict, Dropped):
                    self.lost.add(lost_row(each, told.name, verdict.reason, seen))
                    self.tally.passed.append(Passed(each, number))
                else:
                    passed.append((each, seen))
            here = passed
        self.tally.passed += [Passed(each, len(gates)) for each, _ in here]
        return here

    def _room(self) -> int | None:
        most = self.recipe.budget.records
        return None if most is None else most - self.tally.kept

    def _mostly(self) -> str:
        found = self.tally.commonest()
        hint = next((hint for words, hint in _HINTS.items() if any(word in found.lower() for word in words)), "")
        return (f"; most often: {found}" if found else "") + (f"; try {hint}" if hint else "")

    def _row(self, made: Made, values: Mapping[str, Any]) -> dict[str, Any]:
        """A record as it is written, under an id that no other has."""
        self._ids[made.id] += 1
        again = self._ids[made.id]
        about = {"recipe": self.recipe.hash, "components": self.parts, **took_of(made), "filters": dict(values)}
        return data_row(made, made.id if again == 1 else f"{made.id}-{again}", about)

    def axes(self, progress: Progress) -> dict[str, Any]:
        """The three axes before and after each filter."""
        grades = None
        if self.recipe.grade is not None and len(self.tally.passed) > 0 and not self.recipe.grade.judge:
            grades = self.desk.grades([each.made for each in self.tally.passed])
        return axes(self.tally, grades, self.recipe.seed, progress)

    def document(self, ended: str, reason: str, started: float) -> dict[str, Any]:
        """The document of `recipe.json`."""
        recipe = self.recipe
        licences = [*self.seeds.licences, *(w.licence for w in (recipe.writer, recipe.judge) if w and w.licence)]
        unknown = ["seeds.licence"] if self.seeds.about and not self.seeds.licences else []
        unknown += [] if recipe.writer.licence else ["writer.licence"]
        return {
            "schema": SCHEMA,
            "hash": recipe.hash,
            "ended": ended,
            "stopped": reason,
            "components": recipe.components(),
            "unknown": unknown,
            "recipe": recipe.to_json(),
            "seeds": self.seeds.about,
            "counts": {"asked": self.desk.cost.requests, **self.tally.to_json()},
            "cost": self.desk.cost.to_json(),
            "licences": list(dict.fromkeys(licences)),
            "axes": {"reason": "not read yet"},
            "provenance": {
                "version": __version__,
                "command": self.options.command,
                "python": platform.python_version(),
                "base": os.path.relpath(recipe.base, self.folder),
                "writer": recipe.writer.spec.hash,
                "seconds": round(time.perf_counter() - started, 3),
            },
        }


def _writer_text(recipe: Recipe) -> str:
    """The writer on one line: its kind and its model."""
    model = getattr(recipe.writer, "model", "")
    return f"{recipe.writer.kind}:{model}" if model else recipe.writer.kind
