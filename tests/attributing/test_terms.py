"""Weights of the runs: marginal means in a factorial, one cell less the baseline one at a time, aliases named."""

from itertools import product

import numpy as np
import pytest

from triptych.attributing.factors import components_of
from triptych.attributing.terms import interactions, main_effects, residual


def factors(points):
    return components_of(points, [()] * len(points)).factors


def crossed(**levels):
    return [dict(zip(levels, point, strict=True)) for point in product(*levels.values())]


def test_worked_example():
    points = crossed(f="ab", g="xy")
    values = np.array([1.0, 2, 4, 8])
    found = {one.term.factors[0]: one.of @ values for one in main_effects(factors(points), 4)}
    assert found == pytest.approx({"f": 4.5, "g": 2.5})
    (pair,) = interactions(factors(points), 4)
    assert pair.of @ values == pytest.approx(3.0)


def test_a_factorial_gives_differences_of_marginal_means():
    points = crossed(method="abc", heat="xy", filters="no")
    values = np.random.default_rng(0).normal(size=len(points))
    for one in main_effects(factors(points), len(points)):
        (name,), (level,) = one.term.factors, one.term.levels
        factor = next(factor for factor in factors(points) if factor.name == name)
        at = [values[factor.of == place].mean() for place in (level, 0)]
        assert one.of @ values == pytest.approx(at[0] - at[1])
    assert len(interactions(factors(points), len(points))) == 2 + 2 + 1
    assert round(np.trace(residual(factors(points), 12, pairs=False))) == 7
    assert round(np.trace(residual(factors(points), 12, pairs=True))) == 2


def test_one_factor_at_a_time_is_a_cell_less_the_baseline():
    points = [{"f": "a", "g": "x"}, {"f": "b", "g": "x"}, {"f": "a", "g": "y"}]
    for one, cell in zip(main_effects(factors(points), 3), (1, 2), strict=True):
        wanted = np.zeros(3)
        wanted[cell], wanted[0] = 1, -1
        assert np.allclose(one.of, wanted)
    (pair,) = interactions(factors(points), 3)
    assert pair.of is None


def test_what_goes_together_is_named():
    points = [{"writer": "a", "method": "x", "heat": "1"}, {"writer": "b", "method": "y", "heat": "1"}]
    points += [{**point, "heat": "2"} for point in points]
    found = {one.term.factors[0]: one for one in main_effects(factors(points), 4)}
    assert found["writer"].of is None
    assert found["writer"].alike == (("method",),)
    assert np.allclose(found["heat"].of, [-0.5, -0.5, 0.5, 0.5])


def test_half_of_a_factorial_confounds_pairs_with_main_effects():
    points = [{"f": a, "g": b, "h": "n" if (a == "a") == (b == "x") else "m"} for a in "ab" for b in "xy"]
    assert all(one.of is not None for one in main_effects(factors(points), 4))
    pairs = interactions(factors(points), 4)
    assert all(one.of is None for one in pairs)
    assert any(("h",) in one.alike for one in pairs)


def test_an_unknown_level_is_no_reference():
    points = [{"f": "a"}, {"f": "b"}, {}]
    (one,) = main_effects(factors(points), 3)
    assert np.allclose(one.of, [-1, 1, 0])
