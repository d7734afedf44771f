"""What a language model makes of the tokens of a passage: the surprisal of each, and its rank among all tokens.

    surprisal_t = -log p(y_t | head, y_<t)  in nats,   rank_t = 1 + number of tokens that the model holds likelier

Passages of like length are read in small batches (512 tokens on a CPU: larger ones are no faster there), one forward pass
each, and logits are computed only where a token is scored. Filling up at the end cannot be seen by what stands before it, so
a passage has the same scores in any batch, up to the rounding of float32 matrix products of another shape: on SmolLM2 and
24 passages, 2e-5 nats on the worst token and 2e-6 on the mean of a passage (`benchmarks/surprisal.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.language.batching import batches
from triptych.language.load import need, quiet
from triptych.language.model import LanguageModel, Passage

BUDGET = {"cpu": 512, "cuda": 1 << 14}
"""Tokens of one batch, filled up, by device."""


@dataclass(frozen=True)
class TokenScores:
    """Surprisal of each scored token in nats, float64 (n,), and its rank, int64 (n,), where it was asked for."""

    surprisal: NDArray[np.float64]
    rank: NDArray[np.int64] | None = None


def token_scores(
    model: LanguageModel, passages: Sequence[Passage], clip: int = 0, budget: int | None = None
) -> Iterator[tuple[int, TokenScores]]:
    """Score passages, shortest first, each handed out with its place as soon as its batch is done.

    Args:
        model: who reads them.
        passages: each with a token to read and a token to score at least.
        clip: largest rank that is told apart (larger ones count as this one); 0: no ranks.
        budget: tokens of a batch, filled up.
    """
    most = budget or BUDGET[model.network.device.type]
    for batch in batches([len(head) + len(body) for head, body in passages], most):
        yield from zip(batch, _scored(model, [passages[place] for place in batch], clip), strict=True)


def _scored(model: LanguageModel, passages: Sequence[Passage], clip: int) -> list[TokenScores]:
    """The scores of one batch."""
    torch = need("torch")
    device = model.network.device
    ids = torch.from_numpy(_filled([[*head, *body] for head, body in passages])).to(device)
    rows = np.repeat(np.arange(len(passages)), [len(body) for _, body in passages])
    places = np.concatenate([np.arange(len(head) - 1, len(head) + len(body) - 1) for head, body in passages])
    targets = torch.tensor([token for _, body in passages for token in body], device=device)
    surprisal, ranks = [], []
    with quiet(), torch.inference_mode():
        at = torch.from_numpy(rows).to(device), torch.from_numpy(places).to(device)
        done = 0
        for logits in model.logits(ids, *at):
            own = logits.gather(1, targets[done : done + len(logits), None])
            done += len(logits)
            surprisal.append((logits.logsumexp(dim=1) - own[:, 0]).cpu())
            if clip:
                best = logits.topk(min(clip, logits.shape[1]), dim=1).values
                ranks.append((1 + (best > own).sum(dim=1)).clamp_(max=clip).cpu())
    ends = np.cumsum([len(body) for _, body in passages])[:-1]
    found = np.split(torch.cat(surprisal).double().numpy(), ends)
    held: list[Any] = np.split(torch.cat(ranks).numpy(), ends) if clip else [None] * len(found)
    return [TokenScores(*pair) for pair in zip(found, held, strict=True)]


def _filled(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Rows of tokens filled up at the end with token 0, (n, longest)."""
    out = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return out
