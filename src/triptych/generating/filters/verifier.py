"""Verification: a record stays whose response a rule finds right, by the fields of the record's own row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.core.estimate import Undefined
from triptych.generating.ask import Desk, Dropped, Filter, Gate, Kept, Made
from triptych.generating.ask import Verdict as Ruling
from triptych.generating.grading import verdicts
from triptych.verifiers.registry import parse_verifier
from triptych.verifiers.verifier import Judgement, Verifier


@final
@dataclass(frozen=True)
class Verified(Filter):
    """Drops records that a verifier does not pass; one that it cannot grade is dropped too, with the reason.

    Attributes:
        verifier: its name and parameters, as after `verifier:`.
        least: verdict that passes, above 0 and at most 1.
    """

    verifier: str
    least: float = 1.0

    name: ClassVar[str] = "verifier"

    def __post_init__(self) -> None:
        """Check the number, and that there is such a verifier."""
        if not 0 < self.least <= 1:
            raise ValueError(f"least must be above 0 and at most 1; got {self.least}")
        parse_verifier(self.verifier)

    def begin(self, desk: Desk) -> Gate:
        """The gate, with its verifier."""
        del desk
        return _Gate(parse_verifier(self.verifier), self.least)


@dataclass(frozen=True)
class _Gate(Gate):
    verifier: Verifier
    least: float

    def judge(self, batch: Sequence[Made]) -> list[Ruling]:
        """By the verifier's verdict."""
        return [self._one(each) for each in verdicts(self.verifier, batch)]

    def _one(self, found: Judgement) -> Ruling:
        if isinstance(found, Undefined):
            return Dropped(f"no verdict: {found.reason}")
        if found.score < self.least:
            return Dropped(found.reason or "not passed", found.score)
        return Kept(found.score)
