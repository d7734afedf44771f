"""Numbers of an audit: equal to slow obvious references, to worked examples, and with intervals that cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from triptych.auditing.columns import MISSING, NESTED, NO_VERDICT, TEXT, Reference, number_of, read_column, verdict_of
from triptych.auditing.intervals import Sample, mean_of
from triptych.auditing.numbers import (
    concordance,
    entropy,
    gold_levels,
    icc,
    kappa,
    levels,
    partial,
    pearson,
    spearman,
    tied,
)
from triptych.auditing.spread import histogram, within_pairs
from triptych.core.estimate import Undefined
from triptych.core.groups import group_of, mix
from triptych.core.rng import stream


def columns(n, *labels, ties=True):
    rng = stream("audit numbers", n, *labels)
    x, y = rng.normal(size=n), rng.normal(size=n)
    x = x + 0.7 * y
    return (np.round(2 * x), np.round(2 * y)) if ties else (x, y)


@pytest.mark.parametrize("ties", [True, False])
def test_concordance_is_the_share_of_pairs_in_order(ties):
    score, gold = columns(70, "order", ties=ties)
    wins = total = 0.0
    for i in range(70):
        for j in range(70):
            if gold[i] > gold[j]:
                total += 1
                wins += (score[i] > score[j]) + 0.5 * (score[i] == score[j])
    assert concordance(levels(score), levels(gold)) == pytest.approx(wins / total, abs=1e-12)


def test_concordance_of_two_labels_is_the_area_under_the_curve():
    score, gold = columns(90, "auc")
    label = gold > 0
    u = stats.mannwhitneyu(score[label], score[~label]).statistic
    assert concordance(levels(score), label.astype(np.intp)) == pytest.approx(u / (label.sum() * (~label).sum()))
    assert concordance(np.array([0, 1, 1]), np.array([0, 0, 1])) == 0.75  # the worked example
    assert isinstance(concordance(np.array([0, 1]), np.array([0, 0])), Undefined)


def test_gold_with_many_values_is_cut_into_64_levels():
    gold = stream("levels").normal(size=5000)
    cut = gold_levels(gold)
    assert len(np.unique(cut)) == 64
    assert concordance(levels(gold), cut) == 1.0
    assert np.array_equal(gold_levels(np.array([3.0, 1.0, 3.0])), [1, 0, 1])


def test_correlations_equal_those_of_scipy():
    x, y = columns(120, "rank")
    z = x + stream("z").normal(size=120)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    a, b, c = (stats.rankdata(one) for one in (x, y, z))
    left = [one - np.polyval(np.polyfit(c, one, 1), c) for one in (a, b)]
    assert partial(x, y, z) == pytest.approx(stats.pearsonr(*left).statistic, abs=1e-9)
    assert isinstance(spearman(x, np.ones(120)), Undefined)
    assert isinstance(partial(x, y, x), Undefined)


def test_kappa_by_hand():
    # 20 and 15 agree of 50, Cohen 1960 as told everywhere: (.7 - .5) / .5
    x = np.array([1] * 25 + [0] * 25)
    y = np.array([1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    assert kappa(x, y, 2) == pytest.approx(0.4)
    first, second = (levels(one) % 4 for one in columns(80, "kappa"))
    seen = np.mean([(a - b) ** 2 for a, b in zip(first, second, strict=True)])
    chance = np.mean([(a - b) ** 2 for a in first for b in second])
    assert kappa(first, second, 4) == pytest.approx(1 - seen / chance)
    assert isinstance(kappa(np.zeros(3, np.intp), np.zeros(3, np.intp), 2), Undefined)


def test_icc_of_shrout_and_fleiss():
    # The table of Shrout & Fleiss 1979: ICC(1,1) = .17, ICC(1,4) = .44
    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    assert icc(table) == pytest.approx(0.17, abs=0.005)
    assert icc(table, mean=True) == pytest.approx(0.44, abs=0.005)
    assert icc(np.array([[1.0, 1.0], [3.0, 3.0]])) == 1
    assert isinstance(icc(np.ones((4, 2))), Undefined)


def test_ties_and_entropy():
    level = np.array([0, 0, 1, 2])
    assert tied(level) == pytest.approx(2 / 12)
    assert entropy(level) == pytest.approx(stats.entropy([0.5, 0.25, 0.25]))
    assert entropy(np.zeros(5, np.intp)) == 0


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (7, 7.0), ("7", 7.0), (" -0.5e1 ", -5.0), (True, 1.0), (np.float64(2), 2.0), (None, MISSING), ("", MISSING),
        (math.nan, MISSING), ("8/10", TEXT), ("I would say 8", TEXT), ("1_000", TEXT), ("nan", TEXT), ("inf", TEXT),
        ([8], NESTED), ({"score": 8}, NESTED), (math.inf, "not finite"), (10**400, "not finite"),
    ],
)  # fmt: skip
def test_only_a_number_is_a_number(value, want):
    assert number_of(value) == want


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("1", 1.0),
        (1, 1.0),
        ("[[A]]", 1.0),
        ("b", 0.0),
        (2, 0.0),
        ("Tie", 0.5),
        (0, 0.5),
        ("[[C]]", 0.5),
        ("garbage", NO_VERDICT),
        (None, MISSING),
        ([1], NO_VERDICT),
        ("12", NO_VERDICT),
    ],
)
def test_verdicts(value, want):
    assert verdict_of(value) == want


def test_a_column_counts_its_failures_with_the_first_example():
    column = read_column(Reference.of("s", frozenset({"s"})), [1, "8/10", None, "good", 3])
    assert [(one.kind, one.count, one.first, one.example) for one in column.failures] == [
        (TEXT, 2, 1, "8/10"),
        (MISSING, 1, 2, ""),
    ]
    assert column.failed == 3
    assert column.values[0] == 1
    mixed = [[1, 2], "8/10", 4, [5]]
    first, second = (read_column(Reference.of(f"j[{at}]", frozenset({"j"})), mixed) for at in (0, 1))
    assert [(one.kind, one.example) for one in first.failures] == [(TEXT, "8/10")]
    assert first.values[[0, 2, 3]].tolist() == [1, 4, 5]
    assert second.failed == 3
    held = [{"a": 1}, {"a": None}, {}]
    assert read_column(Reference.of("j[a]", frozenset({"j"})), held).failed == 2
    wanted = read_column(Reference.of("status=ok", frozenset({"status"})), ["ok", "no", None]).values
    assert wanted[:2].tolist() == [1, 0]
    assert np.isnan(wanted[2])
    assert Reference.of("a=b", frozenset({"a=b"})).name == "a=b"


def test_pairs_within_clusters():
    a, b = within_pairs(np.array([5, 7, 5, 9, 7, 7], dtype=np.uint64))
    assert sorted(zip(a.tolist(), b.tolist(), strict=True)) == [(0, 2), (1, 4), (1, 5), (4, 5)]


def test_a_histogram_holds_every_score():
    for values in ([1.0], [1, 2, 2, 5], stream("hist").normal(size=500), [1.0, math.nan]):
        found = histogram(np.array(values, dtype=float))
        assert sum(found["counts"]) + found["missing"] == len(values)
    assert histogram(np.array([math.nan])) is None


def sample(clusters, size, trial):
    key = np.repeat(np.arange(clusters), size).astype(np.uint64) + np.uint64(trial * 100_003)
    return Sample(group_of(mix(mix(key))), key)


NAME = ("key", "title", "unit")


def covered(kind, clusters, size, trials=120):
    """How often the interval holds the truth where the records of a prompt resemble each other."""
    hits = 0
    for trial in range(trials):
        rng = stream("audit coverage", kind, clusters, trial)
        both = [0.6 * np.repeat(rng.normal(size=clusters), size) + 0.8 * rng.normal(size=clusters * size) for _ in "ab"]
        x, y = both[0], 0.5 * both[0] + math.sqrt(0.75) * both[1]
        held = sample(clusters, size, trial)
        if kind == "rank":
            number, true = held.number(NAME, lambda r, x=x, y=y: spearman(x[r], y[r]), "correlation"), 0.48258
        elif kind == "auc":
            s, g = levels(y), (x > 0).astype(np.intp)
            number, true = held.number(NAME, lambda r, s=s, g=g: concordance(s[r], g[r]), "share"), 0.7302
        else:
            number, true = held.number(NAME, mean_of((x > 1.2).astype(float)), "share"), 0.11507
        hits += number.lo <= true <= number.hi
    return hits / trials


@pytest.mark.parametrize("kind", ["rank", "auc", "share"])
def test_intervals_cover_with_clusters(kind):
    assert covered(kind, 60, 5) >= 0.88


def test_intervals_at_the_ends():
    held = sample(40, 2, 0)
    none = held.number(NAME, mean_of(np.zeros(80)), "share")
    assert none.value == 0
    assert 0 < none.hi < 0.12  # of 40 prompts, not of 80 records
    x = np.arange(80.0)
    perfect = held.number(NAME, lambda r: spearman(x[r], x[r]), "correlation")
    assert (perfect.value, perfect.lo) == (1, None)
    assert "perfect" in perfect.no_interval
    few = held.at(np.arange(4)).number(NAME, mean_of(np.arange(4.0)))
    assert few.value == 1.5
    assert few.lo is None
    empty = held.at(np.arange(0)).number(NAME, mean_of(np.empty(0)))
    assert empty.undefined
    assert empty.value is None
