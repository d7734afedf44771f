"""`selection.parquet`: every record of the source with the reason it was kept or dropped, and its nearest kept record."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import pytest

from triptych import api
from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.selector import Choice, Selector, Setting
from triptych.selecting import explain as module
from triptych.selecting.explain import SCHEMA, ordinal_word

FAST = {"workers": 1}


@dataclass(frozen=True)
class Near(Selector):
    """Takes in order, refuses the third and the fourth, and says what each added."""

    name = "near"

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        basket.refuse(np.array([2, 3]), "too close to one that is taken", np.array([0.9, 0.95]), 0.8, 0)
        order = np.flatnonzero(basket.open())
        basket.fill(order, 1 / (1 + np.arange(len(order))))
        return Choice(gained="nats")


def explained(data, tmp_path, budget, policy, **given):
    options = {"estimates": False, **given.pop("options", {})}
    made = api.select(data, budget=budget, policy=policy, options=options, out=tmp_path / "out", **FAST, **given)
    return made, pq.read_table(tmp_path / "out" / "selection.parquet")


def reasons(table):
    return table.column("reason").to_pylist()


def test_every_record_of_the_source_is_there_once(rows_of, tmp_path):
    rows = rows_of(50)
    rows[7]["response"] = ""
    rows[9]["score"] = None
    made, table = explained(rows, tmp_path, 20, "top_quality")
    assert [field.name for field in table.schema] == [field.name for field in SCHEMA]
    assert all(table.schema.field(field.name).type == field.type for field in SCHEMA)
    assert table.column("ordinal").to_pylist() == list(range(50))
    assert table.column("row").to_pylist() == list(range(50))
    kept = np.flatnonzero(table.column("kept").to_numpy())
    assert kept.tolist() == made.ordinals.tolist()
    said = reasons(table)
    assert said[7] == "a defect: empty"
    assert said[9] == "no quality"
    order = table.column("order").to_pylist()
    assert sorted(at for at in order if at is not None) == list(range(1, 21))
    best = max((i for i in range(50) if i not in (7, 9)), key=lambda i: rows[i]["score"])
    assert order[best] == 1
    assert said[best] == f"taken 1st: quality {rows[best]['score']:.3g}"
    dropped = next(i for i in range(50) if i not in {*kept.tolist(), 7, 9})
    lowest = min(rows[i]["score"] for i in kept)
    assert (
        said[dropped] == f"ranked lower by quality: {rows[dropped]['score']:.3g}, the last one taken had {lowest:.3g}"
    )
    assert table.column("threshold").to_pylist()[dropped] == lowest
    counts = made.document["counts"]
    assert counts["dropped"] == {"ranked lower by quality": 28, "a defect: empty": 1, "no quality": 1}
    assert counts["kept"] + sum(counts["dropped"].values()) == counts["records"] == 50


def test_the_nearest_kept_record_is_that_of_a_slow_search(rows_of, tmp_path):
    rows = rows_of(60, copies=0.2)
    rows[4]["response"] = "The river moves near the coast, and so the market sells of"
    made, table = explained(rows, tmp_path, 15, "random", options={"with_invalid": False})
    everyone = api.select(
        rows, budget=60, policy="random", options={"with_invalid": True}, out=tmp_path / "all", **FAST
    )
    pool = everyone.chosen.pool
    vectors = np.zeros((60, pool.candidates.vectors.shape[1]))
    vectors[pool.first] = pool.candidates.vectors
    close = vectors @ vectors[made.ordinals].T
    close[made.ordinals, np.arange(15)] = -np.inf
    near, similarity = table.column("nearest").to_pylist(), table.column("similarity").to_pylist()
    for i in range(60):
        assert near[i] in made.ordinals.tolist()
        assert near[i] != i
        assert similarity[i] == pytest.approx(close[i].max(), abs=1e-4)
        assert close[i][made.ordinals.tolist().index(near[i])] == pytest.approx(close[i].max(), abs=1e-4)


def test_what_a_policy_refused_and_what_each_added(rows_of, tmp_path):
    made, table = explained(rows_of(20), tmp_path, 6, Near())
    first = made.chosen.pool.first
    said, score, threshold = (table.column(name).to_pylist() for name in ("reason", "score", "threshold"))
    assert said[first[2]] == "too close to one that is taken"
    assert (score[first[3]], threshold[first[3]]) == (0.95, 0.8)
    assert said[first[1]] == "taken 2nd: added 0.5 nats"
    assert table.column("added").to_pylist()[first[1]] == 0.5
    assert said[first[10]] == "would have added less nats"


def test_limits_are_reasons(rows_of, tmp_path):
    rows = [{**row, "id": f"r{i}", "source": "web" if i % 2 else "books"} for i, row in enumerate(rows_of(40))]
    rows[6]["prompt"], rows[6]["response"] = rows[5]["prompt"], rows[5]["response"]
    options = {"max": "source:web=3", "keep": ["r0"], "drop": ["r2"], "dedup": "exact"}
    _, table = explained(rows, tmp_path, 10, "longest", options=options)
    said = reasons(table)
    assert said[0] == "must keep"
    assert said[2] == "must drop"
    assert sum(text.startswith("copy of a candidate") for text in said) == 1
    assert sum(text == "its source is full: web" for text in said) >= 15


def test_tokens_that_do_not_fit(tmp_path):
    words = [f"{a} {b}" for a in ("red", "blue", "green", "old", "new") for b in ("cat", "dog", "tree", "car", "sun")]
    rows = [
        {"prompt": f"Say {i}.", "response": " ".join(words[:n]) + " end."} for i, n in enumerate([25, 20, 18, 4, 3])
    ]
    made, table = explained(rows, tmp_path, "80 tokens", "longest")
    assert made.ordinals.tolist() == [0, 3, 4]
    said = reasons(table)
    assert said[1] == "does not fit the tokens that are left"
    assert made.document["budget"]["spent"] <= 80


def test_records_of_one_row_share_its_fate(tmp_path):
    rows = [{"prompt": f"Name {i}.", "completions": [f"A cat is {i}.", f"A dog is {i}."]} for i in range(9)]
    _, table = explained(rows, tmp_path, "4 rows", "random")
    kept = table.column("kept").to_numpy().reshape(9, 2)
    assert (kept[:, 0] == kept[:, 1]).all()
    assert kept[:, 0].sum() == 4
    assert table.column("part").to_pylist() == [0, 1] * 9


def test_row_groups_do_not_change_what_is_said(rows_of, tmp_path, monkeypatch):
    rows = rows_of(50)
    _, whole = explained(rows, tmp_path, 20, "top_quality")
    monkeypatch.setattr(module, "GROUP", 7)
    _, pieces = explained(rows, tmp_path, 20, "top_quality")
    assert pq.ParquetFile(tmp_path / "out" / "selection.parquet").num_row_groups == 8
    for name in whole.column_names:
        assert whole.column(name).to_pylist() == pieces.column(name).to_pylist()


def test_pandas_reads_it_and_the_document_travels_along(rows_of, tmp_path):
    import pandas as pd

    made, table = explained(rows_of(30), tmp_path, 10, "random")
    frame = pd.read_parquet(tmp_path / "out" / "selection.parquet")
    assert frame[frame.kept].ordinal.tolist() == made.ordinals.tolist()
    told = json.loads(table.schema.metadata[b"triptych"])
    assert told["policy"] == made.document["policy"]
    assert "provenance" not in told


def test_a_write_that_fails_leaves_what_was_there(rows_of, tmp_path, monkeypatch):
    rows = rows_of(30)
    explained(rows, tmp_path, 10, "random")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(module, "_piece", fail)
    with pytest.raises(OSError, match="disk full"):
        explained(rows, tmp_path, 12, "random")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_ordinal_words():
    assert [ordinal_word(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112, 1003)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th", "1,003rd",
    ]  # fmt: skip


def test_a_must_keep_with_a_defect_is_kept_and_near_others(rows_of, tmp_path):
    rows = [{**row, "id": f"r{i}"} for i, row in enumerate(rows_of(30))]
    rows[4]["response"] = rows[8]["response"] + " And so the market sells of"
    made, table = explained(rows, tmp_path, 5, "random", options={"keep": ["r4"], "drop": ["r8"]})
    assert 4 in made.ordinals
    assert len(made) == made.document["budget"]["spent"] == 5
    said, near = reasons(table), table.column("nearest").to_pylist()
    assert said[4] == "must keep"
    assert near[8] == 4
    assert near[4] in set(made.ordinals.tolist()) - {4}
    assert [warning["code"] for warning in made.document["warnings"]] == ["kept_outside"]


def test_values_that_are_full_are_named_if_they_are_few(rows_of, tmp_path):
    rows = [{**row, "topic": f"t{i % 15}"} for i, row in enumerate(rows_of(60))]
    made, table = explained(rows, tmp_path, 15, "top_quality", options={"max": "topic=1"})
    assert made.document["counts"]["dropped"] == {"its topic is full": 45}
    assert set(reasons(table)) >= {"its topic is full"}
