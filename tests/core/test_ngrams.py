"""n-gram hashes against plain Python, and counting by sorting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triptych.core.ngrams import ngram_hashes
from triptych.core.sorting import different, place, run_starts, tally, tally_weighted

RECORDS = st.lists(st.lists(st.integers(0, 3), max_size=7), max_size=6)


def hashes(records, n):
    values = np.array([token for record in records for token in record], dtype=np.int32)
    offsets = np.cumsum([0, *map(len, records)]).astype(np.int64)
    return ngram_hashes(values, offsets, n)


@given(RECORDS, st.integers(1, 5))
def test_ngrams_are_those_of_plain_python(records, n):
    found, counts = hashes(records, n)
    want = [tuple(record[i : i + n]) for record in records for i in range(len(record) - n + 1)]
    assert counts.tolist() == [max(len(record) - n + 1, 0) for record in records]
    assert len(found) == len(want)
    names = {}
    for value, gram in zip(found.tolist(), want, strict=True):
        assert names.setdefault(gram, value) == value
    assert len(set(names.values())) == len(names)


def test_ngrams_never_cross_records():
    assert len(hashes([[1], [2], [3]], 2)[0]) == 0
    assert hashes([[1, 2], [3, 4]], 2)[0].tolist() == [*hashes([[1, 2]], 2)[0], *hashes([[3, 4]], 2)[0]]


def test_hash_depends_on_order_and_place():
    (ab,), (ba,), (aa,) = (hashes([record], 2)[0] for record in ([1, 2], [2, 1], [1, 1]))
    assert len({ab, ba, aa}) == 3


def test_a_part_of_a_longer_array_can_be_read():
    values = np.arange(10, dtype=np.int32)
    found, counts = ngram_hashes(values, np.array([0, 4, 10]), 3)
    assert counts.tolist() == [2, 4]
    assert len(np.unique(found)) == 6


def test_many_ngrams_do_not_meet():
    rng = np.random.default_rng(3)
    values = rng.integers(0, 30_000, 200_000).astype(np.int32)
    found, _ = ngram_hashes(values, np.array([0, len(values)]), 2)
    pairs = values[:-1].astype(np.int64) << 32 | values[1:]
    assert len(np.unique(found)) == len(np.unique(pairs))
    assert len(np.unique(found >> np.uint64(5))) == len(np.unique(pairs))


@given(st.lists(st.integers(0, 5), max_size=12))
def test_sorting(items):
    values = np.array(items, dtype=np.int64)
    unique, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    assert np.array_equal(different(values), unique)
    assert [x.tolist() for x in tally(values)] == [unique.tolist(), counts.tolist()]
    assert [x.tolist() for x in place(values)] == [unique.tolist(), index.tolist()]
    weights = np.arange(len(values), dtype=np.int64)
    sums = np.bincount(index, weights=weights, minlength=len(unique)).astype(int)
    assert [x.tolist() for x in tally_weighted(values, weights)] == [unique.tolist(), sums.tolist()]
    assert len(run_starts(np.sort(values))) == len(unique)
