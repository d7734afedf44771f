"""Comparisons of a set with its baseline: with its records, or with the numbers of a `profile.json` alone.

Of a profile alone, only values at its own number of records and at halves, quarters .. of it are known (the size curve),
with their errors. The set is then read at the largest of these that it reaches, in several draws, and nothing is paired.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triptych.comparing.difference import Difference, difference
from triptych.comparing.reading import Compared
from triptych.comparing.sides import Ints, Side
from triptych.core.estimate import Estimate, Undefined
from triptych.core.groups import GROUPS, everything, mix
from triptych.core.interval import Changes, Dealt, changes
from triptych.core.measure import Measure
from triptych.core.profile import Profile
from triptych.core.rng import stream
from triptych.core.statistic import Statistic
from triptych.engines.fold import Selected, fold
from triptych.engines.progress import Progress
from triptych.profiling.bench import Bench

DRAWS = 8


@dataclass(frozen=True)
class Size:
    """How many records the set is read at, and the part of the baseline that this is: 1, 1/2, 1/4 .."""

    records: int
    part: float


def common_size(records: int, baseline: int) -> Size | None:
    """The largest point of the baseline's size curve that the set reaches; None: it has too few records for any."""
    for halvings in range(6):
        wanted = round(baseline / 2**halvings)
        if 0 < wanted <= records:
            return Size(wanted, 1 / 2**halvings)
    return None


def estimate_of(profile: Profile, measure: Measure) -> Estimate | None:
    """The estimate of a measure in a profile."""
    return next((found for found in profile if found.spec.hash == measure.spec.hash), None)


def against_profile(side: Side, profile: Profile, measures: Sequence[Measure], bench: Bench) -> list[Compared]:
    """Differences of a set and a profile, set first, unpaired.

    Args:
        side: the set.
        profile: of the baseline; it has an estimate of every measure.
        measures: in the order of the result.
        bench: what to work with.
    """
    size = common_size(len(side), int(profile.dataset["measured"]))
    if size is None:
        reason = f"{len(side):,} records, fewer than a 32nd of the baseline"
        return [Compared(measure, (len(side), 0), None, reason) for measure in measures]
    draws = _draws(side, size.records)
    folded = [folded_rows(side, rows, measures, bench) for rows in draws]
    dealt = Selected(side.store, side.keys, draws[0]).keys.dealt()
    out = []
    for measure in measures:
        mine = [one[measure.statistic().spec.hash] for one in folded]
        out.append(_compared(measure, mine, dealt, profile, size))
    return out


def against_itself(measures: Sequence[Measure], folded: Mapping[str, Statistic]) -> list[Compared]:
    """Differences of a set from the very same records: none, without an error."""
    out = []
    for measure in measures:
        statistic = folded[measure.statistic().spec.hash]
        value, n = measure.value(statistic, everything()), statistic.records(everything())
        if isinstance(value, Undefined):
            out.append(Compared(measure, (n, n), None, value.reason))
        else:
            nothing = Difference(float(value), float(value), 0.0, 0.0, 0.0, 0.0, GROUPS - 1, 1.0, (0.0, 0.0))
            out.append(Compared(measure, (n, n), nothing, None))
    return out


def folded_rows(side: Side, rows: Ints | None, measures: Sequence[Measure], bench: Bench) -> dict[str, Statistic]:
    """The statistics of some records of a side (None: all), by hash of their spec."""
    selected = Selected(side.store, side.keys, rows if rows is None or len(rows) < len(side) else None)
    statistics = [measure.statistic() for measure in measures]
    return fold(selected, statistics, side.work.relations, bench.engine, Progress())


def _draws(side: Side, records: int) -> list[Ints]:
    """So many records, clusters whole as far as the count allows, drawn several times where that leaves some out."""
    if records == len(side):
        return [np.arange(records)]
    out = []
    for at in range(DRAWS):
        salt = np.uint64(stream("gate", "draw", at).integers(2**63))
        own = mix(side.keys.address ^ salt)
        cluster = np.where(side.keys.cluster == 0, own, mix(side.keys.cluster ^ salt))
        out.append(np.sort(np.lexsort((own, cluster))[:records]))
    return out


def _compared(
    measure: Measure, statistics: Sequence[Statistic], dealt: Dealt | None, profile: Profile, size: Size
) -> Compared:
    first = statistics[0]
    mine = changes_of(measure, first, dealt)
    n = first.records(everything())
    values = [measure.value(statistic, everything()) for statistic in statistics]
    if isinstance(mine, Undefined):
        return Compared(measure, (n, 0), None, f"the set: {mine.reason}")
    reason = next((value.reason for value in values if isinstance(value, Undefined)), None)
    if reason is not None:
        return Compared(measure, (n, 0), None, f"the set, in one of the draws: {reason}")
    estimate = estimate_of(profile, measure)
    found = _point(estimate, size, mine) if estimate is not None else "not in the profile"
    if isinstance(found, str):
        return Compared(measure, (n, 0), None, f"the baseline: {found}")
    draws = [(float(value), found.whole) for value in values if not isinstance(value, Undefined)]
    several = draws if len(draws) > 1 else ()
    return Compared(measure, (n, found.n), difference(mine, found, paired=False, draws=several), None)


def changes_of(measure: Measure, statistic: Statistic, dealt: Dealt | None) -> Changes | Undefined:
    """What the groups contribute to the error of a measure; `dealt` as `Keys.dealt` of the folded records tells."""
    kind = measure.interval_kind(statistic)
    return changes(lambda keep: measure.value(statistic, keep), statistic.records, kind, dealt)


def _point(estimate: Estimate, size: Size, like: Changes) -> Changes | str:
    """The baseline's value at this size as if 32 groups had contributed its error, or why there is none."""
    if estimate.value is None:
        return str(estimate.undefined)
    wanted = estimate.n * size.part
    near = [point for point in estimate.curve if abs(point.n - wanted) <= 1]
    if not near:
        return f"its profile has no value at {wanted:,.0f} records"
    point = near[-1]
    error = estimate.interval.se if size.part == 1 else point.se
    if error is None:
        return f"its profile has no error at {point.n:,} records"
    scale = float(point.n) if like.kind == "effective" else 1.0
    each = np.where(np.arange(GROUPS) % 2, 1.0, -1.0) * (error / scale) * math.sqrt(GROUPS - 1) / GROUPS
    return Changes(point.value, point.n, like.kind, each, GROUPS - 1, 0.0, scale)
