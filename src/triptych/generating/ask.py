"""What the parts of generation share: asks and answers, seeds, what is made, and the four kinds of components.

A *writer* answers asks (an endpoint, a model on this machine, a file of answers). A *method* turns seeds and answers into
records, a *search* wraps a method and says which of its records are worth going on from, a *filter* says which may stay.
Components are final subclasses that are frozen dataclasses: their fields are what a recipe may set, and their file in
`generating/{writers,methods,searches,filters}/` is their registration (or an entry point of `triptych.writers`, ..).

Everything is a pure function of the recipe (its seed included) and of the writer's answers, which are kept on disk. So a
run that was killed is played again from its answers, and nothing is asked twice.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import TriptychError
from triptych.core.spec import Spec, spec_of
from triptych.endpoints.client import Usage

Role: TypeAlias = Literal["system", "user", "assistant"]
Told: TypeAlias = Callable[[int], None]
"""Called with the number of asks that were answered since the last call."""
Vectors: TypeAlias = NDArray[np.float32]


class BudgetSpentError(TriptychError):
    """The budget of tokens or money is spent; the runner ends the run, methods let it pass."""


class Message(NamedTuple):
    """One turn of what a writer is shown."""

    role: Role
    content: str


@dataclass(frozen=True)
class Ask:
    """One request to a writer.

    Attributes:
        messages: the last is the user's.
        purpose: what it is for, in one word ("prompt", "response", "judge", "evolve"): counted by it.
        nonce: tells equal asks apart; two equal asks with one nonce have one answer.
        temperature: of the draw; None: the writer's.
        max_tokens: of the answer; None: the writer's.
    """

    messages: tuple[Message, ...]
    purpose: str
    nonce: int = 0
    temperature: float | None = None
    max_tokens: int | None = None

    @property
    def key(self) -> str:
        """64 hex digits that are the same for the same ask; its purpose is no part of it."""
        body = [list(self.messages), self.nonce, self.temperature, self.max_tokens]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()

    @classmethod
    def of(cls, prompt: str, purpose: str, nonce: int = 0, system: str = "", **more: Any) -> Ask:
        """An ask of one user's message, after a system message where there is one."""
        first = (Message("system", system),) if system else ()
        return cls((*first, Message("user", prompt)), purpose, nonce, **more)


@dataclass(frozen=True)
class Said:
    """What a writer answered.

    Attributes:
        text: of the answer; None where there is none. It may be empty: that the desk turns into a failure.
        reason: why there is none ("" where there is one).
        finish: why it ended, as the writer says ("stop", "length", ..); "" where it does not.
        prompt_tokens, tokens: read and written, as the writer counts; 0 where it does not count.
        seconds: it took when it was first answered.
        cached: it was answered before, and cost nothing now.
    """

    text: str | None
    reason: str = ""
    finish: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cached: bool = False


@dataclass(frozen=True)
class Seed:
    """A record that generation starts from.

    Attributes:
        id: that records name as their parent; different for each seed.
        prompt, response: its texts; None where the data have none.
        row: its other fields, as read (an answer that a verifier compares with, a topic, a document).
    """

    id: str
    prompt: str | None
    response: str | None
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A record that a method made.

    Attributes:
        prompt, response: its texts; neither is empty.
        parents: ids of the seeds or made records that it came from, each once.
        attempt: 0 at the first try of what it is, 1 at the next, ..
        asks, prompt_tokens, tokens, seconds: what it took, failed tries of its own included.
        row: fields that belong to the record (the answer that a verifier compares with).
        extra: columns of the method: persona, operation, node ..; JSON values.
    """

    prompt: str
    response: str
    parents: tuple[str, ...] = ()
    attempt: int = 0
    asks: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    row: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """16 hex digits of its two texts."""
        return hashlib.sha256(json.dumps([self.prompt, self.response]).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Failed:
    """What did not become a record, and why.

    Attributes:
        reason: in few words, the same for the same cause: it is counted by.
        text: what came instead, as far as it helps to see why.
        others: as in `Made`.
    """

    reason: str
    text: str = ""
    parents: tuple[str, ...] = ()
    attempt: int = 0
    asks: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    extra: Mapping[str, Any] = field(default_factory=dict)


Batch: TypeAlias = list[Made | Failed]


class Took(NamedTuple):
    """What answers took together: `Made(prompt, response, **took(said)._asdict())`."""

    asks: int
    prompt_tokens: int
    tokens: int
    seconds: float


def took(*said: Said) -> Took:
    """Asks, tokens and seconds of these answers."""
    return Took(
        len(said),
        sum(each.prompt_tokens for each in said),
        sum(each.tokens for each in said),
        sum(each.seconds for each in said),
    )


class Desk(Protocol):
    """What methods, searches and filters work with."""

    @property
    def seeds(self) -> Sequence[Seed]:
        """The seeds, in the order drawn; empty where the recipe has none."""

    @property
    def batch(self) -> int:
        """How many records a method should make at a time."""

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        """The answers, in order: concurrent, tried again, kept, counted.

        An answer that is empty or a refusal comes back without a text and with the reason.

        Raises:
            BudgetSpentError: the budget does not allow for the next of them.
            TriptychError: the writer cannot go on.
        """

    def file(self, name: str) -> Path:
        """A file that the recipe names, as a path from here: it is looked for beside the recipe."""

    def rng(self, *labels: str | int) -> np.random.Generator:
        """A stream of its own for these labels, under the recipe's seed."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, float32 (n, d), of the packaged encoder."""

    def grade(self, prompt: str, response: str, row: Mapping[str, Any]) -> float | None:
        """The recipe's quality of a record, higher is better; None where it cannot be said.

        Raises:
            SpecError: the recipe has no [grade].
        """

    def grades(self, made: Sequence[Made]) -> list[float | None]:
        """The same of many records at once, which a judge answers side by side."""


