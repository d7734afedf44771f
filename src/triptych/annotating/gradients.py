"""The gradient of a language model's loss on each record, projected: what G-Vendi and GRACE read.

See `triptych.language.gradients` for the vector. A gradient takes about three times as long as scoring, so this is for a
sample; records are cut to 512 tokens, as memory grows with their length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.annotating.annotator import Annotator, Item, Outcome
from triptych.annotating.reading import NO_NUMBER, NO_RESPONSE, TOO_SHORT, costs, readable, shown
from triptych.language.gradients import WIDTH, Gradients
from triptych.language.load import require_model
from triptych.language.model import Device, LanguageModel, load_model, weights_of

CONTEXT = 512
VERSION = 1
_TIMES = 3.0
"""Time a token takes against scoring, measured on SmolLM2."""


@final
@dataclass(frozen=True)
class GradientReading(Annotator):
    """Projected gradients under a model named as any language model, in `column`."""

    name: ClassVar[str] = "gradients"

    model: str
    column: str = "gradients.vector"
    context: int = CONTEXT
    device: Device = "auto"

    @property
    def title(self) -> str:
        """With the model."""
        return f"gradients under {shown(self.model)}"

    @property
    def gives(self) -> tuple[str, ...]:
        """The vector."""
        return (self.column,)

    @property
    def widths(self) -> Mapping[str, int]:
        """512 numbers."""
        return {self.column: WIDTH}

    @property
    def identity(self) -> str:
        """The model's files, the context, and the size of the vector."""
        return f"{self.column} {weights_of(self.model)} context={self.context} width={WIDTH} version={VERSION}"

    def plan(self, items: Sequence[Item]) -> str:
        """Tokens and time, by a short trial."""
        return costs(self._loaded(), items, self.context, alone=False, times=_TIMES)

    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """One record after the other, shortest first; a record without a prompt is read as a text alone."""
        model = self._loaded()
        gradients = Gradients(model)
        found, none = readable(model, items, self.context)
        for item in none:
            yield item.content_id, NO_RESPONSE if not item.response else TOO_SHORT
        for each in found:
            passage = each.encoded.given or each.encoded.alone
            if passage is not None:
                vector = gradients.vector(passage)
                finite = bool(np.all(np.isfinite(vector)))
                yield each.item.content_id, {self.column: vector} if finite else NO_NUMBER

    def _loaded(self) -> LanguageModel:
        return load_model(self.model, self.device)


def annotators(model: str, columns: tuple[str, ...]) -> tuple[Annotator, ...]:
    """The annotator of these columns.

    Raises:
        InputError: what loads the model is not installed, or no model is named.
    """
    require_model(model)
    return tuple(GradientReading(model, column) for column in columns)
