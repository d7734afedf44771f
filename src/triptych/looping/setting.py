"""What a loop works with, made from its config: real data, panels, prompts, reader, verifier, generator, trainers."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from triptych.core.errors import SchemaError, SpecError, UsageError, message, nearest
from triptych.core.script import Script
from triptych.looping.config import OWN, LoopConfig
from triptych.looping.generators.base import Generator
from triptych.looping.generators.registry import build_generator
from triptych.looping.policy import Policy
from triptych.looping.reading_tasks import TaskReader
from triptych.looping.records import ANCHOR, Judged, Written
from triptych.looping.registry import parse_policy
from triptych.looping.scoring import Scoring
from triptych.looping.verifying import Verifier, parse_grader
from triptych.studies.panels import (
    CommandScorer,
    Grader,
    ScoredPanel,
    Scorer,
    WorldVerifier,
    plain,
    read_examples,
    read_panel,
    split_panel,
)
from triptych.studies.trainers.registry import parse_trainer
from triptych.studies.trainers.trainer import Example, ModelTrainer
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials as WorldDials
from triptych.worlds.world import Row, World

AnyScorer = TypeVar("AnyScorer", bound=Scorer)

_VOCABULARY = 3000
"""Records of a world, with all its skills, that a vocabulary is fitted on."""


@dataclass(frozen=True)
class Closed:
    """What is kept out of the data that a loop trains on.

    The prompts of every panel, closed or not: a test item is never trained on. And the structures of the closed ones, but
    for those that the real data itself holds: the panel of harder inputs to known tasks closes nothing else.

    Attributes:
        prompts: of all panels, white space aside.
        structures: of the closed panels.
        panels: names of the closed panels.
    """

    prompts: frozenset[str]
    structures: frozenset[str]
    panels: tuple[str, ...]

    def holds(self, record: Judged) -> bool:
        """Whether a record must not be trained on."""
        return record.structure in self.structures or plain(record.written.prompt) in self.prompts


@dataclass(frozen=True)
class Held:
    """Prompts and structures of a panel, for the overlap with what is trained on.

    Of a closed panel the structures that are closed: none that the real data holds.
    """

    prompts: frozenset[str]
    structures: frozenset[str]

    def overlap(self, records: Sequence[Judged]) -> dict[str, int]:
        """Records that have one of its prompts, and of its structures."""
        return {
            "prompts": sum(plain(record.written.prompt) in self.prompts for record in records),
            "structures": sum(record.structure in self.structures for record in records),
        }


@dataclass(frozen=True)
class Setting:
    """See the module's text.

    Attributes:
        config: that all this is made from.
        anchor: the real data, judged where that costs nothing, without test items.
        dropped: records of the real data that are test items of a panel.
        panels: that every round's model is scored on.
        held: panel name to what it holds.
        closed: what is kept out of training.
        prompts: to be answered; None: the generator writes its own.
        verifier, generator: of the loop.
        first, trainer: of round 0, and of the rounds after it; both fitted to all texts.
    """

    config: LoopConfig
    anchor: tuple[Judged, ...]
    dropped: int
    panels: tuple[ScoredPanel, ...]
    held: Mapping[str, Held]
    closed: Closed
    prompts: tuple[Example, ...] | None
    verifier: Verifier
    generator: Generator
    first: ModelTrainer
    trainer: ModelTrainer

    @property
    def scoring(self) -> Scoring:
        """How models are scored."""
        how = self.config.evaluation
        return Scoring(self.panels, how.k, how.k_items, self.config.seed)

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that the result follows from: the config, but for how hard its generator tries, and digests of
        what it names.
        """
        digests = {
            "start": _digest([[record.written.prompt, record.written.response] for record in self.anchor]),
            "panels": _digest([_of_panel(panel) for panel in self.panels]),
            "prompts": None if self.prompts is None else _digest([_of_item(item) for item in self.prompts]),
        }
        trainers = {"first": self.first.spec.hash, "rounds": self.trainer.spec.hash}
        config = self.config.to_json()
        params = config["generator"]["params"]
        config["generator"]["params"] = {k: v for k, v in params.items() if k not in self.generator.effort}
        return {"config": config, "inputs": digests, "trainers": trainers}

    def examples(self, records: Iterable[Judged]) -> list[Example]:
        """What is trained on: of each record its answer, and how its prompt is written where the model may have to."""
        write = self.config.model.write if self.prompts is None and self.generator.asks_model else None
        out = []
        for record in records:
            prompt, response = record.written.prompt, record.written.response
            if write is not None:
                out.append(Example(write, prompt))
            out.append(Example(prompt, response))
        return out

    @classmethod
    def of(cls, config: LoopConfig) -> Setting:
        """Read the files, look up the names, fit the vocabulary.

        Raises:
            InputError: a file cannot be read, or a name is not known.
        """
        world = load_world(config.start.world) if config.start.world else None
        rows = _start(config, world)
        given = config.generator.prompts
        prompts = None if given == OWN else read_examples(config.file(given))
        generator = build_generator(config.generator.kind, config.generator.params).beside(config.base)
        generator.check(prompts, config.model.write)
        reader = TaskReader(world, prompts or ())
        panels = _panels(config, world)
        _import_beside(config.verifier.scorer, config.base)
        grader = _beside(parse_grader(config.verifier.scorer), config.base)
        verifier = Verifier(grader, reader, config.verifier.leak, config.seed)
        real = _anchor(rows, reader, verifier.grader)
        held = {panel.name: _held(panel, reader) for panel in panels}
        known = {record.structure for record in real}
        closed = _closed(config, panels, held, known)
        held |= {name: replace(held[name], structures=held[name].structures - known) for name in closed.panels}
        anchor = tuple(record for record in real if not closed.holds(record))
        if not anchor:
            what = "loop: every record of the start is a test item of a panel."
            raise UsageError(message(what, got=f"{len(real)} records", want="other panels, or other data"))
        texts, again = tee(_all_texts(config, (*rows, *(prompts or ())), panels))  # made only where they are asked for
        first = _trainer(config.start.trainer or config.model.trainer).prepare(texts)
        trainer = _trainer(config.model.trainer).prepare(again)
        dropped = len(real) - len(anchor)
        return cls(config, anchor, dropped, panels, held, closed, prompts, verifier, generator, first, trainer)

    @property
    def policies(self) -> dict[str, Policy]:
        """Policy as it was asked for to the policy, for each arm.

        Raises:
            SpecError: one is not there.
        """
        return {text: parse_policy(text) for text in self.config.policies}


