"""Whole loops: the same seed the same bytes, going on after any kill, several policies side by side, no world needed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triptych.core.errors import OutputError, TriptychError
from triptych.looping import folder as folders
from triptych.looping import rounds, scoring
from triptych.looping.conduct import plan_text
from triptych.looping.config import LoopConfig
from triptych.looping.document import overridden
from triptych.looping.policy import Given
from triptych.looping.registry import parse_policy
from triptych.looping.setting import Setting
from triptych.studies.trainers.tiny import Tiny

pytest.importorskip("torch")


class KilledError(BaseException):
    """Stands for a signal: nothing catches it."""


@pytest.fixture(scope="module")
def undisturbed(loops, tmp_path_factory):
    """A finished loop."""
    folder = tmp_path_factory.mktemp("loop") / "out"
    loops.run(folder)
    return folder


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(loops, undisturbed, tmp_path):
    loops.run(tmp_path / "again")
    assert loops.contents(tmp_path / "again") == loops.contents(undisturbed)
    loops.run(tmp_path / "other", seed=1, rounds=1)
    first = "round_000/generated.jsonl"
    assert loops.contents(tmp_path / "other")[first] != loops.contents(undisturbed)[first]


def killed_after(monkeypatch, owner, name, calls):
    """The function ends the run at so many calls: before it does anything."""
    real, count = getattr(owner, name), [0]

    def counted(*args, **kwargs):
        count[0] += 1
        if count[0] > calls:
            raise KilledError
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)


@pytest.mark.parametrize(
    ("owner", "name", "calls"),
    [
        (rounds, "score", 1),
        (rounds, "write_records", 2),
        (rounds, "write_records", 3),
        (rounds, "round_document", 1),
        (Tiny, "train", 2),
    ],
    ids=["scoring", "writing", "choosing", "reading", "training"],
)
def test_a_loop_goes_on_from_any_stage(owner, name, calls, loops, undisturbed, tmp_path, monkeypatch):
    shutil.copytree(undisturbed / "round_000" / "model", tmp_path / "round_000" / "model")
    with monkeypatch.context() as patch:
        killed_after(patch, owner, name, calls - (name == "train"))
        with pytest.raises(KilledError):
            loops.run(tmp_path)
    assert not (tmp_path / "loop.json").exists()
    loops.run(tmp_path)
    assert loops.contents(tmp_path) == loops.contents(undisturbed)


SCRIPT = """
import json, sys
from pathlib import Path
from triptych.engines.progress import Progress
from triptych.looping.conduct import run_loop
from triptych.looping.config import LoopConfig
from triptych.looping.document import overridden
from triptych.looping.policy import Given
from triptych.looping.registry import parse_policy
from triptych.profiling.settings import Settings
run_loop(LoopConfig.of(json.loads(sys.argv[1])), Path(sys.argv[2]), Progress(), Settings(workers=1, cache=False))
"""


@pytest.mark.parametrize("after", ["round_000/generated.jsonl", "round_001/model"])
def test_a_killed_process_loses_nothing(after, loops, undisturbed, tmp_path):
    shutil.copytree(undisturbed / "round_000" / "model", tmp_path / "round_000" / "model")
    command = [sys.executable, "-c", SCRIPT, json.dumps(loops.table()), str(tmp_path)]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / after).exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    loops.run(tmp_path)
    assert loops.contents(tmp_path) == loops.contents(undisturbed)


def test_a_second_call_writes_nothing_new(loops, undisturbed, tmp_path, monkeypatch):
    shutil.copytree(undisturbed, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("round_*/*")}
    monkeypatch.setattr(Tiny, "train", None)
    monkeypatch.setattr(scoring, "score", None)
    loops.run(tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("round_*/*")} == before
    assert (tmp_path / "out" / "round_002" / "meta.json").read_bytes() == (
        undisturbed / "round_002" / "meta.json"
    ).read_bytes()


def test_a_full_disk_leaves_whole_files_and_the_loop_goes_on(loops, undisturbed, tmp_path, monkeypatch):
    shutil.copytree(undisturbed / "round_000" / "model", tmp_path / "round_000" / "model")
    real = folders.write_text

    def full(path, text):
        if path.name == "generated.jsonl":
            raise OSError(28, "No space left on device", str(path))
        real(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(folders, "write_text", full)
        with pytest.raises(TriptychError, match=r"(?s)No space left.*run the same command again"):
            loops.run(tmp_path)
    loops.run(tmp_path)
    assert loops.contents(tmp_path) == loops.contents(undisturbed)


def test_another_config_or_other_data_is_refused(loops, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "out")
    before = loops.contents(tmp_path / "out")
    with pytest.raises(OutputError, match=r"config\.budget = 100 there, 90 asked|config\.budget"):
        loops.run(tmp_path / "out", policy={"name": "correct", "budget": 90})
    assert loops.contents(tmp_path / "out") == before


def test_several_policies_begin_with_one_model(loops, undisturbed, tmp_path):
    document = loops.run(tmp_path, policies=["correct", "quality_only"], policy={"budget": 100}, rounds=1)
    assert [arm["policy"] for arm in document["arms"]] == ["correct", "quality_only"]
    assert [len(arm["rounds"]) for arm in document["arms"]] == [2, 2]
    assert len(document["conclusions"]) == 2
    models = [loops.contents(tmp_path / f"arm_{name}" / "round_000" / "model") for name in ("correct", "quality_only")]
    assert models[0] == models[1] == loops.contents(undisturbed / "round_000" / "model")
    alone, beside = (loops.contents(path) for path in (undisturbed, tmp_path / "arm_correct"))
    for name in ("round_000/generated.jsonl", "round_000/selected.jsonl", "round_001/generated.jsonl"):
        assert alone[name] == beside[name]  # other arms beside it change nothing
    assert not list(tmp_path.glob("round_*"))


@pytest.mark.parametrize(
    ("policies", "dials", "said"),
    [
        (
            ["keep"],
            {"start": "continue"},
            ["[dials] start = continue moved nothing: keep sets", "does: keep:start=..."],
        ),
        (["keep", "correct"], {"start": "continue"}, []),
        (["quality_only"], {"likely": True, "min_p": 0.1}, []),
        (["accumulate", "keep"], {"archive": 0.5}, ["accumulate and keep set archive itself", "keep:archive=..."]),
        (["accumulate"], {"archive": 0.5}, ["archive = 0.5 moved nothing: accumulate sets archive itself."]),
    ],
)
def test_a_dial_that_all_policies_set_themselves_is_told_of(policies, dials, said):
    config = LoopConfig.of({"start": {"world": "programs"}, "policies": policies, "dials": dials})
    given = Given(100, 100, 6, config.dials)
    arms = [
        {"policy": name, "rounds": [{"dials": parse_policy(name).dials(given, [])[0].to_json()}]} for name in policies
    ]
    found = overridden(config.dials, arms)
    assert len(found) == bool(said)
    for part in said:
        assert part in found[0]


def test_a_loop_without_a_world(loops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = loops.sums(tmp_path)
    document = loops.run("out", **config)
    (arm,) = document["arms"]
    assert arm["stopped"] is None
    assert document["panels"] == {"id": "id", "ood": "ood"}
    assert [warning["code"] for warning in document["warnings"]] == ["start_holds_test_items"]
    first = arm["rounds"][0]
    assert first["counts"]["passed"] > 0
    assert first["scores"]["ood"]["scorer"] == "exact"
    assert first["overlap"]["id"]["prompts"] == first["overlap"]["ood"]["prompts"] == 0
    prompts = {json.loads(line)["prompt"] for line in Path("ood.jsonl").read_text().splitlines()}
    chosen = [json.loads(line) for line in Path("out/round_000/selected.jsonl").read_text().splitlines()]
    assert not prompts & {line["prompt"] for line in chosen}


def test_given_prompts_are_answered(loops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"prompt": f"{a}+{b}="} for a in range(5) for b in range(5)]
    Path("prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = loops.sums(tmp_path) | {"generator": {"samples": 100, "prompts": "prompts.jsonl", "each": 4}}
    (arm,) = loops.run("out", **config)["arms"]
    written = [json.loads(line) for line in Path("out/round_000/generated.jsonl").read_text().splitlines()]
    assert len(written) == 100
    assert {line["prompt"] for line in written} == {row["prompt"] for row in rows}
    assert arm["rounds"][0]["counts"]["written"] == 100


def test_a_plan_says_what_would_be_done(loops):
    config = LoopConfig.of(loops.table())
    said = plan_text(config, Setting.of(config))
    for part in (
        "start: world programs, 300 records",
        "policy correct: Random correct samples",
        "2 trainings by tiny:steps=60",
        "150 records a round, 450 in all",
        "panel compositions (ood, closed): 20 items",
        "panel id (id, open)",
    ):
        assert part in said
