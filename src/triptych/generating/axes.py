"""Quality, diversity and complexity of what came to each filter and of what it let pass.

Diversity moves with the number of records, so all stages are read at one n: that of the records kept, of at most 2,000. Of
each earlier stage as many are drawn at random, the same ones as far as they are there. Quality is the mean grade where the recipe grades and the grader could say,
else the share without a defect; diversity the Vendi score (q = 2); complexity the mean number of reasoning steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych.core.errors import TriptychError
from triptych.core.estimate import Estimate
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.generating.tally import Passed, Tally
from triptych.profiling.bench import open_bench
from triptych.profiling.run import profile_dataset
from triptych.profiling.settings import Settings

LEAST, MOST = 20, 2000
MEASURES = ("valid_share", "vendi:q=2", "reasoning_steps")
_READ = {"quality": "valid_share", "diversity": "vendi", "complexity": "reasoning_steps"}


def axes(tally: Tally, grades: Sequence[float | None] | None, seed: int, progress: Progress) -> dict[str, Any]:
    """The three axes by stage.

    Args:
        tally: of the run.
        grades: of each record of `tally.passed`; None where the recipe does not grade.
        seed: of the draws.
        progress: told by stage.

    Returns:
        `{"n", "stages": [{"stage", "records", "quality", "diversity", "complexity"}]}`, each axis with measure, value,
        lo, hi; or `{"n", "reason"}`.
    """
    n = min(tally.kept, MOST)
    if n < LEAST:
        return {"n": n, "reason": f"fewer than {LEAST} records were kept"}
    stages = []
    order = stream("generate", "axes", seed).permutation(len(tally.passed)).tolist()
    names = ["made", *(each.name for each in tally.filters)]
    with progress.stage("axes by filter", unit="stages", total=len(names)) as told:
        for number, name in enumerate(names):
            pool = [place for place in order if tally.passed[place].stage >= number]
            at = sorted(pool[:n])
            found = _read([tally.passed[place] for place in at], [grades[place] for place in at] if grades else None)
            stages.append({"stage": name, "records": len(pool), **found})
            told.advance(1)
    return {"n": n, "stages": stages}


def _read(records: Sequence[Passed], grades: Sequence[float | None] | None) -> dict[str, Any]:
    """The axes of some records; one that cannot be read says why."""
    known = grades is not None and any(value is not None for value in grades)
    rows: list[dict[str, Any]] = [{"prompt": each.made.prompt, "response": each.made.response} for each in records]
    measures: tuple[str, ...] = MEASURES
    if grades is not None and known:
        rows = [{**row, "grade": value} for row, value in zip(rows, grades, strict=True)]
        measures = (*MEASURES, "label_mean:field=grade")
    try:
        with open_bench(Settings.of(measures=measures, cache=False, workers=1), Progress()) as bench:
            profile = profile_dataset(open_dataset(rows), bench)
    except TriptychError as error:
        return {axis: {"value": None, "reason": str(error).partition("\n")[0]} for axis in _READ}
    read = _READ | ({"quality": "label_mean"} if known else {})
    return {axis: _told(next(each for each in profile if each.measure == name)) for axis, name in read.items()}


def _told(estimate: Estimate) -> dict[str, Any]:
    ends = {"lo": estimate.interval.lo, "hi": estimate.interval.hi}
    told: dict[str, Any] = {"measure": estimate.label, "value": estimate.value, **ends, "n": estimate.n}
    return told | ({"reason": estimate.undefined} if estimate.undefined else {})
