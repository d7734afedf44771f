"""A selector: a policy that takes records under a budget. One file in `triptych.selectors` each.

A policy is a frozen dataclass of its parameters. It sees `Candidates` and fills a `Basket`; it never reads data, never
draws from a global generator, and leaves budgets, caps, must-keeps and validity to the basket that it is given. For
equal candidates, basket and seed it takes the same records at any number of threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.spec import Spec, spec_of


def _silent(done: int) -> None:
    del done


@dataclass(frozen=True)
class Setting:
    """What a policy works with.

    Attributes:
        seed: of all that it draws.
        threads: it may use; must not change what it takes.
        told: called with the number of records taken since the last call.
        cache: folder for what is dear to derive (the neighbour graph), or None.
    """

    seed: int = 0
    threads: int = 1
    told: Callable[[int], None] = _silent
    cache: Path | None = None


@dataclass(frozen=True)
class Choice:
    """What a policy says beside what it took.

    Attributes:
        score: what it ranks by, float64 (n,), higher is taken first, NaN where it has none; None where it has no score
            that stands for a record by itself.
        scored: the score in words ("quality", "distance to the nearest record taken").
        gained: unit of the basket's gains in words, or "" where they have no meaning.
        facts: dials reached, thresholds found, bounds: JSON values that belong to the result.
        notes: what the user should know, in sentences.
    """

    score: NDArray[np.float64] | None = None
    scored: str = ""
    gained: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Selector(ABC):
    """A policy. Subclasses are frozen dataclasses and final; the docstring of the module names the source.

    Attributes:
        name: as on the command line.
        source: the paper it follows.
        floor: whether it has a quality floor: then it is never shown a record that fails validity, whatever the user says.
        version: bumped when it takes other records for equal parameters.
        sweep: dials that `frontier` turns, as parameter sets from most diverse to highest quality; empty: it is one point.
    """

    name: ClassVar[str]
    source: ClassVar[str] = ""
    floor: ClassVar[bool] = False
    version: ClassVar[int] = 1
    sweep: ClassVar[tuple[Mapping[str, Any], ...]] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """What of the candidates it cannot do without: quality, complexity, vectors, structure, `field:NAME`."""
        return ()

    @property
    def wants(self) -> tuple[str, ...]:
        """What it uses where the data have it, of the same words."""
        return ()

    @abstractmethod
    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take records until the basket admits none, or until the policy's own rule ends it.

        Args:
            pool: n candidates, with everything in `needs`; quality has no NaN where it is needed.
            basket: with the must-keeps in it; they count as taken.
            setting: seed, threads, progress.

        Raises:
            SelectionError: the policy's own dials leave too few; the message names the smallest change that would do.
        """

    @property
    def spec(self) -> Spec:
        """Name, parameters and version."""
        return spec_of(self, kind=self.name, version=self.version)
