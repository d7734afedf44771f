"""Facility location: the plain greedy rule, ties, budgets, and what the graph keeps of the gain of all pairs."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates, first_best
from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.neighbours.graph import graph_of
from triptych.selectors import _greedy, facility_location
from triptych.selectors._greedy import quality_ranks
from triptych.selectors.facility_location import FacilityLocation


def pool_of(vectors, quality=None, cost=None):
    n = len(vectors)
    cost = np.ones(n, dtype=np.int64) if cost is None else np.asarray(cost)
    return Candidates(
        id=np.arange(n, dtype=np.uint64),
        cost=cost,
        length=np.ones(n),
        quality=quality,
        vectors=np.asarray(vectors, dtype=np.float32),
    )


def mixture(n, width=12, groups=6):
    draw = stream("test", "mixture", n, width)
    centres = draw.standard_normal((groups, width))
    rows = centres[draw.integers(groups, size=n)] + 0.6 * draw.standard_normal((n, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def similarities(pool, neighbours):
    """What a covers of v, (n, n): all pairs, or the pairs of the graph in either direction."""
    rows = pool.vectors.astype(np.float64)
    if not neighbours:
        return np.round(np.maximum(rows @ rows.T, 0) * 2**20) / 2**20
    graph = graph_of(pool, neighbours, Setting())
    out = np.diag(pool.vectors.any(axis=1).astype(np.float64))
    for v, (others, cosines) in enumerate(zip(graph.neighbour, graph.similarity, strict=True)):
        for a, cosine in zip(others, cosines, strict=True):
            if a >= 0:
                out[v, a] = out[a, v] = max(cosine, out[v, a])
    return out


def plain(similar, basket, unit, quality):
    """The whole objective anew for every candidate and pick."""
    while basket.open().any():
        best = similar[basket.taken].max(axis=0, initial=0)
        gains = np.maximum(similar, best).sum(axis=1) - best.sum()
        basket.add(first_best(unit * gains + quality, basket.open()))
    return basket.taken


@pytest.mark.parametrize("neighbours", [0, 7])
@pytest.mark.parametrize("alpha", [0.0, 0.4])
@pytest.mark.parametrize("short", [4, 2048])
def test_it_takes_what_plain_greedy_takes(neighbours, alpha, short, monkeypatch):
    monkeypatch.setattr(_greedy, "_KNOWN", short)
    vectors = mixture(120)
    vectors[10:14] = vectors[3]  # copies
    vectors[20:22] = 0
    pool = pool_of(vectors, -np.sort(-stream("test", "quality").random(120)))
    basket = Basket(pool.cost, 60, keep=[50])
    FacilityLocation(alpha=alpha, neighbours=neighbours).choose(pool, basket, Setting())
    unit = (1 - alpha) * 60 / 120 if alpha else 1
    ranks = alpha * quality_ranks(pool)
    assert basket.taken == plain(similarities(pool, neighbours), Basket(pool.cost, 60, keep=[50]), unit, ranks)


@pytest.mark.parametrize("neighbours", [0, 7])
def test_gains_and_scores_are_what_records_add(neighbours):
    pool = pool_of(mixture(200))
    basket = Basket(pool.cost, 30)
    choice = FacilityLocation(neighbours=neighbours).choose(pool, basket, Setting())
    similar = similarities(pool, neighbours)
    covered = [similar[basket.taken[:k]].max(axis=0, initial=0).sum() for k in range(31)]
    np.testing.assert_allclose(basket.gains, np.diff(covered), atol=2e-4)
    assert choice.facts["coverage"] == pytest.approx(covered[-1] / 200, abs=1e-6)
    other = next(c for c in range(200) if c not in basket.taken)
    added = np.maximum(similar[other], similar[basket.taken].max(axis=0)).sum() - covered[-1]
    assert choice.score[other] == pytest.approx(added, abs=2e-4)


@pytest.mark.parametrize("neighbours", [0, 5])
def test_the_first_of_equals_is_taken(neighbours):
    pool = pool_of(np.tile(mixture(1), (30, 1)))
    basket = Basket(pool.cost, 10)
    choice = FacilityLocation(neighbours=neighbours).choose(pool, basket, Setting())
    if not neighbours:
        assert basket.taken == list(range(10))
        np.testing.assert_allclose(basket.gains, [30] + 9 * [0], atol=1e-12)
    assert choice.facts["coverage"] == 1
    axes = pool_of(np.eye(40, dtype=np.float32))
    basket = Basket(axes.cost, 8)
    FacilityLocation(neighbours=neighbours).choose(axes, basket, Setting())
    assert basket.taken == list(range(8))


@pytest.mark.parametrize("neighbours", [0, 5])
def test_zero_vectors_cover_nothing(neighbours):
    vectors = mixture(30)
    vectors[:5] = 0
    pool = pool_of(vectors)
    basket = Basket(pool.cost, 28)
    FacilityLocation(neighbours=neighbours).choose(pool, basket, Setting())
    assert basket.taken[-3:] == [0, 1, 2]
    nothing = pool_of(np.zeros((6, 4)))
    basket = Basket(nothing.cost, 4)
    FacilityLocation(neighbours=neighbours).choose(nothing, basket, Setting())
    assert basket.taken == [0, 1, 2, 3]


@pytest.mark.parametrize("neighbours", [0, 20])
def test_two_threads_take_the_same(neighbours):
    taken = []
    for threads in (1, 2):
        pool = pool_of(mixture(2000, 64, 30))
        with threadpool_limits(threads):
            basket = Basket(pool.cost, 200)
            FacilityLocation(neighbours=neighbours).choose(pool, basket, Setting(threads=threads))
            taken.append(basket.taken)
    assert taken[0] == taken[1]


def test_caps_and_tokens_hold():
    cost = stream("test", "cost").integers(1, 40, size=300)
    pool = pool_of(mixture(300), cost=cost)
    basket = Basket(cost, 900, cells=np.arange(300) % 2, room=np.array([5, 300]))
    choice = FacilityLocation(neighbours=10).choose(pool, basket, Setting())
    assert not basket.open().any()
    assert sum(one % 2 == 0 for one in basket.taken) == 5
    assert choice.facts["bound"] is None


def test_a_graph_of_50_keeps_the_gain_of_all_pairs():
    pool = pool_of(mixture(2000, 64, 40))
    rows = pool.vectors
    reached = {}
    for neighbours in (0, 50):
        basket = Basket(pool.cost, 200)
        FacilityLocation(neighbours=neighbours).choose(pool, basket, Setting())
        reached[neighbours] = np.maximum(rows @ rows[basket.taken].T, 0).max(axis=1).mean()
    random = np.mean(
        [
            np.maximum(rows @ rows[stream("test", seed).permutation(2000)[:200]].T, 0).max(axis=1).mean()
            for seed in range(5)
        ]
    )
    assert reached[50] - random >= 0.95 * (reached[0] - random) > 0


def test_more_alpha_takes_better_records():
    pool = pool_of(mixture(400), -np.sort(-stream("test", "quality").random(400)))
    means = []
    for params in FacilityLocation.sweep:
        basket = Basket(pool.cost, 40)
        FacilityLocation(**params, neighbours=20).choose(pool, basket, Setting())
        means.append(pool.quality[basket.taken].mean())
    assert means == sorted(means)
    basket = Basket(pool.cost, 40)
    FacilityLocation(alpha=1).choose(pool, basket, Setting())
    assert basket.taken == list(range(40))


def test_all_pairs_of_too_many_are_refused(monkeypatch):
    monkeypatch.setattr(facility_location, "ALL_PAIRS", 29)
    pool = pool_of(mixture(30))
    with pytest.raises(SelectionError, match="neighbours=50"):
        FacilityLocation(neighbours=0).choose(pool, Basket(pool.cost, 3), Setting())
    with pytest.raises(ValueError, match="neighbours"):
        FacilityLocation(neighbours=-1)
    with pytest.raises(ValueError, match="alpha"):
        FacilityLocation(alpha=-0.1)
