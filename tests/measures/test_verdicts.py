"""Solve rate, learnability and zero-signal share: against enumeration, simulation and what is known by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch
from triptych.core.errors import SpecError
from triptych.core.estimate import Undefined
from triptych.core.groups import everything, only
from triptych.core.interval import interval
from triptych.core.reading import read
from triptych.core.registry import parse
from triptych.statistics.tallies import PromptTallies
from triptych.testing import make_rows
from triptych.testing.laws import fold


def one(request: str):
    (measure,) = parse([request])
    return measure


def rollouts(verdicts: dict[str, list[float]]):
    return make_rows(
        [
            {"prompt": prompt, "response": f"{prompt} {i}", "label.score": verdict}
            for prompt, seen in verdicts.items()
            for i, verdict in enumerate(seen)
        ]
    )


def value(request: str, verdicts: dict[str, list[float]]):
    measure = one(request)
    return measure.value(fold(measure.statistic(), rollouts(verdicts)), everything())


def drawn(rng: np.random.Generator, prompts: int, n: int) -> Batch:
    """Rollouts of prompts whose probabilities are Beta(.6, .6), whole prompts dealt to groups."""
    p, who = rng.beta(0.6, 0.6, prompts), np.repeat(np.arange(prompts), n)
    solved = (rng.random(len(who)) < p[who]).astype(float)
    columns = {"prompt": pa.array([f"p{i}" for i in who]), "label.score": pa.array(solved)}
    group = rng.integers(0, 32, prompts)[who].astype(np.uint8)
    return Batch(columns, group, np.arange(len(who), dtype=np.uint64))


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_learnability_is_unbiased_for_every_number_of_responses(n, p):
    """Over all outcomes of n responses, weighted by their probability, the value is p(1 - p); c/n is too low."""
    total = plug_in = 0.0
    for seen in product((0.0, 1.0), repeat=n):
        weight = math.prod(p if verdict else 1 - p for verdict in seen)
        total += weight * value("learnability:field=score", {"A": list(seen)})
        plug_in += weight * np.mean(seen) * (1 - np.mean(seen))
    assert total == pytest.approx(p * (1 - p), abs=1e-12)
    assert plug_in == pytest.approx(p * (1 - p) * (n - 1) / n, abs=1e-12)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_zero_signal_is_unbiased_for_every_number_of_responses(k):
    p, n = 0.7, 5
    total = sum(
        math.prod(p if verdict else 1 - p for verdict in seen)
        * value(f"zero_signal_share:field=score,k={k}", {"A": list(seen)})
        for seen in product((0.0, 1.0), repeat=n)
    )
    assert total == pytest.approx(p**k + (1 - p) ** k, abs=1e-12)


def test_zero_signal_of_two_is_learnability_the_other_way_round():
    verdicts = {f"q{i}": [float(j % (i + 2) == 0) for j in range(6)] for i in range(9)}
    pairs = value("zero_signal_share:field=score,k=2", verdicts)
    assert pairs == pytest.approx(1 - 2 * value("learnability:field=score", verdicts))


def test_zero_signal_at_k_of_n_is_the_share_of_prompts_that_agree():
    verdicts = {"A": [1, 1, 1], "B": [0, 0, 0], "C": [1, 0, 1], "D": [0, 1, 0]}
    assert value("zero_signal_share:field=score,k=3", verdicts) == 0.5


def test_every_prompt_counts_once():
    assert value("solve_rate:field=score", {"A": [1.0] * 98 + [0.0] * 2, "B": [0.0, 0.0]}) == pytest.approx(0.49)


def test_rewards_are_cut_at_the_threshold():
    verdicts = {"A": [0.4, 0.6], "B": [0.9, -1.0]}
    assert value("solve_rate:field=score,at=0.5", verdicts) == 0.5
    assert value("solve_rate:field=score,at=0.3", verdicts) == 0.75
    assert value("solve_rate:field=score", verdicts) == 0.0


def identical(several: int, split: int):
    """Prompts with different responses, and prompts with four times the same one, dealt singly."""
    return make_rows(
        [{"prompt": f"A{i}", "response": "42", "label.score": 1.0} for i in range(split) for _ in range(4)]
        + [
            {"prompt": f"B{i}", "response": f"{j}", "label.score": float(j == 0)}
            for i in range(several)
            for j in range(4)
        ]
    )


def test_a_few_prompts_of_identical_responses_count_as_one_prompt_each():
    measure = one("solve_rate:field=score")
    statistic = fold(measure.statistic(), identical(39, 1))
    assert measure.value(statistic, everything()) == pytest.approx((1 + 39 * 0.25) / 40)


@pytest.mark.parametrize(
    "request_", ["solve_rate:field=score", "learnability:field=score", "zero_signal_share:field=score"]
)
def test_many_prompts_of_identical_responses_have_no_error_and_so_no_number(request_):
    measure = one(request_)
    found = measure.value(fold(measure.statistic(), identical(10, 10)), everything())
    assert isinstance(found, Undefined)
    assert "10 of 20 prompts" in found.reason
    assert "--group-by" in found.reason


def test_missing_labels_and_missing_prompts_are_not_counted():
    rows = make_rows(
        [
            {"prompt": "A", "response": "1", "label.score": 1.0},
            {"prompt": "A", "response": "2", "label.score": None},
            {"prompt": "A", "response": "3", "label.score": 0.0},
            {"prompt": None, "response": "4", "label.score": 1.0},
            {"prompt": None, "response": "5", "label.score": 1.0},
            {"prompt": "", "response": "6", "label.score": 1.0},
            {"prompt": "", "response": "6", "label.score": 1.0},
        ]
    )
    measure = one("solve_rate:field=score")
    statistic = fold(measure.statistic(), rows)
    assert (statistic.records(everything()), measure.value(statistic, everything())) == (1, 0.5)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("solve_rate:field=score", "no prompt has two responses"),
        ("learnability:field=score", "no prompt has two responses"),
        ("zero_signal_share:field=score", "no prompt has 4 responses"),
    ],
)
def test_no_number_but_a_reason(request_, words):
    found = value(request_, {"A": [1.0], "B": [0.0]})
    assert isinstance(found, Undefined)
    assert words in found.reason


@pytest.mark.parametrize("name", ["solve_rate", "learnability", "zero_signal_share"])
def test_the_label_must_be_named(name):
    with pytest.raises(SpecError, match="name the label field"):
        one(name)


def test_k_below_two_is_refused():
    with pytest.raises(SpecError, match="k must be at least 2"):
        one("zero_signal_share:field=score,k=1")


def test_kind_of_interval_follows_the_data():
    rng = np.random.default_rng(3)
    statistic = PromptTallies("label.score", least=4)
    statistic.update(drawn(rng, 200, 4))
    assert one("zero_signal_share:field=score").interval_kind(statistic) == "share"
    statistic.update(drawn(rng, 300, 5))
    assert one("zero_signal_share:field=score").interval_kind(statistic) == "plain"


def test_prompts_always_solved_have_no_made_up_error():
    verdicts = {f"q{i}": [1.0, 1.0] for i in range(200)}
    measure = one("solve_rate:field=score")
    estimate = read(measure, fold(measure.statistic(), rollouts(verdicts)))
    assert (estimate.value, estimate.interval.lo) == (1.0, None)
    assert "end of its range" in str(estimate.interval.reason)


@pytest.mark.parametrize(("name", "truth"), [("solve_rate", 0.5), ("learnability", 0.36 / (1.2 * 2.2))])
def test_intervals_cover(name, truth):
    """Beta(.6, .6): the mean of p is 1/2, that of p(1 - p) is ab/((a + b)(a + b + 1))."""
    rng, measure, trials = np.random.default_rng(11), one(f"{name}:field=score"), 120
    held = 0
    for _ in range(trials):
        statistic = measure.statistic()
        statistic.update(drawn(rng, 120, 4))
        found = interval(
            lambda keep, s=statistic: measure.value(s, keep), statistic.records, "plain", measure.about.bounds
        )
        held += found.lo <= truth <= found.hi
    assert held / trials >= 0.88


def test_many_small_batches_settle_to_one_table():
    rng = np.random.default_rng(5)
    whole, parts = PromptTallies("label.score"), PromptTallies("label.score")
    batch = drawn(rng, 40, 3)
    whole.update(batch)
    for i in range(len(batch)):
        parts.update(batch.take(np.arange(len(batch)) == i))
    for name, array in whole.state().items():
        assert np.array_equal(array, parts.state()[name])
    assert sum(whole.records(only([group])) for group in range(32)) == whole.records(everything()) == 40
