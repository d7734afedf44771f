"""The calibrated mean: its slow definition, and what labels do for a judge that is off, good or blind."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch
from triptych.core.groups import everything, without
from triptych.core.interval import interval
from triptych.core.rng import stream
from triptych.statistics.calibrated import Calibrated
from triptych.statistics.powered import LEAST

COLUMN, WIDTH = "judge.complexity", 4
LEVEL = 2.5
"""The mean level of the population: levels 0 to 5, each as likely."""


class World:
    """Tasks of known level; a judge that squeezes levels into grades, and sees them as well as `sight` says."""

    def __init__(self, *labels, records=1200, labelled=150, graded=None, sight=0.8, chosen=False):
        draw = stream("calibrated test", *labels)
        self.level = draw.integers(0, 6, records).astype(float)
        seen = sight * (self.level - LEVEL) + np.sqrt(1 - sight**2) * draw.normal(0, np.sqrt(35 / 12), records)
        self.grade = np.clip(4.6 + 0.4 * seen, 1, 6)
        order = np.argsort(-self.level, kind="stable") if chosen else draw.permutation(records)
        self.labelled = np.zeros(records, dtype=bool)
        self.labelled[order[:labelled]] = True
        self.graded = np.zeros(records, dtype=bool)
        self.graded[draw.permutation(records)[: graded or records]] = True
        self.group = draw.integers(0, 32, records).astype(np.uint8)
        self.vectors = draw.normal(size=(records, WIDTH)).astype(np.float32)

    def batch(self, rows=slice(None)):
        def column(values, there):
            return pa.array(np.where(there, values, np.nan)[rows], from_pandas=True)

        flat = pa.FixedSizeListArray.from_arrays(pa.array(self.vectors[rows].reshape(-1)), WIDTH)
        length = pa.array(np.full(len(self.level), 20)[rows])
        columns = {
            COLUMN: column(self.grade, self.graded),
            "label.level": column(self.level, self.labelled),
            "embedding@response": flat,
            "length@response": length,
        }
        return Batch(columns, self.group[rows], np.arange(len(self.level), dtype=np.uint64)[rows])

    def folded(self):
        statistic = Calibrated(COLUMN, "level")
        for start in range(0, len(self.level), 500):
            statistic.update(self.batch(slice(start, start + 500)))
        return statistic

    def slow(self, keep):
        """A line fitted by numpy, read at the mean grade; with the labels of other records, both means by least squares."""
        held = keep[self.group]
        both = held & self.labelled & self.graded
        slope, intercept = np.polyfit(self.grade[both], self.level[both], 1)
        line = intercept + slope * self.grade[held & self.graded].mean()
        alone, only = held & self.labelled & ~self.graded, held & self.graded & ~self.labelled
        if not alone.any():
            return line
        spread = np.cov(self.grade[both], self.level[both])
        # What is measured, of (mean grade, mean level): both on the records that have both, one on those that have one.
        about = np.array([[1, 0], [0, 1], [1, 0], [0, 1]])
        means = [self.grade[both].mean(), self.level[both].mean(), self.grade[only].mean(), self.level[alone].mean()]
        errors = np.zeros((4, 4))
        errors[:2, :2] = spread / both.sum()
        errors[2, 2], errors[3, 3] = spread[0, 0] / only.sum(), spread[1, 1] / alone.sum()
        weights = np.linalg.inv(errors)
        return np.linalg.solve(about.T @ weights @ about, about.T @ weights @ means)[1]


def test_as_the_slow_definition_on_every_mask():
    world = World("slow")
    for keep in (everything(), without(3), without(30)):
        assert world.folded().mean(keep) == pytest.approx(world.slow(keep), abs=1e-9)
    assert world.folded().records(everything()) == 150


def test_labels_of_records_that_were_not_graded_count_by_their_precision():
    world = World("sample", graded=LEAST - 10, labelled=600)
    statistic = world.folded()
    assert statistic.mean(everything()) == pytest.approx(world.slow(everything()), abs=1e-9)
    assert statistic.both(everything()) == (world.graded & world.labelled).sum() < 60
    assert statistic.records(everything()) == 600
    assert statistic.alone(everything()) == (world.labelled & ~world.graded).sum() > 500
    labels = f"{statistic.both(everything())} labelled and {statistic.alone(everything())} labels without a value; "
    assert statistic.told(everything()).startswith(labels)
    assert not statistic.leans(everything())
    assert World("sample", graded=400).folded().leans(everything())


def test_what_is_told():
    slope, intercept = 1 / 0.5, -1.0
    world = World("told")
    world.level = intercept + slope * world.grade
    assert world.folded().told(everything()) == "150 labelled; label = -1 + 2 x value"
    assert "their values are unlike the others'" in World("told", chosen=True).folded().told(everything())
    world.grade = np.full(len(world.level), 4.0)
    assert world.folded().told(everything()) == "150 labelled; all of one value"
    assert world.folded().mean(everything()) == pytest.approx(world.level[world.labelled].mean())
    assert Calibrated(COLUMN, "level").told(everything()) == ""


def test_with_a_blind_or_constant_judge_it_is_the_mean_of_all_labels():
    world = World("blind", graded=300, labelled=400)
    world.grade = np.full(len(world.level), 4.0)
    assert world.folded().mean(everything()) == pytest.approx(world.level[world.labelled].mean())


@pytest.mark.parametrize("sight", [0.95, 0.5])
def test_few_grades_and_many_labels_are_surer_together_than_either(sight):
    held, joint, labels, lines = 0, [], [], []
    for repetition in range(100):
        world = World("apart", str(sight), repetition, sight=sight, graded=400, labelled=300)
        statistic = world.folded()
        found = interval(statistic.mean, statistic.records, "plain", (-np.inf, np.inf))
        held += found.lo <= LEVEL <= found.hi
        joint.append(statistic.mean(everything()))
        labels.append(world.level[world.labelled].mean())
        world.labelled &= world.graded
        lines.append(world.folded().mean(everything()))
    assert held >= 88
    assert abs(np.mean(joint) - LEVEL) < 3.5 * np.std(joint) / 10
    assert np.std(joint) < np.std(lines)
    assert np.std(joint) < (0.9 if sight > 0.9 else 1.03) * np.std(labels)


@pytest.mark.parametrize(("sight", "gain"), [(0.9, 0.65), (0.0, 1.1)])
def test_the_interval_holds_the_mean_level_and_a_judge_that_sees_makes_it_shorter(sight, gain):
    """The judge's own mean is about 4.6, whatever it sees: nothing of its scale or bias is left."""
    held, calibrated, labels, errors = 0, [], [], []
    for repetition in range(100):
        world = World("coverage", str(sight), repetition, sight=sight)
        statistic = world.folded()
        found = interval(statistic.mean, statistic.records, "plain", (-np.inf, np.inf))
        held += found.lo <= LEVEL <= found.hi
        errors.append(found.se)
        calibrated.append(statistic.mean(everything()))
        labels.append(world.level[world.labelled].mean())
    assert held >= 88  # of 100; at .95 fewer than 88 come once in 500 runs
    assert abs(np.mean(calibrated) - LEVEL) < 3.5 * np.std(calibrated) / 10
    assert np.std(calibrated) < gain * np.std(labels)
    assert 0.8 < np.mean(errors) / np.std(calibrated) < 1.25
