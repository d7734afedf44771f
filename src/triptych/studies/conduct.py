"""Conduct a study: train on every arm with every seed, score every panel, and keep each run as it ends.

Runs are independent of each other, so they go to worker processes, and one that dies is noted and leaves the others alone.
Running the same command again does what is missing: a run is known by its trainer, data, panels and seed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triptych._version import __version__
from triptych.core.errors import TriptychError, UsageError, message
from triptych.core.rng import stream
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.studies.folder import BLOCK, Arm, DesignFolder, PanelSource
from triptych.studies.panels import ScoredPanel, panel_kind, read_examples, read_panel, split_panel
from triptych.studies.runs import PanelScore, Run, RunLog, run_id
from triptych.studies.trainers.trainer import Outcome, Task, Trainer


@dataclass(frozen=True)
class Plan:
    """What is run: a design, a trainer, and how many training seeds each arm gets."""

    design: DesignFolder
    trainer: Trainer
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UsageError(message("there must be at least one seed.", got=str(self.seeds), want="--seeds N"))


@dataclass(frozen=True)
class _Job:
    """One run before it is made."""

    run: Run
    file: Path
    trainer: Trainer
    panels: tuple[ScoredPanel, ...]


def conduct(
    plan: Plan, log: RunLog, measured: Mapping[str, Mapping[str, float]], engine: LocalEngine, progress: Progress
) -> list[Run]:
    """Make every run of the plan that the log does not hold as done; each is added to the log when it ends.

    Args:
        plan: what to run.
        log: where runs are kept.
        measured: arm to what measures read on it, kept with its runs.
        engine: where runs are made.
        progress: what long work tells its caller.

    Returns:
        All runs of the plan, in its order, failed ones too.

    Raises:
        InputError: an arm or a panel cannot be read; nothing was run.
    """
    known = log.read()
    jobs = list(_jobs(plan, measured))
    missing = [job for job in jobs if job.run.run not in known or known[job.run.run].status != "done"]
    with progress.stage("runs", unit="runs", total=len(jobs)) as stage:
        stage.advance(len(jobs) - len(missing))
        for jobs_made, answer in engine.attempt(_train, _together(missing)):
            runs = [_failed(job, answer) for job in jobs_made] if isinstance(answer, Exception) else answer
            for run in runs:
                log.add(run)
                known[run.run] = run
            stage.advance(len(runs))
    engine.rest()
    return [known[job.run.run] for job in jobs]


def _jobs(plan: Plan, measured: Mapping[str, Mapping[str, float]]) -> Iterator[_Job]:
    panels = {block: _read_panels(plan.design, block) for block in plan.design.blocks}
    trainer = plan.trainer.prepare(_texts(plan.design.arms, panels.values()))
    identity = {"name": trainer.name, "params": trainer.spec.params, "hash": trainer.spec.hash}
    prints = {block: _fingerprint(mine) for block, mine in panels.items()}
    for arm in plan.design.arms:
        sha = arm.sha256()
        for seed in range(plan.seeds):
            run = Run(
                run=run_id(trainer.spec.hash, sha, prints[arm.block], arm.name, seed),
                arm=arm.name,
                levels=arm.levels,
                block=arm.block,
                data_seed=arm.data_seed,
                seed=seed,
                trainer=identity,
                data={"records": arm.records, "tokens": arm.tokens, "sha256": sha},
                measured=measured.get(arm.name, {}),
                versions={"triptych": __version__, **trainer.versions},
            )
            yield _Job(run, arm.file, trainer, panels[arm.block])


def _together(jobs: Sequence[_Job]) -> Iterator[tuple[_Job, ...]]:
    """The jobs in portions that the trainer likes to make at once."""
    size = jobs[0].trainer.together if jobs else 1
    for begin in range(0, len(jobs), size):
        yield tuple(jobs[begin : begin + size])


def _train(jobs: tuple[_Job, ...]) -> list[Run]:
    """Some runs, in a worker. Their seed is the same for all arms of a block: they start from the same weights."""
    started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    tasks = [
        Task(read_examples(job.file), job.panels, int(stream("study", job.run.block, job.run.seed).integers(2**31)))
        for job in jobs
    ]
    try:
        outcomes = jobs[0].trainer.run_many(tasks)
    except TriptychError:
        if len(jobs) == 1:
            raise
        return [_by_itself(job) for job in jobs]
    return [_done(job, outcome, started) for job, outcome in zip(jobs, outcomes, strict=True)]


def _by_itself(job: _Job) -> Run:
    """One of several runs that failed together, again and alone."""
    try:
        return _train((job,))[0]
    except TriptychError as error:
        return _failed(job, error)


def _done(job: _Job, outcome: Outcome, started: str) -> Run:
    return replace(
        job.run,
        panels={name: PanelScore(items) for name, items in outcome.items.items()},
        cost=vars(outcome.cost),
        notes=dict(outcome.notes),
        started=started,
    )


def _failed(job: _Job, error: Exception) -> Run:
    return replace(job.run, status="failed", error=_said(error))


def _read_panels(design: DesignFolder, block: str) -> tuple[ScoredPanel, ...]:
    return tuple(read_panel(source.request(block, design.folder)) for source in design.panels)


def _texts(arms: Sequence[Arm], panels: Iterable[Sequence[ScoredPanel]]) -> Iterator[str]:
    """Every text of a study: what a vocabulary must hold so that it is the same for all arms."""
    for arm in arms:
        for example in read_examples(arm.file):
            yield from (example.prompt, example.response)
    for mine in panels:
        for panel in mine:
            for example in panel.examples:
                yield from (example.prompt, example.response)


def _fingerprint(panels: Sequence[ScoredPanel]) -> str:
    """Of names, scorers and items: a run with other panels is another run."""
    digest = hashlib.sha256()
    for panel in panels:
        digest.update(repr((panel.name, panel.scorer.text)).encode())
        for example in panel.examples:
            digest.update(repr((example.prompt, example.response)).encode())
    return digest.hexdigest()[:16]


def _said(error: Exception) -> str:
    text = str(error) if isinstance(error, TriptychError) else f"{type(error).__name__}: {error}"
    return text.strip() or type(error).__name__


def parse_panel(text: str) -> PanelSource:
    """`name=FILE[,scorer]` as a source whose file does not depend on the design's folder.

    Raises:
        SpecError: it has another form.
    """
    name, file, scorer = split_panel(text)
    return PanelSource(name, str(Path(file).expanduser().absolute()), scorer, panel_kind(name))


def plan_text(plan: Plan) -> str:
    """What a study would do, in words, from the files' heads alone."""
    design = plan.design
    runs = len(design.arms) * plan.seeds
    lines = [f"{len(design.arms)} arms in {len(design.blocks)} blocks, {plan.seeds} seed(s) each: {runs} runs"]
    lines += [f"trainer: {plan.trainer.name} {_params(plan.trainer.spec.params)}"]
    lines += [f"panel {p.name} ({p.kind}): {p.file}, scored by {p.scorer}" for p in design.panels]
    lines += [f"tokens to train on, once through: {sum(arm.tokens for arm in design.arms) * plan.seeds:,}"]
    if not any(BLOCK in p.file for p in design.panels):
        lines += ["all blocks share their test items"]
    return "\n".join(lines)


def _params(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items())
