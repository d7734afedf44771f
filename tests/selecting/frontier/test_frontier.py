"""The verb on a small pool: the document, resuming, picks, bad input."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

import triptych
from triptych import api
from triptych.core.errors import InputError, SelectionError, UsageError
from triptych.selecting.frontier.judging import TFIDF
from triptych.selecting.frontier.shape import dominates
from triptych.selecting.frontier.sweep import packed, strict, unpacked
from triptych.selecting.frontier.verb import POINTS

POLICIES = "threshold,archive:by=cluster:4"


def lasting(document):
    return json.dumps({key: value for key, value in document.items() if key != "provenance"}, sort_keys=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("swept")


@pytest.fixture(scope="module")
def document(rows_of_pool, sweep_of, cache, folder):
    return sweep_of(rows_of_pool(1100), 100, folder, cache=cache, policies=POLICIES).document


def test_the_references_are_always_there(document):
    roles = Counter(point["role"] for point in document["points"])
    assert roles["random"] == 5
    assert roles["longest"] == roles["top_quality"] == roles["most_diverse"] == 1
    assert len({point["id"] for point in document["points"]}) == len(document["points"])
    assert len({point["seed"] for point in document["points"] if point["role"] == "random"}) == 5
    assert all(point["records"] == 100 for point in document["points"])
    assert document["at"] == 100
    assert document["failed"] == []


def test_every_number_has_an_interval_or_a_reason(document):
    labels = [judge["label"] for judge in document["diversity"]]
    assert labels[0] == TFIDF
    assert [judge["independent"] for judge in document["diversity"]] == [True, False, True]
    for point in document["points"]:
        assert set(point["diversity"]) == set(labels)
        for found in (point["quality"], point["complexity"], *point["diversity"].values()):
            assert found["lo"] <= found["value"] <= found["hi"]


def test_quality_is_the_mean_of_what_was_taken(document, rows_of_pool, cache):
    rows = rows_of_pool(1100)
    best = sorted(rows, key=lambda row: -row["score"])[:100]
    point = next(point for point in document["points"] if point["role"] == "top_quality")
    assert point["quality"]["value"] == pytest.approx(np.mean([row["score"] for row in best]))


def test_dominance_and_front_agree(document):
    for label in (judge["label"] for judge in document["diversity"]):
        known = {p["id"]: (p["diversity"][label]["value"], p["quality"]["value"]) for p in document["points"]}
        for point in document["points"]:
            slow = [other for other, place in known.items() if dominates(place, known[point["id"]])]
            assert point["dominated_by"][label] == slow
            assert set(point["clearly_dominated_by"][label]) <= set(slow)
        assert set(document["frontier"][label]) == {p["id"] for p in document["points"] if not p["dominated_by"][label]}
        assert all(0 <= share <= 1 for share in document["hypervolume"][label].values())
        assert document["hypervolume_of_all"][label] >= max(document["hypervolume"][label].values())
    for step in document["price"]:
        assert step["per_unit"] == pytest.approx(step["quality_lost"] / step["diversity_gained"])


def test_tightening_a_threshold_raises_quality_and_narrows(document):
    found = document["threshold"]
    levels = [row["threshold"] for row in found["rows"]]
    assert levels == sorted(levels)
    assert len(levels) == 6
    assert found["quality_change"]["verdict"] == "rises"
    assert found["diversity_change"][TFIDF]["verdict"] == "narrows"
    assert found["verdict"] == "quality rises, the distribution narrows"


def test_the_noise_of_the_draw_is_told(document):
    values = [p["quality"]["value"] for p in document["points"] if p["role"] == "random"]
    assert document["noise"]["quality"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert document["noise"]["diversity"][TFIDF]["draws"] == 5


class Stop(Exception):  # noqa: N818 - no error: somebody pulls the plug
    pass


def test_a_second_call_goes_on(rows_of_pool, sweep_of, cache, tmp_path, monkeypatch, document):
    from triptych.selecting.frontier import sweep

    rows, calls = rows_of_pool(1100), []
    whole = sweep.choose

    def broken(*args):
        calls.append(args[1])
        if len(calls) == 7:
            raise Stop
        return whole(*args)

    monkeypatch.setattr(sweep, "choose", broken)
    with pytest.raises(Stop):
        sweep_of(rows, 100, tmp_path, cache=cache, policies=POLICIES)
    assert len((tmp_path / POINTS).read_text().splitlines()) == 6
    with (tmp_path / POINTS).open("a") as out:
        out.write('{"key": "half')
    calls.clear()
    monkeypatch.setattr(sweep, "choose", lambda *args: calls.append(args[1]) or whole(*args))
    again = sweep_of(rows, 100, tmp_path, cache=cache, policies=POLICIES).document
    assert len(calls) == len(document["points"]) - 6
    assert lasting(again) == lasting(document)
    calls.clear()
    assert lasting(sweep_of(rows, 100, tmp_path, cache=cache, policies=POLICIES).document) == lasting(document)
    assert not calls
    sweep_of(rows, 90, tmp_path, cache=cache, policies="longest")
    assert len(calls) == 8


def test_what_was_taken_is_kept_losslessly():
    taken = np.array([0, 5, 8, 990], dtype=np.int64)
    assert unpacked(packed(taken, 1000), 1000).tolist() == taken.tolist()
    assert strict({"a": (np.float64("nan"), np.int64(3), [float("inf")])}) == {"a": [None, 3, [None]]}


def test_a_budget_of_tokens_is_judged_at_one_number(rows_of_pool, sweep_of, cache):
    found = sweep_of(rows_of_pool(400), "4k tokens", cache=cache, policies="threshold").document
    points = found["points"]
    assert len({point["records"] for point in points}) > 1
    assert found["at"] == min(point["records"] for point in points)
    assert all(point["spent"] <= 4000 for point in points)
    assert all(value["value"] is not None for point in points for value in point["diversity"].values())


def test_pick_rules(rows_of_pool, sweep_of, cache, folder, document):
    def picked(rule):
        found = sweep_of(rows_of_pool(1100), 100, folder, cache=cache, policies=POLICIES, pick=rule)
        return found.document["pick"]["id"]

    points = [point for point in document["points"] if point["role"] != "random"]
    known = {p["id"]: (p["diversity"][TFIDF]["value"], p["quality"]["value"]) for p in points}
    level = round(sorted(quality for _, quality in known.values())[-4], 3) - 0.001
    fit = {name: place for name, place in known.items() if place[1] >= level}
    assert picked(f"quality>={level:.3f}") == max(fit, key=lambda name: fit[name])
    least = round(sorted(diversity for diversity, _ in known.values())[-3], 2) - 0.01
    fit = {name: place for name, place in known.items() if place[0] >= least}
    assert picked(f"diversity>={least:.2f}") == max(fit, key=lambda name: fit[name][::-1])


def test_a_pick_is_the_selection_of_its_policy(rows_of_pool, cache, tmp_path):
    rows = rows_of_pool(1100)
    options = {"quality": "score", "policies": "threshold", "pick": "quality>=2"}
    found = triptych.frontier(rows, budget=100, out=tmp_path / "f", options=options, workers=1, cache=cache)
    point = next(p for p in found["points"] if p["id"] == found["pick"]["id"])
    lines = [json.loads(line) for line in (tmp_path / "f" / "selected.jsonl").read_text().splitlines()]
    assert len(lines) == 100
    assert np.mean([row["score"] for row in lines]) == pytest.approx(point["quality"]["value"])
    told = json.loads((tmp_path / "f" / "selection.json").read_text())
    assert told["policy"]["text"] == point["text"]
    assert json.loads((tmp_path / "f" / "frontier.json").read_text())["pick"] == found["pick"]
    assert (tmp_path / "f" / "report.html").read_text().lstrip().startswith("<!")
    api.frontier(rows, budget=100, out=tmp_path / "f", options={**options, "pick": None}, workers=1, cache=cache)
    assert not (tmp_path / "f" / "selected.jsonl").exists()


@pytest.mark.parametrize(
    ("rule", "error", "said"),
    [
        ("quality>=99", SelectionError, "at most"),
        ("diversity>=9999", SelectionError, "--pick 'diversity>="),
        ("best", UsageError, "knee, quality>=X"),
        ("quality>=nan", UsageError, "--pick"),
    ],
)
def test_picks_that_cannot_be(rows_of_pool, sweep_of, cache, folder, rule, error, said):
    with pytest.raises(error, match=said):
        sweep_of(rows_of_pool(1100), 100, folder, cache=cache, policies=POLICIES, pick=rule)


def test_a_policy_that_fails_is_listed(rows_of_pool, sweep_of, cache):
    found = sweep_of(rows_of_pool(300), 100, cache=cache, policies="threshold").document
    failed = {one["policy"]: one["error"] for one in found["failed"]}
    assert list(failed) == ["threshold:quantile=0.8", "threshold:quantile=0.9"]
    assert "too few candidates" in failed["threshold:quantile=0.8"]
    assert len(found["threshold"]["rows"]) == 4


@pytest.mark.parametrize(
    ("more", "budget", "options", "said"),
    [
        ({}, 9999, {}, "budget is above"),
        ({}, 100, {"quality": "nothing"}, "no field or per-record measure"),
        ({}, 100, {"policies": "nothing"}, 'no policy is named "nothing"'),
        ({}, 100, {"policies": "threshold,threshold"}, "named twice"),
        ({}, 100, {"judge": "tokens"}, "judges complexity"),
        ({}, 100, {"judge": "near_duplicate_rate"}, "better when it is lower"),
        ({}, 100, {"polices": "random"}, "polic"),
    ],
)
def test_bad_input(rows_of_pool, sweep_of, cache, more, budget, options, said):
    with pytest.raises(InputError, match=said):
        sweep_of(rows_of_pool(200, **more), budget, cache=cache, **options)


def test_no_quality_is_refused(rows_of_pool, sweep_of, cache):
    rows = [{name: row[name] for name in ("prompt", "response")} for row in rows_of_pool(200)]
    with pytest.raises(SelectionError, match="no quality"):
        sweep_of(rows, 50, cache=cache, quality=None)
    found = sweep_of(rows, 50, cache=cache, quality=None, with_invalid=True, policies="longest").document
    assert found["quality"]["label"] == "valid_share"
    assert {"top_quality"} <= {one["policy"] for one in found["skipped"]}


def test_constant_axes_and_copies_say_so(rows_of_pool, sweep_of, cache):
    rows = [{"prompt": "Say it.", "response": "The sky is blue today.", "score": 1.0}] * 300
    found = sweep_of(rows, 60, cache=cache, policies="threshold:quantile=0").document
    codes = {warning["code"] for warning in found["warnings"]}
    assert "undefined" in codes
    assert all(point["diversity"][TFIDF]["value"] is None for point in found["points"])
    assert all("token" in point["diversity"][TFIDF]["reason"] for point in found["points"])
    assert found["frontier"][TFIDF] == []
    assert found["knee"][TFIDF] is None
    assert found["knee_reason"][TFIDF]
    assert found["typicality"]["verdict"] == "cannot tell"
    assert found["typicality"]["undefined"]
    flat = sweep_of(rows_of_pool(300, score=lambda _: 1.0), 60, cache=cache, policies="threshold:quantile=0").document
    assert "constant_quality" in {warning["code"] for warning in flat["warnings"]}
    assert flat["hypervolume"][TFIDF]["random"] is None
    assert flat["knee"][TFIDF] is None


def test_another_encoder_judges_too(rows_of_pool, sweep_of, cache, tmp_path):
    file = tmp_path / "vectors.npy"
    np.save(file, np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32))
    found = sweep_of(rows_of_pool(200), 40, cache=cache, policies="longest", judge_encoder=f"column:{file}").document
    judge = found["diversity"][-1]
    assert judge["independent"]
    assert all(2 < point["diversity"][judge["label"]]["value"] <= 5 for point in found["points"])
    with pytest.raises(UsageError, match="no field of the rows"):
        sweep_of(rows_of_pool(50), 10, cache=cache, judge_encoder="column:vector")


def test_the_plan_reads_the_head_alone(rows_of_pool):
    text = api.plan_frontier(rows_of_pool(50), budget=10, options={"policies": "threshold", "quality": "score"})
    assert "points: " in text
    assert "threshold: 6 points" in text
    assert TFIDF in text


def test_a_recipe_is_sent_to_where_its_trade_off_is_read():
    with pytest.raises(UsageError, match=r"this is a recipe[\s\S]*triptych attribute made\.toml --vary"):
        api.frontier("made.toml", budget=10)
