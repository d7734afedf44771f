"""Text to numbers for the tiny trainer: words where there are few different ones, else bytes.

A record is `prompt RESPOND response END`. Three special tokens stand before the vocabulary; a word that `fit` never saw
becomes UNKNOWN. Decoding joins words with single spaces, so white space survives only with bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from triptych.core.errors import SpecError, UsageError, message

RESPOND, END, UNKNOWN = 0, 1, 2
SPECIAL = 3
MOST_WORDS = 2048
"""More different words than this, and `auto` takes bytes."""

TOKENIZATIONS = ("auto", "words", "bytes")


@dataclass(frozen=True)
class Vocabulary:
    """What a number stands for: the words, in order, or the 256 bytes when `words` is None."""

    words: tuple[str, ...] | None

    @classmethod
    def fit(cls, texts: Iterable[str], tokenization: str = "auto") -> Vocabulary:
        """The vocabulary of these texts.

        Raises:
            SpecError: no such tokenization.
            UsageError: words were asked for and the texts have none.
        """
        if tokenization not in TOKENIZATIONS:
            raise SpecError(
                message("tiny: no such tokenization.", got=tokenization, want=", ".join(TOKENIZATIONS)),
            )
        if tokenization == "bytes":
            return cls(None)
        found = set[str]()
        for text in texts:
            found.update(text.split())
            if tokenization == "auto" and len(found) > MOST_WORDS:
                return cls(None)
        if not found:
            raise UsageError(message("tiny: the texts hold no words.", hint="check the prompt and response fields"))
        return cls(tuple(sorted(found)))

    def __len__(self) -> int:
        """Number of tokens, the special ones included."""
        return SPECIAL + (256 if self.words is None else len(self.words))

    @property
    def kind(self) -> str:
        """words or bytes."""
        return "bytes" if self.words is None else "words"

    @cached_property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of what the numbers stand for."""
        text = "bytes" if self.words is None else "\n".join(self.words)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words or (), SPECIAL)}

    def encode(self, text: str) -> list[int]:
        """Numbers of a text, without special tokens."""
        if self.words is None:
            return [byte + SPECIAL for byte in text.encode("utf-8", "replace")]
        number = self._number
        return [number.get(word, UNKNOWN) for word in text.split()]

    def decode(self, numbers: Sequence[int]) -> str:
        """Text of numbers; what stands for no text gives the replacement character."""
        if self.words is None:
            return b"".join(bytes([i - SPECIAL]) if i >= SPECIAL else b"\xff" for i in numbers).decode(
                "utf-8", "replace"
            )
        return " ".join(self.words[i - SPECIAL] if i >= SPECIAL else "\ufffd" for i in numbers)
