"""The measures of both sets in a view, and their differences.

What is read of one set's records does not depend on the set that it is compared with, so with a `Memory` it is read once,
however many pairs and views ask for the same records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from triptych.comparing.difference import Difference, difference
from triptych.comparing.sides import Ints, Side
from triptych.comparing.view import Draw, View
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask, everything
from triptych.core.interval import Changes, Dealt, changes, t_quantile, wilson
from triptych.core.measure import Measure
from triptych.core.statistic import Statistic
from triptych.engines.fold import Selected, fold
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.profiling.bench import Bench

Ends: TypeAlias = tuple[float, float]
Key: TypeAlias = tuple[int, bytes]
T = TypeVar("T")
Look: TypeAlias = Callable[[Measure, Statistic, Dealt | None], T]
"""How a measure is read from its statistic, given what the records were dealt to the groups as."""


@dataclass(frozen=True)
class Compared:
    """One measure in one view: its difference, or why there is none; `ends` of both values' own 95 % intervals."""

    measure: Measure
    n: tuple[int, int]
    difference: Difference | None
    undefined: str | None
    ends: tuple[Ends, Ends] = ((0.0, 0.0), (0.0, 0.0))


@dataclass(frozen=True)
class _Known:
    """What is known of a measure on some records of a set: how many they are, and what each group contributes."""

    n: int
    changes: Changes | Undefined

    @property
    def whole(self) -> float | None:
        """The value on all of them."""
        return self.changes.whole if isinstance(self.changes, Changes) else None


@dataclass
class Memory:
    """What was read of sets in earlier views, by set, records and measure."""

    sides: dict[int, Side] = field(default_factory=dict)
    known: dict[tuple[int, bytes, str], _Known] = field(default_factory=dict)
    values: dict[tuple[int, bytes, str], float | Undefined] = field(default_factory=dict)

    def key(self, side: Side, rows: Ints) -> Key:
        """Of a set (which is held, so that its number stays its own) and some of its records."""
        self.sides[id(side)] = side
        return id(side), hashlib.blake2b(rows.tobytes(), digest_size=16).digest()


def compare_view(
    sides: tuple[Side, Side], view: View, measures: Sequence[Measure], bench: Bench, memory: Memory | None = None
) -> list[Compared]:
    """Every measure's difference in a view.

    The first draw is read under all masks, the others as a whole: their spread is the error that drawing adds.

    Args:
        sides: first and second set, under their joint grouping.
        view: which of their records.
        measures: in the order of the result; both sides must have their columns.
        bench: what to work with.
        memory: of earlier views of these sets.
    """
    if view.undefined is not None:
        return [Compared(measure, (0, 0), None, view.undefined) for measure in measures]
    memory = Memory() if memory is None else memory
    first, *others = view.draws
    _fill(_jobs(sides, [first], measures, memory, memory.known), _under_masks, bench, memory.known)
    memory.values |= {place: one.whole for place, one in memory.known.items() if one.whole is not None}
    _fill(_jobs(sides, others, measures, memory, memory.values), _as_a_whole, bench, memory.values)
    (a, b), *more = [tuple(memory.key(side, rows) for side, rows in _of(sides, draw)) for draw in view.draws]
    out = []
    for measure in measures:
        name = measure.spec.hash
        draws = [(memory.values[*x, name], memory.values[*y, name]) for x, y in more]
        out.append(_compared(measure, (memory.known[*a, name], memory.known[*b, name]), draws, paired=view.paired))
    return out


def read_alone(
    sets: Sequence[tuple[Side, Ints]], measures: Sequence[Measure], bench: Bench
) -> list[list[tuple[int, Changes | Undefined]]]:
    """Every measure on some records of each set: how many they are, and what each group contributes to the value.

    Args:
        sets: sides and the records of them that are read, ordinals, ascending.
        measures: in the order of the result; all sides must have their columns.
        bench: what to work with.
    """
    memory = Memory()
    keys = [memory.key(side, rows) for side, rows in sets]
    jobs = {key: _Job(key, *one, tuple(measures)) for key, one in zip(keys, sets, strict=True)}
    _fill(list(jobs.values()), _under_masks, bench, memory.known)
    found = [[memory.known[*key, measure.spec.hash] for measure in measures] for key in keys]
    return [[(one.n, one.changes) for one in row] for row in found]


def _of(sides: tuple[Side, Side], draw: Draw) -> tuple[tuple[Side, Ints], tuple[Side, Ints]]:
    return (sides[0], draw.a), (sides[1], draw.b)


@dataclass(frozen=True, eq=False)
class _Job:
    """Records of a set, and the measures that are not known on them."""

    key: Key
    side: Side
    rows: Ints
    measures: tuple[Measure, ...]


