"""What writers share: answers that were kept, seeds of draws, files beside a recipe, ranges of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from triptych.core.errors import SpecError, message
from triptych.core.rng import stream
from triptych.generating.ask import Ask, Said, Told
from triptych.generating.keep import answers_in

Answering: TypeAlias = Callable[[Sequence[Ask]], Iterator[tuple[int, Said]]]
"""Asks to the place of each and its answer, as they come."""


def answered(answering: Answering, asks: Sequence[Ask], file: Path | None, done: Told | None) -> list[Said]:
    """The answers in the order of the asks: those that were kept, and the others, which are kept as they come.

    Args:
        answering: what answers; it is not called when all answers are there.
        asks: any number.
        file: of answers, which may be there; None: none is kept. An ask that failed is not kept: it is asked again.
        done: told of each answer.
    """
    store = None if file is None else answers_in(file.parent, file.name)
    found: list[Said | None] = [None if store is None else store.get(ask.key) for ask in asks]
    if done is not None and (known := sum(said is not None for said in found)):
        done(known)
    pending = [place for place, said in enumerate(found) if said is None]
    try:
        for turn, said in answering([asks[place] for place in pending]) if pending else ():
            found[pending[turn]] = said
            if store is not None and said.text is not None:
                store.put(asks[pending[turn]].key, said)
            if done is not None:
                done(1)
    finally:
        if store is not None:
            store.close()
    return [said if said is not None else Said(None, "no answer came") for said in found]


def seed_of(ask: Ask) -> int:
    """The seed of an ask's draws, below 2^31: another one for each text, nonce, temperature and length."""
    return int(stream("writer", "draw", ask.key).integers(2**31))


def check(kind: str, **ranges: tuple[float, float, float]) -> None:
    """Check numbers: name to value, lowest and highest.

    Raises:
        SpecError: one is out of range.
    """
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            want = f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
            what = f'writer "{kind}": {name} is out of range.'
            raise SpecError(message(what, got=f"{value:g}", want=want))
