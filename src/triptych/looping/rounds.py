"""One arm, round by round, stage by stage.

    score      the round's model on every panel                        scores.json
    write      the policy sets the dials; prompts and responses        generated.jsonl, written.json
    judge      the verifier's verdict on each record
    close      what panels hold is put aside
    choose     the policy takes what the next model is trained on      selected.jsonl
    read       the ledger's entry, the guard's verdict                 meta.json
    train      the next model, from the base or from this one          round_NNN+1/model/

The last round trains nothing, so it chooses nothing. A stage whose file is there is not done again. A model is always read
back from its folder, so that a loop that was killed goes on from the same bits.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from triptych.core.errors import TriptychError, message
from triptych.core.profile import write_json
from triptych.core.rng import stream
from triptych.looping.dials import Decision, Dials
from triptych.looping.document import overlaps, round_document
from triptych.looping.folder import ArmFolder, RoundFolder, read_document, read_records, write_records
from triptych.looping.generators.base import Asked
from triptych.looping.policy import Candidates, Given, Policy, Turn
from triptych.looping.records import ARCHIVE, Judged
from triptych.looping.scoring import score
from triptych.looping.setting import Setting
from triptych.looping.watching import Seen, Watching
from triptych.studies.trainers.trainer import Cost, Model

Key = TypeVar("Key", str, float)


class LoopStoppedError(TriptychError):
    """The loop cannot go on; every round that is over is kept, and the same command goes on from there."""


@dataclass(frozen=True)
class Played:
    """A round that is over.

    Attributes:
        document: its entry of `loop.json`.
        selected: what the next model is trained on.
        stop: why the loop ends here; None: it goes on.
    """

    document: dict[str, Any]
    selected: tuple[Judged, ...]
    stop: str | None = None


def begin(setting: Setting, folder: RoundFolder) -> None:
    """Train the first model on the real data, where it is not there yet.

    Raises:
        TriptychError: training failed.
    """
    if not folder.model.exists():
        data = setting.examples(setting.anchor)
        trained = setting.first.train(data, _seed(setting, "train", 0))
        _save(folder, trained, len(data))


@dataclass
class Arm:
    """One policy's loop, and what it remembers of the rounds that are over.

    Attributes:
        setting: what the loop works with.
        policy: of this arm.
        folder: of its rounds.
        watching: reads the ledger and judges it.
        turns: the rounds that are over.
        earlier: passed records of those rounds, each once, by prompt and response.
        known: structures of the real data and of passed records.
    """

    setting: Setting
    policy: Policy
    folder: ArmFolder
    watching: Watching
    turns: list[Turn] = field(default_factory=list)
    earlier: dict[tuple[str, str], Judged] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    @cached_property
    def given(self) -> Given:
        """What is the same in all rounds."""
        setting, config, writer = self.setting, self.setting.config, self.setting.generator
        again, first = setting.trainer.scratch(config.budget), setting.first.scratch(len(setting.anchor))
        share = again / first if again and first else 1.0
        samples = config.generator.samples
        return Given(config.budget, samples, config.rounds, config.dials, writer.hottest, writer.cuts, share)

    def play(self, number: int) -> Played:
        """Score, write, judge, close, choose, read; train nothing.

        Raises:
            TriptychError: a stage failed.
        """
        self.known = self.known or {record.structure for record in self.setting.anchor}
        round_ = _Round(self, self.folder.round(number))
        scores = round_.scored()
        records, notes = round_.written()
        kept = [record for record in records if not self.setting.closed.holds(record)]
        stop = self._nothing(number, records, kept, round_.dials)
        selected, seen = list[Judged](), None
        if not stop:
            last = number == self.setting.config.rounds
            selected = [] if last else round_.selected(kept)
            with round_.timed("ledger"):
                seen = self.watching.see(round_.folder, selected=not last)
            self._remember(round_, records, kept, seen)
            stop = self._against(number, seen)
        document = round_document(
            number, scores, (round_.dials, round_.decisions), (records, kept, selected), notes, seen
        )
        document["overlap"] = overlaps(self.setting.held, selected)
        return Played(self._kept(round_, document), tuple(selected), stop)

    def train(self, number: int, selected: Sequence[Judged]) -> None:
        """Train the model of the next round on what this one chose.

        Raises:
            TriptychError: training failed, or diverged.
        """
        after = self.folder.round(number + 1)
        if after.model.exists():
            return
        dials = self.turns[-1].dials
        setting = self.setting
        data = setting.examples(selected)
        alone = dials.start == "base" and dials.blend >= 1
        before = None if alone else setting.trainer.load(self.folder.round(number).model)
        start = before if dials.start == "continue" else None
        model, cost, notes = setting.trainer.train(data, _seed(setting, "train", number + 1), start)
        if before is not None and dials.blend < 1:
            model = model.blended(before, dials.blend)
        _save(after, (model, cost, notes), len(data))

    def _nothing(self, number: int, records: Sequence[Judged], kept: Sequence[Judged], dials: Dials) -> str | None:
        """Why a round without anything to train on ends the loop."""
        valid, passed = sum(r.valid for r in records), sum(r.passed for r in kept)
        if valid if dials.unverified else passed:
            return None
        what = f"round {number}: nothing that was written can be trained on."
        got = f"{len(records):,} records, {valid:,} of them valid, {sum(r.passed for r in records):,} passed"
        hint = "a longer first training, more samples, or a lower temperature"
        return message(what, got=f"{got}, {passed:,} of these outside the panels", want="at least one", hint=hint)

    def _against(self, number: int, seen: Seen) -> str | None:
        """Why the guard ends the loop, where it may."""
        if self.setting.config.guard != "stop" or seen.verdict is None or seen.verdict["verdict"] != "stop":
            return None
        return f"round {number}: the guard says stop ({seen.verdict['state']}): " + "; ".join(seen.verdict["reasons"])

    def _remember(self, round_: _Round, records: Sequence[Judged], kept: Sequence[Judged], seen: Seen) -> None:
        """Add a round to what policies may see."""
        tried = tried_of(records, kept, self.known)
        solved = solved_of(kept)
        closed = len(records) - len(kept)
        levels = levels_of(kept)
        self.turns.append(Turn(round_.folder.number, round_.dials, seen.entry, tried, solved, closed, levels))
        for record in kept:
            if record.passed:
                key = record.written.prompt, record.written.response
                self.earlier.setdefault(key, replace(record, source=ARCHIVE))
                self.known.add(record.structure)

    def _kept(self, round_: _Round, document: dict[str, Any]) -> dict[str, Any]:
        """The round's document with its seconds, as in `meta.json`, which is written where it is not there."""
        file = round_.folder.meta
        if file.exists():
            known = read_document(file)
            return {**document, **{name: known[name] for name in ("seconds", "stages")}}
        trained = read_document(round_.folder.model / "training.json")["cost"]["seconds"]
        stages = {name: round(value, 2) for name, value in {"train": trained, **round_.seconds}.items()}
        document = {**document, "seconds": round(sum(stages.values()), 2), "stages": stages}
        write_json(file, document)
        return document


