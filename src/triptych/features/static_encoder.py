"""The embedded sentence encoder: a weighted bag of word pieces and word-piece pairs with a small head.

Trained by us to agree with all-MiniLM-L6-v2 (encoder/README.md says on what, and how well). For a text with token ids t
that occur tf times and neighbouring pairs b:

    s = sum over tokens of tf**power * E[t]  +  P' sum over known pairs of B[b]  +  bias
    u = s / rms(s);   z = u + W2 relu(W1 [u, log(1 + length) - 3] + b1) + b2;   vector = z / |z|

E and B are int8 with one scale a row. Word order is seen only in the known pairs, 12,288 collocations.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import chain
from typing import Final, final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load
from scipy.sparse import csr_array
from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SHIPPED: Final = files("triptych.features") / "weights"
BLOCK: Final = 128  # rows of every matrix product: one shape, so a row has the same bits in every company


def shipped_tokenizer(limit: int) -> Tokenizer:
    """The uncased WordPiece tokenizer of MiniLM, cutting after `limit` tokens (marks counted where they are added)."""
    tokenizer = Tokenizer.from_str((SHIPPED / "tokenizer.json").read_text("utf-8"))
    tokenizer.enable_truncation(limit)
    return tokenizer


def unpack(rows: npt.NDArray[np.int8], scale: Floats) -> Floats:
    """int8 (n, d) and scales (n,) to float32 (n, d)."""
    return rows.astype(np.float32) * scale[:, None]


def known_pairs(left: Ints, right: Ints, keys: Ints, vocabulary: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Rows of the known pairs among (left, right), and which of them are known; keys ascend: left * vocabulary + right."""
    wanted = left * vocabulary + right
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hit = keys[at] == wanted
    return at[hit], hit


def counts(owner: Ints, column: Ints, shape: tuple[int, int]) -> csr_array:
    """How often each column occurs for each owner, as a sparse float32 matrix; owner ascends."""
    key, count = np.unique(owner * shape[1] + column, return_counts=True)
    starts = np.searchsorted(key, np.arange(shape[0] + 1) * shape[1])
    return csr_array((count.astype(np.float32), key % shape[1], starts), shape=shape)


def truncate(ids: Ints, offsets: Ints, limit: int) -> tuple[Ints, Ints]:
    """The first `limit` ids of every text."""
    sizes = np.diff(offsets)
    if not sizes.size or sizes.max() <= limit:
        return ids, offsets
    place = np.arange(ids.size) - np.repeat(offsets[:-1], sizes)
    return ids[place < limit], np.concatenate([[0], np.cumsum(np.minimum(sizes, limit))])


@dataclass(frozen=True)
class Weights:
    """What static.safetensors holds, dequantized. Shapes: v tokens, b known pairs, r rank, h hidden units, d dimensions."""

    tokens: Floats  # (v, d)
    pairs: Floats  # (b, r)
    pair_keys: Ints  # (b,), ascending: left token * v + right token
    project: Floats  # (r, d)
    bias: Floats  # (d,)
    first_weight: Floats  # (d + 1, h)
    first_bias: Floats  # (h,)
    second_weight: Floats  # (h, d)
    second_bias: Floats  # (d,)
    power: float
    max_tokens: int

    @classmethod
    def read(cls, data: bytes) -> Weights:
        """Parse the bytes of the file; int8 tables have a scale a row under the same name with `_scale`."""
        raw = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        for name in ("tokens", "pairs"):
            raw[name] = unpack(raw[name], raw.pop(f"{name}_scale"))
        keys = raw.pop("pair_keys").astype(np.int64)
        arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in raw.items()}
        return cls(**arrays, pair_keys=keys, power=float(header["tf_power"]), max_tokens=int(header["max_tokens"]))


@final
class StaticEncoder:
    """The shipped encoder; `StaticEncoder.load()` reads it once in a process."""

    name: Final = "static"
    pooling: Final = (
        "sum over word pieces (count to a power below 1) and known neighbouring pairs, a small head, length 1"
    )

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.identity: Final = f"{self.name}@{hashlib.sha256(data).hexdigest()[:12]}"

    @cached_property
    def _weights(self) -> Weights:
        """Unpacked when first used: a run whose vectors are all cached needs the identity only."""
        return Weights.read(self._data)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return shipped_tokenizer(self.max_tokens)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._weights.tokens.shape[1])

    @property
    def max_tokens(self) -> int:
        """Tokens that are read; the rest of a text is cut."""
        return self._weights.max_tokens

    @classmethod
    @cache
    def load(cls) -> StaticEncoder:
        """The encoder that comes with the package."""
        return cls((SHIPPED / "static.safetensors").read_bytes())

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, dim): unit rows; a zero row for a text without tokens. Texts are cut to `max_tokens` tokens."""
        rows = [row.ids for row in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return self.encode_ids(np.fromiter(chain.from_iterable(rows), np.int32, offsets[-1]), offsets)

    def encode_ids(self, ids: npt.NDArray[np.int32], offsets: Ints) -> Floats:
        """float32 (n, dim) from the token ids of n texts, without special tokens, text i at ids[offsets[i]:offsets[i+1]]."""
        out = np.zeros((len(offsets) - 1, self.dim), np.float32)
        for start in range(0, len(out), BLOCK):
            bounds = offsets[start : start + BLOCK + 1]
            flat, bounds = truncate(ids[bounds[0] : bounds[-1]].astype(np.int64), bounds - bounds[0], self.max_tokens)
            out[start : start + BLOCK] = self._block(flat, np.diff(bounds))
        return out

    def _block(self, ids: Ints, sizes: Ints) -> Floats:
        """Vectors of at most BLOCK texts, given all their ids and the number of ids of each."""
        w = self._weights
        owner = np.repeat(np.arange(len(sizes)), sizes)
        bag = counts(owner, ids, (BLOCK, len(w.tokens)))
        bag.data **= w.power
        inside = owner[1:] == owner[:-1]
        known, hit = known_pairs(ids[:-1][inside], ids[1:][inside], w.pair_keys, len(w.tokens))
        pairs = counts(owner[1:][inside][hit], known, (BLOCK, len(w.pairs)))
        total = bag @ w.tokens + (pairs @ w.pairs) @ w.project + w.bias
        unit = total / np.sqrt(np.einsum("ij,ij->i", total, total) / self.dim + 1e-9)[:, None]
        size = np.zeros((BLOCK, 1), np.float32)
        size[: len(sizes), 0] = np.log1p(sizes) - 3
        wide = np.maximum(np.hstack([unit, size]) @ w.first_weight + w.first_bias, 0)
        rows = (unit + wide @ w.second_weight + w.second_bias)[: len(sizes)]
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.where(sizes[:, None] > 0, rows / length, 0).astype(np.float32)
