"""A data set whose features are there, and the estimates of its measures."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from triptych.annotating.run import Annotation
from triptych.core.estimate import Estimate
from triptych.core.groups import everything
from triptych.core.helped import Helped, mean_over
from triptych.core.interval import Dealt
from triptych.core.measure import Measure
from triptych.core.reading import Instead, read
from triptych.core.statistic import Statistic
from triptych.engines.catalog import Instruments, Work, work_for
from triptych.engines.fold import Selected, fold
from triptych.engines.grouping import Grouping
from triptych.engines.store import FeatureStore
from triptych.features.embedding import ColumnVectors, Embedding
from triptych.profiling.annotations import asked_words, conditions
from triptych.profiling.bench import Bench
from triptych.profiling.panel import Panel
from triptych.profiling.reference import PREFIX
from triptych.statistics.calibrated import Calibrated
from triptych.statistics.powered import LEAST, PoweredMean


@dataclass(frozen=True)
class Prepared:
    """A data set whose features are there, and what is to be read on it."""

    panel: Panel
    instruments: Instruments
    annotations: tuple[Annotation, ...]
    work: Work
    store: FeatureStore
    grouping: Grouping
    selected: Selected


def folded(ready: Prepared, bench: Bench) -> dict[str, Statistic]:
    """The statistics of all measures over the selected records, by hash of their spec."""
    statistics = [measure.statistic() for measure in ready.panel.measures]
    return fold(ready.selected, statistics, ready.work.relations, bench.engine, bench.progress)


@dataclass(frozen=True)
class Blocks:
    """Random samples of as many records, disjoint, under a cheap encoder; the first one is the sample of the dear encoder.

    Attributes:
        statistics: of each block, by hash of their spec.
        dear: whether the dear encoder is read, helped by the blocks (`triptych.core.helped`); else the cheap one itself is, as
            the mean over all blocks.
        told: what was asked and what helps, in a few words.
    """

    statistics: tuple[Mapping[str, Statistic], ...]
    dear: bool
    told: str


@dataclass(frozen=True)
class _Reading:
    """Measures that read one statistic; `dealt`: what its records were dealt to the groups as."""

    statistic: Statistic
    dealt: Dealt | None
    measures: tuple[Measure, ...]
    headlines: frozenset[str]
    frozen: str | None
    asked: str
    blocks: Blocks | None


def read_all(
    ready: Prepared, found: Mapping[str, Statistic], bench: Bench, blocks: Blocks | None = None
) -> tuple[Estimate, ...]:
    """The estimates of the panel's measures, in its order.

    Args:
        ready: what is read.
        found: the statistics by hash of their spec.
        bench: whose threads read them, and who is told.
        blocks: of a sample, what helps it; None: the records are no sample.
    """
    readings, panel, dealt = [], ready.panel, ready.selected.keys.dealt()
    for key, statistic in found.items():
        mine = tuple(measure for measure in panel.measures if measure.statistic().spec.hash == key)
        frozen = [f"encoder {ready.instruments.encoder_identity}"] if is_embedded(statistic, ready.instruments) else []
        frozen += conditions(statistic.needs, ready.annotations)
        frozen += [
            f"reference {each.identity}"
            for each in ready.instruments.references
            if any(need.startswith(PREFIX) and need.endswith(f"@{each.on}") for need in statistic.needs)
        ]
        asked = asked_words(statistic, ready.annotations)
        readings.append(_Reading(statistic, dealt, mine, panel.headlines, "; ".join(frozen) or None, asked, blocks))
    estimates: dict[str, Estimate] = {}
    # One statistic, one thread: what a reading caches belongs to its statistic. Decompositions and compression run
    # outside the interpreter's lock.
    shown = bench.progress.stage("intervals and size curves", unit="measures", total=len(panel.measures))
    with shown as stage, ThreadPoolExecutor(bench.engine.workers) as threads:
        for those in threads.map(_read, readings):
            estimates |= {estimate.spec.hash: estimate for estimate in those}
            stage.advance(len(those))
    return tuple(estimates[measure.spec.hash] for measure in panel.measures)


def is_embedded(statistic: Statistic, instruments: Instruments) -> bool:
    """Whether anything that a statistic rests on reads vectors: it hangs on the encoder.

    A powered mean does not: whatever predicts it makes it steadier, and leaves what it estimates as it is.
    """
    if isinstance(statistic, (PoweredMean, Calibrated)):
        return False
    others = tuple(each for each in instruments.annotations if not each.gives[0].startswith("embedding@"))
    features = work_for(statistic.needs, replace(instruments, annotations=others)).features
    return any(isinstance(feature, (Embedding, ColumnVectors)) for feature in features)


def _read(reading: _Reading) -> list[Estimate]:
    found = []
    for one in reading.measures:
        instead, helped = _helped(one, reading)
        estimate = read(
            one,
            reading.statistic,
            dealt=reading.dealt,
            headline=one.spec.hash in reading.headlines,
            conditional_on=reading.frozen,
            instead=instead,
        )
        told = "; ".join(filter(None, (reading.asked, reading.blocks.told if reading.blocks else "", helped)))
        if reading.blocks:
            estimate = replace(estimate, exact=False, bound=f"at {estimate.n:,} records: {told}")
        found.append(replace(estimate, about=estimate.about | ({"asked": told} if told else {})))
    return found


def _helped(measure: Measure, reading: _Reading) -> tuple[Instead | None, str]:
    """What is read instead of the measure's own value, and what is told of that."""
    blocks, statistic = reading.blocks, reading.statistic
    if blocks is None:
        return None, ""
    cheap, *others = (each[statistic.spec.hash] for each in blocks.statistics)
    if not blocks.dear:
        return Instead(mean_over(measure, (cheap, *others))), ""
    if not others or statistic.records(everything()) < LEAST:
        return None, ""
    found = Helped(measure, statistic, cheap, tuple(others))
    slope = found.slope(reading.dealt)
    return (None, "") if slope is None else (Instead(found.steadied(slope), fitted=1), f"weight {slope:.2f}")
