"""Vectors from a server of embeddings that speaks the OpenAI protocol: vLLM, llama.cpp, Ollama, TEI, OpenAI and others.

`endpoint:URL,model=NAME[,key_env=VARIABLE][,..]`. Texts go in requests of at most 64; replies are kept on disk beside the
columns as they come, so that a run that was cut short asks only for the rest. The server may change its model behind the
name: the identity can hold no more than address and name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from triptych.core.errors import SchemaError, SpecError, TriptychError, message, nearest
from triptych.core.places import default_cache
from triptych.endpoints.client import Client, Effort, Failure, Usage
from triptych.endpoints.vectors import unpack
from triptych.endpoints.wire import Endpoint, Question
from triptych.features.unit_rows import unit_rows

Floats = npt.NDArray[np.float32]
BATCH_TEXTS: Final = 64
BATCH_CHARACTERS: Final = 200_000  # servers bound the tokens of a request too
CUTS: Final = 32  # a batch ends where the hash of a text says so: one text more moves one batch, not all that follow
_WHOLE: Final = ("chars", "dimensions", "at_once", "tries")


@final
@dataclass(frozen=True)
class EndpointEncoder:
    """An encoder behind an address.

    Attributes:
        url, model, key_env, timeout: see `triptych.endpoints.wire.Endpoint`.
        chars: longer texts are cut to so many characters; 0: all is sent, and the server decides.
        dimensions: asked of models that can give shorter vectors; 0: what the model gives.
        at_once: requests under way at one time.
        tries: of one request.
    """

    url: str
    model: str
    key_env: str = ""
    chars: int = 0
    dimensions: int = 0
    at_once: int = 8
    tries: int = 7
    timeout: float = 300.0
    at_home: bool = field(default=True, init=False)
    """One process asks: many would together ask more at once than was said."""
    max_tokens: int = field(default=0, init=False)
    """Not known: the server's."""
    usage: Usage = field(default_factory=Usage, init=False, compare=False, repr=False)
    """What all requests of this process took."""

    def __post_init__(self) -> None:
        """Check what can be checked without asking.

        Raises:
            SpecError: no address, or a number out of range.
        """
        if self.chars < 0 or self.dimensions < 0:
            raise SpecError(message("encoder endpoint: chars and dimensions are 0 or above."))
        self._client  # noqa: B018 - made to be checked

    @classmethod
    def named(cls, text: str) -> EndpointEncoder:
        """From what stands behind `endpoint:`.

        Raises:
            SpecError: an unknown or wrong setting.
        """
        url, *pieces = text.split(",")
        given: dict[str, Any] = dict(piece.partition("=")[::2] for piece in pieces)
        known = ("model", "key_env", "timeout", *_WHOLE)
        for name, value in given.items():
            if name not in known:
                what, want = f'encoder endpoint: no setting is called "{name}".', ", ".join(known)
                raise SpecError(message(what, want=want, hint=nearest(name, known)))
            try:
                given[name] = int(value) if name in _WHOLE else float(value) if name == "timeout" else value
            except ValueError:
                raise SpecError(message(f"encoder endpoint: {name} is no number.", got=value)) from None
        if "model" not in given:
            raise SpecError(message("encoder endpoint: no model is named.", want="endpoint:URL,model=NAME"))
        return cls(url, **given)

    @property
    def name(self) -> str:
        """Kind and model."""
        return f"endpoint:{self.model}"

    @property
    def identity(self) -> str:
        """Name, and a hash of address, model and what changes its vectors."""
        parts = [self._client.endpoint.url, self.model, self.chars, self.dimensions]
        return f"{self.name}@{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"

    @property
    def pooling(self) -> str:
        """How tokens become one vector: the server's affair."""
        return "the server's own, scaled to length 1"

    @cached_property
    def dim(self) -> int:
        """Length of a vector: of one word, which is asked once and kept. What comes later must have it too."""
        return len(self._ask([("a",)])[0][0])

    @cached_property
    def _client(self) -> Client:
        body: Mapping[str, Any] = {"dimensions": self.dimensions} if self.dimensions else {}
        endpoint = Endpoint(self.url, self.model, self.key_env, "embeddings", body, self.timeout)
        return Client(endpoint, default_cache() / "replies", Effort(self.at_once, self.tries))

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, dim): unit rows; a zero row for a text of blanks alone, which is not sent.

        Equal texts are sent once.

        Raises:
            TriptychError: not every request got its reply; what came is kept.
            SchemaError: vectors of another length than before.
            UsageError: the key is missing.
        """
        cut = [text[: self.chars] if self.chars else text for text in texts]
        distinct = list(dict.fromkeys(text for text in cut if text.strip()))
        asked = list(_batches(distinct))
        found: dict[str, Floats] = {}
        for batch, rows in zip(asked, self._ask(asked), strict=True):
            found |= zip(batch, rows, strict=True)
        sizes = {len(row) for row in found.values()} - {self.dim}
        if sizes:
            what = f"encoder {self.name}: the vectors are not of one size."
            got, hint = f"{min(sizes)} and {self.dim}", "another model answers than before: name it, or empty the cache"
            raise SchemaError(message(what, got=got, want="one length for all texts", hint=hint))
        nothing = np.zeros(self.dim, np.float32)
        return unit_rows(np.array([found.get(text, nothing) for text in cut]).reshape(len(cut), self.dim), self.name)

    def _ask(self, batches: Sequence[tuple[str, ...]]) -> list[list[Floats]]:
        """The vectors of each batch.

        Raises:
            TriptychError: a batch got no reply.
        """
        answers, took = self._client.ask([Question("", texts=batch) for batch in batches])
        for name, value in took.to_json().items():
            setattr(self.usage, name, getattr(self.usage, name) + value)
        failures = [answer for answer in answers if isinstance(answer, Failure)]
        if failures:
            what = f"encoder {self.name}: {len(failures)} of {len(answers)} requests got no vectors."
            hint = "run it again: replies that came are kept" + ("" if self.chars else "; chars=8000 cuts long texts")
            raise TriptychError(message(what, got=failures[0].reason, hint=hint))
        return [unpack(answer.vectors) for answer in answers if not isinstance(answer, Failure)]


def _batches(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Texts in their order, in batches whose ends hang on the texts themselves."""
    held: list[str] = []
    size = 0
    for text in texts:
        if held and (len(held) == BATCH_TEXTS or size + len(text) > BATCH_CHARACTERS):
            yield tuple(held)
            held, size = [], 0
        held.append(text)
        size += len(text)
        if hashlib.sha256(text.encode(errors="surrogatepass")).digest()[0] % CUTS == 0:
            yield tuple(held)
            held, size = [], 0
    if held:
        yield tuple(held)
