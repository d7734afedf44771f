"""A model in GGUF format writes in this process: the packaged one, so that it runs on a fresh machine, or any file."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, final

from triptych.core.errors import SpecError, message
from triptych.core.spec import Spec, spec_of
from triptych.generating.ask import Ask, Said, Told, Writer
from triptych.generating.writers._answering import answered, check, seed_of
from triptych.language.load import ALIASES
from triptych.language.runtime import Draw, Room, Runtime, UnansweredError, model_identity, opened

_PACKAGED = {"smollm2": "Apache-2.0"}


@final
@dataclass(frozen=True)
class LocalWriter(Writer):
    """A model on this machine, by llama.cpp.

    An answer depends on the ask alone, not on what is asked beside it, unless `fused` trades that for speed: equal recipes
    give equal bytes on one kind of processor and one release of the runtime, if the model's weights are quantized; where they
    are not, `slots = 1` sees to it.

    Attributes:
        model: smollm2, or a GGUF file, which is looked for beside the recipe.
        temperature: of draws; 0: the likeliest token.
        max_tokens: of an answer.
        top_p: tokens are drawn from the likeliest that make up this share of the probability.
        context: tokens of an ask with its answer.
        slots: asks answered side by side.
        threads: that compute; 0: as many as there are cores idle at the start.
        fused: whatever kernels of attention are fastest: about a tenth faster where asks are of some 300 tokens, no faster
            where they are short; and what is asked beside an ask moves its answer.
        licence: of the model, where it is not the packaged one.
    """

    kind: ClassVar[str] = "lm"
    version: ClassVar[int] = 3

    model: str = "smollm2"
    temperature: float = 0.8
    max_tokens: int = 256
    top_p: float = 1.0
    context: int = 2048
    slots: int = 8
    threads: int = 0
    fused: bool = False
    licence: str = ""
    folder: Path = field(default=Path(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the numbers, and that a model is named.

        Raises:
            SpecError: one is out of range, or none is.
        """
        if not self.model:
            raise SpecError(message(f'writer "{self.kind}" needs a model.', want="a .gguf file, or smollm2"))
        check(self.kind, temperature=(self.temperature, 0, 100), top_p=(self.top_p, 1e-6, 1))
        check(self.kind, max_tokens=(self.max_tokens, 1, math.inf))
        self._room()
        if not self.licence and self.model in _PACKAGED:
            object.__setattr__(self, "licence", _PACKAGED[self.model])

    @property
    def spec(self) -> Spec:
        """Kind, parameters and what is in the model's file.

        Raises:
            InputError: there is no such model, or what runs it is not installed.
        """
        own = spec_of(self, kind=self.kind, version=self.version)
        return Spec(own.kind, {**own.params, "identity": model_identity(self._place())}, own.version)

    def beside(self, folder: Path) -> LocalWriter:
        """The writer with its file looked for in this folder."""
        placed = copy.copy(self)
        object.__setattr__(placed, "folder", folder)
        return placed

    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        """The answers, in the order of the asks; an ask that is longer than the context fails alone.

        Raises:
            InputError: there is no such model, or what runs it is not installed.
        """
        return answered(self._answering, asks, None if keep is None else keep / self._name(), done)

    def _answering(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Said]]:
        runtime = opened(self._place(), self._room())
        with ThreadPoolExecutor(self.slots) as pool:
            under_way = {pool.submit(self._answer, runtime, ask): place for place, ask in enumerate(asks)}
            try:
                for future in as_completed(under_way):
                    yield under_way[future], future.result()
            finally:  # an interrupted run ends what it has begun, and no more
                pool.shutdown(cancel_futures=True)

    def _answer(self, runtime: Runtime, ask: Ask) -> Said:
        begun = time.perf_counter()
        temperature = self.temperature if ask.temperature is None else ask.temperature
        draw = Draw(temperature, self.top_p, seed_of(ask), ask.max_tokens or self.max_tokens)
        try:
            said = runtime.answer(ask.messages, draw)
        except UnansweredError as error:
            return Said(None, str(error))
        seconds = round(time.perf_counter() - begun, 3)
        return Said(said.text, "", said.finish, said.prompt_tokens, said.tokens, seconds)

    def _name(self) -> str:
        """File of answers: of the model and of all that moves its draws, so that more slots find the same answers."""
        moving = {name: getattr(self, name) for name in ("temperature", "max_tokens", "top_p", "context", "fused")}
        return f"lm-{Spec(self.kind, {**moving, 'identity': model_identity(self._place())}, self.version).hash}.jsonl"

    def _place(self) -> str:
        return self.model if self.model in ALIASES else str(self.folder / Path(self.model).expanduser())

    def _room(self) -> Room:
        return Room(self.slots, self.context, self.threads, self.fused)
