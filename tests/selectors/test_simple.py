"""Random, longest, top_quality, threshold and qurating: worked by hand, and as often as they should be."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.errors import SelectionError
from triptych.core.selector import Setting
from triptych.selectors.longest import Longest
from triptych.selectors.qurating import QuRating
from triptych.selectors.random import Random
from triptych.selectors.registry import parse_policy
from triptych.selectors.threshold import Threshold
from triptych.selectors.top_quality import TopQuality


def pool_of(quality, length=None, cost=None):
    n = len(quality)
    return Candidates(
        id=np.arange(n, dtype=np.uint64),
        cost=np.ones(n, dtype=np.int64) if cost is None else np.array(cost),
        length=np.ones(n) if length is None else np.array(length, dtype=float),
        quality=np.array(quality, dtype=float),
    )


def taken(policy, pool, limit, seed=0, **basket):
    held = Basket(pool.cost, limit, **basket)
    return held, policy.choose(pool, held, Setting(seed=seed))


def test_longest_worked_example():
    held, choice = taken(Longest(), pool_of([1, 1, 1, 1], length=[3, 9, 9, 5]), 3)
    assert held.taken == [1, 2, 3]
    assert choice.score.tolist() == [3, 9, 9, 5]


def test_longest_under_tokens_goes_on_with_smaller_ones():
    held, _ = taken(Longest(), pool_of([1, 1, 1, 1], length=[9, 8, 2, 1], cost=[9, 8, 2, 1]), 12)
    assert held.taken == [0, 2, 3]


def test_top_quality_worked_example():
    held, choice = taken(TopQuality(), pool_of([0.9, 0.9, 0.4, 0.1]), 3)
    assert held.taken == [0, 1, 2]
    assert held.gains == [0.9, 0.9, 0.4]
    assert choice.gained == "quality"


def test_random_takes_each_set_equally_often():
    pool = pool_of([0.5] * 5)
    counts: dict[tuple[int, ...], int] = {}
    for seed in range(2000):
        held, _ = taken(Random(), pool, 2, seed)
        key = tuple(sorted(held.taken))
        counts[key] = counts.get(key, 0) + 1
    found = np.array(list(counts.values()))
    assert len(found) == 10
    assert ((found - 200) ** 2 / 200).sum() < 27.9  # chi-square, 9 degrees of freedom, p = 0.001


def test_threshold_draws_among_those_that_reach_it():
    pool = pool_of([0.9, 0.8, 0.7, 0.7, 0.5, 0.1])
    drawn = set()
    for seed in range(60):
        held, choice = taken(Threshold(at=0.7), pool, 2, seed)
        drawn.add(tuple(sorted(held.taken)))
    assert len(drawn) == 6  # all pairs of the first four
    assert max(max(pair) for pair in drawn) == 3
    assert choice.facts == {"level": 0.7, "reached": 4, "accepted_share": 4 / 6}
    assert held.reasons == ["below the quality level"]
    assert held.reason.tolist() == [-1, -1, -1, -1, 0, 0]
    assert held.score[4:].tolist() == [0.5, 0.1]
    assert held.threshold[4:].tolist() == [0.7, 0.7]


def test_threshold_by_quantile_takes_a_value_that_is_there():
    pool = pool_of([0.9, 0.8, 0.7, 0.6, 0.5])
    levels = [taken(Threshold(quantile=q), pool, 1)[1].facts["level"] for q in (0, 0.2, 0.25, 0.5, 0.9)]
    assert levels == [0.5, 0.6, 0.6, 0.7, 0.9]
    constant = taken(Threshold(quantile=0.9), pool_of([0.5] * 4), 4)[0]
    assert sorted(constant.taken) == [0, 1, 2, 3]


def test_tightening_the_threshold_raises_quality_and_narrows_what_can_be_drawn():
    rng = np.random.default_rng(0)
    pool = pool_of(-np.sort(-rng.normal(size=400)))
    means, reached = [], []
    for params in Threshold.sweep:
        held, choice = taken(Threshold(**params), pool, 40)
        means.append(pool.quality[held.taken].mean())
        reached.append(choice.facts["reached"])
    assert means == sorted(means)
    assert reached == sorted(reached, reverse=True)
    assert means[-1] - means[0] > 1.5


@pytest.mark.parametrize(
    ("policy", "basket"),
    [
        (Threshold(at=0.8), {}),
        (Threshold(quantile=0.8), {}),
        (Threshold(at=0.65), {"cells": np.array([0, 0, 0, 1, 1, 1]), "room": np.array([1, 3])}),
    ],
)
def test_threshold_names_the_level_that_would_do(policy, basket):
    pool = pool_of([0.9, 0.8, 0.7, 0.6, 0.5, 0.1])
    with pytest.raises(SelectionError) as error:
        taken(policy, pool, 3, **basket)
    hint = str(error.value).split("try:  ")[1]
    held, _ = taken(parse_policy(hint), pool, 3, **basket)
    assert len(held) == 3
    reached = min(pool.quality[held.taken])
    level = parse_policy(hint).at
    assert level is None or reached == level  # a higher one would not do


def test_threshold_under_tokens_is_met_within_one_record():
    pool = pool_of([0.9, 0.9, 0.9, 0.1], cost=[5, 5, 5, 1])
    held, _ = taken(Threshold(at=0.5), pool, 11)
    assert len(held.taken) == 2
    assert held.left == 1  # one that reaches the level is left: it did not fit
    with pytest.raises(SelectionError, match="too few candidates"):
        taken(Threshold(at=0.5), pool, 16)


def test_threshold_leaves_must_keeps_and_closed_ones_alone():
    pool = pool_of([0.9, 0.8, 0.7, 0.6, 0.1])
    held = Basket(pool.cost, 3, keep=[4])
    held.refuse(np.array([3]), "dropped by hand")
    Threshold(at=0.7).choose(pool, held, Setting())
    assert held.taken[0] == 4
    assert held.reason[4] == -1
    assert held.reasons[held.reason[3]] == "dropped by hand"


def test_qurating_draws_as_one_by_one_sampling_does():
    """Against the probability of each order of two of four, p = product of exp(z/t) over what is left."""
    quality, heat = np.array([1.0, 0.5, 0.2, 0.1]), 0.8
    pool = pool_of(quality)
    weight = np.exp((quality - quality.mean()) / quality.std() / heat)
    share = weight / weight.sum()
    want = {(a, b): share[a] * share[b] / (1 - share[a]) for a, b in permutations(range(4), 2)}
    assert sum(want.values()) == pytest.approx(1)
    draws = 4000
    counts = dict.fromkeys(want, 0)
    for seed in range(draws):
        counts[tuple(taken(QuRating(heat), pool, 2, seed)[0].taken)] += 1
    chi = sum((counts[pair] - draws * p) ** 2 / (draws * p) for pair, p in want.items())
    assert chi < 31.3  # 11 degrees of freedom, p = 0.001


def test_qurating_ends():
    pool = pool_of(-np.sort(-np.random.default_rng(1).normal(size=200)))
    assert taken(QuRating(0.001), pool, 20)[0].taken == list(range(20))
    hot = [pool.quality[taken(QuRating(float("inf")), pool, 20, seed)[0].taken].mean() for seed in range(30)]
    assert abs(np.mean(hot)) < 0.2
    means = [
        np.mean([pool.quality[taken(QuRating(**step), pool, 20, seed)[0].taken].mean() for seed in range(10)])
        for step in QuRating.sweep
    ]
    assert means == sorted(means)


def test_constant_quality_is_said():
    held, choice = taken(QuRating(0.1), pool_of([0.1 + 0.2] * 3 + [0.3] * 3), 2)
    assert len(held) == 2
    assert "same quality" in choice.notes[0]
    assert np.isfinite(choice.score).all()
