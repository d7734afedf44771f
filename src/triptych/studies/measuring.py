"""What the measures read on every arm: the default panel, values only, in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from triptych.data import open_dataset
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.run import read_values
from triptych.profiling.settings import Settings
from triptych.studies.folder import Arm


@dataclass(frozen=True)
class _Job:
    arm: str
    file: Path
    settings: Settings


def measure_arms(
    arms: Sequence[Arm], settings: Settings, engine: LocalEngine, progress: Progress
) -> dict[str, dict[str, float]]:
    """Arm to the value of every measure that has one, by label.

    Raises:
        InputError: an arm cannot be read.
    """
    jobs = [_Job(arm.name, arm.file, replace(settings, workers=1)) for arm in arms]
    measured = {}
    with progress.stage("profiles of the arms", unit="arms", total=len(jobs)) as stage:
        for name, values in engine.map(_measure, jobs):
            measured[name] = values
            stage.advance(1)
    engine.rest()
    return measured


def _measure(job: _Job) -> tuple[str, dict[str, float]]:
    with open_bench(job.settings, Progress()) as bench:
        return job.arm, read_values(open_dataset(job.file, job.settings.reading()), bench)
