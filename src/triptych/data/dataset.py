"""A data set: an immutable sequence of shards, read in one pass as often as wanted, with memory that does not grow."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from triptych.core.errors import InputError, ReadError, SchemaError, message
from triptych.data.columns import Columns, Shard
from triptych.data.layout import HEAD_ROWS, Layout, detect
from triptych.data.options import ReadOptions
from triptych.data.records import RowReader
from triptych.data.sources import Source, Sources, locate
from triptych.data.textrows import Damaged
from triptych.data.turns import is_conversation
from triptych.data.values import MisfitError, Row, as_text, excerpt, fields_of, is_absent

SKIPS_LISTED = 20
VALUES_MOST = 64


@dataclass(frozen=True, slots=True)
class Skip:
    """A row that could not be read and was skipped: the name of its source, its line (or number), and why."""

    source: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What one full pass over a data set saw.

    Attributes:
        rows: rows that gave records.
        records: records in all shards.
        skipped: the first 20 rows that were skipped.
        skipped_total: how many were skipped in all.
        filtered: rows that `where` left out.
        sha256: SHA-256 (hex) over the fingerprints of the shards: the content of the set.
        late: fields named like labels, groups or structures that first appear after the head and were not read.
        ignored: files of the folder that are of no known kind.
    """

    rows: int
    records: int
    skipped: tuple[Skip, ...]
    skipped_total: int
    filtered: int
    sha256: str
    late: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class Dataset:
    """A data set that was opened: its layout is known, its rows are read when shards are asked for.

    Attributes:
        name: for people: the file or folder without endings, or "records".
        path: as given, or None for what is in memory.
        layout: how rows become records.
        options: how it is read.
        summary: what the last full pass saw; None before.
    """

    def __init__(self, sources: Sources, options: ReadOptions, name: str | None = None) -> None:
        self._sources = sources
        self.options = options
        self.name = name or sources.name
        self.path = sources.path
        self.summary: Summary | None = None
        self.layout: Layout = self._open()

    @property
    def source_names(self) -> tuple[str, ...]:
        """The names of the sources within the set, free of paths: what the column `source` counts through."""
        return tuple(item.name for item in self._sources.items)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}: {self.layout.sentence})"

    def expected_rows(self) -> int | None:
        """About how many rows there are, for a progress bar; None where nothing cheap tells."""
        if self.options.where is not None:
            return None
        counts = [item.expected() for item in self._sources.items]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts):
            return self.options.limit
        return min(sum(known), self.options.limit or sum(known))

    def shards(self) -> Iterator[Shard]:
        """The shards, in order, in one pass. A shard ends at the first row boundary at or after 4,096 records (or
        268 million characters, which Arrow could hardly hold).

        Raises:
            ReadError: a damaged row (unless bad rows are skipped), or no record at all.
            SchemaError: a row of another layout (unless bad rows are skipped).
        """
        reader = RowReader(self.layout, self.options)
        columns = Columns(self.layout.labels, self.layout.carry)
        rows = _Rows(self._sources, self.options)
        digest = hashlib.sha256()
        good = 0
        for source, row, line, value in rows:
            try:
                reader.add(value, (source, row, line), columns)
            except MisfitError as error:
                rows.refuse(source, line, error)
                continue
            good += 1
            if columns.full:
                shard = columns.shard()
                digest.update(shard.fingerprint.encode())
                yield shard
        if len(columns):
            shard = columns.shard()
            digest.update(shard.fingerprint.encode())
            yield shard
        if not columns.records:
            raise ReadError(rows.nothing())
        counts = (rows.skips, rows.skipped, rows.filtered)
        late = (tuple(reader.late), self._sources.ignored)
        self.summary = Summary(good, columns.records, tuple(counts[0]), *counts[1:], digest.hexdigest(), *late)

    def _open(self) -> Layout:
        """Find the layout on the head, and whether its rows hold prompts and responses at all."""
        rows = _Rows(self._sources, self.options)
        head: list[tuple[int, int, Row]] = []
        for source, _, line, value in rows:
            head.append((source, line, value))
            if len(head) >= HEAD_ROWS:
                break
        if not head:
            raise ReadError(rows.nothing())
        place = self._sources.items[head[0][0]].place(head[0][1])
        layout = detect([row for _, _, row in head], self.options, self._sources.words, place)
        reader = RowReader(layout, self.options)
        prompts = responses = False
        for source, line, row in head:
            try:
                texts = reader.texts(row)
            except MisfitError as error:
                rows.refuse(source, line, error)
                continue
            prompts = prompts or any(prompt for prompt, _ in texts)
            responses = responses or any(response for _, response in texts)
        return replace(layout, has_prompt=prompts, has_response=responses)


