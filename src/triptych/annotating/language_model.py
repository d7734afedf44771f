"""What a named language model makes of a response: its surprisal behind the prompt and alone, and the ratio of the two.

    surprisal = mean over tokens of -log p(y_t | x, y_<t),   alone = the same without x,   ifd = surprisal / alone,
    ifd_perplexity = exp(surprisal - alone)

The prompt is set in the model's chat template where it has one, else it ends with a line break; the response alone stands in
none. No end token is scored. As in the code of Superfiltering (Li et al. 2024, arXiv 2402.00530), the first token of the
response alone is scored only where the tokenizer puts something before every text. Of a record longer than the context the
response loses its end, then the prompt its beginning: `lm.cut` is 1 there, and both surprisals are of the same tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.annotating.annotator import Annotator, Item, Outcome
from triptych.annotating.reading import NO_NUMBER, NO_RESPONSE, Readable, costs, portions, readable, shown
from triptych.language.load import require_model
from triptych.language.model import CONTEXT, Device, LanguageModel, Passage, load_model, weights_of
from triptych.language.scores import token_scores

VERSION = 2


@final
@dataclass(frozen=True)
class LanguageModelReading(Annotator):
    """Surprisal and IFD under a language model; `model` is a folder, a GGUF file, `smollm2` or a name on the hub."""

    name: ClassVar[str] = "lm"

    model: str
    context: int = CONTEXT
    device: Device = "auto"

    @property
    def title(self) -> str:
        """With the model."""
        return f"surprisal under {shown(self.model)}"

    @property
    def gives(self) -> tuple[str, ...]:
        """Nats per token, their ratios, 1 where the ratio is above 1, tokens scored, and 1 where the record was cut."""
        return ("lm.surprisal", "lm.surprisal_alone", "lm.ifd", "lm.ifd_perplexity", "lm.misfit", "lm.tokens", "lm.cut")

    @property
    def identity(self) -> str:
        """The model's files and the context; the device moves a value by rounding only."""
        return f"lm {weights_of(self.model)} context={self.context} version={VERSION}"

    def plan(self, items: Sequence[Item]) -> str:
        """Tokens and time, by a short trial."""
        return costs(self._loaded(), items, self.context, alone=True)

    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """Shortest records first, a few batches at a time."""
        model = self._loaded()
        found, none = readable(model, items, self.context)
        for item in none:
            yield item.content_id, NO_RESPONSE
        for portion in portions(model, found):
            means = _means(model, portion)
            for place, each in enumerate(portion):
                yield each.item.content_id, _values(each, means.get((place, 0)), means.get((place, 1)))

    def _loaded(self) -> LanguageModel:
        return load_model(self.model, self.device)


def _means(model: LanguageModel, portion: Sequence[Readable]) -> dict[tuple[int, int], float]:
    """Mean surprisal of each passage there is, by place and 0 (behind the prompt) or 1 (alone)."""
    keys: list[tuple[int, int]] = []
    passages: list[Passage] = []
    for place, each in enumerate(portion):
        for which, passage in enumerate((each.encoded.given, each.encoded.alone)):
            if passage is not None:
                keys.append((place, which))
                passages.append(passage)
    return {keys[at]: float(np.mean(scores.surprisal)) for at, scores in token_scores(model, passages)}


def _values(each: Readable, given: float | None, alone: float | None) -> Outcome:
    found = [value for value in (given, alone) if value is not None]
    if not np.all(np.isfinite(found)):
        return NO_NUMBER
    shown = each.encoded.given or each.encoded.alone
    return {
        "lm.surprisal": given,
        "lm.surprisal_alone": alone,
        "lm.ifd": given / alone if given is not None and alone else None,
        "lm.ifd_perplexity": math.exp(given - alone) if given is not None and alone is not None else None,
        "lm.misfit": float(given > alone) if given is not None and alone is not None else None,
        "lm.tokens": float(len(shown.body)) if shown else None,
        "lm.cut": float(each.encoded.cut),
    }


def annotators(model: str, columns: tuple[str, ...]) -> tuple[Annotator, ...]:
    """The annotator that gives these columns.

    Raises:
        InputError: what loads the model is not installed, or no model is named.
    """
    require_model(model)
    del columns  # one pass gives them all
    return (LanguageModelReading(model),)
