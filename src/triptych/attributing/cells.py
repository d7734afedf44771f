"""The runs at one budget: their records cut to equal number (and tokens), their groups joined, and the measures read.

Which records of a run stay is decided by a hash of their address (or of what binds them together), so a cut is a random
sample of the run, and the same one every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.reading import read_alone
from triptych.comparing.sides import Side, joined, prepare
from triptych.core.errors import UsageError, message
from triptych.core.estimate import Undefined
from triptych.core.groups import mix
from triptych.core.interval import Changes
from triptych.core.measure import AXES, Measure
from triptych.core.rng import stream
from triptych.data import Dataset
from triptych.profiling.bench import Bench
from triptych.profiling.panel import plan

RECORDS, TOKENS = "records", "tokens"
MATCHES = (RECORDS, TOKENS)
COMPANION = "length_correlation"

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """All runs, ready to be compared.

    Attributes:
        sides: of the runs, under their joint grouping.
        rows: records of each that are read, ascending.
        measures: in order; the first `headlines` of each axis are told by their hashes.
        headlines: hashes.
        joint: whether runs share prompts or groups, so that their groups are read together.
        read: for each run and measure what the groups contribute to its value, or why there is none.
    """

    sides: tuple[Side, ...]
    rows: tuple[Ints, ...]
    measures: tuple[Measure, ...]
    headlines: frozenset[str]
    joint: bool
    read: tuple[tuple[Changes | Undefined, ...], ...]

    def values(self, measure: int) -> list[Changes | Undefined]:
        """Of one measure, run by run."""
        return [row[measure] for row in self.read]


def read_cells(datasets: Sequence[Dataset], bench: Bench, match: str) -> Cells:
    """Prepare, cut and read all runs.

    Args:
        datasets: one for each run.
        bench: what to work with; without named measures the headlines are read.
        match: records, or tokens.

    Raises:
        InputError: the data or a request do not fit, or a run has too few records.
    """
    measures, headlines = shared_measures(datasets, bench)
    labels = tuple(measure.label for measure in measures)
    mine = replace(bench, settings=replace(bench.settings, measures=labels))
    with bench.progress.stage("reading runs", unit="runs", total=len(datasets)) as stage:
        sides = []
        for dataset in datasets:
            sides.append(prepare(dataset, mine))
            stage.advance(1)
    bound = joined(sides)
    joint = any(one is not two for one, two in zip(bound, sides, strict=True))
    rows = cut(bound, match, bench.settings.seed)
    known = {measure.spec.hash: measure for measure in sides[0].measures}
    fitted = tuple(known[measure.spec.hash] for measure in measures)
    found = read_alone(list(zip(bound, rows, strict=True)), fitted, mine)
    read = tuple(tuple(changes for _, changes in row) for row in found)
    return Cells(bound, rows, fitted, headlines, joint, read)


def shared_measures(datasets: Sequence[Dataset], bench: Bench) -> tuple[tuple[Measure, ...], frozenset[str]]:
    """The measures that are read, and which of them are headlines.

    Those that were asked for; without a wish the headline measures that all runs have, and on an axis without one the
    first measure of the panel that all have.

    Raises:
        UsageError: the runs have no measure in common.
    """
    panels = [plan(bench.settings, dataset.layout) for dataset in datasets]
    hashes = [{measure.spec.hash for measure in panel.measures} for panel in panels]
    common = [m for m in panels[0].measures if all(m.spec.hash in mine for mine in hashes)]
    common = [measure for measure in common if measure.about.name != COMPANION or bench.settings.measures]
    headlines = {m.spec.hash for m in common if all(m.spec.hash in panel.headlines for panel in panels)}
    for axis in AXES:
        own = [measure.spec.hash for measure in common if measure.about.axis == axis]
        if own and not headlines & set(own):
            headlines.add(own[0])
    measures = common if bench.settings.measures else [m for m in common if m.spec.hash in headlines]
    if not measures:
        got = "; ".join(f"{one.name}: {one.layout.sentence}" for one in datasets[:3])
        raise UsageError(message("the runs have no measure in common.", got=got, hint="--measures or --map"))
    return tuple(measures), frozenset(headlines)


def cut(sides: Sequence[Side], match: str, seed: int) -> tuple[Ints, ...]:
    """Records of each run: as many as the smallest has, or as many tokens.

    Raises:
        UsageError: no such way, or a run without records.
    """
    if match not in MATCHES:
        raise UsageError(message("--match is not right.", got=match, want=" or ".join(MATCHES)))
    salt = np.uint64(stream("attribute", "cut", seed).integers(2**63))
    orders = [_order(side, salt) for side in sides]
    if match == RECORDS:
        room = min(len(side) for side in sides)
        return tuple(np.sort(order[:room]) for order in orders)
    budget = min(int(side.tokens.sum()) for side in sides)
    return tuple(
        np.sort(order[np.cumsum(side.tokens[order]) <= budget]) for side, order in zip(sides, orders, strict=True)
    )


def _order(side: Side, salt: np.uint64) -> Ints:
    """All records in random order, those that are bound together one after the other."""
    own = mix(side.keys.address ^ salt)
    bound = np.where(side.keys.cluster == 0, own, mix(side.keys.cluster ^ salt))
    return np.lexsort((own, bound))
