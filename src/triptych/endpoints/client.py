"""Many requests to one endpoint: a bounded number at once, tried again, and each paid for once.

A reply is kept in a file named by a hash of its request, so that a killed run asks on where it was. Failures of the moment
(429, 500, a cut connection, an answer that is no JSON) are tried again after a pause that doubles each time; where the
server says how long to wait, all requests wait. What no other try cures fails that one request; what every request would
meet (a wrong key, no such model, nobody there) stops the run, as many failures in a row do.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from triptych.core.errors import SpecError, TriptychError, message
from triptych.core.profile import write_text
from triptych.core.rng import stream
from triptych.endpoints.replies import AgainError, RefusedError, Reply
from triptych.endpoints.wire import Endpoint, Question, body_of, opener_of, send

SCHEMA = "triptych/reply@1"
GIVE_UP = 24
"""Requests that fail one after the other, each after all its tries, before the run stops."""
_LONGEST_PAUSE = 60.0
_GRACE = 2.0
"""Seconds that requests under way have when a run is stopped."""
_PATIENCE = 900.0
"""Seconds that a server may ask us to wait."""


@dataclass(frozen=True)
class Failure:
    """A request that got no reply, and why."""

    reason: str


Answer: TypeAlias = Reply | Failure


@dataclass(frozen=True)
class Effort:
    """How hard a client tries.

    Attributes:
        at_once: requests under way at one time.
        tries: of one request.
        pause: seconds before the second try; doubled for each further one, up to a minute.
    """

    at_once: int = 8
    tries: int = 7
    pause: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SpecError: one is out of range.
        """
        for what, low, high in (("at_once", 1, 1024), ("tries", 1, 100), ("pause", 0, _LONGEST_PAUSE)):
            if not low <= getattr(self, what) <= high:
                got = f"{getattr(self, what)}"
                raise SpecError(message(f"endpoint: {what} is out of range.", got=got, want=f"{low} to {high:g}"))


