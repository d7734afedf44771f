"""Generation in this process from a GGUF file, by llama.cpp as the package xllamacpp carries it.

A runtime reads a file once and answers many conversations side by side: each has a slot, and the slots' tokens are
computed together. llama.cpp has three kernels for attention on a processor. One works in tiles, from 64 tokens of one
conversation at a time on; one splits a conversation among the threads, from 512 cells on where it is computed alone; one takes a
row after the other. They differ in the last bits, and that moves draws, so an answer would depend on what is asked beside it.
The first two want keys and values of one type, float16 or float32. Unless `fused` asks for whatever is fastest, keys are kept as
float16 and values as bfloat16 (summed in float32), for which there is the third alone. Values kept as float32 would not do: they
are cast to float16 before every step, which takes a fifth of the time and brings the other two back. So the same conversation,
seed and settings give the same bytes, whatever else is asked at the time and with however many threads; that holds for one
release of the package on one kind of processor, and for quantized weights (tried: Q4_0, Q4_1, Q8_0). With weights kept as
float16 the last bits still moved; there nothing is beside an ask only with one slot.

llama.cpp opens a port on the loopback address for its own protocol; it is closed by a key that nobody is told.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from triptych.core.errors import MissingExtraError, ReadError, SpecError, TriptychError, message, nearest
from triptych.language.load import gguf_file

_MAGIC = b"GGUF"


class UnansweredError(TriptychError):
    """One conversation that the model cannot answer (it is longer than the context); others it may."""


@dataclass(frozen=True)
class Room:
    """What a runtime may take.

    Attributes:
        slots: conversations answered side by side.
        context: tokens of a conversation with its answer, at most; each slot holds so many.
        threads: that compute; 0: as many as there are cores idle at the start. More threads than idle cores make it many
            times slower, for they wait for each other at every step.
        fused: whatever kernels of attention are fastest: answers move with what is computed beside them.
    """

    slots: int = 8
    context: int = 2048
    threads: int = 0
    fused: bool = False

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SpecError: one is out of range.
        """
        for what, low, high in (("slots", 1, 256), ("context", 64, 1 << 20), ("threads", 0, 1024)):
            if not low <= getattr(self, what) <= high:
                got = f"{getattr(self, what)}"
                raise SpecError(message(f"language model: {what} is out of range.", got=got, want=f"{low} to {high}"))

    @property
    def workers(self) -> int:
        """Threads that compute."""
        if self.threads:
            return self.threads
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores - round(os.getloadavg()[0]))


@dataclass(frozen=True)
class Draw:
    """How tokens are drawn: from those that make up `top_p` of the probability, at a temperature (0: the likeliest)."""

    temperature: float = 0.8
    top_p: float = 1.0
    seed: int = 0
    max_tokens: int = 256


@dataclass(frozen=True)
class Spoken:
    """An answer: its text, why it ended ("stop" or "length"), and the tokens read and written, its end token included."""

    text: str
    finish: str
    prompt_tokens: int
    tokens: int


class Runtime:
    """A model in memory; threads may share it."""

    def __init__(self, file: Path, room: Room) -> None:
        """Read the file: about half a second for each 100 MB.

        Raises:
            MissingExtraError: xllamacpp is not installed.
            ReadError: the file is no model that it can run.
        """
        lib = _library()
        with file.open("rb") as data:
            if data.read(len(_MAGIC)) != _MAGIC:
                raise ReadError(message(f"language model {file}: this file is no model.", want="a file in GGUF format"))
        params = lib.CommonParams()
        params.model.path = str(file)
        params.n_parallel, params.n_ctx = room.slots, room.slots * room.context
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = room.workers
        if not room.fused:
            params.cache_type_k, params.cache_type_v = lib.ggml_type.GGML_TYPE_F16, lib.ggml_type.GGML_TYPE_BF16
        params.cache_ram_mib, params.warmup, params.verbosity = 0, False, -1
        params.ui, params.endpoint_slots, params.api_keys = False, False, [secrets.token_hex(16)]
        try:
            self._server = lib.Server(params)
        except RuntimeError as error:
            hint = "a smaller context, or another file"
            what = f"language model {file}: the runtime cannot load it."
            raise ReadError(message(what, got=str(error), want="a causal model in GGUF format", hint=hint)) from error
        self.room = room

    def answer(self, turns: Sequence[tuple[str, str]], draw: Draw) -> Spoken:
        """The model's answer to a conversation of roles and texts, in its own chat template.

        Raises:
            UnansweredError: the conversation is too long, or is none that its template knows.
        """
        asked = {
            # A lone surrogate cannot be passed on.
            "messages": [{"role": role, "content": text.encode(errors="replace").decode()} for role, text in turns],
            "max_tokens": draw.max_tokens,
            "temperature": draw.temperature,
            "seed": draw.seed,
            "top_p": draw.top_p,
            "top_k": 0,
            "min_p": 0.0,
            # What is left of an earlier conversation would be read in other pieces, and that moves the last bits.
            "cache_prompt": False,
        }
        told: dict[str, Any] = self._server.handle_chat_completions(asked)
        if "error" in told:
            raise UnansweredError(str(told["error"].get("message") or told["error"]))
        choice, usage = told["choices"][0], told["usage"]
        said = choice["message"].get("content") or ""
        return Spoken(said, choice.get("finish_reason") or "", usage["prompt_tokens"], usage["completion_tokens"])


def opened(model: str, room: Room) -> Runtime:
    """The runtime of a model, the same at the next call; the last two are kept in memory.

    Args:
        model: a GGUF file, a folder that holds one, or the name of one that a package carries (`smollm2`).
        room: what it may take.

    Raises:
        SpecError: it is a model of another form.
        ReadError, MissingExtraError: it cannot be read.
    """
    return _opened(_file(model), room)


def model_identity(model: str) -> str:
    """First 16 hex digits of the SHA-256 of a model's GGUF file; raises as `opened`."""
    file = _file(model)
    found = file.stat()
    return _digest(file, found.st_size, found.st_mtime_ns)


def runs(model: str) -> bool:
    """Whether this model and the runtime are both there."""
    try:
        _library()
        _file(model)
    except (MissingExtraError, ReadError, SpecError):
        return False
    return True


def _file(model: str) -> Path:
    file = gguf_file(model)
    if file is None:
        want = "a .gguf file, or smollm2"
        hint = nearest(model, ["smollm2"]) or 'kind = "hf"'
        raise SpecError(message("language model: no GGUF file.", got=model, want=want, hint=hint))
    return file


@lru_cache(maxsize=2)
def _opened(file: Path, room: Room) -> Runtime:
    return Runtime(file, room)


@lru_cache(maxsize=8)
def _digest(file: Path, size: int, changed: int) -> str:
    del size, changed  # part of the key: a file that was written anew is read anew
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()[:16]


def _library() -> Any:
    """The package xllamacpp.

    Raises:
        MissingExtraError: it is not installed.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        what = "language model: xllamacpp cannot be imported."
        raise MissingExtraError(message(what, want="the extra llamacpp", hint="pip install 'triptych[llamacpp]'"))
    import xllamacpp  # noqa: PLC0415 - a hundred megabytes of code, needed only to generate

    return xllamacpp