@dataclass
class _Round:
    """The stages of one round that leave a file."""

    arm: Arm
    folder: RoundFolder
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dials, self.decisions = self._set()

    def _set(self) -> tuple[Dials, list[Decision]]:
        """The dials and why; a generator that cuts no tokens off is not said to."""
        dials, decisions = self.arm.policy.dials(self.arm.given, self.arm.turns)
        if self.arm.given.cuts or not dials.min_p:
            return dials, decisions
        whole = Decision("min_p", "0", "any token may be drawn: nothing tells the generator to cut some off")
        return replace(dials, min_p=0.0), [*(one for one in decisions if one.dial != "min_p"), whole]

    @cached_property
    def model(self) -> Model:
        """The round's model; read only where a stage needs it."""
        trainer = self.arm.setting.trainer if self.folder.number else self.arm.setting.first
        return trainer.load(self.folder.model)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the seconds of a stage."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started

    def scored(self) -> dict[str, Any]:
        """The document of `scores.json`."""
        if not self.folder.scores.exists():
            with self.timed("score"):
                temperature = (
                    self.arm.given.dials.temperature
                )  # the user's: what a policy sets would move pass@k by itself
                found = score(self.model, self.arm.setting.scoring, self.folder.number, temperature)
                write_json(self.folder.scores, found)
        return read_document(self.folder.scores)

    def written(self) -> tuple[list[Judged], dict[str, Any]]:
        """The round's records, judged, and what generator and verifier had to say."""
        setting, folder = self.arm.setting, self.folder
        if not folder.generated.exists():
            with self.timed("write"):
                batch = setting.generator.write(self._asked(), self.model)
            with self.timed("judge"):
                verdicts = setting.verifier.judge(batch.written, folder.number, batch.likelihood)
            write_json(folder.notes, {"generator": dict(batch.notes), "verifier": dict(verdicts.notes)})
            write_records(folder.generated, verdicts.judged)
        return read_records(folder.generated), read_document(folder.notes)

    def selected(self, kept: Sequence[Judged]) -> list[Judged]:
        """What the next model is trained on.

        Raises:
            SelectionError: the dials ask for what there is not.
            LoopStoppedError: nothing was chosen.
        """
        arm = self.arm
        if not self.folder.selected.exists():
            with self.timed("choose"):
                found = Candidates(kept, list(arm.earlier.values()), arm.setting.anchor, solved_of(kept))
                draw = stream("loop", "choose", arm.setting.config.seed, self.folder.number)
                chosen = arm.policy.choose(found, self.dials, arm.given.budget, draw)
            if not chosen:
                what = f"round {self.folder.number}: the policy {arm.policy.name} chose nothing to train on."
                raise LoopStoppedError(message(what, got=f"{len(kept):,} candidates of this round"))
            write_records(self.folder.selected, chosen)
        return read_records(self.folder.selected)

    def _asked(self) -> Asked:
        setting = self.arm.setting
        config = setting.config
        return Asked(
            samples=config.generator.samples,
            dials=self.dials,
            seed=config.seed,
            round=self.folder.number,
            prompts=setting.prompts,
            each=config.generator.each,
            write=config.model.write,
            keep=self.folder.path,
            saved=self.folder.model,
        )


