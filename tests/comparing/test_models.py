"""Models side by side: pass@k by counting all subsets, unlike numbers of answers, and a model that has narrowed."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest

from triptych.comparing.answers import COLUMNS, find_label, pass_at, sizes_of
from triptych.comparing.models import _difference, models
from triptych.comparing.sides import joined, prepare
from triptych.core.errors import UsageError
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

WORDS = "add take split double share count carry round check halve weigh sort".split()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    settings = Settings.of(
        measures=("label_mean:field=correct",), cache=tmp_path_factory.mktemp("cache"), workers=1, map={}
    )
    with open_bench(settings, Progress()) as opened:
        yield opened


def sides_of(bench, *sets):
    made = [prepare(open_dataset(rows, bench.settings.reading()), bench, COLUMNS) for rows in sets]
    for name, side in zip("abc", made, strict=False):
        side.dataset.name = name
    return joined(made)


def solving(seed, prompts=160, times=8, rate=0.5, *, ways=12):
    """Answers of a model that gets each prompt right at a rate of its own around `rate`, in so many ways."""
    draw = stream("models", seed)
    rows = []
    for number in range(prompts):
        chance = float(np.clip(rate(number) if callable(rate) else rate, 0, 1))
        for _ in range(times if isinstance(times, int) else times(number)):
            way = int(draw.integers(ways))
            steps = " ".join(WORDS[(way * 5 + i * (way + 1)) % 12] for i in range(8))
            rows.append(
                {"prompt": f"What is {number} plus {number}?", "response": f"{steps} to {2 * number}, {seed}.", "correct": bool(draw.random() < chance)}
            )  # fmt: skip
    return rows


def reading(found, name, key):
    row = next(row for row in found["rows"] if row["set"] == name)
    return row["pass_at"][key.removeprefix("pass@")] if key.startswith("pass@") else row[key]


def verdict(found, what):
    return next(each for each in found["differences"] if each["what"] == what)["verdict"]


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_pass_at_k_by_counting_all_subsets(k):
    cases = [(n, c) for n in range(1, 8) for c in range(n + 1)]
    n, c = (np.array(column) for column in zip(*cases, strict=True))
    found = pass_at(n, c.astype(float), k)
    for (size, right), value in zip(cases, found.tolist(), strict=True):
        drawn = list(combinations([True] * right + [False] * (size - right), k))
        if not drawn:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(np.mean([any(one) for one in drawn]))


def test_pass_at_k_of_many_answers_does_not_overflow():
    found = pass_at(np.array([5000, 5000]), np.array([1.0, 0.0]), 1000)
    assert found.tolist() == [pytest.approx(0.2), 0.0]


def test_sizes_stop_where_half_of_the_prompts_would_be_lost():
    assert sizes_of(np.array([8, 8, 8])) == (1, 2, 4, 8)
    assert sizes_of(np.array([1, 1, 5, 7])) == (1, 2, 4)
    assert sizes_of(np.array([1, 1, 1, 7])) == (1,)


def test_a_narrowed_model_is_seen(bench):
    """Both solve half of their answers: one half of every prompt's, the other all answers of half of the prompts."""
    broad = solving("broad", rate=0.5)
    narrow = solving("narrow", rate=lambda number: float(number % 2), ways=1)
    found = models(sides_of(bench, broad, narrow), "correct")
    assert found["k"] == [1, 2, 4, 8]
    assert found["prompts"] == 160
    assert abs(reading(found, "a", "quality")["value"] - reading(found, "b", "quality")["value"]) < 0.05
    assert reading(found, "b", "pass@8")["value"] == pytest.approx(0.5)
    assert reading(found, "a", "pass@8")["value"] > 0.98
    assert verdict(found, "pass@1") in ("equivalent", "cannot tell")
    assert verdict(found, "pass@8") == verdict(found, "per_prompt") == verdict(found, "per_prompt_novelty") == "a"
    assert found["narrowed"] == ["b"]
    assert "b is worse at k = 8: it is the narrower of the two" in found["text"]
    assert found["text"].endswith("Answers of b to one prompt are more alike.")
    assert reading(found, "b", "per_prompt_novelty")["value"] < 0.01
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_better_at_one_and_worse_at_many(bench):
    sure = solving("sure", rate=lambda number: 0.98 if number % 4 else 0.0, ways=2)
    found = models(sides_of(bench, solving("open", rate=0.5), sure), "correct")
    assert (verdict(found, "quality"), verdict(found, "pass@8")) == ("b", "a")
    assert found["narrowed"] == ["b"]
    assert found["text"].startswith("b is better than a at k = 1 and worse at k = 8: it has narrowed.")


