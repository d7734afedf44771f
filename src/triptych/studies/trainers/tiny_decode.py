"""Generation with cached keys and values, and likelihoods, of one tiny model.

Prompts are sorted by length and padded on the left; a padded place weighs nothing in attention and distances are
relative, so that a response does not depend on what else is in the batch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from triptych.core.rng import stream
from triptych.language.decode import likely
from triptych.studies.trainers.tiny_fit import Feed, collate
from triptych.studies.trainers.tiny_model import SHIFTED, Parameters, logits, mask, norm, shift
from triptych.studies.trainers.tiny_text import END, RESPOND

if TYPE_CHECKING:
    import torch

_ROOM = 2**22
"""Records times squared tokens in a batch: bounds memory."""

_ROWS = 256
"""Records in a batch on a CPU: what is computed in between then stays in its caches, which is 2.5 times as fast."""

_FAR = -1e9
"""Added to the attention of padded places: weighs 0, and a place that sees nothing else gives a number, not NaN."""

_CROWD = 0.8
"""Rows that have ended are dropped when fewer than this share go on."""


def batches(lengths: Sequence[int], rows: int) -> Iterator[list[int]]:
    """Records of similar length, shortest first, as many as there is room for and at most `rows`."""
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if group and (len(group) == rows or (len(group) + 1) * (lengths[index] + 1) ** 2 > _ROOM):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _rows(p: Parameters) -> int:
    return sys.maxsize if p["embed"].is_cuda else _ROWS


def log_likelihoods(p: Parameters, records: Sequence[tuple[list[int], int]]) -> NDArray[np.float64]:
    """Log-likelihood in nats and number of the tokens that count, of each record, (n, 2).

    Args:
        p: parameters of one arm.
        records: tokens, and the place of the first that counts.
    """
    import torch  # noqa: PLC0415 - an extra

    out = np.zeros((len(records), 2))
    for group in batches([len(tokens) for tokens, _ in records], _rows(p)):
        feed = Feed.of([records[i] for i in group], 0)
        batch = collate([feed], [np.arange(len(group))], str(p["embed"].device))
        with torch.inference_mode():
            told = logits(p, batch.tokens, batch.rows).double().log_softmax(-1)
            told = told.gather(-1, batch.targets[..., None])[0, :, 0]
        counts = feed.lengths - feed.first
        out[group, 0] = np.add.reduceat(told.cpu().numpy(), np.concatenate([[0], np.cumsum(counts)[:-1]]))
        out[group, 1] = counts
    return out


@dataclass(frozen=True)
class Chance:
    """How tokens are drawn.

    Attributes:
        temperature: 0 is greedy.
        min_p: a token less likely than so many times the likeliest one, before the temperature, is never drawn.
        seed: of the draws; those of prompt i depend on i, on the tokens that a response may have, and on nothing else.
    """

    temperature: float = 0.0
    min_p: float = 0.0
    seed: int = 0


def generate(p: Parameters, prompts: Sequence[list[int]], most: int, chance: Chance) -> list[list[int]]:
    """Tokens of a response to each prompt, the end token left out.

    Args:
        p: parameters of one arm.
        prompts: tokens of each prompt, RESPOND left out.
        most: tokens of a response at most.
        chance: how they are drawn.
    """
    import torch  # noqa: PLC0415 - an extra

    shape = len(prompts), most
    draws = stream("tiny", "generate", chance.seed).random(shape) if chance.temperature > 0 else None
    out: list[list[int]] = [[] for _ in prompts]
    with torch.inference_mode():
        for group in batches([len(prompt) + 1 + most // 2 for prompt in prompts], _rows(p)):
            decoding = _Decoding(p, [[*prompts[i], RESPOND] for i in group], most)
            for step in range(most):
                items = np.array(group)[decoding.items]
                told = decoding.step()
                chosen = told.argmax(-1) if draws is None else _drawn(told, draws[items, step], chance)
                for item, token in zip(items[decoding.open], chosen.cpu().numpy()[decoding.open], strict=True):
                    if token != END:
                        out[item].append(int(token))
                if not decoding.go_on(chosen):
                    break
    return out


def _drawn(told: torch.Tensor, draws: NDArray[np.float64], chance: Chance) -> torch.Tensor:
    """One token for each row of logits (b, V) by the inverse of its distribution at the draws (b,)."""
    import torch  # noqa: PLC0415

    told = likely(told, chance.min_p) / chance.temperature
    below = told.double().softmax(-1).cumsum(-1)
    at = torch.from_numpy(draws).to(told.device)[:, None] * below[:, -1:]
    return torch.searchsorted(below, at, right=True)[:, 0].clamp_(max=told.shape[1] - 1)


class _Decoding:
    """A batch of responses under way.

    Attributes:
        items: which prompt each row is, (b,).
        open: rows that have not ended, (b,).
    """

    def __init__(self, p: Parameters, prompts: Sequence[list[int]], most: int) -> None:
        import torch  # noqa: PLC0415

        self._p, self._at = p, 0
        layers, heads, _, triple = p["qkv"].shape[1:]
        width = max(map(len, prompts))
        tokens = np.zeros((len(prompts), width), dtype=np.int64)
        for row, prompt in zip(tokens, prompts, strict=True):
            row[width - len(prompt) :] = prompt
        device = p["embed"].device
        self._next = torch.from_numpy(tokens).to(device)
        pads = torch.tensor([width - len(prompt) for prompt in prompts], device=device)
        places = torch.arange(width + most, device=device)
        self._hidden = (places < pads[:, None]).float()[:, None, None] * _FAR
        room = (layers, 2, len(prompts), heads, width + most, triple // 3)
        self._cache = torch.zeros(room, device=device)
        self._past = torch.zeros((layers, len(prompts), heads, SHIFTED, triple), device=device)
        # All heads in one matrix: broadcast over records, theirs would be copied for each record at each token.
        self._qkv = p["qkv"][0].transpose(1, 2).reshape(layers, p["embed"].shape[2], heads * triple)
        self.items = np.arange(len(prompts))
        self.open = np.ones(len(prompts), dtype=np.bool_)

    def step(self) -> torch.Tensor:
        """Logits of the next token of each row, (b, V)."""
        import torch  # noqa: PLC0415

        p, tokens = self._p, self._next
        records, length = tokens.shape
        layers, heads, width, triple = p["qkv"].shape[1:]
        begin, end = self._at, self._at + length
        self._at = end
        shown = (self._hidden[:, 0, 0, begin:end] == 0).float()[..., None]
        x = p["embed"][0][tokens]
        for layer in range(layers):
            made = (norm(x) @ self._qkv[layer] * shown).view(records, length, heads, triple).transpose(1, 2)
            qkv = torch.cat([self._past[layer], made], 2)
            self._past[layer] = qkv[:, :, -SHIFTED:]
            q, k, v = shift(qkv, past=True).chunk(3, -1)
            keys, values = self._cache[layer, :, :, :, :end]
            keys[:, :, begin:], values[:, :, begin:] = k, v
            if layer == layers - 1:
                x, q = x[:, -1:], q[:, :, -1:]
            bias = mask(p["distance"][0, layer], q.shape[2], end) + self._hidden[..., :end]
            weights = (q @ keys.transpose(-1, -2) * (triple // 3) ** -0.5 + bias).softmax(-1)
            x = x + (weights @ values).transpose(1, 2).reshape(records, -1, width) @ p["out"][0, layer]
            x = x + (norm(x) @ p["up"][0, layer]).relu().square() @ p["down"][0, layer]
        return norm(x[:, -1]) @ p["embed"][0].T

    def go_on(self, chosen: torch.Tensor) -> bool:
        """Append the chosen tokens (b,); rows that have ended leave. False when none is left."""
        import torch  # noqa: PLC0415

        self.open &= chosen.cpu().numpy() != END
        left = int(self.open.sum())
        self._next = chosen[:, None]
        if left < _CROWD * len(self.open):
            stay = torch.from_numpy(np.flatnonzero(self.open)).to(chosen.device)
            self._next, self._hidden = self._next[stay], self._hidden[stay]
            self._cache, self._past = self._cache[:, :, stay], self._past[:, stay]
            self.items, self.open = self.items[self.open], self.open[self.open]
        return left > 0
