"""What a generator is: it writes the records of a round, prompts too where none are given.

Two ways. Without prompts it is asked for `samples` records of its own: prompts at the exploring temperatures, in their
shares, then one response to each. With prompts it answers each of them `each` times; where that would be more than
`samples`, a part of the prompts is drawn for the round.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from triptych.core.errors import SpecError, message
from triptych.core.rng import stream
from triptych.core.spec import Spec, params_of
from triptych.looping.dials import Dials
from triptych.looping.records import Written
from triptych.studies.design.clusters import in_proportion
from triptych.studies.trainers.trainer import Example, Model


@dataclass(frozen=True)
class Asked:
    """What is wanted of a generator in one round.

    Attributes:
        samples: records.
        dials: temperature of responses, exploring temperatures of prompts.
        seed, round: of the draws.
        prompts: to be answered, with their rows; None: the generator writes its own.
        each: responses to each given prompt.
        write: what is asked so that a prompt comes back; "" for models that were trained to write one after nothing.
        prompt_tokens, response_tokens: at most; None: what the generator thinks fit.
        likelihood: whether likelihoods are wanted, where the generator can tell them.
        keep: folder for what was paid for, so that a killed round need not pay twice; None: the user's cache.
        saved: folder of the round's model, for generators that read it there; None: it is not saved.
    """

    samples: int
    dials: Dials
    seed: int
    round: int
    prompts: Sequence[Example] | None = None
    each: int = 1
    write: str = ""
    prompt_tokens: int | None = None
    response_tokens: int | None = None
    likelihood: bool = True
    keep: Path | None = None
    saved: Path | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SpecError: one is out of range, or there is no prompt to answer.
        """
        for what, value in (("samples", self.samples), ("each", self.each)):
            if value < 1:
                raise SpecError(message(f"generator: {what} is out of range.", got=str(value), want="at least 1"))
        if self.prompts is not None and not self.prompts:
            raise SpecError(message("generator: there is no prompt to answer.", want="at least one"))
        shares = [share for _, share in self.dials.explore]
        if not shares or min(shares) < 0 or not 0 < sum(shares) < math.inf:
            got = ", ".join(f"{t:g}: {share:g}" for t, share in self.dials.explore) or "none"
            raise SpecError(message("dials: explore has no shares.", got=got, want="shares of 0 or more, not all 0"))

    def draw(self, *labels: str | int) -> int:
        """A seed for one kind of draw of this round."""
        return int(self.draws(1, *labels)[0])

    def draws(self, n: int, *labels: str | int) -> list[int]:
        """Seeds for n draws of one kind, below 2^31."""
        drawn: list[int] = stream("loop", "generator", *labels, self.seed, self.round).integers(2**31, size=n).tolist()
        return drawn

    def exploring(self) -> list[tuple[float, int]]:
        """Each exploring temperature and how many prompts are written at it; `samples` in all, by largest remainders."""
        shares = np.array([share for _, share in self.dials.explore])
        counts = in_proportion(np.rint(shares / shares.sum() * 10**9).astype(np.int64), self.samples).tolist()
        return [(t, count) for (t, _), count in zip(self.dials.explore, counts, strict=True)]

    def temperatures(self) -> list[float]:
        """The exploring temperature of each prompt, (samples,): mixed, so that the first few are like all of them."""
        listed = np.repeat([t for t, _ in self.exploring()], [count for _, count in self.exploring()])
        order = stream("loop", "generator", "order", self.seed, self.round).permutation(len(listed))
        mixed: list[float] = listed[order].tolist()
        return mixed

    def answering(self) -> list[int]:
        """Which of the given prompts each record answers: place in `prompts`, (records,), equal ones beside each other."""
        prompts = self.prompts or ()
        wanted = min(len(prompts), max(1, self.samples // self.each))
        places = np.arange(len(prompts))
        if wanted < len(prompts):
            drawn = stream("loop", "generator", "which prompts", self.seed, self.round).permutation(len(prompts))
            places = np.sort(drawn[:wanted])
        repeated: list[int] = np.repeat(places, min(self.each, self.samples)).tolist()
        return repeated


@dataclass(frozen=True)
class Batch:
    """What a generator wrote.

    Attributes:
        written: the records; those that failed are not among them.
        likelihood: log p(record) per token under what wrote it, in nats, of each; None where not known.
        notes: what to tell: JSON values. `failed` counts records that were asked for and did not come, with
            `first_failed`; endpoints count requests and tokens.
    """

    written: tuple[Written, ...]
    likelihood: tuple[float | None, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


class Generator(ABC):
    """Writes records. Final subclasses are frozen dataclasses: their fields are what a user may set."""

    name: ClassVar[str]
    asks_model: ClassVar[bool] = True
    """Whether the round's model may be what writes; else it need not learn to write prompts."""
    effort: ClassVar[frozenset[str]] = frozenset()
    """Parameters that say how hard it tries and nothing of what it writes: they may be others when a loop goes on."""

    @property
    def spec(self) -> Spec:
        """Name and parameters."""
        return Spec(self.name, params_of(self))

    @property
    def hottest(self) -> float:
        """The highest temperature that it writes prompts at, for policies that set it."""
        return math.inf

    @property
    def cuts(self) -> bool:
        """Whether it can cut unlikely tokens off while it writes prompts (`Dials.min_p`)."""
        return True

    def beside(self, folder: Path) -> Generator:  # noqa: ARG002 - most name no files
        """The same with the files that its parameters name looked for in this folder."""
        return self

    def check(self, prompts: Sequence[Example] | None, write: str) -> None:  # noqa: B027 - most need nothing
        """Look before the first training whether it has what it needs; arguments as in `Asked`.

        Raises:
            UsageError: it has not.
        """

    @abstractmethod
    def write(self, asked: Asked, model: Model | None) -> Batch:
        """Write the records of a round. The same arguments give the same records, where the generator is our own.

        Args:
            asked: what is wanted.
            model: the model of the round; None where the generator needs none.

        Raises:
            TriptychError: nothing could be written, in one clear message.
        """
