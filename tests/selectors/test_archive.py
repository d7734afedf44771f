"""Archive: cells worked by hand, against a slow reference, with caps and must-keeps."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.errors import SelectionError
from triptych.core.selector import Setting
from triptych.selectors._clusters import NO_CLUSTER, clusters_of, different
from triptych.selectors._columns import rank_in
from triptych.selectors.archive import Archive


def pool_of(n, quality=None, **more):
    return Candidates(
        id=np.arange(n, dtype=np.uint64),
        cost=np.ones(n, dtype=np.int64),
        length=more.pop("length", np.ones(n)),
        quality=np.linspace(1, 0, n) if quality is None else np.array(quality, dtype=float),
        **more,
    )


def taken(by, pool, limit, seed=0, **basket):
    held = Basket(pool.cost, limit, **basket)
    return held, Archive(by).choose(pool, held, Setting(seed=seed))


def unit(rows):
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_worked_example():
    """Tags a a a b b c, best first: rarest cells first gives c, b, a, then b, a, then a."""
    pool = pool_of(6, codes={"tag": np.array([0, 0, 0, 1, 1, 2])})
    held, choice = taken("field:tag", pool, 6)
    assert held.taken == [5, 3, 0, 4, 1, 2]
    assert held.gains == [1, 1, 1, 2, 2, 3]
    assert 1 / choice.score == pytest.approx([1 + 2 / 3, 2 + 2 / 3, 3 + 2 / 3, 1 + 1 / 3, 2 + 1 / 3, 1])
    assert choice.facts == {"cells": 3, "coverage": 3, "qd_score": pytest.approx(1.0 + 0.4 + 0.0)}
    assert taken("field:tag", pool, 2)[1].facts["coverage"] == 2


def test_equally_rare_cells_go_by_their_best():
    pool = pool_of(4, codes={"tag": np.array([3, 0, 3, 0])})
    assert taken("field:tag", pool, 4)[0].taken == [0, 1, 2, 3]


def test_numbers_are_cut_at_quantiles_and_missing_ones_stay_apart():
    numbers = np.array([1.0, 2, 3, 4, np.nan, np.nan])
    pool = pool_of(6, numbers={"n": numbers})
    held, choice = taken("field:n:2", pool, 3)
    assert held.taken == [0, 2, 4]
    assert choice.facts["cells"] == 3
    assert taken("field:n:4", pool, 3)[1].facts["cells"] == 5
    equal = pool_of(6, complexity=np.full(6, 2.0))
    assert taken("complexity:6", equal, 3)[1].facts["cells"] == 1


def test_descriptors_combine():
    pool = pool_of(
        8,
        length=np.array([1.0, 9, 1, 9, 1, 9, 1, 9]),
        structure=np.array([1, 1, 2, 2, 1, 1, 2, 2], dtype=np.uint64),
    )
    held, choice = taken("length:2+structure", pool, 4)
    assert choice.score.argsort()[::-1].tolist() == taken("length:2+structure", pool, 8)[0].taken
    assert choice.facts["cells"] == 4
    assert held.taken == [0, 1, 2, 3]
    assert Archive("length:2+structure").needs == ("quality", "structure")
    assert Archive("cluster+complexity+field:a:b:3").needs == ("quality", "vectors", "complexity", "field:a:b")


@pytest.mark.parametrize("by", ["", "cluster:0", "cluster:x", "structure:2", "field:", "length+", "age"])
def test_what_is_no_descriptor(by):
    with pytest.raises(ValueError, match="by is one of"):
        Archive(by)


def test_a_descriptor_named_twice():
    with pytest.raises(ValueError, match="twice"):
        Archive("length:2+length:4")


def reference(cells, quality, cell_of_cap, room, keep, limit):
    """Round after round over lists, asking for everything anew each time."""
    taken, room = list(keep), list(room)
    for one in keep:
        room[cell_of_cap[one]] -= 1
    size = {c: cells.count(c) for c in set(cells)}
    best = {c: min(i for i in range(len(cells)) if cells[i] == c and quality[i] == max(
        q for q, d in zip(quality, cells, strict=True) if d == c)) for c in size}  # fmt: skip
    order = sorted(size, key=lambda c: (size[c], -quality[best[c]], best[c]))
    turn = 0
    while turn < len(cells) and len(taken) < limit:
        turn += 1
        for c in order:
            if sum(cells[i] == c for i in keep) >= turn or len(taken) == limit:
                continue
            free = [i for i in range(len(cells)) if cells[i] == c and i not in taken and room[cell_of_cap[i]] > 0]
            if free:
                one = min(free, key=lambda i: (-quality[i], i))
                taken.append(one)
                room[cell_of_cap[one]] -= 1
    return taken


def test_against_the_slow_reference():
    rng = np.random.default_rng(3)
    for _ in range(40):
        n = int(rng.integers(5, 40))
        quality = -np.sort(-rng.integers(0, 6, size=n) / 5)
        tags = rng.integers(0, 6, size=n) ** 2 // 7
        caps, room = rng.integers(0, 3, size=n), rng.integers(1, 12, size=3)
        keep = [int(i) for i in rng.choice(n, size=2, replace=False) if room[caps[i]] > 1]
        limit = int(rng.integers(len(keep) + 1, n + 1))
        pool = pool_of(n, quality, codes={"tag": tags})
        held, _ = taken("field:tag", pool, limit, cells=caps, room=room, keep=keep)
        assert held.taken == reference(tags.tolist(), quality.tolist(), caps.tolist(), room.tolist(), keep, limit)


def test_planted_clusters_are_covered():
    rng = np.random.default_rng(0)
    centres = unit(rng.normal(size=(8, 32)))
    of = np.repeat(np.arange(8), [200, 100, 50, 20, 10, 5, 3, 2])
    rng.shuffle(of)
    pool = pool_of(len(of), vectors=unit(centres[of] + 0.02 * rng.normal(size=(len(of), 32))))
    held, choice = taken("cluster:16", pool, 24)
    assert set(of[held.taken]) == set(range(8))
    assert choice.facts["coverage"] == choice.facts["cells"]


def test_clusters_do_not_depend_on_order_copies_or_memo():
    rng = np.random.default_rng(1)
    vectors = unit(rng.normal(size=(300, 16)))
    vectors[5] = 0
    codes, centroids = clusters_of(pool_of(300, vectors=vectors), 10, 0)
    assert codes[5] == NO_CLUSTER
    assert centroids.shape == (10, 16)
    assert codes.dtype == np.int64
    shuffled = rng.permutation(300)
    again, _ = clusters_of(pool_of(300, vectors=vectors[shuffled]), 10, 0)
    assert np.array_equal(again, codes[shuffled])
    doubled, _ = clusters_of(pool_of(600, vectors=np.concatenate([vectors, vectors])), 10, 0)
    assert np.array_equal(doubled, np.concatenate([codes, codes]))
    nearest = (vectors @ centroids.T).argmax(axis=1)
    assert np.array_equal(np.delete(nearest, 5), np.delete(codes, 5))
    pool = pool_of(300, vectors=vectors)
    assert clusters_of(pool, 10, 0)[0] is clusters_of(pool, 10, 0)[0]
    assert not np.array_equal(clusters_of(pool, 10, 1)[0], codes)


def test_fewer_vectors_than_clusters():
    same = unit(np.ones((5, 4)))
    assert clusters_of(pool_of(5, vectors=same), 64, 0)[0].tolist() == [0] * 5
    assert clusters_of(pool_of(5, vectors=np.zeros((5, 4), dtype=np.float32)), 64, 0)[0].tolist() == [NO_CLUSTER] * 5


def test_vectors_that_are_not_finite_are_refused():
    vectors = unit(np.ones((5, 4)))
    vectors[3, 1] = np.nan
    with pytest.raises(SelectionError, match="1 of 5 vectors are not finite"):
        taken("cluster:2", pool_of(5, vectors=vectors), 2)


def test_different_vectors():
    rows = np.array([[1, 0], [0, 1], [1, -0.0], [0, 1]], dtype=np.float32)
    first, place = different(rows)
    assert np.array_equal(rows[first][place], rows)
    assert len(first) == 2


def test_rank_in():
    assert rank_in(np.array([2, 0, 2, 2, 0])).tolist() == [0, 0, 1, 2, 1]
    assert rank_in(np.array([-1, 0, -1])).tolist() == [0, 0, 1]
    assert rank_in(np.array([], dtype=np.int64)).tolist() == []