@dataclass
class Usage:
    """What requests took.

    Attributes:
        requests: that were answered now; `cached` were answered before.
        retried: tries beyond the first.
        ambiguous: tries that the server may have answered, and charged for, though no whole reply came: a cut
            connection, no reply in time, an answer that cannot be read.
        failed: requests without a reply.
        prompt_tokens, tokens: of the replies that say, as counted by the server; cached ones are not counted again.
        uncounted: replies that do not say.
    """

    requests: int = 0
    cached: int = 0
    retried: int = 0
    ambiguous: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    uncounted: int = 0

    def add(self, reply: Reply) -> None:
        """Count a reply."""
        self.requests += 1
        if reply.prompt_tokens is None or reply.tokens is None:
            self.uncounted += 1
        self.prompt_tokens += reply.prompt_tokens or 0
        self.tokens += reply.tokens or 0

    def to_json(self) -> dict[str, int]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Client:
    """Asks one endpoint.

    Attributes:
        endpoint: who is asked.
        kept: folder of replies; None: none is kept.
        effort: how hard.
    """

    endpoint: Endpoint
    kept: Path | None = None
    effort: Effort = field(default_factory=Effort)

    def ask(
        self, questions: Sequence[Question], done: Callable[[int, int], None] | None = None
    ) -> tuple[list[Answer], Usage]:
        """A reply or a failure for each question, in order, and what they took.

        Equal questions (seed included) are asked once.

        Args:
            questions: any number.
            done: called with how many are answered, and of how many.

        Raises:
            TriptychError: no reply came at all, or what went wrong would go wrong with every request.
            UsageError: the key is missing.
        """
        usage, answers = Usage(), dict[str, Answer]()
        keys = [self._key(question) for question in questions]
        asked = dict(zip(keys, questions, strict=True))
        for key, answer, now in self._each(asked, usage):
            answers[key] = answer
            if now and done is not None:
                done(len(answers), len(asked))
        found = [answers[key] for key in keys]
        failures = [answer for answer in found if isinstance(answer, Failure)]
        usage.failed = len(failures)
        if found and len(failures) == len(found):
            what = f"endpoint {self.endpoint.url}: none of {len(found)} requests got a reply."
            raise TriptychError(message(what, got=f"{failures[0].reason}, for the first"))
        return found, usage

    def stream(self, questions: Sequence[Question], usage: Usage | None = None) -> Iterator[tuple[int, Answer]]:
        """The place of each question with its answer, as they come; equal questions are asked once.

        Args:
            questions: any number.
            usage: what they took is added here; `failed` counts requests.

        Raises:
            TriptychError: what went wrong would go wrong with every request that is left.
            UsageError: the key is missing.
        """
        keys = [self._key(question) for question in questions]
        places: dict[str, list[int]] = {}
        for place, key in enumerate(keys):
            places.setdefault(key, []).append(place)
        usage = Usage() if usage is None else usage
        for key, answer, _ in self._each(dict(zip(keys, questions, strict=True)), usage):
            usage.failed += isinstance(answer, Failure)
            yield from ((place, answer) for place in places[key])

    def _each(self, asked: Mapping[str, Question], usage: Usage) -> Iterator[tuple[str, Answer, bool]]:
        """Key, answer, and whether it was asked for now: first the replies that were kept, then the others as they come."""
        pending = []
        for key, question in asked.items():
            reply = self._remembered(key)
            if reply is None:
                pending.append((key, question))
            else:
                usage.cached += 1
                yield key, reply, False
        if pending:
            for key, answer in _Work(self, pending, usage).run():
                yield key, answer, True

    def remember(self, key: str, question: Question, reply: Reply) -> None:
        """Keep a reply."""
        if self.kept is None:
            return
        request = {"url": self.endpoint.url, "style": self.endpoint.style, "body": body_of(self.endpoint, question)}
        document = {"schema": SCHEMA, "request": request, "reply": asdict(reply)}
        # ASCII: a lone surrogate in a text must come back as it was.
        write_text(self._file(self.kept, key), json.dumps(document, allow_nan=False) + "\n")

    def _remembered(self, key: str) -> Reply | None:
        """A reply that was kept; None where there is none that can be read."""
        if self.kept is None:
            return None
        try:
            document = json.loads(self._file(self.kept, key).read_text(encoding="utf-8"))
            if document["schema"] != SCHEMA:
                return None
            tops = tuple((token, tuple(map(tuple, top))) for token, top in document["reply"].pop("tops", ()))
            vectors = tuple(document["reply"].pop("vectors", ()))
            return replace(Reply(**document["reply"], tops=tops, vectors=vectors), kept=True)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _key(self, question: Question) -> str:
        """Hash of what is asked, of whom, and of the draw, which `body` may take out of the request."""
        parts = [self.endpoint.url, self.endpoint.style, body_of(self.endpoint, question), question.seed]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @staticmethod
    def _file(folder: Path, key: str) -> Path:
        return folder / key[:2] / f"{key}.json"


class _HopelessError(Exception):
    """What every other request would meet too."""


