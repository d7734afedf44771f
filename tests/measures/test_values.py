"""Values that are known without a reference: degenerate sets, limits, and what is said when there is no number."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from triptych.core.estimate import Estimate, Undefined
from triptych.core.groups import everything
from triptych.core.measure import Measure
from triptych.core.reading import read
from triptych.core.registry import measures, parse
from triptych.measures.diversity.vendi import Vendi, effective_number
from triptych.testing import make_rows
from triptych.testing.laws import fold


def value(measure: Measure, records) -> float | Undefined:
    return measure.value(fold(measure.statistic(), make_rows(records)), everything())


def one(request: str) -> Measure:
    (measure,) = parse([request])
    return measure


SAME = ["one two three four five six"] * 300


@pytest.mark.parametrize(
    ("request_", "want"),
    [
        ("vendi:q=0", 1.0),
        ("vendi:q=1", 1.0),
        ("vendi:q=2", 1.0),
        ("vendi:q=inf", 1.0),
        ("mean_cosine_distance", 0.0),
        ("distinct_n:n=1", 1 / 300),
        ("distinct_n:n=2", 1 / 300),
        ("exact_duplicate_rate", 299 / 300),
        ("near_duplicate_rate:on=response", 299 / 300),
        ("effective_structures:on=response", 1.0),
        ("structure_coverage:on=response", 1 / 300),
        ("self_repetition", math.log(1 + 3 * 299)),
        ("tokens", 6.0),
    ],
)
def test_one_text_repeated(request_, want):
    assert value(one(request_), SAME) == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize("q", [0, 0.5, 1, 2, math.inf])
def test_vendi_of_orthogonal_vectors_is_their_number(q):
    records = [{"response": f"{i}", "embedding@response": row.tolist()} for i, row in enumerate(np.eye(6))]
    assert value(Vendi(q=q), records) == pytest.approx(6)


def test_vendi_falls_with_its_order():
    rng = np.random.default_rng(5)
    records = [
        {"response": f"{i}", "embedding@response": row.tolist()} for i, row in enumerate(rng.normal(1, 1, (80, 9)))
    ]
    values = [value(Vendi(q=q), records) for q in (0, 0.5, 0.999999, 1, 1.000001, 1.5, 2, 8, math.inf)]
    assert values == sorted(values, reverse=True)
    assert values[2] == pytest.approx(values[3], rel=1e-4)
    assert values[4] == pytest.approx(values[3], rel=1e-4)


def test_order_two_needs_no_eigenvalues_and_agrees_with_them():
    spectrum = np.array([0.5, 0.3, 0.2])
    assert effective_number(spectrum, 2.0) == pytest.approx(1 / np.sum(spectrum**2))


@pytest.mark.parametrize(
    ("request_", "records", "words"),
    [
        ("mean_cosine_distance", ["one text"], "needs two records"),
        ("vendi", ["", ""], "no record has a vector"),
        ("distinct_n:n=3", ["a b", "c"], "no record has 3 tokens"),
        ("ead:n=2", ["a"], "no record has 2 tokens"),
        ("self_repetition", ["a b c"], "no record has 4 tokens"),
        ("near_duplicate_rate", [""], "no record has tokens"),
        ("compression_ratio", SAME, "try compression_ratio:block=128"),
        ("compression_ratio", ["short"] * 9, "too little text"),
        ("effective_structures", ["no prompt here"], "no record has a structure"),
        ("structure_coverage", ["no prompt here"], "no record has a structure"),
        ("per_prompt_distance", SAME, "no prompt has two responses"),
        ("per_prompt_novelty", SAME, "no prompt has two responses"),
        ("tokens:on=prompt", SAME, "no record has the text"),
        ("constraints", SAME, "no record has a prompt"),
        ("lexical_diversity", ["short"], "no record has 42 tokens"),
        ("readability_grade", ["short"], "no record has 10 words"),
        ("length_correlation", ["a b c. d"] * 20, "the same for all"),
        ("length_correlation", ["a. b", "c"], "needs three records"),
        ("label_mean:field=score", SAME, 'no record has a label "score"'),
        ("tokens:valid_only=true", ["", "x,"], "no record has the text"),
    ],
)
def test_no_number_but_a_reason(request_, records, words):
    found = value(one(request_), records)
    assert isinstance(found, Undefined)
    assert words in found.reason


def test_the_block_that_is_proposed_works():
    reason = value(one("compression_ratio"), SAME).reason
    rows = make_rows(SAME)
    measure = one(reason.rpartition("try ")[2])
    estimate = read(measure, fold(measure.statistic(), rows))
    assert estimate.value > 1
    assert estimate.interval.lo is not None


def test_validity_changes_what_is_counted():
    records = ["one two three.", "four five six.", "Sorry one,", "Sorry two,"]
    assert value(one("tokens"), records) == 2.5
    assert value(one("tokens:valid_only=true"), records) == 3.0
    assert value(one("defect_rate:kind=refusal"), records) == 0.5
    assert value(one("valid_share"), records) == 0.5


def test_both_texts_are_judged_by_the_response():
    records = [{"prompt": "ends with,", "response": "a b c"}, {"prompt": "Good one", "response": "d e,"}]
    assert value(one("distinct_n:n=1,on=both"), records) == 1.0
    assert value(one("ead:n=1,vocabulary=2,on=both,valid_only=true"), records) == pytest.approx(5 / (2 * (1 - 2**-5)))


def test_distinct_falls_with_size_and_ead_less():
    rng = np.random.default_rng(2)
    texts = [" ".join(f"w{k}" for k in rng.integers(0, 500, 20)) for _ in range(400)]
    small, large = texts[:100], texts
    distinct = value(one("distinct_n:n=1"), small) / value(one("distinct_n:n=1"), large)
    ead = value(one("ead:vocabulary=500"), small) / value(one("ead:vocabulary=500"), large)
    assert distinct > 3.5
    assert ead == pytest.approx(1, abs=0.02)


def test_estimates_are_strict_json_and_come_back():
    rows = make_rows([f"a{i} b{i % 7} c d e" for i in range(80)])
    for cls in measures().values():
        for params in cls.about.panel:
            measure = parse([cls.about.name])[0] if not params else cls(**params)
            data = read(measure, fold(measure.statistic(), rows)).to_json()
            text = json.dumps(data, allow_nan=False)
            assert Estimate.from_json(json.loads(text)).to_json() == data
            assert (data["value"] is None) == (data["undefined"] is not None)
            assert (data["lo"] is None) == (data["no_interval"] is not None)
            if data["lo"] is not None:
                assert data["lo"] <= data["value"] <= data["hi"]
