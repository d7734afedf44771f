"""The TF-IDF judge against the n x n matrix, its jackknife against recomputation, and both on a known population."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, everything, without
from triptych.core.interval import interval
from triptych.selecting.frontier.judging import lexical_vendi
from triptych.selecting.lexical import Lexicon, SquaredCosines


def flat(texts):
    offsets = np.cumsum([0, *map(len, texts)])
    return np.array([token for text in texts for token in text], dtype=np.int32), offsets


def some_texts(n, seed=0, vocabulary=60):
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, vocabulary + 1)
    weights /= weights.sum()
    return [rng.choice(vocabulary, int(rng.integers(0, 12)), p=weights).tolist() for _ in range(n)]


def groups(n, seed=1):
    return np.random.default_rng(seed).integers(0, GROUPS, n).astype(np.uint8)


def slow_vectors(texts, known):
    """Counts times log(n / document frequency), scaled to 1, one entry at a time."""
    width = 1 + max([token for text in [*texts, *known] for token in text], default=0)
    rows = np.zeros((len(texts), width))
    for i, text in enumerate(texts):
        for token in text:
            held = sum(token in other for other in known)
            rows[i, token] += np.log(len(known) / max(held, 1))
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1)


def slow_vendi(rows):
    rows = rows[np.linalg.norm(rows, axis=1) > 0]
    return 1 / float(np.mean((rows @ rows.T) ** 2))


def test_vectors_are_weighted_counts():
    known, texts = some_texts(80), [*some_texts(20, seed=3), [1, 1, 500], []]
    rows = Lexicon(*flat(known)).vectors(*flat(texts)).toarray()
    assert rows[:, : rows.shape[1]] == pytest.approx(slow_vectors(texts, known)[:, : rows.shape[1]], abs=1e-12)


def test_what_is_given_is_left_alone():
    values, offsets = flat(some_texts(30))
    before = values.copy(), offsets.copy()
    once = Lexicon(values, offsets).vectors(values, offsets).toarray()
    assert (values == before[0]).all()
    assert (offsets == before[1]).all()
    assert once == pytest.approx(slow_vectors(some_texts(30), some_texts(30))[:, : once.shape[1]], abs=1e-12)


def test_a_token_that_all_hold_weighs_nothing():
    texts = [[1, 2], [1, 3], [1]]
    rows = Lexicon(*flat(texts)).vectors(*flat(texts))
    assert np.diff(rows.indptr).tolist() == [1, 1, 0]


@pytest.mark.parametrize("n", [3, 40, 700])
def test_the_judge_is_vendi_of_the_whole_matrix(n):
    texts, group = some_texts(n), groups(n)
    lexicon = Lexicon(*flat(texts))
    rows = lexicon.vectors(*flat(texts))
    squares = SquaredCosines(rows, group)
    dense = rows.toarray()
    assert squares.vendi(everything()) == pytest.approx(slow_vendi(dense), rel=1e-5)
    assert squares.table == pytest.approx(squares.table.T)
    for g in (0, 5, 31):
        kept = dense[group != g]
        assert squares.vendi(without(g)) == pytest.approx(slow_vendi(kept), rel=1e-5)
        assert squares.records(without(g)) == (np.linalg.norm(kept, axis=1) > 0).sum()


def test_the_interval_is_the_jackknife_recomputed():
    texts, group = some_texts(400), groups(400)
    rows = Lexicon(*flat(texts)).vectors(*flat(texts))
    dense = rows.toarray()
    held = np.linalg.norm(dense, axis=1) > 0

    def again(keep):
        return slow_vendi(dense[held & keep[group]]) if (held & keep[group]).any() else Undefined("none")

    slow = interval(again, lambda keep: int((held & keep[group]).sum()), "growing", (1.0, float("inf")))
    found = lexical_vendi(rows, group)
    assert (found.lo, found.hi) == pytest.approx((slow.lo, slow.hi), rel=1e-4)


def test_no_number_without_a_vector():
    texts = [[4, 5]] * 50
    found = lexical_vendi(Lexicon(*flat(texts)).vectors(*flat(texts)), groups(50))
    assert found.value is None
    assert "token" in found.reason
    nothing = lexical_vendi(Lexicon(*flat([])).vectors(*flat([])), groups(0))
    assert nothing.value is None


def test_copies_of_one_text_are_one_record():
    lexicon = Lexicon(*flat([[1], [2], [3]]))
    found = lexical_vendi(lexicon.vectors(*flat([[1]] * 100)), groups(100))
    assert found.value == 1.0
    assert found.lo is None
    assert found.reason


def kinds(n, seed, of=40):
    """Texts of one token each, of `of` equally common kinds: squared cosines are 1 within a kind and 0 between."""
    return [[int(kind)] for kind in np.random.default_rng(seed).integers(0, of, n)]


def test_the_mean_and_the_interval_on_a_known_population():
    """A record with itself counts: the expected mean square is 1/n + (1 - 1/n)/40. The interval covers what it gives."""
    n, of, trials = 300, 40, 150
    lexicon = Lexicon(*flat([[kind] for kind in range(of)]))
    truth = 1 / (1 / n + (1 - 1 / n) / of)
    found = [
        lexical_vendi(lexicon.vectors(*flat(kinds(n, 1000 * t))), groups(n, seed=7 * t + 1)) for t in range(trials)
    ]
    assert np.mean([1 / one.value for one in found]) == pytest.approx(1 / truth, rel=0.01)
    covered = np.mean([one.lo <= truth <= one.hi for one in found])
    assert 0.88 <= covered <= 1.0, covered
