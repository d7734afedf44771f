"""Complexity at one length: against numpy's line, and what it is for: two sets that differ in length alone."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch
from triptych.core.errors import SpecError
from triptych.core.estimate import Undefined
from triptych.core.groups import everything, without
from triptych.core.interval import interval
from triptych.core.registry import parse


def one(request: str):
    (measure,) = parse([request])
    return measure


def batch(lengths, steps, rng=None) -> Batch:
    n = len(lengths)
    group = (np.arange(n) * 7 % 32 if rng is None else rng.integers(0, 32, n)).astype(np.uint8)
    columns = {
        "length@response": pa.array(lengths, pa.int32()),
        "reasoning_steps@response": pa.array(steps, pa.float64()),
    }
    return Batch(columns, group, np.arange(n, dtype=np.uint64))


def value(request: str, lengths, steps):
    measure = one(request)
    statistic = measure.statistic()
    statistic.update(batch(lengths, steps))
    return measure.value(statistic, everything())


def drawn(rng, n: int, centre: float, base: float = 0.0):
    """Steps that grow by 2 for each e-fold of length, at lengths around exp(centre)."""
    lengths = np.maximum(np.rint(rng.lognormal(centre, 0.6, n)), 1).astype(int)
    return lengths, base + 2 * np.log(lengths) + rng.exponential(1, n) * np.log(lengths) / 4


@pytest.mark.parametrize("group", [None, 0, 17])
def test_it_is_the_line_of_numpy(group):
    lengths, steps = drawn(np.random.default_rng(1), 300, 4.5)
    measure, made = one("length_adjusted"), batch(lengths, steps)
    statistic = measure.statistic()
    statistic.update(made)
    held = np.ones(300, dtype=bool) if group is None else made.group != group
    slope, height = np.polyfit(np.log(lengths[held]), steps[held], 1)
    want = height + slope * math.log(100)
    got = measure.value(statistic, everything() if group is None else without(group))
    assert got == pytest.approx(want, rel=1e-9)


def test_at_the_mean_log_length_it_is_the_mean():
    lengths, steps = drawn(np.random.default_rng(2), 200, 4.0)
    at = math.exp(float(np.mean(np.log(lengths))))
    assert value(f"length_adjusted:at={at!r}", lengths, steps) == pytest.approx(float(np.mean(steps)))


def test_sets_that_differ_in_length_alone_are_alike_and_harder_ones_are_not():
    rng = np.random.default_rng(3)
    short, long, harder = drawn(rng, 4000, 4.0), drawn(rng, 4000, 5.0), drawn(rng, 4000, 5.0, base=1.0)
    plain = [float(np.mean(steps)) for _, steps in (short, long, harder)]
    adjusted = [value("length_adjusted", *each) for each in (short, long, harder)]
    assert plain[1] - plain[0] > 1.5
    assert adjusted[1] == pytest.approx(adjusted[0], abs=0.12)
    assert adjusted[2] - adjusted[1] == pytest.approx(1.0, abs=0.12)


def test_records_without_tokens_or_column_are_left_out():
    assert value("length_adjusted:at=20", [10, 20, 40, 0, 30], [1.0, 2.0, 3.0, 9.0, None]) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("lengths", "steps", "words"),
    [
        ([10, 20], [1.0, 2.0], "needs three records"),
        ([50] * 40, list(range(40)), "the same for all"),
        ([5, 6, 7, 8] * 9, list(range(36)), "try at=6"),
        ([4000, 5000, 6000] * 9, list(range(27)), "standard deviations from the lengths"),
    ],
)
def test_no_number_but_a_reason(lengths, steps, words):
    found = value("length_adjusted", lengths, [float(step) for step in steps])
    assert isinstance(found, Undefined)
    assert words in found.reason


def test_the_length_that_is_proposed_works():
    lengths, steps = [5, 6, 7, 8] * 9, [float(step) for step in range(36)]
    hint = value("length_adjusted", lengths, steps).reason.rpartition("try ")[2]
    assert not isinstance(value(f"length_adjusted:{hint}", lengths, steps), Undefined)


@pytest.mark.parametrize("at", ["0", "-3", "inf"])
def test_no_such_length(at):
    with pytest.raises(SpecError, match="one token or more"):
        one(f"length_adjusted:at={at}")


def test_intervals_cover_where_the_spread_grows_with_length():
    """The line is exact (the mean of the noise is log length / 4), its noise is skewed and grows with length."""
    rng, measure, trials = np.random.default_rng(4), one("length_adjusted"), 150
    truth, held = 2.25 * math.log(100), 0
    for _ in range(trials):
        statistic = measure.statistic()
        statistic.update(batch(*drawn(rng, 300, 4.2), rng))
        found = interval(
            lambda keep, s=statistic: measure.value(s, keep), statistic.records, "plain", measure.about.bounds
        )
        held += found.lo <= truth <= found.hi
    assert held / trials >= 0.88
