"""Two marks of syntax: words in a sentence, and subordinate clauses in a hundred words.

Words and sentences are those of `features.readability`. A clause is marked by a word that opens one: a conjunction
(because, although, while, unless, if, whether, until, so that ..) or a relative or question word (which, who, whose,
whom, where, when, why, how, what) inside a sentence; "that" counts after a verb or noun that takes a clause only where a
subject follows it ("that the", "that it"). At the start of a question such a word opens the main clause and is not counted.
English only. Null below 10 words, for text that is mostly code and for text mostly in another script.

Source: sentence length and clause ratios as in Lu 2010, "Automatic analysis of syntactic complexity in second language
writing"; the marks in the place of a parser are this project's own, and miss clauses that nothing opens ("the man I saw").
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

from triptych.core.feature import Feature
from triptych.features.readability import MIN_WORDS, Counts, Syllables, counts, is_prose

_SUBJECT = r"(?:the|a|an|this|these|those|it|its|he|she|they|we|you|i|his|her|their|our|your|my|there|is|are|was|were|can|may|has|have|will|would|could|should|must|allows?|makes?|helps?|all|some|each|every|any|no|one|people)"
_MARK = re.compile(
    r"\b(?:because|although|though|whereas|while|unless|if|whether|until|since|whenever|wherever|whatever|whoever|once"
    r"|which|who|whom|whose|where|when|why|how|what|even if|as if"
    rf"|that(?= {_SUBJECT}\b))\b",
    re.IGNORECASE,
)
_OPENS_QUESTION = re.compile(
    r"(?:^|(?<=[.!?:\n])|(?<=[.!?:\n] ))(?:who|what|when|where|why|how|which|whose|whom)\b[^.!?\n]{0,300}\?",
    re.IGNORECASE,
)


def subordination(text: str, words: int) -> float:
    """Words that open a subordinate clause, in a hundred words; linear in the length of the text.

    >>> subordination("We stay because it rains and the road that the bus takes is wet.", 13)
    15.384615384615385
    """
    found = len(_MARK.findall(text))
    if "?" in text:
        found -= len(_OPENS_QUESTION.findall(text))
    return 100 * max(found, 0) / words


@dataclasses.dataclass(frozen=True)
class Syntax(Feature):
    """`sentence_length@on` and `subordination@on` float64: null where they mean nothing or where there is no text."""

    on: Literal["response", "prompt"] = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """The text."""
        return (self.on,)

    @property
    def gives(self) -> tuple[str, ...]:
        """Words in a sentence, and clauses in a hundred words."""
        return (f"sentence_length@{self.on}", f"subordination@{self.on}")

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Both numbers of each record."""
        memo = Syllables()
        lengths: list[float | None] = []
        clauses: list[float | None] = []
        for text in batch.column(self.on).to_pylist():
            found = Counts(0, 0, 0) if text is None else counts(text, memo)
            means = text is not None and found.words >= MIN_WORDS and is_prose(text)
            lengths.append(found.words / found.sentences if means else None)
            clauses.append(subordination(text, found.words) if means else None)
        made = (pa.array(values, type=pa.float64()) for values in (lengths, clauses))
        return dict(zip(self.gives, made, strict=True))
