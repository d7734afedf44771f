"""Patterns, shared counts, rank correlations, Gram matrices, moments and blocks against plain forms."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, everything, only, without
from triptych.core.rng import stream
from triptych.statistics import blocks
from triptych.statistics.blocks import TextBlocks
from triptych.statistics.flags import FlagCounts
from triptych.statistics.gram import Gram
from triptych.statistics.joint import JointCounts
from triptych.statistics.moments import Moments
from triptych.statistics.vectors import GroupVectors, PatternCounts
from triptych.testing.laws import masks, same_bits


def batch(**columns) -> Batch:
    made = {name: column if isinstance(column, pa.Array) else pa.array(column) for name, column in columns.items()}
    n = len(next(iter(made.values())))
    rng = stream("batch", n)
    return Batch(made, rng.integers(0, GROUPS, n).astype(np.uint8), rng.permutation(n).astype(np.uint64))


def filled(statistic, one: Batch):
    statistic.update(one)
    return statistic


# rank correlation


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 96), st.integers(0, 96)), min_size=3, max_size=40))
def test_spearman_of_small_whole_numbers_is_exact(pairs):
    x, y = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    got = filled(JointCounts("x", "y"), batch(x=x, y=y)).rank_correlation(everything())
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert got is None
    else:
        assert got == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)


def test_spearman_of_large_and_fractional_values_is_near():
    rng = stream("spearman")
    x = rng.lognormal(4, 2, 3000)
    y = x ** rng.normal(1, 0.3, 3000) - 50
    one = batch(x=x, y=y)
    counts = filled(JointCounts("x", "y"), one)
    for keep in (everything(), *masks()):
        held = keep[one.group]
        assert counts.rank_correlation(keep) == pytest.approx(spearmanr(x[held], y[held]).statistic, abs=1e-3)


def test_whole_numbers_up_to_96_have_cells_of_their_own():
    x = np.arange(97.0)
    assert len(filled(JointCounts("x", "y"), batch(x=x, y=x)).state()["words"]) == 97


def test_missing_and_extreme_values():
    x = pa.array([1.0, None, 3.0, float("nan"), 1e300, -1e30, 0.0])
    y = pa.array([1.0, 2.0, 3.0, 4.0, 5.0, -6.0, 0.5])
    counts = filled(JointCounts("x", "y"), batch(x=x, y=y))
    assert counts.records(everything()) == 5
    assert counts.rank_correlation(everything()) == pytest.approx(1)
    assert counts.rank_correlation(np.zeros(GROUPS, dtype=np.bool_)) is None


# Gram


def vectors(n: int = 300, width: int = 12) -> Batch:
    x = stream("gram", n).normal(size=(n, width)).astype(np.float32) + 1
    x[::50] = 0
    return batch(**{"embedding@response": pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), width)})


def test_gram_against_numpy():
    one = vectors()
    gram = filled(Gram(), one)
    x = one.matrix("embedding@response").astype(np.float64)
    norms = np.linalg.norm(x, axis=1)
    for keep in (everything(), *masks(), only([4])):
        held = keep[one.group] & (norms > 0)
        unit = x[held] / norms[held, None]
        values = np.linalg.eigvalsh(unit.T @ unit / held.sum())
        assert gram.records(keep) == held.sum()
        assert np.allclose(np.sort(gram.spectrum(keep)), values, atol=1e-7)
        assert gram.spectrum(keep).sum() == pytest.approx(1)
        assert gram.purity(keep) == pytest.approx(np.sum(values**2))
        assert gram.sum_norm2(keep) == pytest.approx(np.sum(unit.sum(axis=0) ** 2))


def test_gram_of_nothing_and_of_zeros():
    none = vectors().take(np.zeros(300, dtype=np.bool_))
    assert filled(Gram(), none).records(everything()) == 0
    zeros = pa.array([[0.0, 0.0]] * 3, type=pa.list_(pa.float32(), 2))
    assert filled(Gram(), batch(**{"embedding@response": zeros})).records(everything()) == 0


def test_scale_of_vectors_does_not_matter():
    one = vectors()
    x = one.matrix("embedding@response") * stream("scale").uniform(1e-3, 1e3, (300, 1)).astype(np.float32)
    scaled = Batch(
        {"embedding@response": pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), 12)}, one.group, one.address
    )
    a, b = filled(Gram(), one), filled(Gram(), scaled)
    assert np.allclose(a.spectrum(everything()), b.spectrum(everything()), atol=1e-6)


def test_spectrum_is_read_anew_after_updates():
    one = vectors()
    gram = filled(Gram(), one.take(one.group < 16))
    before = gram.spectrum(everything())
    gram.update(one.take(one.group >= 16))
    assert not np.allclose(before, gram.spectrum(everything()), atol=1e-6)


# moments and flags


def test_moments_keep_small_spread_on_large_values():
    x = 1e8 + stream("moments").integers(-1, 2, 5000)
    moments = Moments("x")
    whole = batch(x=x)
    for start in range(0, 5000, 500):
        moments.update(whole.take((np.arange(5000) // 500) * 500 == start))
    assert moments.mean(everything()) == pytest.approx(x.mean(), rel=1e-15)
    assert moments.variance(everything()) == pytest.approx(x.var(), rel=1e-9)


def test_flags_by_bit():
    flags = pa.array([0, 1, 3, 32768, 0, None], type=pa.uint16())
    counts = filled(FlagCounts("f"), batch(f=flags))
    assert counts.records(everything()) == 6
    assert counts.clear(everything()) == 3
    assert [counts.carrying(bit, everything()) for bit in (0, 1, 2, 15)] == [2, 1, 0, 1]


# patterns and shared counts


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 2**32 - 1)), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_patterns(patterns, kept):
    keep = np.array([kept >> g & 1 for g in range(GROUPS)], dtype=np.bool_)
    one = batch(p=pa.array(patterns, type=pa.uint32()))
    counts = filled(PatternCounts("p"), one)
    inside = [p for p, g in zip(patterns, one.group, strict=True) if p is not None and keep[g]]
    assert counts.records(keep) == len(inside)
    assert counts.touching(keep) == sum(bool(p & kept) for p in inside)


def test_group_vectors():
    rng = stream("vectors")
    rows = rng.integers(0, 50, (200, 33)).astype(np.int32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), 33, mask=pa.array(np.arange(200) % 5 == 0))
    one = batch(v=column)
    shared = filled(GroupVectors("v"), one)
    present = np.arange(200) % 5 != 0
    for keep in (everything(), *masks()):
        held = present & keep[one.group]
        want = rows[held][:, :32][:, keep].sum(axis=1) - rows[held][:, 32]
        assert shared.records(keep) == held.sum()
        assert sorted(shared.totals(keep)) == sorted(want)


# blocks


def texts(n: int, *labels: str | int, width: int = 40) -> pa.Array:
    rng = stream("texts", n, *labels)
    return pa.array([None if i % 11 == 0 else " ".join(f"w{k}" for k in rng.zipf(1.4, width)) for i in range(n)])


def test_blocks_against_gzip():
    one = batch(response=texts(400), prompt=texts(400, 1))
    found = filled(TextBlocks(block=256), one)
    raw = packed = 0
    order = np.argsort(one.address)
    for g in range(GROUPS):
        column = one.columns["response"].to_pylist()
        text = "\n".join(column[i] for i in order if one.group[i] == g and column[i]).encode()
        for start in range(0, len(text) - 255, 256):
            raw += 256
            packed += len(gzip.compress(text[start : start + 256], 6, mtime=0))
    assert found.blocks(everything()) == raw // 256
    assert found.ratio(everything()) == pytest.approx(raw / packed)
    both = filled(TextBlocks(block=256, on="both"), one)
    assert both.blocks(everything()) > 1.7 * found.blocks(everything())


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(5)), st.booleans())
def test_blocks_beyond_capacity_do_not_depend_on_the_order(order, tree):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "CAPACITY", 1000)
        whole = batch(response=texts(1000))
        straight = filled(TextBlocks(block=128), whole)
        parts = [filled(TextBlocks(block=128), whole.take(np.arange(1000) % 5 == i)) for i in order]
        if tree:
            parts[1].merge(parts[0])
            parts = parts[1:]
        merged = TextBlocks(block=128)
        for part in parts:
            merged.merge(part)
        assert same_bits(straight.state(), merged.state()) is None
        assert straight.blocks(everything()) == 32 * 7
        assert len(straight.state()["bytes"]) < 32 * 1500
        assert straight.records(everything()) == sum(text is not None for text in whole.columns["response"].to_pylist())


def test_order_of_the_file_does_not_move_the_ratio():
    lines = [f"Template {i % 40}: fill in the blank with {i % 7} words." for i in range(3000)]
    one = batch(response=pa.array(lines))
    shuffled = stream("shuffle").permutation(3000)
    other = Batch({"response": one.columns["response"].take(shuffled)}, one.group[shuffled], one.address[shuffled])
    a, b = filled(TextBlocks(block=2048), one), filled(TextBlocks(block=2048), other)
    assert a.ratio(everything()) == b.ratio(everything())
    assert a.blocks(without(3)) < a.blocks(everything())
    assert math.isfinite(a.ratio(only([3])))
