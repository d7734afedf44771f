"""The generator `command`: the user's own script writes the records."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from triptych.core.errors import SpecError, TriptychError, UsageError
from triptych.looping.dials import Dials
from triptych.looping.generators.base import Asked
from triptych.looping.generators.command import CommandGenerator
from triptych.studies.trainers.trainer import Example, Model

PROMPTS = [Example("p0", "r0", {"level": 1}), Example("p1", "r1", {"level": 2})]

HONEST = """
task = json.load(open(sys.argv[-1]))
assert sys.argv[1:-1] == ["--flag", "two words"]
assert os.environ["TRIPTYCH_TASK"] == sys.argv[-1] and os.getcwd() == os.path.dirname(sys.argv[-1])
assert task["schema"] == "triptych/write@1" and task["prompts"] is None and task["model"] is None
assert (task["temperature"], task["explore"], task["write"]) == (0.7, [[1.0, 3], [1.5, 3]], "w"), task
with open(task["output"], "w") as out:
    for t, count in task["explore"]:
        for i in range(count):
            line = {"prompt": f"{t} {i} é", "response": str(task["seed"]), "explore": t, "likelihood": -1.5}
            print(json.dumps(line), file=out)
print("not read")
"""

ANSWERS = """
task = json.load(open(sys.argv[-1]))
for line in open(task["prompts"]):
    item = json.loads(line)
    for i in range(task["each"]):
        print(json.dumps({"id": item["id"], "response": item["prompt"] + str(item["row"]["level"] + i)}))
"""


class Saved(Model):
    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        raise AssertionError

    def log_likelihood(self, examples):
        raise AssertionError

    def save(self, folder):
        folder.mkdir()
        (folder / "weights").write_text("heavy")


def generator(tmp_path, body, more="", timeout=30.0):
    path = tmp_path / "write.py"
    path.write_text("import json, os, sys, time\n" + body)
    return CommandGenerator(f"{sys.executable} {path}{more}", timeout)


def asked(**more):
    dials = Dials(temperature=0.7, explore=((1.0, 0.5), (1.5, 0.5)))
    return Asked(**{"samples": 6, "dials": dials, "seed": 1, "round": 0, "write": "w", **more})


def says(tmp_path, *lines, **more):
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return generator(tmp_path, f"print({text!r})\n").write(asked(**more), None)


def test_a_script_gets_its_task_and_writes_records(tmp_path):
    made = generator(tmp_path, HONEST, " --flag 'two words'")
    batch = made.write(asked(), None)
    assert [record.prompt for record in batch.written] == [f"{t} {i} é" for t in (1.0, 1.5) for i in range(3)]
    assert [record.explore for record in batch.written] == [1.0] * 3 + [1.5] * 3
    assert {record.temperature for record in batch.written} == {0.7}
    assert batch.likelihood == (-1.5,) * 6
    assert batch.notes == {}
    again, other = made.write(asked(), None), made.write(asked(round=1), None)
    assert again == batch
    assert other.written[0].response != batch.written[0].response


def test_a_script_answers_given_prompts(tmp_path):
    batch = generator(tmp_path, ANSWERS).write(asked(prompts=PROMPTS, each=2), None)
    assert [(r.prompt, r.response, r.group, dict(r.row)) for r in batch.written] == [
        ("p0", "p01", "0", {"level": 1}),
        ("p0", "p02", "0", {"level": 1}),
        ("p1", "p12", "1", {"level": 2}),
        ("p1", "p13", "1", {"level": 2}),
    ]
    assert batch.likelihood == (None,) * 4


def test_a_script_finds_the_model(tmp_path):
    body = """
task = json.load(open(sys.argv[-1]))
print(json.dumps({"prompt": "p", "response": open(task["model"] + "/weights").read()}))
"""
    made = generator(tmp_path, body)
    assert made.write(asked(samples=1), Saved()).written[0].response == "heavy"
    (tmp_path / "round" / "model").mkdir(parents=True)
    (tmp_path / "round" / "model" / "weights").write_text("there")
    batch = made.write(asked(samples=1, saved=tmp_path / "round" / "model"), Saved())
    assert batch.written[0].response == "there"


def test_lines_that_are_no_record_are_counted(tmp_path):
    good = {"prompt": "p", "response": "r"}
    batch = says(tmp_path, "step 1", good, {"prompt": "p"}, {"prompt": 3, "response": "r"}, [1], "", good)
    assert len(batch.written) == 2
    assert batch.notes == {
        "failed": 4, "first_failed": "line 1: no JSON object: step 1", "wanted": 6, "missing": 4
    }  # fmt: skip
    odd = {**good, "likelihood": "high", "temperature": None, "explore": "hot"}
    assert says(tmp_path, odd).likelihood == (None,)
    assert says(tmp_path, *[good] * 9).notes == {"wanted": 6, "beyond": 3}
    assert len(says(tmp_path, *[good] * 9).written) == 6


def test_answers_must_name_their_prompt(tmp_path):
    lines = [
        {"id": 1, "prompt": "p1", "response": "good"}, {"id": 1, "prompt": "p0", "response": "r"},
        {"id": 7, "response": "r"}, {"id": True, "response": "r"}, {"prompt": "p0", "response": "r"},
    ]  # fmt: skip
    batch = says(tmp_path, *lines, prompts=PROMPTS)
    assert [record.response for record in batch.written] == ["good"]
    assert batch.notes["failed"] == 4
    assert batch.notes["first_failed"].startswith("line 2: not the prompt of id 1")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ValueError('no gpu')", "no gpu"),
        ("print('hello')", "wrote no record"),
        ("", "wrote no record"),
        ("os.kill(os.getpid(), 9)", "signal 9"),
    ],
)
def test_a_script_that_fails_is_told_in_one_message(tmp_path, body, told):
    with pytest.raises(TriptychError, match=told):
        generator(tmp_path, body).write(asked(), None)


def test_a_script_that_hangs_is_killed(tmp_path):
    started = time.perf_counter()
    with pytest.raises(TriptychError, match=r"longer than 0\.5 seconds"):
        generator(tmp_path, "time.sleep(60)", timeout=0.5).write(asked(), None)
    assert time.perf_counter() - started < 10


def test_bad_settings_and_identity(tmp_path):
    with pytest.raises(SpecError, match="no command"):
        CommandGenerator("")
    with pytest.raises(SpecError, match="timeout"):
        CommandGenerator("true", timeout=0)
    made = generator(tmp_path, "1")
    before = made.spec.hash
    Path(tmp_path / "write.py").write_text("2")
    assert made.spec.hash != before


def test_files_of_a_command_are_looked_for_beside_the_config(tmp_path):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "write.py").write_text('print(\'{"prompt": "p", "response": "there"}\')')
    made = CommandGenerator(f"{sys.executable} write.py").beside(tmp_path / "beside")
    made.check(None, "")
    assert made.write(asked(samples=1), None).written[0].response == "there"
    assert set(made.spec.params["files"]) == {Path(sys.executable).name, "write.py"}


def test_a_command_that_is_not_there_is_told_before_anything_is_trained():
    with pytest.raises(UsageError, match="there is no such program"):
        CommandGenerator("no-such-program --x").check(None, "")
