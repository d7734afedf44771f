"""Finished sets in, effects out: known effects found, equal size, what differs beside named, bad input told."""

import json

import numpy as np
import pytest

import triptych
from triptych import api
from triptych.core.errors import InputError, ReadError, UsageError
from triptych.core.profile import SCHEMA as PROFILE

LABEL = "label_mean:field=correct"


def effect(document, component, label=LABEL, level=None):
    (found,) = [
        row
        for row in document["effects"]
        if (row["component"], row["label"]) == (component, label) and level in (None, row["level"])
    ]
    return found


def test_known_effects_and_the_table(factorial, tmp_path):
    document = triptych.attribute(*factorial, out=tmp_path / "out", workers=1)
    assert document["comparability"]["verdict"] == "controlled"
    assert document["design"] | {"records": 0, "tokens": 0} == {
        "kind": "found", "cells": 4, "runs": 4, "match": "records", "records": 0, "tokens": 0,
    }  # fmt: skip
    assert document["design"]["records"] == [160, 160]
    method = effect(document, "method")
    assert (method["level"], method["reference"]) == ("evol", "few_shot")
    means = {run["components"]["method"]: [] for run in document["runs"]}
    for run in document["runs"]:
        means[run["components"]["method"]].append(run["measures"][LABEL]["value"])
    assert method["estimate"] == pytest.approx(np.mean(means["evol"]) - np.mean(means["few_shot"]))
    assert method["verdict"] == "raises"
    assert method["lo"] <= 0.3 <= method["hi"]
    heat = effect(document, "writer.temperature")
    assert heat["verdict"] in ("cannot tell", "equivalent")
    assert heat["error_from"] in ("one run of each cell", "scatter of the cells")
    assert {row["axis"] for row in document["effects"]} >= {"quality", "diversity", "complexity"}
    assert all(row["headline"] for row in document["effects"])
    assert "conditional on the one run of each cell" in document["inference"]["text"]
    written = json.loads((tmp_path / "out" / "attribution.json").read_text())
    assert written == json.loads(json.dumps(document))
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!DOCTYPE html>")
    lines = {line["part"]: line for line in document["taxonomy"]}
    assert lines["Seeds"] == {"part": "Seeds", "component": "seeds", "state": "held", "value": "none"}
    assert lines["Prompt method"]["quality"]["verdict"] == "raises"
    assert lines["Generator"]["component"] == "writer.temperature"
    assert lines["Prompt method"]["cost"]["estimate"] == 0.0
    tokens = [row for row in document["costs"] if row["cost"] == "tokens"]
    assert all(row["lo"] is None and "no sample" in row["no_interval"] for row in tokens)
    assert not [row for row in document["costs"] if row["cost"] == "money"]
    assert document["runs"][0]["per_record"]["accepted"] == 0.5
    assert [one["component"] for one in document["comparability"]["follows"]] == ["method.depth"]


def test_replicates_give_the_error_between_runs(run, rows):
    places = []
    for method, right in (("a", 0.6), ("b", 0.6)):
        for seed in range(3):
            made = rows(90, right + (0.3 if seed else -0.1), method, seed)
            places.append(run(f"{method}{seed}", made, {"method": method, "seed": str(seed)}))
    document = api.attribute(*places, workers=1, measures=LABEL)
    found = effect(document, "method")
    assert found["error_from"] == "replicates"
    assert found["df"] == 4
    assert found["hi"] - found["lo"] > 2 * (found["within"]["hi"] - found["within"]["lo"])
    assert document["design"]["cells"] == 2
    copy = run("copy", rows(90, 0.5, "a", 0), {"method": "a", "seed": "9"})
    (copy / "data.jsonl").write_text((places[0] / "data.jsonl").read_text())
    with pytest.raises(UsageError, match="a0 and copy are runs of one cell and hold the same records"):
        api.attribute(*places, copy, workers=1, measures=LABEL)


def test_runs_are_cut_to_the_smallest(run, rows):
    places = [run(name, rows(n, 0.5, name), {"method": name}) for name, n in (("a", 150), ("b", 90))]
    document = api.attribute(*places, workers=1, measures=LABEL)
    assert [one["used"] for one in document["runs"]] == [90, 90]
    assert any(one["code"] == "cut" for one in document["warnings"])
    by_tokens = api.attribute(*places, workers=1, match="tokens", measures=LABEL)
    low, high = by_tokens["design"]["tokens"]
    assert high - low < 80
    assert by_tokens["runs"][0]["used"] != 90 or by_tokens["runs"][1]["used"] == 90


