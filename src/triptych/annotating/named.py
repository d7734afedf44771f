"""Annotators by the maker of their columns: who is asked for when a measure reads `judge.quality` or `lm.surprisal`.

A module of a maker has one function, `annotators(model, columns)`: the annotators that give these columns, for the model
as the user named it. It is imported only when such a column is read.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence

from triptych.annotating.annotator import Annotator

_MODULES: Mapping[str, str] = {
    "judge": "triptych.annotating.judges",
    "lm": "triptych.annotating.language_model",
    "student": "triptych.annotating.student",
    "gradients": "triptych.annotating.gradients",
    "reward": "triptych.annotating.reward",
}
"""Maker (`triptych.core.dear.OPTIONS`) to module."""


def annotators(maker: str, model: str, columns: Sequence[str]) -> tuple[Annotator, ...]:
    """The annotators that give these columns of one maker.

    Raises:
        InputError: the model is not there, or is named wrongly; nothing gives a column.
    """
    module = importlib.import_module(_MODULES[maker])
    made: tuple[Annotator, ...] = module.annotators(model, tuple(columns))
    return made


def parameters_of(named: str) -> tuple[str, dict[str, str]]:
    """The model and the parameters of `MODEL,name=value,..`; a value may hold commas, as JSON does."""
    model, *pieces = re.split(r",(?=[a-z_]+=)", named.strip())
    return model, dict(piece.split("=", 1) for piece in pieces)
