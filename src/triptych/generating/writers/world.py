"""A world's records as if a model wrote them: what is right is known exactly, and so is how often this writer errs.

Asked for a prompt, it words a task of a skill it draws. Asked for a response, it reads the task in the last message and
answers it, rightly or wrongly. Asked to evolve a prompt, it deepens the task that it finds in the conversation, whichever way
it is told to: a task of the next depth that does all that this one does and something more, among all that a data set may
contain and not only the skills that it has of itself. A task that is as deep as data sets go cannot be evolved. Asked what
kind of task one is, it says that its answers are no labels, and asked for an input that it has one: a world's tasks hold their
inputs. A recipe that asks for anything else is refused.

Heat does what it does to a model, by a rule that is known: at temperature t a response is wrong with probability
(1 - quality) * t, at most 1, and the k-th skill it can draw is drawn in proportion to k^(-skew / t). So a colder writer errs
less and repeats itself more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

from triptych.generating.ask import Ask, Said, Told, Writer
from triptych.generating.writers._answering import check
from triptych.worlds.draw import Draw
from triptych.worlds.registry import load_world
from triptych.worlds.world import Skill, Task, World

_FINE = 1 << 30
_COLD = 1e-3
_LABEL = re.compile(r"[A-Z]\w*(?: \w+){0,2}: ")
"""What a method writes before a task: "Task: "."""


@final
@dataclass(frozen=True)
class WorldWriter(Writer):
    """A world in the place of a model.

    Attributes:
        world: its name.
        quality: share of right responses at temperature 1.
        skills: how many different skills it has of itself at each depth.
        skew: how unevenly it uses them at temperature 1; 0: evenly.
        temperature: of its draws.
        block: whose order of skills it follows.
        max_tokens: words of an answer, beyond which it is cut.
    """

    kind: ClassVar[str] = "world"
    version: ClassVar[int] = 2
    purposes: ClassVar[tuple[str, ...]] = ("prompt", "response", "evolve", "kind", "instance")

    world: str
    quality: float = 0.8
    skills: int = 50
    skew: float = 1.0
    temperature: float = 1.0
    block: str = "0"
    max_tokens: int = 256

    def __post_init__(self) -> None:
        """Check the numbers, and that there is this world.

        Raises:
            SpecError: one is out of range, or there is none.
        """
        check(self.kind, quality=(self.quality, 0, 1), skills=(self.skills, 1, math.inf), skew=(self.skew, 0, 100))
        check(self.kind, temperature=(self.temperature, 0, 100), max_tokens=(self.max_tokens, 1, math.inf))
        load_world(self.world)

    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        """The answers, in the order of the asks: a function of each ask alone, so that nothing need be kept."""
        del keep
        found = [self._answer(ask) for ask in asks]
        if done is not None:
            done(len(asks))
        return found

    def _answer(self, ask: Ask) -> Said:
        if ask.purpose not in self.purposes:
            return Said(None, f'a world answers no asks of the kind "{ask.purpose}"')
        world, draw = load_world(self.world), Draw("writer", "world", self.world, ask.key)
        heat = max(self.temperature if ask.temperature is None else ask.temperature, _COLD)
        read = sum(len(turn.content.split()) for turn in ask.messages)
        task = next(_tasks(world, ask), None)
        text = self._text(world, ask, task, heat, draw)
        if text is None:
            lacks = "reads no task in this prompt" if task is None else "has no deeper task of this kind"
            return Said(None, f"the world {self.world} {lacks}", prompt_tokens=read)
        words = text.split(" ")
        most = ask.max_tokens or self.max_tokens
        return Said(" ".join(words[:most]), "", "stop" if len(words) <= most else "length", read, min(len(words), most))

    def _text(self, world: World, ask: Ask, task: Task | None, heat: float, draw: Draw) -> str | None:
        """The answer to an ask; None where it needs a task that is not there."""
        if ask.purpose in _OF_ANY_TASK:
            return _OF_ANY_TASK[ask.purpose]
        if ask.purpose == "prompt":
            depth = draw.pick(world.depths)
            return self._prompt(world, world.order(self.block, depth)[: self.skills], heat, draw)
        if task is None:
            return None
        if ask.purpose == "response":
            return self._response(world, task, heat, draw)
        deeper = _deeper(world, self.block, task.skill)
        return self._prompt(world, deeper, heat, draw) if deeper else None

    def _response(self, world: World, task: Task, heat: float, draw: Draw) -> str:
        wrong = draw.below(_FINE) < (1 - self.quality) * heat * _FINE
        return world.spoiled(task, draw.pick(world.errors), draw) if wrong else task.answer

    def _prompt(self, world: World, known: Sequence[Skill], heat: float, draw: Draw) -> str:
        return world.worded(world.task(self._skill(known, heat, draw), draw), draw.below(world.forms), draw)

    def _skill(self, known: Sequence[Skill], heat: float, draw: Draw) -> Skill:
        """One of the skills, the k-th in proportion to k^(-skew / heat)."""
        power = min(self.skew / heat, 500.0)
        weights = [math.exp(-power * math.log(rank)) for rank in range(1, len(known) + 1)]
        left = draw.below(_FINE) / _FINE * math.fsum(weights)
        for skill, weight in zip(known, weights, strict=True):
            left -= weight
            if left < 0:
                return skill
        return known[-1]


_OF_ANY_TASK = {"kind": "no", "instance": "Input: none"}
"""Answers that are the same for all tasks of all worlds."""


def _deeper(world: World, block: str, skill: Skill) -> list[Skill]:
    """The skills of the next depth that do all that this one does, in the order of the block; none at the greatest depth."""
    depth = min((depth for depth in world.depths if depth > skill.depth), default=None)
    return [] if depth is None else [one for one in world.order(block, depth) if _within(_parts(skill), _parts(one))]


def _parts(skill: Skill) -> list[str]:
    """What a skill is made of, in its order; the level that stands in a name (`sums/1`) is no part."""
    return [part for part in re.split(r"[>+/-]", skill.name) if not part.isdecimal()]


def _within(few: Sequence[str], many: Sequence[str]) -> bool:
    """Whether all of these occur there, in this order."""
    rest = iter(many)
    return all(part in rest for part in few)


def _tasks(world: World, ask: Ask) -> Iterator[Task]:
    """The tasks that a conversation words: the last first; whole messages before their lines."""
    for turn in reversed(ask.messages):
        for text in (turn.content, *reversed(turn.content.splitlines())):
            for bare in (text, _LABEL.sub("", text, count=1)):
                task = world.parse(bare.strip())
                if task is not None:
                    yield task
