"""What a named student makes of a response: the surprisal and the clipped rank of its tokens, and the gradient of its loss.

    rank_t = min(1 + number of tokens that the student holds likelier, 100);   rsr = Σ rank / Σ surprisal

As in the released code of the rank-surprisal ratio (arXiv 2601.14249), prompts in the student's chat template where it has
one, without the end token. For the gradient see `triptych.language.gradients`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.annotating.annotator import Annotator, Item, Outcome
from triptych.annotating.gradients import GradientReading
from triptych.annotating.reading import NO_NUMBER, NO_PROMPT, NO_RESPONSE, costs, portions, readable, shown
from triptych.language.load import require_model
from triptych.language.model import CONTEXT, Device, LanguageModel, load_model, weights_of
from triptych.language.scores import TokenScores, token_scores

CLIP = 100
"""The largest rank that is told apart."""

VERSION = 1


@final
@dataclass(frozen=True)
class StudentReading(Annotator):
    """Surprisal and rank under the model that is to be trained, named as any language model."""

    name: ClassVar[str] = "student"

    model: str
    context: int = CONTEXT
    device: Device = "auto"

    @property
    def title(self) -> str:
        """With the model."""
        return f"fit to the student {shown(self.model)}"

    @property
    def gives(self) -> tuple[str, ...]:
        """Nats per token, mean rank, their ratio, tokens scored, and 1 where the record was cut."""
        return ("student.surprisal", "student.rank", "student.rsr", "student.tokens", "student.cut")

    @property
    def identity(self) -> str:
        """The model's files, the context and the largest rank."""
        return f"student {weights_of(self.model)} context={self.context} clip={CLIP} version={VERSION}"

    def plan(self, items: Sequence[Item]) -> str:
        """Tokens and time, by a short trial."""
        return costs(self._loaded(), items, self.context, alone=False)

    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """Shortest records first, a few batches at a time."""
        model = self._loaded()
        found, none = readable(model, items, self.context)
        for item in none:
            yield item.content_id, NO_RESPONSE
        for each in found:
            if each.encoded.given is None:
                yield each.item.content_id, NO_PROMPT
        for portion in portions(model, [each for each in found if each.encoded.given is not None]):
            passages = [each.encoded.given for each in portion if each.encoded.given is not None]
            for place, scores in token_scores(model, passages, clip=CLIP):
                each = portion[place]
                yield each.item.content_id, _values(scores, cut=each.encoded.cut)

    def _loaded(self) -> LanguageModel:
        return load_model(self.model, self.device)


def _values(scores: TokenScores, *, cut: bool) -> Outcome:
    surprisal, rank = float(np.mean(scores.surprisal)), float(np.mean(scores.rank if scores.rank is not None else []))
    if not np.isfinite(surprisal):
        return NO_NUMBER
    return {
        "student.surprisal": surprisal,
        "student.rank": rank,
        "student.rsr": rank / surprisal if surprisal > 0 else None,
        "student.tokens": float(len(scores.surprisal)),
        "student.cut": float(cut),
    }


def annotators(model: str, columns: tuple[str, ...]) -> tuple[Annotator, ...]:
    """The annotators that give these columns.

    Raises:
        InputError: what loads the model is not installed, or no model is named.
    """
    require_model(model)
    gradient = GradientReading(model, "student.gradient")
    scores = StudentReading(model)
    return tuple(each for each in (scores, gradient) if set(each.gives) & set(columns))
