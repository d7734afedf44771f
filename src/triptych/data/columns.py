"""Records to Arrow: the columns of a shard, the content id of a record and the fingerprint of a shard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from triptych.data.values import MisfitError, excerpt

SHARD_RECORDS = 4096
SHARD_CHARACTERS = 1 << 28  # Arrow addresses at most 2 GiB of UTF-8 in one column of a batch
_FIXED = ("source", "row", "part", "ordinal", "prompt", "response", "structure", "group_key", "content_id", "line")


@dataclass(frozen=True)
class Shard:
    """A slice of a data set, fixed by content.

    Attributes:
        index: position of the shard in the data set.
        batch: its records; the columns are those of `triptych.core.feature`, then `carry.NAME` and `line`.
        fingerprint: SHA-256 (hex) over all columns but `line`: equal content, from whatever format or path, is equal.
    """

    index: int
    batch: pa.RecordBatch
    fingerprint: str


def schema_of(labels: Sequence[str], carry: Sequence[str]) -> pa.Schema:
    """The Arrow schema of every shard of a data set with these labels and carried vectors."""
    fields: list[pa.Field[Any]] = [
        pa.field("source", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("part", pa.int32(), nullable=False),
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("prompt", pa.string()),
        pa.field("response", pa.string()),
        pa.field("structure", pa.string()),
        pa.field("group_key", pa.string()),
        pa.field("content_id", pa.binary(16), nullable=False),
        *[pa.field(f"label.{name}", pa.float64()) for name in labels],
        *[pa.field(f"carry.{name}", pa.list_(pa.float32())) for name in carry],
        pa.field("line", pa.int64(), nullable=False),
    ]
    return pa.schema(fields)


def content_id(prompt: str | None, response: str | None) -> bytes:
    """BLAKE2b-128 over prompt and response, each told apart by its length; null differs from "".

    Raises:
        MisfitError: a text that is no Unicode (a lone surrogate).
    """
    try:
        left = b"-" if prompt is None else prompt.encode()
        right = b"-" if response is None else response.encode()
    except UnicodeEncodeError as error:
        text = error.object[max(error.start - 10, 0) : error.end + 10]
        raise MisfitError(
            "the text holds a lone surrogate", got=ascii(text), want="text that UTF-8 can hold"
        ) from error
    sizes = b"%d:%d:" % (-1 if prompt is None else len(left), -1 if response is None else len(right))
    return hashlib.blake2b(sizes + left + right, digest_size=16).digest()


def fingerprint(batch: pa.RecordBatch) -> str:
    """SHA-256 (hex) over names, types, nulls and values of all columns but `line`."""
    digest = hashlib.sha256(b"%d" % batch.num_rows)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name != "line":
            digest.update(f"|{name}:{column.type}|".encode())
            _digest(column, digest)
    return digest.hexdigest()


def _digest(column: Any, digest: Any) -> None:
    """Feed one array: which values are there, then the values, free of padding and of what lies under nulls."""
    digest.update(b"%d " % column.null_count)
    if column.null_count:
        digest.update(column.is_valid().cast(pa.uint8()).to_numpy(zero_copy_only=False).tobytes())
        column = column.drop_null()
    if len(column) == 0:
        return
    if pa.types.is_list(column.type):
        digest.update(column.value_lengths().to_numpy(zero_copy_only=False).tobytes())
        _digest(column.flatten(), digest)
    elif pa.types.is_string(column.type):
        _, offsets, data = column.buffers()
        ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
        digest.update((ends - ends[0]).tobytes())  # a slice begins anywhere in the bytes
        if data is not None:
            digest.update(memoryview(data)[ends[0] : ends[-1]])
    elif pa.types.is_fixed_size_binary(column.type):
        width = column.type.byte_width
        digest.update(memoryview(column.buffers()[1])[column.offset * width : (column.offset + len(column)) * width])
    else:
        digest.update(column.to_numpy(zero_copy_only=False).tobytes())


class Columns:
    """Collects records, a list for each column, and gives them out as a shard."""

    def __init__(self, labels: Sequence[str], carry: Sequence[str]) -> None:
        self.schema = schema_of(labels, carry)
        self._labels, self._carry = tuple(labels), tuple(carry)
        self._ordinal = 0
        self._shards = 0
        self._clear()

    def _clear(self) -> None:
        self.lists: dict[str, list[Any]] = {name: [] for name in self.schema.names}
        fixed = [self.lists[name] for name in _FIXED]
        self._appends = [values.append for values in fixed]
        self._characters = 0

    def __len__(self) -> int:
        return len(self.lists["row"])

    @property
    def full(self) -> bool:
        """Whether a shard is to be cut here: enough records, or so much text that Arrow needs a cut."""
        return len(self) >= SHARD_RECORDS or self._characters >= SHARD_CHARACTERS

    @property
    def records(self) -> int:
        """Records collected so far, in all shards."""
        return self._ordinal

    def add(
        self,
        address: tuple[int, int, int],
        texts: Sequence[tuple[str | None, str | None]],
        keys: tuple[str | None, str | None],
        labels: Sequence[Sequence[float | None]],
        vectors: Sequence[list[float] | None],
    ) -> None:
        """Add the records of one row.

        Args:
            address: source, row and line.
            texts: (prompt, response) of each record.
            keys: structure and group of the row.
            labels: one value for each record, for each label column.
            vectors: one value for each carried column.

        Raises:
            MisfitError: a text that is no Unicode. Nothing has been added then.
        """
        ids = [content_id(prompt, response) for prompt, response in texts]
        source, row, line = address
        structure, group = keys
        put_source, put_row, put_part, put_ordinal, put_prompt, put_response, *rest = self._appends
        put_structure, put_group, put_id, put_line = rest
        for part, (prompt, response) in enumerate(texts):
            self._characters += len(prompt or "") + len(response or "")
            put_source(source)
            put_row(row)
            put_part(part)
            put_ordinal(self._ordinal)
            put_prompt(prompt)
            put_response(response)
            put_structure(structure)
            put_group(group)
            put_id(ids[part])
            put_line(line)
            self._ordinal += 1
        for name, values in zip(self._labels, labels, strict=True):
            self.lists[f"label.{name}"].extend(values)
        for name, vector in zip(self._carry, vectors, strict=True):
            self.lists[f"carry.{name}"].extend([vector] * len(texts))

    def shard(self) -> Shard:
        """The records collected since the last shard, as a shard."""
        arrays = [pa.array(self.lists[field.name], type=field.type) for field in self.schema]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        shard = Shard(self._shards, batch, fingerprint(batch))
        self._shards += 1
        self._clear()
        return shard


def check_key(name: str, value: str | None) -> str | None:
    """A structure or group value that Arrow can hold. Raises MisfitError for a lone surrogate."""
    if value is not None and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            what = f'the field "{name}" holds a lone surrogate'
            raise MisfitError(what, got=ascii(excerpt(value)), want="text that UTF-8 can hold") from error
    return value
