"""Intervals hold what is true, and nothing is found where nothing is. A small version of `benchmarks/attribution.py`."""

from types import SimpleNamespace

import numpy as np
import pytest

from triptych.attributing.cells import Cells
from triptych.attributing.effects import LOWERS, RAISES, effects
from triptych.attributing.factors import components_of
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS
from triptych.core.interval import changes
from triptych.core.registry import parse
from triptych.core.rng import stream

POINTS = [{"method": m, "heat": t, "filters": f} for m in ("a", "b", "c") for t in "xy" for f in "no"]
SHIFT = {"a": 0.0, "b": -0.1, "c": 0.05, "x": 0.0, "y": -0.06, "n": 0.0, "o": 0.04}
TRIALS = 30


def drawn(rng, p, n=200):
    group, right = rng.integers(0, GROUPS, n), (rng.random(n) < p).astype(float)
    sums, sizes = np.bincount(group, right, GROUPS), np.bincount(group, minlength=GROUPS)

    def read(keep):
        kept = sizes[keep].sum()
        return float(sums[keep].sum() / kept) if kept else Undefined("no record")

    return changes(read, lambda keep: int(sizes[keep].sum()), "share")


def scored(size, spread, replicates, trial):
    rng = stream("attribution coverage", str(size), str(spread), replicates, trial)
    points = [point for point in POINTS for _ in range(replicates)]
    rates = [0.7 + size * sum(SHIFT[level] for level in point.values()) + spread * rng.normal() for point in points]
    found = [(drawn(rng, np.clip(rate, 0.05, 0.95)),) for rate in rates]
    sides = tuple(SimpleNamespace(name=str(at)) for at in range(len(found)))
    cells = Cells(sides, (), tuple(parse(["valid_share"])), frozenset(), joint=False, read=tuple(found))
    return effects(cells, components_of(points, [()] * len(points)), {})


@pytest.mark.parametrize(
    ("spread", "replicates", "within"), [(0.0, 1, (0.9, 1.0)), (0.06, 1, (0.3, 0.8)), (0.06, 2, (0.3, 0.8))]
)
def test_intervals_hold_the_truth(spread, replicates, within):
    inside, alone = [], []
    for trial in range(TRIALS):
        for row in scored(1.0, spread, replicates, trial).main:
            truth = SHIFT[row["level"]] - SHIFT[row["reference"]]
            inside.append(row["lo"] <= truth <= row["hi"])
            alone.append(row["within"]["lo"] <= truth <= row["within"]["hi"])
    assert np.mean(inside) >= 0.92
    # What the records alone leave uncertain is no error of a run that another run would not repeat.
    assert within[0] <= np.mean(alone) <= within[1]


@pytest.mark.parametrize(("spread", "replicates"), [(0.0, 1), (0.06, 1)])
def test_nothing_is_found_where_nothing_is(spread, replicates):
    found = [scored(0.0, spread, replicates, trial) for trial in range(TRIALS)]
    for rows in ([one.main for one in found], [one.pairs for one in found]):
        assert np.mean([any(row["verdict"] in (RAISES, LOWERS) for row in family) for family in rows]) <= 0.12
