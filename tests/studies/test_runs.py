"""The log of runs: lines are added whole, a torn one does no harm, the last line of a run counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from triptych.core.errors import ReadError, SchemaError
from triptych.studies.runs import PanelScore, Run, RunLog, run_id, run_table


def made(name, *, level=1.0, status="done", items=(1.0, 0.0, math.nan), block="0", **more):
    panels = {"id": PanelScore(np.array(items))} if status == "done" else {}
    return Run(
        run=name,
        arm=f"arm-{level:g}",
        levels={"Q": level},
        block=block,
        data_seed=0,
        seed=0,
        trainer={"name": "probe", "params": {}, "hash": "x"},
        status=status,
        panels=panels,
        data={"records": 10, "tokens": 99, "sha256": "s"},
        **more,
    )


def test_a_run_comes_back_as_it_was(tmp_path):
    log = RunLog(tmp_path / "deep" / "runs.jsonl")
    run = made("a", cost={"seconds": 1.5, "steps": 3, "tokens": 7}, measured={"vendi:q=2": 4.5}, notes={"loss": 0.1})
    log.add(run)
    again = log.read()["a"]
    assert again.to_json() == run.to_json()
    assert np.array_equal(again.panels["id"].items, run.panels["id"].items, equal_nan=True)
    assert again.to_json()["panels"]["id"] == {"mean": 0.5, "n": 3, "missing": 1, "items": [1, 0, None]}


def test_a_mean_over_nothing_is_none():
    assert PanelScore(np.array([math.nan])).mean is None


def test_the_last_line_of_a_run_counts_and_the_order_is_that_of_first_lines(tmp_path):
    log = RunLog(tmp_path / "runs.jsonl")
    for run in (made("a", status="failed", error="out of memory"), made("b"), made("a")):
        log.add(run)
    runs = log.read()
    assert list(runs) == ["a", "b"]
    assert runs["a"].status == "done"
    assert len(log.path.read_bytes().splitlines()) == 3


def test_a_torn_last_line_is_ignored_and_cut_off(tmp_path):
    path = tmp_path / "runs.jsonl"
    RunLog(path).add(made("a"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert list(RunLog(path).read()) == ["a"]
    RunLog(path).add(made("b"))
    assert path.read_bytes().startswith(whole)
    assert list(RunLog(path).read()) == ["a", "b"]


def test_other_lines_are_one_clear_error(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text("nonsense\n")
    with pytest.raises(ReadError, match=r"runs\.jsonl:1: not JSON"):
        RunLog(path).read()
    path.write_text('{"schema": "other"}\n')
    with pytest.raises(SchemaError, match=r"runs\.jsonl:1: not a run"):
        RunLog(path).read()


def test_no_file_is_no_run(tmp_path):
    assert RunLog(tmp_path / "none.jsonl").read() == {}


def test_ids_tell_parts_apart():
    assert run_id("a", "bc") != run_id("ab", "c")
    assert run_id("a", 1) == run_id("a", 1) != run_id("a", 2)


def test_the_table_holds_finished_runs_of_the_design():
    runs = [
        made("a", level=-1.0, measured={"vendi:q=2": 3.0, "tokens": 5.0}),
        made("b", level=1.0, items=(1.0, 1.0, 0.0), block="1", measured={"vendi:q=2": 4.0}),
        made("c", status="failed"),
        Run("d", "random", {}, "0", 0, 0, {}, panels={"id": PanelScore(np.ones(3))}, data={"records": 1, "tokens": 1}),
    ]
    table = run_table(runs, ("Q",))
    assert table.runs == ("a", "b")
    assert table.factors["Q"].tolist() == [-1.0, 1.0]
    assert table.outcomes["id"].tolist() == [0.5, pytest.approx(2 / 3)]
    assert table.items["id"].shape == (2, 3)
    assert table.blocks["block"].tolist() == ["0", "1"]
    assert table.measured["vendi:q=2"].tolist() == [3.0, 4.0]
    assert np.isnan(table.measured["tokens"][1])


def test_items_of_unequal_number_are_left_out():
    table = run_table([made("a"), made("b", items=(1.0, 0.0))], ("Q",))
    assert table.items == {}
    assert len(table.outcomes["id"]) == 2
