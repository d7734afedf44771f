"""Transformers in the format ONNX, run by onnxruntime on one thread (extra `onnx`).

`minilm:onnx` is all-MiniLM-L6-v2 as a graph of our own (`onnx_graph`): the numbers of `minilm`, within 1e-6.
`onnx:FOLDER` reads any exported sentence encoder: model.onnx (or onnx/model.onnx) and tokenizer.json, and, where they lie
beside them, the files of sentence-transformers that say how tokens become a vector and how many are read. A quantized
model is read as well: on processors without instructions for it, it is slower, and it may move neighbours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from triptych.core.errors import MissingExtraError, ReadError, SpecError, message
from triptych.features import minilm
from triptych.features.onnx_graph import bert
from triptych.features.padded import batches, padded
from triptych.features.static_encoder import shipped_tokenizer
from triptych.features.unit_rows import unit_rows

Floats = npt.NDArray[np.float32]
Pooling: TypeAlias = Literal["mean", "cls"]
MAX_TOKENS: Final = 512
_SANE: Final = 1 << 20  # tokenizers without a limit say 1e30
_KINDS: Final = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_FEEDS: Final = ("input_ids", "attention_mask", "token_type_ids")
_WORDS: Final = {"mean": "mean of the last layer over all tokens", "cls": "last layer at the first token"}


@final
class OnnxEncoder:
    """An ONNX model with its tokenizer. Make it by `OnnxEncoder.minilm()` or `OnnxEncoder.folder(path)`."""

    def __init__(
        self, identity: str, tokenizer: Tokenizer, max_tokens: int, pooled: Pooling, source: Callable[[], bytes | str]
    ) -> None:
        self.identity, self.max_tokens, self._pooled, self._source = identity, max_tokens, pooled, source
        self.name: Final = identity.partition("@")[0]
        self.pooling: Final = f"{_WORDS[pooled]} (or the model's own sentence vector), scaled to length 1"
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    @classmethod
    @cache
    def minilm(cls, folder: Path | None = None) -> OnnxEncoder:
        """all-MiniLM-L6-v2 from the weights of the extra `minilm`, or from model.safetensors in a folder.

        Raises:
            MissingExtraError: weights or runtime are not installed.
        """
        _need_runtime()
        weights = (folder or minilm.find_weights()) / "model.safetensors"
        limit = minilm.MiniLMEncoder.max_tokens

        def graph() -> bytes:
            return bert(minilm.read_tensors(weights), minilm.LAYERS, minilm.HEADS)

        return cls(f"minilm:onnx@{minilm.SHA256[:12]}", shipped_tokenizer(limit), limit, "mean", graph)

    @classmethod
    @cache
    def folder(cls, folder: Path) -> OnnxEncoder:
        """The model of a folder.

        Raises:
            MissingExtraError: the runtime is not installed.
            ReadError: a file is missing or cannot be read.
            SpecError: tokens become a vector in a way that we do not know.
        """
        _need_runtime()
        model = next((file for file in (folder / "model.onnx", folder / "onnx" / "model.onnx") if file.is_file()), None)
        words = folder / "tokenizer.json"
        if model is None or not words.is_file():
            got = ", ".join(sorted(file.name for file in folder.iterdir())[:8]) if folder.is_dir() else "no folder"
            raise ReadError(message(f"encoder onnx:{folder}: no model.", got=got, want="model.onnx and tokenizer.json"))
        try:
            tokenizer = Tokenizer.from_file(str(words))
        except Exception as error:  # the tokenizers package raises a bare Exception
            raise ReadError(message(f"{words}: no tokenizer can be read.", got=str(error))) from error
        pooled, limit = _pooling(folder), _limit(folder, tokenizer)
        digest = hashlib.sha256(f"{pooled} {limit}".encode())
        for file in [words, *sorted(model.parent.glob(f"{model.name}*"))]:  # large models lie in a file beside
            with file.open("rb") as data:
                digest.update(hashlib.file_digest(data, "sha256").digest())
        name = f"onnx:{folder.resolve().name}@{digest.hexdigest()[:12]}"
        return cls(name, tokenizer, limit, pooled, lambda: str(model))

    @cached_property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.encode(["a"]).shape[1])

    @cached_property
    def _session(self) -> Any:
        """The model in memory: made when first used, for a run whose vectors are all cached needs the identity only."""
        import onnxruntime  # noqa: PLC0415 - optional and large

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised; they need not be printed too
        # Pools of memory grow with the longest batch seen and are never given back.
        options.enable_cpu_mem_arena = False
        try:
            return onnxruntime.InferenceSession(self._source(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's errors have no common class but this
            raise ReadError(message(f"encoder {self.name}: the model cannot be loaded.", got=_first(error))) from error

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, dim), unit rows, in the order of texts; texts are cut to `max_tokens`.

        Raises:
            ReadError: the model wants what is no text, or fails.
            SchemaError: it gives NaN.
        """
        ids = [row.ids for row in self._tokenizer.encode_batch(list(texts))]
        out: Floats | None = None
        for rows in batches(ids):
            found = self._forward([ids[i] for i in rows])
            out = np.zeros((len(ids), found.shape[1]), np.float32) if out is None else out
            out[rows] = found
        return unit_rows(out, self.name) if out is not None else np.zeros((0, self.dim), np.float32)

    def _forward(self, rows: list[list[int]]) -> Floats:
        """Vectors (len(rows), dim) of token ids, not yet of length 1; a zero row where there is no token."""
        ids, real = padded(rows)
        given = {"input_ids": ids, "attention_mask": real, "token_type_ids": np.zeros_like(ids)}
        wanted = {each.name: _KINDS.get(each.type) for each in self._session.get_inputs()}
        if not set(wanted) <= set(_FEEDS) or None in wanted.values():
            what, got = f"encoder {self.name}: the model is no encoder of texts.", ", ".join(wanted)
            raise ReadError(message(what, got=f"inputs {got}", want="whole numbers for " + ", ".join(_FEEDS)))
        try:
            found = self._session.run([self._output], {name: given[name].astype(kind) for name, kind in wanted.items()})
        except Exception as error:  # as above
            raise ReadError(message(f"encoder {self.name}: the model fails.", got=_first(error))) from error
        hidden: Floats = found[0].astype(np.float32)
        if hidden.ndim == 2:
            return np.where(real.any(1, keepdims=True), hidden, 0)
        if self._pooled == "cls":
            return np.where(real[:, :1], hidden[:, 0], 0)
        weight = real / np.maximum(real.sum(1, keepdims=True), 1)
        pooled: Floats = np.einsum("blw,bl->bw", hidden, weight.astype(np.float32))
        return pooled

    @cached_property
    def _output(self) -> str:
        """The output that is read: a vector for each text where there is one, else one for each token."""
        ranks: dict[str, int] = {each.name: len(each.shape) for each in self._session.get_outputs()}
        for name in ("sentence_embedding", "last_hidden_state", "token_embeddings", *ranks):
            if ranks.get(name) in {2, 3} and name != "pooler_output":
                return name
        raise ReadError(message(f"encoder {self.name}: the model gives no vectors.", got=", ".join(ranks)))


