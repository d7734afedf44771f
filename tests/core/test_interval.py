"""Intervals against closed forms, and size curves against fresh samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, bits, everything, only
from triptych.core.interval import interval, size_curve, t_quantile
from triptych.core.reading import read
from triptych.core.rng import stream
from triptych.measures.complexity.tokens import Tokens
from triptych.measures.diversity.distinct_n import DistinctN
from triptych.measures.diversity.exact_duplicate_rate import ExactDuplicateRate
from triptych.measures.quality.valid_share import ValidShare
from triptych.testing import make_rows
from triptych.testing.laws import fold

INF = (-math.inf, math.inf)


class Values:
    """A mean of values that are dealt to groups."""

    def __init__(self, values, groups):
        self.values, self.groups = values, groups

    def read(self, keep):
        held = self.values[keep[self.groups]]
        return float(held.mean()) if len(held) else Undefined("nothing")

    def count(self, keep):
        return int(keep[self.groups].sum())


def normal(repetition: int, n: int) -> Values:
    rng = stream("interval", n, repetition)
    return Values(rng.normal(5, 2, n), rng.integers(0, GROUPS, n))


def test_mean_of_normal_data_is_about_the_t_interval():
    widths, hits = [], 0
    for repetition in range(400):
        data = normal(repetition, 640)
        found = interval(data.read, data.count, "plain", INF)
        hits += found.lo <= 5 <= found.hi
        widths.append(found.se / (data.values.std(ddof=1) / math.sqrt(640)))
    assert 0.93 <= hits / 400 <= 0.975
    assert abs(np.mean(widths) - 1) < 0.03


def test_equal_groups_give_the_closed_form():
    rng = stream("interval", "equal")
    values = rng.normal(size=320)
    data = Values(values, np.repeat(np.arange(32), 10))
    means = values.reshape(32, 10).mean(axis=1)
    found = interval(data.read, data.count, "plain", INF)
    assert found.se == pytest.approx(means.std(ddof=1) / math.sqrt(32))
    assert found.hi - found.lo == pytest.approx(2 * 2.0395134464 * found.se)


def test_t_table():
    scipy_stats = pytest.importorskip("scipy.stats")
    for degrees in range(7, 32):
        assert t_quantile(degrees) == pytest.approx(scipy_stats.t.ppf(0.975, degrees), abs=1e-6)


@pytest.mark.parametrize(("valid", "n"), [(0, 400), (400, 400)])
def test_shares_of_0_and_1_have_honest_ends(valid, n):
    data = Values(np.repeat([1.0, 0.0], [valid, n - valid]), np.arange(n) % 32)
    found = interval(data.read, data.count, "share", (0.0, 1.0))
    t2 = t_quantile(31) ** 2
    end = t2 / (n + t2)
    assert (found.lo, found.hi) == pytest.approx((0, end) if valid == 0 else (1 - end, 1), abs=1e-12)


def test_wilson_in_between():
    data = Values(np.repeat([1.0, 0.0], [6, 394]), stream("wilson").permutation(400) % 32)
    found = interval(data.read, data.count, "share", (0.0, 1.0))
    assert 0 < found.lo < 6 / 400 < found.hi < 0.06
    assert found.hi - 0.015 > 0.015 - found.lo


def test_too_few_groups():
    data = Values(np.arange(7.0), np.arange(7))
    assert "too few records" in interval(data.read, data.count, "plain", INF).reason
    data = Values(np.arange(8.0), np.arange(8))
    assert interval(data.read, data.count, "plain", INF).reason is None


def test_undefined_and_value_that_hangs_on_one_group():
    data = Values(np.arange(40.0), np.arange(40) % 32)
    nothing = interval(lambda _: Undefined("why"), data.count, "plain", INF)
    assert (nothing.lo, nothing.reason) == (None, "why")
    hangs = interval(lambda keep: 1.0 if keep[3] else Undefined("group 3 has it all"), data.count, "plain", INF)
    assert hangs.lo is None
    assert "group 3 has it all" in hangs.reason


def test_ends_are_clipped_to_the_range():
    data = Values(np.repeat([1.0, 0.0], [200, 3]), np.arange(203) % 32)
    found = interval(data.read, data.count, "plain", (0.0, 1.0))
    assert found.hi == 1.0


def exact_rate(ids, keep_groups, keep):
    held = ids[keep[keep_groups]]
    return 1 - len(np.unique(held)) / len(held)


def test_curve_is_that_of_fresh_samples():
    """A mean has a flat curve; the distinct share of Zipf draws falls as it does for fresh samples of those sizes."""
    n = 3200
    points: dict[int, list[float]] = {}
    for repetition in range(20):
        rng = stream("curve", repetition)
        ids, groups = rng.zipf(1.5, n), rng.integers(0, 32, n)
        curve = size_curve(
            lambda keep, ids=ids, groups=groups: 1 - exact_rate(ids, groups, keep),
            lambda keep, groups=groups: int(keep[groups].sum()),
            None,
        )
        for width, point in zip((1, 2, 4, 8, 16, 32), curve, strict=True):
            points.setdefault(width, []).append(point.value)
            assert point.n == pytest.approx(n * width / 32, rel=0.01)
    rng = stream("curve", "fresh")
    for width, values in points.items():
        size = n * width // 32
        fresh = [len(np.unique(rng.zipf(1.5, size))) / size for _ in range(400)]
        error = math.hypot(np.std(values) / math.sqrt(20), np.std(fresh) / 20)
        assert abs(np.mean(values) - np.mean(fresh)) < 4 * error + 1e-3 * np.mean(fresh)


def test_copies_are_spread_over_groups():
    """100 texts × 100 copies: a random 1/32 holds about 96 different texts."""
    rows = make_rows([f"text {i % 100}" for i in range(10_000)])
    table = fold(ExactDuplicateRate().statistic(), rows)
    found = [table.distinct(only([g])) for g in range(GROUPS)]
    assert 94 < np.mean(found) < 97.5
    estimate = read(ExactDuplicateRate(), table)
    assert estimate.value == pytest.approx(0.99)
    assert estimate.curve[0].value == pytest.approx(1 - 95.6 / 312, abs=0.01)


def test_curve_errors():
    data = normal(0, 3200)
    curve = size_curve(data.read, data.count, 0.5)
    assert [point.n for point in curve] == [100, 200, 400, 800, 1600, 3200]
    for point, width in zip(curve, (1, 2, 4, 8, 16, 32), strict=True):
        assert point.value == pytest.approx(data.read(everything()), abs=0.02)
        assert point.se == 0.5 if width == 32 else 0.015 < point.se < 0.08


def test_estimates_of_real_measures():
    rows = make_rows([f"a{i} b{i % 7} c" for i in range(200)] + [""] * 10)
    valid = read(ValidShare(), fold(ValidShare().statistic(), rows), headline=True)
    assert valid.value == pytest.approx(200 / 210)
    assert valid.interval.lo < valid.value < valid.interval.hi
    assert valid.headline
    assert valid.n == 210
    tokens = read(Tokens(), fold(Tokens().statistic(), rows)).to_json()
    assert tokens["value"] == pytest.approx(600 / 210)
    nothing = read(DistinctN(n=9), fold(DistinctN(n=9).statistic(), rows)).to_json()
    assert nothing["value"] is None
    assert nothing["undefined"] == nothing["no_interval"] == "no record has 9 tokens"
    assert nothing["curve"] == []


# variants


class Dealt:
    """Records with keys that are dealt to groups: what is counted are different keys."""

    def __init__(self, keys, groups):
        self.sizes = np.bincount(groups, minlength=GROUPS)
        _, where = np.unique(keys, return_inverse=True)
        held = np.zeros(where.max() + 1, dtype=np.uint32)
        np.bitwise_or.at(held, where, np.uint32(1) << np.asarray(groups, dtype=np.uint32))
        self.patterns, self.number = np.unique(held, return_counts=True)

    def count(self, keep):
        return int(self.sizes[keep].sum())

    def different(self, keep):
        return float(self.number[(self.patterns & bits(keep)) != 0].sum())

    def duplicates(self, keep):
        return 1 - self.different(keep) / self.count(keep)


def singly(n: int, repetition: int = 0):
    return stream("deal", n, repetition).integers(0, 32, n)


def test_growing_takes_the_size_of_groups_out():
    data = Dealt(np.arange(1000), singly(1000))
    plain = interval(data.different, data.count, "plain", INF)
    growing = interval(data.different, data.count, "growing", INF)
    assert plain.se == pytest.approx(math.sqrt(1000), rel=0.4)
    assert growing.se == pytest.approx(1.0)


def test_how_many_clusters_a_group_holds_is_taken_out():
    clusters = singly(250)
    data = Dealt(np.arange(1000), np.repeat(clusters, 4))
    plain, unknown = (interval(data.different, data.count, kind, INF) for kind in ("plain", "growing"))
    assert unknown.se == plain.se > 40
    growing = interval(data.different, data.count, "growing", INF, np.bincount(clusters, minlength=GROUPS))
    assert growing.se == pytest.approx(1.0)  # 250 clusters of 4 records that all differ: certain but for one record


def test_sizes_of_clusters_are_part_of_the_sample():
    """n records that all differ: what varies is n, by the sizes of 250 clusters (standard deviation 5.3)."""
    rng = stream("interval", "sizes")
    sizes, clusters = rng.geometric(0.17, 250), singly(250)
    data = Dealt(np.arange(sizes.sum()), np.repeat(clusters, sizes))
    growing = interval(data.different, data.count, "growing", INF, np.bincount(clusters, minlength=GROUPS))
    assert growing.se == pytest.approx(math.sqrt(250) * sizes.std(), rel=0.35)


def shared_words(repetition, responses):
    """Words of 150 prompts with some responses each: of one vocabulary, and a few of the prompt's own."""
    rng = stream("prompts", repetition)
    prompt = np.repeat(np.arange(150), responses(rng))
    owner = np.repeat(prompt, 12)
    common = np.floor(2000 ** rng.random(len(owner))).astype(np.int64)
    own = 2000 + owner * 4 + rng.integers(0, 4, len(owner))
    groups = rng.integers(0, GROUPS, 150)
    words = np.where(rng.random(len(owner)) < 0.15, own, common)
    return Dealt(words, groups[owner]), np.bincount(groups, minlength=GROUPS)


