"""Every format reads back what was written, and equal content has equal fingerprints."""

import gzip
import io
import json
import sys

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triptych.data import ReadOptions, field_values, open_dataset

FORMATS = ["jsonl", "jsonl.gz", "jsonl.zst", "json", "json.gz", "parquet", "csv"]
# The csv module turns a lone carriage return inside a quoted cell into a line break of its own.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=30)
ROWS = st.lists(st.fixed_dictionaries({"prompt": TEXT, "response": TEXT, "group_id": TEXT}), min_size=1, max_size=12)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("ending", FORMATS)
@QUICK
@given(rows=ROWS)
def test_reads_back_the_same_records(ending, rows, tmp_path, write, texts):
    path = write(tmp_path, ending, rows)
    assert texts(path) == [(row["prompt"], row["response"]) for row in rows]


@QUICK
@given(rows=ROWS)
def test_equal_content_has_equal_fingerprints(rows, tmp_path, write):
    prints = {shard.fingerprint for shard in open_dataset(rows).shards()}
    for ending in FORMATS:
        dataset = open_dataset(write(tmp_path, ending, rows, name=f"any-{ending[:3]}"))
        prints |= {shard.fingerprint for shard in dataset.shards()}
    assert len(prints) == 1


FULL = st.fixed_dictionaries(
    {
        "prompt": TEXT,
        "completion": st.none() | TEXT,
        "score": st.none() | st.floats(-1e9, 1e9),
        "correct": st.none() | st.booleans(),
        "prompt_id": st.none() | st.integers(0, 3),
        "tags": st.none() | st.lists(TEXT, max_size=3),
    }
)


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst", "json", "parquet"])
@QUICK
@given(rows=st.lists(FULL, min_size=1, max_size=12))
def test_labels_keys_and_nulls_read_back(ending, rows, tmp_path, write, records):
    found = records(write(tmp_path, ending, rows))
    assert [(r["prompt"], r["response"]) for r in found] == [(row["prompt"], row["completion"]) for row in rows]
    for name in ("score", "correct"):
        if any(row[name] is not None for row in rows):
            assert [r[f"label.{name}"] for r in found] == [row[name] for row in rows]
    groups = [None if row["prompt_id"] is None else str(row["prompt_id"]) for row in rows]
    assert [r["group_key"] for r in found] == groups
    assert [r["structure"] for r in found] == [" | ".join(row["tags"] or []) or None for row in rows]
    memory = records(rows)
    assert [{**r, "line": 0} for r in found] == [{**r, "line": 0} for r in memory]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@QUICK
@given(extra=st.lists(JSON, min_size=1, max_size=6), indent=st.sampled_from([None, 0, 2]), window=st.integers(1, 40))
def test_json_arrays_are_split_at_any_chunk(extra, indent, window, tmp_path, monkeypatch):
    from triptych.data import textrows

    path = tmp_path / "data.json"
    rows = [{"text": '} ], { "', "meta": value} for value in extra]
    path.write_text(json.dumps(rows, indent=indent))
    monkeypatch.setattr(textrows, "CHUNK", window * 4)
    assert [row for _, row in textrows.json_array(path, "data.json")] == rows