@dataclass(frozen=True)
class Price:
    """Of a million tokens, in the user's currency."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt_tokens: int, tokens: int) -> float:
        """Money for these tokens."""
        return (self.prompt * prompt_tokens + self.completion * tokens) / 1e6


@dataclass(frozen=True)
class Plan:
    """What asks would take, before they are sent.

    Attributes:
        requests: number of them.
        prompt_tokens: that would be read: an estimate.
        tokens: that would be written at most.
        seconds: None where it is not known.
        money: None where the writer has no price.
    """

    requests: int
    prompt_tokens: int
    tokens: int
    seconds: float | None = None
    money: float | None = None


class Writer(ABC):
    """Answers asks.

    Attributes:
        kind: as in a recipe.
        version: bumped when it answers otherwise for equal parameters.
        purposes: of the asks that it can answer; empty: of any.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    purposes: ClassVar[tuple[str, ...]] = ()

    @property
    def spec(self) -> Spec:
        """Kind, parameters and version; a writer whose model is a file adds the identity of the file."""
        return spec_of(self, kind=self.kind, version=self.version)

    @property
    def licence(self) -> str:
        """Licence or terms of what it writes, as the user or the model's card says; "" where nobody does."""
        return ""

    @property
    def price(self) -> Price | None:
        """What its tokens cost; None where that is not told."""
        return None

    @abstractmethod
    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        """The answers, in the order of the asks.

        Args:
            asks: any number; the desk sends no two with one key at a time.
            keep: folder in which answers are kept as they come, keyed by what is sent and the nonce (`answers_in` of
                `generating.keep` does it for a writer that has no store of its own); None: nothing is kept.
            done: told as answers come.

        Raises:
            TriptychError: nobody answers, or every other ask would fail likewise. One ask that fails is a `Said`.
        """

    def asked(
        self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None
    ) -> tuple[list[Said], Usage | None]:
        """As `write`, with what the requests took now, tries that failed included; None where there are none to count."""
        return self.write(asks, keep, done), None

    def beside(self, folder: Path) -> Writer:
        """The writer with the files that it names looked for in this folder; itself where it names none."""
        del folder
        return self

    def plan(self, asks: Sequence[Ask]) -> Plan:
        """What these asks would take: prompt tokens from the length of the texts, tokens at their most."""
        read = sum(-(-sum(len(m.content) for m in ask.messages) // 4) + 8 * len(ask.messages) for ask in asks)
        written = sum(ask.max_tokens or self.most_tokens for ask in asks)
        money = self.price.of(read, written) if self.price else None
        return Plan(len(asks), read, written, None, money)

    @property
    def most_tokens(self) -> int:
        """Of an answer to an ask that does not say: the writer's `max_tokens`, or 512."""
        return int(getattr(self, "max_tokens", None) or 512)


class Method(ABC):
    """Makes records from seeds and answers.

    Attributes:
        name: as in a recipe.
        source: the paper it follows.
        needs: what of the seeds it cannot do without: "prompt", "response"; empty: it works without seeds.
    """

    name: ClassVar[str]
    source: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()

    @property
    def spec(self) -> Spec:
        """Name and parameters."""
        return spec_of(self, kind=self.name)

    @abstractmethod
    def make(self, desk: Desk) -> Iterator[Batch]:
        """Batches of about `desk.batch` records, without end; the runner stops taking them.

        A method that has nothing more to make ends: the run then ends short of its budget, and says so.
        """


class Search(ABC):
    """Says which of a method's records to go on from, or to hand on.

    Attributes:
        name: as in a recipe.
        source: the paper it follows.
        graded: whether it needs the recipe's [grade].
    """

    name: ClassVar[str]
    source: ClassVar[str] = ""
    graded: ClassVar[bool] = False

    @property
    def spec(self) -> Spec:
        """Name and parameters."""
        return spec_of(self, kind=self.name)

    @abstractmethod
    def make(self, method: Method, desk: Desk) -> Iterator[Batch]:
        """As `Method.make`; what the search itself drops comes as `Failed`."""


@dataclass(frozen=True)
class Kept:
    """A record that a filter lets pass; `value`: what it looked at, written beside the record."""

    value: float | None = None


@dataclass(frozen=True)
class Dropped:
    """A record that a filter drops.

    Attributes:
        reason: in few words, the same for the same cause.
        value: what it looked at.
    """

    reason: str
    value: float | None = None


Verdict: TypeAlias = Kept | Dropped


class Gate(ABC):
    """A filter at work in one run: what it has seen is its state."""

    @abstractmethod
    def judge(self, batch: Sequence[Made]) -> list[Verdict]:
        """One verdict for each record, in order; a later record of the batch may be judged by an earlier one."""

    def keep(self, batch: Sequence[Made]) -> None:  # noqa: B027 - most filters have nothing to remember
        """Told which records all filters let pass, after each batch."""


class Filter(ABC):
    """Says which records may stay.

    Attributes:
        name: as in a recipe.
        source: the paper it follows.
        graded: whether it needs the recipe's [grade].
    """

    name: ClassVar[str]
    source: ClassVar[str] = ""
    graded: ClassVar[bool] = False

    @property
    def spec(self) -> Spec:
        """Name and parameters."""
        return spec_of(self, kind=self.name)

    @abstractmethod
    def begin(self, desk: Desk) -> Gate:
        """The filter at the start of a run.

        Raises:
            InputError: it cannot work with this recipe.
        """
