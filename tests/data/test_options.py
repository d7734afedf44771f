"""Limit, filter, skipped rows, carried vectors."""

import pyarrow as pa
import pytest

from triptych.core.errors import SchemaError, SpecError, UsageError
from triptych.data import ReadOptions, Skip, field_values, open_dataset

ROWS = [{"text": f"t{i}", "lang": "de" if i % 3 else "en", "n": i} for i in range(10)]


def test_limit_counts_rows(texts):
    rows = [{"prompt": "p", "chosen": "a", "rejected": "b"}] * 4
    assert len(texts(rows, limit=3)) == 6


def test_where_keeps_the_ordinals_of_the_source(records):
    found = records(ROWS, where=("lang", "en"))
    assert [(r["row"], r["ordinal"]) for r in found] == [(0, 0), (3, 1), (6, 2), (9, 3)]
    dataset = open_dataset(ROWS, ReadOptions(where=("lang", "en")))
    list(dataset.shards())
    assert (dataset.summary.rows, dataset.summary.filtered, dataset.summary.skipped_total) == (4, 6, 0)


def test_limit_and_where_split_a_set_without_loss():
    options = ReadOptions(limit=5)
    values = field_values(ROWS, "lang", options)
    assert values == ["en", "de"]
    kept = [open_dataset(ROWS, ReadOptions(limit=5, where=("lang", value))) for value in values]
    assert sum(shard.batch.num_rows for dataset in kept for shard in dataset.shards()) == 5


def test_values_of_any_kind():
    rows = [{"text": "t", "k": value} for value in (1, True, "a", None, 1)]
    assert field_values(rows, "k") == ["1", "true", "a", ""]
    with pytest.raises(SchemaError, match='"n" has more than 64 values'):
        field_values([{"text": "t", "n": i} for i in range(65)], "n")
    with pytest.raises(SchemaError, match=r'(?s)no row has the field "x".*got:  text'):
        field_values([{"text": "t"}], "x")


def test_skipped_rows_are_counted_and_listed(tmp_path):
    path = tmp_path / "data.jsonl"
    good = '{"prompt": "p", "response": "r", "score": 1}\n'
    bad = ["{oops\n", "3\n", '{"other": 1}\n', '{"prompt": "p", "response": "r", "score": "high"}\n']
    path.write_text(good * 1001 + "".join(bad) + good)
    dataset = open_dataset(path, ReadOptions(on_bad="skip"))
    rows = [row for shard in dataset.shards() for row in shard.batch.column("row").to_pylist()]
    assert rows[-1] == 1005
    assert (dataset.summary.rows, dataset.summary.records, dataset.summary.skipped_total) == (1002, 1002, 4)
    assert [skip.line for skip in dataset.summary.skipped] == [1002, 1003, 1004, 1005]
    assert dataset.summary.skipped[3] == Skip("data.jsonl", 1005, 'the label "score" is no number')


def test_at_most_20_skips_are_listed(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a"}\n' + "{\n" * 30)
    dataset = open_dataset(path, ReadOptions(on_bad="skip"))
    list(dataset.shards())
    assert (len(dataset.summary.skipped), dataset.summary.skipped_total) == (20, 30)


def test_rows_of_the_rarer_layout_are_skipped(texts):
    rows = [{"text": "a"}, {"prompt": "p", "response": "r"}, {"prompt": "q", "response": "s"}]
    assert texts(rows, on_bad="skip") == [("p", "r"), ("q", "s")]


def test_carried_vectors(records):
    found = records([{"text": "a", "emb": [1, 2.5]}, {"text": "b", "emb": None}], carry=("emb",))
    assert [r["carry.emb"] for r in found] == [[1.0, 2.5], None]


def test_a_late_label_is_reported():
    dataset = open_dataset([{"text": "a"}] * 1001 + [{"text": "b", "score": 1}])
    list(dataset.shards())
    assert dataset.summary.late == ("score",)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"roles": {"promt": "q"}}, SpecError, r'unknown role "promt".*try:  --map prompt=q'),
        ({"roles": {"text": "a", "prompt": "b"}}, UsageError, '"text" stands alone'),
        ({"roles": {"group": "a"}, "group_by": "b"}, UsageError, "two fields for the group"),
        ({"limit": 0}, SpecError, "limit is out of range"),
        ({"on_bad": "ignore"}, SpecError, "want:  raise or skip"),
    ],
)
def test_options_are_checked_where_they_enter(options, error, text):
    with pytest.raises(error, match=f"(?s){text}"):
        ReadOptions(**options)


def test_a_late_label_of_a_table_is_reported():
    rows = [{"text": "a", "score": None}] * 1001 + [{"text": "b", "score": 1}]
    dataset = open_dataset(pa.Table.from_pylist(rows))
    list(dataset.shards())
    assert dataset.summary.late == ("score",)
