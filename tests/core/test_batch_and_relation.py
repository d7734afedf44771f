"""Arrow columns as numpy arrays: nulls, slices, empty batches; sparse columns of relations."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.core.batch import Batch, flat_lists, list_array
from triptych.core.groups import GROUPS, group_of
from triptych.core.relation import Keys, Sparse

COLUMNS = {
    "number": pa.array([1.5, None, float("nan"), float("inf"), -2.0]),
    "whole": pa.array([1, None, 3, 4, 5], type=pa.int32()),
    "truth": pa.array([True, None, False, True, True]),
    "flags": pa.array([0, 1, 2, 0, 65535], type=pa.uint16()),
    "defects": pa.array([0, 1, 0, 2, 0], type=pa.uint16()),
    "content": pa.array([bytes([i]) * 16 for i in range(5)], type=pa.binary(16)),
    "list": pa.array([[1, 2], None, [], [3], [4, 5, 6]], type=pa.list_(pa.int32())),
    "vector": pa.array([[1, 2], None, [3, 4], [5, 6], [7, 8]], type=pa.list_(pa.float32(), 2)),
    "text": pa.array(["a", None, "é", "", "b"]),
}


def batch(start: int = 0, stop: int = 5) -> Batch:
    columns = {name: column.slice(start, stop - start) for name, column in COLUMNS.items()}
    return Batch(columns, np.arange(start, stop, dtype=np.uint8), np.arange(start, stop, dtype=np.uint64))


def test_numbers_and_where_they_are():
    values, present = batch().numbers("number")
    assert present.tolist() == [True, False, False, False, True]
    assert values[present].tolist() == [1.5, -2.0]
    assert batch().numbers("whole")[0].tolist() == [1, 0, 3, 4, 5]
    assert batch().numbers("truth")[0][[0, 2]].tolist() == [1, 0]


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (1, 4), (2, 5), (3, 3), (0, 0)])
def test_slices_are_slices(start, stop):
    whole, part = batch(), batch(start, stop)
    span = slice(start, stop)
    assert np.array_equal(part.keys("flags"), whole.keys("flags")[span])
    assert np.array_equal(part.keys("content"), whole.keys("content")[span])
    assert np.array_equal(part.matrix("vector"), whole.matrix("vector")[span])
    assert part.bytes("text") == whole.bytes("text")[span]
    assert part.present("text").tolist() == whole.present("text").tolist()[span]
    values, offsets = part.lists("list")
    want = [row or [] for row in COLUMNS["list"].to_pylist()[span]]
    assert [values[a:b].tolist() for a, b in pairwise(offsets)] == want


def test_null_vectors_are_zero():
    assert batch().matrix("vector").tolist() == [[1, 2], [0, 0], [3, 4], [5, 6], [7, 8]]


def test_where_and_take():
    valid = batch().where("valid")
    assert valid.group.tolist() == [0, 2, 4]
    assert valid.bytes("text") == [b"a", "é".encode(), b"b"]
    assert valid.lists("list")[0].tolist() == [1, 2, 4, 5, 6]
    assert valid.matrix("vector").tolist() == [[1, 2], [3, 4], [7, 8]]
    assert len(batch().take(np.zeros(5, dtype=np.bool_))) == 0
    assert batch().where("all").group.tolist() == [0, 1, 2, 3, 4]


@given(st.lists(st.one_of(st.none(), st.lists(st.integers(0, 9), max_size=4)), max_size=8))
def test_lists_there_and_back(rows):
    column = pa.array(rows, type=pa.list_(pa.int32()))
    values, offsets = flat_lists(column)
    assert list_array(values, offsets).to_pylist() == [row or [] for row in rows]


@given(st.sets(st.integers(0, 19)), st.integers(0, 20), st.integers(0, 20))
def test_sparse_pieces(positions, a, b):
    start, stop = sorted((a, b))
    at = np.array(sorted(positions), dtype=np.int64)
    values = (at * 10).astype(np.float64)
    want = [i * 10 if i in positions else None for i in range(start, stop)]
    assert Sparse(at, values).piece(start, stop).to_pylist() == want
    wide = Sparse(at, np.stack([values, values + 1], axis=1)).piece(start, stop)
    assert wide.to_pylist() == [None if value is None else [value, value + 1] for value in want]


@given(st.lists(st.integers(0, 90), max_size=200))
def test_what_was_dealt(clusters):
    """Records on their own and clusters, counted one by one; none where few clusters hold most."""
    n = len(clusters)
    cluster = np.array(clusters, dtype=np.uint64)
    address = np.arange(n, dtype=np.uint64) * np.uint64(7919)
    group = group_of(np.where(cluster == 0, address, cluster + np.uint64(1 << 40)))
    found = Keys(np.arange(n), address, group, cluster).dealt()
    sizes = [*Counter(key for key in clusters if key).values(), *(1 for key in clusters if not key)]
    if not any(clusters) or n**2 < GROUPS * sum(size**2 for size in sizes):
        assert found is None
        return
    want = np.zeros(GROUPS, dtype=int)
    seen = set()
    for where, key in zip(group.tolist(), clusters, strict=True):
        if key == 0 or key not in seen:
            want[where] += 1
        seen.add(key)
    assert found.tolist() == want.tolist()


def test_few_clusters_with_most_records_tell_nothing():
    sizes = [*[1] * 100, *[100] * 3]
    cluster = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.uint64), sizes)
    group = group_of(cluster)
    address = np.arange(len(cluster), dtype=np.uint64)
    assert Keys(address.astype(np.int64), address, group, cluster).dealt() is None
    even = np.repeat(np.arange(1, 41, dtype=np.uint64), 10)
    found = Keys(np.arange(400), address[:400], group_of(even), even).dealt()
    assert found is not None
    assert found.sum() == 40
