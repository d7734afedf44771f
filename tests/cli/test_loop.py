"""`triptych loop`: from a TOML file to rounds, a document and a page; going on; one message for bad input."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest

from triptych import api
from triptych.cli.app import main

LOOP = """
rounds = 1
at = 32

[start]
world = "programs"
skills = 1
records = 300
items = 10
trainer = "tiny:steps=500,width=32,batch=32"

[model]
trainer = "tiny:steps=250,width=32,batch=32"

[generator]
samples = 150

[policy]
name = "correct"
budget = 80

[evaluation]
k = [1, 2]
k_items = 3
panels = ["id", "compositions"]
"""


@pytest.fixture
def call(monkeypatch, capsys):
    def run_here(*arguments):
        monkeypatch.setattr(sys, "argv", ["triptych", "loop", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run_here


@pytest.fixture
def file(tmp_path):
    (tmp_path / "loop.toml").write_text(LOOP)
    return tmp_path / "loop.toml"


def plain(value):
    """A document without seconds and provenance."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key not in {"seconds", "stages", "provenance"}}
    return [plain(each) for each in value] if isinstance(value, list) else value


def test_a_file_becomes_rounds_a_document_and_a_page(file, call, tmp_path):
    pytest.importorskip("torch")
    code, said, err = call(file, "-o", tmp_path / "out", "--workers", "1")
    assert code == 0
    assert "Random correct samples" in said
    assert "ID (id)" in said
    assert "report.html" in said
    assert "rounds: 2 rounds" in err
    document = json.loads((tmp_path / "out" / "loop.json").read_text())
    assert document["schema"] == "triptych/loop@1"
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in (tmp_path / "out").glob("round_*")) == ["round_000", "round_001"]
    code, said, _ = call(file, "-o", tmp_path / "out", "--workers", "1", "--json")
    assert code == 0
    assert plain(json.loads(said)) == plain(document)
    from_call = api.loop(tomllib.loads(LOOP), out=tmp_path / "call", workers=1)
    assert plain(from_call) == plain(document)
    (tmp_path / "loop.toml").write_text(LOOP.replace("budget = 80", "budget = 60"))
    code, said, err = call(file, "-o", tmp_path / "out")
    assert code == 2
    assert "of another loop" in err
    assert "config.budget = 80 there, 60 asked" in err
    assert not said


def test_a_loop_that_stops_exits_with_one(file, call, tmp_path):
    pytest.importorskip("torch")
    file.write_text(LOOP.replace("steps=500", "steps=1"))
    code, said, _ = call(file, "-o", tmp_path / "out")
    assert code == 1
    assert "nothing that was written can be trained on" in " ".join(said.split())


def test_a_plan_runs_nothing(file, call, tmp_path):
    pytest.importorskip("torch")
    code, said, _ = call(file, "-o", tmp_path / "out", "--plan")
    assert code == 0
    assert "1 trainings by tiny:steps=250" in said
    assert not (tmp_path / "out").exists()
    code, said, _ = call("--preset", "collapse", "--plan", "--seed", "3")
    assert code == 0
    assert "policy quality_only" in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "what loop is to be run?"),
        (("--preset", "colapse"), "try:  collapse"),
        (("nowhere.toml",), "no loop can be read"),
        (("loop.toml", "--preset", "collapse"), "not both"),
        (("loop.toml", "--workers", "0"), "at least one worker"),
    ],
)
def test_bad_usage_is_one_clear_message(given, says, file, call, monkeypatch, tmp_path):
    monkeypatch.chdir(file.parent)
    code, said, err = call(*given, "-o", tmp_path / "out")
    assert code == 2
    assert says in err
    assert "Traceback" not in err
    assert not said
    assert not (tmp_path / "out").exists()


def test_a_foreign_folder_is_left_alone(file, call, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    code, _, err = call(file, "-o", tmp_path / "out")
    assert code == 2
    assert "holds something else" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "examples" / "loop").glob("*.toml")), ids=str)
def test_the_examples_can_be_planned(path, call, monkeypatch):
    pytest.importorskip("torch")
    if path.stem == "hf":
        pytest.importorskip("trl")
        pytest.importorskip("reasoning_gym")
    monkeypatch.chdir(path.parent)
    code, said, err = call(path, "--plan")
    assert code == 0, err
    assert "policy" in said
