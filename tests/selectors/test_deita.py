"""The filter of DEITA against the plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.errors import SelectionError, SpecError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.selectors import deita
from triptych.selectors.deita import Deita


def rows(n, d=8, label="rows"):
    x = stream("test", "deita", label).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def pool(vectors, quality=None, complexity=None, cost=None):
    n = len(vectors)
    quality = np.sort(stream("test", "deita", "quality").random(n))[::-1] if quality is None else np.asarray(quality)
    cost = np.ones(n, np.int64) if cost is None else cost
    return Candidates(
        np.arange(n, dtype=np.uint64), cost, cost.astype(float), quality=quality, complexity=complexity, vectors=vectors
    )


def slow(vectors, score, basket, threshold):
    """One at a time."""
    refused = {}
    for one in np.argsort(-score, kind="stable").tolist():
        if not basket.admits(one) or not vectors[one].any():
            continue
        close = (vectors[basket.taken] @ vectors[one]).astype(np.float64)
        if len(close) and np.round(close.max() / TOLERANCE) > np.round(threshold / TOLERANCE):
            refused[one] = (float(close.max()), basket.taken[int(close.argmax())])
        else:
            basket.add(one)
    return refused


CASES = {
    "plain": {},
    "keep": {"keep": [40, 7, 300]},
    "rooms": {"cells": np.arange(700) % 3, "room": np.array([4, 50, 400])},
    "all": {"limit": 700},
}


@pytest.mark.parametrize("block", [1, 16, 1000])
@pytest.mark.parametrize("case", CASES)
def test_the_picks_are_those_of_the_loop_for_any_block(case, block, monkeypatch):
    monkeypatch.setattr(deita, "BLOCK", block)
    monkeypatch.setattr(deita, "PIECE", 10)
    x = rows(700)
    x[100:140] = x[:40]
    x[[9, 200]] = 0
    candidates = pool(x, complexity=stream("c").random(700))
    asked = {"limit": 120, **CASES[case]}
    true = Basket(candidates.cost, **asked)
    refused = slow(x, candidates.quality * candidates.complexity, true, 0.6)
    for threads in (1, 2):
        basket = Basket(candidates.cost, **asked)
        choice = Deita(threshold=0.6).choose(candidates, basket, Setting(threads=threads))
        assert basket.taken == true.taken
        why = basket.reasons.index(deita.TOO_CLOSE)
        assert set(np.flatnonzero(basket.reason == why)) == set(refused)
        for one, (close, rival) in refused.items():
            assert basket.score[one] == pytest.approx(close, abs=3 * TOLERANCE)
            assert (basket.rival[one], basket.threshold[one]) == (rival, 0.6)
    assert choice.facts["refused"] == len(refused)
    assert choice.scored == "quality times complexity"


def test_a_text_without_tokens_is_never_taken_unless_it_must_be():
    x = rows(30)
    x[[0, 5]] = 0
    basket = Basket(np.ones(30, np.int64), 30, keep=[5])
    Deita(threshold=1.0).choose(pool(x), basket, Setting())
    assert 5 in basket.taken
    assert 0 not in basket.taken
    assert basket.reasons[basket.reason[0]].startswith("a text without tokens")


def test_copies_go_at_any_threshold_below_one():
    x = np.repeat(rows(5), 20, axis=0)
    basket = Basket(np.ones(100, np.int64), 50)
    choice = Deita(threshold=0.99).choose(pool(x), basket, Setting())
    assert basket.taken == [0, 20, 40, 60, 80]
    assert "45 of the budget left" in choice.notes[-1]
    filled = Basket(np.ones(100, np.int64), 50)  # with a threshold to find, the budget comes first
    assert Deita().choose(pool(x), filled, Setting()).facts["threshold"] == 1
    assert len(filled) == 50


def test_auto_finds_the_lowest_threshold_that_fills_the_budget_within_the_depth():
    x = rows(800)
    candidates = pool(x)
    for depth in (1.2, 3.0):
        basket = Basket(candidates.cost, 60)
        facts = Deita(depth=depth).choose(candidates, basket, Setting()).facts
        assert len(basket) == 60
        assert facts["read"] <= facts["may_read"] == round(60 * depth)
        assert facts["refused"] > 0
        below = Basket(candidates.cost, 60)
        slow(x[: facts["may_read"]], candidates.quality[: facts["may_read"]], below, facts["threshold"] - 1 / 256)
        assert len(below) < 60


def test_depth_trades_quality_for_distance():
    x, found = rows(800), []
    for depth in (6.0, 1.5):
        basket = Basket(np.ones(800, np.int64), 60)
        facts = Deita(depth=depth).choose(pool(x), basket, Setting()).facts
        found.append((facts["threshold"], pool(x).quality[basket.taken].mean()))
    assert found[0] < found[1]


def test_tokens_are_spent_within_one_record():
    cost = stream("cost").integers(5, 90, 600)
    basket = Basket(cost, 3000)
    Deita().choose(pool(rows(600), cost=cost), basket, Setting())
    assert basket.left < 90


def test_negative_scores_are_brought_to_the_range_of_the_paper():
    quality, complexity = np.array([1.0, 0.0, -1.0, -2.0]), np.array([-5.0, -4.0, -9.0, -1.0])
    basket = Basket(np.ones(4, np.int64), 1)
    choice = Deita(threshold=1.0).choose(pool(rows(4), quality, complexity), basket, Setting())
    one, two = 1 + 5 * (quality + 2) / 3, 1 + 5 * (complexity + 9) / 8
    np.testing.assert_allclose(choice.score, one * two)
    assert choice.facts["scaled_to_1_6"]


def test_missing_complexity_is_no_zero():
    complexity = np.array([1.0, np.nan, 2.0, 3.0])
    basket = Basket(np.ones(4, np.int64), 4)
    Deita(threshold=1.0).choose(pool(rows(4), np.array([4.0, 3.0, 2.0, 1.0]), complexity), basket, Setting())
    assert basket.taken == [0, 2, 3]  # 4, 4 and 3; of equals the first
    assert basket.reasons[basket.reason[1]].startswith("no complexity")
    choice = Deita(threshold=1.0).choose(pool(rows(4)), Basket(np.ones(4, np.int64), 4), Setting())
    assert choice.scored == "quality"
    assert "quality alone" in choice.notes[0]


def test_dials_and_vectors_are_checked():
    for wrong in ({"threshold": 1.5}, {"depth": 1.0}, {"depth": float("nan")}):
        with pytest.raises(SpecError, match="deita"):
            Deita(**wrong)
    x = rows(20)
    x[3] = np.nan
    with pytest.raises(SelectionError, match="NaN"):
        Deita().choose(pool(x), Basket(np.ones(20, np.int64), 5), Setting())
    single = Basket(np.ones(1, np.int64), 1)
    Deita().choose(pool(rows(1)), single, Setting())
    assert single.taken == [0]
