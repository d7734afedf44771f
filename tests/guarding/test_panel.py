"""Scores of panels from files of any loop."""

from __future__ import annotations

import json

import pytest

from triptych.core.errors import ReadError, SchemaError
from triptych.guarding.panel import panel_kind, read_scores, round_scores


@pytest.fixture
def csv(tmp_path):
    """Write a CSV file; the path."""

    def write(text, name="scores.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_long(csv):
    found = read_scores(csv("round,panel,k,score,n\n0,id,,0.5,400\n0,ood,1,0.25,\n0,ood,16,0.75,\n2,id,,1,400\n"))
    assert list(found) == [0, 2]
    assert {name: reading.value for name, reading in found[0].scores.items()} == {
        "id": 0.5,
        "ood@1": 0.25,
        "ood@16": 0.75,
    }
    assert found[0].kinds == {"id": "id", "ood": "ood"}
    half = found[0].scores["id"]
    assert (half.n, half.se) == (400, pytest.approx(0.025, rel=0.01))
    assert half.lo < 0.5 < half.hi
    assert found[0].scores["ood@1"].se is None
    whole = found[2].scores["id"]
    assert whole.lo < 0.995 < whole.hi == pytest.approx(1), "1 of 400 items has an error too"


def test_wide(csv):
    found = read_scores(csv("round\tid\tood_deep@16\tstep\n3\t0.5\t\t100\n", "scores.tsv"))
    assert found[3].scores["id"].value == 0.5
    assert found[3].scores["ood_deep@16"].value is None
    assert found[3].scores["ood_deep@16"].undefined
    assert found[3].kinds == {"id": "id", "ood_deep": "ood"}


def test_of_a_round(tmp_path):
    scores = {
        "id": {"score": 0.5, "lo": 0.4, "hi": 0.6, "n": 96, "kind": "id", "k": {"1": 0.5, "16": {"score": 0.75}}},
        "x": 0.1,
    }
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"scores": scores}))
    found = round_scores(path)
    assert {name: reading.value for name, reading in found.scores.items()} == {
        "id": 0.5,
        "id@1": 0.5,
        "id@16": 0.75,
        "x": 0.1,
    }
    assert found.scores["id"].se == pytest.approx(0.1 / 1.96, rel=1e-3)
    assert found.kinds == {"id": "id", "x": "ood"}
    assert round_scores({"scores": scores}) == found


def test_clear_errors(csv, tmp_path):
    for text, what in (
        ("rnd,id\n0,1\n", "no column says the round"),
        ("round,panel,score\n0,id,good\n", r'scores\.csv:2: "score" is no number'),
        ("round,panel,score\n0.5,id,1\n", r'scores\.csv:2: "round" is no whole number'),
        ("round,panel,score\n0,id,1\n0,id,2\n", "two scores of the panel"),
        ("round,panel,score\n0,,1\n", "no panel is named"),
    ):
        with pytest.raises(SchemaError, match=what):
            read_scores(csv(text))
    with pytest.raises(ReadError, match="file is empty"):
        read_scores(csv(""))
    with pytest.raises(ReadError, match="no scores"):
        read_scores(csv("round,id\n"))
    with pytest.raises(ReadError, match="No such file"):
        read_scores(tmp_path / "none.csv")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ReadError, match="not JSON"):
        round_scores(tmp_path / "bad.json")
    with pytest.raises(SchemaError, match="no scores"):
        round_scores({"panels": {}})


def test_kinds():
    assert [panel_kind(name) for name in ("id", "ID_long", "in_distribution", "ood", "deep")] == ["id"] * 3 + [
        "ood"
    ] * 2
