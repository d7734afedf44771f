"""What a procedural task is made of: drawing from a labelled stream, drafts of questions, skills.

A `Draw` hands out choices from the raw 64-bit words of a stream, which are the same with every version of numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from triptych.core.rng import stream

T = TypeVar("T")

_BLOCK = 64


class Draw:
    """Choices from one labelled stream, one after the other."""

    def __init__(self, *labels: str | int) -> None:
        self._source: np.random.BitGenerator = stream(*labels).bit_generator
        self._words: list[int] = []

    def below(self, end: int) -> int:
        """A number from 0 to end - 1 (end far below 2^64, so that the remainder is as good as uniform)."""
        if not self._words:
            self._words = np.asarray(self._source.random_raw(_BLOCK)).tolist()
        return self._words.pop() % end

    def number(self, low: int, high: int) -> int:
        """A number from low to high, both included."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items in random order."""
        pool = list(items)
        for place in range(count):
            other = place + self.below(len(pool) - place)
            pool[place], pool[other] = pool[other], pool[place]
        return pool[:count]

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.below(100) < percent


@dataclass(frozen=True)
class Draft:
    """One question before it is worded.

    Attributes:
        facts: what the question states, as values; a check recomputes the answer from them.
        answer: the right answer as text.
        steps: the worked solution, one sentence a step; the last one states the answer.
        shown: facts that read differently in the wording than `str` would show them.
        wrong: tempting wrong answers; where there is none, a number in the answer is changed.
    """

    facts: Mapping[str, Any]
    answer: str
    steps: tuple[str, ...]
    shown: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()

    def worded(self, form: str) -> str:
        """The question in one of its skill's surface forms."""
        texts = {name: _text(value) for name, value in self.facts.items()}
        return form.format_map({**texts, **self.shown})


@dataclass(frozen=True)
class Skill:
    """A kind of question: surface forms with slots for the facts, and what makes a draft."""

    name: str
    forms: tuple[str, ...]
    draft: Callable[[Draw], Draft]


def skill(*forms: str) -> Callable[[Callable[[Draw], Draft]], Skill]:
    """Decorator: the skill named like the function, with these surface forms."""
    return lambda draft: Skill(draft.__name__, forms, draft)


def listing(items: Sequence[object]) -> str:
    """a, b and c."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def dollars(cents: int) -> str:
    """$12.50; whole dollars without cents."""
    return f"${cents // 100}" if cents % 100 == 0 else f"${cents // 100}.{cents % 100:02d}"


def clock(minutes: int) -> str:
    """Minutes after midnight as 09:05."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def count(number: int, noun: str) -> str:
    """1 apple, 2 apples (nouns are given in the plural)."""
    return f"{number} {noun[:-1] if number == 1 and noun.endswith('s') else noun}"


def _text(value: object) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
