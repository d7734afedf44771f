"""What a verifier is: a rule (row, response) -> a verdict, a number in [0, 1], or the reason why there is none.

A wrong response has a verdict of 0. A verifier that cannot do its work (a row without a reference, tests that do not
run, a comparison that does not end) gives `Undefined`, which is never a number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from triptych.core.estimate import Undefined


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good a response is.

    Attributes:
        score: in [0, 1].
        reason: why it is less than 1, in a few words that are the same for all responses of this kind, to be counted.
        detail: what this response did, for a message.
    """

    score: float
    reason: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        """Check the score.

        Raises:
            ValueError: it is not in [0, 1].
        """
        if not 0 <= self.score <= 1:
            raise ValueError(f"a verdict is in [0, 1], got {self.score}")


Judgement: TypeAlias = Verdict | Undefined
RIGHT = Verdict(1.0)


class Verifier(ABC):
    """A rule that grades responses. Final subclasses are frozen dataclasses of parameters: they are sent to workers."""

    name: ClassVar[str]
    """As on the command line, after `verifier:`."""

    @abstractmethod
    def lacks(self, row: Mapping[str, Any]) -> str:
        """What the row lacks to be graded by, in words; empty where it lacks nothing.

        Raises:
            MissingExtraError: it can be graded with an optional package that is not installed.
        """

    @abstractmethod
    def verify(self, row: Mapping[str, Any], response: str) -> Judgement:
        """Grade one response.

        Args:
            row: the fields of the row, with its `prompt` and its reference as `response`.
            response: what is graded.
        """

    def verify_all(self, rows: Sequence[Mapping[str, Any]], responses: Sequence[str]) -> list[Judgement]:
        """Grade one response to each row, in order."""
        return [self.verify(row, said) for row, said in zip(rows, responses, strict=True)]


def check_positive(verifier: Verifier, *names: str) -> None:
    """Raise ValueError where one of these parameters is not above 0."""
    for name in names:
        value = getattr(verifier, name)
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")


def first_field(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of these fields that the row has with something in it; empty where it has none."""
    return next((name for name in names if row.get(name) not in (None, "", [], {})), "")
