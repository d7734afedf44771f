"""Few-shot prompting: some seeds are shown, and one more of their kind is asked for.

Brown et al. 2020 (arXiv 2005.14165), used to write data since Schick and Schütze 2021 (arXiv 2104.07540). The seeds are shown as turns of a
talk in which the model has written them one after the other. Nothing keeps a model from writing much the same again and
again: this is the method that the others say they improve on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import ClassVar, final

from triptych.generating.ask import Ask, Batch, Desk, Method
from triptych.generating.methods._drafts import Copies, Draft, batch_of, drafts_of, respond, shown, step
from triptych.generating.methods._reading import text_of

FIRST = "Write a task."
NEXT = "Write another task, about something else."


@final
@dataclass(frozen=True)
class FewShot(Method):
    """A new prompt after some seeds, and its response.

    Attributes:
        shots: seeds shown for each prompt; fewer where there are fewer.
    """

    shots: int = 3

    name: ClassVar[str] = "few_shot"
    source: ClassVar[str] = "Brown et al. 2020 (arXiv 2005.14165)"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)

    def __post_init__(self) -> None:
        """Check the parameter."""
        if self.shots < 1:
            raise ValueError(f"shots must be at least 1; got {self.shots}")

    def make(self, desk: Desk) -> Iterator[Batch]:
        """Prompts in one step, responses in the next."""
        copies = Copies()
        for turn in count():
            seeds = [seed for seed in desk.seeds if seed.prompt]
            if not seeds:
                return
            rng = desk.rng(self.name, turn)
            drawn = [rng.permutation(len(seeds))[: self.shots].tolist() for _ in range(desk.batch)]
            drafts = drafts_of(desk, [tuple(seeds[i] for i in places) for places in drawn], self.name, turn)
            for draft, text in step(desk, drafts, like_these, text_of):
                draft.prompt = text
            copies.close(drafts, seeds)
            respond(desk, drafts)
            yield batch_of(drafts)


def like_these(draft: Draft) -> Ask:
    """A talk in which the draft's seeds were written, and one more is asked for."""
    examples = [(NEXT if place else FIRST, seed.prompt or "") for place, seed in enumerate(draft.seeds)]
    return Ask(shown(examples, NEXT), "prompt", draft.nonce)
