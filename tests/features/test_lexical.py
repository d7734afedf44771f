"""HD-D against the slow, obvious sum over types with exact binomials."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import comb

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.features.lexical import LexicalDiversity, hdd


def reference(tokens, draws):
    n = len(tokens)
    if n < draws:
        return None
    chances = (1 - Fraction(comb(n - k, draws), comb(n, draws)) for k in Counter(tokens).values())
    return float(sum(chances) / draws)


def of(texts, draws):
    flat = np.array([token for text in texts for token in text], dtype=np.int64)
    return hdd(flat, np.array([len(text) for text in texts], dtype=np.int64), draws)


def test_worked_example():
    assert of([[1, 1, 2]], 2)[0] == pytest.approx((1 + 2 / 3) / 2)


def test_the_expected_ratio_of_real_draws():
    rng = np.random.default_rng(7)
    tokens = rng.integers(0, 30, 100)
    drawn = [len(set(rng.choice(tokens, 42, replace=False).tolist())) / 42 for _ in range(4000)]
    assert of([tokens.tolist()], 42)[0] == pytest.approx(np.mean(drawn), abs=0.003)


@given(st.lists(st.lists(st.integers(0, 12), max_size=90), max_size=6), st.sampled_from([1, 2, 10, 42]))
@settings(max_examples=150, deadline=None)
def test_equals_the_reference(texts, draws):
    found = of(texts, draws)
    assert len(found) == len(texts)
    for text, value in zip(texts, found, strict=True):
        exact = reference(text, draws)
        assert np.isnan(value) if exact is None else value == pytest.approx(exact, rel=1e-12)


def test_long_texts_keep_their_precision():
    tokens = [token % 1000 for token in range(20_000)]
    assert of([tokens], 42)[0] == pytest.approx(reference(tokens, 42), rel=1e-12)


def test_bounds_and_length():
    assert of([list(range(42))], 42)[0] == 1
    assert of([[5] * 500], 42)[0] == pytest.approx(1 / 42)
    assert np.isnan(of([list(range(41))], 42)[0])


def test_feature_reads_lists_with_nulls_and_slices():
    lists = pa.array([[9] * 50, None, list(range(42)), [], [1, 2], None, [3] * 42], type=pa.list_(pa.int32()))
    feature = LexicalDiversity()
    batch = pa.RecordBatch.from_arrays([lists], names=list(feature.needs))
    whole = feature.compute(batch)[feature.gives[0]]
    assert whole.type == pa.float64()
    assert whole.to_pylist() == [pytest.approx(1 / 42), None, 1.0, None, None, None, pytest.approx(1 / 42)]
    assert feature.compute(batch.slice(2, 3))[feature.gives[0]].to_pylist() == whole.to_pylist()[2:5]
    assert feature.compute(batch.slice(0, 0))[feature.gives[0]].to_pylist() == []


def test_column_of_nulls_and_parameters():
    feature = LexicalDiversity(on="prompt", draws=3)
    batch = pa.RecordBatch.from_arrays([pa.nulls(2)], names=list(feature.needs))
    assert feature.compute(batch)[feature.gives[0]].to_pylist() == [None, None]
    assert feature.spec.hash != LexicalDiversity(on="prompt").spec.hash
    with pytest.raises(ValueError, match="draws"):
        LexicalDiversity(draws=0)
