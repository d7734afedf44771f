"""MTLD, HD-D and n-gram entropy: equal to a published package where it is right, and what they do not move with."""

from __future__ import annotations

import math

import numpy as np
import pytest

from triptych.core.estimate import Undefined
from triptych.core.groups import everything, only
from triptych.core.measure import Measure
from triptych.core.registry import parse
from triptych.features.lexical import hdd as hdd_of_texts
from triptych.statistics import tables
from triptych.statistics.lexical import mtld
from triptych.statistics.occupancy import held_counts, once
from triptych.statistics.tables import NGramTable
from triptych.testing import make_batch, make_rows
from triptych.testing.laws import fold

# Numbers of lexicalrichness 0.5.1 for `text(n, mod)`: mtld(0.72), hdd(42).
PACKAGE = {
    (60, 41): (16.651583710407238, 0.44659193277924875),
    (100, 41): (16.013584117032394, 0.4252258343967458),
    (250, 97): (43.8809880239521, 0.6220261811366812),
    (400, 150): (14.166581397728436, 0.3866430510197211),
}


def text(n: int, mod: int) -> list[int]:
    return [(i * i * 7 + i * 3) % mod * (i % 5 > 0) for i in range(n)]


def spelled(tokens) -> str:
    return " ".join(f"w{token}" for token in tokens)


def value(request: str, records) -> float | Undefined:
    (measure,) = parse([request])
    return read(measure, records)


def read(measure: Measure, records) -> float | Undefined:
    return measure.value(fold(measure.statistic(), make_rows(records)), everything())


def mtlds(texts, shortest=1):
    offsets = np.cumsum([0, *map(len, texts)])
    return mtld(np.concatenate([*map(np.array, texts), np.zeros(0, dtype=int)]), offsets, 0.72, shortest)


def test_mtld_is_that_of_lexicalrichness():
    got = mtlds([text(*key) for key in PACKAGE])
    assert got == pytest.approx([want for want, _ in PACKAGE.values()], rel=1e-12)


def test_hdd_is_that_of_lexicalrichness():
    texts = [text(*key) for key in PACKAGE]
    want = [number for _, number in PACKAGE.values()]
    assert hdd_of_texts(np.concatenate(texts), np.array([*map(len, texts)])) == pytest.approx(want, abs=1e-12)
    for tokens, number in zip(texts, want, strict=True):
        assert value("hdd:draws=42", [spelled(tokens)]) == pytest.approx(number, abs=1e-12)


def test_the_package_itself():
    package = pytest.importorskip("lexicalrichness")
    rng = np.random.default_rng(8)
    for n, kinds in ((60, 12), (150, 90), (330, 700)):
        tokens = rng.integers(0, kinds, n).tolist()
        lex = package.LexicalRichness(spelled(tokens), preprocessor=None, tokenizer=str.split)
        assert mtlds([tokens])[0] == pytest.approx(lex.mtld(0.72), rel=1e-12)
        assert hdd_of_texts(np.array(tokens), np.array([n]))[0] == pytest.approx(lex.hdd(42), abs=1e-12)


def test_mtld_of_another_package_is_wrong_on_both_ends():
    """lexical-diversity 0.1.1: a factor holds at least ten tokens, and a text that repeats nothing gets 0."""

    def one_way(tokens) -> float:
        factors, lengths, start = 0.0, 0, 0
        for end in range(1, len(tokens) + 1):
            part = tokens[start:end]
            ratio = len(set(part)) / len(part)
            if end == len(tokens):
                factors, lengths = factors + (1 - ratio) / (1 - 0.72), lengths + len(part)
            elif ratio < 0.72 and len(part) >= 10:
                factors, lengths, start = factors + 1, lengths + len(part), end
        return lengths / factors if factors else 0.0

    assert one_way(text(60, 41)) == pytest.approx(18.93617, abs=2)  # one of the two directions of what it prints
    varied, dull = list(range(60)), [7] * 60
    assert one_way(varied) == 0.0  # as low as can be, for the most varied text there is
    assert mtlds([varied])[0] == 60.0  # its length, a lower bound
    assert one_way(dull) == pytest.approx(7.304347826086957)
    assert mtlds([dull])[0] == 2.0


