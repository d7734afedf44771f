"""Values that were paid for, kept row by row: one line of JSON for each record, appended as soon as it is there.

A process that is killed leaves at most one half line at the end, which is not read and is cut off before more is written.
Vectors are float32 in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from triptych.annotating.annotator import Paid, Value

Values = Mapping[str, Value | None]


@dataclass
class Kept:
    """The values of one annotator, in one file below a folder.

    Attributes:
        folder: where such files lie.
        identity: of the annotator.
    """

    folder: Path
    identity: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{hashlib.sha256(self.identity.encode()).hexdigest()[:24]}.jsonl"

    def read(self) -> dict[bytes, Values | Paid]:
        """Content id to values, or to why there are none; lines that cannot be read are left out, and so paid for again."""
        found: dict[bytes, Values | Paid] = {}
        try:
            with self.path.open("rb") as file:
                for line in file:
                    row = _row(line)
                    if row is not None:
                        found[row[0]] = row[1]
        except FileNotFoundError:
            pass
        return found

    def __enter__(self) -> Self:
        """Open the file for more lines."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = self.path.open("a+b")
        end = self._file.seek(0, 2)
        if end:
            self._file.seek(end - 1)
            if self._file.read(1) != b"\n":  # a half line: what follows must not run into it
                self._file.write(b"\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, content_id: bytes, values: Values | Paid) -> None:
        """Keep the values of one record, or why there are none: they are with the system when this returns."""
        told: dict[str, Any] = {"id": content_id.hex()}
        if isinstance(values, Paid):
            told["reason"] = str(values)
        else:
            told["values"] = {name: _told(value) for name, value in values.items()}
        line = json.dumps(told, allow_nan=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()


def _told(value: Value | None) -> Any:
    if isinstance(value, np.ndarray):
        return base64.b64encode(value.astype("<f4").tobytes()).decode()
    return None if value is None else float(value)


def _row(line: bytes) -> tuple[bytes, Values | Paid] | None:
    try:
        row = json.loads(line)
        if isinstance(row.get("reason"), str):
            return bytes.fromhex(row["id"]), Paid(row["reason"])
        values = {name: _value(told) for name, told in row["values"].items()}
        return bytes.fromhex(row["id"]), values
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None


def _value(told: Any) -> Value | None:
    if isinstance(told, str):
        return np.frombuffer(base64.b64decode(told, validate=True), "<f4")
    return None if told is None else float(told)
