"""Given prompts: the seeds' own prompts are answered, and nothing else is written. The plainest method.

It is what distillation of one model into another does (Hinton et al. 2015, arXiv 1503.02531, on texts: Kim and Rush 2016,
arXiv 1606.07947), and what the other methods are compared with where tasks are fixed. Seeds are dealt in a drawn order, all of
them before any comes again; `attempt` counts how often a prompt was answered before. Fields of the seed's row travel with the record,
so that a verifier finds the answer that it compares with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import ClassVar, final

from triptych.generating.ask import Batch, Desk, Method
from triptych.generating.methods._drafts import Deck, batch_of, drafts_of, respond


@final
@dataclass(frozen=True)
class Given(Method):
    """The seeds' prompts, answered.

    Attributes:
        times: each prompt is answered this often before the method ends; 0: without end.
    """

    times: int = 0

    name: ClassVar[str] = "given"
    source: ClassVar[str] = "Kim and Rush 2016 (arXiv 1606.07947)"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)

    def __post_init__(self) -> None:
        """Check the parameter."""
        if self.times < 0:
            raise ValueError(f"times must not be below 0; got {self.times}")

    def make(self, desk: Desk) -> Iterator[Batch]:
        """Responses to the seeds, a batch at a time."""
        deck = Deck(desk, self.name)
        for turn in count():
            dealt = deck.deal(desk.batch, lambda seed: bool(seed.prompt))
            left = [(seed, attempt) for seed, attempt in dealt if not self.times or attempt < self.times]
            if not left:
                return
            drafts = drafts_of(desk, [(seed,) for seed, _ in left], self.name, turn)
            for draft, (seed, attempt) in zip(drafts, left, strict=True):
                draft.prompt, draft.row, draft.attempt = seed.prompt or "", dict(seed.row), attempt
            respond(desk, drafts)
            yield batch_of(drafts)
