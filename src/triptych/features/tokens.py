"""Tokens of a record by a real tokenizer.

The default is the WordPiece tokenizer of all-MiniLM-L6-v2 (uncased BERT vocabulary of 30,522 pieces), which comes with
the package and which the static encoder reads too. Another one is named by the path of a `tokenizer.json` or of a folder
that holds one. No special tokens are added and nothing is truncated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from tokenizers import Tokenizer

from triptych.core.batch import flat_lists, list_array
from triptych.core.errors import ReadError, message
from triptych.core.feature import Feature
from triptych.features.words import Words

DEFAULT = "wordpiece"
_BATCH = 512


def _file(name: str) -> Path:
    if name == DEFAULT:
        return Path(str(resources.files("triptych.features").joinpath("weights", "tokenizer.json")))
    path = Path(name)
    return path / "tokenizer.json" if path.is_dir() else path


@lru_cache(maxsize=4)
def load_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of this name or path, without truncation and padding.

    Raises:
        ReadError: there is no such file, or it is no tokenizer.
    """
    path = _file(name)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ReadError(
            message(
                f'tokenizer "{name}" cannot be read: {error}',
                got=str(path),
                want=f'"{DEFAULT}", a tokenizer.json, or a folder that holds one',
                hint="--tokenizer path/to/tokenizer.json",
            )
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=1)
def load_words() -> Words:
    """The default tokenizer with its memory of words."""
    return Words(load_tokenizer(DEFAULT))


def _encode(tokenizer: Tokenizer, texts: list[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Ids of all texts, and how many each has."""
    rows = [row.ids for row in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    return np.fromiter(chain.from_iterable(rows), np.int32, int(sizes.sum())), sizes


def tokenizer_identity(name: str) -> str:
    """Name and hash of the tokenizer's file: part of every number that counts tokens.

    Raises:
        ReadError: there is no such tokenizer.
    """
    if name != DEFAULT:  # what comes with the package is loaded where a text is cut: cached tokens do without
        load_tokenizer(name)
    digest = hashlib.sha256(_file(name).read_bytes()).hexdigest()[:12]
    return f"{name if name == DEFAULT else Path(name).stem}@{digest}"


@dataclass(frozen=True)
class Tokens(Feature):
    """Columns `tokens@on` (list of int32 ids), `length@on` and `unknown@on` (int32 counts); null without such a text.

    `identity` pins the content of the tokenizer, so that a changed file is not read from the cache.
    """

    on: Literal["prompt", "response"] = "response"
    tokenizer: str = DEFAULT
    identity: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The text."""
        return (self.on,)

    @property
    def gives(self) -> tuple[str, ...]:
        """Token ids, their number, and how many of them stand for what the vocabulary lacks."""
        return (f"tokens@{self.on}", f"length@{self.on}", f"unknown@{self.on}")

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Tokenize a shard in small pieces, so that memory stays flat."""
        column = batch.column(self.on)
        tokenizer = load_tokenizer(self.tokenizer)
        encode = load_words().encode if self.tokenizer == DEFAULT else partial(_encode, tokenizer)
        pieces, sizes = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int64)]
        for start in range(0, len(column), _BATCH):
            ids, counts = encode(pc.fill_null(column.slice(start, _BATCH), "").to_pylist())
            pieces.append(ids)
            sizes.append(counts)
        values, lengths = np.concatenate(pieces), np.concatenate(sizes)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        absent = np.asarray(column.is_null())
        tokens = list_array(values, offsets)
        if absent.any():
            tokens = pa.ListArray.from_arrays(tokens.offsets, tokens.values, mask=pa.array(absent))
        number = {self.gives[1]: lengths, self.gives[2]: _unknown(tokenizer, values, offsets)}
        return {self.gives[0]: tokens} | {name: pa.array(n.astype(np.int32), mask=absent) for name, n in number.items()}


def _unknown(tokenizer: Tokenizer, values: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Unknown tokens of each record; none for tokenizers that fall back to bytes."""
    names = (tokenizer.token_to_id(name) for name in ("[UNK]", "<unk>"))
    unknown = next((token for token in names if token is not None), -1)
    before = np.concatenate([[0], np.cumsum(values == unknown)])
    return np.diff(before[offsets])


@dataclass(frozen=True)
class BothTokens(Feature):
    """Columns `tokens@both` and `length@both`: the tokens of the prompt followed by those of the response."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Both token lists."""
        return ("tokens@prompt", "tokens@response")

    @property
    def gives(self) -> tuple[str, ...]:
        """Token ids and their number."""
        return ("tokens@both", "length@both")

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Put the lists of a shard side by side."""
        (first, first_at), (second, second_at) = (flat_lists(batch.column(name)) for name in self.needs)
        sizes = np.stack([np.diff(first_at), np.diff(second_at)], axis=1)
        offsets = np.concatenate([[0], np.cumsum(sizes.sum(axis=1))])
        owner = np.repeat(np.tile([0, 1], len(sizes)), sizes.reshape(-1))
        values = np.empty(len(first) + len(second), dtype=np.int32)
        values[owner == 0], values[owner == 1] = first, second
        return {"tokens@both": list_array(values, offsets), "length@both": pa.array(np.diff(offsets).astype(np.int32))}
