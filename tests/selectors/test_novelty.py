"""Greedy on NovelSum against the formula."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.errors import SelectionError, SpecError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.neighbours.graph import graph_of
from triptych.selectors import novelty
from triptych.selectors.novelty import Novelty, density


def rows(n, d=8, label="rows"):
    x = stream("test", "novelty", label).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def pool(vectors, cost=None):
    n = len(vectors)
    cost = np.ones(n, np.int64) if cost is None else cost
    return Candidates(np.arange(n, dtype=np.uint64), cost, cost.astype(float), vectors=vectors)


def thick(x):
    """Density from all distances."""
    cosine = x.astype(np.float64) @ x.astype(np.float64).T
    np.fill_diagonal(cosine, -np.inf)
    return 1 / np.maximum((1 - np.sort(cosine, axis=1)[:, -10:]).mean(axis=1), 0.01)


def slow(x, basket, alpha=1.0, beta=0.5, reach=10**6):
    stretch = thick(x) ** beta
    while basket.open().any():
        value = np.full(len(x), -np.inf)
        for one in np.flatnonzero(basket.open()):
            distance = np.maximum(1 - x[basket.taken].astype(np.float64) @ x[one].astype(np.float64), 0)
            order = np.argsort(distance, kind="stable")[:reach]
            weight = np.arange(1, len(basket.taken) + 1.0)[:reach] ** -alpha
            terms = stretch[basket.taken][order] * distance[order] * weight
            value[one] = np.round(terms.sum() / weight.sum() / TOLERANCE) if basket.taken else 0
        best = int(np.argmax(value))
        basket.add(best, value[best] * TOLERANCE)
    return basket


CASES = {
    "plain": {},
    "keep": {"keep": [40, 7, 150]},
    "rooms": {"cells": np.arange(200) % 3, "room": np.array([4, 10, 100])},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("reach", [64, 5])
def test_the_picks_are_those_of_the_formula(case, reach, monkeypatch):
    monkeypatch.setattr(novelty, "ROWS", 64)
    x = rows(200)
    asked = {"limit": 40, **CASES[case]}
    true = slow(x, Basket(np.ones(200, np.int64), **asked), reach=reach)
    for threads in (1, 2):
        basket = Basket(np.ones(200, np.int64), **asked)
        Novelty(reach=reach).choose(pool(x), basket, Setting(threads=threads))
        assert basket.taken == true.taken
        np.testing.assert_allclose(basket.gains[3:], true.gains[3:], atol=1e-5)


def test_alpha_and_beta_count():
    x = rows(150)
    for alpha, beta in ((0.0, 0.0), (2.0, 1.0)):
        true = slow(x, Basket(np.ones(150, np.int64), 20), alpha, beta)
        basket = Basket(np.ones(150, np.int64), 20)
        Novelty(alpha=alpha, beta=beta).choose(pool(x), basket, Setting())
        assert basket.taken == true.taken


def test_density_is_that_of_all_distances():
    x = rows(150)
    np.testing.assert_allclose(density(graph_of(pool(x), 10, Setting())), thick(x), rtol=1e-4)


def test_texts_without_tokens_come_last_after_copies():
    x = np.concatenate([rows(30), rows(30), np.zeros((3, 8), np.float32)])
    everything = Basket(np.ones(63, np.int64), 63)
    Novelty().choose(pool(x), everything, Setting())
    assert sorted(everything.taken) == list(range(63))
    assert everything.taken[-3:] == [60, 61, 62]


def test_all_duplicates_and_a_single_record():
    x = np.repeat(rows(1), 40, axis=0)
    basket = Basket(np.ones(40, np.int64), 10)
    Novelty().choose(pool(x), basket, Setting())
    assert basket.taken == list(range(10))
    single = Basket(np.ones(1, np.int64), 1)
    Novelty().choose(pool(x[:1]), single, Setting())
    assert single.taken == [0]


def test_tokens_are_spent_to_the_last_record_that_fits():
    cost = stream("cost").integers(5, 90, 300)
    basket = Basket(cost, 2000)
    Novelty().choose(pool(rows(300), cost), basket, Setting())
    assert not basket.open().any()


def test_portions_take_their_share(monkeypatch):
    monkeypatch.setattr(novelty, "AFFORDABLE", 10)
    monkeypatch.setattr("triptych.selectors._portions.portions.__defaults__", (100,))
    basket = Basket(np.ones(400, np.int64), 50, keep=[9])
    choice = Novelty().choose(pool(rows(400)), basket, Setting(seed=2))
    assert (len(basket), choice.facts["portions"]) == (50, 4)
    assert "4 portions" in choice.notes[0]


def test_what_is_wrong_is_refused():
    with pytest.raises(SpecError, match="reach"):
        Novelty(reach=0)
    x = rows(20)
    x[3] = np.nan
    with pytest.raises(SelectionError, match="NaN"):
        Novelty().choose(pool(x), Basket(np.ones(20, np.int64), 5), Setting())
