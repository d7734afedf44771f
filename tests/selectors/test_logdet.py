"""Log-determinant: the plain greedy rule by determinants, ties, budgets, and the stochastic regime."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates, first_best
from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.selectors import _greedy
from triptych.selectors._greedy import quality_ranks
from triptych.selectors.logdet import LogDeterminant


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


def mixture(n, width=12, groups=6, seed=0):
    draw = stream("test", "mixture", n, width, seed)
    centres = draw.standard_normal((groups, width))
    rows = centres[draw.integers(groups, size=n)] + 0.6 * draw.standard_normal((n, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def log_det(vectors, taken, eps):
    rows = np.asarray(vectors, dtype=np.float64)[taken]
    return np.linalg.slogdet(np.eye(rows.shape[1]) + rows.T @ rows / eps)[1]


def plain(pool, basket, eps, quality, scale):
    """Every determinant anew for every candidate and pick."""
    while basket.open().any():
        before = log_det(pool.vectors, basket.taken, eps)
        gains = [log_det(pool.vectors, [*basket.taken, c], eps) - before for c in range(len(pool))]
        basket.add(first_best(scale * np.array(gains) + quality, basket.open()))
    return basket.taken


@pytest.mark.parametrize("alpha", [0.0, 0.4])
@pytest.mark.parametrize("short", [4, 256])
def test_it_takes_what_plain_greedy_takes(alpha, short, monkeypatch):
    monkeypatch.setattr(_greedy, "_SHORT", short)
    vectors = mixture(60)
    vectors[10:14] = vectors[3]  # copies
    vectors[20] = 0
    quality = -np.sort(-stream("test", "quality").random(60))
    pool = pool_of(vectors, quality)
    policy = LogDeterminant(alpha=alpha)
    scale = (1 - alpha) * policy._scale(25, 12) if alpha else 1.0
    ranks = alpha * quality_ranks(pool)
    basket = Basket(pool.cost, 25)
    policy.choose(pool, basket, Setting())
    assert basket.taken == plain(pool, Basket(pool.cost, 25), 0.01, ranks, scale)


def test_the_first_of_equals_is_taken():
    copies = np.tile(mixture(1), (50, 1))
    pool = pool_of(copies)
    basket = Basket(pool.cost, 20)
    LogDeterminant().choose(pool, basket, Setting())
    assert basket.taken == list(range(20))
    axes = pool_of(np.eye(8, dtype=np.float32)[np.arange(40) % 8])
    basket = Basket(axes.cost, 8)
    LogDeterminant().choose(axes, basket, Setting())
    assert basket.taken == list(range(8))


def test_gains_are_the_rises_of_the_log_determinant():
    pool = pool_of(mixture(200))
    basket = Basket(pool.cost, 40, keep=[7, 9])
    choice = LogDeterminant(eps=0.1).choose(pool, basket, Setting())
    assert basket.taken[:2] == [7, 9]
    sets = [log_det(pool.vectors, basket.taken[:k], 0.1) for k in range(2, 41)]
    np.testing.assert_allclose(basket.gains[2:], np.diff(sets), rtol=1e-8)
    assert choice.facts["log_det"] == pytest.approx(sets[-1])
    assert choice.facts["bound"] == pytest.approx(1 - np.exp(-1), abs=1e-4)
    other = next(c for c in range(200) if c not in basket.taken)
    assert choice.score[other] == pytest.approx(log_det(pool.vectors, [*basket.taken, other], 0.1) - sets[-1])
    assert np.isnan(choice.score[7])


def test_two_threads_take_the_same():
    pool = pool_of(mixture(3000, 64, 30))
    taken = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            basket = Basket(pool.cost, 300)
            LogDeterminant().choose(pool, basket, Setting(threads=threads))
            taken.append(basket.taken)
    assert taken[0] == taken[1]


def test_caps_hold_and_change_the_bound():
    pool = pool_of(mixture(100))
    basket = Basket(pool.cost, 30, cells=np.arange(100) % 2, room=np.array([5, 100]))
    choice = LogDeterminant().choose(pool, basket, Setting())
    assert len(basket) == 30
    assert sum(one % 2 == 0 for one in basket.taken) == 5
    assert choice.facts["bound"] == 0.5


def test_a_budget_of_tokens_is_used_up():
    cost = stream("test", "cost").integers(1, 40, size=300)
    pool = pool_of(mixture(300), cost=cost)
    basket = Basket(cost, 900)
    choice = LogDeterminant().choose(pool, basket, Setting())
    assert not basket.open().any()
    assert 0 <= basket.left < 40
    assert choice.facts["bound"] is None


def test_zero_vectors_come_last():
    vectors = mixture(30)
    vectors[:5] = 0
    pool = pool_of(vectors)
    basket = Basket(pool.cost, 28)
    LogDeterminant().choose(pool, basket, Setting())
    assert basket.taken[-3:] == [0, 1, 2]
    assert sorted(basket.taken[:25]) == list(range(5, 30))


@pytest.mark.parametrize("tokens", [False, True])
def test_samples_reach_their_bound(tokens, monkeypatch):
    vectors = mixture(2000, 16, 40)
    cost = stream("test", "cost").integers(1, 9, size=2000) if tokens else np.ones(2000, dtype=np.int64)
    pool = pool_of(vectors, cost=cost)
    limit = 500 if tokens else 100
    exact = LogDeterminant().choose(pool, Basket(cost, limit), Setting()).facts["log_det"]
    monkeypatch.setattr(_greedy, "AFFORDABLE", 0)
    reached, sets = [], []
    for seed in (0, 1, 2):
        basket = Basket(cost, limit, keep=[4])
        choice = LogDeterminant().choose(pool, basket, Setting(seed=seed))
        again = Basket(cost, limit, keep=[4])
        LogDeterminant().choose(pool, again, Setting(seed=seed))
        assert again.taken == basket.taken
        assert not basket.open().any()
        assert choice.facts["log_det"] == pytest.approx(log_det(vectors, basket.taken, 0.01))
        assert choice.facts["greedy"] == "stochastic"
        reached.append(choice.facts["log_det"])
        sets.append(basket.taken)
    assert min(reached) >= 0.95 * exact  # the bound says 0.58 of the best
    assert sets[0] != sets[1]


def test_samples_go_on_when_most_of_the_pool_is_closed(monkeypatch):
    monkeypatch.setattr(_greedy, "AFFORDABLE", 0)
    vectors = mixture(400)
    vectors[::7] = 0
    pool = pool_of(vectors)
    basket = Basket(pool.cost, 400, cells=np.arange(400) % 4, room=np.array([1, 2, 100, 3]))
    LogDeterminant().choose(pool, basket, Setting())
    assert len(basket) == 106
    basket = Basket(pool.cost, 400)
    LogDeterminant().choose(pool, basket, Setting())
    assert sorted(basket.taken) == list(range(400))


def test_vectors_that_are_not_finite_are_refused():
    vectors = mixture(30)
    vectors[4, 2] = np.nan
    with pytest.raises(SelectionError, match="not finite"):
        LogDeterminant().choose(pool_of(vectors), Basket(np.ones(30, dtype=np.int64), 3), Setting())
    with pytest.raises(ValueError, match="alpha"):
        LogDeterminant(alpha=1.5)
    with pytest.raises(ValueError, match="eps"):
        LogDeterminant(eps=0)
