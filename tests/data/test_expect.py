"""The number of rows that a progress bar expects."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triptych.data import ReadOptions, open_dataset


def test_the_expected_number_of_rows_is_near(tmp_path):
    rows = [{"prompt": f"question {i}", "response": "word " * (i % 40 + 1)} for i in range(30_000)]
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (tmp_path / "a.jsonl").write_bytes(text)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.jsonl.gz"):
        assert open_dataset(tmp_path / name).expected_rows() == pytest.approx(30_000, rel=0.05)
    assert open_dataset(tmp_path / "a.parquet").expected_rows() == 30_000
    assert open_dataset(tmp_path / "a.jsonl", ReadOptions(limit=7)).expected_rows() == 7
    assert open_dataset(rows).expected_rows() == 30_000
