"""Groups come from addresses and are balanced; random streams are labelled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from triptych.core.groups import GROUPS, address_keys, bits, everything, group_of, mix, only, without
from triptych.core.rng import stream


def keys(n: int, source: int = 0, part: int = 0):
    return address_keys(
        np.full(n, source, dtype=np.int32), np.arange(n, dtype=np.int64), np.full(n, part, dtype=np.int32)
    )


@pytest.mark.parametrize(("source", "part"), [(0, 0), (3, 0), (0, 5)])
def test_groups_are_balanced_over_consecutive_rows(source, part):
    counts = np.bincount(group_of(keys(32_000, source, part)), minlength=GROUPS)
    chi2 = np.sum((counts - 1000) ** 2 / 1000)
    assert 10 < chi2 < 65  # 31 degrees of freedom: about .001 on both sides


def test_groups_of_parts_and_sources_are_independent():
    a, b, c = group_of(keys(20_000)), group_of(keys(20_000, source=1)), group_of(keys(20_000, part=1))
    assert abs(np.mean(a == b) - 1 / 32) < 0.005
    assert abs(np.mean(a == c) - 1 / 32) < 0.005


def test_addresses_do_not_meet():
    rows = np.arange(1000, dtype=np.int64)
    found = [
        address_keys(np.full(1000, source, dtype=np.int32), rows, np.full(1000, part, dtype=np.int32))
        for source in range(10)
        for part in range(10)
    ]
    assert len(np.unique(np.concatenate(found))) == 100_000


def test_group_is_pinned():
    assert group_of(keys(12)).tolist() == [3, 27, 6, 14, 7, 1, 11, 7, 31, 25, 13, 21]


def test_mix_is_a_bijection_on_samples():
    values = np.arange(100_000, dtype=np.uint64)
    assert len(np.unique(mix(values))) == 100_000


@given(arrays(np.bool_, GROUPS))
def test_bits_of_a_mask(mask):
    assert int(bits(mask)) == sum(1 << g for g in range(GROUPS) if mask[g])


def test_masks():
    assert everything().all()
    assert without(3, 5).sum() == 30
    assert np.array_equal(only([3, 5]), ~without(3, 5))
    assert only(range(4)).sum() == 4


def test_stream_depends_on_labels_alone():
    assert stream("a", 1).integers(1 << 60) == stream("a", 1).integers(1 << 60)
    draws = {int(stream("a", seed).integers(1 << 60)) for seed in range(2000)} | {
        int(stream(f"a{i}").integers(1 << 60)) for i in range(2000)
    }
    assert len(draws) == 4000


def test_labels_are_not_glued():
    assert stream("a", "b").integers(1 << 60) != stream("ab").integers(1 << 60)
    assert stream("1").integers(1 << 60) != stream(1).integers(1 << 60)


def test_stream_is_pinned():
    assert int(stream("study", "arm", 7).integers(1 << 32)) == 990982287


@pytest.mark.parametrize("labels", [(), (1.5,), (None,), (b"x",)])
def test_labels_of_another_kind(labels):
    with pytest.raises(TypeError, match="labels are strings or integers"):
        stream(*labels)


@given(st.lists(st.integers(0, 31), unique=True, max_size=31))
def test_without_keeps_the_rest(groups):
    assert without(*groups).sum() == GROUPS - len(groups)
