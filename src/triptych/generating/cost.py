"""What asks cost: counted by the ask, so that an answer that was kept is counted once, and in a resumed run again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from triptych.generating.ask import Ask, Price, Said, Writer

_MARKS = 64
"""Tokens that a template may put around the messages of an ask."""


@dataclass
class Cost:
    """What a run took so far.

    Attributes:
        requests: different asks that were answered; failed: those without an answer.
        prompt_tokens, tokens: read and written; uncounted: answers whose writer does not count: estimated from
            their length, a token for four characters.
        retried: tries of this call beyond the first; ambiguous: those among all tries that the server may have charged
            for though no whole answer came.
        seconds: summed over the answers, which ran side by side.
        purposes: asks by what they were for.
        priced: tokens read and written by price; under None those of writers without one.
    """

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    uncounted: int = 0
    retried: int = 0
    ambiguous: int = 0
    seconds: float = 0.0
    purposes: Counter[str] = field(default_factory=Counter)
    priced: dict[Price | None, tuple[int, int]] = field(default_factory=dict)

    def add(self, writer: Writer, ask: Ask, said: Said) -> None:
        """Count one answer."""
        self.purposes[ask.purpose] += 1
        self.requests += 1
        self.failed += said.text is None
        self.prompt_tokens += said.prompt_tokens
        self.tokens += said.tokens
        self.seconds += said.seconds
        read, written = self.priced.get(writer.price, (0, 0))
        self.priced[writer.price] = read + said.prompt_tokens, written + said.tokens

    @property
    def money(self) -> float | None:
        """What all of it cost; None where a writer that was asked has no price."""
        if None in self.priced:
            return None
        return sum(price.of(*tokens) for price, tokens in self.priced.items() if price is not None)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "prompt_tokens": self.prompt_tokens,
            "tokens": self.tokens,
            "uncounted": self.uncounted,
            "retried": self.retried,
            "ambiguous": self.ambiguous,
            "seconds": round(self.seconds, 3),
            "money": self.money,
            "purposes": dict(sorted(self.purposes.items())),
        }


def counted(ask: Ask, said: Said) -> tuple[Said, bool]:
    """The answer with its tokens, estimated where its writer does not count them, and whether they were."""
    if said.prompt_tokens or said.tokens or said.text is None:
        return said, False
    read = -(-sum(len(each.content) for each in ask.messages) // 4)
    written = -(-len(said.text) // 4)
    return Said(said.text, said.reason, said.finish, read, written, said.seconds, said.cached), True


def most(writer: Writer, ask: Ask) -> tuple[int, int]:
    """The most tokens that an ask can read and write: a token is at least a byte."""
    read = sum(len(each.content.encode(errors="replace")) for each in ask.messages) + _MARKS
    return read, ask.max_tokens or writer.most_tokens
