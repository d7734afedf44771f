"""One encoder in a process of its own: encodes the same texts each time a line comes in, and tells its CPU seconds.

`encoders.py` starts one such process for each encoder, in different environments, and lets them take turns. Ours are
imported only where they are asked for.
"""

# ruff: noqa: PLC0415 - each side imports what its environment has

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

Encode = Callable[[list[str]], Any]


def weights(folder: Path) -> Path:
    """Where model.safetensors of all-MiniLM-L6-v2 lies."""
    return Path(json.loads((folder / "weights.json").read_text()))


def minilm(folder: Path) -> Encode:
    from triptych.features.minilm import MiniLMEncoder

    return MiniLMEncoder(weights(folder)).encode


def onnx(folder: Path) -> Encode:
    from triptych.features.onnx_encoder import OnnxEncoder

    encoder = OnnxEncoder.minilm(weights(folder))
    return encoder.encode


def static(_: Path) -> Encode:
    from triptych.features.static_encoder import StaticEncoder

    return StaticEncoder.load().encode


def tokenizer(_: Path) -> Encode:
    """The tokenizers package alone: no encoder that reads word pieces can be faster."""
    from triptych.features.static_encoder import StaticEncoder, shipped_tokenizer

    alone = shipped_tokenizer(StaticEncoder.load().max_tokens)
    return lambda texts: [row.ids for row in alone.encode_batch_fast(texts, add_special_tokens=False)] and None


def sentence_transformers(batch: int) -> Callable[[Path], Encode]:
    def start(folder: Path) -> Encode:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(1)
        model = SentenceTransformer(str(weights(folder)), device="cpu")
        return lambda texts: model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)

    return start


def model2vec(folder: Path) -> Encode:
    """A model of the usual size with random vectors: no package carries trained ones, and its speed hangs on none."""
    import numpy as np
    from model2vec import StaticModel
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(weights(folder) / "tokenizer.json"))
    rows = np.random.default_rng(0).normal(size=(words.get_vocab_size(), 256)).astype(np.float32)
    words.no_padding()
    model = StaticModel(rows, words, normalize=True)
    return lambda texts: model.encode(texts, max_length=256, use_multiprocessing=False)


TASKS = {
    "minilm": minilm,
    "onnx": onnx,
    "static": static,
    "tokenizer": tokenizer,
    "sentence_transformers_32": sentence_transformers(32),
    "sentence_transformers_8": sentence_transformers(8),
    "model2vec": model2vec,
}


def main() -> None:
    if len(sys.argv) != 4:
        print("run by benchmarks/encoders.py; tasks: " + ", ".join(TASKS))
        return
    task, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    with suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    texts = json.loads((folder / f"{name}.json").read_text())
    encode = TASKS[task](folder)
    vectors = encode(texts[:64])  # what is made at the first call is not what is measured
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    answers.write("ready\n")
    for _ in sys.stdin:
        started = time.process_time()
        vectors = encode(texts)
        answers.write(json.dumps(time.process_time() - started) + "\n")
    if vectors is not None:
        import numpy as np

        np.save(folder / f"{task}.npy", vectors)


if __name__ == "__main__":
    main()
