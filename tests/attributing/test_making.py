"""Recipes in: cells are generated at one budget with what is varied and nothing else, resumed, and attributed."""

import json

import pytest

from triptych import api
from triptych.core.errors import ReadError, SpecError, UsageError

RECIPE = """
seed = 3
batch = 16
[seeds]
world = "programs"
records = 40
[writer]
kind = "world"
world = "programs"
quality = 0.6
skills = 20
[method]
name = "few_shot"
[grade]
world = "programs"
[budget]
records = 40
"""
ASKED = {"vary": {"writer.temperature": ["0.2", "1.5"], "filters": ["none", "quality"]}, "workers": 1}


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "base.toml"
    path.write_text(RECIPE)
    return path


def test_cells_of_one_recipe(recipe, tmp_path):
    out = tmp_path / "out"
    document = api.attribute(recipe, out=out, measures="label_mean:field=grade", **ASKED)
    assert document["design"]["kind"] == "full"
    assert document["comparability"]["verdict"] == "controlled"
    assert {one["component"] for one in document["factors"]} == {"writer.temperature", "filters"}
    found = {row["component"]: row for row in document["effects"]}
    # The filter keeps what is right: it can only raise quality, and heat is what makes this writer err.
    assert found["filters"]["estimate"] > 0
    assert found["filters"]["reference"] == "none"
    assert found["writer.temperature"]["estimate"] < 0
    assert document["inference"]["joint"]
    cells = sorted(path.name for path in (out / "cells").iterdir())
    assert cells == [run["name"] for run in document["runs"]]
    recipes = [json.loads((out / "cells" / name / "recipe.json").read_text()) for name in cells]
    assert {one["components"]["seed"] for one in recipes} == {"3"}
    assert len({json.dumps(one["components"]) for one in recipes}) == 4
    stamps = [(out / "cells" / name / "data.jsonl").read_bytes() for name in cells]
    again = api.attribute(recipe, out=out, measures="label_mean:field=grade", **ASKED)
    assert {**again, "provenance": 0} == {**document, "provenance": 0}
    assert [(out / "cells" / name / "data.jsonl").read_bytes() for name in cells] == stamps


def test_finished_cells_are_attributed_alike(recipe, tmp_path):
    out = tmp_path / "out"
    made = api.attribute(recipe, out=out, measures="label_mean:field=grade", **ASKED)
    found = api.attribute(*sorted((out / "cells").iterdir()), measures="label_mean:field=grade", workers=1)
    key = lambda row: (row["component"], row["level"], row["estimate"], row["lo"], row["hi"])  # noqa: E731
    assert sorted(map(key, found["effects"])) == sorted(map(key, made["effects"]))


def test_replicates(recipe, tmp_path):
    asked = {"vary": {"writer.temperature": ["0.2", "1.5"]}, "replicates": 2, "measures": "label_mean:field=grade"}
    document = api.attribute(recipe, out=tmp_path / "out", workers=1, **asked)
    assert document["inference"]["error_from"] == "replicates"
    assert {row["error_from"] for row in document["effects"]} == {"replicates"}
    assert len({run["seed"] for run in document["runs"]}) == 4


def test_several_recipes_need_one_budget(recipe, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(RECIPE.replace("records = 40\n", "records = 30\n").replace("quality = 0.6", "quality = 0.9"))
    with pytest.raises(SpecError, match="the recipes have other budgets"):
        api.plan_attribute(recipe, other)
    other.write_text(RECIPE.replace("quality = 0.6", "quality = 0.9"))
    document = api.attribute(recipe, other, out=tmp_path / "out", workers=1, measures="label_mean:field=grade")
    assert [run["name"] for run in document["runs"]] == ["base", "other"]
    assert [one["component"] for one in document["factors"]] == ["writer.quality"]


def test_a_plan_makes_nothing(recipe, tmp_path):
    text = api.plan_attribute(recipe, **ASKED)
    assert "4 runs, each with a budget of 40 records" in text
    assert not (tmp_path / "triptych-out").exists()


def test_what_does_not_fit(recipe, tmp_path):
    with pytest.raises(UsageError, match="recipes are generated into a folder"):
        api.attribute(recipe, **ASKED)
    with pytest.raises(UsageError, match="nothing to compare with"):
        api.attribute(recipe, out=tmp_path / "one")
    assert not (tmp_path / "one").exists()
    with pytest.raises(SpecError, match=r"method = few_shoot: .*few_shoot"):
        api.plan_attribute(recipe, vary={"method": ["few_shot", "few_shoot"]})
    with pytest.raises(ReadError, match="no recipe can be read"):
        api.plan_attribute(tmp_path / "gone.toml", tmp_path / "gone.toml")
    with pytest.raises(ReadError, match="the run gave no record"):
        api.attribute(recipe, out=tmp_path / "none", workers=1, vary={"filters": ["length:prompt_least=5000", "none"]})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"measures": "vendy"}, 'no measure is named "vendy"'),
        ({"measures": "vendi", "margin": "vendi=-3"}, "--margin vendi is not right"),
        ({"measures": "vendi", "margin": "hill=.1"}, 'no measure "hill" is compared'),
        ({"reference": "filters=qualty"}, r'no run has the value "qualty" of filters\.\n.*none, quality\n.*quality'),
        ({"vary": {"method": ["few_shot", "taxonomy"]}}, r'02-taxonomy: recipe: writer "world" cannot do'),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_made(recipe, tmp_path, asked, words):
    with pytest.raises((SpecError, UsageError), match=words):
        api.attribute(recipe, out=tmp_path / "out", **{**ASKED, **asked})
    assert not list(tmp_path.glob("out/cells/*"))


def test_a_recipe_that_is_wrong_is_named(recipe, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(RECIPE.replace("few_shot", "few_shoot"))
    with pytest.raises(SpecError, match=r"other\.toml: no generation method is named"):
        api.plan_attribute(recipe, other)


def test_failures_are_asked_again_where_nothing_was_made_yet(recipe, tmp_path):
    out = tmp_path / "out"
    asked = {**ASKED, "measures": "label_mean:field=grade"}
    (out / "answers").mkdir(parents=True)
    failed = out / "answers" / "failed.jsonl"
    failed.write_text('{"schema": "triptych/answers@1"}\n')
    api.attribute(recipe, out=out, **asked)
    assert not failed.exists()
    failed.write_text('{"schema": "triptych/answers@1"}\n')
    api.attribute(recipe, out=out, **asked)
    assert failed.exists()
