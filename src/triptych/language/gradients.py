"""The gradient of a record's loss with respect to a model's weights, as a short vector that keeps inner products.

    g = Σ_layers vec(Pᵀ (∂L/∂W) Q),   L = mean over tokens of -log p(y_t | x, y_<t),   ∂L/∂W = Σ_t δ_t a_tᵀ

P (out, 16) and Q (in, 32) hold random signs over √16 and √32, one pair for each linear layer of the network (the output
embeddings left out). A weight's gradient is a sum over tokens of outer products of what goes back into the layer (δ) and
what came into it (a), so both are projected before they are multiplied, and no gradient of a weight is ever formed: the
factored projection of LoGra (Choe et al. 2024, arXiv 2405.13954), summed over layers. E⟨g, g'⟩ = ⟨∇L, ∇L'⟩.

Cost: one forward and one backward pass without the gradients of weights, about three times the time of scoring; memory grows with
the length of the record (2.3 MB a token on SmolLM2). Records are read one by one, so a vector depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.rng import stream
from triptych.language.load import need, quiet
from triptych.language.model import LanguageModel, Passage

OUT, IN = 16, 32
WIDTH = OUT * IN
"""Numbers of a vector."""


@final
@dataclass
class Gradients:
    """Projected gradients of one model; `seed` names the signs."""

    model: LanguageModel
    seed: int = 0
    _signs: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False)
    _sum: Any = field(default=None, init=False, repr=False)

    def vector(self, passage: Passage) -> NDArray[np.float32]:
        """The projected gradient of the mean surprisal of the passage's body, float32 (512,)."""
        torch = need("torch")
        network, (head, body) = self.model.network, passage
        ids = torch.tensor([[*head, *body]], device=network.device)
        places = torch.arange(len(head) - 1, len(head) + len(body) - 1, device=network.device)
        targets = torch.tensor(body, device=network.device)
        self._sum = torch.zeros((OUT, IN), device=network.device)
        with quiet(), torch.enable_grad(), self._watched():
            logits = torch.cat(list(self.model.logits(ids, torch.zeros_like(places), places)))
            torch.nn.functional.cross_entropy(logits, targets).backward()
        found: NDArray[np.float32] = self._sum.reshape(-1).float().cpu().numpy()
        return found

    def layers(self) -> Iterator[tuple[str, Any]]:
        """Names and modules of the linear layers that are read."""
        linear = (need("torch").nn.Linear, need("transformers.pytorch_utils").Conv1D)
        own = self.model.network.get_output_embeddings()
        for name, module in self.model.network.named_modules():
            if isinstance(module, linear) and module is not own:
                yield name, module

    def signs(self, name: str, inputs: int, outputs: int) -> tuple[Any, Any]:
        """P (out, 16) and Q (in, 32) of a layer, the same in every process."""
        if name not in self._signs:
            torch, draw = need("torch"), stream("gradients", name, inputs, outputs, self.seed)
            made = []
            for rows, columns in ((outputs, OUT), (inputs, IN)):
                signs = draw.integers(0, 2, (rows, columns)) * 2.0 - 1.0
                scaled = torch.from_numpy((signs / columns**0.5).astype(np.float32))
                made.append(scaled.to(self.model.network.device))
            self._signs[name] = made[0], made[1]
        return self._signs[name]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Hooks on the layers; the weights stay frozen, so the embedded tokens are where the backward pass ends."""
        handles = [module.register_forward_hook(self._hook(name)) for name, module in self.layers()]
        embedding = self.model.network.get_input_embeddings()
        handles.append(embedding.register_forward_hook(lambda _module, _inputs, output: output.requires_grad_()))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, name: str) -> Any:
        def forward(_module: Any, inputs: tuple[Any, ...], output: Any) -> None:
            left, right = self.signs(name, inputs[0].shape[-1], output.shape[-1])
            came = inputs[0].detach().float().flatten(0, -2) @ right

            def backward(gradient: Any) -> None:
                self._sum += (gradient.float().flatten(0, -2) @ left).T @ came

            output.register_hook(backward)

        return forward
