"""A judge: a model behind an endpoint that grades each record from 1 to 6.

Columns `judge.quality` and `judge.complexity`, and with each the probability that the judge gave to the six grades
(`judge.quality_mass`). One request for each record and criterion, at temperature 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from triptych.annotating.annotator import Annotator, Item, Outcome, Paid
from triptych.annotating.named import parameters_of
from triptych.annotating.rubric import SYSTEM, Criterion, grade, question, template_hash
from triptych.core.errors import SpecError, UsageError, message
from triptych.core.plugins import build
from triptych.endpoints.client import Answer, Client, Effort, Failure, Usage
from triptych.endpoints.replies import Reply
from triptych.endpoints.wire import Endpoint, Question, Style

VERSION = 1
NO_TEXT = "the record has no text"
REFUSES_TOPS = "the server refuses log-probabilities: name the judge with tops=0"
CRITERIA: tuple[Criterion, ...] = ("quality", "complexity")
_CHARACTERS = 4
"""In a token, about."""


@dataclass(frozen=True)
class Bench:
    """The model that judges, and how it is asked: what stands behind `--judge URL,model=NAME,..`.

    Attributes:
        url, model, key_env, style, timeout: as of an endpoint.
        body: more fields of a request, as JSON.
        at_once, tries: how hard it is asked.
        max_tokens: of a reply: a model that thinks before it grades needs hundreds.
        tops: how many of the likeliest tokens are asked for at each place; 0: none, for servers that refuse.
        temperature, seed: of the draw; another seed is another judgement by the same judge.
    """

    url: str
    model: str
    key_env: str = ""
    style: Style = "chat"
    timeout: float = 120.0
    body: str = ""
    at_once: int = 8
    tries: int = 4
    max_tokens: int = 8
    tops: int = 20
    temperature: float = 0.0
    seed: int = 0

    ARGUMENT: ClassVar[str] = "url"

    def __post_init__(self) -> None:
        """Check what the endpoint does not.

        Raises:
            SpecError: a number out of range, or a body that is no JSON object.
        """
        for name, low, high in (("max_tokens", 1, 1 << 20), ("tops", 0, 1000), ("temperature", 0, 10)):
            if not low <= getattr(self, name) <= high:
                got = f"{name}={getattr(self, name)}"
                raise SpecError(message(f"judge: {name} is out of range.", got=got, want=f"{low} to {high}"))
        self.client()

    def client(self) -> Client:
        """Who asks; replies are not kept by it, for what they say is."""
        try:
            body = json.loads(self.body or "{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise SpecError(message("judge: body is no JSON object.", got=self.body, want='body={"top_p":1}'))
        endpoint = Endpoint(self.url, self.model, self.key_env, self.style, body, self.timeout)
        return Client(endpoint, None, Effort(self.at_once, self.tries))

    def question(self, text: str) -> Question:
        """A request; a model that continues texts is told the instructions in the text."""
        whole = text if self.style == "chat" else f"{SYSTEM}\n\n{text}\n\nGrade:"
        system = SYSTEM if self.style == "chat" else ""
        return Question(whole, self.temperature, self.seed, self.max_tokens, system, tops=self.tops)

    def costs(self, texts: Collection[str]) -> str:
        """What asking these would cost, in words."""
        tokens = sum(len(text) + len(SYSTEM) for text in texts) // _CHARACTERS
        written = len(texts) * self.max_tokens
        return (
            f"{len(texts):,} requests to {self.url}, about {tokens:,} tokens to read and at most {written:,} to write"
        )

    @property
    def identity(self) -> str:
        """What a reply depends on beside the question."""
        drawn = (f"{self.temperature:g}", self.seed)
        asked = (self.client().endpoint.url, self.style, self.body, self.max_tokens, self.tops, *drawn)
        return f"{self.model} at {' '.join(map(str, asked))}"


def bench_of(named: str) -> Bench:
    """The judge as named on the command line.

    Raises:
        UsageError: not of the form URL,model=NAME,..
        SpecError: an unknown parameter, or one out of range.
    """
    url, given = parameters_of(named)
    if "=" in url.split("/", 1)[0] or not url or "model" not in given:
        want = "URL,model=NAME, such as http://localhost:8000/v1,model=qwen"
        raise UsageError(message("a judge is named by its address and its model.", got=named, want=want))
    return build(Bench, "judge", "judge", {"url": url, **given})


@dataclass(frozen=True)
class Judge(Annotator):
    """Grades one criterion."""

    bench: Bench
    criterion: Criterion
    _noted: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    name: ClassVar[str] = "judge"

    @property
    def title(self) -> str:
        """With the model."""
        return f"judge of {self.criterion} ({self.bench.model})"

    @property
    def gives(self) -> tuple[str, ...]:
        """The grade, and the probability of the six grades together."""
        return (f"judge.{self.criterion}", f"judge.{self.criterion}_mass")

    @property
    def identity(self) -> str:
        """Criterion, prompts, model."""
        return f"judge {VERSION} {self.criterion} {template_hash()} {self.bench.identity}"

    def plan(self, items: Sequence[Item]) -> str:
        """Requests and tokens."""
        return self.bench.costs({text for item in items if (text := question(item, self.criterion))})

    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """Grade the records, as replies come; records that are asked about in the same words are asked about once."""
        asked: list[tuple[bytes, Question]] = []
        for item in items:
            text = question(item, self.criterion)
            if text is None:
                yield item.content_id, NO_TEXT
            else:
                asked.append((item.content_id, self.bench.question(text)))
        for key, answer in asked_of(self.bench, asked, self._noted):
            yield key, self._outcome(answer)

    def _outcome(self, answer: Answer) -> Outcome:
        if isinstance(answer, Failure):
            return failure_of(answer)
        found = self.read(answer)
        return found if isinstance(found, str) else dict(zip(self.gives, found, strict=True))

    @staticmethod
    def read(reply: Reply) -> tuple[float, float | None] | Paid:
        """Grade and mass of a reply, or why there are none."""
        found = grade(reply)
        return Paid(found) if isinstance(found, str) else (found.value, found.mass)

    def notes(self) -> Mapping[str, Any]:
        """Requests and tokens of the last `annotate`."""
        return dict(self._noted)


def asked_of(
    bench: Bench, asked: Sequence[tuple[bytes, Question]], noted: dict[str, Any]
) -> Iterator[tuple[bytes, Answer]]:
    """The answer to each question by its key, as they come; what they took is noted."""
    usage = Usage()
    noted.clear()
    try:
        for place, answer in bench.client().stream([each for _, each in asked], usage):
            yield asked[place][0], answer
    finally:
        noted.update(usage.to_json())


def failure_of(failure: Failure) -> str:
    """Why a request got no reply, without what differs from record to record."""
    if "logprob" in failure.reason.lower():
        return REFUSES_TOPS
    return re.sub(r"\s*\(\d+ tries\)$", "", failure.reason.partition(": ")[0])
