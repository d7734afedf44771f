"""Template rate, homogenization and singletons: samples, masks, and the cases that others get wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch, list_array
from triptych.core.estimate import Undefined
from triptych.core.groups import everything
from triptych.core.interval import interval
from triptych.core.registry import parse
from triptych.statistics.pair_sample import PairSample, jaccard, rouge_l
from triptych.statistics.shared_grams import CAPACITY
from triptych.testing import make_rows
from triptych.testing.laws import fold


def value(request: str, records) -> float | Undefined:
    (measure,) = parse([request])
    return measure.value(fold(measure.statistic(), make_rows(records)), everything())


def many(rng, n: int, words: int, kinds: int) -> Batch:
    """n records of that many uniform tokens, dealt at random."""
    tokens = list_array(rng.integers(0, kinds, n * words).astype(np.int32), np.arange(n + 1) * words)
    group = rng.integers(0, 32, n).astype(np.uint8)
    return Batch({"tokens@response": tokens}, group, rng.integers(0, 1 << 63, n).astype(np.uint64))


def test_a_template_needs_that_many_others():
    frame = [f"x{i} if you want to know more y{i}" for i in range(4)]
    other = [f"p{i} q{i} r{i} s{i} t{i} u{i} v{i}" for i in range(4)]
    assert value("template_rate", [*frame, *other]) == 0.5
    assert value("template_rate", [*frame[:3], *other]) == 0.0
    assert value("template_rate:others=2", [*frame[:3], *other[:3]]) == 0.5
    assert value("template_rate:n=7", [*frame, *other]) == 0.0


def test_repeats_inside_a_record_are_no_template():
    assert value("template_rate:n=2,others=1", ["a b a b a b", "c d e"]) == 0.0
    assert value("template_rate", ["a b c d e", ""]).reason == "no record has 6 tokens"


def test_templates_are_read_among_so_many_records():
    (measure,) = parse(["template_rate:n=1,others=1"])
    statistic = measure.statistic()
    rng = np.random.default_rng(5)
    for _ in range(4):
        statistic.update(many(rng, 4000, 2, 1 << 20))
    assert statistic.records(everything()) == 32 * CAPACITY
    assert statistic.bound() == (False, "read among a random sample of 8,192 of 16,000 records")
    tokens = 2 * 32 * CAPACITY
    share = 1 - np.exp(-tokens / (1 << 20) * 2)  # either of the two tokens elsewhere
    assert measure.value(statistic, everything()) == pytest.approx(share, abs=0.01)


def lcs(a, b) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def test_rouge_l_by_bits():
    rng = np.random.default_rng(6)
    for _ in range(200):
        a, b = (rng.integers(0, 6, int(n)).tolist() for n in rng.integers(1, 90, 2))
        assert rouge_l(a, b) == pytest.approx(2 * lcs(a, b) / (len(a) + len(b)), abs=1e-15)
        assert rouge_l(a, b) == rouge_l(b, a)
    assert rouge_l([1, 2], [1, 2]) == jaccard([1, 2], [2, 1]) == 1.0


def test_disjoint_texts_are_not_alike():
    """The package `diversity` gives two texts that share nothing the same score, 1, as two that are equal."""
    for similarity in ("rouge_l", "jaccard"):
        assert value(f"homogenization:similarity={similarity}", ["a b c", "d e f"]) == 0.0
        assert value(f"homogenization:similarity={similarity}", ["a b c", "a b c"]) == 1.0
        assert value(f"homogenization:similarity={similarity}", ["a b c"]).reason == "needs two records with tokens"


def test_the_sample_of_pairs_is_unbiased_and_its_interval_holds_the_mean_over_all_pairs():
    batch = many(np.random.default_rng(7), 3000, 12, 60)
    flat, _ = batch.lists("tokens@response")
    there = np.zeros((3000, 60))
    there[np.repeat(np.arange(3000), 12), flat] = 1
    common = there @ there.T
    size = np.diagonal(common)
    alike = common / (size[:, None] + size - common)
    truth = (alike.sum() - 3000) / (3000 * 2999)
    values, inside = [], 0
    for seed in range(8):
        (measure,) = parse([f"homogenization:similarity=jaccard,pairs=4,seed={seed}"])
        statistic = measure.statistic()
        statistic.update(batch)
        found = interval(
            lambda keep, m=measure, s=statistic: m.value(s, keep), statistic.records, "pairs", measure.about.bounds
        )
        values.append(measure.value(statistic, everything()))
        inside += found.lo <= truth <= found.hi
    assert statistic.bound() == (False, "mean over 2,112 drawn pairs of 4,498,500")
    assert inside >= 6  # each holds it with probability .95: fewer in 1 of 170
    assert np.std(values) > 0
    assert np.mean(values) == pytest.approx(truth, abs=4 * np.std(values, ddof=1) / np.sqrt(8))


def test_long_records_are_cut_and_that_is_said():
    statistic = PairSample()
    statistic.update(many(np.random.default_rng(8), 20, 600, 5000))
    exact, words = statistic.bound()
    assert not exact
    assert words == "mean over 190 drawn pairs of 190; 20 records read to token 512"


def test_singletons_estimate_what_is_not_seen_yet():
    """Good-Turing: over 200 sets of 300 draws, the mean of f1/n is the mean probability of the kinds not seen (to 1/n)."""
    rng = np.random.default_rng(9)
    weight = 1 / np.arange(1, 2001)
    weight /= weight.sum()
    (measure,) = parse(["singleton_structures"])
    estimates, unseen = [], []
    for _ in range(200):
        kinds = rng.choice(2000, 300, p=weight)
        statistic = measure.statistic()
        columns = {"template@prompt": pa.array(kinds.astype(np.uint64)), "defects": pa.array(np.zeros(300, np.uint16))}
        statistic.update(Batch(columns, rng.integers(0, 32, 300).astype(np.uint8), np.arange(300, dtype=np.uint64)))
        estimates.append(measure.value(statistic, everything()))
        unseen.append(1 - weight[np.unique(kinds)].sum())
    error = np.std(np.array(estimates) - unseen, ddof=1) / np.sqrt(200)
    assert np.mean(estimates) == pytest.approx(np.mean(unseen), abs=3 * error + 1 / 300)


def test_singletons_over_structures():
    records = [{"prompt": p, "response": "Four."} for p in ("Add 1 to a", "Add 2 to a", "Double it", "Halve it")]
    assert value("singleton_structures", records) == 0.5
    assert value("singleton_structures:per=structures", records) == pytest.approx(2 / 3)
    assert value("singleton_structures", ["no prompt"]).reason == "no record has a structure"