def test_shared_prompts_are_read_jointly(run, rows):
    places = [
        run(name, rows(120, right, name, prompts="same"), {"method": name}) for name, right in (("a", 0.5), ("b", 0.8))
    ]
    document = api.attribute(*places, workers=1, measures=LABEL)
    assert document["inference"]["joint"]
    assert "share prompts" in document["inference"]["text"]


def test_what_goes_together_is_confounded(run, rows):
    places = [
        run("one", rows(80, 0.5, "x"), {"method": "few_shot", "writer": "lm"}),
        run("two", rows(80, 0.9, "y"), {"method": "evol", "writer": "endpoint"}),
    ]
    document = api.attribute(*places, workers=1, measures=LABEL)
    told = document["comparability"]
    assert told["verdict"] == "confounded"
    assert told["sentence"].startswith("Confounded: writer and method go together")
    found = effect(document, "method")
    assert found["estimate"] is None
    assert "method goes together with writer" in found["undefined"]


def test_what_is_not_stated_is_unknown(run, rows):
    places = [
        run("one", rows(80, 0.5, "x"), {"method": "few_shot"}),
        run("two", rows(80, 0.9, "y"), {"method": "evol"}, unknown=["filters", "writer.licence"]),
    ]
    document = json.loads((places[1] / "recipe.json").read_text())
    del document["components"]["filters"]
    (places[1] / "recipe.json").write_text(json.dumps(document))
    found = api.attribute(*places, workers=1, measures=LABEL)
    assert found["comparability"]["verdict"] == "unknown"
    assert found["comparability"]["missing"] == ["filters: not stated by two"]
    assert next(line for line in found["taxonomy"] if line["part"] == "Filters")["state"] == "unknown"


def test_references_and_margins(factorial):
    document = api.attribute(*factorial, workers=1, reference="method=evol", margin=f"{LABEL}=0.9", measures=LABEL)
    found = effect(document, "method")
    assert (found["level"], found["reference"], found["verdict"]) == ("few_shot", "evol", "equivalent")
    assert found["margin"] == 0.9


def test_names(factorial):
    document = api.attribute(f"cold={factorial[0]}", f"hot={factorial[1]}", workers=1, measures=LABEL)
    assert [one["name"] for one in document["runs"]] == ["cold", "hot"]
    with pytest.raises(UsageError, match="two runs are named"):
        api.attribute(factorial[0], factorial[0], workers=1)


def test_bad_input(factorial, run, rows, tmp_path):
    with pytest.raises(UsageError, match="nothing to attribute"):
        api.attribute()
    with pytest.raises(UsageError, match="nothing to compare with"):
        api.attribute(factorial[0])
    with pytest.raises(ReadError, match="no such file or folder"):
        api.attribute(tmp_path / "nowhere", factorial[0])
    with pytest.raises(UsageError, match=r'no setting "desing"'):
        api.attribute(*factorial, desing="oaat")
    with pytest.raises(UsageError, match="--vary and --replicates make new runs"):
        api.attribute(*factorial, vary={"method": ["a", "b"]})
    with pytest.raises(UsageError, match="--match is not right"):
        api.attribute(*factorial, match="prompts")
    empty = run("empty", [], {"method": "x"})
    with pytest.raises(ReadError, match=r"there are no records beside recipe\.json"):
        api.attribute(factorial[0], empty)
    other = run("other", rows(5, 0.5, "o"), {})
    (other / "recipe.json").write_text(json.dumps({"schema": PROFILE}))
    with pytest.raises(ReadError, match="no recipe of a finished set"):
        api.attribute(factorial[0], other)
    (tmp_path / "plain.jsonl").write_text('{"prompt": "a", "response": "b"}\n')
    with pytest.raises(ReadError, match="nothing says how this was made"):
        api.attribute(factorial[0], tmp_path / "plain.jsonl")
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="the folder holds something else"):
        api.attribute(*factorial, out=tmp_path / "held")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("report.html", "<html><title>Mine</title></html>", "the folder holds something else"),
        ("attribution.json", '{"mine": 1}', "the folder holds something else"),
        ("recipes/other.recipe.json", '{"mine": 1}', "was not written by an attribution"),
        ("answers/failed.jsonl", '{"mine": 1}\n', "this file holds no answers"),
    ],
)
def test_files_of_the_user_s_own_are_kept_whatever_their_name(factorial, tmp_path, name, text, told):
    rollouts = tmp_path / "other"
    rollouts.mkdir()
    row = {"example_id": 1, "prompt": "a", "completion": [{"role": "assistant", "content": "b"}], "reward": 1.0}
    (rollouts / "results.jsonl").write_text(json.dumps(row) + "\n")
    file = tmp_path / "out" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(InputError, match=told):
        api.attribute(*factorial, rollouts, out=tmp_path / "out")
    assert file.read_text() == text
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [file]