def test_array_elements_larger_than_a_chunk(tmp_path, texts):
    long = "x" * 1_500_000
    path = tmp_path / "data.json"
    path.write_text(json.dumps([{"text": long}, {"text": "y"}, {"text": long}]))
    assert texts(path) == [(None, long), (None, "y"), (None, long)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_byte_order_mark_empty_lines_and_line_numbers(newline, tmp_path, records):
    path = tmp_path / "data.jsonl"
    path.write_bytes(("\ufeff" + newline.join(['{"text": "a"}', "", "  ", '{"text": "b"}'])).encode())
    assert [(r["row"], r["line"], r["response"]) for r in records(path)] == [(0, 1, "a"), (1, 4, "b")]


def test_csv_with_quoted_line_breaks(tmp_path, records):
    path = tmp_path / "data.csv"
    path.write_bytes('\ufeffprompt,response,score\r\n"a\nb","c ""d"", e",1\r\n\r\nq,r,\r\n'.encode())
    found = records(path)
    assert [(r["prompt"], r["response"], r["label.score"], r["line"]) for r in found] == [
        ("a\nb", 'c "d", e', 1.0, 2),
        ("q", "r", None, 5),
    ]


@pytest.mark.parametrize(("name", "mark"), [("data.tsv", "\t"), ("data.csv", ";")])
def test_csv_with_other_delimiters(name, mark, tmp_path, texts):
    path = tmp_path / name
    path.write_text(f"prompt{mark}response\na, b{mark}c\n")
    assert texts(path) == [("a, b", "c")]


def test_csv_cells_of_any_size(tmp_path, texts):
    path = tmp_path / "data.csv"
    path.write_text("text\n" + "x" * 300_000 + "\n")
    assert texts(path) == [(None, "x" * 300_000)]


@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet", "jsonl.gz", "jsonl.zst"])
def test_kind_by_first_bytes(ending, tmp_path, write, texts):
    path = write(tmp_path, ending, [{"text": "a"}]).rename(tmp_path / "data.download")
    assert texts(path) == [(None, "a")]


def test_json_file_that_holds_lines(tmp_path, texts):
    path = tmp_path / "data.json"
    path.write_text('{"text": "a"}\n{"text": "b"}\n')
    assert texts(path) == [(None, "a"), (None, "b")]


def test_lists_of_strings_and_lines_that_are_conversations(tmp_path, texts):
    path = tmp_path / "data.json"
    path.write_text('["a", "b"]')
    assert texts(path) == [(None, "a"), (None, "b")]
    lines = tmp_path / "data.jsonl"
    lines.write_text('[{"role": "user", "content": "p"}, {"role": "assistant", "content": "r"}]\n')
    assert texts(lines) == [("p", "r")]


def test_folder_in_order_of_relative_names(tmp_path, write, records):
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "jsonl", [{"text": "c"}])
    write(tmp_path, "parquet", [{"text": "b"}], name="b")
    write(tmp_path, "csv", [{"text": "a"}], name="a")
    write(tmp_path, "jsonl", [{"text": "hidden"}], name=".hidden")
    (tmp_path / "README.md").write_text("read me")
    assert [(r["source"], r["row"], r["ordinal"], r["response"]) for r in records(tmp_path)] == [
        (0, 0, 0, "a"),
        (1, 0, 1, "b"),
        (2, 0, 2, "c"),
    ]
    dataset = open_dataset(tmp_path)
    assert dataset.layout.sentence.startswith("folder of 3 files, CSV, Parquet, JSONL, plain text")
    list(dataset.shards())
    assert dataset.summary.ignored == ("README.md",)
    assert dataset.source_names == ("a.csv", "b.parquet", "sub/data.jsonl")


def test_standard_input_is_read_twice(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(gzip.compress(b'{"text": "a"}\n{"text": "b"}\n')))
    monkeypatch.setattr(sys, "stdin", stream)
    dataset = open_dataset("-")
    assert (dataset.name, dataset.path) == ("stdin", "-")
    assert [s.fingerprint for s in dataset.shards()] == [s.fingerprint for s in dataset.shards()]
    assert dataset.summary.rows == 2
    assert field_values("-", "text") == ["a", "b"]
    spooled = dataset._sources.items[0].rows
    assert len(list(spooled())) == 2


@pytest.mark.parametrize(
    ("file", "name"), [("a.b.jsonl.gz", "a.b"), ("set.PARQUET", "set"), ("x.json", "x"), ("plain", "plain")]
)
def test_name_without_endings(file, name, tmp_path, write):
    ending = "parquet" if "PARQUET" in file else "jsonl.gz" if file.endswith("gz") else "jsonl"
    path = write(tmp_path, ending, [{"text": "a"}]).rename(tmp_path / file)
    assert open_dataset(path).name == name
    assert open_dataset(path, ReadOptions(), name="other").name == "other"


def test_several_zstandard_frames(tmp_path, write, texts):
    path = write(tmp_path, "jsonl.zst", [{"text": "a"}])
    path.write_bytes(path.read_bytes() * 2)
    assert texts(path) == [(None, "a"), (None, "a")]


def test_content_of_a_table_and_of_its_slice(texts):
    table = pa.table({"text": [str(i) for i in range(3000)]})
    assert texts(table.slice(1000, 3)) == [(None, "1000"), (None, "1001"), (None, "1002")]
