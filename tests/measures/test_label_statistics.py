"""Agreement of labels, floor and ceiling, preferences: against other formulas, packages and hand-made cases."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch
from triptych.core.errors import SpecError
from triptych.core.estimate import Undefined
from triptych.core.groups import everything, without
from triptych.core.interval import interval
from triptych.core.reading import read
from triptych.core.registry import parse
from triptych.statistics.comoments import CoMoments
from triptych.statistics.label_pairs import LabelPairs
from triptych.testing import make_rows
from triptych.testing.laws import fold

BOTH = "field=score,against=other"


def one(request: str):
    (measure,) = parse([request])
    return measure


def labelled(x, y) -> Batch:
    n = len(x)
    group = (np.arange(n) * 7 % 32).astype(np.uint8)
    columns = {"label.score": pa.array(x, pa.float64()), "label.other": pa.array(y, pa.float64())}
    return Batch(columns, group, np.arange(n, dtype=np.uint64))


def value(request: str, x, y=None):
    measure = one(request)
    statistic = measure.statistic()
    statistic.update(labelled(x, x if y is None else y))
    return measure.value(statistic, everything())


def graded(seed: int, n: int = 300, levels: int = 5):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    cut = np.linspace(-1, 1.5, levels - 1)
    return tuple(np.searchsorted(cut, truth + rng.normal(0, 0.7, n)).astype(float) for _ in range(2))


@pytest.mark.parametrize("seed", range(4))
def test_kappa_is_that_of_the_contingency_table(seed):
    x, y = graded(seed)
    table = np.zeros((5, 5))
    np.add.at(table, (x.astype(int), y.astype(int)), 1)
    table /= table.sum()
    chance = table.sum(axis=1) @ table.sum(axis=0)
    assert value(f"label_kappa:{BOTH}", x, y) == pytest.approx((np.trace(table) - chance) / (1 - chance), abs=1e-12)
    assert value(f"label_agreement:{BOTH}", x, y) == pytest.approx(np.trace(table), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_kappa_of_every_group_left_out_is_that_of_statsmodels(seed):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    x, y = graded(seed)
    batch = labelled(x, y)
    statistic = LabelPairs("label.score", "label.other")
    statistic.update(batch)
    for group in (0, 5, 31):
        held = batch.group != group
        table = np.zeros((5, 5))
        np.add.at(table, (x[held].astype(int), y[held].astype(int)), 1)
        want = float(inter_rater.cohens_kappa(table, return_results=False))
        assert one(f"label_kappa:{BOTH}").value(statistic, without(group)) == pytest.approx(want, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_rank_correlation_is_that_of_scipy_also_where_a_grid_would_blur(seed):
    stats = pytest.importorskip("scipy.stats")
    x, y = graded(seed, levels=9)
    y = 1e4 + y  # steps of .01 %
    want = float(stats.spearmanr(x, y).statistic)
    assert value(f"label_rank_correlation:{BOTH}", x, y) == pytest.approx(want, abs=1e-12)


def test_labels_that_differ_in_the_last_digit_are_not_equal():
    assert value(f"label_agreement:{BOTH}", [1500.0, 0.7, -0.0], [1501.0, 0.7000001, 0.0]) == pytest.approx(1 / 3)


def test_kappa_of_independent_labels_is_nought_and_agreement_is_not():
    rng = np.random.default_rng(1)
    x, y = ((rng.random(20_000) < 0.9).astype(float) for _ in range(2))
    assert value(f"label_agreement:{BOTH}", x, y) == pytest.approx(0.82, abs=0.01)
    assert value(f"label_kappa:{BOTH}", x, y) == pytest.approx(0.0, abs=0.02)


def test_kappa_of_opposite_labels():
    assert value(f"label_kappa:{BOTH}", [0.0, 1.0] * 20, [1.0, 0.0] * 20) == -1.0
    assert value(f"label_kappa:{BOTH}", [0.0, 1.0] * 20, [0.0, 1.0] * 20) == 1.0


@pytest.mark.parametrize(
    ("request_", "x", "y", "words"),
    [
        (f"label_agreement:{BOTH}", [1.0, None], [None, 1.0], "no record has both labels"),
        (f"label_kappa:{BOTH}", [None], [1.0], "no record has both labels"),
        (f"label_kappa:{BOTH}", [1.0] * 5, [1.0] * 5, "one and the same value"),
        (f"label_rank_correlation:{BOTH}", [1.0, 2.0], [1.0, 2.0], "needs three records"),
        (f"label_rank_correlation:{BOTH}", [1.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0], "the same for all"),
        ("label_floor_ceiling:field=score", [None], [None], "no record has a label"),
        ("preference_margin:field=score,by=other", [1.0, 2.0], [None, None], "no record has"),
        ("preference_margin:field=score,by=other", [1.0, 2.0], [1.0, 1.0], "the same for all"),
        ("preference_margin:field=score,by=other", [1.0, 2.0], [1.0, 2.0], "not 0 or 1"),
    ],
)
def test_no_number_but_a_reason(request_, x, y, words):
    found = value(request_, x, y)
    assert isinstance(found, Undefined)
    assert words in found.reason


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("label_agreement:field=score", "name the two label fields"),
        ("label_kappa", "name the two label fields"),
        ("label_rank_correlation:against=score", "name the two label fields"),
        ("label_floor_ceiling", "name the label field"),
        ("preference_margin", "name the score"),
        ("label_floor_ceiling:field=score,end=top", "is not right"),
    ],
)
def test_what_must_be_named(request_, words):
    with pytest.raises(SpecError, match=words):
        one(request_)


@pytest.mark.parametrize(("end", "want"), [("floor", 0.25), ("ceiling", 0.5), ("both", 0.75)])
def test_ends(end, want):
    assert value(f"label_floor_ceiling:field=score,end={end}", [1.0, 5.0, 5.0, 3.0]) == want


@pytest.mark.parametrize("end", ["floor", "ceiling", "both"])
def test_a_constant_label_lies_at_both_ends(end):
    assert value(f"label_floor_ceiling:field=score,end={end}", [2.0] * 9) == 1.0


def test_the_end_of_some_groups_is_not_the_end_of_all():
    """Group by group the highest is 3 or 9; only 9 is the ceiling, and without its group 3 is."""
    x = [3.0] * 31 + [9.0]
    measure = one("label_floor_ceiling:field=score,end=ceiling")
    statistic = measure.statistic()
    batch = labelled([*x, *[1.0] * 32], [*x, *[1.0] * 32])
    statistic.update(batch)
    assert measure.value(statistic, everything()) == 1 / 64
    assert measure.value(statistic, without(int(batch.group[31]))) == 31 / 62


def test_margin_of_pairs_is_the_mean_of_their_differences():
    rng = np.random.default_rng(4)
    chosen, rejected = rng.normal(1, 1, 200), rng.normal(0, 2, 200)
    x, y = np.stack([chosen, rejected], axis=1).ravel(), np.tile([1.0, 0.0], 200)
    got = value("preference_margin:field=score,by=other", x, y)
    assert got == pytest.approx(float(np.mean(chosen - rejected)), abs=1e-12)
    assert value("preference_margin:field=score,by=other", x, 1 - y) == pytest.approx(-got, abs=1e-12)


def test_pairs_of_one_row_share_a_group_and_so_their_covariance_counts():
    """Scores that go together inside a pair: the error of the margin is that of the differences, not of two means."""
    rng = np.random.default_rng(8)
    n = 400
    base = rng.normal(0, 3, n)
    x = np.stack([base + 0.5 + rng.normal(0, 0.3, n), base + rng.normal(0, 0.3, n)], axis=1)
    group = np.repeat(rng.integers(0, 32, n), 2).astype(np.uint8)
    columns = {"label.score": pa.array(x.ravel()), "label.preference": pa.array(np.tile([1.0, 0.0], n))}
    measure = one("preference_margin:field=score")
    statistic = measure.statistic()
    statistic.update(Batch(columns, group, np.arange(2 * n, dtype=np.uint64)))
    found = interval(
        lambda keep: measure.value(statistic, keep), statistic.records, measure.about.interval, measure.about.bounds
    )
    paired = float(np.std(x[:, 0] - x[:, 1], ddof=1)) / math.sqrt(n)
    assert found.se == pytest.approx(paired, rel=0.4)
    assert found.se < 0.3 * math.sqrt(2) * float(np.std(x[:, 0])) / math.sqrt(n)


def test_length_bias_in_words():
    """Chosen twice as long in every pair: log 2; the other way round where the labels are swapped."""
    rows = make_rows(
        [
            {"prompt": f"p{i}", "response": "w " * (length * (1 + preferred)), "label.preference": float(preferred)}
            for i, length in enumerate((3, 8, 40))
            for preferred in (1, 0)
        ]
    )
    measure = one("preference_length_bias")
    assert measure.value(fold(measure.statistic(), rows), everything()) == pytest.approx(math.log(2))
    estimate = read(measure, fold(measure.statistic(), rows))
    assert "32 groups" in str(estimate.interval.reason)


def test_comoments_are_those_of_numpy_far_from_nought():
    """Means of 1e8 with deviations of 1: sums of squares would lose every digit."""
    rng = np.random.default_rng(6)
    x = 1e8 + rng.normal(size=500)
    y = 1e8 + 2 * (x - 1e8) + rng.normal(size=500)
    parts = [CoMoments("label.score", "label.other") for _ in range(5)]
    for i, part in enumerate(parts):
        part.update(labelled(x[i::5], y[i::5]))
    for part in parts[1:]:
        parts[0].merge(part)
    want = np.polyfit(x - 1e8, y - 1e8, 1)[0]
    assert parts[0].slope(everything()) == pytest.approx(want, abs=1e-6)
    assert parts[0].variance(everything()) == pytest.approx(float(np.var(x - 1e8)), rel=1e-6)


def test_pairs_enumerated():
    """Kappa by all ordered pairs of two records drawn with replacement."""
    x, y = [1.0, 2.0, 2.0, 3.0, 1.0], [1.0, 2.0, 3.0, 3.0, 2.0]
    statistic = LabelPairs("label.score", "label.other")
    statistic.update(labelled(x, y))
    same = sum(a == b for a in x for b in y) / 25
    assert statistic.chance(everything()) == pytest.approx(same)
    concordant = sum((a - c) * (b - d) > 0 for (a, b), (c, d) in combinations(zip(x, y, strict=True), 2))
    assert (statistic.rank_correlation(everything()) > 0) == (concordant > 0)


@pytest.mark.parametrize(("name", "truth"), [("label_agreement", 0.7 + 0.3 * (0.8**2 + 0.2**2)), ("label_kappa", 0.7)])
def test_intervals_cover(name, truth):
    """Two binary labels, the second copied with probability .7 and else dealt: agreement .7 + .3 (p² + q²), kappa .7."""
    rng, measure, trials = np.random.default_rng(12), one(f"{name}:{BOTH}"), 120
    held = 0
    for _ in range(trials):
        x = rng.random(300) < 0.8
        y = np.where(rng.random(300) < 0.7, x, rng.random(300) < 0.8)
        statistic = measure.statistic()
        batch = labelled(x.astype(float), y.astype(float))
        statistic.update(Batch(batch.columns, rng.integers(0, 32, 300).astype(np.uint8), batch.address))
        kind = measure.interval_kind(statistic)
        found = interval(
            lambda keep, s=statistic: measure.value(s, keep), statistic.records, kind, measure.about.bounds
        )
        held += found.lo <= truth <= found.hi
    assert held / trials >= 0.88
