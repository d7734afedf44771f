"""The trainer `command`: the user's own script."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import SpecError, TriptychError
from triptych.studies.panels import ScoredPanel
from triptych.studies.trainers.command import Command
from triptych.studies.trainers.registry import parse_trainer
from triptych.studies.trainers.trainer import Example

DATA = [Example("p1", "r1", {"level": 2, "response": "r1"}), Example("p\n2", "é", {})]
PANELS = [
    ScoredPanel("id", (Example("a", "b", {"depth": 1}), Example("c", "d"), Example("e", "f"))),
    ScoredPanel("longer/inputs", (Example("g", "h"), Example("i", "j"))),
]

HONEST = """
task = json.load(open(sys.argv[-1]))
read = lambda path: [json.loads(line) for line in open(path)]
data = read(task["data"])
assert sys.argv[1:-1] == ["--flag", "two words"], sys.argv
assert data[0] == {"prompt": "p1", "response": "r1", "row": {"level": 2, "response": "r1"}}
assert data[1]["prompt"] == "p\\n2" and data[1]["response"] == "\\u00e9"
assert os.environ["TRIPTYCH_TASK"] == sys.argv[-1] and os.environ["TRIPTYCH_TRAIN"] == task["data"]
assert os.environ["TRIPTYCH_OUTPUT"] == task["output"] and int(os.environ["TRIPTYCH_SEED"]) == task["seed"]
assert len(os.listdir(os.environ["TRIPTYCH_PANELS"])) == 2
assert os.getcwd() == os.path.dirname(sys.argv[-1])
scores = {name: [len(row["prompt"]) / 2 for row in read(path)] for name, path in task["panels"].items()}
scores["id"][1] = None
json.dump({"panels": {**scores, "more": 1}, "steps": 7, "tokens": 70, "notes": {"seed": task["seed"]}}, open(task["output"], "w"))
print("done")
"""


def script(tmp_path, body, name="train.py"):
    path = tmp_path / name
    path.write_text("import json, os, sys, time\n" + body)
    return path


def command(tmp_path, body, more="", timeout=30.0):
    return Command(f"{sys.executable} {script(tmp_path, body)}{more}", timeout)


def answers(tmp_path, answer, **more):
    return command(tmp_path, f"print({answer!r})\n", **more).run(DATA, PANELS, 3)


def test_a_script_gets_its_task_and_gives_scores(tmp_path):
    made = command(tmp_path, HONEST, " --flag 'two words'")
    outcome = made.run(DATA, PANELS, 11)
    assert outcome.items["longer/inputs"].tolist() == [0.5, 0.5]
    assert outcome.items["id"][[0, 2]].tolist() == [0.5, 0.5]
    assert np.isnan(outcome.items["id"][1])
    assert (outcome.cost.steps, outcome.cost.tokens) == (7, 70)
    assert outcome.cost.seconds > 0
    assert outcome.notes == {
        "seed": 11,
        "ignored_panels": ["more"],
        "panels": {"id": {"scorer": "command", "missing": 1, "first_missing": "item 2: null"}},
    }


def test_the_last_line_of_the_output_will_do_and_a_mean_alone_too(tmp_path):
    outcome = answers(tmp_path, 'step 1\n{"panels": {"id": 0.53, "longer/inputs": [true, 0]}}\n')
    assert outcome.items["id"].tolist() == [0.53]
    assert outcome.items["longer/inputs"].tolist() == [1, 0]
    assert outcome.notes["panels"] == {"id": {"scorer": "command", "mean_only": True}}


def test_an_executable_is_found_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.sh"
    path.write_text('#!/bin/sh\necho "{\\"panels\\": {\\"id\\": $TRIPTYCH_SEED, \\"longer/inputs\\": 0}}"\n')
    path.chmod(0o755)
    made = parse_trainer("command:./train.sh --big")
    monkeypatch.chdir("/")
    assert made.run(DATA, PANELS, 5).items["id"].tolist() == [5]
    path.chmod(0o644)
    with pytest.raises(TriptychError, match=r"cannot be started: Permission denied(.|\n)*chmod \+x"):
        made.run(DATA, PANELS, 5)


def test_files_and_folders_are_named_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    (tmp_path / "big.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    words = Command("python big.toml ./configs configs --x=big.toml").script.words
    assert words == ("python", str(tmp_path / "big.toml"), str(tmp_path / "configs"), "configs", "--x=big.toml")


def test_a_changed_script_is_another_trainer(tmp_path):
    made = command(tmp_path, "print(1)\n")
    before = made.spec
    assert before == command(tmp_path, "print(1)\n").spec
    script(tmp_path, "print(2)\n")
    assert made.spec.hash != before.hash
    assert before.params["files"].keys() == {Path(sys.executable).name, "train.py"}


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with pytest.raises(TriptychError):
        command(tmp_path, "open('checkpoint', 'w').write('x')\n").run(DATA, PANELS, 0)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_takes_too_long_is_killed_with_all_it_started(tmp_path):
    mark = tmp_path / "late"
    late = f"import time; time.sleep(2); open({str(mark)!r}, 'w')"
    body = f"import subprocess\nsubprocess.Popen([sys.executable, '-c', {late!r}])\ntime.sleep(60)\n"
    started = time.monotonic()
    with pytest.raises(TriptychError, match="longer than 1 seconds"):
        command(tmp_path, body, timeout=1.0).run(DATA, PANELS, 0)
    assert time.monotonic() - started < 10
    time.sleep(2.5)
    assert not mark.exists()


ONE = '{"panels": {"id": [1, 1, 1]}}'


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("Hello!", "its answer holds no scores"),
        ("", "the last line of its standard output: empty"),
        ("[1, 2]", "its answer holds no scores"),
        ('{"panels": [1]}', "its answer holds no scores"),
        (ONE, 'panel "longer/inputs" is missing'),
        ('{"panels": {"id": 1, "longer_inputs": 1}}', 'try:  rename "longer_inputs" to "longer/inputs"'),
        (
            '{"panels": {"id": [1, 1], "longer/inputs": 1}}',
            'panel "id" has a wrong number of scores.\n  got:  2\n  want:  3',
        ),
        ('{"panels": {"id": [null, "x", NaN], "longer/inputs": 1}}', 'panel "id" has no score for any of 3 items'),
        ('{"panels": {"id": NaN, "longer/inputs": 1}}', 'panel "id" has no score.\n  got:  NaN'),
        ('{"panels": {"id": "good", "longer/inputs": 1}}', 'got:  "good"'),
        ('{"panels": {"id": null, "longer/inputs": 1}}', "got:  null"),
    ],
)
def test_nonsense_fails_the_run_with_one_message(tmp_path, answer, says):
    with pytest.raises(TriptychError) as error:
        answers(tmp_path, answer)
    assert says in str(error.value)
    assert str(error.value).startswith("command ")


def test_a_script_that_dies_is_quoted(tmp_path):
    body = "print('fine so far')\nfor i in range(9): print(f'line {i}', file=sys.stderr)\nsys.exit(3)\n"
    with pytest.raises(TriptychError) as error:
        command(tmp_path, body).run(DATA, PANELS, 0)
    text = str(error.value)
    assert "it failed (exit code 3)" in text
    assert "line 8" in text
    assert "line 3" not in text
    with pytest.raises(TriptychError, match="signal 9"):
        command(tmp_path, "os.kill(os.getpid(), 9)\n").run(DATA, PANELS, 0)


def test_what_is_no_command(tmp_path):
    with pytest.raises(TriptychError, match="cannot be started: No such file"):
        Command("no-such-program-here").run(DATA, PANELS, 0)
    for text in ("", "  "):
        with pytest.raises(SpecError, match="no command is named"):
            Command(text)
    with pytest.raises(SpecError, match="timeout"):
        Command("run", -1.0)
    assert "TRIPTYCH_TASK" not in os.environ
