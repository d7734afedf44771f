"""Quality against diversity in what a model writes: do they trade off within a set that one model wrote?

In each block a model learns the records of the centre arm, prompts included, and writes records from nothing at several
temperatures. Two ways to ask, both with blocks as the replicates:

    temperature    quality regressed on the log of diversity over the temperatures, within each block
    selection      of the records written at one temperature, the half that the model finds likelier (log-likelihood per
                   token) against a random half: a filter that wants quality, and what it does to diversity. Likelier
                   among records with equally many words, and, beside it, among all: longer records are likelier per
                   token, so the second drops whole depths (in a trial with programs: every record of depth 1)

Quality is the share of all records whose prompt is a task of the world and whose answer is right; diversity the effective
number of skills among the prompts that are tasks, at the same number of records everywhere (`writing.effective`), so that
neither what cannot be read nor the size of a pile is counted as diversity. What is expected of a random half is exact.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import TriptychError, UsageError, message
from triptych.core.rng import stream
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.statistics.rarefied import effective
from triptych.studies.findings.writing import Pile, likelihoods, parted, whole, write
from triptych.studies.folder import Arm, DesignFolder
from triptych.studies.panels import read_examples
from triptych.studies.trainers.trainer import ModelTrainer, Trainer
from triptych.worlds.registry import load_world

Array = NDArray[np.float64]

BLOCKS = 3
"""Fewer blocks tell nothing about how blocks differ."""
TEMPERATURES = 3
"""A slope over fewer is none."""
LEVEL = 0.95

TRADE, TOGETHER, UNKNOWN = "trade off", "go together", "cannot tell"


@dataclass(frozen=True)
class Writing:
    """How much is written, and how.

    Attributes:
        temperatures: of the models' draws; the draws themselves are the same at each.
        records: at each temperature.
        selected_at: the one of them whose records are selected from.
        least: records that must be readable in every block for a diversity.
    """

    temperatures: tuple[float, ...] = (0.4, 0.7, 1.0, 1.3, 1.6)
    records: int = 1000
    selected_at: float = 1.0
    least: int = 50

    def __post_init__(self) -> None:
        if self.selected_at not in self.temperatures:
            want = ", ".join(f"{each:g}" for each in self.temperatures)
            raise UsageError(message("nothing is written at this temperature.", got=f"{self.selected_at:g}", want=want))


@dataclass(frozen=True)
class _Job:
    """One block: the arm to learn from, and all that a worker needs."""

    arm: Arm
    world: str
    trainer: ModelTrainer
    writing: Writing


@dataclass(frozen=True)
class _Block:
    """What one block gave: the arm's own records, those written at each temperature, the likelier halves of some.

    `likely` is by words and not, as `AMONG`.
    """

    data: Pile
    written: tuple[Pile, ...]
    likely: tuple[Pile, ...]


def tradeoff(
    design: DesignFolder,
    world: str,
    trainer: Trainer,
    engine: LocalEngine,
    progress: Progress,
    writing: Writing | None = None,
) -> dict[str, Any]:
    """Have a model of each block write, and weigh the quality of what it wrote against the diversity.

    Args:
        design: of a preset; of each block, its first arm with all levels at 0 is learnt.
        world: that made the arms and reads what is written.
        trainer: of the study.
        engine: where models are trained, one job a block.
        progress: what long work tells its caller.
        writing: how much is written.

    Returns:
        `world`, `text` (what was done), `blocks`, `records`, `at` (records at which diversity is read), `data` (the
        arms' own quality and diversity), `points` (one a temperature: valid, quality, diversity, diversity_right, each
        with _lo and _hi), `slope`, `selection` and `selection_any_length`, `failed`, and `undefined`: why there are no results, or None.

    Raises:
        InputError: an arm cannot be read.
    """
    writing = writing or Writing()
    arms: dict[str, Arm] = {}
    for arm in design.arms:
        if arm.levels and not any(arm.levels.values()):
            arms.setdefault(arm.block, arm)
    blocks: dict[str, _Block] = {}
    failed: list[dict[str, str]] = []
    if len(arms) < BLOCKS:
        reason = f"blocks with an arm at the centre: {len(arms)}; fewer than {BLOCKS} do not tell how blocks differ"
    elif not isinstance(trainer, ModelTrainer):
        reason = f"the trainer {trainer.name} gives no model that could write"
    else:
        blocks, failed = _conduct(_jobs(list(arms.values()), world, trainer, writing), engine, progress)
        reason = _reason(blocks, world)
    about = {"world": world, "text": _text(trainer.name, writing), "blocks": len(blocks), "records": writing.records}
    found = {} if reason else _weighed([blocks[name] for name in arms if name in blocks], writing)
    return {**about, **found, "failed": failed, "undefined": reason or None}


def _jobs(arms: Sequence[Arm], world: str, trainer: ModelTrainer, writing: Writing) -> list[_Job]:
    texts = (whole(each.prompt, each.response).response for arm in arms for each in read_examples(arm.file))
    prepared = trainer.prepare(texts)
    return [_Job(arm, world, prepared, writing) for arm in arms]


def _conduct(
    jobs: Sequence[_Job], engine: LocalEngine, progress: Progress
) -> tuple[dict[str, _Block], list[dict[str, str]]]:
    """What each block gave, and which failed and why."""
    blocks, failed = {}, []
    with progress.stage("trade-off", unit="blocks", total=len(jobs)) as stage:
        for job, answer in engine.attempt(_write, jobs):
            if isinstance(answer, Exception):
                said = str(answer) if isinstance(answer, TriptychError) else f"{type(answer).__name__}: {answer}"
                failed.append({"block": job.arm.block, "error": said})
            else:
                blocks[job.arm.block] = answer
            stage.advance(1)
    engine.rest()
    return blocks, sorted(failed, key=lambda each: each["block"])


def _write(job: _Job) -> _Block:
    """One block, in a worker: train, write, read."""
    world, block = load_world(job.world), job.arm.block
    train, draw = (int(stream("tradeoff", block, what).integers(2**31)) for what in ("train", "write"))
    records = [whole(each.prompt, each.response) for each in read_examples(job.arm.file)]
    model, _, _ = job.trainer.train(records, train)
    written: list[Pile] = []
    likely: tuple[Pile, ...] = ()
    for temperature in job.writing.temperatures:
        texts = write(model, job.writing.records, temperature, draw)
        written.append(Pile.of(world, texts))
        if temperature == job.writing.selected_at:
            told = likelihoods(model, texts)
            lengths = [len(prompt.split()) + len(response.split()) for prompt, response in texts]
            kept = likelier_half(told, lengths), likelier_half(told, [0] * len(texts))
            likely = tuple(Pile.of(world, [texts[i] for i in half]) for half in kept)
    return _Block(Pile.of(world, [parted(each.response) for each in records]), tuple(written), likely)


def likelier_half(told: Sequence[float], groups: Sequence[int]) -> list[int]:
    """Places of the half that stands highest within its group (1 is the top, 0 the bottom of a group); ties as they come."""
    ranks = np.empty(len(told))
    for group in set(groups):
        mine = np.flatnonzero(np.array(groups) == group)
        order = mine[np.argsort(np.array(told)[mine], kind="stable")]
        ranks[order] = (np.arange(len(mine)) + 0.5) / len(mine)
    return sorted(np.argsort(-ranks, kind="stable")[: len(told) // 2].tolist())


def _reason(blocks: dict[str, _Block], world: str) -> str:
    """Why nothing can be said, or ""."""
    if len(blocks) < BLOCKS:
        return f"blocks that were finished: {len(blocks)}; fewer than {BLOCKS} do not tell how blocks differ"
    if not any(block.data.read for block in blocks.values()):
        return f"the world {world} can read no prompt of the arms"
    return ""


def _weighed(blocks: Sequence[_Block], writing: Writing) -> dict[str, Any]:
    """Points, slope and selection."""
    at, logs = {}, {}
    for what, read in _COUNTS.items():
        at[what], logs[what] = _diversities([block.written for block in blocks], read, writing.least)
    quality = np.array([[pile.quality for pile in block.written] for block in blocks])
    valid = np.array([[pile.valid for pile in block.written] for block in blocks])
    points = []
    for place, temperature in enumerate(writing.temperatures):
        point: dict[str, Any] = {"temperature": temperature}
        point |= _named("valid", _share(valid[:, place])) | _named("quality", _share(quality[:, place]))
        for what in _COUNTS:
            point |= _named(what, _ratio(logs[what][:, place]))
        short = math.isnan(logs["diversity"][0, place])
        point["undefined"] = f"in a block fewer than {writing.least} prompts are tasks of the world" if short else None
        points.append(point)
    data: dict[str, Any] = {"quality": float(np.mean([block.data.quality for block in blocks]))}
    for what, read in _COUNTS.items():
        known = at[what] and all(read(block.data).total() >= at[what] for block in blocks)
        mean = np.mean([math.log(effective(read(block.data), at[what])) for block in blocks]) if known else None
        data[what] = None if mean is None else float(np.exp(mean))
    return {
        "at": {what: n or None for what, n in at.items()},
        "data": data,
        "points": points,
        "slope": _slope(quality, logs["diversity"]),
        "selection": _selection(blocks, writing, 0),
        "selection_any_length": _selection(blocks, writing, 1),
    }


_COUNTS: dict[str, Callable[[Pile], Counter[str]]] = {
    "diversity": lambda pile: pile.read,
    "diversity_right": lambda pile: pile.right,
}
"""Diversity of the prompts that are tasks, and of those whose answer is right alone."""


def _diversities(
    piles: Sequence[Sequence[Pile]], read: Callable[[Pile], Counter[str]], least: int
) -> tuple[int, Array]:
    """The number of records that every column of piles has, and log diversity at that number, NaN in short columns."""
    sizes = np.array([[read(pile).total() for pile in row] for row in piles])
    enough = sizes.min(axis=0) >= least
    n = int(sizes[:, enough].min()) if enough.any() else 0
    logs = [
        [math.log(effective(read(pile), n)) if ok else math.nan for pile, ok in zip(row, enough, strict=True)]
        for row in piles
    ]
    return n, np.array(logs)


def _slope(quality: Array, logs: Array) -> dict[str, Any]:
    """Quality regressed on log2 diversity over the temperatures of each block, (blocks, temperatures) each."""
    unit = {"unit": "quality per doubling of diversity", "level": LEVEL}
    there = ~np.isnan(logs).any(axis=0)
    if there.sum() < TEMPERATURES:
        reason = f"temperatures with a diversity: {there.sum()}; a slope takes {TEMPERATURES}"
        return {"estimate": None, "lo": None, "hi": None, "verdict": UNKNOWN, "undefined": reason} | unit
    x = logs[:, there] / math.log(2)
    x = x - x.mean(axis=1, keepdims=True)
    spread = (x**2).sum(axis=1)
    if not spread.min() > 0:
        reason = "in a block every temperature has the same diversity"
        return {"estimate": None, "lo": None, "hi": None, "verdict": UNKNOWN, "undefined": reason} | unit
    estimate, lo, hi = _interval((x * quality[:, there]).sum(axis=1) / spread)
    verdict = UNKNOWN if lo is None or hi is None else TRADE if hi < 0 else TOGETHER if lo > 0 else UNKNOWN
    return {"estimate": estimate, "lo": lo, "hi": hi, "verdict": verdict, "undefined": None} | unit


AMONG = "records with equally many words", "all records"
"""What is likelier than what."""


def _selection(blocks: Sequence[_Block], writing: Writing, among: int) -> dict[str, Any]:
    """The likelier half less a random half: quality as a difference, diversity as a ratio."""
    place = writing.temperatures.index(writing.selected_at)
    pools, likely = [block.written[place] for block in blocks], [block.likely[among] for block in blocks]
    change = _interval(np.array([b.quality - a.quality for a, b in zip(pools, likely, strict=True)]))
    found: dict[str, Any] = {"temperature": writing.selected_at, "among": AMONG[among], "share": 0.5, "level": LEVEL}
    found["quality"] = dict(zip(("estimate", "lo", "hi"), change, strict=True))
    n = min(pile.read.total() for pile in [*pools, *likely])
    if n < writing.least:
        reason = f"in a block fewer than {writing.least} prompts of a half are tasks of the world"
        return found | {"diversity": None, "verdict": UNKNOWN, "undefined": reason}
    logs = [math.log(effective(b.read, n) / effective(a.read, n)) for a, b in zip(pools, likely, strict=True)]
    ratio = _ratio(np.array(logs))
    found["diversity"] = dict(zip(("estimate", "lo", "hi"), ratio, strict=True))
    signs = {_sign(change, 0.0), _sign(ratio, 1.0)}
    verdict = UNKNOWN if 0 in signs else TRADE if len(signs) == 2 else TOGETHER
    return found | {"verdict": verdict, "undefined": None}


Interval = tuple[float | None, float | None, float | None]
"""A mean over blocks and the ends of its interval, None where there is none."""


def _interval(values: Array) -> Interval:
    """The mean over blocks with its t interval; no ends where all blocks are alike."""
    from scipy.special import stdtrit  # noqa: PLC0415 - scipy is slow to import

    mean, n = float(values.mean()), len(values)
    if math.isnan(mean):
        return None, None, None
    reach = float(stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / math.sqrt(n))
    return (mean, mean - reach, mean + reach) if reach > 1e-12 * max(1.0, abs(mean)) else (mean, None, None)


def _share(values: Array) -> Interval:
    """As `_interval`; ends within 0 to 1."""
    mean, lo, hi = _interval(values)
    return mean, None if lo is None else max(0.0, lo), None if hi is None else min(1.0, hi)


def _ratio(logs: Array) -> Interval:
    """As `_interval`, of logs, back on the scale of what they are logs of."""
    mean, lo, hi = (None if end is None else math.exp(end) for end in _interval(logs))
    return mean, lo, hi


def _named(name: str, found: Interval) -> dict[str, float | None]:
    return dict(zip((name, f"{name}_lo", f"{name}_hi"), found, strict=True))


def _sign(found: Interval, nothing: float) -> int:
    """Which side of `nothing` the interval lies on; 0 where it holds it or there is none."""
    _, lo, hi = found
    return 0 if lo is None or hi is None or lo <= nothing <= hi else 1 if lo > nothing else -1


def _text(trainer: str, writing: Writing) -> str:
    shown = ", ".join(f"{each:g}" for each in writing.temperatures)
    return (
        f"In each block {trainer} learnt the records of the centre arm, prompts included, and wrote {writing.records:,} "
        f"whole records from nothing at each of the temperatures {shown}. Quality is the share of all records whose "
        "prompt is a task of the world and whose answer is right; diversity the effective number of skills among the "
        "prompts that are tasks, at equal numbers of records."
    )
