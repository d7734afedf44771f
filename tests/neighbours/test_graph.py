"""Neighbours against the obvious sort of all similarities: exact, with ties, by threads, from memo and cache."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.neighbours import clusters, pairs, search
from triptych.neighbours import graph as graphs
from triptych.neighbours.graph import build, graph_of, nearest
from triptych.neighbours.search import Rows


def rows(n, d=24, label="rows"):
    x = stream("test", "neighbours", label).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def pool(vectors, key=""):
    n = len(vectors)
    return Candidates(np.arange(n, dtype=np.uint64), np.ones(n, np.int64), np.ones(n), vectors=vectors, key=key)


def slow(queries, base, k, own=False):
    """By sorting everything: (position, similarity), equals by position."""
    steps = np.round(queries.astype(np.float64) @ base.astype(np.float64).T / TOLERANCE)
    steps[:, ~base.any(axis=1)] = -np.inf
    steps[~queries.any(axis=1)] = -np.inf
    if own:
        np.fill_diagonal(steps, -np.inf)
    order = np.argsort(-steps, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(steps, order, axis=1)
    return np.where(found > -np.inf, order, -1), found * TOLERANCE


@pytest.mark.parametrize("k", [1, 7, 40])
def test_the_graph_is_the_sorted_one(k):
    x = rows(1500)
    x[[3, 900]] = 0
    found, (at, close) = build(x, k, 2), slow(x, x, k, own=True)
    assert found.exact
    assert found.recall is None
    np.testing.assert_allclose(found.similarity, close, atol=3 * TOLERANCE)
    assert (found.neighbour != at).mean() < 0.001  # neighbours less than a step apart may change places
    assert (np.diff(found.similarity[4], axis=0) <= 0).all()


@pytest.mark.parametrize("order", [0, 1])
def test_copies_are_ordered_by_position_however_many_there_are(order):
    x = np.repeat(rows(4), 600, axis=0)[stream("mixed", order).permutation(2400)]
    found, (at, _) = build(x, 9, 1), slow(x, x, 9, own=True)
    np.testing.assert_array_equal(found.neighbour, at)


def crowded(n):
    """Loose clusters, tight ones, a hundred copies of one row, 1,500 of another, zeros; a row count that eight does not divide."""
    x = rows(n, label="crowded")
    x[::3] = x[0] + 0.3 * x[::3]
    x[1::7] = x[1] + 0.001 * x[1::7]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    x[5:n:40], x[200:1700] = x[5], x[200]
    x[[17, n - 1]] = 0
    return x


@pytest.mark.parametrize("make", [rows, crowded])
@pytest.mark.parametrize("threads", [1, 2])
def test_pairs_that_are_made_once_give_the_bits_of_a_plain_search(make, threads, monkeypatch):
    x = make(4403)
    halved = build(x, 12, threads)
    monkeypatch.setattr(search, "WORTH", 10_000)
    plain = build(x, 12, 1)
    np.testing.assert_array_equal(halved.neighbour, plain.neighbour)
    np.testing.assert_array_equal(halved.similarity, plain.similarity)


def test_the_nearest_among_pairs_are_the_largest_products():
    x = rows(4096)
    found = pairs.likely(x, 20, 2)
    assert found.min() >= 0
    wanted = np.sort(np.partition(x @ x.T, 4096 - 20, axis=1)[:, 4096 - 20 :], axis=1)
    got = np.sort(np.take_along_axis(x @ x.T, found, axis=1), axis=1)
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_threads_do_not_matter():
    x = rows(3000)
    for below in (5000, 100):
        one, two = build(x, 8, 1, below), build(x, 8, 2, below)
        np.testing.assert_array_equal(one.neighbour, two.neighbour)
        np.testing.assert_array_equal(one.similarity, two.similarity)


def test_zeros_have_no_neighbours_and_few_rows_have_few():
    x = rows(3)
    x[1] = 0
    found = build(x, 4, 1)
    assert found.neighbour.tolist() == [[2, -1, -1, -1], [-1, -1, -1, -1], [0, -1, -1, -1]]
    assert np.isneginf(found.similarity[1]).all()
    assert (build(x[:1], 2, 1).neighbour == -1).all()
    assert build(x[:0], 2, 1).neighbour.shape == (0, 2)


def test_the_approximate_graph_says_what_it_finds(monkeypatch):
    monkeypatch.setattr(clusters, "PROBES", (3, 6, 12))
    monkeypatch.setattr(clusters, "ENOUGH", 0.9)
    centres = rows(40, label="centres")
    x = np.repeat(centres, 100, axis=0) + 0.4 * rows(4000)
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    found, true = build(x, 10, 2, below=100), build(x, 10, 2)
    share = (found.similarity >= true.similarity[:, -1:] - 2 * TOLERANCE).mean()
    assert not found.exact
    assert share > 0.8
    assert found.recall == pytest.approx(share, abs=0.05)
    np.testing.assert_array_equal(found.neighbour < 0, np.isneginf(found.similarity))
    assert (found.neighbour != np.arange(4000)[:, None]).all()


def test_large_clusters_of_copies_are_cut(monkeypatch):
    monkeypatch.setattr(clusters, "LARGEST", 100)
    x = np.repeat(rows(2), 500, axis=0)
    found = build(x, 5, 2, below=10)
    np.testing.assert_allclose(found.similarity, 1, atol=TOLERANCE)
    assert (np.sort(found.neighbour, axis=1)[:, 1:] != np.sort(found.neighbour, axis=1)[:, :-1]).all()


@pytest.mark.parametrize("product", [10**9, 1])
def test_the_nearest_of_others(product, monkeypatch):
    monkeypatch.setattr(clusters, "PROBES", (10**4,))  # every cluster: then the clustered search is the exact one
    queries, base = rows(700, label="queries"), rows(300, label="base")
    queries[5], base[7] = 0, 0
    found = nearest(queries, base, 2, product=product)
    true, similarity = slow(queries, base, 1)
    np.testing.assert_array_equal(found.at, true[:, 0])
    np.testing.assert_allclose(found.similarity, similarity[:, 0], atol=3 * TOLERANCE)
    assert found.at[5] == -1
    assert np.isneginf(found.similarity[5])
    assert found.recall == (None if product > 1 else 1.0)


def test_nearest_leaves_out_oneself():
    base = rows(60)
    base[11] = base[10]
    at = nearest(base, base, 1, skip=np.arange(60)).at
    np.testing.assert_array_equal(at, slow(base, base, 1, own=True)[0][:, 0])
    assert (at[10], at[11]) == (11, 10)
    assert nearest(base[:1], base[:1], 1, skip=np.zeros(1, np.int64)).at.tolist() == [-1]
    mixed = nearest(base[:2], base[:1], 1, skip=np.array([0, -1]))
    assert mixed.at.tolist() == [-1, 0]


def test_a_graph_is_kept_in_the_memo_and_on_disk(tmp_path, monkeypatch):
    x, setting = rows(200), Setting(cache=tmp_path)
    first = graph_of(pool(x, "key"), 12, setting)
    monkeypatch.setattr(graphs, "build", None)  # from here on nothing is computed
    again = pool(x, "key")
    for k in (12, 5):
        np.testing.assert_array_equal(graph_of(again, k, setting).neighbour, first.neighbour[:, :k])
    assert graph_of(again, 5, Setting()).k == 5  # from the memo
    with pytest.raises(TypeError):
        graph_of(pool(x, "another"), 5, setting)


def test_a_damaged_graph_is_built_again(tmp_path):
    x, setting = rows(80), Setting(cache=tmp_path)
    first = graph_of(pool(x, "key"), 4, setting)
    (kept,) = (tmp_path / "neighbours").iterdir()
    (kept / "neighbour.npy").write_bytes(b"nothing")
    np.testing.assert_array_equal(graph_of(pool(x, "key"), 4, setting).neighbour, first.neighbour)
    assert np.load(kept / "neighbour.npy").shape == (80, 4)
    assert [place.name for place in (tmp_path / "neighbours").iterdir()] == [kept.name]


def test_nan_is_refused():
    x = rows(20)
    x[4, 2] = np.nan
    with pytest.raises(SelectionError, match="1 of 20 vectors are not finite"):
        build(x, 3, 1)
    with pytest.raises(SelectionError, match="no vectors"):
        graph_of(Candidates(np.zeros(1, np.uint64), np.ones(1, np.int64), np.ones(1)), 3, Setting())


def clumps(n, groups, label):
    x = np.repeat(rows(groups, label="centres"), n // groups, axis=0) + 0.4 * rows(n, label=label)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_the_approximate_nearest_says_how_many_it_finds(monkeypatch):
    monkeypatch.setattr(clusters, "PROBES", (1, 2, 4, 8, 16))
    queries, base, heard = clumps(4000, 40, "queries"), clumps(1200, 40, "base"), []
    found = nearest(queries, base, 2, product=1, told=heard.append)
    true = nearest(queries, base, 2, told=heard.append)
    share = (found.similarity >= true.similarity - 2 * TOLERANCE).mean()
    assert true.recall is None
    assert share > 0.95
    assert found.recall == pytest.approx(share, abs=0.03)
    assert sum(heard) == 2 * 4000


def test_as_many_clusters_are_seen_as_the_data_need(monkeypatch):
    monkeypatch.setattr(clusters, "PROBES", (1, 2, 4, 8, 16, 32, 64))
    apart, mixed = clumps(4000, 40, "queries"), rows(4000)
    found, asked = {}, np.arange(0, 4000, 40)
    for name, x in (("apart", apart), ("mixed", mixed)):
        true, base = build(x, 5, 1).neighbour[asked], Rows.of(x)
        centroid = clusters._centroids(base)
        found[name] = count = clusters.enough(x[asked], true, base, centroid, 1)
        cells = clusters.Cells.of(base, base, centroid, count, 1)
        own = np.empty(4000, dtype=np.int64)
        for cell, members in enumerate(cells.members):
            own[members] = cell
        share = (own[true][:, :, None] == cells.ranks[asked][:, None, :]).any(axis=2).mean()
        assert share >= clusters.ENOUGH or count == len(centroid)
        assert (own == cells.ranks[:, 0]).all()
    assert found["apart"] < found["mixed"]
    monkeypatch.setattr(clusters, "MOST", 2 * 4000 / len(centroid))  # two clusters of them
    assert clusters.enough(x[asked], true, base, centroid, 1) == 2