@pytest.mark.parametrize("responses", [lambda _: 8, lambda rng: rng.integers(1, 16, 150)], ids=["eight", "1 to 15"])
def test_whole_prompts_in_groups(responses):
    """The share of different words among those of whole prompts: the error is that of fresh draws, and covers."""
    values, before, after, ends = [], [], [], []
    for repetition in range(200):
        data, dealt = shared_words(repetition, responses)

        def read(keep, data=data):
            return 1 - data.duplicates(keep)

        values.append(read(everything()))
        if repetition < 120:
            before.append(interval(read, data.count, "growing", (0.0, 1.0)).se)
            found = interval(read, data.count, "growing", (0.0, 1.0), dealt)
            after.append(found.se)
            ends.append((found.lo, found.hi))
    spread, truth = np.std(values, ddof=1), np.mean(values)
    ratio, untreated = (np.sqrt(np.mean(np.square(each))) / spread for each in (after, before))
    assert 0.85 < ratio < 1.45
    assert untreated > 1.4 * ratio
    assert np.mean([lo <= truth <= hi for lo, hi in ends]) >= 0.92


def test_growing_leaves_a_mean_as_it_is():
    data = normal(1, 3200)
    plain, growing = (interval(data.read, data.count, kind, INF) for kind in ("plain", "growing"))
    assert growing.se == pytest.approx(plain.se, rel=0.1)


