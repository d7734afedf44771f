"""A model behind an endpoint that speaks the OpenAI protocol: vLLM, llama.cpp, Ollama, a hosted one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

from triptych.core.spec import Spec
from triptych.endpoints.client import Answer, Client, Effort, Failure, Usage
from triptych.endpoints.wire import Endpoint, Question, Style, body_fields
from triptych.generating.ask import Ask, Price, Said, Told, Writer
from triptych.generating.told import values
from triptych.generating.writers._answering import check, seed_of


@final
@dataclass(frozen=True)
class EndpointWriter(Writer):
    """A served model. Replies are kept by what was sent, each in a file of its own: a paid request is never sent twice.

    Attributes:
        url: the address of the API ("http://localhost:8000/v1").
        model: its name there.
        key_env: environment variable that holds the key; "": none is sent.
        temperature: of draws.
        max_tokens: of an answer; 0: what the server thinks fit.
        style: chat, or text for models that continue a text: messages are then put below each other.
        body: more fields of a request, as a JSON object; null takes one of ours out: {"seed": null}.
        at_once, tries, pause, timeout: requests under way at one time; tries of one; seconds before the second try,
            doubled for each further one; seconds for one.
        price: of a million tokens, read and written.
        licence: of what it writes, or the terms of the service.
    """

    kind: ClassVar[str] = "endpoint"

    url: str
    model: str
    key_env: str = ""
    temperature: float = 0.8
    max_tokens: int = 512
    style: Style = "chat"
    body: str = ""
    at_once: int = 8
    tries: int = 7
    pause: float = 1.0
    timeout: float = 300.0
    price: Price | None = None
    licence: str = ""

    def __post_init__(self) -> None:
        """Check what can be checked without asking.

        Raises:
            SpecError: no address, a number out of range, a body that is no JSON object.
        """
        check(self.kind, temperature=(self.temperature, 0, 100), max_tokens=(self.max_tokens, 0, math.inf))
        self.client(None)

    @property
    def spec(self) -> Spec:
        """Kind and parameters; the price as an object."""
        return Spec(self.kind, values(self), self.version)

    def client(self, kept: Path | None) -> Client:
        """What asks the endpoint, keeping replies in this folder."""
        endpoint = Endpoint(self.url, self.model, self.key_env, self.style, body_fields(self.body), self.timeout)
        return Client(endpoint, kept, Effort(self.at_once, self.tries, self.pause))

    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        """The answers, in the order of the asks; one that fails after all its tries comes back with the reason.

        Raises:
            TriptychError: nobody is there, the key or the model's name is wrong, or many asks failed in a row.
            UsageError: the key is missing.
        """
        return self.asked(asks, keep, done)[0]

    def asked(
        self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None
    ) -> tuple[list[Said], Usage]:
        """As `write`, with what the requests took."""
        usage = Usage()
        found: list[Said] = [Said(None, "no answer came")] * len(asks)
        client = self.client(None if keep is None else keep / "replies")
        for place, answer in client.stream([self._question(ask) for ask in asks], usage):
            found[place] = _said(answer)
            if done is not None:
                done(1)
        return found, usage

    def _question(self, ask: Ask) -> Question:
        temperature = self.temperature if ask.temperature is None else ask.temperature
        more: dict[str, Any] = {"temperature": temperature, "max_tokens": ask.max_tokens or self.max_tokens or None}
        *before, last = ask.messages
        if self.style == "text":
            return Question("\n\n".join(turn.content for turn in ask.messages), seed=seed_of(ask), **more)
        turns = tuple((turn.role, turn.content) for turn in before)
        return Question(last.content, seed=seed_of(ask), turns=turns, **more)


def _said(answer: Answer) -> Said:
    if isinstance(answer, Failure):
        return Said(None, answer.reason)
    read, written = answer.prompt_tokens or 0, answer.tokens or 0
    return Said(answer.text, "", answer.finish or "", read, written, answer.seconds, answer.kept)
