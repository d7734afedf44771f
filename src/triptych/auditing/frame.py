"""The records of a data set as an audit needs them: lengths, keys and fields; no text is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.auditing.request import AuditOptions
from triptych.core.errors import ReadError, SchemaError, message
from triptych.core.groups import address_keys, group_of, mix
from triptych.data import Dataset
from triptych.data.layout import Layout
from triptych.data.records import RowReader
from triptych.data.sources import Sources, locate
from triptych.data.textrows import Damaged
from triptych.data.turns import is_conversation
from triptych.data.values import MisfitError, Row, as_key, excerpt

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which records are the first and the second of a pair (p,), and keys that are not shared by exactly two.

    `ordered` is False where the order says nothing of how the two were shown: chosen stands before rejected.
    """

    first: Ints
    second: Ints
    left_out: int
    sentence: str
    ordered: bool = True


@dataclass(frozen=True, eq=False)
class Frame:
    """All records, in order.

    Attributes:
        rows, skipped: of the source.
        places: where each record stands, for examples.
        prompt, response: keys of the texts, 0 where there is none, uint64 (n,).
        prompt_length, response_length: in characters, 0 where there is no text, NaN where no record has any, float64 (n,).
        cluster: key of what the record shares with others (its prompt), uint64 (n,).
        group: of its cluster, 0..31, uint8 (n,).
        grouping: the rule, in words.
        fields: name to the values of all records, as they stand in the rows.
        pairs: or None.
    """

    rows: int
    skipped: int
    places: Sequence[str]
    prompt: Keys
    response: Keys
    prompt_length: Floats
    response_length: Floats
    cluster: Keys
    group: NDArray[np.uint8]
    grouping: str
    fields: Mapping[str, Sequence[Any]]
    pairs: Pairs | None

    def __len__(self) -> int:
        return len(self.prompt)