def _jobs(
    sides: tuple[Side, Side],
    draws: Sequence[Draw],
    measures: Sequence[Measure],
    memory: Memory,
    held: Mapping[tuple[int, bytes, str], object],
) -> list[_Job]:
    """What is still to be read of these draws, each set of records once."""
    jobs = {}
    for side, rows in (one for draw in draws for one in _of(sides, draw)):
        key = memory.key(side, rows)
        missing = tuple(measure for measure in measures if (*key, measure.spec.hash) not in held)
        if missing:
            jobs[key] = _Job(key, side, rows, missing)
    return list(jobs.values())


def _fill(jobs: Sequence[_Job], read: Look[T], bench: Bench, held: dict[tuple[int, bytes, str], T]) -> None:
    """Do all jobs: side by side where there are enough of them, else each with all workers."""
    workers = bench.engine.workers
    engine = LocalEngine(1) if len(jobs) >= workers else bench.engine
    with ThreadPoolExecutor(workers) as threads:
        for found in threads.map(lambda job: _done(job, read, engine), jobs):
            held |= found


def _done(job: _Job, read: Look[T], engine: LocalEngine) -> dict[tuple[int, bytes, str], T]:
    selected = Selected(job.side.store, job.side.keys, job.rows if len(job.rows) < len(job.side) else None)
    folded, dealt = _folded(job, selected, engine), selected.keys.dealt()
    by_statistic: dict[str, list[Measure]] = {}
    for measure in job.measures:
        by_statistic.setdefault(measure.statistic().spec.hash, []).append(measure)

    def one(name: str) -> dict[tuple[int, bytes, str], T]:
        # One statistic, one thread: what a reading caches belongs to its statistic.
        return {(*job.key, measure.spec.hash): read(measure, folded[name], dealt) for measure in by_statistic[name]}

    out: dict[tuple[int, bytes, str], T] = {}
    for found in engine.share(one, by_statistic):
        out |= found
    return out


def _folded(job: _Job, selected: Selected, engine: LocalEngine) -> dict[str, Statistic]:
    """The statistics of the job's measures; of the relations only those that they read."""
    statistics = [measure.statistic() for measure in job.measures]
    needs = {need for statistic in statistics for need in statistic.needs}
    relations = [relation for relation in job.side.work.relations if needs & set(relation.gives)]
    return fold(selected, statistics, relations, engine, Progress())


def _under_masks(measure: Measure, statistic: Statistic, dealt: Dealt | None) -> _Known:
    return _Known(statistic.records(everything()), _changes(measure, statistic, dealt))


def _as_a_whole(measure: Measure, statistic: Statistic, dealt: Dealt | None) -> float | Undefined:  # noqa: ARG001 - a Look
    return measure.value(statistic, everything())


def _compared(
    measure: Measure,
    known: tuple[_Known, _Known],
    draws: Sequence[tuple[float | Undefined, float | Undefined]],
    *,
    paired: bool,
) -> Compared:
    n = known[0].n, known[1].n
    a, b = known[0].changes, known[1].changes
    reasons = [
        f"{which} set: {one.reason}"
        for which, one in zip(("first", "second"), (a, b), strict=True)
        if isinstance(one, Undefined)
    ]
    others = [(float(x), float(y)) for x, y in draws if not isinstance(x, Undefined) and not isinstance(y, Undefined)]
    if len(others) < len(draws):
        reasons.append(f"without a value in {len(draws) - len(others)} of {len(draws) + 1} draws")
    if reasons or isinstance(a, Undefined) or isinstance(b, Undefined):
        return Compared(measure, n, None, "; ".join(reasons))
    several = [(a.whole, b.whole), *others] if others else ()
    found = difference(a, b, paired=paired, draws=several)
    bounds = measure.about.bounds
    return Compared(measure, n, found, None, (_ends(a, found.a, bounds), _ends(b, found.b, bounds)))


def _ends(known: Changes, value: float, bounds: Ends) -> Ends:
    """Ends of the interval of one value, moved to the mean over draws."""
    t = t_quantile(known.degrees)
    lo, hi = known.whole - t * known.se, known.whole + t * known.se
    if known.kind not in {"plain", "growing"}:
        share = min(known.whole / known.scale, 1.0)
        lo, hi = (end * known.scale for end in wilson(share, known.se / known.scale, known.n, t))
    moved = value - known.whole
    return max(lo + moved, bounds[0]), min(hi + moved, bounds[1])


def _changes(measure: Measure, statistic: Statistic, dealt: Dealt | None) -> Changes | Undefined:
    known: dict[bytes, float | Undefined] = {}

    def value(keep: Mask) -> float | Undefined:
        key = keep.tobytes()
        if key not in known:
            known[key] = measure.value(statistic, keep)
        return known[key]

    return changes(value, statistic.records, measure.interval_kind(statistic), dealt)
