"""Judging: a record stays that a judge finds good enough.

The judge is the recipe's (`[grade] judge`), else the writer itself, which likes its own texts (Panickssery et al. 2024, arXiv
2404.13076): name another model where the data matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.generating.ask import Desk, Dropped, Filter, Gate, Kept, Made, Verdict
from triptych.generating.rubric import TOKENS, question, read_grade


@final
@dataclass(frozen=True)
class Judged(Filter):
    """Drops records that a judge rates below a number; one without a rating is dropped too, with the reason.

    Attributes:
        least: rating that passes, in [0, 1]: the judge's 1 to 6 are 0, .2, .. 1.
        rubric: what makes a record good; "": what any judge here is asked.
        tokens: that the judge may write; one that thinks before it grades needs hundreds.
    """

    least: float = 0.5
    rubric: str = ""
    tokens: int = TOKENS

    name: ClassVar[str] = "judge"
    source: ClassVar[str] = "Zheng et al. 2023 (arXiv 2306.05685)"

    def __post_init__(self) -> None:
        """Check the number."""
        if not 0 <= self.least <= 1:
            raise ValueError(f"least must be in [0, 1]; got {self.least}")
        if self.tokens < 1:
            raise ValueError(f"tokens must be at least 1; got {self.tokens}")

    def begin(self, desk: Desk) -> Gate:
        """The gate, which asks at the desk."""
        return _Gate(desk, self)


@dataclass(frozen=True)
class _Gate(Gate):
    desk: Desk
    own: Judged

    def judge(self, batch: Sequence[Made]) -> list[Verdict]:
        """By the judge's rating; all of a batch are asked at once."""
        own = self.own
        said = self.desk.ask([question(each.prompt, each.response, own.rubric, own.tokens) for each in batch])
        return [self._one(read_grade(each)) for each in said]

    def _one(self, value: float | str) -> Verdict:
        if isinstance(value, str):
            return Dropped(f"no rating: {value}")
        return Kept(value) if value >= self.own.least else Dropped("rated too low", value)