class _Collected:
    """What is kept of the records while they are read."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.places: list[str] = []
        self.address: list[tuple[int, int, int]] = []
        self.keys: list[tuple[int, int]] = []
        self.lengths: list[tuple[float, float]] = []
        self.fields: dict[str, list[Any]] = {name: [] for name in fields}
        self.rows = self.skipped = 0


def read_frame(source: object, dataset: Dataset, options: AuditOptions, fields: Sequence[str]) -> Frame:
    """Read the records of a data set, and these fields of them.

    Raises:
        ReadError: a damaged row (unless bad rows are skipped), or no record.
        SchemaError: a row of another layout (unless bad rows are skipped); fields that make no pair.
    """
    settings, layout = options.settings, dataset.layout
    reader = RowReader(layout, settings.reading())
    pair_field = options.pair_field(dataset)
    own = [name for name in (pair_field, layout.group_field) if name is not None]
    held = _Collected([*dict.fromkeys([*fields, *own])])
    sources = locate(source, settings.reading())
    for at, row, place, value in _rows(sources, settings.limit):
        try:
            found = _as_row(value)
            texts = reader.texts(found)
        except MisfitError as error:
            if settings.on_bad == "raise":
                kind = ReadError if isinstance(value, Damaged) else SchemaError
                raise kind(error.text(place)) from error
            held.skipped += 1
            continue
        held.rows += 1
        for part, (prompt, response) in enumerate(texts):
            held.places.append(place)
            held.address.append((at, row, part))
            held.keys.append((_key(prompt), _key(response)))
            held.lengths.append((_length(prompt), _length(response)))
        for name, column in held.fields.items():
            column.extend(_of_parts(found, name, layout, len(texts)))
    if not held.places:
        raise ReadError(message(f"{dataset.path or dataset.name}: no row can be read.", want="at least one record"))
    return _frame(held, layout, pair_field, named=settings.group_by is not None)


def _rows(sources: Sources, limit: int | None) -> Iterator[tuple[int, int, str, Any]]:
    seen = 0
    for at, item in enumerate(sources.items):
        for row, (line, value) in enumerate(item.rows()):
            if limit is not None and seen >= limit:
                return
            seen += 1
            yield at, row, item.place(line), value


def _as_row(value: Any) -> Row:
    if isinstance(value, Damaged):
        raise MisfitError(value.what, got=value.got, want=value.want)
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, (list, tuple)) and is_conversation(value):
        return {"messages": value}
    if isinstance(value, Mapping):
        return dict(value)
    raise MisfitError("the row is no object", got=excerpt(value), want="an object with named fields")


def _of_parts(row: Row, name: str, layout: Layout, parts: int) -> Sequence[Any]:
    """One value of a field for each record of a row."""
    if layout.fields.shape == "preference":
        if name == "preference" and name not in row:
            return (1.0, 0.0)
        sided = layout.label_fields.get(name, ())
        if len(sided) == parts:
            return [row.get(one) for one in sided]
    value = row.get(name)
    if layout.fields.shape == "completions" and isinstance(value, (list, tuple)) and len(value) == parts:
        return value
    return [value] * parts


def _key(text: str | None) -> int:
    if not text:
        return 0
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _length(text: str | None) -> float:
    return np.nan if text is None else float(len(text))


def _frame(held: _Collected, layout: Layout, pair_field: str | None, *, named: bool) -> Frame:
    keys = np.array(held.keys, dtype=np.uint64).reshape(-1, 2)
    lengths = np.array(held.lengths, dtype=np.float64).reshape(-1, 2)
    lengths = np.where(np.isnan(lengths) & ~np.isnan(lengths).all(axis=0), 0.0, lengths)  # a text that one record lacks
    source, row, part = np.array(held.address, dtype=np.int64).T
    single = np.maximum(address_keys(source.astype(np.int32), row, part.astype(np.int32)), np.uint64(1))
    whole = address_keys(source.astype(np.int32), row, np.zeros(len(row), dtype=np.int32))
    cluster, grouping = single, "each record counts on its own"
    if named and layout.group_field is not None:
        cluster, grouping = (
            _by(held.fields[layout.group_field], single),
            f'clusters by the field "{layout.group_field}"',
        )
    elif _repeats(keys[:, 0]):
        cluster = np.where(keys[:, 0] == 0, single, keys[:, 0])
        grouping = "clusters by prompt, since some records share one"
    elif layout.group_field is not None:
        cluster, grouping = (
            _by(held.fields[layout.group_field], single),
            f'clusters by the field "{layout.group_field}"',
        )
    elif layout.parts:
        cluster, grouping = whole, "clusters by row, since a row gives several records"
    pairs = None
    if pair_field is not None:
        pairs = _pairs(_by(held.fields[pair_field], np.zeros_like(single)), f'by the field "{pair_field}"')
    elif layout.fields.shape == "preference":
        pairs = replace(_pairs(whole, "chosen and rejected of a row"), ordered=False)
    return Frame(
        held.rows, held.skipped, held.places, keys[:, 0], keys[:, 1], lengths[:, 0], lengths[:, 1],
        cluster, group_of(mix(cluster)), f"{grouping}: {len(np.unique(cluster)):,} in all", held.fields, pairs,
    )  # fmt: skip


def _repeats(keys: Keys) -> bool:
    known = keys[keys != 0]
    return len(np.unique(known)) < len(known)


def _by(values: Sequence[Any], otherwise: Keys) -> Keys:
    found = np.array([_key(as_key(value)) for value in values], dtype=np.uint64)
    return np.where(found == 0, otherwise, found)


def _pairs(key: Keys, sentence: str) -> Pairs:
    """Records that share a key with exactly one other, in the order of the file.

    Raises:
        SchemaError: there is no pair.
    """
    order = np.argsort(key, kind="stable")
    _, start, size = np.unique(key[order], return_index=True, return_counts=True)
    two = start[(size == 2) & (key[order][start] != 0)]
    if not len(two):
        want = "a value that exactly two records share"
        raise SchemaError(message(f"no pair can be made {sentence}.", got=f"{len(start):,} values", want=want))
    first, second = order[two], order[two + 1]
    by_place = np.argsort(first, kind="stable")
    return Pairs(first[by_place], second[by_place], int((size != 2).sum()), sentence)
