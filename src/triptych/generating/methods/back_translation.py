"""Back-translation: a text that is there is the response, and the model writes the prompt that it answers.

Li et al. 2023 (arXiv 2308.06259, Humpback). The responses are of people, so they are no better or worse than the seeds;
what varies is how well the prompt fits. With `curate` the model also rates each pair from 1 to 5, and pairs below that are
dropped: the self-curation of the paper, as good as the model's judgement. A seed's text is its response, or its prompt
where it has no response.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import ClassVar, final

from triptych.generating.ask import Ask, Batch, Desk, Method, Seed
from triptych.generating.methods._drafts import Copies, Deck, Draft, batch_of, drafts_of, shown, step
from triptych.generating.methods._reading import number_of, plain, text_of

_SYSTEM = "You are given an answer. You write the question or task that it answers."
_ASKED = "Answer: {text}"
_EXAMPLES = (
    (
        "Cut it back in late winter, before the buds open. Take off no more than a third in one year.",
        "When should I cut back an old apple tree, and how far?",
    ),
    (
        "Dear parents,\n\nthe summer party is on 21 June in the school yard. Bring cake!",
        "Write a letter that invites the parents of a class to a summer party.",
    ),
    ("The Nile, the Congo and the Niger.", "Name three rivers in Africa."),
)
_RATE_ASKED = (
    "Task: {prompt}\n\nAnswer: {text}\n\nHow well does the answer fit the task? Say one number from 1 (it does not answer it) to "
    "5 (it answers all of it, as an expert would)."
)
_RATINGS = (
    (_RATE_ASKED.format(prompt="Name three rivers in Africa.", text="The Nile, the Congo and the Niger."), "5"),
    (_RATE_ASKED.format(prompt="Name three rivers in Africa.", text="I like to swim."), "1"),
)


@final
@dataclass(frozen=True)
class BackTranslation(Method):
    """Prompts to texts that are there.

    Attributes:
        curate: pairs that the model rates below this are dropped, 1 to 5; 0: none is rated.
        most: characters of a text; longer ones are left out.
    """

    curate: int = 0
    most: int = 6000

    name: ClassVar[str] = "back_translation"
    source: ClassVar[str] = "Li et al. 2023 (arXiv 2308.06259)"

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not 0 <= self.curate <= 5:
            raise ValueError(f"curate must be between 0 and 5; got {self.curate}")
        if self.most < 1:
            raise ValueError(f"most must be at least 1; got {self.most}")

    def make(self, desk: Desk) -> Iterator[Batch]:
        """Prompts in one step, ratings in the next. Ends where no seed has a text that is short enough."""
        deck, copies = Deck(desk, self.name), Copies(done for _, done in _EXAMPLES)
        for turn in count():
            dealt = deck.deal(desk.batch, lambda seed: bool(plain(_text(seed))) and len(_text(seed)) <= self.most)
            if not dealt:
                return
            drafts = drafts_of(desk, [(seed,) for seed, _ in dealt], self.name, turn)
            for draft, (seed, attempt) in zip(drafts, dealt, strict=True):
                draft.response, draft.attempt = _text(seed), attempt
            for draft, text in step(desk, drafts, _asks_for, text_of):
                draft.prompt = text
                if plain(text) == plain(draft.response):
                    draft.close("prompt is a copy of the text", text)
            copies.close(drafts, desk.seeds)
            if self.curate:
                for draft, rating in step(desk, drafts, _rate, lambda said: number_of(said, 1, 5)):
                    draft.extra["rating"] = rating
                    if rating < self.curate:
                        draft.close("rated too low", f"{rating:g}: {draft.prompt}")
            yield batch_of(drafts)


def _text(seed: Seed) -> str:
    return (seed.response or seed.prompt or "").strip()


def _asks_for(draft: Draft) -> Ask:
    examples = [(_ASKED.format(text=text), f"Question: {prompt}") for text, prompt in _EXAMPLES]
    return Ask(shown(examples, _ASKED.format(text=draft.response), _SYSTEM), "instruction", draft.nonce)


def _rate(draft: Draft) -> Ask:
    last = _RATE_ASKED.format(prompt=draft.prompt, text=draft.response)
    return Ask(shown(_RATINGS, last), "judge", draft.nonce)