def _start(config: LoopConfig, world: World | None) -> tuple[Example, ...]:
    start = config.start
    if world is None:
        return read_examples(config.file(start.data))
    dials = WorldDials(quality=start.quality, skills=start.skills, forms=start.forms)
    return tuple(map(_item, world.data(dials, start.records, start.block, config.seed)))


def _item(row: Row) -> Example:
    return Example(row["prompt"], row["response"], row)


def _panels(config: LoopConfig, world: World | None) -> tuple[ScoredPanel, ...]:
    files, start = config.evaluation.files, config.start
    if world is None or files:
        out = []
        for name, text in files.items():
            _, file, scorer = split_panel(f"{name}={text}")
            _import_beside(scorer, config.base)
            panel = read_panel(f"{name}={config.file(file)},{scorer}")
            out.append(replace(panel, scorer=_beside(panel.scorer, config.base)))
        return tuple(out)
    made = world.panels(start.block, config.seed, start.items, start.skills, start.forms)
    for name in config.evaluation.panels:
        if name not in made:
            what = f'loop: the world {world.name} has no panel "{name}".'
            raise SpecError(message(what, want=", ".join(made), hint=nearest(name, made)))
    names = config.evaluation.panels or tuple(made)
    return tuple(ScoredPanel(name, tuple(map(_item, made[name])), WorldVerifier()) for name in names)


def _import_beside(scorer: str, folder: Path) -> None:
    """Import the module of a user's verifier where it lies beside the config: whoever asks for it then has that one."""
    module = scorer.partition(":")[2].partition(":")[0].partition(".")[0]
    if not module or not any((folder / name).is_file() for name in (f"{module}.py", f"{module}/__init__.py")):
        return
    place = str(folder.absolute())
    sys.path.insert(0, place)
    try:
        importlib.import_module(module)
    except Exception as error:  # whatever a user's module raises
        what = f"loop: the module {folder / module} cannot be imported: {type(error).__name__}: {error}."
        raise SpecError(message(what, got=scorer, want="verifier:MODULE:FUNCTION")) from error
    finally:
        sys.path.remove(place)


