"""`select` from Python: exact budgets, rows verbatim, repeatable files; and what bad input says."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from pyarrow.csv import write_csv
from pyarrow.parquet import write_table

import triptych
from triptych import api
from triptych.core.basket import Basket
from triptych.core.budget import Budget
from triptych.core.candidates import Candidates
from triptych.core.errors import InputError, OutputError, SchemaError, SelectionError, SpecError, UsageError
from triptych.core.selector import Choice, Selector, Setting
from triptych.selecting.choose import choose, fitted
from triptych.selecting.limits import Limits
from triptych.selectors.registry import example_of, selectors

FAST = {"workers": 1}
LIGHT = {"estimates": False}


def select(data, budget, policy="random", **given):
    options = {**LIGHT, **given.pop("options", {})}
    return api.select(data, budget=budget, policy=policy, options=options, **FAST, **given)


@dataclass(frozen=True)
class Few(Selector):
    """Takes three and ends."""

    name = "few"

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        basket.fill(np.arange(3))
        return Choice()


@dataclass(frozen=True)
class Counts(Selector):
    """Says how many it was shown, and takes the first."""

    name = "counts"
    floor = True

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        basket.fill(np.arange(len(pool)))
        return Choice(facts={"shown": len(pool), "missing": int(np.isnan(pool.quality).sum())})


@pytest.mark.parametrize("policy", ["random", "longest", "top_quality"])
def test_a_budget_of_records_is_exact(rows_of, policy):
    made = select(rows_of(80), 25, policy)
    assert len(made) == len(list(made.rows())) == 25
    assert made.document["budget"] == {"number": 25, "unit": "records", "spent": 25, "records": 25}


@pytest.mark.parametrize("name", sorted(selectors()))
@pytest.mark.parametrize("budget", ["15", "900 tokens"])
def test_every_policy_meets_the_budget_and_explains_all(rows_of, name, budget):
    rows = [{**row, "structure": f"s{i % 9}"} for i, row in enumerate(rows_of(60))]
    rows[7]["response"] = "The river moves near the coast, and so the market sells of"
    made = select(rows, budget, example_of(selectors()[name]))
    counts, spent = made.document["counts"], made.document["budget"]
    tokens = made.chosen.pool.tokens
    assert counts["kept"] + sum(counts["dropped"].values()) == 60
    assert 7 not in made.ordinals
    assert json.dumps(made.document, allow_nan=False)
    if spent["spent"] == spent["number"]:
        return
    assert budget != "15" or made.document["warnings"]
    if not made.document["warnings"]:  # nothing that is left fits
        left = np.setdiff1d(np.arange(60), [7, *made.ordinals])
        assert tokens[left].min() > spent["number"] - spent["spent"]


@pytest.mark.parametrize("policy", ["archive:by=field:level", "mig:field=level"])
def test_a_field_that_a_policy_names_is_read(rows_of, policy):
    rows = [{**row, "level": i % 4} for i, row in enumerate(rows_of(40))]
    assert len(select(rows, 8, policy)) == 8
    with pytest.raises(SchemaError, match="lvel"):
        select(rows, 8, policy.replace("level", "lvel"))


def test_top_quality_takes_the_best_and_gives_the_rows_back(rows_of):
    rows = rows_of(60)
    made = triptych.select(rows, budget=10, policy="top_quality", options=LIGHT, **FAST)
    best = sorted(range(60), key=lambda i: -rows[i]["score"])[:10]
    assert made.ordinals.tolist() == made.row_numbers == sorted(best)
    assert list(made.rows()) == [rows[i] for i in sorted(best)]


@pytest.mark.parametrize("policy", ["random", "longest", "top_quality"])
def test_a_budget_of_tokens_is_met_within_one_record(rows_of, policy):
    made = select(rows_of(200), "3k tokens", policy)
    tokens = made.chosen.pool.tokens
    spent = int(tokens[made.ordinals].sum())
    left = np.setdiff1d(np.arange(200), made.ordinals)
    assert spent == made.document["budget"]["spent"] <= 3000
    assert tokens[left].min() > 3000 - spent


def test_a_budget_of_rows_counts_rows_and_one_of_records_their_records():
    rows = [{"prompt": f"Name {i}.", "completions": [f"A cat is {i}.", f"A dog is {i}."]} for i in range(9)]
    assert len(select(rows, "4 rows")) == 8
    assert len(select(rows, 6)) == 6
    made = select(rows, 7)  # a row has two records: within one candidate
    assert len(made) == 6
    assert made.document["counts"]["rows"] == 3


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "csv", "parquet"])
def test_rows_come_verbatim_in_the_order_of_the_source(rows_of, tmp_path, ending):
    rows = rows_of(50)
    lines = [json.dumps(row, indent=None, separators=(" ,", ":  ")) for row in rows]
    file = tmp_path / f"data.{ending}"
    text = "\n".join(lines) + "\n"
    if ending == "jsonl":
        file.write_text("\ufeff" + text.replace("\n", "\r\n"))
    elif ending == "jsonl.gz":
        file.write_bytes(gzip.compress(text.encode()))
    elif ending == "csv":
        write_csv(pa.Table.from_pylist(rows), file)
    else:
        write_table(pa.Table.from_pylist(rows), file)
    made = select(str(file), 12, out=tmp_path / "out")
    written = (tmp_path / "out" / "selected.jsonl").read_bytes().decode().splitlines()
    if ending.startswith("jsonl"):
        assert written == [lines[i] for i in made.ordinals]
    assert [json.loads(line)["prompt"] for line in written] == [rows[i]["prompt"] for i in made.ordinals]


def test_several_files_of_a_folder_are_one_pool(rows_of, tmp_path):
    rows = rows_of(60)
    (tmp_path / "data").mkdir()
    for name, part in (("b", rows[30:]), ("a", rows[:30])):
        (tmp_path / "data" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    options = {"max": "file:a.jsonl=5"}
    made = select(str(tmp_path / "data"), 20, options=options)
    assert (made.ordinals < 30).sum() <= 5
    assert list(made.rows()) == [rows[i] for i in made.ordinals]


@pytest.mark.parametrize("kind", ["table", "frame"])
def test_tables_in_memory(rows_of, kind):
    rows = rows_of(40)
    table = pa.Table.from_pylist(rows)
    made = select(table if kind == "table" else table.to_pandas(), 10)
    assert [row["prompt"] for row in made.rows()] == [rows[i]["prompt"] for i in made.ordinals]


def test_two_runs_write_equal_bytes_and_other_seeds_other_records(rows_of, tmp_path):
    rows = rows_of(80)
    made = [select(rows, 20, out=tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    for name in ("selected.jsonl", "selection.parquet"):
        first, second, other = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert first == second != other
    documents = [{k: v for k, v in one.document.items() if k != "provenance"} for one in made]
    assert documents[0] == documents[1] == _read(tmp_path / "a")


def _read(folder):
    document = json.loads((folder / "selection.json").read_text())
    del document["provenance"]
    return document


def test_workers_do_not_change_what_is_written(rows_of, tmp_path):
    rows = rows_of(80)
    for workers in (1, 2):
        api.select(rows, budget=20, policy="longest", out=tmp_path / str(workers), workers=workers)
    for name in ("selected.jsonl", "selection.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    assert _read(tmp_path / "1") == _read(tmp_path / "2")


def test_the_estimates_are_those_of_measure(rows_of):
    rows = rows_of(150)
    made = api.select(rows, budget=60, policy="longest", **FAST)
    found = {entry["label"]: entry for entry in made.document["estimates"]}
    profile = triptych.measure(
        list(made.rows()), measures=["vendi:q=2", "distinct_n:n=2", "label_mean:field=score"], **FAST
    )[0]
    for label in ("distinct_n", "label_mean:field=score"):
        own = next(entry for entry in profile if entry.label == label)
        assert found[label]["selected"] == pytest.approx(own.value)
    vendi = next(entry for name, entry in found.items() if name.startswith("vendi"))
    assert vendi["selected"] == pytest.approx(profile["vendi:q=2"].value)
    for entry in found.values():
        assert entry["lo"] <= entry["selected"] <= entry["hi"]
    everyone = [row["score"] for row in rows]
    assert found["label_mean:field=score"]["pool"] == pytest.approx(np.mean(everyone))
    assert found["tokens"]["selected"] > found["tokens"]["random"]


def test_a_policy_with_a_floor_sees_no_invalid_record_and_none_without_quality(rows_of):
    rows = rows_of(40)
    rows[3]["response"] = ""
    rows[5]["score"] = None
    made = select(rows, 10, Counts(), options={"with_invalid": True})
    assert made.document["facts"] == {"shown": 38, "missing": 0}
    assert made.document["counts"]["dropped"]["a defect"] == 1
    assert made.document["counts"]["dropped"]["no quality"] == 1
    assert select(rows, 40, options={"with_invalid": True}).ordinals.tolist() == list(range(40))


def test_missing_quality_is_never_taken_for_zero(rows_of):
    rows = rows_of(40)
    for row in rows[:10]:
        row["score"] = None
    for row in rows[10:]:
        row["score"] = -1 - row["score"]
    made = select(rows, 30, "top_quality")
    assert made.ordinals.tolist() == list(range(10, 40))
    assert [w["code"] for w in made.document["warnings"]] == ["missing_quality"]
    with pytest.raises(SelectionError, match="budget is above") as raised:
        select(rows, 31, "top_quality")
    assert "10 no quality" in str(raised.value)


def test_constant_quality_is_said(rows_of):
    rows = [{**row, "score": 1} for row in rows_of(30)]
    made = select(rows, 10, "top_quality")
    assert len(made) == 10
    assert [warning["code"] for warning in made.document["warnings"]] == ["constant_quality"]
    ids = made.chosen.pool.candidates.id
    assert made.chosen.basket.taken == list(range(10))
    assert (np.diff(ids.astype(object)) > 0).all()


@pytest.mark.parametrize("policy", ["random", "longest", "top_quality", "facility_location", "logdet"])
def test_copies_of_one_record_fill_a_budget(policy):
    rows = [{"prompt": "Why is the sky blue?", "response": "Because air scatters blue light.", "score": 1}] * 30
    assert len(select(rows, 12, policy)) == 12
    with pytest.raises(SelectionError, match="budget is above"):
        select(rows, 12, policy, options={"dedup": "exact"})


def test_a_policy_that_ends_early_says_so(rows_of):
    made = select(rows_of(30), 10, Few())
    assert len(made) == 3
    (warning,) = made.document["warnings"]
    assert warning["code"] == "budget_left"
    assert "few took 3 records and left 7 of 10 records" in warning["text"]


def test_bounds_and_lists_hold(rows_of):
    rows = [{**row, "id": f"r{i}", "source": "web" if i % 2 else "books"} for i, row in enumerate(rows_of(60))]
    options = {"max": "source:web=4", "keep": ["r1", "r2"], "drop": ["r4"]}
    made = select(rows, 15, options=options)
    kept = made.ordinals.tolist()
    assert len(kept) == 15
    assert sum(i % 2 for i in kept) == 4
    assert {1, 2} <= set(kept)
    assert 4 not in kept
    assert made.document["limits"][0] == "--max source:web=4"


BAD = [
    ({"budget": 41}, SelectionError, "budget is above"),
    ({"budget": "9M tokens"}, SelectionError, "budget is above"),
    ({"budget": "lots"}, UsageError, "the budget is not right"),
    ({"policy": "balnced"}, SpecError, "balnced"),
    ({"policy": "top_quality", "quality": "nothing"}, SchemaError, "nothing"),
    ({"quality": "prompt"}, SchemaError, "something else than numbers"),
    ({"options": {"by": "nothing"}}, SchemaError, "nothing"),
    ({"options": {"keep": [f"r{i}" for i in range(12)]}}, SelectionError, "longer than the budget"),
    ({"options": {"on": "title"}}, UsageError, "--on"),
    ({"options": {"colour": 1}}, UsageError, "colour"),
    ({"valid_only": True}, UsageError, "no such setting"),
]


@pytest.mark.parametrize(("asked", "error", "text"), BAD)
def test_bad_input_has_one_clear_message_and_writes_nothing(rows_of, tmp_path, asked, error, text):
    rows = [{**row, "id": f"r{i}"} for i, row in enumerate(rows_of(40))]
    given = {"budget": 10, **asked}
    with pytest.raises(error, match=text):
        select(rows, given.pop("budget"), out=tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_the_budget_above_the_pool_names_what_there_is(rows_of):
    with pytest.raises(SelectionError) as raised:
        select(rows_of(40), 41)
    assert "40 records" in str(raised.value)
    assert "--budget '40 records'" in str(raised.value)


def test_quality_is_asked_for_where_there_is_none():
    rows = [{"prompt": f"Say {i}.", "response": f"The number is {i}."} for i in range(10)]
    with pytest.raises(InputError, match="needs quality") as raised:
        select(rows, 3, "top_quality")
    assert "--quality" in str(raised.value)
    assert len(select(rows, 3, "top_quality", quality="length")) == 3


def test_a_foreign_folder_is_not_touched(rows_of, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError):
        select(rows_of(20), 5, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_limits_over_other_candidates_are_refused(rows_of):
    rows = rows_of(20)
    rows[3]["score"] = None
    made = select(rows, 5)
    bound = Limits(keep=np.array([2]))
    policy = example_of(selectors()["top_quality"])
    with pytest.raises(UsageError, match="resolved over"):
        choose(made.chosen.pool, policy, Budget(5), bound, Setting())
    pool = fitted(made.chosen.pool, policy)
    assert 2 in choose(pool, policy, Budget(5), bound, Setting()).taken


def test_rows_are_there_without_a_cache():
    made = select([{"prompt": f"p {i}", "response": f"r {i}"} for i in range(20)], 5, cache=False)
    assert len(list(made.rows())) == len(list(made.lines())) == len(made.row_numbers) == 5