def test_mtld_does_not_move_with_length_and_the_type_token_ratio_does():
    rng = np.random.default_rng(1)
    draws = [[np.minimum(rng.zipf(1.4, n), 900).tolist() for _ in range(150)] for n in (200, 1600)]
    short, long = (float(np.mean(mtlds(texts))) for texts in draws)
    ratios = [float(np.mean([len(set(t)) / len(t) for t in texts])) for texts in draws]
    assert long == pytest.approx(short, rel=0.05)
    assert ratios[0] > 1.5 * ratios[1]


def test_short_records_are_not_counted():
    long, short = spelled(text(60, 41)), "a b c"
    assert value("mtld", [long, short, ""]) == pytest.approx(PACKAGE[60, 41][0])
    assert value("mtld", [short]).reason == "no record has 50 tokens"
    assert np.isnan(mtlds([[1, 2], []], shortest=3)).all()


def test_hdd_of_the_set_does_not_move_with_its_size_and_distinct_does():
    rng = np.random.default_rng(2)
    texts = [spelled(rng.integers(0, 500, 20)) for _ in range(400)]
    values = [value("hdd", part) for part in (texts[:100], texts)]
    assert values[0] == pytest.approx(values[1], rel=0.02)
    assert value("distinct_n:n=1", texts[:100]) > 3.5 * value("distinct_n:n=1", texts)


def test_hdd_needs_as_many_as_it_draws():
    assert value("hdd", ["a b c"]).reason == "the records have 3 n-grams, 1,000 are drawn"
    assert value("hdd:draws=3", ["a b c"]) == 1.0
    assert value("hdd:draws=3,n=2", ["a b a b a b"]) == pytest.approx(
        (1 + 0.9) / 3
    )  # ab 3, ba 2 of 5: C(3,3)/C(5,3) = .1
    with pytest.raises(Exception, match="draws must lie in"):
        parse(["hdd:draws=1"])


def test_counts_under_a_mask_and_of_a_sampled_table(monkeypatch):
    rng = np.random.default_rng(4)
    rows = make_rows([spelled(np.minimum(rng.zipf(1.3, 40), 3000)) for _ in range(300)])
    exact = fold(NGramTable(n=1), rows)
    keep = only(range(7))
    tokens = [token for row in rows if keep[row["group"]] for token in row["tokens@response"]]
    counts, scale = held_counts(exact, keep)
    assert scale == 1.0
    assert sorted(counts) == sorted(np.unique(tokens, return_counts=True)[1])
    assert once(exact, keep) == np.count_nonzero(counts == 1)
    (measure,) = parse(["hdd"])
    whole, singles = measure.value(exact, everything()), once(exact, everything())
    monkeypatch.setattr(tables, "CAPACITY", 1000)
    sampled = NGramTable(n=1)
    sampled.update(make_batch(rows, sampled.needs))
    assert not sampled.bound()[0]
    assert measure.value(sampled, everything()) == pytest.approx(whole, rel=0.25)
    assert once(sampled, everything()) == pytest.approx(singles, rel=0.25)


def test_the_bias_of_entropy_is_what_the_docstring_says():
    rng = np.random.default_rng(3)
    found = {"none": [], "miller": []}
    for _ in range(40):
        records = [spelled(tokens) for tokens in rng.integers(0, 500, (100, 20))]
        for correction, values in found.items():
            values.append(value(f"ngram_entropy:n=1,correction={correction}", records))
    assert math.log(500) - np.mean(found["none"]) == pytest.approx(0.133, abs=0.01)
    assert math.log(500) - np.mean(found["miller"]) == pytest.approx(0.010, abs=0.01)


def test_entropy_of_copies_and_of_nothing():
    assert value("ngram_entropy", ["a b"] * 30) == 0.0
    assert value("ngram_entropy", ["a b c"] * 30) == pytest.approx(math.log(2))
    assert value("ngram_entropy:n=3", ["a b"]).reason == "no record has 3 tokens"
