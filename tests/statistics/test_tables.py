"""Tables of keys: exact below capacity, a hash-threshold sample above it, whatever the order."""

from __future__ import annotations

import functools
import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.batch import Batch, list_array
from triptych.core.groups import GROUPS, everything, only
from triptych.core.rng import stream
from triptych.statistics import tables
from triptych.statistics.tables import ColumnTable, NGramTable
from triptych.testing.laws import masks, same_bits


def batch(tokens: np.ndarray, per_record: int, start: int = 0) -> Batch:
    n = len(tokens) // per_record
    rng = stream("table", start)
    column = list_array(tokens.astype(np.int32), np.arange(0, len(tokens) + 1, per_record))
    return Batch(
        {"tokens@response": column},
        rng.integers(0, GROUPS, n).astype(np.uint8),
        np.arange(start, start + n, dtype=np.uint64),
    )


def zipf(n: int, *labels: str | int) -> np.ndarray:
    return np.minimum(stream("zipf", *labels).zipf(1.2, n), 1 << 30)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(tables, "CAPACITY", 2000)
    monkeypatch.setattr(tables, "_PENDING", 500)


def test_exact_against_counters():
    one = batch(zipf(6000), 6)
    table = NGramTable(n=2)
    table.update(one)
    rows = one.columns["tokens@response"].to_pylist()
    for keep in [everything(), *masks(), only([7])]:
        grams = [(a, b) for row, g in zip(rows, one.group, strict=True) if keep[g] for a, b in pairwise(row)]
        counts = Counter(grams)
        assert table.total(keep) == len(grams)
        assert table.distinct(keep) == len(counts)
        entropy = -sum(c / len(grams) * math.log(c / len(grams)) for c in counts.values())
        assert table.entropy(keep) == pytest.approx(entropy)
        assert table.records(keep) == sum(keep[one.group])
    assert table.bound() == (True, None)


def test_sample_is_within_its_bound(small):
    found, errors = [], []
    for repetition in range(12):
        one = batch(zipf(60_000, repetition), 4, repetition)
        table = NGramTable(n=1)
        table.update(one)
        truth = len(np.unique(one.lists("tokens@response")[0]))
        exact, bound = table.bound()
        assert not exact
        stated = float(bound.rpartition("±")[2])
        found.append(abs(table.distinct(everything()) / truth - 1) <= stated)
        errors.append(table.distinct(everything()) / truth - 1)
        assert len(table.state()["words"]) <= 2000
        assert table.total(everything()) == 60_000
    assert sum(found) >= 11
    assert abs(np.mean(errors)) < 3 * np.std(errors) / math.sqrt(12)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(6)), tree=st.integers(0, 3), cut=st.integers(1, 900))
def test_any_order_and_tree_give_the_same_sample(order, tree, cut):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "CAPACITY", 1000)
        patch.setattr(tables, "_PENDING", 300)
        parts = [batch(zipf(3000, part), 3, part) for part in range(6)]
        straight = NGramTable(n=2)
        for part in parts:
            straight.update(part)
        made = []
        for i in order:
            table = NGramTable(n=2)
            place = np.arange(len(parts[i])) < cut
            table.update(parts[i].take(place))
            table.update(parts[i].take(~place))
            made.append(table)
        folded = functools.reduce(_merged, made) if tree < 2 else _tree(made)
        if tree == 1:
            folded = _merged(NGramTable(n=2), folded)
        assert straight.state()["level"] > 0
        assert same_bits(straight.state(), folded.state()) is None


def _merged(a: NGramTable, b: NGramTable) -> NGramTable:
    a.merge(b)
    return a


def _tree(parts: list[NGramTable]) -> NGramTable:
    while len(parts) > 1:
        parts = [functools.reduce(_merged, parts[i : i + 2]) for i in range(0, len(parts), 2)]
    return parts[0]


def test_copies_of_one_record_cost_one_entry_a_group(small):
    table = NGramTable(n=2)
    for start in range(4):
        table.update(batch(np.tile([5, 6, 7], 5000), 3, start))
    assert table.bound() == (True, None)
    assert table.distinct(everything()) == 2
    assert table.total(everything()) == 40_000
    assert len(table.state()["words"]) == 64


def test_entropy_of_a_sample_is_near(small):
    one = batch(stream("even").integers(0, 20_000, 40_000), 4)
    table = NGramTable(n=1)
    table.update(one)
    counts = np.unique(one.lists("tokens@response")[0], return_counts=True)[1] / 40_000
    assert table.entropy(everything()) == pytest.approx(-np.sum(counts * np.log(counts)), rel=0.1)


def test_column_table_reads_both_kinds_of_keys():
    import pyarrow as pa

    columns = {
        "content_id": pa.array([bytes([i % 3]) * 16 for i in range(9)], type=pa.binary(16)),
        "template@prompt": pa.array([1, None, 2, 1, None, 2, 0, 0, 0], type=pa.uint64()),
    }
    one = Batch(columns, np.arange(9, dtype=np.uint8), np.arange(9, dtype=np.uint64))
    content, template = ColumnTable(column="content_id"), ColumnTable(column="template@prompt")
    content.update(one)
    template.update(one)
    assert (content.distinct(everything()), content.total(everything())) == (3, 9)
    assert (template.distinct(everything()), template.total(everything()), template.records(everything())) == (3, 7, 7)
    assert template.entropy(everything()) == pytest.approx(-(2 * 2 / 7 * math.log(2 / 7) + 3 / 7 * math.log(3 / 7)))