def test_effective_has_an_end_where_all_differ():
    data = Dealt(np.arange(1000), singly(1000))
    found = interval(data.different, data.count, "effective", (1.0, math.inf))
    assert found.hi == 1000
    assert 994 < found.lo < 998


def test_effective_agrees_with_growing_in_the_middle():
    data = Dealt(stream("keys").zipf(1.6, 2000), singly(2000))
    growing, effective = (
        interval(data.different, data.count, kind, (1.0, math.inf)) for kind in ("growing", "effective")
    )
    assert effective.se == pytest.approx(growing.se, rel=0.05)
    assert effective.lo == pytest.approx(growing.lo, rel=0.05)


@pytest.mark.parametrize("pool", [2000, 200_000])
def test_pairs_are_counted_once(pool):
    """Frequent and rare duplicates: the error is that of fresh draws; the plain one is up to 1.41 times too large."""
    values, plain, pairs = [], [], []
    for repetition in range(80):
        data = Dealt(stream("pool", pool, repetition).integers(0, pool, 1000), singly(1000, repetition))
        values.append(data.duplicates(everything()))
        plain.append(interval(data.duplicates, data.count, "growing", (0.0, 1.0)).se or 0.0)
        pairs.append(interval(data.duplicates, data.count, "pairs", (0.0, 1.0)).se)
    spread = np.std(values, ddof=1)
    assert np.sqrt(np.mean(np.square(pairs))) / spread == pytest.approx(1.0, abs=0.18)
    assert np.sqrt(np.mean(np.square(plain))) / spread > 1.2


def test_pairs_at_0_and_where_nothing_varies():
    none = Dealt(np.arange(500), singly(500))
    found = interval(none.duplicates, none.count, "pairs", (0.0, 1.0))
    assert found.lo == 0
    assert found.hi == pytest.approx(t_quantile(30) ** 2 / (500 + t_quantile(30) ** 2), rel=0.02)
    full = Dealt(np.arange(500) % 5, singly(500))
    found = interval(full.duplicates, full.count, "pairs", (0.0, 1.0))
    assert found.lo < 0.99 < found.hi
    assert found.hi - found.lo < 0.02


def test_no_error_at_the_end_of_the_range():
    data = Dealt(np.arange(500), singly(500))
    found = interval(data.duplicates, data.count, "plain", (0.0, 1.0))
    assert found.lo is None
    assert "end of its range" in found.reason
    constant = interval(lambda _: 0.5, data.count, "plain", (0.0, 1.0))
    assert (constant.lo, constant.hi, constant.se) == (0.5, 0.5, 0.0)