def _beside(scorer: AnyScorer, folder: Path) -> AnyScorer:
    """The scorer with the files of its command looked for in this folder."""
    if isinstance(scorer, CommandScorer):
        return replace(scorer, script=Script.parse(scorer.script.text, folder))
    return scorer


def _anchor(rows: Sequence[Example], reader: TaskReader, grader: Grader) -> list[Judged]:
    """The real data as records. A script is not asked about it: that may cost."""
    kinds = [reader.given(row) for row in rows]
    grades = np.full(len(rows), np.nan)
    if not isinstance(grader, CommandScorer):
        able = [place for place, kind in enumerate(kinds) if _readable(grader, kind.item)]
        if able:
            grades[able] = grader.grade([kinds[i].item for i in able], [rows[i].response for i in able])[0]
    out = []
    for place, (row, kind, grade) in enumerate(zip(rows, kinds, grades.tolist(), strict=True)):
        verified = None if grade != grade else grade  # noqa: PLR0124 - NaN: no verdict
        right = None if verified is None or not isinstance(grader, WorldVerifier) else verified >= 1
        written = Written(row.prompt, row.response)
        judged = Judged(written, -1, place, kind.valid, kind.structure, kind.complexity, verified, right)
        out.append(replace(judged, source=ANCHOR))
    return out


def _readable(grader: Grader, item: Example) -> bool:
    """Whether a row holds what the rule reads."""
    try:
        grader.check("start", (item,))
    except SchemaError:
        return False
    return True


def _held(panel: ScoredPanel, reader: TaskReader) -> Held:
    structures = {reader.given(item).structure for item in panel.examples} - {""}
    return Held(frozenset(plain(item.prompt) for item in panel.examples), frozenset(structures))


def _closed(config: LoopConfig, panels: Sequence[ScoredPanel], held: Mapping[str, Held], real: set[str]) -> Closed:
    """Prompts of all panels, structures of the closed ones that the real data does not hold."""
    names = config.closed
    if names is None:
        names = tuple(panel.name for panel in panels if panel.kind == "ood")
    for name in names:
        if name not in held:
            what = f'loop: [policy] closed names no panel: "{name}".'
            raise SpecError(message(what, want=", ".join(held), hint=nearest(name, held)))
    prompts = frozenset[str]().union(*(one.prompts for one in held.values()))
    structures = frozenset[str]().union(*(held[name].structures for name in names))
    return Closed(prompts, structures - real, names)


def _trainer(text: str) -> ModelTrainer:
    trainer = parse_trainer(text)
    if not isinstance(trainer, ModelTrainer):
        want = "a trainer that gives a model"
        raise UsageError(message(f"loop: {trainer.name} gives no model that can write.", want=want, hint="tiny or hf"))
    return trainer


def _all_texts(config: LoopConfig, rows: Iterable[Example], panels: Iterable[ScoredPanel]) -> Iterator[str]:
    """Every text that a vocabulary must hold: start, panels, prompts, and of a world a sample of all its skills.

    A loop may find its way to words that the start does not have.
    """
    start = config.start
    if start.world:
        world = load_world(start.world)
        dials = WorldDials(skills=len(world.skills), forms=start.forms)
        for row in world.data(dials, _VOCABULARY, start.block, config.seed):
            yield from (row["prompt"], row["response"])
    if config.model.write:
        yield config.model.write
    for item in (*rows, *(item for panel in panels for item in panel.examples)):
        yield from (item.prompt, item.response)


def _of_panel(panel: ScoredPanel) -> Any:
    return [panel.name, panel.scorer.text, [_of_item(item) for item in panel.examples]]


def _of_item(item: Example) -> Any:
    return [item.prompt, item.response]


def _digest(values: Any) -> str:
    """First 16 hex digits of the SHA-256 of texts in lists."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
