"""Embedding vectors of a record by a named encoder, as unit rows in half precision.

Encoders are plug-ins: anything with `identity`, `dim` and `encode(texts) -> (n, dim) float32` unit rows (a zero row for a
text without tokens). Ours are `static` (default, comes with the package), `minilm` (its teacher), `adapted:PATH` (a
correction fitted to one's own data), `onnx:FOLDER` and `st:NAME_OR_PATH` (models of others) and `endpoint:URL,..` (a server);
others come by the entry-point group `triptych.encoders` (a function that returns an encoder). One that must not run in
several processes has an attribute `at_home` that is true. `column:NAME` takes vectors that the records bring along; see
`ColumnVectors`.

Vectors are rounded to half precision (pair cosines move by less than 5e-4) and every number reads the rounded ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import On, flat_lists
from triptych.core.errors import SchemaError, SpecError, message, nearest
from triptych.core.feature import Feature
from triptych.features.tokens import DEFAULT as DEFAULT_TOKENIZER

ENTRY_POINTS = "triptych.encoders"


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def identity(self) -> str:
        """Name and content hash: part of every number that used it."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Tokens that are read; the rest of a text is cut."""

    @property
    def pooling(self) -> str:
        """How tokens become one vector, in words."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (n, dim); a zero row for a text without tokens."""


def _static(_: str) -> Encoder:
    from triptych.features.static_encoder import StaticEncoder  # noqa: PLC0415 - loads weights

    return StaticEncoder.load()


def _minilm(path: str) -> Encoder:
    if path == "onnx":
        from triptych.features.onnx_encoder import OnnxEncoder  # noqa: PLC0415 - optional weights

        return OnnxEncoder.minilm()
    from triptych.features.minilm import MiniLMEncoder  # noqa: PLC0415 - optional weights

    return MiniLMEncoder.load(Path(path) if path else None)


def _adapted(path: str) -> Encoder:
    from triptych.features.adapt import AdaptedEncoder  # noqa: PLC0415 - loads weights

    return AdaptedEncoder.load(Path(path))


def _onnx(path: str) -> Encoder:
    from triptych.features.onnx_encoder import OnnxEncoder  # noqa: PLC0415 - optional runtime

    return OnnxEncoder.folder(Path(path).expanduser())


def _sentence_transformers(model: str) -> Encoder:
    from triptych.features.sentence_encoder import SentenceEncoder  # noqa: PLC0415 - optional and large

    return SentenceEncoder.load(model)


def _endpoint(text: str) -> Encoder:
    from triptych.features.endpoint_encoder import EndpointEncoder  # noqa: PLC0415 - most runs ask no server

    return EndpointEncoder.named(text)


ENCODERS: Mapping[str, Callable[[str], Encoder]] = {
    "static": _static,
    "minilm": _minilm,
    "adapted": _adapted,
    "onnx": _onnx,
    "st": _sentence_transformers,
    "endpoint": _endpoint,
}
_MORE = re.compile(r"\w+=")


def encoder_names(text: str) -> tuple[str, ...]:
    """The encoders of a list such as "static,minilm"; `name=value` belongs to the encoder before it."""
    names: list[str] = []
    for piece in text.split(","):
        if names and _MORE.match(piece):
            names[-1] += f",{piece}"
        else:
            names.append(piece)
    return tuple(names)


@lru_cache(maxsize=4)
def load_encoder(name: str) -> Encoder:
    """The encoder of this name: `static`, `minilm`, `minilm:FOLDER`, `minilm:onnx`, `adapted:PATH`, `onnx:FOLDER`,
    `st:NAME_OR_PATH`, `endpoint:URL,model=NAME,..` or a plug-in's.

    Raises:
        SpecError: no encoder has this name.
        MissingExtraError: its weights are not installed.
    """
    if len(encoder_names(name)) > 1:
        raise SpecError(message("one encoder can be used here.", got=name, hint="measure takes two, static,minilm"))
    kind, _, argument = name.partition(":")
    if kind in ENCODERS:
        return ENCODERS[kind](argument)
    plugged = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if kind in plugged:
        factory: Callable[[str], Encoder] = plugged[kind].load()
        return factory(argument)
    known = [*ENCODERS, *plugged, "column"]
    raise SpecError(
        message(
            f'no encoder is named "{kind}".', got=name, want="one of " + ", ".join(known), hint=nearest(kind, known)
        )
    )


