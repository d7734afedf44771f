"""A model that writes whole records, prompt and response, from nothing; and how good and how varied they are.

A record becomes one text, `prompt => response`, that answers an empty prompt. So any trainer learns to write prompts, the
mark that begins every response is what the first word follows, and the likelihood of a record counts its prompt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triptych.studies.trainers.trainer import Example, Model
from triptych.worlds.world import World

MARK = "=>"
"""Between prompt and response."""


def whole(prompt: str, response: str) -> Example:
    """A record as something to be written from nothing."""
    return Example("", f"{prompt} {MARK} {response}")


def parted(text: str) -> tuple[str, str]:
    """Prompt and response of a written text; without a mark all of it is prompt."""
    prompt, _, response = text.partition(f" {MARK}")
    return prompt, response.strip()


def write(model: Model, n: int, temperature: float, seed: int) -> list[tuple[str, str]]:
    """Prompts and responses that a model trained on `whole` records writes from nothing."""
    return [parted(text) for text in model.generate([""] * n, temperature=temperature, seed=seed)]


def likelihoods(model: Model, records: Sequence[tuple[str, str]]) -> list[float]:
    """log p of each record per token, in nats."""
    told = model.log_likelihood([whole(*record) for record in records])
    return [float(each) for each in told[:, 0] / told[:, 1]]


@dataclass(frozen=True)
class Pile:
    """Records that were written, counted.

    Attributes:
        records: how many.
        read: skills of those whose prompt is a task of the world.
        right: skills of those whose answer is right besides.
    """

    records: int
    read: Counter[str]
    right: Counter[str]

    @classmethod
    def of(cls, world: World, records: Iterable[tuple[str, str]]) -> Pile:
        """Read and grade the records."""
        n, read, right = 0, Counter[str](), Counter[str]()
        for prompt, response in records:
            n += 1
            task = world.parse(prompt)
            if task is not None:
                read[task.skill.name] += 1
                row = {"answer": task.answer, "skeleton": task.skill.name, **world.extras(task)}
                right[task.skill.name] += world.grade(row, response) == 1
        return cls(n, read, +right)

    @property
    def valid(self) -> float:
        """Share of records whose prompt is a task."""
        return self.read.total() / self.records

    @property
    def quality(self) -> float:
        """Share of records whose prompt is a task and whose answer is right."""
        return self.right.total() / self.records
