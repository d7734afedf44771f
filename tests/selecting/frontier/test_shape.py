"""The shape of a trade-off on known curves, against brute force and Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.selecting.frontier.shape import (
    Reading,
    difference,
    dominates,
    ends,
    front,
    hypervolume,
    knee,
    prices,
    surely_dominates,
)


def cloud(n, seed=0, ties=False):
    points = np.random.default_rng(seed).random((n, 2))
    return np.round(points, 1) if ties else points


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_what_no_point_dominates(seed, ties):
    points = cloud(60, seed, ties)
    slow = {i for i, b in enumerate(points) if not any(dominates(tuple(a), tuple(b)) for a in points)}
    found = front(points)
    assert set(found) == slow
    assert len(found) == len(slow)
    assert (np.diff(points[found, 0]) >= 0).all()
    assert (np.diff(points[found, 1]) <= 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_hypervolume_is_the_area(seed):
    points = cloud(12, seed)
    darts = np.random.default_rng(99).random((40_000, 2)) * 0.8 + 0.2
    hit = ((points[:, None, :] >= darts[None]).all(axis=2)).any(axis=0)
    assert hypervolume(points, (0.2, 0.2)) == pytest.approx(hit.mean() * 0.64, abs=0.01)


def test_the_worked_example():
    points = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [1.0, 1.0]])
    assert front(points) == [0, 1, 2]
    assert hypervolume(points, (1.0, 1.0)) == 1.0
    assert hypervolume(points, (5.0, 5.0)) == 0.0
    assert ends([tuple(point) for point in points]) == ((1.0, 1.0), (3.0, 3.0))


def test_the_knee_of_known_curves():
    x = np.linspace(0, 1, 101)
    circle = np.column_stack([x, np.sqrt(1 - x**2)])
    assert x[knee(circle)] == pytest.approx(np.sqrt(0.5), abs=0.01)
    bend = np.array([[0.0, 10.0], [50.0, 9.0], [90.0, 8.0], [95.0, 3.0], [100.0, 0.0]])
    assert knee(bend) == 2
    assert knee(bend * [3, 0.1] + [7, -2]) == 2  # scales and origins do not matter


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([[1.0, 1.0]], "1 different point,"),
        ([[1.0, 2.0], [2.0, 1.0]], "2 different points"),
        ([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]], "2 different points"),
        ([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]], "chord"),
        ([[0.0, 1.0], [0.1, 0.1], [1.0, 0.0]], "chord"),
    ],
)
def test_no_knee_without_a_reason(points, said):
    assert said in knee(np.array(points))


def test_the_price_of_diversity():
    points = np.array([[10.0, 0.9], [30.0, 0.7], [20.0, 0.85], [15.0, 0.5]])
    first, second = prices(points)
    assert (first.start, first.end, second.start, second.end) == (0, 2, 2, 1)
    assert first.per_unit == pytest.approx(0.005)
    assert second.per_unit == pytest.approx(0.015)
    assert not prices(np.array([[1.0, 1.0], [1.0, 1.0]]))


def test_differences_add_in_squares():
    lo, hi = difference(Reading(10, 7, 14), Reading(5, 1, 8))
    assert lo == pytest.approx(5 - np.hypot(3, 3))
    assert hi == pytest.approx(5 + np.hypot(4, 4))
    assert difference(Reading(1.0), Reading(2.0, 1.0, 3.0)) is None


def test_sure_dominance_needs_an_interval():
    a = (Reading(10, 9, 11), Reading(0.9, 0.85, 0.95))
    b = (Reading(5, 4, 6), Reading(0.9, 0.85, 0.95))
    near = (Reading(9.5, 8.5, 10.5), Reading(0.9, 0.85, 0.95))
    assert surely_dominates(a, b)
    assert not surely_dominates(a, near)
    assert not surely_dominates(b, a)
    assert not surely_dominates(a, (Reading(None, reason="no"), b[1]))
