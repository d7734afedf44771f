"""Any model of sentence-transformers, by folder or by its name on the hub (extra `sentence-transformers`).

`st:NAME_OR_PATH`. Runs in the main process, on a GPU where there is one: a model of this kind takes 10 seconds and
700 MB to load, too much for every worker. A name on the hub is downloaded once, when it is named; code that comes with a
model is never run.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from triptych.core.errors import MissingExtraError, ReadError, message
from triptych.features.unit_rows import unit_rows
from triptych.language.load import quiet

Floats = npt.NDArray[np.float32]
BATCH_TEXTS: Final = 8  # on a processor; 32, the package's own choice, falls out of its cache
BATCH_TEXTS_GPU: Final = 64
_WEIGHTS: Final = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")


@final
class SentenceEncoder:
    """A model of sentence-transformers; `SentenceEncoder.load(name)` reads it once in a process."""

    at_home: Final = True
    """One process encodes: it has all cores, or the GPU."""

    def __init__(self, model: str) -> None:
        if find_spec("sentence_transformers") is None:
            what, hint = (
                "encoder st: sentence-transformers is not installed.",
                'pip install "triptych[sentence-transformers]"',
            )
            raise MissingExtraError(message(what, want="the extra sentence-transformers", hint=hint))
        self._folder = _folder(model)
        self.name: Final = f"st:{self._folder.name if Path(model).expanduser().is_dir() else model}"
        self.identity: Final = f"{self.name}@{_digest(self._folder)}"
        self.pooling: Final = "the model's own modules, scaled to length 1"

    @classmethod
    @cache
    def load(cls, model: str) -> SentenceEncoder:
        """The model of a folder, or of a name on the hub.

        Raises:
            MissingExtraError: the package is not installed.
            ReadError: the model is not there.
        """
        return cls(model)

    @cached_property
    def _model(self) -> Any:
        """Loaded when first used: a run whose vectors are all cached needs the identity only."""
        import sentence_transformers  # noqa: PLC0415 - optional, and ten seconds

        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
        try:
            with quiet():
                return sentence_transformers.SentenceTransformer(
                    str(self._folder), trust_remote_code=False, local_files_only=True
                )
        except Exception as error:  # whatever the many layers below raise
            got = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"
            raise ReadError(message(f"encoder {self.name}: the model cannot be loaded.", got=got)) from error

    @cached_property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._model.encode(["a"], show_progress_bar=False).shape[1])

    @property
    def max_tokens(self) -> int:
        """Tokens that are read; 0 where the model does not say."""
        return int(self._model.max_seq_length or 0)

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, dim), unit rows, in the order of texts. The package sorts them by length.

        Raises:
            ReadError: the model cannot be loaded.
            SchemaError: it gives NaN.
        """
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        size = BATCH_TEXTS if self._model.device.type == "cpu" else BATCH_TEXTS_GPU
        rows = self._model.encode(list(texts), batch_size=size, show_progress_bar=False, convert_to_numpy=True)
        return unit_rows(np.asarray(rows, np.float32), self.name)


def _folder(model: str) -> Path:
    """Where the model lies.

    Raises:
        ReadError: it is not there, and cannot be downloaded.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.exists() or model.startswith((".", "/", "~")):
        want = "a folder with modules.json or config.json, or a name on the hub"
        raise ReadError(
            message(f"encoder st:{model}: no model.", got="a file" if path.exists() else "nothing there", want=want)
        )
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub  # noqa: PLC0415 - comes with the extra

    try:
        return Path(
            huggingface_hub.snapshot_download(
                _qualified(model), ignore_patterns=["*.onnx*", "*.h5", "*.ot", "openvino/*"]
            )
        )
    except Exception as error:  # network, cache and name errors share no class
        got = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
        hint = f"./{model} for a folder; HF_HUB_OFFLINE=0 to download"
        raise ReadError(
            message(f"encoder st:{model}: not a folder here, and no download.", got=got, hint=hint)
        ) from error


def _qualified(model: str) -> str:
    """A bare name belongs to sentence-transformers, as in the package."""
    return model if "/" in model else f"sentence-transformers/{model}"


def _digest(folder: Path) -> str:
    """First 12 hex digits of the SHA-256 over names and contents of the files that make a model."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in _WEIGHTS for file in folder.rglob(pattern) if file.is_file()}):
        with file.open("rb") as data:
            digest.update(f"{file.relative_to(folder)}:{hashlib.file_digest(data, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:12]
