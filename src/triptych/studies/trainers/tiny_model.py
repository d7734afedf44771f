"""The tiny trainer's model: a decoder-only transformer whose parameters carry a leading dimension of arms.

    A arms, B records, T tokens, N rows that count in the loss, d width, H heads, h = d / H, V vocabulary, R reach

Everything is written for A arms at once, so that many arms train as one on a GPU; one arm is A = 1. Pre-norm blocks with
RMSNorm (no gains), squared ReLU, tied embeddings and no linear biases. Position enters in two ways, both relative, so that
sequences may be longer than any trained on: a learned bias of attention for each head and distance (Raffel et al. 2020,
arXiv 1910.10683), shared by all distances of `REACH` and more; and some channels of queries, keys and values are those of
a token one to three places back (Peng et al. 2023, arXiv 2305.13048, shift by one), so that one layer can ask for what
follows a token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

REACH = 48
"""Distances with a bias of their own."""

EPSILON = 1e-6
RATIO = 4
"""Hidden units of the MLP for each unit of width."""

SHIFTED = 3
"""How many places back the furthest channels look."""

Parameters: TypeAlias = "Mapping[str, torch.Tensor]"


@dataclass(frozen=True)
class Shape:
    """What the sizes of the parameters follow from."""

    vocabulary: int
    layers: int
    width: int
    heads: int

    @property
    def parts(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter, in the order in which they lie in the flat buffer."""
        d, hidden = self.width, RATIO * self.width
        return {
            "embed": (self.vocabulary, d),
            "distance": (self.layers, self.heads, REACH),
            "qkv": (self.layers, self.heads, d, 3 * d // self.heads),
            "out": (self.layers, d, d),
            "up": (self.layers, d, hidden),
            "down": (self.layers, hidden, d),
        }

    @property
    def size(self) -> int:
        """Number of parameters of one arm."""
        return sum(math.prod(part) for part in self.parts.values())

    def views(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parameters as views of a flat buffer (A, size)."""
        out, at = {}, 0
        for name, part in self.parts.items():
            out[name] = flat[:, at : at + math.prod(part)].view(-1, *part)
            at += math.prod(part)
        return out

    def start(self, generator: torch.Generator) -> torch.Tensor:
        """Parameters to start from, (size,) float32 on the CPU."""
        import torch  # noqa: PLC0415 - an extra, imported by what needs it

        flat = torch.zeros(1, self.size)
        for name, view in self.views(flat).items():
            if name in {"embed", "qkv", "up"}:
                view.normal_(0, self.width**-0.5, generator=generator)
        return flat[0]


@dataclass(frozen=True)
class Batch:
    """Records of A arms, padded on the right.

    Attributes:
        tokens: (A, B, T), int64.
        rows: which of the B * T places predict a token that counts, (A, N), int64; filled up with 0.
        targets: those tokens, (A, N), int64.
        weights: of each row in the loss, (A, N): 1 / their number, 0 where filled up.
    """

    tokens: torch.Tensor
    rows: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


def norm(x: torch.Tensor) -> torch.Tensor:
    """RMSNorm without gain over the last dimension."""
    return x * (x.square().mean(-1, keepdim=True) + EPSILON).rsqrt()


def mask(distance: torch.Tensor, queries: int, keys: int) -> torch.Tensor:
    """Bias of attention (.., queries, keys) of the last `queries` of `keys` places, -inf ahead, from (.., R)."""
    import torch  # noqa: PLC0415

    place = torch.arange(keys, device=distance.device)
    back = place[keys - queries :, None] - place[None]
    bias = distance[..., back.clamp(0, REACH - 1)]
    return bias.masked_fill(back < 0, -math.inf)


def shift(qkv: torch.Tensor, *, back: bool = False, past: bool = False) -> torch.Tensor:
    """Some channels moved to later places, nothing before the first: (.., T, 3h) to (.., T, 3h); `back` transposes.

    With `past`, the first SHIFTED places are only read from: the result is that of the others, (.., T - SHIFTED, 3h).

    Half of a query's channels are those of this token, a quarter each one and two places back; channels 0, 1, 2 and 3
    modulo 4 of a key are 0, 1, 2 and 3 places back, so that both meet in all pairs; half of a value is one place back.
    """
    length, triple = qkv.shape[-2:]
    source, inside = _moves(length, triple // 3, qkv.device, back=back)
    begin = SHIFTED if past else 0
    out = qkv.flatten(-2).index_select(-1, source[begin * triple :]).view(*qkv.shape[:-2], length - begin, triple)
    if past:
        return out
    edge = slice(-SHIFTED, None) if back else slice(0, SHIFTED)
    out[..., edge, :] *= inside[edge]
    return out


@lru_cache(maxsize=256)
def _moves(length: int, per_head: int, device: torch.device, *, back: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each of T * 3h values is taken from, and whether there is such a place, (T, 3h)."""
    import torch  # noqa: PLC0415

    channel = np.arange(per_head)
    by = np.concatenate([np.maximum(4 * channel // per_head - 1, 0), channel % 4, 2 * channel // per_head])
    place = np.arange(length)[:, None] + (by if back else -by)
    source = place.clip(0, length - 1) * 3 * per_head + np.arange(3 * per_head)
    inside = (place >= 0) & (place < length)
    with torch.inference_mode(mode=False):  # kept, and used in training too
        return torch.from_numpy(source.ravel()).to(device), torch.from_numpy(inside).to(device)


def logits(p: Parameters, tokens: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Logits (A, N, V) at the rows (A, N) of tokens (A, B, T)."""
    import torch  # noqa: PLC0415

    arms, records, length = tokens.shape
    layers, heads, width, triple = p["qkv"].shape[1:]
    vocabulary = p["embed"].shape[1]
    arm = torch.arange(arms, device=tokens.device)
    x = p["embed"].reshape(-1, width)[(tokens + vocabulary * arm[:, None, None]).reshape(arms, -1)]
    for layer in range(layers):
        qkv = norm(x)[:, None] @ p["qkv"][:, layer]
        q, k, v = shift(qkv.view(arms, heads, records, length, triple)).chunk(3, -1)
        scores = q @ k.transpose(-1, -2) * (width // heads) ** -0.5
        weights = (scores + mask(p["distance"][:, layer], length, length)[:, :, None]).softmax(-1)
        mixed = (weights @ v).permute(0, 2, 3, 1, 4).reshape(arms, -1, width)
        if layer == layers - 1:
            at = rows[..., None].expand(-1, -1, width)
            x, mixed = x.gather(1, at), mixed.gather(1, at)
        x = x + mixed @ p["out"][:, layer]
        x = x + (norm(x) @ p["up"][:, layer]).relu().square() @ p["down"][:, layer]
    return norm(x) @ p["embed"].transpose(1, 2)
