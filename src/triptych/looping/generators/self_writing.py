"""The model of the round writes its own prompts and answers them, or answers given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.core.errors import UsageError, message
from triptych.looping.generators.base import Asked, Batch, Generator
from triptych.looping.records import Written
from triptych.studies.trainers.trainer import Example, Model


@final
@dataclass(frozen=True)
class SelfWriting(Generator):
    """The model itself.

    A prompt is what the model says to `Asked.write`; the response is what it says to that prompt. The draws of a record
    depend on seed, round and its place alone, and those of prompts and responses have nothing to do with each other.
    """

    name: ClassVar[str] = "self"

    def write(self, asked: Asked, model: Model | None) -> Batch:
        """Write the records of a round.

        Raises:
            UsageError: there is no model that can write.
        """
        if model is None:
            what = "generator self: there is no model that can write."
            raise UsageError(message(what, want="a trainer that gives a model: tiny, hf", hint="generator.kind"))
        written = _own(asked, model) if asked.prompts is None else _given(asked, asked.prompts, model)
        likelihood = _likelihood(written, asked, model) if asked.likelihood else (None,) * len(written)
        return Batch(tuple(written), likelihood)


def _own(asked: Asked, model: Model) -> list[Written]:
    """Prompts, those of each exploring temperature by themselves, then responses to all of them at once."""
    explored = asked.temperatures()
    prompts = [""] * len(explored)
    for turn, temperature in enumerate(dict.fromkeys(t for t, _ in asked.exploring())):
        places = [place for place, t in enumerate(explored) if t == temperature]
        if places:
            seed, asks = asked.draw("prompts", turn), [asked.write] * len(places)
            most, least = asked.prompt_tokens, asked.dials.min_p
            said = model.generate(asks, temperature=temperature, max_tokens=most, seed=seed, min_p=least)
            for place, prompt in zip(places, said, strict=True):
                prompts[place] = prompt
    said = _answers(prompts, asked, model)
    t = asked.dials.temperature
    return [Written(p, r, t, e) for p, r, e in zip(prompts, said, explored, strict=True)]


def _given(asked: Asked, prompts: Sequence[Example], model: Model) -> list[Written]:
    places = asked.answering()
    said = _answers([prompts[place].prompt for place in places], asked, model)
    t = asked.dials.temperature
    return [
        Written(prompts[place].prompt, response, t, None, str(place), prompts[place].row)
        for place, response in zip(places, said, strict=True)
    ]


def _answers(prompts: Sequence[str], asked: Asked, model: Model) -> list[str]:
    seed, most = asked.draw("responses"), asked.response_tokens
    return model.generate(prompts, temperature=asked.dials.temperature, max_tokens=most, seed=seed)


def _likelihood(written: Sequence[Written], asked: Asked, model: Model) -> tuple[float | None, ...]:
    """Per token of what the model wrote: prompt and response, or of a given prompt the response alone."""
    told = model.log_likelihood([Example(w.prompt, w.response) for w in written])
    if asked.prompts is None:
        told = told + model.log_likelihood([Example(asked.write, w.prompt) for w in written])
    values = [float(total / tokens) if tokens > 0 else None for total, tokens in told]
    return tuple(value if value is not None and np.isfinite(value) else None for value in values)
