"""What greedy policies share: forms, coverage, ranks, the number of picks, bounds."""

import math

import numpy as np
import pytest

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.rng import stream
from triptych.selectors._coverage import AllPairs, Edges
from triptych.selectors._greedy import bound_facts, picks_left, quality_ranks, sample_size
from triptych.selectors._linear import Crowding, LogDet


def rows_of(n, width=6):
    rows = stream("test", "rows", n).standard_normal((n, width))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_directions_keep_values_up_to_date():
    rows = rows_of(40)
    for form in (LogDet(6, 0.05), Crowding(6)):
        values = form.of(rows)
        for one in (3, 7, 3, 11):
            values -= (rows @ form.take(rows[one])) ** 2
        np.testing.assert_allclose(values, form.of(rows), atol=1e-12)


def test_forms_are_what_they_say():
    rows = rows_of(40)
    volume, crowd = LogDet(6, 0.05), Crowding(6)
    for row in rows[:10]:
        volume.take(row)
        crowd.take(row)
    kernel = rows[:10] @ rows[:10].T + 0.05 * np.eye(10)
    assert volume.total == pytest.approx(np.linalg.slogdet(kernel)[1] - 10 * math.log(0.05))
    assert volume.gain(volume.of(rows[10:11]))[0] == pytest.approx(
        np.linalg.slogdet(rows[:11] @ rows[:11].T + 0.05 * np.eye(11))[1]
        - np.linalg.slogdet(kernel)[1]
        - math.log(0.05)
    )
    assert crowd.total == pytest.approx(np.square(rows[:10] @ rows[:10].T).sum())
    np.testing.assert_allclose(crowd.of(rows), -np.square(rows @ rows[:10].T).sum(axis=1))


def test_all_pairs_are_symmetric_over_block_edges():
    vectors = rows_of(1100, 20).astype(np.float32)
    held = AllPairs(vectors)
    similar = held._similar
    np.testing.assert_array_equal(similar, similar.T)
    np.testing.assert_array_equal(similar * 2**20 % 1, 0)
    np.testing.assert_allclose(similar, np.maximum(vectors @ vectors.T, 0), atol=1e-6)
    for one in (5, 700, 1099):
        held.take(one)
    best = similar[[5, 700, 1099]].max(axis=0)
    np.testing.assert_array_equal(held.best, best)
    gains = np.maximum(similar.astype(np.float64) - best, 0).sum(axis=1)
    np.testing.assert_array_equal(held.gains, gains)  # without rounding


def test_edges_go_both_ways_and_count_once():
    neighbour = np.array([[1, 2], [0, -1], [1, 0], [-1, -1]], dtype=np.int32)
    similarity = np.array([[0.5, -0.25], [0.5, -np.inf], [0.75, -0.25], [-np.inf, -np.inf]], dtype=np.float32)
    held = Edges(neighbour, similarity, np.array([True, True, True, False]))
    assert held.gains.tolist() == [1.5, 2.25, 1.75, 0]
    held.take(1)
    assert held.best.tolist() == [0.5, 1, 0.75, 0]
    assert held.gains.tolist() == [0.5, 0, 0.25, 0]


def test_ranks_are_shares_of_worse_records():
    pool = Candidates(
        id=np.arange(5, dtype=np.uint64),
        cost=np.ones(5, dtype=np.int64),
        length=np.ones(5),
        quality=np.array([9.0, 2.0, 2.0, -1.0, np.nan]),
    )
    np.testing.assert_allclose(quality_ranks(pool), [0.875, 0.5, 0.5, 0.125, np.nan])


def test_picks_left_knows_budget_and_room():
    cost = np.array([2, 2, 4, 4, 100])
    assert picks_left(Basket(cost, 12)) == 4
    assert picks_left(Basket(cost, 12, cells=np.zeros(5, dtype=np.int64), room=np.array([3]))) == 3
    assert picks_left(Basket(cost, 1)) == 1
    assert sample_size(1000, 100) == math.ceil(10 * math.log(20))
    assert sample_size(5, 100) == 1


def test_the_bound_is_what_is_proven():
    even, uneven = np.ones(6, dtype=np.int64), np.arange(1, 7)
    assert bound_facts(Basket(even, 3), exact=True, left=3)["bound"] == pytest.approx(1 - 1 / math.e, abs=1e-4)
    assert bound_facts(Basket(even, 3), exact=False, left=3)["bound"] == pytest.approx(0.95 - 1 / math.e, abs=1e-4)
    assert bound_facts(Basket(uneven, 3), exact=True, left=3)["bound"] is None
    full = Basket(even, 3, cells=np.arange(6) % 2, room=np.array([0, 3]))
    assert bound_facts(full, exact=True, left=3)["bound"] == 0.5
    assert bound_facts(full, exact=False, left=3)["bound"] is None
