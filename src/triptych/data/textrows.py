"""Rows of text files: JSON lines, one JSON array, CSV. Nothing is held but the row at hand (and one chunk)."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from triptych.core.errors import ReadError, message
from triptych.data.bytestream import CHUNK, open_bytes, reading
from triptych.data.values import excerpt

_BOM = codecs.BOM_UTF8
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NEAR_END = 16


@dataclass(frozen=True, slots=True)
class Damaged:
    """A row that could not be read: counted and skipped, or raised with its place."""

    what: str
    got: str
    want: str


Numbered = Iterator[tuple[int, Any]]


def json_lines(path: Path, label: str) -> Numbered:
    """(line, value) of each line that is not empty; a damaged line gives `Damaged`."""
    loads = orjson.loads
    with reading(label), open_bytes(path) as stream:
        for number, raw in enumerate(_lines(stream, label), start=1):
            try:
                value = loads(raw)
            except orjson.JSONDecodeError as error:
                if raw.isspace() or not raw:
                    continue
                value = _damaged_json(raw, str(error))
            yield number, value


def _lines(stream: BinaryIO, label: str) -> Iterator[bytes]:
    """Lines without the byte order mark."""
    for first in stream:
        if first.startswith(_UTF16):
            got = "a file in UTF-16"
            raise ReadError(message(f"{label}:1: not UTF-8.", got=got, want="UTF-8", hint="iconv -f UTF-16 -t UTF-8"))
        yield first.removeprefix(_BOM)
        break
    yield from stream


def _damaged_json(raw: bytes, error: str) -> Damaged:
    try:
        text = raw.decode()
    except UnicodeDecodeError as wrong:
        around = raw[max(wrong.start - 20, 0) : wrong.end + 20]
        return Damaged(f"invalid UTF-8 at byte {wrong.start + 1} of the line", excerpt(repr(around)), "UTF-8 text")
    reason = error.split(": line ", 1)[0]
    want = "one JSON object on each line"
    if "NaN" in text or "Infinity" in text:
        want += "; NaN and Infinity are no JSON: write null"
    return Damaged(f"not JSON ({reason})", excerpt(text), want)


def json_array(path: Path, label: str) -> Numbered:
    """(number, element) of each element of one JSON array, parsed as the file is read.

    Raises:
        ReadError: the array is damaged. What follows damage cannot be told apart, so it is never skipped.
    """
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    with reading(label), open_bytes(path) as stream:
        text = _Window(stream, label)
        number, at = 0, text.skip(0, "[")
        while not text.ends(at):
            number += 1
            try:
                value, at = text.decode(decoder, at)
            except (ValueError, RecursionError) as error:
                raise ReadError(_damaged_array(label, number, text.buffer[at : at + 200], error)) from error
            yield number, value
            at = text.skip(at, ",")
            if number % 64 == 0:
                at = text.forget(at)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _damaged_array(label: str, number: int, text: str, error: Exception) -> str:
    reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    what = f"{label}, row {number}: not JSON ({reason})."
    hint = "mend the file, or write one object a line (.jsonl) and use --on-bad skip"
    return message(what, got=excerpt(text), want="one JSON array of objects", hint=hint)


class _Window:
    """A sliding piece of a UTF-8 stream that grows only while one element does not fit."""

    def __init__(self, stream: BinaryIO, label: str) -> None:
        self._stream, self._label = stream, label
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._size = CHUNK // 4
        self._bytes = 0
        self.buffer, self._whole = "", False

    def more(self) -> bool:
        """Read a piece; False at the end of the stream."""
        if self._whole:
            return False
        raw = self._stream.read(self._size)
        self._whole = not raw
        try:
            self.buffer += self._decoder.decode(raw, final=self._whole)
        except UnicodeDecodeError as error:
            what = f"{self._label}: invalid UTF-8 within bytes {self._bytes + 1} to {self._bytes + len(raw)}."
            around = excerpt(repr(error.object[max(error.start - 20, 0) : error.end + 20]))
            raise ReadError(message(what, got=around, want="UTF-8 text")) from error
        self._bytes += len(raw)
        return not self._whole

    def decode(self, decoder: json.JSONDecoder, at: int) -> tuple[Any, int]:
        """One element beginning at `at`, and where it ends. Raises ValueError when it is damaged."""
        size = self._size
        try:
            while True:
                try:
                    value, end = decoder.raw_decode(self.buffer, at)
                except json.JSONDecodeError as error:
                    open_end = error.msg.startswith("Unterminated") or error.pos >= len(self.buffer) - _NEAR_END
                    if not open_end or not self.more():
                        raise
                    self._size *= 2  # an element larger than the window: double, so that the work stays linear
                else:
                    if end < len(self.buffer) or not self.more():
                        return value, end
        finally:
            self._size = size

    def skip(self, at: int, mark: str) -> int:
        """Go past white space and one expected mark ("]" is left standing)."""
        at = self._past_space(at)
        if at < len(self.buffer) and self.buffer[at] == mark:
            after = self._past_space(at + 1)
            if mark == "," and after < len(self.buffer) and self.buffer[after] == "]":
                self._fail("a comma before the end of the array", at)
            return after
        if mark == "," and at < len(self.buffer) and self.buffer[at] == "]":
            return at
        got = "the end of the file" if at >= len(self.buffer) else self.buffer[at : at + 200]
        self._fail(f'expected "{mark}"' + (' or "]"' if mark == "," else ""), at, got)
        return at

    def ends(self, at: int) -> bool:
        """Whether the array ends at `at`; nothing but white space may follow."""
        if at >= len(self.buffer) or self.buffer[at] != "]":
            return False
        after = self._past_space(at + 1)
        if after < len(self.buffer):
            self._fail("text after the end of the array", after)
        return True

    def forget(self, at: int) -> int:
        """Drop what has been read; positions begin anew."""
        self.buffer = self.buffer[at:]
        return 0

    def _past_space(self, at: int) -> int:
        while True:
            while at < len(self.buffer) and self.buffer[at] in " \t\r\n":
                at += 1
            if at < len(self.buffer) or not self.more():
                return at

    def _fail(self, reason: str, at: int, got: str | None = None) -> None:
        text = excerpt(self.buffer[at : at + 200] if got is None else got)
        what = f"{self._label}: the JSON array is damaged ({reason})."
        raise ReadError(message(what, got=text, want="one JSON array of objects", hint="one object a line (.jsonl)"))


def csv_rows(path: Path, label: str) -> Numbered:
    """(line, row) of each row of a CSV or TSV file with a header; quoted fields may hold line breaks.

    A row with more or fewer cells than the header, or with invalid UTF-8, gives `Damaged`.

    Raises:
        ReadError: no header, or one that names a field twice.
    """
    csv.field_size_limit((1 << 31) - 1)
    with reading(label), open_bytes(path) as stream:
        lines = _Decoded(_lines(stream, label))
        first = next(lines, "")
        lines.push(first)
        reader = csv.reader(lines, delimiter=_delimiter(path, first), strict=True)
        header = _header(reader, label)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                lines.invalid = None
                yield line, Damaged(f"not CSV ({error})", excerpt(lines.last), "quotes doubled inside quoted cells")
                continue
            if cells is None:
                return
            if lines.invalid is not None:
                yield line, Damaged(f"invalid UTF-8 on line {lines.invalid}", excerpt(ascii(lines.last)), "UTF-8 text")
                lines.invalid = None
            elif len(cells) == len(header):
                yield line, dict(zip(header, cells, strict=True))
            elif cells:
                want = f"{len(header)} cells, as in the header"
                yield line, Damaged(f"{len(cells)} cells in the row", excerpt(",".join(cells)), want)


def _delimiter(path: Path, header: str) -> str:
    if ".tsv" in (suffix.lower() for suffix in path.suffixes):
        return "\t"
    return next((mark for mark in (",", ";", "\t") if mark in header), ",")


def _header(reader: Any, label: str) -> list[str]:
    try:
        header: list[str] = next(reader, [])
    except csv.Error as error:
        raise ReadError(message(f"{label}:1: not CSV ({error}).", want="a header line")) from error
    if not header:
        raise ReadError(message(f"{label}: the file is empty.", want="a header line and at least one row"))
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ReadError(message(f"{label}:1: the header names a field twice.", got=", ".join(twice), want="each once"))
    return header


class _Decoded:
    """Lines as text for the csv module; a line that is no UTF-8 is marked, so that its row can be refused."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._pushed = lines, ""
        self._number = 0
        self.last = ""
        self.invalid: int | None = None

    def push(self, line: str) -> None:
        """Give a line back, to be read again."""
        self._pushed, self._number = line, self._number - 1

    def __iter__(self) -> _Decoded:
        return self

    def __next__(self) -> str:
        if self._pushed:
            self.last, self._pushed = self._pushed, ""
        else:
            raw = next(self._lines)
            try:
                self.last = raw.decode()
            except UnicodeDecodeError:
                self.last = raw.decode(errors="replace")
                self.invalid = self._number + 1
        self._number += 1
        return self.last
