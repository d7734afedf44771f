"""Greedy quality-weighted Vendi: the plain rule on eigenvalues, ties, zero vectors, and the stochastic regime."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates, first_best
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.selectors import _greedy
from triptych.selectors._greedy import quality_ranks
from triptych.selectors.vendi_greedy import VendiGreedy


def pool_of(vectors, quality=None, cost=None):
    n = len(vectors)
    cost = np.ones(n, dtype=np.int64) if cost is None else np.asarray(cost)
    return Candidates(
        id=np.arange(n, dtype=np.uint64),
        cost=cost,
        length=np.ones(n),
        quality=-np.sort(-stream("test", "quality", n).random(n)) if quality is None else quality,
        vectors=np.asarray(vectors, dtype=np.float32),
    )


def mixture(n, width=12, groups=6):
    draw = stream("test", "mixture", n, width)
    centres = draw.standard_normal((groups, width))
    rows = centres[draw.integers(groups, size=n)] + 0.6 * draw.standard_normal((n, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def weighted_vendi(pool, taken, weight):
    """By eigenvalues. Zero vectors are no records."""
    held = [one for one in taken if pool.vectors[one].any()]
    rows = pool.vectors[held].astype(np.float64)
    spectrum = np.linalg.eigvalsh(rows.T @ rows / len(rows))
    return quality_ranks(pool)[held].mean() ** weight / np.square(spectrum).sum()


def plain(pool, basket, weight):
    """The score anew for every candidate and pick."""
    there = pool.vectors.any(axis=1)
    while (basket.open() & there).any():
        scores = [weighted_vendi(pool, [*basket.taken, c], weight) if there[c] else -np.inf for c in range(len(pool))]
        basket.add(first_best(np.array(scores), basket.open()))
    return basket.taken


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("short", [4, 256])
def test_it_takes_what_plain_greedy_takes(weight, short, monkeypatch):
    monkeypatch.setattr(_greedy, "_SHORT", short)
    vectors = mixture(60)
    vectors[10:14] = vectors[3]  # copies
    vectors[20] = 0
    quality = np.round(-np.sort(-stream("test", "quality").random(60)), 1)
    pool = pool_of(vectors, quality)
    basket = Basket(pool.cost, 20, keep=[33, 20])
    VendiGreedy(weight=weight).choose(pool, basket, Setting())
    assert basket.taken == plain(pool, Basket(pool.cost, 20, keep=[33, 20]), weight)


def test_gains_are_the_rises_of_the_score():
    pool = pool_of(mixture(100))
    basket = Basket(pool.cost, 30)
    choice = VendiGreedy(weight=2).choose(pool, basket, Setting())
    scores = [0.0, *(weighted_vendi(pool, basket.taken[:k], 2) for k in range(1, 31))]
    np.testing.assert_allclose(basket.gains, np.diff(scores), atol=1e-9)
    assert choice.facts["weighted_vendi"] == pytest.approx(scores[-1])
    assert choice.facts["bound"] is None
    other = next(c for c in range(100) if c not in basket.taken)
    assert choice.score[other] == pytest.approx(weighted_vendi(pool, [*basket.taken, other], 2) - scores[-1])


def test_copies_and_one_direction_are_taken_in_order():
    pool = pool_of(np.tile(mixture(1), (40, 1)), quality=np.ones(40))
    for weight in (0, 1):
        basket = Basket(pool.cost, 15)
        choice = VendiGreedy(weight=weight).choose(pool, basket, Setting())
        assert basket.taken == list(range(15))
        assert choice.facts["weighted_vendi"] == pytest.approx(0.5**weight)


@pytest.mark.parametrize("affordable", [0, 1e12])
def test_zero_vectors_come_last(affordable, monkeypatch):
    monkeypatch.setattr(_greedy, "AFFORDABLE", affordable)
    vectors = mixture(30)
    vectors[:5] = 0
    pool = pool_of(vectors)
    basket = Basket(pool.cost, 28, keep=[3])
    choice = VendiGreedy().choose(pool, basket, Setting())
    assert basket.taken[-2:] == [0, 1]
    assert choice.facts["zero_vectors"] == 2
    nothing = pool_of(np.zeros((6, 4)))
    basket = Basket(nothing.cost, 4)
    VendiGreedy().choose(nothing, basket, Setting())
    assert basket.taken == [0, 1, 2, 3]


def test_caps_and_tokens_hold():
    cost = stream("test", "cost").integers(1, 40, size=300)
    pool = pool_of(mixture(300), cost=cost)
    basket = Basket(cost, 900, cells=np.arange(300) % 2, room=np.array([5, 300]))
    VendiGreedy().choose(pool, basket, Setting())
    assert not basket.open().any()
    assert sum(one % 2 == 0 for one in basket.taken) == 5


def test_two_threads_take_the_same():
    pool = pool_of(mixture(3000, 64, 30))
    taken = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            basket = Basket(pool.cost, 300)
            VendiGreedy().choose(pool, basket, Setting(threads=threads))
            taken.append(basket.taken)
    assert taken[0] == taken[1]


def test_samples_come_close(monkeypatch):
    pool = pool_of(mixture(2000, 16, 40))
    random = weighted_vendi(pool, list(stream("test", "random").permutation(2000)[:100]), 1)
    exact = VendiGreedy().choose(pool, Basket(pool.cost, 100), Setting()).facts["weighted_vendi"]
    monkeypatch.setattr(_greedy, "AFFORDABLE", 0)
    basket = Basket(pool.cost, 100)
    choice = VendiGreedy().choose(pool, basket, Setting(seed=3))
    assert choice.facts["weighted_vendi"] == pytest.approx(weighted_vendi(pool, basket.taken, 1))
    assert choice.facts["weighted_vendi"] - random >= 0.8 * (exact - random) > 0


def test_more_weight_takes_better_records():
    pool = pool_of(mixture(400))
    means = []
    for params in VendiGreedy.sweep:
        basket = Basket(pool.cost, 40)
        VendiGreedy(**params).choose(pool, basket, Setting())
        means.append(pool.quality[basket.taken].mean())
    assert means == sorted(means)
    with pytest.raises(ValueError, match="weight"):
        VendiGreedy(weight=-1)
