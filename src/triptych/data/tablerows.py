"""Rows of tables: Parquet and Arrow files, Arrow tables, data frames, data sets held in memory by other libraries.

Other libraries are recognised by the module their type comes from; none is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from triptych.core.errors import ReadError, message

BATCH_ROWS = 1024
Numbered = Iterator[tuple[int, Any]]


def parquet_rows(path: Path, label: str) -> Numbered:
    """(number, row) of each row of a Parquet file, read in pieces."""
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            yield from batch_rows(file.iter_batches(batch_size=BATCH_ROWS))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(label, "Parquet", error) from error


def arrow_rows(path: Path, label: str) -> Numbered:
    """(number, row) of each row of an Arrow file, of the stream or the file kind."""
    try:
        with pa.memory_map(str(path)) as source:
            yield from batch_rows(_arrow_batches(source))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(label, "Arrow", error) from error


def batch_rows(batches: Iterable[pa.RecordBatch]) -> Numbered:
    """(number, row) of each row of record batches, turned into objects a piece at a time."""
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            for row in batch.slice(start, BATCH_ROWS).to_pylist():
                number += 1
                yield number, row


def memory_rows(source: object, split: str | None) -> Callable[[], Numbered] | None:
    """The function that reads a data set held in memory, from its start each time; None for an unknown type.

    Known are a list of objects, an Arrow table, anything that exports an Arrow stream, a pandas data frame, and a
    `datasets` Dataset (its row order respected), DatasetDict (needs `split`) or IterableDataset.

    Raises:
        ReadError: a frame that Arrow cannot hold, or a split that is not there.
    """
    if isinstance(source, (list, tuple)):
        rows: Sequence[Any] = source
        return lambda: enumerate(rows, start=1)
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        table = source
        return lambda: batch_rows(table.to_batches(max_chunksize=BATCH_ROWS))
    module, kind = type(source).__module__.partition(".")[0], type(source).__name__
    if module == "datasets":
        return _of_datasets(source, kind, split)
    if module == "pandas" and kind == "DataFrame":
        return memory_rows(_from_pandas(source), split)
    if hasattr(source, "__arrow_c_stream__"):
        return memory_rows(pa.table(source), split)
    return None


def _of_datasets(source: Any, kind: str, split: str | None) -> Callable[[], Numbered] | None:
    if kind in ("DatasetDict", "IterableDatasetDict"):
        inner = choose_split(list(source), split, f"the {kind}")
        return _of_datasets(source[inner], type(source[inner]).__name__, None)
    if kind == "Dataset":
        return lambda: batch_rows(_ordered(source))
    return (lambda: enumerate(source, start=1)) if kind == "IterableDataset" else None


def choose_split(splits: list[str], split: str | None, label: str) -> str:
    """The split that the user named, if it is there.

    Raises:
        ReadError: none or an unknown one was named; the message lists the splits.
    """
    if split in splits:
        return str(split)
    what = f"{label} has several splits." if split is None else f'{label} has no split "{split}".'
    hint = f"--split {splits[0]}" if splits else None
    raise ReadError(message(what, got=", ".join(splits) or "no split at all", want="one of them", hint=hint))


def _ordered(source: Any) -> Iterator[pa.RecordBatch]:
    """The batches of a `datasets.Dataset`, in its own order (it may hold an index table)."""
    for table in source.with_format("arrow").iter(batch_size=BATCH_ROWS):
        yield from table.to_batches()


def _from_pandas(frame: Any) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except pa.ArrowException as error:
        hint = "pass frame.to_dict('records')"
        what = "the data frame holds a column of several types."
        raise ReadError(
            message(what, got=" ".join(str(error).split()), want="one type in a column", hint=hint)
        ) from error


def _arrow_batches(source: Any) -> Iterator[pa.RecordBatch]:
    try:
        stream = pa.ipc.open_stream(source)
    except pa.ArrowInvalid:
        source.seek(0)
        file = pa.ipc.open_file(source)
        for index in range(file.num_record_batches):
            yield file.get_batch(index)
    else:
        yield from stream


def _damaged(label: str, kind: str, error: Exception) -> ReadError:
    got = " ".join(str(error).split())
    return ReadError(
        message(f"{label}: the {kind} file is damaged.", got=got, want="a whole file", hint="fetch it again")
    )
