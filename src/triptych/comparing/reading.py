"""The measures of both sets in a view, and their differences."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from triptych.comparing.difference import Difference, difference
from triptych.comparing.sides import Ints, Side
from triptych.comparing.view import View
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask, everything
from triptych.core.interval import Changes, changes
from triptych.core.measure import Measure
from triptych.core.statistic import Statistic
from triptych.engines.fold import Selected, fold
from triptych.engines.progress import Progress
from triptych.profiling.bench import Bench


@dataclass(frozen=True)
class Compared:
    """One measure in one view: its difference, or why there is none."""

    measure: Measure
    n: tuple[int, int]
    difference: Difference | None
    undefined: str | None


def compare_view(sides: tuple[Side, Side], view: View, measures: Sequence[Measure], bench: Bench) -> list[Compared]:
    """Every measure's difference in a view.

    The first draw is read under all masks, the others as a whole: their spread is the error that drawing adds.

    Args:
        sides: first and second set, under their joint grouping.
        view: which of their records.
        measures: in the order of the result; both sides must have their columns.
        bench: what to work with.
    """
    if view.undefined is not None:
        return [Compared(measure, (0, 0), None, view.undefined) for measure in measures]
    first, *others = view.draws
    folded = [_folded(side, rows, measures, bench) for side, rows in zip(sides, (first.a, first.b), strict=True)]
    more = []
    for draw in others:
        pair = [_folded(side, rows, measures, bench) for side, rows in zip(sides, (draw.a, draw.b), strict=True)]
        more.append(tuple(_values(measures, statistics) for statistics in pair))
    by_statistic: dict[str, list[int]] = {}
    for place, measure in enumerate(measures):
        by_statistic.setdefault(measure.statistic().spec.hash, []).append(place)
    out: dict[int, Compared] = {}

    def one(key: str) -> dict[int, Compared]:
        # One statistic, one thread: what a reading caches belongs to its statistic.
        found = {}
        for place in by_statistic[key]:
            draws = [(a[place], b[place]) for a, b in more]
            found[place] = _compared(measures[place], (folded[0][key], folded[1][key]), draws, paired=view.paired)
        return found

    with ThreadPoolExecutor(bench.engine.workers) as threads:
        for found in threads.map(one, by_statistic):
            out |= found
    return [out[place] for place in range(len(measures))]


def _folded(side: Side, rows: Ints, measures: Sequence[Measure], bench: Bench) -> dict[str, Statistic]:
    selected = Selected(side.store, side.keys, rows if len(rows) < len(side) else None)
    statistics = [measure.statistic() for measure in measures]
    return fold(selected, statistics, side.work.relations, bench.engine, Progress())


def _values(measures: Sequence[Measure], folded: dict[str, Statistic]) -> list[float | Undefined]:
    return [measure.value(folded[measure.statistic().spec.hash], everything()) for measure in measures]


def _compared(
    measure: Measure,
    statistics: tuple[Statistic, Statistic],
    draws: Sequence[tuple[float | Undefined, float | Undefined]],
    *,
    paired: bool,
) -> Compared:
    n = statistics[0].records(everything()), statistics[1].records(everything())
    sides = [_changes(measure, statistic) for statistic in statistics]
    reasons = [
        f"{which} set: {one.reason}"
        for which, one in zip(("first", "second"), sides, strict=True)
        if isinstance(one, Undefined)
    ]
    known = [(float(a), float(b)) for a, b in draws if not isinstance(a, Undefined) and not isinstance(b, Undefined)]
    if len(known) < len(draws):
        reasons.append(f"without a value in {len(draws) - len(known)} of {len(draws) + 1} draws")
    a, b = sides
    if reasons or isinstance(a, Undefined) or isinstance(b, Undefined):
        return Compared(measure, n, None, "; ".join(reasons))
    several = [(a.whole, b.whole), *known] if known else ()
    return Compared(measure, n, difference(a, b, paired=paired, draws=several), None)


def _changes(measure: Measure, statistic: Statistic) -> Changes | Undefined:
    known: dict[bytes, float | Undefined] = {}

    def value(keep: Mask) -> float | Undefined:
        key = keep.tobytes()
        if key not in known:
            known[key] = measure.value(statistic, keep)
        return known[key]

    return changes(value, statistic.records, measure.interval_kind(statistic))