@dataclass(frozen=True)
class Embedding(Feature):
    """Column `embedding@on` by an encoder; null where the record has no such text, zero where it is blank. `identity` pins
    its weights.
    """

    on: On = "response"
    encoder: str = "static"
    identity: str = ""
    tokenizer: str = DEFAULT_TOKENIZER
    version: ClassVar[int] = 2

    @property
    def _reads_tokens(self) -> bool:
        return self.encoder == "static" and self.tokenizer == DEFAULT_TOKENIZER

    @property
    def at_home(self) -> bool:
        """Whether the encoder asks to be run in one process only: a server is asked, or a model fills the memory."""
        return bool(getattr(load_encoder(self.encoder), "at_home", False))

    @property
    def needs(self) -> tuple[str, ...]:
        """Tokens where the encoder shares the tokenizer, else the texts."""
        if self._reads_tokens:
            return (f"tokens@{self.on}",)
        return ("prompt", "response") if self.on == "both" else (self.on,)

    @property
    def gives(self) -> tuple[str, ...]:
        """The vectors."""
        return (f"embedding@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Encode a shard."""
        encoder = load_encoder(self.encoder)
        columns = [batch.column(name) for name in self.needs]
        if self._reads_tokens:
            rows = encoder.encode_ids(*flat_lists(columns[0]))  # type: ignore[attr-defined]
        else:
            parts = [pc.fill_null(column, "").to_pylist() for column in columns]
            texts = ["\n".join(filter(None, both)) for both in zip(*parts, strict=True)]
            rows = np.array(encoder.encode(texts))
            # Transformers give the vector of their marks: empty responses would be copies of one another, by some encoders.
            rows[[not text.strip() for text in texts]] = 0
        absent = np.logical_and.reduce([np.asarray(column.is_null()) for column in columns])
        return {self.gives[0]: _vectors(rows.astype(np.float16), absent)}


@dataclass(frozen=True)
class ColumnVectors(Feature):
    """Column `embedding@on` from vectors that come with the records: a list column, or rows of a `.npy` file.

    They are normalized to length 1 and kept in single precision. `identity` pins the content of the file.
    """

    source: str
    on: On = "response"
    identity: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The carried column, or the position of the record in the file."""
        return ("ordinal",) if self.source.endswith(".npy") else (f"carry.{self.source}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The vectors."""
        return (f"embedding@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Normalize the vectors of a shard.

        Raises:
            SchemaError: vectors of mixed size, a NaN, or fewer rows in the file than records.
        """
        column = batch.column(self.needs[0])
        absent = np.asarray(column.is_null())
        rows = self._rows_of_file(column) if self.source.endswith(".npy") else self._rows_of_lists(column)
        if not np.isfinite(rows).all():
            bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise SchemaError(message(f"encoder column:{self.source}: record {bad} of a shard holds NaN or infinity."))
        norms = np.linalg.norm(rows.astype(np.float64), axis=1)
        rows = (rows / np.where(norms > 0, norms, 1)[:, None]).astype(np.float32)
        return {self.gives[0]: _vectors(rows, absent)}

    def _rows_of_lists(self, column: pa.Array) -> NDArray[np.float32]:
        values, offsets = flat_lists(column)
        sizes = np.diff(offsets)
        filled = sizes[sizes > 0]
        if len(np.unique(filled)) != 1:
            raise SchemaError(
                message(
                    f"encoder column:{self.source}: vectors are not of one size.",
                    got="sizes " + ", ".join(map(str, np.unique(sizes)[:5])),
                    want="one list of numbers of the same length for each record",
                )
            )
        rows = np.zeros((len(sizes), int(filled[0])), dtype=np.float32)
        rows[sizes > 0] = values.reshape(-1, int(filled[0]))
        return rows

    def _rows_of_file(self, ordinals: pa.Array) -> NDArray[np.float32]:
        table = np.load(self.source, mmap_mode="r", allow_pickle=False)
        at = ordinals.to_numpy()
        if table.ndim != 2 or at[-1] >= len(table):
            raise SchemaError(
                message(
                    f"encoder column:{self.source}: the file does not fit the records.",
                    got=f"an array of shape {table.shape}",
                    want=f"two dimensions and a row for each record (at least {int(at[-1]) + 1})",
                )
            )
        return np.asarray(table[at], dtype=np.float32)


def _vectors(rows: NDArray[np.float16] | NDArray[np.float32], absent: NDArray[np.bool_]) -> pa.Array:
    flat = pa.array(rows.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, rows.shape[1], mask=pa.array(absent) if absent.any() else None)
