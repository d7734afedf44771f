"""A desk with other seeds than the recipe's: how a search tells a method what to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from triptych.generating.ask import Ask, Desk, Failed, Made, Said, Seed, Vectors


class Steered:
    """The desk of a run, but for its seeds, which a search may change between two batches.

    Attributes:
        seeds: what the method draws from.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.seeds: Sequence[Seed] = desk.seeds

    @property
    def batch(self) -> int:
        """The run's."""
        return self._desk.batch

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        """The run's."""
        return self._desk.ask(asks)

    def file(self, name: str) -> Path:
        """The run's."""
        return self._desk.file(name)

    def rng(self, *labels: str | int) -> np.random.Generator:
        """The run's."""
        return self._desk.rng(*labels)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The run's."""
        return self._desk.embed(texts)

    def grade(self, prompt: str, response: str, row: Mapping[str, Any]) -> float | None:
        """The run's."""
        return self._desk.grade(prompt, response, row)

    def grades(self, made: Sequence[Made]) -> list[float | None]:
        """The run's."""
        return self._desk.grades(made)


def dropped(made: Made, reason: str, **extra: Any) -> Failed:
    """A record that a search does not hand on, with its cost; `id` is what records name that come from it all the same."""
    cost = {name: getattr(made, name) for name in ("parents", "attempt", "asks", "prompt_tokens", "tokens", "seconds")}
    return Failed(reason, made.prompt, extra={**made.extra, **extra, "id": made.id}, **cost)
