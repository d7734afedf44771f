"""Shards: where they are cut, their columns, content ids and fingerprints."""

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.data import SHARD_RECORDS, ReadOptions, open_dataset
from triptych.data.columns import content_id, fingerprint

COLUMNS = ["source", "row", "part", "ordinal", "prompt", "response", "structure", "group_key", "content_id"]


def test_columns_and_types():
    rows = [{"prompt": "p", "response": "r", "score": 1, "emb": [1, 2.5]}]
    schema = next(open_dataset(rows, ReadOptions(carry=("emb",))).shards()).batch.schema
    assert schema.names == [*COLUMNS, "label.score", "carry.emb", "line"]
    types = dict(zip(schema.names, schema.types, strict=True))
    assert types["source"] == types["part"] == pa.int32()
    assert types["row"] == types["ordinal"] == types["line"] == pa.int64()
    assert types["content_id"] == pa.binary(16)
    assert types["label.score"] == pa.float64()
    assert types["carry.emb"] == pa.list_(pa.float32())


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=60), limit=st.integers(1, 50))
def test_cut_at_the_first_row_boundary(sizes, limit):
    from triptych.data import columns as module

    rows = [{"prompt": f"p{i}", "completions": [f"{i}-{j}" for j in range(n)]} for i, n in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARD_RECORDS", limit)
        shards = list(open_dataset(rows).shards())
    expected, run = [], 0
    for size in sizes:
        run += size
        if run >= limit:
            expected.append(run)
            run = 0
    assert [s.batch.num_rows for s in shards] == expected + ([run] if run else [])
    assert [s.index for s in shards] == list(range(len(shards)))
    together = [r for s in shards for r in s.batch.to_pylist()]
    assert [r["ordinal"] for r in together] == list(range(sum(sizes)))
    assert [(r["row"], r["part"]) for r in together] == [(i, j) for i, n in enumerate(sizes) for j in range(n)]


def test_shards_of_4096_records():
    shards = list(open_dataset([{"text": str(i)} for i in range(SHARD_RECORDS + 1)]).shards())
    assert [s.batch.num_rows for s in shards] == [4096, 1]


def test_fingerprints_do_not_depend_on_the_path_or_the_line(tmp_path):
    one, two = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one.write_text('{"text": "t"}\n{"text": "u"}\n')
    two.write_text('\n{"text": "t"}\n\n{"text": "u", "id": 7}\n')
    first, second = open_dataset(one), open_dataset(two)
    assert [s.fingerprint for s in first.shards()] == [s.fingerprint for s in second.shards()]
    assert first.summary.sha256 == second.summary.sha256
    assert first.summary.sha256 == hashlib.sha256(next(first.shards()).fingerprint.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        [{"prompt": "a", "response": "c", "score": 1}],
        [{"prompt": "ab", "response": "", "score": 1}],
        [{"prompt": "a", "response": "b", "score": 2}],
        [{"prompt": "a", "response": "b", "score": None}],
        [{"prompt": "a", "response": "b", "reward": 1}],
        [{"prompt": "a", "response": None, "score": 1}],
        [{"prompt": "a", "response": "b", "score": 1, "tags": "t"}],
        [{"prompt": "a", "response": "b", "score": 1}] * 2,
    ],
)
def test_fingerprints_see_every_column(other):
    base = [{"prompt": "a", "response": "b", "score": 1}]
    assert _print(base) != _print(other)


def test_fingerprint_of_a_slice_is_that_of_its_content():
    rows = [{"prompt": str(i), "response": None if i % 3 else "r", "emb": [i, i + 1], "score": i} for i in range(9)]
    batch = next(open_dataset(rows, ReadOptions(carry=("emb",))).shards()).batch
    rebuilt = pa.RecordBatch.from_pylist(batch.slice(2, 5).to_pylist(), schema=batch.schema)
    assert fingerprint(batch.slice(2, 5)) == fingerprint(rebuilt)
    assert fingerprint(batch.slice(2, 5)) != fingerprint(batch.slice(3, 5))
    assert len(fingerprint(batch.slice(0, 0))) == 64


TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.tuples(TEXT, TEXT), st.tuples(TEXT, TEXT))
def test_content_ids_are_equal_for_exact_copies_only(one, two):
    assert (content_id(*one) == content_id(*two)) == (one == two)


def test_content_id_keeps_the_texts_apart():
    assert content_id("ab", "c") != content_id("a", "bc")
    assert content_id("", None) != content_id(None, "")
    assert content_id("-", "x") != content_id(None, "x")


def test_read_again_after_a_part_of_a_pass():
    dataset = open_dataset([{"text": str(i)} for i in range(5000)])
    next(dataset.shards())
    assert dataset.summary is None
    assert [s.batch.num_rows for s in dataset.shards()] == [4096, 904]
    assert (dataset.summary.rows, dataset.summary.records, dataset.summary.skipped_total) == (5000, 5000, 0)


def _print(rows):
    return next(open_dataset(rows).shards()).fingerprint
