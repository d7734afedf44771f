"""Audits of planted scorers: the verdict that is due, by intervals, with what is counted and what is refused."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from triptych import api
from triptych.auditing.intervals import Number
from triptych.auditing.judging import NOTHING, UNKNOWN, USABLE, WEAK, judge
from triptych.core.errors import ReadError, SchemaError, UsageError
from triptych.core.rng import stream

WORDS = "river market engine garden ledger bridge melody harvest planet library".split()


def rows_of(prompts=120, answers=3, *labels, noise=0.5):
    """Rows with a truth, a label, a good score, a blind one, one that only follows length, and a second good one."""
    rng = stream("audit rows", prompts, answers, *labels)
    rows = []
    for prompt in range(prompts):
        for answer in range(answers):
            truth, size = rng.normal(), int(rng.integers(3, 30))
            text = " ".join(WORDS[int(rng.integers(10))] for _ in range(size)) + f" {answer}"
            rows.append({
                "prompt": f"Tell me of {WORDS[prompt % 10]} number {prompt}.", "response": text,
                "gold": int(truth > 0), "grade": round(truth, 3), "good": truth + noise * rng.normal(),
                "again": truth + noise * rng.normal(), "blind": rng.normal(), "long": size + rng.normal(), "flat": 3,
                "scores": [round(truth + noise * rng.normal(), 2) for _ in range(3)],
            })  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def rows():
    return rows_of()


def one(document):
    (found,) = document["scorers"]
    return found


def number(document, key):
    held = [entry for numbers in one(document)["numbers"].values() for entry in numbers if entry["key"] == key]
    return held[0] if held else None


def test_a_good_scorer_is_usable(rows):
    found = api.audit(rows, scorer="good", gold="gold", repeat="again")
    assert one(found)["verdict"] == USABLE
    assert number(found, "concordance")["lo"] > 0.7
    assert number(found, "concordance")["clusters"] == 120
    assert number(found, "icc")["value"] == pytest.approx(0.8, abs=0.07)
    assert number(found, "over_length")["lo"] > 0
    assert one(found)["needed"] is None
    assert found["dataset"]["grouping"].startswith("clusters by prompt")
    json.dumps(found, allow_nan=False)


def test_a_blind_one_has_no_discrimination_and_a_flat_one_too(rows):
    many = rows_of(700, 3, "many")
    assert one(api.audit(many, scorer="blind", gold="gold"))["verdict"] == NOTHING
    flat = one(api.audit(rows, scorer="flat"))
    assert flat["verdict"] == NOTHING
    assert flat["reasons"][0].startswith(("most scores are the same", "every record has the same score"))


def test_numbers_of_gold_with_many_values(rows):
    found = api.audit(rows, scorer="good", gold="grade")
    assert one(found)["verdict"] == USABLE
    assert number(found, "gold_linear")["value"] == pytest.approx(1 / math.sqrt(1.25), abs=0.05)
    assert number(found, "kappa") is None


def test_what_follows_length_is_weak_at_most():
    rows = rows_of(200, 2, "length")
    for row in rows:
        row["gold"] = int(len(row["response"]) > 100)
    found = api.audit(rows, scorer="long", gold="gold")
    assert one(found)["verdict"] == WEAK
    assert any("than length does" in reason for reason in one(found)["reasons"])
    without = one(api.audit(rows, scorer="long"))
    assert without["verdict"] == WEAK
    assert "nearly the length" in without["reasons"][0]


def test_a_scorer_of_prompts_is_not_one_of_answers():
    rows = rows_of(300, 3, "prompts")
    for at, row in enumerate(rows):
        hard = (at // 3) % 2
        rng = stream("prompts", at)
        row["good"] = hard + 0.01 * rng.normal()
        row["gold"] = int(rng.random() < (0.9 if hard else 0.1))
    found = api.audit(rows, scorer="good", gold="gold")
    assert number(found, "concordance")["lo"] > 0.7
    assert one(found)["verdict"] == WEAK
    assert any("the responses of one prompt apart" in reason for reason in one(found)["reasons"])


def test_without_gold_it_says_how_many_labels_are_needed(rows):
    found = one(api.audit(rows, scorer="good"))
    assert found["verdict"] == UNKNOWN
    assert 50 < found["needed"]["labels"] < 500
    few = rows[:60]
    for row in few:
        row["some"] = row["blind"] + 0.8 * row["grade"]
    unsure = one(api.audit(few, scorer="some", gold="gold"))
    assert unsure["verdict"] in (UNKNOWN, WEAK)
    assert unsure["needed"]["labels"] > 60


def test_lists_are_repeats(rows):
    found = api.audit(rows, scorer="scores", gold="gold")
    assert [each["name"] for each in one(found)["repeats"]] == ["scores[1]", "scores[2]"]
    assert number(found, "icc_mean")["value"] > number(found, "icc")["value"]
    assert number(api.audit(rows, scorer="scores[0]"), "icc") is None


def test_failures_are_counted_and_never_numbers(rows):
    broken = [dict(row) for row in rows]
    for at in range(0, len(broken), 3):
        broken[at]["good"] = ("8/10", "The answer is good.", None)[at % 9 // 3]
    found = api.audit(broken, scorer="good", gold="gold")
    failures = {each["kind"]: each for each in one(found)["failures"]}
    assert failures["text, not a number"]["count"] == 80
    assert failures["text, not a number"]["example"] == "8/10"
    assert failures["text, not a number"]["place"] == "records, row 1"
    assert failures["missing"]["count"] == 40
    assert number(found, "failed")["value"] == pytest.approx(1 / 3)
    assert number(found, "mean")["n"] == 240
    assert one(found)["verdict"] == WEAK
    late = [{**row, "score": 1.0 * (at % 7)} for at, row in enumerate(rows)] * 4
    late[-1] = {**late[-1], "score": "7/10"}
    assert one(api.audit(late, scorer="score"))["failures"][0]["count"] == 1
    nothing = one(api.audit([{**row, "good": "prose"} for row in rows], scorer="good"))
    assert (nothing["verdict"], nothing["reasons"]) == (NOTHING, ["no record has a score"])


def pair_rows(n, judge_of, *labels):
    """Pairs in which a judge names the first or the second; each pair in both orders."""
    rng = stream("audit pairs", n, *labels)
    rows = []
    for at in range(n):
        texts = [f"Answer {at} {name} " + "word " * int(rng.integers(1, 9)) for name in "xy"]
        better = int(rng.integers(2))
        for turn, order in enumerate(((0, 1), (1, 0))):
            verdict = judge_of(rng, order.index(better))
            rows += [
                {"prompt": f"Question {at}?", "response": texts[which], "pair_id": f"{at}-{turn}", "verdict": verdict,
                 "better": int(which == better)}
                for which in order
            ]  # fmt: skip
    return rows


def test_verdicts_on_pairs():
    rows = pair_rows(150, lambda rng, right: "12"[right] if rng.random() < 0.95 else "Tie")
    found = api.audit(rows, scorer="verdict", gold="better")
    assert (one(found)["kind"], one(found)["verdict"]) == ("verdict", USABLE)
    assert number(found, "pair_accuracy")["lo"] > 0.9
    assert number(found, "pair_accuracy")["clusters"] == 150
    assert number(found, "flips")["n"] == 150
    assert number(found, "flips")["hi"] < 0.2
    assert found["dataset"]["pairs"]["n"] == 300


def test_a_judge_that_names_the_first_response():
    rows = pair_rows(150, lambda rng, right: "1" if rng.random() < 0.97 else "2")
    found = api.audit(rows, scorer="verdict")
    assert one(found)["verdict"] == NOTHING
    assert number(found, "flips")["value"] > 0.9
    assert number(found, "first")["lo"] > 0.9
    assert any("favours the first" in reason for reason in one(found)["reasons"])


def test_swapped_verdicts_beside_the_first_ones():
    rows = pair_rows(100, lambda _, right: "12"[right])
    rows = [row for row in rows if row["pair_id"].endswith("-0")]
    for row in rows:
        row["turned"] = {"1": "2", "2": "1"}[row["verdict"]]
    assert number(api.audit(rows, scorer="verdict", swapped="turned"), "flips")["value"] == 0
    for row in rows:
        row["turned"] = row["verdict"]
    assert number(api.audit(rows, scorer="verdict", swapped="turned"), "flips")["value"] == 1


def test_chosen_and_rejected():
    rng = stream("chosen")
    rows = [
        {"prompt": f"Question {at}?", "chosen": f"yes {at}", "rejected": f"no {at} and more",
         "score_chosen": 1 + rng.normal(), "score_rejected": rng.normal()}
        for at in range(300)
    ]  # fmt: skip
    found = api.audit(rows, scorer="score", gold="preference")
    assert number(found, "pair_accuracy")["value"] == pytest.approx(0.76, abs=0.07)
    assert number(found, "first") is None  # chosen stands first: that is no position
    assert one(found)["verdict"] in (USABLE, WEAK)


def test_length_as_a_scorer_and_position_and_drift(rows):
    placed = [{**row, "turn": at % 5, "tired": -at + 60 * row["blind"]} for at, row in enumerate(rows)]
    found = api.audit(placed, scorer="tired", position="turn")
    assert number(found, "drift")["hi"] < -0.5
    assert abs(number(found, "position")["value"]) < 0.2
    means = [block["mean"] for block in one(found)["blocks"]]
    assert means[0] > means[-1]
    assert number(api.audit(rows, scorer="@length"), "length") is None


def test_bad_usage(rows):
    with pytest.raises(SchemaError, match='no row has the field "goood"') as raised:
        api.audit(rows, scorer="goood")
    assert "--scorer good" in str(raised.value)
    with pytest.raises(UsageError, match="with itself"):
        api.audit(rows, scorer="good", gold="good")
    with pytest.raises(UsageError, match="needs a scorer"):
        api.audit(rows, scorer="")
    with pytest.raises(UsageError, match="belong to one"):
        api.audit(rows, scorer="good,blind", repeat="again")
    with pytest.raises(SchemaError, match="no pair"):
        api.audit(rows, scorer="good", pairs="flat")
    with pytest.raises(UsageError, match="no setting"):
        api.audit(rows, scorer="good", goldd="gold")
    with pytest.raises(ReadError):
        api.audit([], scorer="good")


def test_one_record_and_few_records(rows):
    alone = one(api.audit(rows[:1], scorer="good", gold="gold"))
    assert alone["verdict"] == UNKNOWN
    few = api.audit(rows[:5], scorer="good", gold="gold")
    assert one(few)["verdict"] == UNKNOWN
    json.dumps(few, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "lo", "hi", "want"),
    [
        (0.8, 0.71, 0.9, USABLE),
        (0.8, 0.69, 0.9, WEAK),
        (0.6, 0.56, 0.66, WEAK),
        (0.6, 0.5, 0.69, UNKNOWN),
        (0.5, 0.46, 0.54, NOTHING),
        (0.2, 0.1, 0.3, NOTHING),
        (0.9, 0.5, 0.99, UNKNOWN),
    ],
)
def test_the_verdict_goes_by_the_ends_of_the_interval(value, lo, hi, want):
    found = judge([Number("concordance", "AUC", "probability", 200, 200, value, lo, hi)], gold="gold")
    assert found.verdict == want
    assert (found.needed is not None) == (want == UNKNOWN or (want == WEAK and hi >= 0.7))
    if found.needed:
        assert found.needed["labels"] > 200


def test_a_shown_defect_takes_the_verdict_down():
    good = Number("concordance", "AUC", "probability", 200, 200, 0.8, 0.75, 0.9)
    for key, lo, hi, want in (
        ("failed", 0.11, 0.2, WEAK), ("failed", 0.09, 0.2, USABLE), ("flips", 0.5, 0.7, NOTHING), ("flips", 0.1, 0.9, USABLE),
        ("icc", 0.1, 0.4, WEAK), ("icc", 0.4, 0.9, USABLE), ("icc", -0.1, 0.05, NOTHING), ("over_length", -0.1, 0.1, WEAK),
        ("first", 0.7, 0.9, WEAK), ("first_excess", -0.3, -0.2, WEAK), ("ties", 0.9, 0.93, WEAK),
    ):  # fmt: skip
        defect = Number(key, key, "ratio", 200, 200, (lo + hi) / 2, lo, hi)
        assert judge([good, defect], gold="gold").verdict == want, (key, lo)
    poor = Number("concordance", "AUC", "probability", 200, 200, 0.56, 0.52, 0.6)
    within = Number("concordance_within", "AUC", "probability", 200, 90, 0.75, 0.7, 0.8)
    assert any("better among the responses" in reason for reason in judge([poor, within], gold="gold").reasons)
    seldom = Number("flips", "flips", "ratio", 31, 22, 0.23, 0.1, 0.4)
    assert judge([good, seldom], gold="gold").reasons[-1].startswith("not shown, but worth a look: the winner changes")


def test_two_runs_are_equal_and_order_of_columns_does_not_matter(rows):
    first, second = (
        api.audit(given, scorer="good", gold="gold") for given in (rows, [dict(reversed(r.items())) for r in rows])
    )
    for each in (first, second):
        del each["provenance"]
    assert first == second


@pytest.mark.slow
def test_real_verdicts_on_pairs():
    folder = os.environ.get("TRIPTYCH_DATA")
    if not folder or not (Path(folder) / "pandalm_human3.jsonl.gz").is_file():
        pytest.skip("TRIPTYCH_DATA names no folder with pandalm_human3.jsonl.gz")
    found = api.audit(str(Path(folder) / "pandalm_human3.jsonl.gz"), scorer="gpt35_verdict", gold="preference")
    assert one(found)["kind"] == "verdict"
    assert one(found)["failures"][0]["example"] == "garbage"
    assert number(found, "pair_accuracy")["value"] == pytest.approx(0.80, abs=0.02)
    assert number(found, "flips")["n"] > 20
    assert np.isfinite(number(found, "kappa")["lo"])
