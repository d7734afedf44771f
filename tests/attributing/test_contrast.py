"""Weighted sums of values: against the difference of two sets, closed forms, and by how often intervals hold the truth."""

import numpy as np
import pytest

from triptych.attributing.contrast import around, between, scatter, within
from triptych.attributing.factors import components_of
from triptych.attributing.terms import main_effects, residual
from triptych.comparing.difference import difference
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS
from triptych.core.interval import changes


def mean_changes(values, groups, kind="plain"):
    sums, sizes = np.bincount(groups, values, GROUPS), np.bincount(groups, minlength=GROUPS)

    def read(keep):
        n = sizes[keep].sum()
        return float(sums[keep].sum() / n) if n else Undefined("none")

    return changes(read, lambda keep: int(sizes[keep].sum()), kind)


@pytest.mark.parametrize("kind", ["plain", "share"])
@pytest.mark.parametrize("joint", [False, True])
def test_two_runs_are_a_difference(kind, joint):
    rng = np.random.default_rng(1)
    groups = rng.integers(0, GROUPS, 300)
    a, b = (mean_changes((rng.random(300) < p).astype(float), groups, kind) for p in (0.8, 0.6))
    mine, other = within([a, b], np.array([1.0, -1.0]), joint=joint), difference(a, b, paired=joint)
    assert mine.value == pytest.approx(other.diff)
    assert mine.se == pytest.approx(other.se)
    assert mine.degrees == pytest.approx(other.degrees)
    # The ends of shares use Student's t of the whole contrast, not that of each value.
    assert (mine.lo, mine.hi) == pytest.approx((other.lo, other.hi), rel=1e-6 if kind == "plain" or joint else 0.03)
    assert (mine.p < 0.05) == (not mine.lo <= 0 <= mine.hi)


def test_variances_add():
    rng = np.random.default_rng(2)
    runs = [mean_changes(rng.normal(size=200), rng.integers(0, GROUPS, 200)) for _ in range(4)]
    weights = np.array([0.5, 0.5, -0.5, -0.5])
    found = within(runs, weights, joint=False)
    assert found.se == pytest.approx(np.sqrt(sum(0.25 * one.se**2 for one in runs)))
    assert found.value == pytest.approx(weights @ [one.whole for one in runs])
    assert found.degrees > 60


def test_between_by_hand():
    values, cells = np.array([1.0, 3, 4, 8]), np.array([0, 0, 1, 1])
    weights = np.array([-0.5, -0.5, 0.5, 0.5])
    found = between(values, cells, weights)
    assert found.value == 4.0
    assert found.se == pytest.approx(np.sqrt((2 + 8) / 2 * 1.0))
    assert found.degrees == 2
    assert between(values, np.arange(4), weights) is None


def test_around_needs_degrees_of_freedom():
    points = components_of([{"f": a, "g": b} for a in "ab" for b in "xy"], [()] * 4).factors
    left = residual(points, 4, pairs=False)
    (one, _) = main_effects(points, 4)
    assert around(np.array([1.0, 2, 4, 8]), left, one.of) is None
    wide = components_of([{"f": a, "g": b} for a in "ab" for b in "xyz"], [()] * 6).factors
    values = np.array([0.0, 1, 2, 5, 6, 7.6])
    found = around(values, residual(wide, 6, pairs=False), main_effects(wide, 6)[0].of)
    off = values - np.array([0, 1, 2.3, 0, 1, 2.3]) - np.array([-0.1] * 3 + [5.1] * 3)
    assert found.degrees == 2
    assert found.se == pytest.approx(np.sqrt((off**2).sum() / 2 * 6 / 9), rel=0.05)


def test_scatter_is_seen_only_where_it_is():
    points = components_of([{"f": a, "g": b} for a in "ab" for b in "wxyz"], [()] * 8).factors
    left = residual(points, 8, pairs=False)
    told = {}
    for name, spread in (("none", 0.0), ("some", 0.5)):
        found = []
        for trial in range(60):
            rng = np.random.default_rng([3, trial])
            runs = [
                mean_changes(rng.normal(size=100) + spread * rng.normal(), rng.integers(0, GROUPS, 100))
                for _ in range(8)
            ]
            found.append(scatter(runs, left)[1] < 0.05)
        told[name] = np.mean(found)
    assert told["none"] <= 0.15
    assert told["some"] >= 0.9


def test_joint_groups_count_what_runs_share():
    inside = {}
    for joint in (False, True):
        held, widths = [], []
        for trial in range(120):
            rng = np.random.default_rng([4, trial])
            groups, easy = rng.integers(0, GROUPS, 200), rng.normal(size=200)
            a, b = (mean_changes(easy + 0.3 * rng.normal(size=200) + shift, groups) for shift in (0.1, 0.0))
            found = within([a, b], np.array([1.0, -1.0]), joint=joint)
            held.append(found.lo <= 0.1 <= found.hi)
            widths.append(found.hi - found.lo)
        inside[joint] = np.mean(held), np.mean(widths)
    assert 0.9 <= inside[True][0] <= 0.99
    assert inside[False][1] > 2 * inside[True][1]