def test_values_are_means_over_prompts_whatever_the_number_of_answers(bench):
    many = solving("many", times=lambda number: 2 + 6 * (number % 2), rate=lambda number: 0.9 if number % 2 else 0.1)
    few = solving("few", times=4, rate=0.5)
    found = models(sides_of(bench, many, few), "correct")
    by = {}
    for row in many:
        by.setdefault(row["prompt"], []).append(row["correct"])
    rates = [np.mean(labels) for labels in by.values()]
    assert reading(found, "a", "quality")["value"] == pytest.approx(np.mean(rates))
    assert np.mean([row["correct"] for row in many]) > np.mean(rates) + 0.1
    assert found["k"] == [1, 2, 4]
    assert found["left_out"] == {"1": 0, "2": 0, "4": 80}
    assert reading(found, "b", "pass@4")["n"] == 80
    chances = [
        1 - np.prod([(len(x) - sum(x) - i) / (len(x) - i) for i in range(4)]) for x in by.values() if len(x) >= 4
    ]
    assert reading(found, "a", "pass@4")["value"] == pytest.approx(np.mean(chances))
    assert found["rows"][0]["n_per_prompt"] == {"least": 2, "median": 5.0, "most": 8}


def test_only_shared_prompts_count_and_differences_are_paired(bench):
    def hard(number):
        return stream("hard", number).random()

    a, b = solving("a", 200, 4, hard), solving("b", 300, 4, hard)
    found = models(sides_of(bench, a, b), "correct")
    assert found["prompts"] == 200
    quality = next(each for each in found["differences"] if each["what"] == "quality")
    kept = {f"What is {number} plus {number}?" for number in range(200)}
    means = [np.mean([row["correct"] for row in rows if row["prompt"] in kept]) for rows in (a, b)]
    assert (quality["a"], quality["b"]) == (pytest.approx(means[0]), pytest.approx(means[1]))
    ends = [reading(found, name, "quality") for name in "ab"]
    alone = np.hypot(*(one["hi"] - one["lo"] for one in ends))
    assert quality["hi"] - quality["lo"] < 0.85 * alone
    assert quality["lo"] < 0 < quality["hi"]


def test_intervals_hold_the_truth():
    """200 pairs of one model with itself: p < .05 in no more than 20 (10 are expected, with a spread of 3)."""
    wrong = 0
    for trial in range(200):
        draw = np.random.default_rng([7, trial])
        groups = draw.integers(0, 32, 150).astype(np.uint8)
        chance = draw.random(150)
        n = np.full(150, 6)
        a, b = (pass_at(n, draw.binomial(6, chance).astype(float), 4) for _ in range(2))
        wrong += _difference(a, b, groups).p < 0.05
    assert wrong <= 20


def test_one_answer_each_says_so(bench):
    found = models(sides_of(bench, solving("x", times=1), solving("y", times=1)), "correct")
    assert found["k"] == [1]
    assert found["narrowed"] == []
    assert reading(found, "a", "per_prompt")["value"] is None
    assert reading(found, "a", "per_prompt")["undefined"]
    assert "No prompt has two labelled answers" in found["note"]


def test_a_score_has_no_pass_at_k(bench):
    rows = [[{**row, "correct": 0.5 * row["correct"]} for row in solving(name)] for name in "xy"]
    found = models(sides_of(bench, *rows), "correct")
    assert found["k"] == []
    assert "no pass@k" in found["note"]
    assert reading(found, "a", "quality")["lo"] < 0.25 < reading(found, "a", "quality")["hi"]


def test_missing_labels_are_no_wrong_answers(bench):
    rows = solving("x")
    gaps = [{**row, "correct": None if place % 8 == 0 else row["correct"]} for place, row in enumerate(rows)]
    found = models(sides_of(bench, gaps, solving("y")), "correct")
    assert found["rows"][0]["n_per_prompt"]["most"] == 7
    assert found["k"] == [1, 2, 4]
    known = [row["correct"] for row in gaps if row["correct"] is not None]
    assert reading(found, "a", "quality")["value"] == pytest.approx(np.mean(known))


def test_nothing_in_common_and_no_label(bench):
    other = [{**row, "prompt": "No. " + row["prompt"]} for row in solving("y")]
    found = models(sides_of(bench, solving("x"), other), "correct")
    assert found["undefined"] == "no prompt has a labelled answer in every set"
    assert found["rows"] == []
    with pytest.raises(UsageError, match="--models correct"):
        models(sides_of(bench, solving("x"), solving("y")), "corect")


def test_three_models_have_three_pairs(bench):
    found = models(sides_of(bench, *(solving(name, 80, 2) for name in "xyz")), "correct")
    assert {(each["first"], each["second"]) for each in found["differences"]} == {("a", "b"), ("a", "c"), ("b", "c")}


def test_answers_of_models_are_recognized(bench):
    x, y = solving("x", 60, 4), solving("y", 60, 4)
    assert find_label(sides_of(bench, x, y)) == "correct"
    assert find_label(sides_of(bench, solving("x", 60, 1), y)) is None
    assert find_label(sides_of(bench, x, x[:120])) is None
    assert find_label(sides_of(bench, x, [{**row, "correct": 0.3} for row in y])) is None