class _Work:
    """Requests under way: threads that take the next question until there is none.

    The threads end with the process: an interrupted run does not wait for replies.
    """

    def __init__(self, client: Client, pending: Sequence[tuple[str, Question]], usage: Usage) -> None:
        self._client, self._usage, self._count = client, usage, len(pending)
        self._key, self._opener = client.endpoint.key, opener_of(client.endpoint)
        self._pending = iter(pending)
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._answered: queue.SimpleQueue[tuple[str, Answer | Exception]] = queue.SimpleQueue()
        self._not_before, self._reached = 0.0, False
        self._threads: list[threading.Thread] = []

    def run(self) -> Iterator[tuple[str, Answer]]:
        """The answer of each key, as they come.

        Raises:
            TriptychError: no other request would fare better, or a reply cannot be kept.
        """
        for _ in range(min(self._client.effort.at_once, self._count)):
            thread = threading.Thread(target=self._take, daemon=True)
            self._threads.append(thread)
            thread.start()
        row = 0
        try:
            for place in range(self._count):
                key, answer = self._answered.get()
                if isinstance(answer, Exception):
                    rest = self._under_way()
                    yield from rest
                    told = str(answer) if isinstance(answer, _HopelessError) else f"{type(answer).__name__}: {answer}"
                    raise self._stopped(told, place + len(rest)) from answer
                row = row + 1 if isinstance(answer, Failure) else 0
                yield key, answer
                if row >= GIVE_UP and isinstance(answer, Failure):
                    rest = self._under_way()
                    yield from rest
                    raise self._stopped(f"{answer.reason} ({row} requests in a row)", place + 1 + len(rest))
        finally:
            self._stop.set()

    def _under_way(self) -> list[tuple[str, Answer]]:
        """Replies that come within moments after a stop: they are paid for."""
        self._stop.set()
        until = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        found: list[tuple[str, Answer]] = []
        while not self._answered.empty():
            key, answer = self._answered.get()
            if isinstance(answer, Reply):
                found.append((key, answer))
        return found

    def _stopped(self, reason: str, done: int) -> TriptychError:
        """The error of a run that goes no further."""
        what = f"endpoint {self._client.endpoint.url}: stopped after {done} of {self._count} requests."
        hint = None if self._reached else "start the server, or another url"
        if self._client.kept is not None and done:
            hint = "run it again: replies that came are kept"
        if reason.startswith(("HTTP 401", "HTTP 403")):
            where = self._client.endpoint.key_env
            hint = f"the right key in {where}" if where else "key_env = the environment variable that holds the key"
        elif reason.startswith("HTTP 404"):
            hint = f'another model than "{self._client.endpoint.model}", or another url (many end in /v1)'
        return TriptychError(message(what, got=reason, hint=hint))

    def _take(self) -> None:
        """Answer one question after the other."""
        while not self._stop.is_set():
            with self._lock:
                taken = next(self._pending, None)
            if taken is None:
                return
            key, question = taken
            try:
                answer: Answer | Exception | None = self._answer(key, question)
            except Exception as error:  # noqa: BLE001 - it is raised by `run`, in the caller's thread
                self._stop.set()
                answer = error
            if answer is not None:
                self._answered.put((key, answer))

    def _answer(self, key: str, question: Question) -> Answer | None:
        """A reply, after as many tries as it takes; None where the run was stopped meanwhile."""
        client, reason = self._client, ""
        body = body_of(client.endpoint, question)
        for attempt in range(client.effort.tries):
            if attempt:
                with self._lock:
                    self._usage.retried += 1
            while (rest := self._not_before - time.monotonic()) > 0 and not self._stop.is_set():
                self._wait(rest)
            if self._stop.is_set():
                return None
            begun = time.monotonic()
            try:
                reply = send(client.endpoint, self._opener, body, self._key)
            except RefusedError as error:
                self._reached = True
                if error.every:
                    raise _HopelessError(str(error)) from None
                return Failure(str(error))
            except AgainError as error:
                reason = str(error)
                with self._lock:
                    self._usage.ambiguous += error.ambiguous
                self._again(error, key, attempt)
                continue
            self._reached = True
            reply = replace(reply, seconds=round(time.monotonic() - begun, 3))
            client.remember(key, question, reply)
            with self._lock:
                self._usage.add(reply)
            return reply
        return Failure(f"{reason} ({client.effort.tries} tries)")

    def _again(self, error: AgainError, key: str, attempt: int) -> None:
        """Wait before the next try.

        Raises:
            _HopelessError: nobody is there, or the server asks to wait too long.
        """
        self._reached = self._reached or not error.unreached
        if not self._reached and attempt:
            raise _HopelessError(f"nothing answers there: {error}")
        effort = self._client.effort
        if attempt + 1 >= effort.tries:
            return
        if error.wait is None:
            spread = 0.5 + float(stream("pause", key, attempt).random())
            self._wait(min(effort.pause * 2**attempt, _LONGEST_PAUSE) * spread)
        elif error.wait > _PATIENCE:
            raise _HopelessError(f"{error}; it asks to wait {error.wait:.0f} seconds")
        else:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + error.wait)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._stop.wait(seconds)
