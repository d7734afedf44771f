"""`generate` end to end: the API and the command, a world that writes, a server on this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from typer.testing import CliRunner

import triptych
from serving import CUT, Server, chat
from triptych import api
from triptych.cli.app import app
from triptych.core.errors import InputError, TriptychError

TOPICS = "rivers bridges lanterns orchards violins glaciers markets candles harbours meadows rockets pepper".split()
WORLD = """
[seeds]
world = "programs"
records = 60
licence = "CC0-1.0"
[writer]
kind = "world"
world = "programs"
quality = 0.5
[method]
name = "few_shot"
[[filters]]
name = "near_duplicate"
threshold = 0.95
[[filters]]
name = "quality"
least = 1.0
[grade]
world = "programs"
[budget]
records = 40
"""


@pytest.fixture
def world(tmp_path):
    (tmp_path / "recipe.toml").write_text(WORLD)
    return tmp_path / "recipe.toml"


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_world_writes_a_data_set_that_is_right(world, tmp_path):
    document = triptych.generate(world, out=tmp_path / "out")
    assert (document["ended"], document["counts"]["kept"]) == ("full", 40)
    passed = document["counts"]["filters"][1]
    assert 0.3 < passed["acceptance"] < 0.7, "half of what this world answers is wrong"
    stages = {stage["stage"]: stage for stage in document["axes"]["stages"]}
    assert stages["made"]["quality"]["value"] < 0.8
    assert stages["quality"]["quality"]["value"] == 1.0
    assert document["licences"] == ["CC0-1.0"]
    assert document["unknown"] == ["writer.licence"]
    (profile,) = api.measure(str(tmp_path / "out" / "data.jsonl"), measures=("valid_share",), cache=False, workers=1)
    assert profile.dataset["records"] == 40
    assert "prompt = 'prompt', response = 'response'" in profile.dataset["detected"]
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {
        "data.jsonl", "failed.jsonl", "recipe.json", "report.html", "answers",
    }  # fmt: skip


def test_the_command_is_the_call_and_printing(world, tmp_path):
    runner = CliRunner()
    plan = runner.invoke(app, ["generate", str(world), "--plan"])
    assert plan.exit_code == 0
    assert plan.output.rstrip("\n") == api.plan_generate(world)
    assert not list(tmp_path.glob("out*"))
    done = runner.invoke(app, ["generate", str(world), "-o", str(tmp_path / "one"), "--json"])
    assert done.exit_code == 0, done.output
    other = triptych.generate(world, out=tmp_path / "two")
    assert (tmp_path / "one/data.jsonl").read_bytes() == (tmp_path / "two/data.jsonl").read_bytes()
    told = json.loads(re.search(r"^\{.*\}$", done.stdout, re.MULTILINE)[0])
    assert {**told, "provenance": 0} == {**other, "provenance": 0}
    shown = runner.invoke(app, ["generate", str(world), "-o", str(tmp_path / "one")])
    assert "40 records by few_shot from world" in shown.output
    assert max(map(len, shown.output.splitlines())) < 200


def test_a_run_that_ends_short_exits_with_2_and_keeps_what_there_is(world, tmp_path):
    world.write_text(WORLD.replace("least = 1.0", "least = 1.0\n[[filters]]\nname = 'length'\nleast = 999") + "\n")
    done = CliRunner().invoke(app, ["generate", str(world), "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "ended short of the budget: 20 batches in a row gave no record; most often:" in done.output
    assert len(rows(tmp_path / "out/failed.jsonl")) == 320


def test_a_recipe_reads_back_from_the_folder_of_its_run(world, tmp_path, monkeypatch):
    seeds = [{"prompt": f"How do {topic} come to be?", "response": f"{topic} come slowly."} for topic in TOPICS]
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in seeds))
    world.write_text(WORLD.replace('world = "programs"\nrecords = 60', 'data = "seeds.jsonl"', 1))
    triptych.generate(world, out=tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    triptych.generate(tmp_path / "out", out=tmp_path / "again")
    assert (tmp_path / "again/data.jsonl").read_bytes() == (tmp_path / "out/data.jsonl").read_bytes()


def served(url, folder, **more):
    """A recipe that asks a server, as a dict."""
    seeds = [
        {"prompt": f"Tell me about {topic} in one line.", "response": f"There are many {topic}."} for topic in TOPICS
    ]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in seeds))
    made = {
        "seeds": {"data": str(folder / "seeds.jsonl")},
        "writer": {
            "kind": "endpoint",
            "url": url,
            "model": "m",
            "pause": 0.01,
            "price": {"prompt": 1.0, "completion": 2.0},
        },
        "method": {"name": "few_shot"},
        "filters": [{"name": "valid"}, {"name": "near_duplicate", "threshold": 0.9}],
        "budget": {"records": 12},
    }
    return made | more


def talk(request, _):
    """Another task for each request, and a sentence about it."""
    number = request["body"]["seed"]
    if "Write another task" in request["said"]:
        return chat(f"Explain number {number % 977} of the {TOPICS[number % 12]} and {number % 31} others.")
    return chat(f"There is much to say about {number % 10007}, and this is the first part of it.")


@pytest.fixture
def server():
    made = Server(talk)
    yield made
    made.close()


def test_a_server_is_asked_once_for_everything(server, tmp_path):
    recipe = served(server.url, tmp_path)
    document = triptych.generate(recipe, out=tmp_path / "out")
    assert document["counts"]["kept"] == 12
    assert document["cost"]["requests"] == len(server.requests)
    assert document["cost"]["money"] == pytest.approx(len(server.requests) * (3 * 1.0 + 2 * 2.0) / 1e6)
    first, asked = (tmp_path / "out/data.jsonl").read_bytes(), len(server.requests)
    triptych.generate(recipe, out=tmp_path / "out")
    assert len(server.requests) == asked
    assert (tmp_path / "out/data.jsonl").read_bytes() == first
    other = served(server.url, tmp_path, filters=[])
    triptych.generate(other, out=tmp_path / "other", answers=tmp_path / "out" / "answers")
    assert len(server.requests) == asked, "another recipe that asks the same takes the answers that are there"


def test_faults_of_a_server_cost_no_record(tmp_path):
    def behave(request, before):
        number = request["body"]["seed"] % 5
        if before_of.setdefault(json.dumps(request["body"]), before) == before and number < 3:
            before_of[json.dumps(request["body"])] = -1
            return [(429, {"Retry-After": "0"}, {}), (500, {}, {}), CUT][number]
        return talk(request, before)

    before_of: dict[str, int] = {}
    made = Server(behave)
    try:
        document = triptych.generate(served(made.url, tmp_path), out=tmp_path / "out")
    finally:
        made.close()
    assert document["ended"] == "full"
    assert document["counts"]["failed"] == {}
    assert document["cost"]["retried"] == len(made.requests) - document["cost"]["requests"] > 0
    assert document["cost"]["ambiguous"] > 0


def test_refusals_empty_answers_and_overflows_fail_one_by_one(tmp_path):
    def behave(request, before):
        if "Write another task" in request["said"]:
            return talk(request, before)
        return [
            chat("I'm sorry, but I can't assist with that."),
            chat("   "),
            (400, {}, {"error": {"message": "maximum context length is 10 tokens", "code": "context_length_exceeded"}}),
            talk(request, before),
        ][request["body"]["seed"] % 4]

    made = Server(behave)
    try:
        document = triptych.generate(served(made.url, tmp_path), out=tmp_path / "out")
    finally:
        made.close()
    assert document["counts"]["kept"] == 12
    reasons = " ".join(document["counts"]["failed"])
    for words in ("refusal", "empty answer", "maximum context length"):
        assert words in reasons
    failed = rows(tmp_path / "out/failed.jsonl")
    assert sum(row["stage"] == "method" for row in failed) == sum(document["counts"]["failed"].values())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}, {"error": {"message": "Incorrect API key"}}), "Incorrect API key"),
        ((404, {}, {"error": {"message": "The model `m` does not exist"}}), "does not exist"),
    ],
)
def test_what_would_go_wrong_with_every_request_stops_the_run_with_the_reason(tmp_path, answer, words):
    made = Server(lambda request, before: answer)
    try:
        with pytest.raises(TriptychError, match=words):
            triptych.generate(served(made.url, tmp_path), out=tmp_path / "out")
    finally:
        made.close()
    assert len(made.requests) < 20
    assert words in json.loads((tmp_path / "out/recipe.json").read_text())["stopped"]


def test_nobody_there_and_no_key_say_so(tmp_path, monkeypatch):
    recipe = served("http://127.0.0.1:9/v1", tmp_path)
    with pytest.raises(TriptychError, match="nothing answers there"):
        triptych.generate(recipe, out=tmp_path / "out")
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    recipe["writer"]["key_env"] = "NO_SUCH_KEY"
    with pytest.raises(InputError, match="NO_SUCH_KEY is not set"):
        triptych.generate(recipe, out=tmp_path / "other")


TOML = """
batch = 32
[seeds]
data = "seeds.jsonl"
[writer]
kind = "endpoint"
url = "{url}"
model = "m"
pause = 0.01
[method]
name = "few_shot"
[[filters]]
name = "near_duplicate"
[budget]
records = 200
"""


@pytest.mark.slow
def test_killed_twice_behind_a_faulty_server_no_answer_is_asked_for_again(tmp_path):
    lock, met, answered = threading.Lock(), set(), Counter()

    def behave(request, before):
        key, number = json.dumps(request["body"], sort_keys=True), request["body"]["seed"]
        with lock:
            first = key not in met
            met.add(key)
        if first and number % 10 < 4:
            return [(429, {"Retry-After": "0"}, {}), (500, {}, {}), CUT, (200, {}, b"{no json")][number % 10]
        time.sleep(0.005)
        with lock:
            answered[key] += 1
        return talk(request, before)

    made = Server(behave)
    served(made.url, tmp_path)
    (tmp_path / "recipe.toml").write_text(TOML.format(url=made.url))
    command = [sys.executable, "-m", "triptych.cli", "generate", str(tmp_path / "recipe.toml"), "-o"]

    def start(name):
        return subprocess.Popen([*command, str(tmp_path / name)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    try:
        for least in (100, 250):
            process = start("out")
            while sum(answered.values()) < least:
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
            process.wait(10)
        assert start("out").wait(120) == 0
        twice = sum(answered.values()) - len(answered)
        assert start("whole").wait(120) == 0
    finally:
        made.close()
    assert twice <= 2 * 8, "only what was under way at a kill is sent again"
    lines = [rows(tmp_path / name / "data.jsonl") for name in ("out", "whole")]
    for row in (*lines[0], *lines[1]):
        row["triptych"]["seconds"] = 0
    assert lines[0] == lines[1]
    assert len({row["id"] for row in lines[0]}) == len(lines[0]) == 200
