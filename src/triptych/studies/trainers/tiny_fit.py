"""Training of one or of many tiny models: batches, learning rate, AdamW.

Records are passed over again and again, each time in a new order drawn from the seed; `POOL` batches at a time are sorted
by length and cut, so that the records of a batch are about as long as each other and little is padded, and the batches of
a pool are used in a drawn order. Every batch is full: passes run into each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from triptych.core.rng import stream
from triptych.studies.trainers.tiny_gradient import loss_and_gradient
from triptych.studies.trainers.tiny_model import Batch, Shape

if TYPE_CHECKING:
    import torch

Ints = NDArray[np.int64]

POOL = 8
BETAS = 0.9, 0.98
EPSILON = 1e-8
WARM_UP = 0.05
"""Share of the steps in which the learning rate rises from 0."""
FLOOR = 0.02
"""Learning rate at the end, as a share of the highest."""


@dataclass(frozen=True)
class Feed:
    """The encoded records of one arm.

    Attributes:
        tokens: (n, longest), int64, filled up with 0 on the right.
        lengths: tokens of each record, (n,).
        first: where the response begins in each: the place of the first token that counts in the loss, (n,).
        seed: of the order of the records.
    """

    tokens: Ints
    lengths: Ints
    first: Ints
    seed: int

    @classmethod
    def of(cls, records: Sequence[tuple[list[int], int]], seed: int) -> Feed:
        """From the tokens of each record and the place of the first that counts."""
        lengths = np.array([len(tokens) for tokens, _ in records], dtype=np.int64)
        padded = np.zeros((len(records), int(lengths.max())), dtype=np.int64)
        for row, (tokens, _) in zip(padded, records, strict=True):
            row[: len(tokens)] = tokens
        return cls(padded, lengths, np.array([first for _, first in records], dtype=np.int64), seed)

    def orders(self, batch: int) -> Iterator[Ints]:
        """Which records each batch holds, without end."""
        draw = stream("tiny", "order", self.seed)
        waiting = np.empty(0, dtype=np.int64)
        while True:
            while len(waiting) < POOL * batch:
                waiting = np.concatenate([waiting, draw.permutation(len(self.lengths))])
            pool, waiting = waiting[: POOL * batch], waiting[POOL * batch :]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")].reshape(POOL, batch)
            yield from pool[draw.permutation(POOL)]


@dataclass(frozen=True)
class Plan:
    """How to train: steps of each arm, records in a batch, highest learning rate, weight decay."""

    steps: tuple[int, ...]
    batch: int
    learning_rate: float
    weight_decay: float

    def rates(self, step: int, arms: int) -> list[float]:
        """Learning rate of the first arms at a step."""
        return [self.learning_rate * _rise_and_fall(step, steps) for steps in self.steps[:arms]]


def _rise_and_fall(step: int, steps: int) -> float:
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    return FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * (step - warm + 1) / max(1, steps - warm))) / 2


def collate(feeds: Sequence[Feed], chosen: Sequence[Ints], device: str) -> Batch:
    """The batch of these records of each arm."""
    import torch  # noqa: PLC0415 - an extra

    length = max(int(feed.lengths[rows].max()) for feed, rows in zip(feeds, chosen, strict=True)) - 1
    tokens = np.zeros((len(feeds), len(chosen[0]), length), dtype=np.int64)
    places, targets = [], []
    for arm, (feed, rows) in enumerate(zip(feeds, chosen, strict=True)):
        width = min(length + 1, feed.tokens.shape[1])
        block = feed.tokens[rows, :width]
        tokens[arm, :, : width - 1] = block[:, :-1]
        at = np.arange(width - 1)
        counts = (at >= feed.first[rows, None] - 1) & (at < feed.lengths[rows, None] - 1)
        record, place = np.nonzero(counts)
        places.append(record * length + place)
        targets.append(block[record, place + 1])
    most = max(map(len, places))
    out = np.zeros((2, len(feeds), most), dtype=np.int64)
    weights = np.zeros((len(feeds), most), dtype=np.float32)
    for arm, (place, target) in enumerate(zip(places, targets, strict=True)):
        out[0, arm, : len(place)], out[1, arm, : len(place)] = place, target
        weights[arm, : len(place)] = 1 / len(place)
    parts = [torch.from_numpy(part).to(device, non_blocking=True) for part in (tokens, out, weights)]
    return Batch(parts[0], parts[1][0], parts[1][1], parts[2])


@dataclass
class Fitted:
    """What training came to, for each arm: the loss of the last step, and the tokens seen."""

    losses: list[float]
    tokens: list[int]


def fit(shape: Shape, flat: torch.Tensor, feeds: Sequence[Feed], plan: Plan) -> Fitted:
    """Train the arms in place; those with more steps stand first.

    Args:
        shape: of the model.
        flat: the parameters, (A, size), float32.
        feeds: the records of each arm.
        plan: how.
    """
    import torch  # noqa: PLC0415

    _keep_memory()
    decayed = torch.zeros_like(flat[:1])
    for name, view in shape.views(decayed).items():
        view.fill_(plan.weight_decay if name in {"qkv", "out", "up", "down"} else 0)
    mean, spread, gradient = torch.zeros_like(flat), torch.zeros_like(flat), torch.empty_like(flat)
    orders = [feed.orders(plan.batch) for feed in feeds]
    out = Fitted([math.nan] * len(feeds), [0] * len(feeds))
    for step in range(max(plan.steps)):
        arms = sum(steps > step for steps in plan.steps)
        chosen = [next(order) for order in orders[:arms]]
        batch = collate(feeds[:arms], chosen, str(flat.device))
        losses = loss_and_gradient(shape.views(flat[:arms]), shape.views(gradient[:arms]), batch)
        rate = torch.tensor(plan.rates(step, arms), device=flat.device)[:, None]
        _adamw((flat[:arms], mean[:arms], spread[:arms]), gradient[:arms], rate, decayed, step + 1)
        for arm in range(arms):
            out.tokens[arm] += int(feeds[arm].lengths[chosen[arm]].sum())
            if plan.steps[arm] == step + 1:
                out.losses[arm] = float(losses[arm].detach())
    return out


def _keep_memory() -> None:
    """Have the C library keep freed memory between steps instead of giving it back.

    glibc returns what is free at the top of the heap when it is more than twice the largest block freed so far; with
    this one freed, that is 60 MB. Without it a step spends a third of its time in page faults. Elsewhere: no effect.
    """
    import torch  # noqa: PLC0415

    torch.empty(30 * 2**20, dtype=torch.uint8)


def _adamw(
    state: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    gradient: torch.Tensor,
    rate: torch.Tensor,
    decayed: torch.Tensor,
    step: int,
) -> None:
    """One step of AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) in place; `step` counts from 1."""
    flat, mean, spread = state
    mean.lerp_(gradient, 1 - BETAS[0])
    spread.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
    scale = (spread / (1 - BETAS[1] ** step)).sqrt_().add_(EPSILON)
    flat.mul_(1 - rate * decayed)
    flat.sub_(rate / (1 - BETAS[0] ** step) * mean / scale)
