"""What a server that speaks the OpenAI protocol replied: its text, likelihoods and vectors, or why there is none of them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from triptych.data.values import excerpt
from triptych.endpoints.vectors import pack

Top: TypeAlias = tuple[str, tuple[tuple[str, float], ...]]
"""A token of a reply, and the likeliest ones in its place with their log-probabilities."""


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        text: of the reply.
        finish: why it ended (stop, length, ..); None where the server does not say.
        prompt_tokens, tokens: counted by the server; None where it does not count.
        log_likelihood: of the reply in nats, over `scored` tokens; None where it is not told.
        scored: tokens with a log-probability.
        tops: the tokens in order, each with those that were likeliest; () where they are not told.
        vectors: of the texts to embed, as `triptych.endpoints.vectors` packs them.
        seconds: from request to reply; no part of what is compared.
        kept: it was kept from an earlier run; no part of what is compared.
    """

    text: str
    finish: str | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None
    log_likelihood: float | None = None
    scored: int = 0
    tops: tuple[Top, ...] = ()
    vectors: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    kept: bool = field(default=False, compare=False)


class AgainError(Exception):
    """A failure that another try may cure.

    Attributes:
        wait: seconds that the server asks for, or None.
        unreached: nobody took the request.
        ambiguous: the server may have answered, and charged for it; its answer did not come whole.
    """

    def __init__(
        self, reason: str, wait: float | None = None, *, unreached: bool = False, ambiguous: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait, self.unreached, self.ambiguous = wait, unreached, ambiguous


class RefusedError(Exception):
    """A failure that would come again; `every`: with every other request too."""

    def __init__(self, reason: str, *, every: bool) -> None:
        super().__init__(reason)
        self.every = every


def reply_of(raw: bytes, key: str) -> Reply:
    """The reply in a body.

    Raises:
        AgainError: it holds none.
        RefusedError: the reply holds no text.
    """
    text = raw.decode(errors="replace")
    document = _loads(text)
    try:
        (choice, *_) = document["choices"]
        said = choice["message"]["content"] if "message" in choice else choice["text"]
    except (KeyError, TypeError, ValueError):
        shown = error_text(raw)[0] or "empty"
        raise AgainError(plain(f"its answer holds no reply: {shown}", key), ambiguous=True) from None
    finish = choice.get("finish_reason")
    if not isinstance(said, str):
        why = f" (it ended by {finish})" if finish else ""
        raise RefusedError(f"its reply holds no text{why}", every=False)
    usage = document.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    told, scored = _log_likelihood(choice.get("logprobs"))
    counts = (_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))
    tops = _tops(choice.get("logprobs"))
    return Reply(said, finish if isinstance(finish, str) else None, *counts, told, scored, tops)


def vectors_of(raw: bytes, key: str, wanted: int) -> Reply:
    """The vectors in a body.

    Raises:
        AgainError: it holds none.
        RefusedError: they are not what was asked for.
    """
    document = _loads(raw.decode(errors="replace"))
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        shown = error_text(raw)[0] or "empty"
        raise AgainError(plain(f"its answer holds no vectors: {shown}", key), ambiguous=True)
    try:
        vectors = pack(data, wanted)
    except ValueError as error:
        raise RefusedError(f"its reply holds {error}", every=False) from None
    usage = document.get("usage")
    read = _count(usage.get("prompt_tokens")) if isinstance(usage, dict) else None
    return Reply("", prompt_tokens=read, tokens=None if read is None else 0, vectors=vectors)


def error_text(raw: bytes) -> tuple[str, str]:
    """What a server says about an error, and its code."""
    text = raw.decode(errors="replace")
    found = _loads(text)
    error = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(error, dict):
        told = error.get("message") or error.get("detail")
        return excerpt(told or text), str(error.get("code") or error.get("type") or "")
    return excerpt(error if isinstance(error, str) else text), ""


def plain(text: str, key: str) -> str:
    """A text for a message, with the key blotted out: servers repeat it in their errors."""
    return text.replace(key, "***") if key else text


def _tops(logprobs: Any) -> tuple[Top, ...]:
    """The likeliest tokens at each place, in the form of chats or of continued texts; () where a place is not told."""
    try:
        if isinstance(logprobs.get("content"), list):
            told = [
                (each["token"], [(top["token"], top["logprob"]) for top in each["top_logprobs"]])
                for each in logprobs["content"]
            ]
        else:
            listed = (top.items() for top in logprobs["top_logprobs"])
            told = list(zip(logprobs["tokens"], map(list, listed), strict=True))
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()
    right = all(
        isinstance(token, str)
        and all(isinstance(word, str) and isinstance(p, (int, float)) and math.isfinite(p) for word, p in tops)
        for token, tops in told
    )
    return tuple((token, tuple(tops)) for token, tops in told) if right else ()


def _log_likelihood(logprobs: Any) -> tuple[float | None, int]:
    """Sum over the tokens of a reply, in the form of chats or of continued texts, and how many they are."""
    if not isinstance(logprobs, dict):
        return None, 0
    content = logprobs.get("content")
    if isinstance(content, list):
        values = [each.get("logprob") if isinstance(each, dict) else None for each in content]
    else:
        listed = logprobs.get("token_logprobs")
        values = listed if isinstance(listed, list) else []
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)]
    if not values or len(numbers) < len(values):
        return None, 0
    return math.fsum(numbers), len(numbers)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
