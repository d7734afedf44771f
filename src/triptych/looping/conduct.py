"""Conduct a loop: its arms from one first model, side by side in worker processes where there are several."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triptych.core.errors import InputError, TriptychError
from triptych.core.profile import write_json
from triptych.engines.local import LocalEngine, cores
from triptych.engines.progress import Progress, Stage
from triptych.looping.config import LoopConfig
from triptych.looping.document import arm_document, loop_document
from triptych.looping.folder import DOCUMENT, ArmFolder, arm_name, told_when_full
from triptych.looping.registry import parse_policy
from triptych.looping.rounds import Arm, Played, begin
from triptych.looping.setting import Setting
from triptych.looping.watching import Watching
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

_LOOK = 2.0
"""Seconds between two looks at how many rounds the arms have finished."""


@dataclass(frozen=True)
class ArmJob:
    """One arm to run.

    Attributes:
        config: with this arm's policy alone.
        folder: of the arm.
        settings: how the ledger measures: workers, cache.
    """

    config: LoopConfig
    folder: Path
    settings: Settings

    @property
    def policy(self) -> str:
        """As it was asked for."""
        return self.config.policies[0]


def run_loop(
    config: LoopConfig,
    folder: Path,
    progress: Progress,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Run every arm of a loop to its end, or go on where an earlier call stopped, and write `loop.json`.

    Args:
        config: of the loop.
        folder: of the result.
        progress: what long work tells its caller.
        settings: how the ledger measures: workers, cache, encoder, tokenizer.

    Returns:
        The document of `loop.json`. An arm that cannot go on says why in `stopped`, and keeps its rounds.

    Raises:
        InputError: bad input or usage, or rounds of another loop are in the folder.
        TriptychError: the first model cannot be trained or scored, or the disk is full.
    """
    setting, settings = Setting.of(config), settings or Settings()
    jobs = _jobs(config, folder, settings)
    for job in jobs:
        parse_policy(job.policy)
    ArmFolder(folder).claim(identity(setting, settings))
    total = len(jobs) * (config.rounds + 1)
    with told_when_full(folder), progress.stage("rounds", unit="rounds", total=total) as stage:
        arms = [_run(jobs[0], setting, stage.advance)] if len(jobs) == 1 else _beside(jobs, setting, stage)
    document = loop_document(config, setting, arms)
    write_json(folder / DOCUMENT, document)
    return document


def identity(setting: Setting, settings: Settings) -> dict[str, Any]:
    """Everything that a loop's result follows from: what it works with, and how its ledger measures."""
    return {**setting.identity, "measuring": {"encoder": settings.encoder, "tokenizer": settings.tokenizer}}


def plan_text(config: LoopConfig, setting: Setting) -> str:
    """What a loop would do, in words."""
    generator, start = config.generator, config.start
    policies = [parse_policy(text) for text in config.policies]
    samples = generator.samples * (config.rounds + 1) * len(policies)
    real = f"world {start.world}" if start.world else start.data
    lines = [f"start: {real}, {len(setting.anchor):,} records, trained by {setting.first.name}"]
    for text, policy in zip(config.policies, policies, strict=True):
        lines.append(f"policy {text}: {policy.title}")
    lines.append(f"{config.rounds} trainings by {config.model.trainer} on at most {config.budget:,} records each")
    lines.append(f"{generator.kind} writes {generator.samples:,} records a round, {samples:,} in all")
    lines.append(f"verifier: {setting.verifier.grader.text}, leak {config.verifier.leak:g}; guard: {config.guard}")
    for panel in setting.panels:
        held = "closed" if panel.name in setting.closed.panels else "open"
        lines.append(f"panel {panel.name} ({panel.kind}, {held}): {len(panel.examples)} items, {panel.scorer.text}")
    return "\n".join(lines)


def run_arm(job: ArmJob, advance: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Run one arm to its end; its entry of the document.

    Raises:
        InputError: bad input, or rounds of another loop.
        TriptychError: the first round cannot be finished.
    """
    setting = Setting.of(job.config)
    return _run(job, setting, advance or (lambda _: None))


def _run(job: ArmJob, setting: Setting, advance: Callable[[int], None]) -> dict[str, Any]:
    policy, folder = parse_policy(job.policy), ArmFolder(job.folder)
    folder.claim(identity(setting, job.settings))
    played: list[Played] = []
    stopped = None
    with open_bench(job.settings, Progress()) as bench:
        arm = Arm(setting, policy, folder, Watching.of(setting, bench))
        begin(setting, folder.round(0))
        for number in range(job.config.rounds + 1):
            try:
                played.append(arm.play(number))
                advance(1)
                stopped = played[-1].stop
                if stopped or number == job.config.rounds:
                    break
                arm.train(number, played[-1].selected)
            except TriptychError as error:
                if not played:
                    raise
                stopped = f"round {number}: {error}"
                break
    return arm_document(job.policy, policy, played, stopped)


def _jobs(config: LoopConfig, folder: Path, settings: Settings) -> list[ArmJob]:
    if len(config.policies) == 1:
        return [ArmJob(config, folder, settings)]
    out, names = [], list[str]()
    for policy in config.policies:
        names.append(arm_name(policy, names))
        out.append(ArmJob(config.of_policy(policy), folder / names[-1], settings))
    return out


def _beside(jobs: Sequence[ArmJob], setting: Setting, stage: Stage) -> list[dict[str, Any]]:
    """All arms from one first model, in worker processes; one that cannot go on leaves the others alone."""
    for job in jobs:
        ArmFolder(job.folder).claim(identity(replace(setting, config=job.config), job.settings))
    first = ArmFolder(jobs[0].folder).round(0)
    begin(setting, first)
    for job in jobs[1:]:
        ArmFolder(job.folder).round(0).copy_model(first)
    alone = [replace(job, settings=replace(job.settings, workers=1)) for job in jobs]
    found: dict[str, dict[str, Any]] = {}
    with LocalEngine(min(jobs[0].settings.workers or cores(), len(jobs))) as engine, _watched(jobs, stage):
        for job, answer in engine.attempt(run_arm, alone):
            if isinstance(answer, InputError):
                raise answer
            found[job.policy] = _failed(job, answer) if isinstance(answer, Exception) else answer
    return [found[job.policy] for job in jobs]


def _failed(job: ArmJob, error: Exception) -> dict[str, Any]:
    """The arm whose process ended in an error; its finished rounds are in its folder."""
    said = str(error) if isinstance(error, TriptychError) else f"{type(error).__name__}: {error}"
    return arm_document(job.policy, parse_policy(job.policy), [], said)


@contextmanager
def _watched(jobs: Sequence[ArmJob], stage: Stage) -> Iterator[None]:
    """Count the rounds that arms in other processes finish, for as long as the block lasts."""
    done = threading.Event()

    def look() -> None:
        told = 0
        while True:
            last = done.wait(_LOOK)
            finished = sum(1 for job in jobs for _ in job.folder.glob("round_*/meta.json"))
            if finished > told:
                stage.advance(finished - told)
                told = finished
            if last:
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
