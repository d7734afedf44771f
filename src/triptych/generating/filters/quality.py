"""A floor under the recipe's grade: a record stays whose quality is high enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.generating.ask import Desk, Dropped, Filter, Gate, Kept, Made, Verdict


@final
@dataclass(frozen=True)
class Quality(Filter):
    """Drops records whose grade is below a number; one without a grade is dropped too, with the reason.

    Attributes:
        least: grade that passes, in [0, 1].
    """

    least: float = 0.5

    name: ClassVar[str] = "quality"
    graded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the number."""
        if not 0 <= self.least <= 1:
            raise ValueError(f"least must be in [0, 1]; got {self.least}")

    def begin(self, desk: Desk) -> Gate:
        """The gate, which has records graded at the desk."""
        return _Gate(desk, self.least)


@dataclass(frozen=True)
class _Gate(Gate):
    desk: Desk
    least: float

    def judge(self, batch: Sequence[Made]) -> list[Verdict]:
        """By the grade."""
        return [self._one(value) for value in self.desk.grades(batch)]

    def _one(self, value: float | None) -> Verdict:
        if value is None:
            return Dropped("no grade")
        return Kept(value) if value >= self.least else Dropped("graded too low", value)
