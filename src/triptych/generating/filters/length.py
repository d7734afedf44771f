"""Length: a record stays whose prompt and response have a number of words between two bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.generating.ask import Desk, Dropped, Filter, Gate, Kept, Made, Verdict


@final
@dataclass(frozen=True)
class Length(Filter):
    """Drops records that are too short or too long, in words between white space.

    Attributes:
        least, most: of the response; None: no upper bound.
        prompt_least, prompt_most: of the prompt, likewise.
    """

    least: int = 1
    most: int | None = None
    prompt_least: int = 1
    prompt_most: int | None = None

    name: ClassVar[str] = "length"

    def __post_init__(self) -> None:
        """Check the bounds."""
        for low, high in ((self.least, self.most), (self.prompt_least, self.prompt_most)):
            if low < 0 or (high is not None and high < low):
                raise ValueError(f"bounds must be 0 or more, the upper not below the lower; got {low} and {high}")

    def begin(self, desk: Desk) -> Gate:
        """The gate; it needs nothing."""
        del desk
        return _Gate(self)


@dataclass(frozen=True)
class _Gate(Gate):
    own: Length

    def judge(self, batch: Sequence[Made]) -> list[Verdict]:
        """By the number of words."""
        return [self._one(made) for made in batch]

    def _one(self, made: Made) -> Verdict:
        own = self.own
        words, asked = len(made.response.split()), len(made.prompt.split())
        texts = (("response", words, own.least, own.most), ("prompt", asked, own.prompt_least, own.prompt_most))
        for name, count, low, high in texts:
            if count < low:
                return Dropped(f"{name} too short", count)
            if high is not None and count > high:
                return Dropped(f"{name} too long", count)
        return Kept(words)
