"""MIG: the plain greedy rule over records, the graph of labels, quality with gaps, and records without a label."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates, first_best
from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.selectors import mig
from triptych.selectors._clusters import clusters_of
from triptych.selectors._greedy import quality_ranks
from triptych.selectors.mig import MIG, label_graph
from triptych.testing import check_selector


def pool_of(vectors, quality=None, cost=None, tags=None):
    n = len(vectors)
    return Candidates(
        id=np.arange(n, dtype=np.uint64),
        cost=np.ones(n, dtype=np.int64) if cost is None else np.asarray(cost),
        length=np.ones(n),
        quality=quality,
        vectors=np.asarray(vectors, dtype=np.float32),
        codes={} if tags is None else {"tag": np.asarray(tags)},
    )


def mixture(n, width=12, groups=6):
    draw = stream("test", "mixture", n, width)
    centres = draw.standard_normal((groups, width))
    rows = centres[draw.integers(groups, size=n)] + 0.6 * draw.standard_normal((n, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def qualities(n):
    return np.round(-np.sort(-stream("test", "quality").random(n)), 1)


def plain(contributions, basket, power):
    """The information of every possible next set, from what each record gives to each label, (n, L)."""
    while basket.open().any():
        held = contributions[basket.taken].sum(axis=0)
        gains = ((held + contributions) ** power).sum(axis=1) - (held**power).sum()
        basket.add(first_best(gains, basket.open()))
    return basket.taken


def contributions_of(pool, codes, centroids, edges):
    rows, _ = label_graph(centroids.astype(np.float64), edges)
    spread = np.zeros((len(rows), len(rows)))
    for label, (labels, shares) in enumerate(rows):
        spread[label, labels] = shares
    given = np.zeros((len(pool), len(rows)))
    known = codes >= 0
    weights = np.ones(len(pool)) if pool.quality is None else quality_ranks(pool)
    given[known] = weights[known, None] * spread[codes[known]]
    return given


@pytest.mark.parametrize("edges", [0.0, 0.3])
@pytest.mark.parametrize("power", [0.3, 0.8])
@pytest.mark.parametrize("scored", [False, True])
def test_it_takes_what_plain_greedy_takes(edges, power, scored):
    vectors = mixture(90)
    vectors[10:14] = vectors[3]  # copies
    vectors[20] = 0
    pool = pool_of(vectors, qualities(90) if scored else None)
    given = contributions_of(pool, *clusters_of(pool, 9, 5), edges)
    basket = Basket(pool.cost, 90, keep=[50, 20])
    choice = MIG(clusters=9, edges=edges, power=power).choose(pool, basket, Setting(seed=5))
    assert basket.taken == plain(given, Basket(pool.cost, 90, keep=[50, 20]), power)
    assert choice.facts["labels"] == 9
    assert choice.facts["information"] == pytest.approx((given.sum(axis=0) ** power).sum())


def test_gains_and_scores_are_information():
    draw = stream("test", "tags")
    pool = pool_of(mixture(200), qualities(200), tags=draw.integers(-1, 12, size=200) * 3)
    basket = Basket(pool.cost, 40)
    choice = MIG(field="tag").choose(pool, basket, Setting())
    codes = pool.codes["tag"] // 3
    centroids = np.array([pool.vectors[codes == label].astype(np.float64).mean(axis=0) for label in range(12)])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    given = contributions_of(pool, codes, centroids, 0.05)
    known = [(given[basket.taken[:k]].sum(axis=0) ** 0.8).sum() for k in range(41)]
    np.testing.assert_allclose(basket.gains, np.diff(known), atol=1e-9)
    other = next(c for c in range(200) if c not in basket.taken and codes[c] >= 0)
    assert choice.score[other] == pytest.approx(
        (given[[*basket.taken, other]].sum(axis=0) ** 0.8).sum() - known[-1], abs=1e-9
    )
    assert (codes[basket.taken] >= 0).all()
    assert choice.facts["without_label"] == 0


def test_labels_with_near_centroids_share():
    centroids = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 0, 1.0]])
    rows, threshold = label_graph(centroids, 1 / 3)
    assert threshold == pytest.approx(0.8)
    assert [labels.tolist() for labels, _ in rows] == [[0, 1], [1, 0], [2]]
    np.testing.assert_allclose(rows[0][1], [1 / 1.8, 0.8 / 1.8])
    rows, threshold = label_graph(centroids, 1.0)
    assert [labels.tolist() for labels, _ in rows] == [[0, 1], [1, 0], [2]]  # never below a cosine of 0
    rows, threshold = label_graph(centroids, 0.0)
    assert threshold is None
    assert [len(labels) for labels, _ in rows] == [1, 1, 1]


def test_one_cluster_takes_the_best_first():
    pool = pool_of(np.tile(mixture(1), (30, 1)), qualities(30))
    basket = Basket(pool.cost, 12)
    choice = MIG(clusters=5).choose(pool, basket, Setting())
    assert basket.taken == list(range(12))
    assert choice.facts["labels"] == 1
    equal = pool_of(np.tile(mixture(1), (30, 1)))
    basket = Basket(equal.cost, 12)
    MIG(clusters=5).choose(equal, basket, Setting())
    assert basket.taken == list(range(12))


def test_records_without_a_label_come_last():
    vectors = mixture(30)
    vectors[:5] = 0
    pool = pool_of(vectors)
    basket = Basket(pool.cost, 28)
    choice = MIG(clusters=4).choose(pool, basket, Setting())
    assert basket.taken[-3:] == [0, 1, 2]
    assert choice.facts["without_label"] == 3
    nothing = pool_of(np.zeros((6, 4)), tags=-np.ones(6, dtype=np.int64))
    for policy in (MIG(), MIG(field="tag")):
        basket = Basket(nothing.cost, 4)
        policy.choose(nothing, basket, Setting())
        assert basket.taken == [0, 1, 2, 3]


def test_a_missing_score_is_no_score():
    quality = np.concatenate([qualities(40), np.full(20, np.nan)])
    pool = pool_of(mixture(60), quality)
    basket = Basket(pool.cost, 60, keep=[55])
    MIG(clusters=5).choose(pool, basket, Setting())
    assert sorted(basket.taken) == [*range(40), 55]
    assert {basket.reasons[one] for one in basket.reason[[*range(40, 55), *range(56, 60)]]} == {"no quality score"}


def test_caps_and_tokens_hold():
    cost = stream("test", "cost").integers(1, 40, size=300)
    pool = pool_of(mixture(300), qualities(300), cost=cost)
    basket = Basket(cost, 900, cells=np.arange(300) % 2, room=np.array([5, 300]))
    choice = MIG(clusters=20).choose(pool, basket, Setting())
    assert not basket.open().any()
    assert sum(one % 2 == 0 for one in basket.taken) == 5
    assert choice.facts["bound"] is None


def test_two_threads_take_the_same_and_progress_adds_up():
    taken = []
    for threads in (1, 2):
        pool = pool_of(mixture(4000, 32, 30), qualities(4000))
        told = []
        with threadpool_limits(threads):
            basket = Basket(pool.cost, 2500, keep=[3])
            MIG().choose(pool, basket, Setting(threads=threads, told=told.append))
        assert sum(told) == 2499
        taken.append(basket.taken)
    assert taken[0] == taken[1]


def test_a_higher_power_takes_better_records():
    pool = pool_of(mixture(400), qualities(400))
    means = []
    for params in MIG.sweep:
        basket = Basket(pool.cost, 40)
        MIG(**params, clusters=20).choose(pool, basket, Setting())
        means.append(quality_ranks(pool)[basket.taken].mean())
    assert means == sorted(means)


def test_too_many_labels_are_refused(monkeypatch):
    monkeypatch.setattr(mig, "LABELS", 11)
    pool = pool_of(mixture(30), tags=np.arange(30))
    with pytest.raises(SelectionError, match="too many values"):
        MIG(field="tag").choose(pool, Basket(pool.cost, 3), Setting())
    for wrong in ({"clusters": 0}, {"edges": 1.1}, {"power": 1.0}):
        with pytest.raises(ValueError, match="must be"):
            MIG(**wrong)


def test_it_keeps_the_laws():
    # Where all vectors are at right angles, k-means parts them by rounding: that there is no first is no defect.
    check_selector(MIG, values={"field": ("", "tag", "kind")}, skip=("rounding",))