class _Rows:
    """One pass over the rows: (source, row, line, row object). Limit, filter and damaged rows are dealt with here."""

    def __init__(self, sources: Sources, options: ReadOptions) -> None:
        self._sources, self._options = sources, options
        self.skips: list[Skip] = []
        self.skipped = 0
        self.filtered = 0

    def __iter__(self) -> Iterator[tuple[int, int, int, Row]]:
        limit, where = self._options.limit, self._options.where
        seen = 0
        for source, item in enumerate(self._sources.items):
            for row, (line, value) in enumerate(item.rows()):
                if limit is not None and seen >= limit:
                    return
                seen += 1
                if type(value) is not dict:
                    value = self._as_row(source, line, value)
                    if value is None:
                        continue
                if where is not None and _value(value, where[0]) != where[1]:
                    self.filtered += 1
                    continue
                yield source, row, line, value

    def refuse(self, source: int, line: int, error: MisfitError, kind: type[InputError] = SchemaError) -> None:
        """Raise the error with its place, or count the row as skipped."""
        item = self._sources.items[source]
        if self._options.on_bad == "raise":
            raise kind(error.text(item.place(line))) from error
        self.skipped += 1
        if len(self.skips) < SKIPS_LISTED:
            self.skips.append(Skip(item.name, line, error.what))

    def nothing(self) -> str:
        """Why there is no record."""
        label = self._sources.path or self._sources.name
        if self.skipped:
            first = self.skips[0]
            got = f"rows skipped: {self.skipped}, all there are; the first, {first.source}:{first.line}: {first.reason}"
            return message(f"{label}: no row can be read.", got=got, want="at least one record")
        where = self._options.where
        if where is not None and self.filtered:
            what = f'{label}: no row whose "{where[0]}" is "{where[1]}".'
            return message(what, got=f"{self.filtered} rows with other values", want="at least one record")
        return message(f"{label}: no records.", got="no row", want="at least one record")

    def _as_row(self, source: int, line: int, value: Any) -> Row | None:
        """The row that a value stands for: a string is a text, a list of turns a conversation."""
        if isinstance(value, str):
            return {"text": value}
        if is_conversation(value) and isinstance(value, (list, tuple)):
            return {"messages": value}
        if isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, Damaged):
            error = MisfitError(value.what, got=value.got, want=value.want)
            self.refuse(source, line, error, ReadError)
        else:
            error = MisfitError("the row is no object", got=excerpt(value), want="an object with named fields")
            self.refuse(source, line, error)
        return None


def _value(row: Row, name: str) -> str:
    """A field as text, for filters: "" where the row lacks it."""
    value = row.get(name)
    return "" if is_absent(value) else as_text(value)


def open_dataset(source: object, options: ReadOptions | None = None, name: str | None = None) -> Dataset:
    """Open a data set and find its layout; the rows are read by `Dataset.shards`.

    Args:
        source: a path (JSONL, JSON array, CSV, Parquet, Arrow, a folder of those, a saved data set), "-" for JSON lines
            on standard input, a list of dicts, an Arrow table, a pandas data frame or a `datasets.Dataset`.
        options: how to read it.
        name: how to call it, instead of the name of the file.

    Raises:
        ReadError: it is not there, damaged, of an unknown kind, or has no record.
        SchemaError: its rows have no known layout, or more than one.
        UsageError: a split named for something that has none.
    """
    options = options if options is not None else ReadOptions()
    return Dataset(locate(source, options), options, name)


def field_values(source: object, field: str, options: ReadOptions | None = None) -> list[str]:
    """The distinct values of a field, as text, in the order they are first seen; "" for rows without it.

    Raises:
        SchemaError: no row has the field, or it has more than 64 values.
        ReadError: as `open_dataset`.
    """
    options = options if options is not None else ReadOptions()
    sources = locate(source, options)
    rows = _Rows(sources, options)
    values: Counter[str] = Counter()
    place, first = sources.path or sources.name, None
    for _, _, _, row in rows:
        first = row if first is None else first
        values[_value(row, field)] += 1
        if len(values) > VALUES_MOST:
            got = ", ".join(excerpt(value) for value in list(values)[:3]) + ", .."
            what = f'{place}: the field "{field}" has more than {VALUES_MOST} values.'
            raise SchemaError(message(what, got=got, want="a field that names a few kinds of row"))
    if first is None:
        raise ReadError(rows.nothing())
    if list(values) == [""]:
        raise SchemaError(message(f'{place}: no row has the field "{field}".', got=fields_of(first), want="a field"))
    return list(values)


__all__ = ["Dataset", "Shard", "Skip", "Source", "Summary", "field_values", "open_dataset"]
