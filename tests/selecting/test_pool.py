"""The pool of a selection: who is a candidate, in what order, and what is known of each."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import SchemaError, SelectionError
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings
from triptych.selecting.pool import PoolRequest, read_pool


def pool_of(source, encoder="static", **asked):
    settings = Settings.of(workers=1, encoder=encoder)
    with open_bench(settings, Progress()) as bench:
        return read_pool(source, open_dataset(source, settings.reading()), bench, PoolRequest(**asked))


def test_candidates_come_by_quality_then_id_with_the_unknown_last(rows_of):
    rows = rows_of(60)
    for i, row in enumerate(rows):
        row["score"] = None if i % 7 == 0 else float(i % 3)
    pool = pool_of(rows)
    quality, ids = pool.candidates.quality, pool.candidates.id
    known = quality[~np.isnan(quality)]
    assert len(known) == sum(row["score"] is not None for row in rows)
    assert np.isnan(quality[len(known) :]).all()
    assert (np.diff(known) <= 0).all()
    for value in np.unique(known):
        assert (np.diff(ids[: len(known)][known == value].astype(object)) > 0).all()
    want = [rows[i]["score"] for i in pool.first[: len(known)]]
    assert known.tolist() == want
    assert pool.detected == ("quality", "complexity")
    assert pool.quality.label == "label_mean:field=score"
    assert pool.complexity.label == "reasoning_steps"


def test_vectors_are_those_of_the_records_and_of_length_one(rows_of):
    rows = rows_of(40)
    rows[3]["response"] = rows[8]["response"] = "The same words stand here, twice in all."
    pool = pool_of(rows)
    vectors = pool.candidates.vectors
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    place = {ordinal: at for at, ordinal in enumerate(pool.first.tolist())}
    assert vectors[place[3]] @ vectors[place[8]] == pytest.approx(1, abs=1e-5)
    assert vectors[place[3]] @ vectors[place[0]] < 0.99


def test_records_with_a_defect_are_left_out_with_the_defect(rows_of):
    rows = rows_of(30)
    rows[4]["response"] = ""
    rows[9]["response"] = "The river moves near the coast, and so the market sells of"
    pool = pool_of(rows)
    assert len(pool) == 28
    assert pool.left_out["a defect: empty"].tolist() == [4]
    assert pool.left_out["a defect: truncated"].tolist() == [9]
    everyone = pool_of(rows, with_invalid=True)
    assert len(everyone) == 30
    assert set(everyone.first[~everyone.valid].tolist()) == {4, 9}


def test_no_valid_record_is_refused():
    with pytest.raises(SelectionError, match="no record is free of defects") as raised:
        pool_of([{"prompt": "Why?", "response": "The river moves near the coast, and so the market sells of"}] * 3)
    assert "--with-invalid" in str(raised.value)


def test_rows_with_several_records_are_one_candidate():
    rows = [
        {"prompt": f"Name animal {i}.", "completions": [f"A cat of kind {i}.", f"A dog of kind {i}."]} for i in range(8)
    ]
    rows[2]["completions"][1] = ""
    rows = [{**row, "score": [float(i), float(i + 2)]} for i, row in enumerate(rows)]
    pool = pool_of(rows)
    assert len(pool) == 7
    assert pool.sizes.tolist() == [2] * 7
    assert pool.candidates.cost.tolist() == [2] * 7
    assert pool.candidates.quality.tolist() == [8, 7, 6, 5, 4, 2, 1]
    assert pool.left_out["another record of its row has a defect"].tolist() == [4]
    assert pool.ordinals([0, 1]).tolist() == [12, 13, 14, 15]
    assert np.allclose(np.linalg.norm(pool.candidates.vectors, axis=1), 1, atol=1e-5)
    assert pool_of(rows, unit="rows").candidates.cost.tolist() == [1] * 7
    tokens = pool_of(rows, unit="tokens")
    assert tokens.candidates.cost.tolist() == [int(tokens.tokens[a] + tokens.tokens[a + 1]) for a in tokens.first]


def test_preferences_are_no_quality():
    rows = [{"prompt": f"Say {i}.", "chosen": f"Yes, that is {i}.", "rejected": f"No, {i}."} for i in range(5)]
    assert pool_of(rows).quality is None


def test_fields_become_codes_numbers_and_quality(rows_of):
    rows = [{**row, "source": "web" if i % 3 else "books", "level": i % 4} for i, row in enumerate(rows_of(30))]
    del rows[5]["source"]
    pool = pool_of(rows, by=("source", "level", "length", "file"), quality="source=web")
    order = pool.first.tolist()
    assert pool.candidates.codes["source"].tolist() == [
        {"books": 0, "web": 1, None: -1}[rows[i].get("source")] for i in order
    ]
    assert "source" not in pool.candidates.numbers
    assert pool.candidates.numbers["level"].tolist() == [i % 4 for i in order]
    assert (pool.candidates.numbers["length"] == pool.candidates.length).all()
    assert pool.texts["file"].tolist() == ["records"] * 30
    assert np.isnan(pool.values["quality"][5])
    assert pool.values["quality"][[0, 1]].tolist() == [0, 1]


def test_complexity_is_a_field_named_so_if_it_holds_numbers(rows_of):
    rows = [{**row, "difficulty": i % 5} for i, row in enumerate(rows_of(20))]
    assert pool_of(rows).complexity.label == "difficulty"
    words = [{**row, "difficulty": "hard"} for row in rows]
    assert pool_of(words).complexity.label == "reasoning_steps"


def test_a_field_that_is_not_there_has_a_hint(rows_of):
    with pytest.raises(SchemaError, match='no field or per-record measure is called "scor"') as raised:
        pool_of(rows_of(10), quality="scor")
    assert "score" in str(raised.value)
    with pytest.raises(SchemaError, match="holds something else than numbers"):
        pool_of(rows_of(10), quality="prompt")


def test_vectors_with_nan_are_refused(rows_of):
    rows = [{**row, "vector": [1.0, float("nan") if i == 3 else 0.5]} for i, row in enumerate(rows_of(10))]
    with pytest.raises(SchemaError, match="NaN"):
        pool_of(rows, encoder="column:vector")


def test_the_key_follows_from_data_encoder_and_order(rows_of):
    rows = rows_of(20)
    key = pool_of(rows).candidates.key
    assert key == pool_of([dict(row) for row in rows]).candidates.key
    assert key != pool_of(rows, on="prompt").candidates.key
    assert key != pool_of(rows, quality="length").candidates.key
    changed = [dict(row) for row in rows]
    changed[0]["response"] += " And so it ends."
    assert key != pool_of(changed).candidates.key


def test_narrowing_keeps_the_rest_as_it_was(rows_of):
    rows = rows_of(30)
    rows[4]["score"] = None
    pool = pool_of(rows)
    narrow = pool.narrowed(~np.isnan(pool.candidates.quality), "no quality")
    assert len(narrow) == 29
    assert narrow.left_out["no quality"].tolist() == [4]
    assert np.shares_memory(narrow.candidates.vectors, pool.candidates.vectors)
    assert (narrow.owner[narrow.first] == np.arange(29)).all()
    assert narrow.owner[4] == -1
    assert narrow.candidates.key != pool.candidates.key
