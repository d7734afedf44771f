"""How good a record is, in [0, 1]: by a verifier, by a world that knows the answer, or by a judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from triptych.core.estimate import Undefined
from triptych.generating.ask import Ask, Made, Said
from triptych.generating.recipe import GradeConfig
from triptych.generating.rubric import TOKENS, question, read_grade
from triptych.verifiers.registry import parse_verifier
from triptych.verifiers.verifier import Judgement, Verifier
from triptych.worlds.registry import load_world
from triptych.worlds.world import World

Asking: TypeAlias = Callable[[Sequence[Ask]], list[Said]]


class Grader(ABC):
    """Says how good records are."""

    @abstractmethod
    def grades(self, made: Sequence[Made], ask: Asking) -> list[float | None]:
        """One number in [0, 1] for each record, None where it has none."""


@dataclass(frozen=True)
class VerifierGrader(Grader):
    """By a verifier, from the fields of the record's own row."""

    verifier: Verifier

    def grades(self, made: Sequence[Made], ask: Asking) -> list[float | None]:
        """The verdicts."""
        del ask
        return [None if isinstance(each, Undefined) else each.score for each in verdicts(self.verifier, made)]


@dataclass(frozen=True)
class WorldGrader(Grader):
    """By a world: what it reads as a task of its own is graded, any other prompt has no grade."""

    world: World

    def grades(self, made: Sequence[Made], ask: Asking) -> list[float | None]:
        """Share of the answer that is right."""
        del ask
        return [self._grade(each) for each in made]

    def _grade(self, made: Made) -> float | None:
        task = self.world.parse(made.prompt)
        if task is None:
            return None
        row = {"prompt": made.prompt, "answer": task.answer, "skeleton": task.skill.name, "depth": task.skill.depth}
        row |= {"world": self.world.name, "response": task.answer, **self.world.extras(task)}
        return self.world.grade(row, made.response)


@dataclass(frozen=True)
class JudgeGrader(Grader):
    """By a judge who follows a rubric."""

    rubric: str = ""
    tokens: int = TOKENS

    def grades(self, made: Sequence[Made], ask: Asking) -> list[float | None]:
        """The numbers that the judge gave."""
        said = ask([question(each.prompt, each.response, self.rubric, self.tokens) for each in made])
        return [None if isinstance(value := read_grade(each), str) else value for each in said]


def grader_of(config: GradeConfig) -> Grader:
    """The grader that a recipe asks for.

    Raises:
        SpecError: there is no such verifier or world.
    """
    if config.verifier:
        return VerifierGrader(parse_verifier(config.verifier))
    if config.world:
        return WorldGrader(load_world(config.world))
    return JudgeGrader(config.rubric, config.tokens)


def verdicts(verifier: Verifier, made: Sequence[Made]) -> list[Judgement]:
    """The verdict on each record, or why there is none: its row lacks a reference, the verifier failed on it."""
    rows = [{**each.row, "prompt": each.prompt} for each in made]
    lacking = [verifier.lacks(row) for row in rows]
    able = [place for place, lack in enumerate(lacking) if not lack]
    found = verifier.verify_all([rows[place] for place in able], [made[place].response for place in able])
    known = dict(zip(able, found, strict=True))
    return [known.get(place) or Undefined(f"the record has no {lack}") for place, lack in enumerate(lacking)]
