"""A round, stage by stage: what it leaves, what it counts, and how it ends where it cannot go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from triptych import api
from triptych.core.errors import SelectionError, TriptychError
from triptych.guarding.judge import Verdict
from triptych.looping import rounds, watching
from triptych.looping.config import LoopConfig
from triptych.looping.folder import ArmFolder, read_records
from triptych.looping.policies.correct import Correct
from triptych.looping.records import Judged, Written
from triptych.looping.rounds import solved_of, tried_of
from triptych.looping.setting import Setting

pytest.importorskip("torch")

ROUND_FILES = {"generated.jsonl", "meta.json", "model", "scores.json", "selected.jsonl", "written.json"}


def record(structure, verified, explore=1.0, *, valid=True):
    return Judged(Written("p", "r", 0.7, explore), 0, 0, valid, structure, 1.0, verified)


def test_what_came_of_each_temperature():
    kept = [record("a", 1.0), record("b", 1.0), record("b", 1.0), record("c", 0.5, 1.6), record("d", 1.0, 1.6)]
    records = [*kept, record("closed", 1.0, 1.6), record("", 0.0, valid=False)]
    assert tried_of(records, kept, {"a"}) == {
        1.0: {"samples": 4, "valid": 3, "passed": 3, "new": 2, "new_structures": 1},
        1.6: {"samples": 3, "valid": 3, "passed": 1, "new": 1, "new_structures": 1},
    }
    assert tried_of([record("a", 1.0, None)], [], set()) == {}


def test_what_is_solved_of_each_structure():
    kept = [record("a", 1.0), record("a", 0.5), record("b", None), record("", 0.0, valid=False)]
    assert solved_of(kept) == {"a": (1, 2)}


def test_every_round_is_a_folder_with_everything_in_it(loops, tmp_path):
    document = loops.run(tmp_path)
    (arm,) = document["arms"]
    assert arm["stopped"] is None
    assert [one["round"] for one in arm["rounds"]] == [0, 1, 2]
    for one in arm["rounds"]:
        folder = tmp_path / f"round_{one['round']:03}"
        last = one["round"] == 2
        assert {path.name for path in folder.iterdir()} == ROUND_FILES - ({"selected.jsonl"} if last else set())
        assert json.loads((folder / "meta.json").read_text()) == one
        assert json.loads((folder / "scores.json").read_text())["scores"] == one["scores"]
        written = read_records(folder / "generated.jsonl")
        assert one["counts"]["written"] == len(written) == 150
        assert one["counts"]["valid"] == sum(each.valid for each in written)
        assert one["counts"]["passed"] == sum(each.passed for each in written) > 0
        assert one["ledger"]["n"] == 150
        assert one["ledger"]["quality"]["value"] is not None
        assert one["guard"]["verdict"] in {"continue", "warn", "stop"}
        assert len(one["samples"]) == 8
        if not last:
            selected = read_records(folder / "selected.jsonl")
            assert sum(one["counts"]["selected"].values()) == len(selected) <= 100
            assert one["counts"]["selected"]["anchor"] == 25
            assert all(each.passed or each.source == "anchor" for each in selected)
        assert one["overlap"]["compositions"] == {"prompts": 0, "structures": 0}
        assert one["overlap"]["id"]["prompts"] == 0
    assert document["closed"] == {"panels": ["compositions"], "structures": document["closed"]["structures"]}
    assert document["panels"] == {"id": "id", "compositions": "ood"}
    (said,) = document["conclusions"]
    first, last = (arm["rounds"][i]["scores"] for i in (0, -1))
    assert f"ID (id) {first['id']['score']:.2f} to {last['id']['score']:.2f}" in said
    assert f"OOD (compositions) {first['compositions']['score']:.2f}" in said
    assert json.loads((tmp_path / "loop.json").read_text()) == document


def test_how_long_a_training_from_nothing_is_beside_the_first(loops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = loops.sums(tmp_path)
    small = "width=32,batch=64,tokenization=bytes"

    def share(first, later):
        start = given["start"] | {"trainer": f"tiny:{first},{small}"}
        table = given | {"start": start, "model": {"trainer": f"tiny:{later},{small}"}}
        setting = Setting.of(LoopConfig.of(table))
        return rounds.Arm(setting, Correct(), ArmFolder(tmp_path), None).given.scratch, len(setting.anchor)

    assert share("steps=600", "steps=300")[0] == 0.5
    found, records = share("epochs=20", "epochs=20")
    assert found == pytest.approx(150 / records, rel=0.03)  # 150 records of a round


def test_the_guard_reads_the_same_from_the_folder(loops, tmp_path):
    document = loops.run(tmp_path, rounds=1)
    found = api.guard(tmp_path, at=32, cache=False, workers=1)
    for one, other in zip(document["arms"][0]["rounds"], found["rounds"], strict=True):
        assert one["ledger"]["diversity"]["value"] == pytest.approx(other["diversity"]["value"])
        assert one["ledger"]["valid"] == other["valid"]


def test_a_round_with_nothing_valid_stops_and_loses_nothing(loops, tmp_path):
    start = {**loops.table()["start"], "trainer": "tiny:steps=1,width=32"}
    document = loops.run(tmp_path, start=start)
    (arm,) = document["arms"]
    assert "round 0: nothing that was written can be trained on" in arm["stopped"]
    assert "150 records" in arm["stopped"]
    assert [one["counts"]["passed"] for one in arm["rounds"]] == [0]
    assert arm["rounds"][0]["ledger"] is None
    assert (tmp_path / "round_000" / "generated.jsonl").exists()
    assert not (tmp_path / "round_001").exists()
    assert "Stopped: round 0" in document["conclusions"][0]


def test_a_training_that_diverges_stops_with_its_reason(loops, tmp_path):
    document = loops.run(tmp_path, model={"trainer": "tiny:steps=30,width=32,learning_rate=1e25"})
    (arm,) = document["arms"]
    assert "diverged" in arm["stopped"]
    assert len(arm["rounds"]) == 1
    assert not (tmp_path / "round_001" / "model").exists()
    json.dumps(document, allow_nan=False)


def test_a_verifier_that_breaks_stops_and_goes_on_when_it_is_mended(loops, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = loops.sums(tmp_path)
    check = tmp_path / "sums_check.py"
    check.rename(tmp_path / "mended_check.py")
    text = (tmp_path / "mended_check.py").read_text()
    (tmp_path / "mended_check.py").write_text(
        text.replace(
            "    found =",
            '    if pathlib.Path("broken").exists():\n        raise RuntimeError("out of order")\n    found =',
        ).replace("import re", "import pathlib\nimport re")
    )
    config["verifier"] = {"scorer": "verifier:mended_check:check"}
    train = rounds.Arm.train

    def then_break(self, number, selected):
        train(self, number, selected)
        Path("broken").touch()

    monkeypatch.setattr(rounds.Arm, "train", then_break)
    document = loops.run(tmp_path / "out", **config)
    (arm,) = document["arms"]
    assert "round 1" in arm["stopped"]
    assert "out of order" in arm["stopped"]
    assert [one["round"] for one in arm["rounds"]] == [0]
    monkeypatch.setattr(rounds.Arm, "train", train)
    Path("broken").unlink()
    (arm,) = loops.run(tmp_path / "out", **config)["arms"]
    assert arm["stopped"] is None
    assert [one["round"] for one in arm["rounds"]] == [0, 1]


def test_a_first_round_that_fails_is_an_error(loops, tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "score", _fails)
    with pytest.raises(TriptychError, match="no scores today"):
        loops.run(tmp_path)


def _fails(*_):
    raise TriptychError("no scores today")


def test_a_policy_that_cannot_choose_stops_the_loop(loops, tmp_path, monkeypatch):
    choose = Correct.choose

    def only_once(self, candidates, dials, budget, draw):
        if candidates.earlier:
            raise SelectionError("the budget cannot be met")
        return choose(self, candidates, dials, budget, draw)

    monkeypatch.setattr(Correct, "choose", only_once)
    (arm,) = loops.run(tmp_path)["arms"]
    assert arm["stopped"] == "round 1: the budget cannot be met"
    assert len(arm["rounds"]) == 1


@pytest.mark.parametrize(("guard", "rounds_", "told"), [("stop", 1, True), ("advise", 2, True), ("off", 2, False)])
def test_the_guard_ends_a_loop_only_where_it_may(guard, rounds_, told, loops, tmp_path, monkeypatch):
    def stop(ledger, options):
        del options
        return [Verdict(len(ledger.entries) - 1, "collapsing", "stop", 0, ("it narrows",), ("mix anchor",))]

    monkeypatch.setattr(watching, "judge", stop)
    (arm,) = loops.run(tmp_path, guard=guard, rounds=1)["arms"]
    assert len(arm["rounds"]) == rounds_
    assert (arm["stopped"] is not None) == (guard == "stop")
    if guard == "stop":
        assert arm["stopped"] == "round 0: the guard says stop (collapsing): it narrows"
    assert all((one["guard"] is not None) == told for one in arm["rounds"])
