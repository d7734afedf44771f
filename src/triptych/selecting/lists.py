"""Must-keep and must-drop lists: which records their entries name.

A list is a file (JSON lines, or plain lines) or, from Python, ids, line numbers or rows. An entry names records

    by the id field       a row that holds it, or a plain line where the rows of the data have that field
    by its content        a row with the same prompt and response
    by its line           a plain number where they have none or the id field is `line`; FILE:LINE with several files
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from triptych.core.batch import fixed_bytes
from triptych.core.candidates import Ints
from triptych.core.errors import ReadError, UsageError, message, nearest
from triptych.data import Dataset
from triptych.data.bytestream import open_bytes, reading
from triptych.data.columns import content_id
from triptych.data.records import RowReader
from triptych.data.values import MisfitError, as_key, excerpt

if TYPE_CHECKING:
    from triptych.selecting.pool import Pool

_NAMED = 5
_OTHERWISE = ("id", "line")
"""Names that need be no field: the default, and what asks for line numbers."""


@dataclass(frozen=True, eq=False)
class Listed:
    """What a list names.

    Attributes:
        entries: different entries.
        ordinals: records that they name, all records of a row together, ascending.
        sentence: how they were matched.
    """

    entries: int
    ordinals: Ints
    sentence: str = ""

    def positions(self, pool: Pool) -> Ints:
        """Candidates among them, in tie order."""
        owner = pool.owner[self.ordinals]
        return np.unique(owner[owner >= 0])

    def outside(self, pool: Pool) -> Ints:
        """Ordinals of the records among them that are no candidates."""
        return self.ordinals[pool.owner[self.ordinals] < 0]


def wanted_field(id_field: str, dataset: Dataset) -> list[str]:
    """The id field, if the rows have it.

    Raises:
        UsageError: another name than the default, that no row has.
    """
    known = {str(name) for name in dataset.layout.known}
    if id_field in known:
        return [id_field]
    if id_field not in _OTHERWISE:
        near = nearest(id_field, sorted(known))
        what = f'{dataset.name}: no row has the field "{id_field}" that the lists are to name records by.'
        raise UsageError(message(what, got=", ".join(sorted(known)), hint=f"--id-field {near}" if near else None))
    return []


def read_list(option: str, given: str | Path | Sequence[Any] | None, id_field: str, pool: Pool) -> Listed:
    """Match a list against all records of a pool, candidates or not.

    Raises:
        ReadError: the file cannot be read.
        UsageError: an entry that names no record, or that cannot be understood.
    """
    if given is None:
        return Listed(0, np.zeros(0, dtype=np.int64))
    entries = _entries(Path(given)) if isinstance(given, (str, Path)) else list(given)
    if not entries:
        raise UsageError(message(f"{option}: the list is empty.", got=str(given), want="at least one entry"))
    finder = _Finder(option, id_field, pool)
    by: dict[str, list[Any]] = {}
    for entry in entries:
        how, what = finder.reading(entry)
        by.setdefault(how, []).append(what)
    found: list[Ints] = []
    told = []
    for how, wanted in by.items():
        wanted = list(dict.fromkeys(wanted))
        at = finder.find(how, wanted, first=option == "--keep")
        found.append(at)
        told.append(f"{len(wanted):,} by {how}")
    ordinals = _whole_rows(np.unique(np.concatenate(found)), pool)
    number = sum(len(set(wanted)) for wanted in by.values())
    return Listed(number, ordinals, f"{option}: {', '.join(told)}; {len(ordinals):,} records.")


def _entries(path: Path) -> list[Any]:
    """Lines of a file: objects where they are JSON objects, texts otherwise. Empty lines are nothing."""
    out: list[Any] = []
    with reading(str(path)), open_bytes(path) as opened:
        for number, raw in enumerate(opened, start=1):
            line = raw.removeprefix(b"\xef\xbb\xbf").strip()
            if not line:
                continue
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                if line.startswith(b"{"):
                    got = excerpt(line.decode(errors="replace"))
                    raise ReadError(message(f"{path}:{number}: the line is no JSON object.", got=got)) from error
                value = None
            out.append(value if isinstance(value, (dict, str)) else line.decode(errors="replace"))
    return out


def _whole_rows(ordinals: Ints, pool: Pool) -> Ints:
    """All records of the rows of these records."""
    if pool.sizes is None:
        return ordinals
    part = pool.store.whole("part").to_numpy()
    row = np.cumsum(part == 0)
    return np.flatnonzero(np.isin(row, row[ordinals]))


class _Finder:
    """Finds the records that entries name."""

    def __init__(self, option: str, id_field: str, pool: Pool) -> None:
        self._option, self._pool, self._id = option, pool, id_field
        self._has_id = id_field in pool.texts
        layout = pool.dataset.layout
        self._reader = RowReader(layout, pool.dataset.options)
        self._by_id, self._by_content, self._by_line = f'the field "{id_field}"', "content", "line"

    def reading(self, entry: Any) -> tuple[str, Any]:
        """How an entry names records, and what it looks for."""
        if isinstance(entry, Mapping):
            name = as_key(entry.get(self._id))
            if self._has_id and name is not None:
                return self._by_id, name
            return self._by_content, self._content(entry)
        if self._has_id:
            return self._by_id, str(as_key(entry))
        return self._by_line, self._line(entry)

    def find(self, how: str, wanted: Sequence[Any], *, first: bool) -> Ints:
        """Ordinals of the records named; of records with one content only the first candidate where `first`."""
        if how == self._by_id:
            held = self._pool.texts[self._id]
            known = {name: at for at, name in enumerate(wanted)}
            which = np.fromiter((known.get(name, -1) for name in held), dtype=np.int64, count=len(held))
        elif how == self._by_line:
            place = {name: at for at, name in enumerate(wanted)}
            store = self._pool.store
            pairs = zip(store.whole("source").to_pylist(), store.whole("line").to_pylist(), strict=True)
            which = np.fromiter((place.get(pair, -1) for pair in pairs), dtype=np.int64, count=len(store))
        else:
            which = self._same_content(wanted)
        missing = np.setdiff1d(np.arange(len(wanted)), which)
        if len(missing):
            names = [self._shown(wanted[at]) for at in missing[:_NAMED].tolist()]
            more = f", .. ({len(missing):,} of {len(wanted):,})" if len(missing) > _NAMED else ""
            what = f"{self._option}: {len(missing):,} entries name no record of {self._pool.dataset.name} (by {how})."
            want = "entries that name records by id, by line, or rows with the same prompt and response"
            raise UsageError(message(what, got=", ".join(names) + more, want=want))
        at = np.flatnonzero(which >= 0)
        return self._firsts(at, which[at]) if first and how == self._by_content else at

    def _same_content(self, wanted: Sequence[tuple[bytes, ...]]) -> Ints:
        """The entry that each record belongs to: its content is that of a record of the entry's row."""
        ids = np.array([one for ids in wanted for one in ids], dtype="S16")
        entry = np.repeat(np.arange(len(wanted)), [len(ids) for ids in wanted])
        ids, at = np.unique(ids, return_index=True)
        held = contents(self._pool)
        place = np.minimum(np.searchsorted(ids, held), len(ids) - 1)
        return np.where(ids[place] == held, entry[at][place], -1)

    def _firsts(self, at: Ints, entry: Ints) -> Ints:
        """Of copies, the record that is the first candidate; the first record where none is a candidate."""
        if self._pool.sizes is not None:
            return at
        owner = self._pool.owner[at]
        order = np.lexsort((at, np.where(owner < 0, len(self._pool), owner), entry))
        _, first = np.unique(entry[order], return_index=True)
        return at[order][first]

    def _content(self, entry: Mapping[Any, Any]) -> tuple[bytes, ...]:
        try:
            return tuple(content_id(*texts) for texts in self._reader.texts(dict(entry)))
        except MisfitError as error:
            what = f"{self._option}: an entry is no row like those of {self._pool.dataset.name}: {error.what}."
            raise UsageError(message(what, got=error.got or excerpt(entry), want=error.want)) from error

    def _line(self, entry: Any) -> tuple[int, int]:
        names = self._pool.dataset.source_names
        text = str(entry)
        name, _, number = text.rpartition(":")
        if number.isdecimal() and not isinstance(entry, bool):
            if not name and len(names) == 1:
                return 0, int(number)
            if name in names:
                return names.index(name), int(number)
        want = "a line number" if len(names) == 1 else f"FILE:LINE, such as {names[0]}:1"
        if not self._has_id:
            want += f' (the rows have no field "{self._id}"), or a row'
        raise UsageError(message(f"{self._option}: an entry cannot be understood.", got=excerpt(text), want=want))

    def _shown(self, wanted: Any) -> str:
        if isinstance(wanted, str):
            return excerpt(wanted)
        if isinstance(wanted[0], bytes):
            return f"a row with the content {wanted[0].hex()[:12]}"
        names = self._pool.dataset.source_names
        return str(wanted[1]) if len(names) == 1 else f"{names[wanted[0]]}:{wanted[1]}"


def contents(pool: Pool) -> NDArray[np.bytes_]:
    """The content id of every record of a pool, 16 bytes each (N,)."""
    chunks: Iterable[Any] = pool.store.whole("content_id").chunks
    return np.concatenate([np.ascontiguousarray(fixed_bytes(chunk, np.uint8)).view("S16")[:, 0] for chunk in chunks])
