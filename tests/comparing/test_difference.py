"""Differences: known populations, paired and not, against closed forms and by how often the interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.comparing.difference import difference
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS
from triptych.core.interval import changes


def mean_changes(values, groups, kind="plain"):
    """Changes of a mean of numbers in groups."""
    sums = np.bincount(groups, weights=values, minlength=GROUPS)
    sizes = np.bincount(groups, minlength=GROUPS)

    def read(keep):
        n = sizes[keep].sum()
        return float(sums[keep].sum() / n) if n else Undefined("none")

    return changes(read, lambda keep: int(sizes[keep].sum()), kind)


def held(draw, truth, trials, paired):
    """Share of trials in which the interval holds the truth, and mean standard error against the spread."""
    found = [difference(*draw(trial), paired=paired) for trial in range(trials)]
    inside = np.mean([one.lo <= truth <= one.hi for one in found])
    return inside, np.mean([one.se for one in found]) / np.std([one.diff for one in found])


def test_paired_data_are_not_treated_as_two_samples():
    def draw(trial):
        rng = np.random.default_rng([1, trial])
        easy = rng.normal(size=400)
        groups = rng.integers(0, GROUPS, 400)
        return (
            mean_changes(easy + 0.3 * rng.normal(size=400) + 0.1, groups),
            mean_changes(easy + 0.3 * rng.normal(size=400), groups),
        )

    inside, ratio = held(draw, 0.1, 300, paired=True)
    assert 0.92 <= inside <= 0.98
    assert 0.9 <= ratio <= 1.1
    inside, ratio = held(draw, 0.1, 100, paired=False)
    assert inside == 1.0
    assert ratio > 2.5


def test_two_samples_of_unlike_size():
    def draw(trial):
        rng = np.random.default_rng([2, trial])
        return tuple(mean_changes(rng.normal(size=n), rng.integers(0, GROUPS, n)) for n in (300, 1200))

    inside, ratio = held(draw, 0.0, 300, paired=False)
    assert 0.92 <= inside <= 0.98
    assert 0.9 <= ratio <= 1.1


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.02, 0.02), (0.97, 0.9)])
def test_shares(p, q):
    def draw(trial):
        rng = np.random.default_rng([3, trial])
        return tuple(
            mean_changes((rng.random(600) < share).astype(float), rng.integers(0, GROUPS, 600), "share")
            for share in (p, q)
        )

    inside, _ = held(draw, p - q, 300, paired=False)
    assert 0.92 <= inside <= 0.995


def test_p_says_what_the_interval_says():
    rng = np.random.default_rng(4)
    for kind in ("plain", "share"):
        for shift in (0.0, 0.05, 0.1, 0.2):
            groups = rng.integers(0, GROUPS, 300)
            values = [(rng.random(300) < 0.4 + s).astype(float) for s in (shift, 0.0)]
            for paired in (True, False):
                one = difference(*(mean_changes(v, groups, kind) for v in values), paired=paired)
                assert (one.p < 0.05) == (one.lo > 0 or one.hi < 0)
                assert one.lo < one.inner[0] <= one.diff <= one.inner[1] < one.hi


def test_draws_are_part_of_the_error():
    rng = np.random.default_rng(5)
    groups = rng.integers(0, GROUPS, 300)
    a, b = (mean_changes(rng.normal(size=300), groups) for _ in range(2))
    alone = difference(a, b, paired=False)
    drawn = difference(a, b, paired=False, draws=[(1.0, 0.5), (2.0, 0.5), (3.0, 0.5)])
    assert (drawn.a, drawn.b, drawn.diff) == (2.0, 0.5, 1.5)
    assert drawn.se**2 == pytest.approx(alone.se**2 + 1 / 3)


def test_equal_sets_and_certain_differences():
    groups = np.arange(320) % GROUPS
    rng = np.random.default_rng(6)
    values = rng.normal(size=320)
    same = difference(mean_changes(values, groups), mean_changes(values, groups), paired=True)
    assert (same.diff, same.p) == (0.0, 1.0)
    apart = difference(mean_changes(values + 1, groups), mean_changes(values, groups), paired=True)
    assert apart.diff == pytest.approx(1.0)
    assert apart.p == pytest.approx(0.0, abs=1e-12)
