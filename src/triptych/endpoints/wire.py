"""One request to a server that speaks the OpenAI protocol, and its reply: vLLM, llama.cpp, Ollama, OpenAI and others.

Standard library alone. The key comes from the environment; it is in no error, no file and no `repr`. Redirects are not followed: they would carry the key elsewhere.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import IO, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from triptych.core.errors import SpecError, UsageError, message
from triptych.endpoints.replies import AgainError, RefusedError, Reply, error_text, plain, reply_of, vectors_of

Style: TypeAlias = Literal["chat", "text", "embeddings"]

_PATHS: Mapping[Style, str] = {"chat": "chat/completions", "text": "completions", "embeddings": "embeddings"}
_MOST_BYTES = 1 << 26
_ERROR_BYTES = 1 << 16
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses that another try may cure."""
_FATAL = frozenset({401, 402, 403, 404, 405, 410})
"""Statuses that every other request would get too."""
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes of a 429 that no waiting cures."""


@dataclass(frozen=True)
class Endpoint:
    """Where a model is served, and how it is asked.

    Attributes:
        url: the address of its API ("http://localhost:8000/v1"); "/v1" is added to a bare host.
        model: its name there.
        key_env: environment variable that holds the key; "": none is sent.
        style: chat (a message is answered), text (a text is continued: base models) or embeddings (texts become vectors).
        body: more fields of a request ({"top_p": 0.9}); a null takes one of ours out ({"seed": null}).
        timeout: seconds that one reply may take.
    """

    url: str
    model: str
    key_env: str = ""
    style: Style = "chat"
    body: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 300.0

    def __post_init__(self) -> None:
        """Bring the address into its one form.

        Raises:
            SpecError: it is no address, or holds what might be a secret; a number is out of range.
        """
        parts = urlsplit(self.url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            want = "an address such as http://localhost:8000/v1"
            raise SpecError(message("endpoint: url is no address.", got=self.url.rpartition("@")[2], want=want))
        if parts.username or parts.password or parts.query:
            what = "endpoint: url holds more than an address (a name, a password or a query)."
            raise SpecError(message(what, want="an address alone", hint='key_env = "NAME_OF_A_VARIABLE"'))
        path = parts.path.rstrip("/")
        for tail in _PATHS.values():
            path = path.removesuffix(f"/{tail}")
        object.__setattr__(self, "url", f"{parts.scheme}://{parts.netloc}{path or '/v1'}")
        if not self.model:
            raise SpecError(message("endpoint: no model is named.", want="the name that the server knows it by"))
        if self.style not in _PATHS:
            raise SpecError(message("endpoint: unknown style.", got=self.style, want=", ".join(_PATHS)))
        if not 0 < self.timeout < math.inf:
            raise SpecError(message("endpoint: timeout is out of range.", got=f"{self.timeout}", want="above 0"))

    @property
    def local(self) -> bool:
        """Whether it is this machine, where a proxy has no business."""
        return urlsplit(self.url).hostname in {"localhost", "127.0.0.1", "::1"}

    @property
    def key(self) -> str:
        """The key; "" where none is asked for.

        Raises:
            UsageError: the variable is not set, or holds what cannot be sent.
        """
        if not self.key_env:
            return ""
        key = os.environ.get(self.key_env, "").strip()
        if not key:
            what = f"endpoint {self.url}: the environment variable {self.key_env} is not set."
            raise UsageError(message(what, want="the key in it", hint=f"export {self.key_env}=.."))
        if not (key.isascii() and key.isprintable()):
            what = (
                f"endpoint {self.url}: the key in {self.key_env} cannot be sent: it holds characters that no key has."
            )
            raise UsageError(message(what, want="ASCII, one line"))
        return key


@dataclass(frozen=True)
class Question:
    """One request.

    Attributes:
        prompt: what is said to the model.
        temperature: of the draws.
        seed: of the draws, and what keeps two equal questions apart.
        max_tokens: of the reply; None: what the server thinks fit.
        system: a system message before the prompt (chat).
        logprobs: whether the likelihood of the reply is wanted.
        tops: how many of the likeliest tokens are wanted at each place of the reply, with their log-probabilities.
        turns: role and text of what was said between the system message and the prompt (chat).
        texts: what is to be embedded; the style embeddings reads nothing else of a question.
        min_p: a token less likely than so many times the likeliest one is not drawn, as the server means it; 0: not told.
    """

    prompt: str
    temperature: float = 1.0
    seed: int = 0
    max_tokens: int | None = None
    system: str = ""
    logprobs: bool = False
    tops: int = 0
    turns: tuple[tuple[str, str], ...] = ()
    texts: tuple[str, ...] = ()
    min_p: float = 0.0


def body_fields(text: str) -> Mapping[str, Any]:
    """More fields of a request from the JSON object that a user wrote; none where there is no text.

    Raises:
        SpecError: it is no JSON object.
    """
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SpecError(message(f"endpoint: body is no JSON: {error}.", got=text)) from error
    if not isinstance(found, dict):
        raise SpecError(message("endpoint: body is no JSON object.", got=text, want='{"top_p": 0.9}'))
    return found


def body_of(endpoint: Endpoint, question: Question) -> dict[str, Any]:
    """The JSON of a request."""
    body: dict[str, Any] = {"model": endpoint.model}
    if endpoint.style == "embeddings":
        body |= {"input": list(question.texts), **endpoint.body}
        return {name: value for name, value in body.items() if value is not None}
    if endpoint.style == "chat":
        system = [{"role": "system", "content": question.system}] if question.system else []
        turns = [{"role": role, "content": text} for role, text in question.turns]
        body["messages"] = [*system, *turns, {"role": "user", "content": question.prompt}]
    else:
        body["prompt"] = question.prompt
    body |= {"temperature": question.temperature, "seed": question.seed}
    body |= {"min_p": question.min_p} if question.min_p else {}
    if question.max_tokens is not None:
        body["max_tokens"] = question.max_tokens
    if endpoint.style == "chat":
        body |= {"logprobs": True} if question.logprobs or question.tops else {}
        body |= {"top_logprobs": question.tops} if question.tops else {}
    elif question.logprobs or question.tops:
        body["logprobs"] = max(question.tops, 1)
    body |= endpoint.body
    return {name: value for name, value in body.items() if value is not None}


def opener_of(endpoint: Endpoint) -> urllib.request.OpenerDirector:
    """What opens connections to an endpoint; made once, for it reads the certificates that are trusted."""
    direct = [urllib.request.ProxyHandler({})] if endpoint.local else []
    return urllib.request.build_opener(_Stay, *direct)


def send(endpoint: Endpoint, opener: urllib.request.OpenerDirector, body: Mapping[str, Any], key: str) -> Reply:
    """Send one request and read its reply; several threads may.

    Raises:
        AgainError, RefusedError: there is no reply; the text says why, without the key.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "triptych"}
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(  # noqa: S310 - the scheme is http or https, see Endpoint
        f"{endpoint.url}/{_PATHS[endpoint.style]}", json.dumps(body).encode(), headers, method="POST"
    )
    until = time.monotonic() + endpoint.timeout
    try:
        with opener.open(request, timeout=endpoint.timeout) as answer:
            raw = _read(answer, until, _MOST_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error, key) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreached(error, endpoint, key) from None
    return vectors_of(raw, key, len(body["input"])) if endpoint.style == "embeddings" else reply_of(raw, key)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the status comes back as an error."""

    def redirect_request(self, *_: Any) -> None:
        """None: no request follows."""


def _read(answer: IO[bytes] | http.client.HTTPResponse, until: float, most: int) -> bytes:
    """All bytes of an answer: a server that sends one now and then does not hold us beyond the time.

    Raises:
        TimeoutError: it takes too long.
        HTTPException: it is cut off, or longer than we read.
    """
    parts, size = [], 0
    read = getattr(answer, "read1", answer.read)
    while part := read(1 << 16):
        parts.append(part)
        size += len(part)
        if time.monotonic() > until:
            raise TimeoutError("timed out")
        if size > most:
            raise http.client.HTTPException(f"longer than {most} bytes")
    if getattr(answer, "length", None):
        raise http.client.HTTPException("the connection was cut off")
    return b"".join(parts)


def _refusal(error: urllib.error.HTTPError, key: str) -> Exception:
    """What an HTTP status means."""
    try:
        raw = _read(error, time.monotonic() + 10, _ERROR_BYTES)
    except (OSError, http.client.HTTPException):
        raw = b""
    text, code = error_text(raw)
    reason = plain(f"HTTP {error.code} {error.reason or ''}".strip() + (f": {text}" if text else ""), key)
    if error.code == 429 and code in _SPENT:
        return RefusedError(reason, every=True)
    if error.code in _PASSING or (error.code >= 500 and error.code not in {501, 505}):
        return AgainError(reason, _wait(error.headers))
    return RefusedError(reason, every=error.code in _FATAL or 300 <= error.code < 400)


def _unreached(error: OSError | http.client.HTTPException, endpoint: Endpoint, key: str) -> Exception:
    """What a failed connection means."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return RefusedError(f"its certificate is not trusted: {cause.verify_message}", every=True)
    unreached = isinstance(error, urllib.error.URLError)
    if isinstance(cause, TimeoutError):
        return AgainError(f"no reply within {endpoint.timeout:g} seconds", ambiguous=not unreached)
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return AgainError(plain(text, key), unreached=unreached, ambiguous=not unreached)


def _wait(headers: Message) -> float | None:
    """Seconds to wait, as the server asks: a number or a date (RFC 9110, 10.2.3); None where it does not."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        told = headers.get(name)
        if told is None:
            continue
        try:
            seconds = float(told) * unit
        except ValueError:
            try:
                at = parsedate_to_datetime(told)
            except (ValueError, IndexError, TypeError):
                continue
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            seconds = (at - datetime.now(UTC)).total_seconds()
        if math.isfinite(seconds):
            return max(seconds, 0.0)
    return None
