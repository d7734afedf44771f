"""What the annotators that read records with a local language model share: passages, portions, and what they would cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from triptych.annotating.annotator import Item
from triptych.core.rng import stream
from triptych.language.load import need
from triptych.language.model import CONTEXT, Encoded, LanguageModel, Passage
from triptych.language.scores import BUDGET, token_scores

NO_RESPONSE = "no response"
NO_PROMPT = "no prompt"
TOO_SHORT = "a response of one token"
NO_NUMBER = "the model gives no finite number"

_PORTION = 8
"""Batches after which what is done is handed out: about ten seconds on a CPU."""

_LOOK = 256
"""Items that are tokenized to tell what all would cost."""


@dataclass(frozen=True)
class Readable:
    """An item with the passages of its record."""

    item: Item
    encoded: Encoded

    @property
    def tokens(self) -> int:
        """Tokens that a model reads for it: the response behind its prompt, and the response alone."""
        return sum(map(_size, (self.encoded.given, self.encoded.alone)))


def shown(model: str) -> str:
    """A model as people read it: of a path the last part."""
    path = Path(model).expanduser()
    return path.resolve().name if path.exists() else model


def _size(passage: Passage | None) -> int:
    return 0 if passage is None else len(passage.head) + len(passage.body)


def readable(model: LanguageModel, items: Sequence[Item], context: int) -> tuple[list[Readable], list[Item]]:
    """The items that can be read, shortest first and cut to the context, and those that cannot."""
    found, none = [], []
    for item in items:
        encoded = model.encode(item.prompt, item.response, context) if item.response else None
        if encoded is None or (encoded.given is None and encoded.alone is None):
            none.append(item)
        else:
            found.append(Readable(item, encoded))
    found.sort(key=lambda each: (each.tokens, each.item.content_id))
    return found, none


def portions(model: LanguageModel, found: Sequence[Readable]) -> Iterator[Sequence[Readable]]:
    """Neighbours of like length, as many as fill a few batches."""
    most = _PORTION * BUDGET[model.network.device.type]
    start = tokens = 0
    for place, each in enumerate(found):
        if tokens and tokens + each.tokens > most:
            yield found[start:place]
            start, tokens = place, 0
        tokens += each.tokens
    if found:
        yield found[start:]


def costs(model: LanguageModel, items: Sequence[Item], context: int, *, alone: bool, times: float = 1.0) -> str:
    """What reading these costs, in one line: tokens counted on some items, speed measured on two batches.

    Args:
        model: who reads them.
        items: to be read.
        context: tokens of a record at most.
        alone: whether each response is read alone too.
        times: time a token takes against scoring.
    """
    some = [items[place] for place in range(0, len(items), -(-len(items) // _LOOK))] if items else []
    found, _ = readable(model, some, context)
    sizes = [_size(each.encoded.given) + (_size(each.encoded.alone) if alone else 0) for each in found]
    if not sizes:
        return "nothing to read"
    tokens = sum(sizes) / len(some) * len(items)
    seconds = tokens / _speed(model, int(np.median(sizes))) * times
    device, torch = model.network.device.type, need("torch")
    threads = torch.get_num_threads()
    place = "the GPU" if device == "cuda" else "one thread" if threads == 1 else f"{threads} threads"
    return f"about {tokens:,.0f} tokens to read on {place}: {_span(seconds)}; no request leaves the machine"


def _speed(model: LanguageModel, size: int) -> float:
    """Tokens a second on batches of passages of this size, after one to warm up."""
    size = max(min(size, CONTEXT), 8)
    vocabulary = model.network.get_input_embeddings().weight.shape[0]
    rows = max(BUDGET[model.network.device.type] // size, 1)
    drawn = stream("calibration").integers(0, vocabulary, (rows, size)).tolist()
    passages = [Passage(row[: size // 3], row[size // 3 :]) for row in drawn]
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        list(token_scores(model, passages))
        seconds.append(time.perf_counter() - started)
    return rows * size / min(seconds[1:])


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
