"""Generation from a language model in batches.

What a loop asks for is many short responses to prompts that begin alike (a template's first words, or the same instruction
again and again). So the common beginning is read once for the whole batch, and rows that have ended leave it. The draws of
a row are its own: they depend on nothing else in the batch.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.language.load import need

_CROWD = 0.8
"""Rows that have ended are dropped when fewer than this share go on."""

_ALIKE = 4
"""Fewer common tokens than this are not worth a pass of their own."""


@dataclass(frozen=True)
class Chance:
    """How tokens are drawn.

    Attributes:
        draws: for each row and token, uniform in [0, 1), (n, most).
        temperature: above 0.
        min_p: a token less likely than so many times the likeliest one, before the temperature, is never drawn.
    """

    draws: NDArray[np.float64]
    temperature: float
    min_p: float = 0.0


def continued(
    network: Any,
    heads: Sequence[list[int]],
    most: int,
    ends: Collection[int],
    chance: Chance | None = None,
) -> list[list[int]]:
    """What follows each of these tokens, without the end token.

    Args:
        network: in evaluation mode, under inference mode.
        heads: tokens of each prompt, at least one each, (n, ..).
        most: tokens of a response at most.
        ends: tokens that end a response.
        chance: how tokens are drawn; None: the likeliest one.
    """
    torch = need("torch")
    batch = _Batch(network, heads)
    out: list[list[int]] = [[] for _ in heads]
    for step in range(most):
        told = batch.step()
        if chance is None:
            chosen = told.argmax(-1)
        else:
            chosen = _drawn(told, torch.from_numpy(chance.draws[batch.rows, step]).to(told.device), chance)
        tokens = chosen.tolist()
        for place in np.flatnonzero(batch.open):
            if tokens[place] in ends:
                batch.open[place] = False
            else:
                out[batch.rows[place]].append(tokens[place])
        if not batch.open.any():
            break
        batch.append(chosen)
    return out


def likely(told: Any, min_p: float) -> Any:
    """Logits (b, V) with -inf for each token that is less likely than `min_p` times the likeliest one; 0: as they are."""
    if not min_p:
        return told
    return told.masked_fill(told < told.max(-1, keepdim=True).values + math.log(min_p), -math.inf)


def _drawn(told: Any, draws: Any, chance: Chance) -> Any:
    """One token for each row of logits (b, V) by the inverse of its distribution at the draws (b,)."""
    torch = need("torch")
    below = (likely(told, chance.min_p) / chance.temperature).float().softmax(-1).cumsum(-1, dtype=torch.float64)
    return torch.searchsorted(below, draws[:, None] * below[:, -1:], right=True)[:, 0].clamp_(max=told.shape[1] - 1)


class Reading:
    """Rows of tokens under way through a network: what they all begin with is read once.

    Attributes:
        alike: how many tokens that is.
    """

    def __init__(self, network: Any, heads: Sequence[list[int]]) -> None:
        """Read what all heads begin with, but for the last token of each."""
        torch = need("torch")
        self._network = network
        own = network.get_base_model() if hasattr(network, "peft_config") else network
        self._takes = inspect.signature(own.forward).parameters
        self.cache = None
        if own._supports_default_dynamic_cache():  # noqa: SLF001 - as its own `generate` asks
            self.cache = need("transformers").DynamicCache(config=own.config.get_text_config(decoder=True))
        self.alike = _alike(heads) if len(heads) > 1 and self.cache is not None and _attends(self.cache) else 0
        if self.cache is not None and self.alike:
            tokens = torch.tensor([heads[0][: self.alike]])
            self.go_on(tokens, torch.ones_like(tokens), last=1)
            self.cache.batch_repeat_interleave(len(heads))

    def go_on(self, tokens: Any, mask: Any, last: int = 0) -> Any:
        """Logits (b, t, V) behind these tokens (b, t), or the last few; (b, T) masks those before them too."""
        device, given = self._network.device, {}
        if "position_ids" in self._takes:
            given["position_ids"] = (mask.cumsum(-1) - 1).clamp_(min=0)[:, -tokens.shape[1] :].to(device)
        if "logits_to_keep" in self._takes:
            given["logits_to_keep"] = last
        if self.cache is not None:
            given["past_key_values"] = self.cache
        told = self._network(
            input_ids=tokens.to(device), attention_mask=mask.to(device), use_cache=self.cache is not None, **given
        )
        return told.logits[:, -last:]


def _attends(cache: Any) -> bool:
    """Whether every layer attends to all places: it does not mind padding between the beginning and the rest."""
    return {type(layer).__name__ for layer in cache.layers} == {"DynamicLayer"}


def _alike(heads: Sequence[list[int]]) -> int:
    """How many tokens all heads begin with, the last one of each aside; 0 where they are not worth a pass of their own."""
    shortest = min(map(len, heads)) - 1
    beginnings = np.array([head[:shortest] for head in heads])
    differ = np.flatnonzero((beginnings != beginnings[0]).any(axis=0))
    alike = int(differ[0]) if len(differ) else shortest
    return alike if alike >= _ALIKE else 0


class _Batch:
    """Responses under way.

    Attributes:
        rows: which prompt each row of the batch is, (b,).
        open: rows that have not ended, (b,).
    """

    def __init__(self, network: Any, heads: Sequence[list[int]]) -> None:
        torch = need("torch")
        self._reading = Reading(network, heads)
        self.rows = np.arange(len(heads))
        self.open = np.ones(len(heads), dtype=np.bool_)
        alike = self._reading.alike
        width = max(map(len, heads)) - alike
        tokens = np.zeros((len(heads), width), dtype=np.int64)
        mask = np.ones((len(heads), alike + width), dtype=np.int64)
        for row, head in enumerate(heads):
            pads = width - (len(head) - alike)
            tokens[row, pads:], mask[row, alike : alike + pads] = head[alike:], 0
        self._tokens, self._mask = (torch.from_numpy(part).to(network.device) for part in (tokens, mask))

    def step(self) -> Any:
        """Logits of the next token of each row, (b, V)."""
        return self._reading.go_on(self._tokens, self._mask, last=1)[:, -1]

    def append(self, chosen: Any) -> None:
        """Go on behind the chosen tokens, (b,); rows that have ended leave once they are many."""
        torch = need("torch")
        cache = self._reading.cache
        self._tokens = chosen[:, None] if cache is not None else torch.cat([self._tokens, chosen[:, None]], 1)
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(chosen), 1)], 1)
        if self.open.mean() < _CROWD:
            stay = torch.from_numpy(np.flatnonzero(self.open)).to(chosen.device)
            self._tokens, self._mask = self._tokens[stay], self._mask[stay]
            if cache is not None:
                cache.batch_select_indices(stay)
            self.rows, self.open = self.rows[self.open], self.open[self.open]
