"""A world's records as if a model wrote them: what is right is known exactly, and so is how often this writer errs.

It knows three purposes. Asked for a prompt, it words a task of a skill it draws. Asked for a response, it reads the task in
the last message and answers it, rightly or wrongly. Asked to evolve a prompt, it words a task one step deeper than the one
it finds in the conversation, where the world has deeper ones. To anything else it says that it cannot.

Heat does what it does to a model, by a rule that is known: at temperature t a response is wrong with probability
(1 - quality) * t, at most 1, and the k-th skill of a depth is drawn in proportion to k^(-skew / t). So a colder writer errs
less and repeats itself more.
"""

from __future__ import annotations

import math
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


@final
@dataclass(frozen=True)
class WorldWriter(Writer):
    """A world in the place of a model.

    Attributes:
        world: its name.
        quality: share of right responses at temperature 1.
        skills: how many different skills it has at each depth.
        skew: how unevenly it uses them at temperature 1; 0: evenly.
        temperature: of its draws.
        block: whose order of skills it follows.
        max_tokens: words of an answer, beyond which it is cut.
    """

    kind: ClassVar[str] = "world"

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
        world, draw = load_world(self.world), Draw("writer", "world", self.world, ask.key)
        heat = max(self.temperature if ask.temperature is None else ask.temperature, _COLD)
        read = sum(len(turn.content.split()) for turn in ask.messages)
        task = next(_tasks(world, ask), None)
        if ask.purpose == "response":
            if task is None:
                return Said(None, f"the world {self.world} reads no task in this prompt", prompt_tokens=read)
            text = self._response(world, task, heat, draw)
        elif ask.purpose == "prompt":
            text = self._prompt(world, draw.pick(world.depths), heat, draw)
        elif ask.purpose == "evolve":
            deeper = [depth for depth in world.depths if task is None or depth > task.skill.depth]
            text = self._prompt(world, min(deeper, default=max(world.depths)), heat, draw)
        else:
            return Said(None, f'a world writes prompts and responses, no "{ask.purpose}"', prompt_tokens=read)
        words = text.split(" ")
        most = ask.max_tokens or self.max_tokens
        return Said(" ".join(words[:most]), "", "stop" if len(words) <= most else "length", read, min(len(words), most))

    def _response(self, world: World, task: Task, heat: float, draw: Draw) -> str:
        wrong = draw.below(_FINE) < (1 - self.quality) * heat * _FINE
        return world.spoiled(task, draw.pick(world.errors), draw) if wrong else task.answer

    def _prompt(self, world: World, depth: int, heat: float, draw: Draw) -> str:
        known = world.order(self.block, depth)[: self.skills]
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


def _tasks(world: World, ask: Ask) -> Iterator[Task]:
    """The tasks that a conversation words: the last first; whole messages before their lines."""
    for turn in reversed(ask.messages):
        for text in (turn.content, *reversed(turn.content.splitlines())):
            task = world.parse(text.strip())
            if task is not None:
                yield task