def _need_runtime() -> None:
    if find_spec("onnxruntime") is None:
        what = "encoder onnx: onnxruntime is not installed."
        raise MissingExtraError(message(what, want="the extra onnx", hint='pip install "triptych[onnx]"'))


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _json(file: Path) -> dict[str, Any]:
    """A JSON object beside the model; empty where there is no such file.

    Raises:
        ReadError: it is no JSON object.
    """
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(message(f"{file}: no JSON.", got=str(error))) from error
    if not isinstance(found, dict):
        raise ReadError(message(f"{file}: not a JSON object.", got=type(found).__name__))
    return found


def _pooling(folder: Path) -> Pooling:
    """How tokens become a vector, as the folder says; the mean where it says nothing."""
    said = _json(folder / "1_Pooling" / "config.json")
    flags = {name.removeprefix("pooling_mode_") for name, on in said.items() if name.startswith("pooling_mode_") and on}
    modes = {str(said["pooling_mode"])} if isinstance(said.get("pooling_mode"), str) else flags
    if modes <= {"mean", "mean_tokens"}:
        return "mean"
    if modes in ({"cls"}, {"cls_token"}):
        return "cls"
    got, want = ", ".join(sorted(modes)), "mean or cls, or an output sentence_embedding"
    raise SpecError(message(f"encoder onnx:{folder}: unknown pooling.", got=got, want=want, hint="st:FOLDER"))


def _limit(folder: Path, tokenizer: Tokenizer) -> int:
    """Tokens that are read, as the folder says; 512 where it says nothing."""
    cut = tokenizer.truncation or {}
    said = (
        _json(folder / "sentence_bert_config.json").get("max_seq_length"),
        _json(folder / "tokenizer_config.json").get("model_max_length"),
        _json(folder / "config.json").get("max_position_embeddings"),
        cut.get("max_length"),
    )
    return next((int(n) for n in said if isinstance(n, (int, float)) and 0 < n < _SANE), MAX_TOKENS)