def tried_of(records: Sequence[Judged], kept: Sequence[Judged], known: set[str]) -> dict[float, dict[str, int]]:
    """What came of each exploring temperature, see `Turn.tried`; what was put aside is tried, and never counts as new."""
    out: dict[float, dict[str, int]] = {}
    fresh: dict[float, set[str]] = {}
    for record in records:
        temperature = record.written.explore
        if temperature is not None:
            names = ("samples", "valid", "passed", "new", "new_structures")
            one = out.setdefault(temperature, dict.fromkeys(names, 0))
            one["samples"] += 1
            one["valid"] += record.valid
    for record in kept:
        temperature = record.written.explore
        if temperature is not None and record.passed:
            out[temperature]["passed"] += 1
            if record.structure not in known:
                out[temperature]["new"] += 1
                fresh.setdefault(temperature, set()).add(record.structure)
    for temperature, structures in fresh.items():
        out[temperature]["new_structures"] = len(structures)
    return out


def solved_of(kept: Sequence[Judged]) -> dict[str, tuple[int, int]]:
    """Structure to (passed, tried) among tasks with a verdict."""
    return _passed_of((record.structure, record) for record in kept)


def levels_of(kept: Sequence[Judged]) -> dict[float, tuple[int, int]]:
    """Complexity to (passed, tried) among tasks with a verdict, where it is known."""
    return _passed_of((record.complexity, record) for record in kept if record.complexity is not None)


def _passed_of(records: Iterable[tuple[Key, Judged]]) -> dict[Key, tuple[int, int]]:
    """(Passed, tried) of the tasks with a verdict under each key, in the order of the keys."""
    tried, passed = Counter[Key](), Counter[Key]()
    for key, record in records:
        if record.valid and record.verified is not None:
            tried[key] += 1
            passed[key] += record.passed
    return {key: (passed[key], tried[key]) for key in sorted(tried)}


def _save(folder: RoundFolder, trained: tuple[Model, Cost, dict[str, Any]], examples: int) -> None:
    """Keep a model, unless its loss is no number."""
    model, cost, notes = trained
    loss = notes.get("loss")
    if isinstance(loss, float) and not math.isfinite(loss):
        what = "the training diverged."
        raise LoopStoppedError(message(what, got=f"loss {loss}", hint="a lower learning rate, or start = base"))
    folder.save_model(model.save, {"examples": examples, "notes": notes, "cost": vars(cost)})


def _seed(setting: Setting, stage: str, number: int) -> int:
    return int(stream("loop", stage, setting.config.seed, number).integers(2**31))
