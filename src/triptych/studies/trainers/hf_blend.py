"""Weighted averages of two Hugging Face models (WiSE-FT, Wortsman et al. 2022, arXiv 2109.01903).

Whole weights are averaged one by one. An adapter adds B A to a frozen weight, and the mean of two products is not the
product of the means, so the factors of LoRA models are not averaged but set side by side:

    w B1 A1 + (1 - w) B2 A2 = [w B1, (1 - w) B2] [A1; A2]

which is exact, leaves the frozen weights untouched (in bfloat16 a merged adapter would be rounded away), and adds the
ranks. Where the sum would be above the rank that any layer can have, the product is factored anew by its singular values.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from triptych.core.errors import UsageError, message
from triptych.language.load import need, quiet

SCALE = 2.0
"""What peft multiplies B A by: alpha / rank."""


def adapters(rank: int) -> Any:
    """The settings of LoRA on all linear layers."""
    return need("peft").LoraConfig(
        r=rank, lora_alpha=int(SCALE * rank), lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def averaged(mine: Any, other: Any, weight: float) -> Any:
    """A network with `weight` of one's weights and the rest of the other's; neither has adapters.

    Raises:
        UsageError: their weights differ in name or shape.
    """
    torch = need("torch")
    network, theirs = copy.deepcopy(mine), dict(other.named_parameters())
    own = {name: tuple(part.shape) for name, part in network.named_parameters()}
    if own != {name: tuple(part.shape) for name, part in theirs.items()}:
        got, want = f"{len(theirs)} weights, {_size(other)} numbers", f"{len(own)} weights, {_size(network)} numbers"
        raise UsageError(message("hf: models of two shapes cannot be averaged.", got=got, want=want))
    with torch.no_grad():
        for name, part in network.named_parameters():
            part.copy_(theirs[name].to(part.device, part.dtype).lerp(part, weight))
    return network


def joined(parts: Sequence[tuple[Any, float]]) -> Any:
    """A network whose adapters add to the frozen weights the sum of what these networks' add, each by its weight.

    Args:
        parts: networks with adapters on the same frozen weights, and the weight of each.
    """
    torch = need("torch")
    first = parts[0][0]
    with quiet(), torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        plain = copy.deepcopy(first).unload()  # type: ignore[no-untyped-call,unused-ignore]
        factors = {name: _beside(name, layer, parts) for name, layer in _layers(first).items()}
        most = max(min(down.shape[1], up.shape[0]) for down, up in factors.values())
        rank = next(iter(factors.values()))[0].shape[0]
        if rank > most:
            factors, rank = {name: _refactored(*pair, most) for name, pair in factors.items()}, most
        network = need("peft").get_peft_model(plain, adapters(rank))
    with torch.no_grad():
        for name, layer in _layers(network).items():
            down, up = factors[name]
            layer.lora_A["default"].weight.copy_(down)
            layer.lora_B["default"].weight.copy_(up)
    return network.eval()


def rank_of(network: Any) -> int:
    """Rank of the adapters of a network."""
    return int(network.peft_config["default"].r)


def _layers(network: Any) -> dict[str, Any]:
    """The layers with adapters by name."""
    return {name: layer for name, layer in network.named_modules() if hasattr(layer, "lora_A")}


def _beside(name: str, like: Any, parts: Sequence[tuple[Any, float]]) -> tuple[Any, Any]:
    """A (rank, inputs) and B (outputs, rank) of one layer, all parts side by side."""
    torch = need("torch")
    downs, ups = [], []
    for network, weight in parts:
        layer = network.get_submodule(name)
        where = like.lora_A["default"].weight
        downs.append(layer.lora_A["default"].weight.detach().to(where))
        ups.append(layer.lora_B["default"].weight.detach().to(where) * (weight * layer.scaling["default"] / SCALE))
    return torch.cat(downs, 0), torch.cat(ups, 1)


def _refactored(down: Any, up: Any, rank: int) -> tuple[Any, Any]:
    """The same product with at most `rank` factors, filled up with 0; exact, as no product here has a higher rank."""
    torch = need("torch")
    left, values, right = torch.linalg.svd(up.double() @ down.double(), full_matrices=False)
    root, count = values.sqrt(), len(values)
    new_down, new_up = down.new_zeros(rank, down.shape[1]), up.new_zeros(up.shape[0], rank)
    new_down[:count], new_up[:, :count] = root[:, None] * right, left * root
    return new_down, new_up


def _size(network: Any) -> int:
    return sum(part.numel() for part in network.parameters())
