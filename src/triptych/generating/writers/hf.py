"""A model of transformers writes in this process, in batches: a folder, a name on the hub, a GGUF file."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import ClassVar, final

import numpy as np

from triptych.core.rng import stream
from triptych.core.spec import Spec, spec_of
from triptych.generating.ask import Ask, Said, Told, Writer
from triptych.generating.writers._answering import answered, check
from triptych.language.batching import batches
from triptych.language.decode import Chance, continued
from triptych.language.load import need
from triptych.language.model import Device, LanguageModel, load_model, weights_of

_TOKENS = 1 << 14
"""Tokens of one batch, prompts and answers, when filled up."""


@final
@dataclass(frozen=True)
class HuggingFaceWriter(Writer):
    """A model of transformers.

    Rows of a batch are filled up at the left, and each has draws of its own. What is computed beside an answer still moves
    the last bits of its logits: equal bytes are promised for equal asks in equal calls, on one kind of machine.

    Attributes:
        model: a folder, which is looked for beside the recipe, a name on the hub, a GGUF file, or smollm2.
        temperature: of draws; 0: the likeliest token.
        max_tokens: of an answer.
        context: tokens of an ask with its answer, where the model takes no fewer.
        device: auto is a GPU where there is one.
        licence: of the model.
    """

    kind: ClassVar[str] = "hf"

    model: str
    temperature: float = 0.8
    max_tokens: int = 256
    context: int = 2048
    device: Device = "auto"
    licence: str = ""
    folder: Path = field(default=Path(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SpecError: one is out of range.
        """
        check(self.kind, temperature=(self.temperature, 0, 100), max_tokens=(self.max_tokens, 1, math.inf))
        check(self.kind, context=(self.context, 2, 1 << 20))

    @property
    def spec(self) -> Spec:
        """Kind, parameters and what is in the model's files.

        Raises:
            InputError: there is no such model, or what runs it is not installed.
        """
        own = spec_of(self, kind=self.kind, version=self.version)
        return Spec(own.kind, {**own.params, "identity": weights_of(self._place())}, own.version)

    def beside(self, folder: Path) -> HuggingFaceWriter:
        """The writer with its model looked for in this folder."""
        placed = copy.copy(self)
        object.__setattr__(placed, "folder", folder)
        return placed

    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        """The answers, in the order of the asks; an ask that is longer than the context fails alone.

        Raises:
            InputError: there is no such model, or what runs it is not installed.
        """
        return answered(self._answering, asks, None if keep is None else keep / f"hf-{self.spec.hash}.jsonl", done)

    def _answering(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Said]]:
        model = load_model(self._place(), self.device)
        context = min(self.context, model.codec.context)
        heads = [_head(model, ask) for ask in asks]
        room = [context - len(head) for head in heads]
        for place, left in enumerate(room):
            if left < 1:
                got = f"{len(heads[place])} tokens, and the context takes {context}"
                yield place, Said(None, f"the ask is too long: {got}", prompt_tokens=len(heads[place]))
        settings = [
            (self.temperature if ask.temperature is None else ask.temperature, ask.max_tokens or self.max_tokens)
            for ask in asks
        ]
        fit = sorted((place for place, left in enumerate(room) if left > 0), key=lambda place: (settings[place], place))
        for (temperature, most), group in groupby(fit, key=lambda place: settings[place]):
            places = list(group)
            for rows in batches([len(heads[place]) + most for place in places], _TOKENS):
                yield from self._batch(model, asks, heads, [places[row] for row in rows], (temperature, most, context))

    def _batch(
        self,
        model: LanguageModel,
        asks: Sequence[Ask],
        heads: Sequence[list[int]],
        places: Sequence[int],
        how: tuple[float, int, int],
    ) -> Iterator[tuple[int, Said]]:
        """Answers of one temperature and length, computed together."""
        temperature, most, context = how
        begun = time.perf_counter()
        chance = None
        if temperature:
            draws = [stream("writer", "draw", asks[place].key).random(most) for place in places]
            chance = Chance(np.array(draws), temperature)
        with need("torch").inference_mode():
            wrote = continued(model.network, [heads[place] for place in places], most, model.codec.ends, chance)
        seconds = round((time.perf_counter() - begun) / len(places), 3)
        for place, tokens in zip(places, wrote, strict=True):
            kept = tokens[: context - len(heads[place])]
            finish = "length" if len(kept) < len(tokens) or len(kept) == most else "stop"
            count = len(kept) + (finish == "stop")
            yield place, Said(model.codec.decode(kept), "", finish, len(heads[place]), count, seconds)

    def _place(self) -> str:
        path = self.folder / Path(self.model).expanduser()
        return str(path.absolute()) if path.exists() else self.model


def _head(model: LanguageModel, ask: Ask) -> list[int]:
    """Tokens of an ask in the model's chat template; without one the texts stand below each other."""
    codec = model.codec
    if not codec.chat:
        return codec.prompt("\n\n".join(turn.content for turn in ask.messages))
    turns = [{"role": turn.role, "content": turn.content} for turn in ask.messages]
    shown = codec.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids: list[int] = codec.tokenizer(shown, add_special_tokens=False, verbose=False)["input_ids"]
    return ids
