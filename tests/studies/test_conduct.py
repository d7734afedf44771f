"""Conducting a study: every run is made once, kept as it ends, and one that fails or dies leaves the others alone."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from triptych.core.errors import ReadError, SchemaError, SpecError, TriptychError, UsageError
from triptych.core.spec import Spec, params_of
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.studies.conduct import Plan, conduct, parse_panel, plan_text
from triptych.studies.folder import read_design
from triptych.studies.runs import RunLog
from triptych.studies.trainers.trainer import Cost, Outcome, Trainer


@dataclass(frozen=True)
class Counting(Trainer):
    """Scores an item 1 where the arm's share of right records exceeds the item's difficulty; fails where it is told to."""

    name: ClassVar[str] = "counting"

    raises: str = ""
    dies: str = ""

    @property
    def spec(self):
        return Spec("counting", params_of(self))

    def run(self, data, panels, seed):
        arm = data[0].row["arm"]
        if arm == self.dies:
            os._exit(9)
        if arm == self.raises:
            raise TriptychError("the loss is not finite")
        share = sum(example.row["correct"] for example in data) / len(data)
        items = {p.name: np.array([float(share > e.row["hard"]) for e in p.examples]) for p in panels}
        return Outcome(items, Cost(0.5, 3, 100), {"seed": seed})


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def folder(tmp_path):
    arms = []
    for block in ("0", "1"):
        for level in (-1, 1):
            name = f"b{block}-q{int(level > 0)}"
            right = 9 if level > 0 else 5
            rows = [
                {"prompt": f"say {i}", "response": f"{i}", "correct": i < right, "arm": name, "block": block}
                for i in range(10)
            ]
            write_lines(tmp_path / "arms" / f"{name}.jsonl", rows)
            entry = {"name": name, "levels": {"Q": level}, "block": block, "data_seed": 0}
            arms.append(entry | {"file": f"arms/{name}.jsonl", "records": 10, "tokens": 30})
        items = [{"prompt": f"test {i}", "response": "x", "hard": i / 10 + 0.01 * int(block)} for i in range(10)]
        write_lines(tmp_path / "panels" / f"b{block}" / "id.jsonl", items)
    design = {"schema": "triptych/design@1", "factors": {"Q": {}}, "arms": arms}
    design["panels"] = {"id": {"file": "panels/b{block}/id.jsonl"}}
    (tmp_path / "design.json").write_text(json.dumps(design))
    return tmp_path


def made(folder, trainer, seeds=1):
    log = RunLog(folder / "out" / "runs.jsonl")
    with LocalEngine(2) as engine:
        return conduct(Plan(read_design(folder), trainer, seeds), log, {"b0-q0": {"m": 2.0}}, engine, Progress()), log


def test_every_arm_is_run_with_every_seed_on_its_blocks_panel(folder):
    runs, log = made(folder, Counting(), seeds=2)
    assert [(run.arm, run.seed) for run in runs] == [
        (f"b{block}-q{level}", seed) for block in "01" for level in "01" for seed in (0, 1)
    ]
    assert {run.run: run.to_json() for run in runs} == {key: run.to_json() for key, run in log.read().items()}
    scores = {run.arm: run.panels["id"].mean for run in runs}
    assert scores == {"b0-q0": 0.5, "b0-q1": 0.9, "b1-q0": 0.5, "b1-q1": 0.9}
    assert runs[0].measured == {"m": 2.0}
    assert runs[-1].measured == {}
    by_seed = {(run.block, run.seed): run.notes["seed"] for run in runs}
    assert len(set(by_seed.values())) == 4, "arms of a block share their start, blocks and seeds do not"
    assert all(by_seed[run.block, run.seed] == run.notes["seed"] for run in runs)


def test_what_is_done_is_not_done_again_and_what_failed_is_tried_again(folder):
    made(folder, Counting())
    _, log = made(folder, Counting())
    assert len(log.path.read_text().splitlines()) == 4
    made(folder, Counting(), seeds=2)
    assert len(log.path.read_text().splitlines()) == 8


def test_a_run_that_raises_and_one_that_dies_are_noted_and_the_rest_goes_on(folder):
    runs, log = made(folder, Counting(raises="b0-q1", dies="b1-q0"))
    status = {run.arm: (run.status, run.error) for run in runs}
    assert status["b0-q1"] == ("failed", "the loss is not finite")
    assert status["b1-q0"][0] == "failed"
    assert "ended before its job was done" in status["b1-q0"][1]
    assert status["b0-q0"] == status["b1-q1"] == ("done", None)
    again, _ = made(folder, Counting(raises="b0-q1", dies="b1-q0"))
    assert len(log.path.read_text().splitlines()) == 6, "the two that failed were tried once more"
    assert [run.status for run in again].count("failed") == 2


@dataclass(frozen=True)
class Stacked(Counting):
    """Makes three runs at once, and fails with all of them where one fails."""

    name: ClassVar[str] = "stacked"

    @property
    def together(self):
        return 3

    def run_many(self, tasks):
        return [replace(one, notes={**one.notes, "at once": len(tasks)}) for one in super().run_many(tasks)]


def test_runs_are_made_at_once_where_the_trainer_likes_it(folder):
    runs, log = made(folder, Stacked())
    assert [run.notes["at once"] for run in runs] == [3, 3, 3, 1]
    assert {run.arm: run.panels["id"].mean for run in runs} == {
        "b0-q0": 0.5,
        "b0-q1": 0.9,
        "b1-q0": 0.5,
        "b1-q1": 0.9,
    }
    assert len(log.path.read_text().splitlines()) == 4


def test_one_that_fails_among_several_fails_alone(folder):
    runs, _ = made(folder, Stacked(raises="b0-q1"))
    assert {run.arm: run.status for run in runs} == {
        "b0-q0": "done",
        "b0-q1": "failed",
        "b1-q0": "done",
        "b1-q1": "done",
    }
    runs, _ = made(folder, Stacked(dies="b1-q0"))
    assert [run.status for run in runs] == ["failed", "failed", "failed", "done"], "a process takes its portion with it"


def test_other_data_or_panels_make_other_runs(folder):
    made(folder, Counting())
    arm = folder / "arms" / "b0-q0.jsonl"
    arm.write_text(arm.read_text() + arm.read_text().splitlines()[0] + "\n")
    runs, log = made(folder, Counting())
    assert len(log.path.read_text().splitlines()) == 5
    panel = folder / "panels" / "b0" / "id.jsonl"
    panel.write_text(panel.read_text().replace("test 0", "test zero"))
    runs, log = made(folder, Counting())
    assert len(log.path.read_text().splitlines()) == 7
    assert len({run.run for run in runs}) == 4


def test_a_panel_of_the_users_replaces_the_designs(folder, tmp_path):
    write_lines(tmp_path / "mine.jsonl", [{"prompt": "a", "response": "b", "hard": 0.7}])
    design = read_design(folder, (parse_panel(f"ood={tmp_path / 'mine.jsonl'},exact"),))
    log = RunLog(folder / "out" / "runs.jsonl")
    with LocalEngine(1) as engine:
        runs = conduct(Plan(design, Counting()), log, {}, engine, Progress())
    assert [run.panels["ood"].mean for run in runs] == [0.0, 1.0, 0.0, 1.0]
    assert "all blocks share their test items" in plan_text(Plan(design, Counting()))


def test_a_plan_in_words(folder):
    text = plan_text(Plan(read_design(folder), Counting(), 3))
    assert "4 arms in 2 blocks, 3 seed(s) each: 12 runs" in text
    assert "panel id (id)" in text


@pytest.mark.parametrize("text", ["id", "=file", "id="])
def test_a_panel_of_another_form(text):
    with pytest.raises(SpecError, match="--panel is not right"):
        parse_panel(text)


def test_bad_designs(folder, tmp_path):
    with pytest.raises(ReadError, match="no design can be read"):
        read_design(tmp_path / "nowhere")
    document = json.loads((folder / "design.json").read_text())
    for change, kind, says in (
        ({"schema": "other"}, SchemaError, "not a design"),
        ({"arms": [{"name": "a"}]}, SchemaError, "an arm lacks something"),
        ({"panels": {}}, UsageError, "no panel to score"),
    ):
        (folder / "design.json").write_text(json.dumps(document | change))
        with pytest.raises(kind, match=says):
            read_design(folder)


def test_a_missing_arm_or_panel_is_told_before_anything_runs(folder):
    (folder / "arms" / "b1-q1.jsonl").unlink()
    with pytest.raises(ReadError, match=r"b1-q1\.jsonl"):
        made(folder, Counting())
    assert not (folder / "out").exists()


def test_no_seed_is_no_study(folder):
    with pytest.raises(UsageError, match="at least one seed"):
        Plan(read_design(folder), Counting(), 0)
