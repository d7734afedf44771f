"""A model behind an endpoint that speaks the OpenAI protocol writes prompts, or answers given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from triptych.core.errors import SpecError, TriptychError, UsageError, message
from triptych.core.places import default_cache
from triptych.endpoints.client import Answer, Client, Effort, Usage
from triptych.endpoints.replies import Reply
from triptych.endpoints.wire import Endpoint, Question, Style, body_fields
from triptych.looping.generators.base import Asked, Batch, Generator
from triptych.looping.records import Written
from triptych.studies.trainers.trainer import Example, Model

_ORDERS = ("before", "after")


@final
@dataclass(frozen=True)
class EndpointGenerator(Generator):
    """A served model.

    A prompt that it writes is its answer to `Asked.write`, white space at the ends cut off; each is asked for with a seed
    of its own. Records whose prompt or response did not come are left out and counted.

    Attributes:
        url: the address of the API ("http://localhost:8000/v1").
        model: its name there.
        key_env: environment variable that holds the key; "": none is sent.
        style: chat, or text for models that continue a text.
        system: a system message before every prompt; of the style text, what stands right before it: examples.
        max_tokens: of one reply; 0: what the server thinks fit.
        logprobs: ask for log-probabilities of the tokens; not every server has them.
        min_p: when the server cuts off tokens that are less likely than `min_p` times the likeliest one: "before" the
            temperature (llama.cpp), or "after" it (vLLM), where min_p^(1 / temperature) is the same; "": it is not told.
        hottest: the highest temperature that policies may ask for prompts at; OpenAI allows 2, vLLM more.
        body: more fields of a request, as a JSON object; null takes one of ours out: {"seed": null}.
        at_once, tries, timeout: requests under way at one time; tries of one; seconds for one.
    """

    name: ClassVar[str] = "endpoint"
    asks_model: ClassVar[bool] = False
    effort: ClassVar[frozenset[str]] = frozenset({"key_env", "at_once", "tries", "timeout"})

    url: str
    model: str
    key_env: str = ""
    style: Style = "chat"
    system: str = ""
    max_tokens: int = 0
    logprobs: bool = False
    min_p: Literal["", "before", "after"] = ""
    hottest: float = 2.0
    body: str = ""
    at_once: int = 8
    tries: int = 7
    timeout: float = 300.0

    def __post_init__(self) -> None:
        """Check what can be checked without asking.

        Raises:
            SpecError: no address, a number or a word out of range, a body that is no JSON object.
        """
        self.client(None)
        if self.min_p not in {"", *_ORDERS}:
            raise SpecError(message("endpoint: unknown min_p.", got=self.min_p, want=", ".join(_ORDERS)))
        if not self.hottest > 0:
            raise SpecError(message("endpoint: hottest is out of range.", got=f"{self.hottest:g}", want="above 0"))
        if self.max_tokens < 0:
            got = f"{self.max_tokens}"
            raise SpecError(message("endpoint: max_tokens is out of range.", got=got, want="0 or more"))

    @property
    def cuts(self) -> bool:
        """Whether the server is told to cut unlikely tokens off."""
        return bool(self.min_p)

    def client(self, kept: Path | None) -> Client:
        """What asks the endpoint, keeping replies in this folder."""
        endpoint = Endpoint(self.url, self.model, self.key_env, self.style, body_fields(self.body), self.timeout)
        return Client(endpoint, kept, Effort(self.at_once, self.tries))

    def check(self, prompts: Sequence[Example] | None, write: str) -> None:
        """Look whether it has prompts, or knows how to ask for them.

        Raises:
            UsageError: it has not.
        """
        if prompts is None and not write.strip():
            what = "generator endpoint: nothing says how to ask for a prompt."
            raise UsageError(message(what, want='[model] write = "Write one .."', hint='[generator] prompts = "FILE"'))

    def write(self, asked: Asked, model: Model | None) -> Batch:
        """Write the records of a round.

        Raises:
            TriptychError: nothing came back, or the endpoint cannot be asked.
            UsageError: the key is missing, or nothing says how to ask for a prompt.
        """
        del model
        self.check(asked.prompts, asked.write)
        client = self.client((asked.keep if asked.keep is not None else default_cache()) / "replies")
        if asked.prompts is not None:
            return self._given(client, asked, asked.prompts)
        return self._own(client, asked)

    def _own(self, client: Client, asked: Asked) -> Batch:
        temperatures = asked.temperatures()
        seeds = asked.draws(len(temperatures), "endpoint prompts")
        most = asked.prompt_tokens
        asks = [
            self._question(asked, asked.write, t, seed, most, self._cut(asked.dials.min_p, t))
            for t, seed in zip(temperatures, seeds, strict=True)
        ]
        said, usage = client.ask(asks)
        notes = _notes("prompts", said, usage)
        made = [place for place, answer in enumerate(said) if isinstance(answer, Reply) and answer.text.strip()]
        if not made:
            what = f"generator endpoint: none of {len(said)} replies holds a prompt."
            raise TriptychError(message(what, got="empty texts", hint="another write, or more max_tokens"))
        replies = [said[place] for place in made]
        prompts = [reply.text.strip() for reply in replies if isinstance(reply, Reply)]
        answers, usage = self._answers(client, asked, prompts)
        written, likelihood = [], []
        for place, prompt, reply, answer in zip(made, prompts, replies, answers, strict=True):
            if isinstance(answer, Reply):
                written.append(Written(prompt, answer.text, asked.dials.temperature, temperatures[place]))
                likelihood.append(_likelihood(reply, answer))
        return Batch(tuple(written), tuple(likelihood), notes | _notes("responses", answers, usage))

    def _given(self, client: Client, asked: Asked, prompts: Sequence[Example]) -> Batch:
        places = asked.answering()
        answers, usage = self._answers(client, asked, [prompts[place].prompt for place in places])
        written, likelihood = [], []
        for place, answer in zip(places, answers, strict=True):
            if isinstance(answer, Reply):
                item = prompts[place]
                written.append(Written(item.prompt, answer.text, asked.dials.temperature, None, str(place), item.row))
                likelihood.append(_likelihood(answer))
        return Batch(tuple(written), tuple(likelihood), _notes("responses", answers, usage))

    def _answers(self, client: Client, asked: Asked, prompts: Sequence[str]) -> tuple[list[Answer], Usage]:
        seeds, t = asked.draws(len(prompts), "endpoint responses"), asked.dials.temperature
        most = asked.response_tokens
        return client.ask(
            [self._question(asked, prompt, t, seed, most) for prompt, seed in zip(prompts, seeds, strict=True)]
        )

    def _cut(self, least: float, temperature: float) -> float:
        """`Dials.min_p` as the server means it; 0: it is not told."""
        if not self.min_p or not least or not temperature:
            return 0.0
        return least if self.min_p == "before" else least ** (1 / temperature)

    def _question(
        self, asked: Asked, prompt: str, temperature: float, seed: int, most: int | None, least: float = 0.0
    ) -> Question:
        tokens, told = most or self.max_tokens or None, self.logprobs and asked.likelihood
        if self.style == "text":
            return Question(self.system + prompt, temperature, seed, tokens, logprobs=told, min_p=least)
        return Question(prompt, temperature, seed, tokens, self.system, told, min_p=least)


def _likelihood(*replies: Answer) -> float | None:
    """Log-likelihood per token over these replies; None where one does not tell."""
    total, tokens = 0.0, 0
    for reply in replies:
        if not isinstance(reply, Reply) or reply.log_likelihood is None:
            return None
        total, tokens = total + reply.log_likelihood, tokens + reply.scored
    return total / tokens if tokens else None


def _notes(what: str, answers: Sequence[Answer], usage: Usage) -> dict[str, Any]:
    """What requests took, which failed, and how many replies were cut at the most tokens."""
    failed = [answer.reason for answer in answers if not isinstance(answer, Reply)]
    cut = sum(isinstance(answer, Reply) and answer.finish == "length" for answer in answers)
    told: dict[str, Any] = usage.to_json() | {"failed": len(failed), "cut": cut}
    return {what: told | ({"first_failed": failed[0]} if failed else {})}
