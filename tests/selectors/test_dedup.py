"""Leaving by pairs against the sort of all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.basket import NONE, Basket
from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.selectors.dedup import Dedup


def rows(n, d=6, label="rows"):
    x = stream("test", "dedup", label).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def pool(vectors, cost=None):
    n = len(vectors)
    cost = np.ones(n, np.int64) if cost is None else cost
    return Candidates(np.arange(n, dtype=np.uint64), cost, cost.astype(float), vectors=vectors)


def slow(vectors, size, keep=()):
    """Positions that stay, in ascending order: all pairs, the most alike first."""
    one, two = np.triu_indices(len(vectors), 1)
    steps = np.round((vectors.astype(np.float64) @ vectors.astype(np.float64).T)[one, two] / TOLERANCE)
    inside = np.ones(len(vectors), bool)
    for at in np.lexsort((one, -two, -steps)):
        if inside.sum() <= size:
            break
        a, b = one[at], two[at]
        if inside[a] and inside[b] and not (a in keep and b in keep):
            inside[a if b in keep else b] = False
    return set(np.flatnonzero(inside))


@pytest.mark.parametrize("size", [395, 300, 120, 20, 1])
def test_who_stays(size):
    x = rows(400)
    x[200:240] = x[:40]
    true = slow(x, size)
    taken = []
    for threads in (1, 2):
        basket = Basket(np.ones(400, np.int64), size)
        choice = Dedup().choose(pool(x), basket, Setting(threads=threads))
        assert len(basket) == size
        taken.append(basket.taken)
    assert taken[0] == taken[1]
    assert len(set(basket.taken) & true) >= 0.97 * size  # beyond the lists a pair may be seen .02 late
    if size >= 300:
        assert set(basket.taken) == true
    out = np.flatnonzero(basket.reason > NONE)
    assert len(out) == 400 - size == choice.facts["removed"]
    assert set(basket.rival[out]) <= set(basket.taken)
    assert basket.score[out].min() == pytest.approx(choice.facts["cosine_at_the_end"], abs=0.021)


def test_must_keeps_never_leave():
    x = rows(300)
    x[200:250] = x[:50]
    keep = [200, 3, 203, 299]
    basket = Basket(np.ones(300, np.int64), 260, keep=keep)
    Dedup().choose(pool(x), basket, Setting())
    assert set(basket.taken) == slow(x, 260, keep)
    assert basket.taken[:4] == keep


def test_rooms_are_filled_with_those_that_left_last():
    x = rows(300)
    cells = np.arange(300) % 2
    basket = Basket(np.ones(300, np.int64), 120, cells=cells, room=np.array([20, 200]))
    Dedup().choose(pool(x), basket, Setting())
    assert len(basket) == 120
    assert (cells[basket.taken] == 0).sum() == 20


def test_tokens_are_spent_within_one_record():
    cost = stream("cost").integers(5, 90, 400)
    basket = Basket(cost, 6000)
    Dedup().choose(pool(rows(400), cost), basket, Setting())
    assert basket.left < 90
    assert not basket.open().any()


def test_all_duplicates_one_record_and_texts_without_tokens():
    x = np.repeat(rows(1), 60, axis=0)
    basket = Basket(np.ones(60, np.int64), 25)
    Dedup().choose(pool(x), basket, Setting())
    assert len(basket) == 25
    assert 0 in basket.taken
    single = Basket(np.ones(1, np.int64), 1)
    assert Dedup().choose(pool(x[:1]), single, Setting()).facts["cosine_at_the_end"] is None
    assert single.taken == [0]
    silent = Basket(np.ones(9, np.int64), 4)
    choice = Dedup().choose(pool(np.zeros((9, 3), np.float32)), silent, Setting())
    assert silent.taken == [0, 1, 2, 3]
    assert "5 records were alike to none" in choice.notes[0]


def test_nothing_leaves_where_all_fit():
    basket = Basket(np.ones(50, np.int64), 80)
    Dedup().choose(pool(np.repeat(rows(25), 2, axis=0)), basket, Setting())
    assert basket.taken == list(range(50))


def test_nan_is_refused():
    x = rows(20)
    x[3] = np.nan
    with pytest.raises(SelectionError, match="NaN"):
        Dedup().choose(pool(x), Basket(np.ones(20, np.int64), 5), Setting())
