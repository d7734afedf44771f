"""`triptych guard`: the artifact of the API, exit codes, what is printed, and the examples as they are shipped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from triptych import api
from triptych.cli.app import app
from triptych.core.rng import stream

REPO = Path(__file__).parents[2]
EXAMPLES = REPO / "examples" / "guard"
PAIRS = (("bad", "big"), ("cage", "face"), ("fade", "hide"), ("dig", "jab"), ("bee", "chef"), ("add", "beg"))


def run(*arguments, **given):
    command = [sys.executable, "-m", "triptych.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, **given)


@pytest.fixture
def loops(tmp_path):
    """A folder of rounds that collapse, and one of rounds that do not."""
    for name, kinds in (("bad", (64, 64, 30, 12, 5, 2)), ("good", (30, 34, 40, 45))):
        for at, number in enumerate(kinds):
            rng = stream("guard cli", name, at)
            folder = tmp_path / name / f"round_{at:03d}"
            folder.mkdir(parents=True)
            rows = []
            for _ in range(128):
                kind, a = int(rng.integers(number)), int(rng.integers(1000))
                words = " ".join(pair[kind >> bit & 1] for bit, pair in enumerate(PAIRS))
                rows.append({"prompt": f"Say {words} with {a}.", "response": f"It is {a}.", "right": 1, "mark": kind})
            (folder / "generated.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"bad": tmp_path / "bad", "good": tmp_path / "good"}


def test_the_command_line_gives_the_artifact_of_the_api(loops, tmp_path):
    asked = ("guard", loops["good"], "--structure", "mark", "--alarm-rate", "0.01", "--workers", "1", "--no-cache")
    done = run(*asked, "-o", tmp_path / "cli", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    settings = {"structure": "mark", "alarm_rate": 0.01, "workers": 1, "cache": False}
    made = api.guard(str(loops["good"]), out=tmp_path / "api", **settings)
    assert made == json.loads((tmp_path / "api" / "guard.json").read_text())
    assert json.loads((tmp_path / "cli" / "guard.json").read_text()) == printed
    for one in (printed, made):
        del one["provenance"]
    assert printed == made
    assert (printed["verdict"], printed["structure"], printed["alarm_rate"]) == ("continue", "field mark", 0.01)
    assert sorted(path.name for path in (tmp_path / "cli").iterdir()) == ["guard.json", "report.html"]


def test_a_stop_is_exit_1_with_rounds_reasons_and_what_to_do(loops, tmp_path):
    done = run("guard", loops["bad"], "-o", tmp_path / "out", "--workers", "1")
    assert done.returncode == 1, done.stderr
    assert re.search(r"^ *5 +128\b.*collapsing", done.stdout, re.MULTILINE)
    assert re.search(r"effective structures among (valid|correct) records fell from", " ".join(done.stdout.split()))
    assert "roll back to round" in done.stdout
    assert f"report: {tmp_path / 'out' / 'report.html'}" in done.stdout
    assert json.loads((tmp_path / "out" / "guard.json").read_text())["verdict"] == "stop"


def test_plan(loops, tmp_path):
    done = run("guard", loops["bad"], "--plan", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rounds: 6\n  0: round_000\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (("--alarm-rate", "2"), "the alarm rate is a share"),
        (("--anchor", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--window", "3"), "--by step"),
    ],
)
def test_bad_usage_is_one_message_and_exit_2(loops, tmp_path, more, text):
    done = run("guard", loops["good"], "--no-cache", "--workers", "1", "-o", tmp_path / "out", *more)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_foreign_folder_is_not_touched(loops, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    done = run("guard", loops["good"], "--no-cache", "-o", tmp_path / "mine")
    assert done.returncode == 2
    assert "holds something else" in done.stderr
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["notes.txt"]


@pytest.mark.slow
def test_the_examples_run(tmp_path):
    for name, code in (("files.py", 0), ("own_loop.py", 0)):
        command = [sys.executable, str(EXAMPLES / name)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        assert "collapsing" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("package", ["trl"])
def test_the_example_for_trl_runs(package, tmp_path):
    pytest.importorskip(package, reason="the example is for TRL")
    command = [sys.executable, str(EXAMPLES / "grpo.py")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "guard-grpo" / "guard.json").is_file()


def test_the_page_names_what_there_is():
    text = (REPO / "docs" / "guard.md").read_text()
    known = {option for param in typer.main.get_command(app).commands["guard"].params for option in param.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert named
    assert named <= known
    for example in re.findall(r"examples/guard/(\w+\.py)", text):
        assert (EXAMPLES / example).is_file()
