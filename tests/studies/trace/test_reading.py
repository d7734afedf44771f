"""Tables of runs, wide and long, in any format, and everything that can be wrong with them."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triptych.core.errors import InputError, ReadError, SchemaError, UsageError
from triptych.studies.runs import PanelScore, Run, RunLog
from triptych.studies.trace.cells import Column
from triptych.studies.trace.reading import Roles, load
from triptych.studies.trace.sources import gather

ROLES = Roles(("id", "ood"), ("Q", "D", "C"), ("model", "seed"), ("tokens",))


def loaded(source, roles=ROLES, **about):
    return load(gather([source], about.get("about"), about.get("run"), roles.outcomes), roles)


def warned(found, code):
    return [warning["text"] for warning in found.warnings if warning["code"] == code]


def same(first, second):
    assert first.runs == second.runs
    for part in ("factors", "outcomes", "covariates"):
        mine, theirs = getattr(first, part), getattr(second, part)
        assert list(mine) == list(theirs)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])
    for name in first.blocks:
        assert first.blocks[name].tolist() == second.blocks[name].tolist()


def test_every_format_gives_the_same_table(runs, write_table, tmp_path):
    plain = loaded(write_table("runs.csv", runs)).table
    assert plain.outcomes["id"].tolist() == [run["id"] for run in runs]
    assert plain.factors["D"].tolist() == [run["D"] for run in runs]
    assert plain.blocks["seed"].tolist() == [str(run["seed"]) for run in runs]
    assert plain.arms.tolist() == [run["arm"] for run in runs]
    lines, array, parquet = tmp_path / "runs.jsonl", tmp_path / "all.json", tmp_path / "runs.parquet"
    lines.write_text("".join(json.dumps(run) + "\n" for run in runs))
    array.write_text(json.dumps(runs))
    pq.write_table(pa.Table.from_pylist(runs), parquet)
    for source in (lines, array, parquet, runs, pa.Table.from_pylist(runs)):
        same(loaded(source).table, plain)


def test_a_long_table_is_the_wide_one_turned(runs, write_table):
    long = []
    for run in runs:
        facts = {key: value for key, value in run.items() if key not in ("id", "ood")}
        long += [{**facts, "task": panel, "score": run[panel]} for panel in ("id", "ood")]
    same(loaded(write_table("long.csv", long)).table, loaded(write_table("wide.csv", runs)).table)


def test_a_long_table_of_items_gives_means_and_items():
    rows = [
        {"run": f"r{r}", "Q": q, "panel": panel, "item": f"i{i}", "score": (r + i + len(panel)) % 2}
        for r, q in enumerate((-1, 1, -1, 1))
        for panel in ("id", "ood")
        for i in range(5)
    ]
    table = loaded(rows, Roles(("id", "ood"), ("Q",))).table
    assert table.items["id"].shape == (4, 5)
    np.testing.assert_allclose(table.outcomes["ood"], table.items["ood"].mean(axis=1))
    again = [*rows, rows[0]]
    with pytest.raises(SchemaError, match='r0 has item i0 of the panel "id" twice'):
        loaded(again, Roles(("id", "ood"), ("Q",)))


def test_a_long_table_must_say_one_thing_of_a_run():
    rows = [{"run": "a", "Q": q, "panel": p, "score": 0.5} for q, p in ((1, "id"), (-1, "ood"))]
    with pytest.raises(SchemaError, match='the column "Q" differs between its rows'):
        loaded(rows, Roles(("id",), ("Q",)))
    rows = [{"run": "a", "Q": 1, "panel": "id", "score": 0.5}] * 2
    with pytest.raises(SchemaError, match='run a has the panel "id" 2 times'):
        loaded(rows, Roles(("id",), ("Q",)))


def test_runs_of_our_own_studies_need_no_roles(tmp_path):
    log = RunLog(tmp_path / "runs.jsonl")
    items = np.array([1.0, 0.0, 1.0, math.nan])
    for arm, q in (("low", -1), ("high", 1)):
        for seed in range(3):
            panels = {"id": PanelScore(items), "ood": PanelScore(items[:2])}
            log.add(
                Run(f"{arm}{seed}", arm, {"Q": q}, "0", 0, seed, {"name": "tiny"}, panels=panels,
                    data={"records": 100, "tokens": 900 + seed, "sha256": "x"}, measured={"vendi:q=2": 3.0 + q})
            )  # fmt: skip
    log.add(Run("bad", "high", {"Q": 1}, "0", 0, 9, {"name": "tiny"}, status="failed", error="it died"))
    log.add(Run("low0", "low", {"Q": -1}, "0", 0, 0, {"name": "tiny"}, panels={"id": PanelScore(items[:1])}))
    for source in (tmp_path / "runs.jsonl", tmp_path):
        found = loaded(source, Roles())
        assert found.roles.outcomes == ("id", "ood")
        assert found.roles.factors == ("Q",)
        assert found.roles.blocks == ("block", "seed")
        assert found.total == 7
        assert [entry["run"] for entry in found.failed] == ["bad"]
        assert found.failed[0] == {"run": "bad", "arm": "high", "seed": 9, "error": "it died"}
        assert len(found.table) == 6
        assert found.table.outcomes["id"].tolist() == pytest.approx([1.0, *[2 / 3] * 5])  # the last line of low0 counts
        assert found.table.items["id"].shape == (6, 4)
        assert set(found.table.measured) == {"vendi:q=2"}


def test_run_names_that_are_there_twice_are_named(runs, write_table):
    runs[5]["run"] = runs[17]["run"] = runs[2]["run"]
    with pytest.raises(SchemaError, match=r"1 run name is there more than once") as error:
        loaded(write_table("runs.csv", runs))
    assert runs[2]["run"] in str(error.value)
    assert "runs.csv:4, " in str(error.value)


def test_scores_that_are_no_numbers_are_counted_and_left_out(runs, tmp_path):
    runs[0]["id"], runs[1]["id"], runs[2]["id"], runs[3]["ood"] = math.nan, math.inf, None, -math.inf
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(run) + "\n" for run in runs))
    found = loaded(path)
    text = next(text for text in warned(found, "not_finite") if text.startswith("id"))
    assert "3 runs have no finite score (2 blank or NaN, 1 infinite)" in text
    assert all(runs[i]["run"] in text for i in range(3))
    assert np.flatnonzero(np.isnan(found.table.outcomes["id"])).tolist() == [0, 1, 2]
    assert np.flatnonzero(np.isnan(found.table.outcomes["ood"])).tolist() == [3]
    for run in runs:
        run["id"] = math.nan
    with pytest.raises(InputError, match='no run has a score on "id"'):
        loaded(runs)


def test_failed_runs_are_listed_not_dropped(runs, write_table):
    for run in runs:
        run |= {"status": "done", "error": ""}
    runs[0] |= {"status": "failed", "error": "out of memory"}
    runs[1] |= {"id": "", "ood": ""}
    found = loaded(write_table("runs.csv", runs))
    assert [(entry["run"], entry["error"]) for entry in found.failed] == [
        (runs[0]["run"], "out of memory"),
        (runs[1]["run"], "no score on any panel"),
    ]
    assert len(found.table) == len(runs) - 2
    assert "2 runs failed" in warned(found, "failed")[0]


def test_runs_without_a_factor_are_left_out_and_named(runs):
    runs[7]["D"] = None
    runs[8]["tokens"] = "n/a"
    found = loaded(runs)
    assert runs[7]["run"] not in found.table.runs
    assert len(found.table) == len(runs) - 2
    assert [runs[i]["run"] in text for i, text in zip((7, 8), warned(found, "incomplete"), strict=True)] == [True, True]


def test_missing_seeds_are_named(runs):
    gone = [run for run in runs if not (run["arm"] == "arm3" and run["model"] == "b" and run["seed"] == 2)]
    text = warned(loaded(gone), "missing_seeds")
    assert len(text) == 1
    assert "arm3 b has no seed 2" in text[0]
    assert not warned(loaded(runs), "missing_seeds")
    own = [{**run, "seed": place} for place, run in enumerate(runs)]
    assert not warned(loaded(own), "missing_seeds")


def test_no_such_column_hints_at_the_nearest(runs):
    with pytest.raises(SchemaError, match=r'no column "odd"[\s\S]*try:  ood'):
        loaded(runs, Roles(("id", "odd"), ("Q",)))
    with pytest.raises(UsageError, match='"id" is asked for in two roles'):
        loaded(runs, Roles(("id",), ("id",)))
    with pytest.raises(UsageError, match="--outcome is not given"):
        loaded(runs, Roles((), ("Q",)))


def test_a_header_without_rows(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("run,Q,id\n")
    with pytest.raises(ReadError, match="no runs"):
        loaded(path, Roles(("id",), ("Q",)))
    with pytest.raises(InputError, match="too few runs"):
        loaded([{"run": "a", "Q": 1, "id": 0.5}], Roles(("id",), ("Q",)))


def test_mixed_columns_and_words_are_refused(runs):
    runs[4]["id"] = "about .5"
    with pytest.raises(SchemaError, match='column "id" holds words beside numbers') as error:
        loaded(runs)
    assert '"about .5" (records, row 5), 1 in all' in str(error.value)
    with pytest.raises(SchemaError, match=r'column "model" holds words\.[\s\S]*--blocks model'):
        loaded(make_plain(), Roles(("id",), ("model",)))


def make_plain():
    return [{"run": f"r{i}", "model": "abc"[i % 3], "Q": i % 2, "id": 0.1 * i} for i in range(9)]


def test_factors_that_cannot_be_told_apart_are_refused(runs):
    for run in runs:
        run["Q"] = 1
    with pytest.raises(InputError, match='factor "Q" is 1 in every run'):
        loaded(runs)
    for run in runs:
        run["Q"] = 2 * run["D"] + 5
    with pytest.raises(InputError, match='factor "Q" cannot be told from D'):
        loaded(runs)
    for run in runs:
        run["Q"] = ord(run["model"])
    with pytest.raises(InputError, match='factor "Q" never varies within a block'):
        loaded(runs)


def test_percent_beside_fractions(runs):
    for run in runs:
        run["ood"] = 100 * run["ood"]
        if run["model"] != "a":
            run["id"] = 100 * run["id"]
    found = loaded(runs)
    assert found.units == {"id": "points", "ood": "points"}
    assert found.table.outcomes["ood"][0] == runs[0]["ood"]  # kept as they are
    assert "their unit is points" in warned(found, "points")[0]
    assert warned(found, "percent_and_fraction") == [
        "id: model a has fractions where model b has percentages; bring them to one unit"
    ]


@pytest.mark.parametrize(
    ("values", "coded", "pair"),
    [
        ([1000, 20000, "20000", None], [-1, 1, 1, math.nan], ("1000", "20000")),
        (["false", True, "True", False], [-1, 1, 1, -1], ("false", "true")),
        (["high", "low", "low", "None"], [1, -1, -1, math.nan], ("low", "high")),
        (["adam", "sgd", "adam", "adam"], [-1, 1, -1, -1], ("adam", "sgd")),
        ([-1, 1, 1, -1], [-1, 1, 1, -1], None),
        ([0, 1, "1", 0], [0, 1, 1, 0], None),
        ([1, 2, 3.5, ""], [1, 2, 3.5, math.nan], None),
    ],
)
def test_factors(values, coded, pair):
    found, levels = Column("f", values, [f"t:{i}" for i in range(4)]).factor()
    np.testing.assert_array_equal(found, np.array(coded, dtype=float))
    assert levels == pair


def test_two_values_of_mixed_kind_are_no_factor():
    with pytest.raises(SchemaError, match="holds words beside numbers"):
        Column("f", ["1", "many", "1"], ["a", "b", "c"]).factor()
