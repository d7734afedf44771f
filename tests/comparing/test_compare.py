"""The verb `compare`: its document, what it finds in sets made to differ in a known way, and what it refuses."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from triptych import api
from triptych.comparing.ranks import rank
from triptych.comparing.reading import Compared
from triptych.comparing.request import CompareOptions
from triptych.core.errors import InputError, SchemaError, UsageError
from triptych.core.measure import build
from triptych.core.registry import lookup
from triptych.core.rng import stream

FILLER = "Here there then now soon again today".split()
PANEL = (
    "valid_share,label_mean:field=correct,vendi:q=2,vendi:q=2,valid_only=true,near_duplicate_rate,exact_duplicate_rate,"
    "distinct_n,effective_structures,compression_ratio,reasoning_steps,tokens"
)
WORDS = (
    "old boat lake bird tree night stone field cloud rain lamp chair paper music letter garden window bread salt iron "
    "glass river mill road hill snow fire wheel rope ship coin gate tower bridge clock horse cart seed leaf root"
).split()


def answers(model, prompts, rate=0.5, times=1, **fields):
    """Responses in a common vocabulary, of 20 to 60 words, right at a rate."""
    draw = stream("compare test", model)
    rows = []
    for number in np.repeat(list(prompts), times).tolist():
        words = [WORDS[i] for i in draw.integers(len(WORDS), size=int(draw.integers(20, 60)))]
        text = " ".join(words).capitalize() + f", so it is {int(draw.integers(1000))}."
        row = {"prompt": f"Tell a story that uses the number {number} and a {WORDS[number % 40]}.", "response": text}
        rows.append(row | {"correct": bool(draw.random() < rate), "model": model} | fields)
    return rows


def about(draw, sentences):
    """Sentences about two things."""
    x, y = (WORDS[i] for i in draw.integers(len(WORDS), size=2))
    said = (f"The {x} is by the {y}.", f"A {y} has no {x}.", f"Take one {x} and two of {y}.", f"Is {y} like {x}?")
    return " ".join([*said, f"So {x} it is, with {y}."][:sentences] + FILLER[: int(draw.integers(8))])


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    cache = tmp_path_factory.mktemp("columns")

    def call(*sets, **settings):
        return api.compare(*sets, **{"workers": 1, "measures": PANEL, "draws": 3, "cache": cache} | settings)

    return call


def results(document, view, pair=0):
    (found,) = [one for one in document["pairs"][pair]["views"] if one["name"] == view]
    return {one["label"]: one for one in found["results"]}


@pytest.fixture(scope="module")
def pair():
    return answers("m1", range(400), 0.35), answers("m2", range(400), 0.8)


@pytest.fixture(scope="module")
def compared_pair(pair, compared):
    return compared(*pair)


@pytest.fixture
def document(compared_pair):
    return copy.deepcopy(compared_pair)


def test_the_document(document):
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema"] == "triptych/comparison@1"
    assert [one["name"] for one in document["sets"]] == ["records", "records-2"]
    assert {"path", "sha256", "records", "tokens", "valid", "prompts"} <= document["sets"][0].keys()
    assert document["sets"][0]["records"] == document["sets"][0]["prompts"] == 400
    assert document["comparability"]["verdict"] == "controlled"
    assert [one["cause"] for one in document["comparability"]["differs"]] == ["generator"]
    (only,) = document["pairs"]
    assert [one["name"] for one in only["views"]] == ["prompt", "length", "prompt+length"]
    assert document["primary"] == only["primary"] == "prompt"
    assert document["results"] == only["views"][0]["results"]
    assert document["matched"] == {key: only["views"][0][key] for key in ("records", "tokens", "balance")}
    assert document["matched"]["records"] == [400, 400]
    assert only["views"][0]["paired"]
    assert document["ranks"] is None
    for view in only["views"]:
        assert len(view["results"]) == 12
        for one in view["results"]:
            assert one["verdict"] in ("a", "b", "equivalent", "cannot tell")
            assert one["about"]
            if one["undefined"] is None:
                assert one["lo"] <= one["diff"] <= one["hi"]
                assert one["p"] <= one["p_adjusted"] <= 1
                assert one["a"] - one["b"] == pytest.approx(one["diff"])
                assert one["margin"] > 0
            assert set(one["spec"]) == {"params", "hash"}


def test_a_planted_difference_is_found_in_every_view(document):
    for view in ("prompt", "length", "prompt+length"):
        one = results(document, view)["label_mean:field=correct"]
        assert one["verdict"] == "b"
        assert one["hi"] < -0.25
        assert one["headline"]
        assert "records-2 is better" in one["about"]
    assert results(document, "prompt")["valid_share"]["verdict"] == "equivalent"
    assert results(document, "prompt")["vendi:q=2"]["verdict"] in ("equivalent", "cannot tell")


def test_equal_data_and_seed_give_equal_bytes(pair, document, tmp_path, compared):
    again = compared(*pair, out=tmp_path / "out", seed=0)
    other = compared(*pair, seed=1)
    written = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert written == again
    assert (tmp_path / "out" / "report.html").stat().st_size > 1000
    for one in (document, again, other):
        del one["provenance"]
    assert json.dumps(document) == json.dumps(again)
    assert json.dumps(document) != json.dumps(other)
    assert document["pairs"][0]["views"][0] == other["pairs"][0]["views"][0]  # nothing is left out there


def test_workers_do_not_change_a_bit(pair, document, compared):
    other = compared(*pair, workers=2)
    for one in (document, other):
        del one["provenance"]
    assert json.dumps(document) == json.dumps(other)


def test_the_same_set_twice_is_equivalent_in_everything(pair, compared):
    document = compared(pair[0], [dict(row) for row in pair[0]])
    assert document["comparability"]["verdict"] == "unknown"
    assert "nothing differs" in document["comparability"]["sentence"]
    assert {one["verdict"] for one in document["results"] if one["undefined"] is None} == {"equivalent"}
    assert document["primary"] == "records"


def test_padding_wins_nothing_at_like_length(pair, compared):
    """The same content, every response longer by a fixed phrase. What a response is about does not go with its length."""
    draw = stream("compare test", "topics")
    short = [{**row, "response": about(draw, int(draw.integers(1, 6)))} for row in pair[0]]
    phrase = " And that is how it was, as far as anyone can say today."
    padded = [{**row, "response": row["response"] + phrase, "model": "padded"} for row in short]
    document = compared(padded, short, match="length,prompt")
    assert document["primary"] == "length"
    raw = results(document, "raw")
    assert raw["tokens"]["verdict"] == "a"
    balanced = {one["variable"]: one for one in document["matched"]["balance"]}
    assert balanced["length"]["before"] > 0.4
    assert abs(balanced["length"]["after"]) < 0.15
    for view in ("prompt", "length"):
        judged = [one for one in results(document, view).values() if one["better"] != "neither"]
        assert len(judged) > 5
        for one in judged:
            assert one["verdict"] != "a", (view, one)


def test_a_constant_answer_loses_loudly(pair, compared):
    constant = [
        {**row, "response": "I like the old boat on the lake.", "correct": True, "model": "c"} for row in pair[0]
    ]
    document = compared(constant, pair[0], measures=f"{PANEL},near_duplicate_rate:on=response")
    found = results(document, document["primary"])
    assert found["label_mean:field=correct"]["verdict"] == "a"
    for label in ("vendi:q=2", "distinct_n", "near_duplicate_rate:on=response"):
        assert found[label]["verdict"] == "b", label
    assert found["vendi:q=2"]["a"] == pytest.approx(1)
    assert found["vendi:q=2"]["p_adjusted"] < 1e-4
    price = document["pairs"][0]["price"]
    assert (price["better_quality"], price["better_diversity"]) == ("a", "b")
    assert price["quality_lost"] > 0.5
    said = [each for each in document["warnings"] if each["code"] == "constant_answer"]
    assert len(said) == 1
    assert "one response stands in" in said[0]["text"]


def test_unequal_sizes_are_matched_and_shown_raw(pair, compared):
    document = compared(pair[0], answers("m2", range(1000, 1900), 0.35))
    (only,) = document["pairs"]
    assert [one["name"] for one in only["views"]] == ["records", "raw", "length"]
    by_name = {one["name"]: one for one in only["views"]}
    assert by_name["records"]["records"] == [400, 400]
    assert by_name["records"]["draws"] == 3
    assert by_name["raw"]["records"] == [400, 900]
    assert by_name["records"]["undefined"] is None
    naive, fair = (results(document, view)["distinct_n"] for view in ("raw", "records"))
    assert naive["diff"] > 2 * abs(fair["diff"])


def test_several_sets_are_ranked_and_a_baseline_takes_their_place(pair, compared):
    sets = [answers(f"m{i}", range(300), rate) for i, rate in enumerate((0.2, 0.22, 0.8))]
    document = compared(*sets, measures="label_mean:field=correct,valid_share")
    assert [(one["first"], one["second"]) for one in document["pairs"]] == [
        ("records", "records-2"),
        ("records", "records-3"),
        ("records-2", "records-3"),
    ]
    (ranks,) = [one for one in document["ranks"] if one["measure"] == "label_mean:field=correct"]
    best = ranks["order"][0]
    assert (best["set"], best["rank_lo"], best["rank_hi"]) == ("records-3", 1, 1)
    assert {(one["rank_lo"], one["rank_hi"]) for one in ranks["order"][1:]} == {(2, 3)}
    assert all(one["lo"] <= one["value"] <= one["hi"] for one in ranks["order"])
    assert document["comparability"]["verdict"] == "controlled"
    assert "so in 3 of 3 pairs" in document["comparability"]["differs"][0]["text"]
    document = compared(*sets, measures="label_mean:field=correct", baseline="records-2")
    assert [(one["first"], one["second"]) for one in document["pairs"]] == [
        ("records", "records-2"),
        ("records-3", "records-2"),
    ]
    assert document["ranks"] is None
    assert document["pairs"][1]["views"][0]["results"][0]["verdict"] == "a"


def test_rank_by_hand():
    measure = build(lookup("tokens"), {})

    def one(diff, p):
        from triptych.comparing.difference import Difference

        found = Difference(10 + diff, 10, diff, 0, 0, 1, 31, p, (0, 0))
        return Compared(measure, (5, 5), found, None, ((0, 20), (0, 20)))

    found = rank(measure, "xyz", {(0, 1): one(1, 0.02), (0, 2): one(3, 1e-4), (1, 2): one(2, 0.04)})
    assert [(entry["set"], entry["rank_lo"], entry["rank_hi"]) for entry in found["order"]] == [
        ("x", 1, 1),  # Holm: 3e-4, .04, .04
        ("y", 2, 2),
        ("z", 3, 3),
    ]
    found = rank(measure, "xyz", {(0, 1): one(1, 0.2), (0, 2): one(3, 1e-4), (1, 2): one(2, 0.04)})
    assert [(entry["set"], entry["rank_lo"], entry["rank_hi"]) for entry in found["order"]] == [
        ("x", 1, 2),  # Holm: 3e-4, .08, .2
        ("y", 1, 3),
        ("z", 2, 3),
    ]


def test_one_file_split_by_a_field(pair, tmp_path, compared):
    file = tmp_path / "all.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for rows in zip(*pair, strict=True) for row in rows))
    document = compared(str(file), by="model", measures="label_mean:field=correct,valid_share")
    assert [one["name"] for one in document["sets"]] == ["m1", "m2"]
    assert document["results"][0]["verdict"] == "b"
    apart = compared(*pair, measures="label_mean:field=correct,valid_share")
    assert [one["a"] for one in document["results"]] == [one["a"] for one in apart["results"]]


def test_a_mix_is_held_equal(pair, compared):
    a = [{**row, "topic": "xy"[i % 4 == 0]} for i, row in enumerate(answers("m1", range(400)))]
    b = [{**row, "topic": "xy"[i % 4 != 0]} for i, row in enumerate(answers("m2", range(600, 1000)))]
    document = compared(a, b, match=("mix:topic",), measures="valid_share")
    found = document["comparability"]
    assert found["verdict"] == "confounded"
    tasks = next(one for one in found["differs"] if one["cause"] == "tasks")
    assert tasks["held"]
    assert document["matched"]["records"] == [200, 200]
    balanced = {one["variable"]: one for one in document["matched"]["balance"]}
    assert abs(balanced["topic: x"]["before"]) > 0.9
    assert balanced["topic: x"]["after"] == pytest.approx(0)


def test_measures_that_one_set_lacks_are_named(pair, compared):
    other = [{key: row[key] for key in ("prompt", "response")} for row in pair[1]]
    document = compared(pair[0], other, measures=())
    assert "label_mean:field=correct" in " ".join(one["text"] for one in document["warnings"])
    assert not [one for one in document["results"] if one["measure"] == "label_mean"]
    assert [one for one in document["results"] if one["axis"] == "quality" and one["headline"]]


def test_names_given_before_paths(pair, tmp_path, compared):
    for name, rows in zip(("x", "y"), pair, strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    paths = [str(tmp_path / name / "data.jsonl") for name in "xy"]
    document = compared(f"old={paths[0]}", f"new={paths[1]}", measures="valid_share", baseline=paths[0])
    assert (document["pairs"][0]["first"], document["pairs"][0]["second"]) == ("new", "old")
    with pytest.raises(UsageError, match='two sets are named "old"'):
        compared(f"old={paths[0]}", f"old={paths[1]}")


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"match": "lenght"}, UsageError, "--match length"),
        ({"match": "mix:topic"}, SchemaError, 'no row has the field "topic"'),
        ({"baseline": "recrods"}, UsageError, "--baseline records"),
        ({"draws": 0}, UsageError, "at least one draw"),
        ({"margins": "vendi=1"}, UsageError, "margin"),
        ({"margin": "vendy=1"}, UsageError, "vendi"),
        ({"margin": "tokens=0"}, UsageError, "positive"),
        ({"valid_only": True}, UsageError, "leaves none out"),
    ],
)
def test_bad_options(pair, settings, error, words, compared):
    with pytest.raises(error, match=words):
        compared(*pair, **settings)


def test_bad_sets(pair, compared):
    with pytest.raises(UsageError, match="nothing to compare with"):
        compared(pair[0])
    prompts = [{"prompt": row["prompt"]} for row in pair[0]]
    answered = [{"text": row["response"]} for row in pair[0]]
    with pytest.raises(UsageError, match="no measure in common"):
        compared(prompts, answered, measures="distinct_n")
    with pytest.raises(SchemaError, match="no record is valid"):
        compared(
            pair[0], [{**row, "response": "The old boat went to the lake and"} for row in pair[1]], measures="tokens"
        )
    with pytest.raises(UsageError, match="too many for all pairs"):
        compared(*([pair[0]] * 11))


def test_aliases_of_views():
    assert CompareOptions.of(match="n,prompts+length").match == ("records", "prompt+length")
    with pytest.raises(InputError, match="is no way to match"):
        CompareOptions.of(match="raw+length")


def test_the_plan_does_nothing(pair):
    text = api.plan_compare(*pair, match="tokens")
    assert "comparison of 2 sets, pairs: records and records-2" in text
    assert "views: tokens" in text
