"""The verb: one document from any source, with planted effects found, units kept, and files that are ours."""

from __future__ import annotations

import json

import pytest

from triptych import api
from triptych.core.errors import InputError, OutputError, SchemaError, UsageError

ASKED = {"outcome": ("id", "ood"), "factors": ("Q", "D", "C"), "blocks": ("model", "seed"), "bootstrap": 100}


def effect(document, factor, panel):
    return next(e for e in document["effects"] if (e["factor"], e["panel"]) == (factor, panel))


def test_planted_effects_are_found(runs, write_table, tmp_path):
    path = write_table("runs.csv", runs)
    document = api.trace(path, out=tmp_path / "out", **ASKED)
    assert document["schema"] == "triptych/study@1"
    for factor, panel, truth in (("Q", "id", 0.2), ("D", "ood", 0.3), ("C", "id", 0), ("D", "id", 0), ("Q", "ood", 0)):
        found = effect(document, factor, panel)
        assert found["lo"] <= truth <= found["hi"], (factor, panel)
        assert abs(found["estimate"] - truth) < 0.01
    assert effect(document, "Q", "id")["verdict"] == "raises"
    assert [panel["kind"] for panel in document["panels"]] == ["id", "ood"]
    assert document["runs"] | {"failed": []} == document["runs"]
    assert document["runs"]["total"] == document["runs"]["analysed"] == 96
    assert document["design"]["blocks"] == {"model": 4, "seed": 3}
    shares = {(entry["term"], entry["panel"]): entry for entry in document["shares"]}
    assert shares["Q", "id"]["alone"] > 0.7
    assert shares["C", "id"]["alone"] < 0.05
    assert document["agreement"][0]["over"] == "arm"
    assert document["bakeoff"] is None
    assert json.loads((tmp_path / "out" / "study.json").read_text()) == document
    assert "<html" in (tmp_path / "out" / "report.html").read_text()


def test_equal_calls_give_equal_documents(runs, write_table):
    path = write_table("runs.csv", runs)
    first, second = (api.trace(path, **ASKED) for _ in range(2))
    assert first == second


def test_any_source_gives_the_same_numbers(runs, write_table):
    path = write_table("runs.csv", runs)
    from_file, from_memory = api.trace(path, **ASKED), api.trace(runs, **ASKED)
    for key in ("effects", "contrasts", "shares", "agreement", "panels"):
        assert from_file[key] == from_memory[key]
    halves = write_table("a.csv", runs[:50]), write_table("b.csv", runs[50:])
    assert api.trace(*halves, **ASKED)["effects"] == from_file["effects"]


def test_points_stay_points(runs):
    for run in runs:
        run["ood"] = 100 * run["ood"]
    document = api.trace(runs, **ASKED)
    assert effect(document, "D", "ood")["estimate"] == pytest.approx(30, abs=1)
    assert effect(document, "D", "ood")["unit"] == "points"
    assert effect(document, "Q", "id")["unit"] == "score"


def test_panels_that_say_nothing_have_no_numbers(runs):
    for run in runs:
        run["ood"] = 0.5
    document = api.trace(runs, **ASKED)
    assert effect(document, "D", "ood")["estimate"] is None
    assert any("ood" in warning["text"] and "0.5" in warning["text"] for warning in document["warnings"])
    items = [{**run, "panel": "id", "item": "only", "score": place % 2} for place, run in enumerate(runs)]
    items += [{**items[0], "item": k, "panel": "ood"} for k in range(4)]
    facts = ("id", "ood")
    long = [{key: value for key, value in row.items() if key not in facts} for row in items]
    document = api.trace(long, outcome="id", factors="Q", bootstrap=0)
    assert document["panels"][0]["items"] == 1
    assert "one item" in document["panels"][0]["undefined"]
    assert effect(document, "Q", "id")["estimate"] is None


def test_the_bake_off_comes_with_the_trace(runs):
    for run in runs:
        run |= {"reads_d": run["D"] + 0.1 * int(run["arm"][3:]), "tokens": run["tokens"]}
    wide = [
        {**run, "run": f"{run['run']}-{k}", "arm": f"{run['arm']}-{k}", "vendi": run["reads_d"] + k}
        for run in runs
        for k in range(3)
    ]
    document = api.trace(wide, candidates=("vendi", "reads_d"), covariates=("tokens",), bakeoff=True, **ASKED)
    found = {(e["panel"], e["candidate"]): e for e in document["bakeoff"]["entries"]}
    assert found["ood", "reads_d"]["verdict"] == "predicts"
    assert found["ood", "reads_d"]["rank"] == 1
    assert found["id", "reads_d"]["lo_joint"] <= 0
    with pytest.raises(UsageError, match="no candidate"):
        api.trace(runs, bakeoff=True, **ASKED)


def test_files_that_are_not_ours_are_left_alone(runs, tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years")
    with pytest.raises(OutputError):
        api.trace(runs, out=tmp_path, **ASKED)
    api.trace(runs, out=tmp_path / "new", **ASKED)
    api.trace(runs, out=tmp_path / "new", **ASKED)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["report.html", "study.json"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"outcomes": ("id",)}, 'trace has no setting "outcomes"'),
        ({"level": 1.5}, "level is out of range"),
        ({"panels_id": ("odd",)}, "it is no outcome"),
        ({"factors": ("Q", "qality")}, 'no column "qality"'),
    ],
)
def test_bad_usage_is_one_message(runs, settings, error):
    with pytest.raises(InputError, match=error):
        api.trace(runs, **{**ASKED, **settings})


def test_nothing_is_written_when_the_input_is_bad(runs, tmp_path):
    runs[0]["run"] = runs[1]["run"]
    with pytest.raises(SchemaError):
        api.trace(runs, out=tmp_path / "out", **ASKED)
    assert not list((tmp_path / "out").glob("*"))
