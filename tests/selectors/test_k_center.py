"""Farthest-first against the plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.selectors import k_center
from triptych.selectors.k_center import KCenter


def rows(n, d=16, label="rows"):
    x = stream("test", "k_center", label).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def pool(vectors, cost=None):
    n = len(vectors)
    cost = np.ones(n, np.int64) if cost is None else cost
    return Candidates(np.arange(n, dtype=np.uint64), cost, cost.astype(float), vectors=vectors)


def slow(vectors, basket):
    """One at a time, everything anew: takes into the basket."""
    vectors = vectors.astype(np.float64)
    steps = np.full(len(vectors), np.inf)
    steps[~vectors.any(axis=1)] = 0

    def see(one):
        far = np.maximum(np.round((1 - vectors @ vectors[one]) / TOLERANCE), 0)
        np.minimum(steps, far, out=steps)

    for one in basket.taken:
        see(one)
    while basket.open().any():
        best = int(np.argmax(np.where(basket.open(), steps, -np.inf)))
        basket.add(best, steps[best] * TOLERANCE)
        see(best)
    return basket


CASES = {
    "plain": {},
    "keep": {"keep": [40, 7, 300]},
    "rooms": {"cells": np.arange(600) % 3, "room": np.array([10, 50, 400])},
    "all": {"limit": 600},
}


@pytest.mark.parametrize("short", [2, 40, 10_000])
@pytest.mark.parametrize("case", CASES)
def test_the_picks_are_those_of_the_loop(case, short, monkeypatch):
    monkeypatch.setattr(k_center, "SHORT", short)
    monkeypatch.setattr(k_center, "ROWS", 128)
    x = rows(600)
    x[100:140] = x[:40]
    x[[9, 200]] = 0
    asked = {"limit": 150, **CASES[case]}
    true = slow(x, Basket(np.ones(600, np.int64), **asked))
    for threads in (1, 2):
        basket = Basket(np.ones(600, np.int64), **asked)
        KCenter().choose(pool(x), basket, Setting(threads=threads))
        assert basket.taken == true.taken
        seen = np.isfinite(true.gains)
        np.testing.assert_allclose(np.array(basket.gains)[seen], np.array(true.gains)[seen], atol=3 * TOLERANCE)
    if case == "all":
        assert set(basket.taken[-42:]) >= {9, 200}  # texts without tokens come with the copies, at distance 0


def test_tokens_are_spent_to_the_last_record_that_fits():
    cost = stream("cost").integers(5, 90, 400)
    x = rows(400)
    true, basket = slow(x, Basket(cost, 3000)), Basket(cost, 3000)
    KCenter().choose(pool(x, cost), basket, Setting())
    assert basket.taken == true.taken
    assert basket.left < cost.min() or not basket.open().any()


def test_all_duplicates_and_a_single_record():
    x = np.repeat(rows(1), 50, axis=0)
    basket = Basket(np.ones(50, np.int64), 20)
    KCenter().choose(pool(x), basket, Setting())
    assert basket.taken == list(range(20))
    assert np.nanmax(basket.gains) == 0
    single = Basket(np.ones(1, np.int64), 1)
    KCenter().choose(pool(x[:1]), single, Setting())
    assert single.taken == [0]
    empty = Basket(np.ones(0, np.int64), 1)
    KCenter().choose(pool(x[:0]), empty, Setting())
    assert empty.taken == []


def test_portions_take_their_share_and_fill_the_budget(monkeypatch):
    monkeypatch.setattr(k_center, "AFFORDABLE", 10)
    monkeypatch.setattr("triptych.selectors._portions.portions.__defaults__", (100,))
    x = rows(500)
    taken = []
    for threads in (1, 2):
        basket = Basket(np.ones(500, np.int64), 60, cells=np.arange(500) // 250, room=np.array([5, 90]), keep=[3])
        choice = KCenter().choose(pool(x), basket, Setting(threads=threads, seed=4))
        assert len(basket) == 60
        assert choice.facts["portions"] == 5
        assert "5 portions" in choice.notes[0]
        taken.append(basket.taken)
    assert taken[0] == taken[1]


def test_the_largest_distance_is_stated():
    x = rows(300)
    basket = Basket(np.ones(300, np.int64), 30)
    choice = KCenter().choose(pool(x), basket, Setting())
    near = (x @ x[basket.taken].T).max(axis=1)
    assert choice.facts["largest_distance"] == pytest.approx(1 - near.min(), abs=1e-5)


def test_nan_is_refused():
    x = rows(20)
    x[3] = np.nan
    with pytest.raises(SelectionError, match="NaN"):
        KCenter().choose(pool(x), Basket(np.ones(20, np.int64), 5), Setting())
