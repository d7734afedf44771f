"""Writers for small data sets, and a reader that gives records as plain objects."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triptych.data import ReadOptions, open_dataset


def _jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _csv(rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows):
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=7)
    return sink.getvalue()


def _zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


WRITERS = {
    "jsonl": _jsonl,
    "jsonl.gz": lambda rows: gzip.compress(_jsonl(rows)),
    "jsonl.zst": lambda rows: _zstd(_jsonl(rows)),
    "json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1).encode(),
    "json.gz": lambda rows: gzip.compress(json.dumps(rows).encode()),
    "parquet": _parquet,
    "csv": _csv,
}


@pytest.fixture(scope="session")
def write():
    """write(folder, ending, rows) -> path of a file in that format."""

    def _write(folder, ending, rows, name="data"):
        path = folder / f"{name}.{ending}"
        path.write_bytes(WRITERS[ending](rows))
        return path

    return _write


@pytest.fixture(scope="session")
def records():
    """records(source, **options) -> all records as a list of dicts, all shards together."""

    def _records(source, **options):
        found = []
        for shard in open_dataset(source, ReadOptions(**options)).shards():
            found += shard.batch.to_pylist()
        return found

    return _records


@pytest.fixture(scope="session")
def texts(records):
    """texts(source, **options) -> [(prompt, response), ..]."""
    return lambda source, **options: [(r["prompt"], r["response"]) for r in records(source, **options)]
