"""The prediction-powered mean: its slow definition, what it gains where the prediction is good, and its honesty where it is not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch
from triptych.core.groups import everything, without
from triptych.core.interval import interval
from triptych.core.rng import stream
from triptych.statistics.powered import HELD, LEAST, RIDGE, PoweredMean
from triptych.testing.statistics import check_statistic

COLUMN, WIDTH = "judge.quality", 24


class World:
    """Records whose grade goes with their vector; a sample of them is graded."""

    def __init__(self, *labels, records=4000, sampled=300, signal=0.5):
        self.draw = stream("powered test", *labels)
        self.records, self.sampled = records, sampled
        slope = stream("powered slope").normal(size=WIDTH)
        vectors = self.draw.normal(size=(records, WIDTH)).astype(np.float32)
        self.vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        told = self.vectors @ slope * np.sqrt(WIDTH) / np.linalg.norm(slope)
        self.grades = 3 + np.sqrt(signal) * told + np.sqrt(1 - signal) * self.draw.normal(size=records)
        self.length = self.draw.integers(5, 200, records)
        self.graded = np.zeros(records, dtype=bool)
        self.graded[self.draw.choice(records, sampled, replace=False)] = True
        self.group = self.draw.integers(0, 32, records).astype(np.uint8)

    def batch(self, rows=slice(None)):
        column = pa.array(np.where(self.graded, self.grades, np.nan)[rows], from_pandas=True)
        flat = pa.FixedSizeListArray.from_arrays(pa.array(self.vectors[rows].reshape(-1)), WIDTH)
        columns = {COLUMN: column, "embedding@response": flat, "length@response": pa.array(self.length[rows])}
        return Batch(columns, self.group[rows], np.arange(self.records, dtype=np.uint64)[rows])

    def slow(self, keep):
        """Ridge regression on the sample, spelled out."""
        held = keep[self.group]
        x = np.column_stack([self.vectors.astype(float), np.log1p(self.length) / 12])
        mine, y = x[held & self.graded], self.grades[held & self.graded]
        centred = mine - mine.mean(axis=0)
        slope = np.linalg.solve(
            centred.T @ centred / len(y) + RIDGE * np.eye(x.shape[1]), centred.T @ (y - y.mean()) / len(y)
        )
        return y.mean() + slope @ (x[held].mean(axis=0) - mine.mean(axis=0))


def folded(world, *batches):
    statistic = PoweredMean(COLUMN)
    for batch in batches or (world.batch(),):
        statistic.update(batch)
    return statistic


def test_as_the_slow_definition_on_every_mask():
    world = World("slow")
    statistic = folded(world)
    for keep in (everything(), without(3), without(31)):
        assert statistic.mean(keep) == pytest.approx(world.slow(keep), abs=1e-9)
    assert statistic.records(everything()) == 300


def test_batches_merging_and_saving_change_nothing():
    world = World("batches")
    whole = folded(world)
    parts = [world.batch(slice(start, start + 777)) for start in range(0, world.records, 777)]
    first, second = folded(world, *parts[:3]), folded(world, *parts[3:])
    first.merge(second)
    first.merge(PoweredMean(COLUMN))
    again = PoweredMean(COLUMN)
    again.merge(first)
    loaded = PoweredMean(COLUMN)
    loaded.load(again.state())
    assert loaded.mean(without(5)) == pytest.approx(whole.mean(without(5)), abs=1e-10)


def test_the_slope_is_fitted_on_a_bounded_number_of_records():
    world = World("bounded", records=9000, sampled=5000)
    statistic = folded(world)
    held = statistic.state()
    assert len(held["rows"]) == HELD == np.bincount(held["group"], minlength=32).sum()
    own = np.isin(np.arange(world.records), held["address"])
    assert statistic.records(everything()) == 5000
    x = np.column_stack([world.vectors.astype(float), np.log1p(world.length) / 12])
    mine, y = x[own] - x[own].mean(axis=0), world.grades[own] - world.grades[own].mean()
    slope = np.linalg.solve(mine.T @ mine / HELD + RIDGE * np.eye(x.shape[1]), mine.T @ y / HELD)
    slow = world.grades[world.graded].mean() + slope @ (x.mean(axis=0) - x[world.graded].mean(axis=0))
    assert statistic.mean(everything()) == pytest.approx(slow, abs=1e-9)


def test_the_laws_of_a_statistic():
    check_statistic(PoweredMean("judge.quality"))
    check_statistic(PoweredMean("reward.score", where="valid"))


def test_the_plain_mean_where_all_are_graded_or_few():
    for sampled in (4000, LEAST - 1):
        world = World("plain", sampled=sampled)
        assert folded(world).mean(everything()) == pytest.approx(world.grades[world.graded].mean(), abs=1e-12)


@pytest.mark.parametrize(("signal", "gain"), [(0.6, 0.85), (0.0, 1.08)])
def test_steadier_where_the_prediction_is_good_and_hardly_worse_where_it_is_none(signal, gain):
    """The grades have the mean 3 by construction, up to the finite population, which is drawn anew each time."""
    powered, plain, held, errors = [], [], 0, []
    for repetition in range(80):
        world = World("coverage", str(signal), repetition, signal=signal)
        statistic = folded(world)
        found = interval(statistic.mean, statistic.records, "plain", (-np.inf, np.inf))
        held += found.lo <= 3 <= found.hi
        errors.append(found.se)
        powered.append(statistic.mean(everything()))
        plain.append(world.grades[world.graded].mean())
    assert held >= 70  # of 80; at .95 fewer than 70 come once in 400 runs
    assert np.std(powered) < gain * np.std(plain)
    assert abs(np.mean(powered) - 3) < 3.5 * np.std(powered) / np.sqrt(80)
    assert 0.8 < np.mean(errors) / np.std(powered) < 1.25


def test_it_stays_among_the_values():
    world = World("range")
    world.grades = np.where(world.grades > 3, 6.0, 6.0)
    assert folded(world).mean(everything()) == 6
