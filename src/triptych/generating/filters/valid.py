"""Validity: records that are worthless whatever they were meant to say are dropped, by rules and without a model.

The rules are those of the library's validity measures (`features.validity`): empty, truncated, refusal, prompt echo,
repetition loop, broken encoding; of prompts those that a text alone can have. A response that ended at the writer's token limit
(`cut`, as methods mark it) is truncated, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.features.validity import DEFECTS, defects, prompt_defects
from triptych.generating.ask import Desk, Dropped, Filter, Gate, Kept, Made, Verdict


@final
@dataclass(frozen=True)
class Valid(Filter):
    """Drops records with a defect.

    Attributes:
        prompts: whether prompts are looked at too.
    """

    prompts: bool = True

    name: ClassVar[str] = "valid"

    def begin(self, desk: Desk) -> Gate:
        """The gate; it needs nothing."""
        del desk
        return _Gate(self.prompts)


@dataclass(frozen=True)
class _Gate(Gate):
    prompts: bool

    def judge(self, batch: Sequence[Made]) -> list[Verdict]:
        """By the first defect found, of the response before the prompt."""
        return [self._one(made) for made in batch]

    def _one(self, made: Made) -> Verdict:
        if made.extra.get("cut"):
            return Dropped("truncated")
        found = _first(defects(made.prompt, made.response))
        if found:
            return Dropped(found)
        found = _first(prompt_defects(made.prompt)) if self.prompts else ""
        return Dropped(f"prompt: {found}") if found else Kept()


def _first(bits: int) -> str:
    return next((name for place, name in enumerate(DEFECTS) if bits >> place & 1), "")
