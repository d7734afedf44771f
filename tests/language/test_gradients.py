"""Projected gradients against the gradients of all weights, formed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.rng import stream
from triptych.language.gradients import WIDTH, Gradients
from triptych.language.model import Passage, load_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def model(make_model, tmp_path_factory):
    return load_model(str(make_model(tmp_path_factory.mktemp("llama"), width=32)))


def passage(seed, size=20):
    tokens = [int(token) for token in stream("gradients test", seed).integers(0, 15, size)]
    return Passage(tokens[:5], tokens[5:])


def weight_gradients(model, one):
    """∂L/∂W of each linear layer by autograd, on a copy whose weights are not frozen."""
    import copy

    network = copy.deepcopy(model.network).requires_grad_()
    ids = torch.tensor([[*one.head, *one.body]])
    labels = torch.tensor([[-100] * len(one.head) + one.body])
    network(input_ids=ids, labels=labels).loss.backward()
    return {name: dict(network.named_modules())[name].weight.grad for name, _ in Gradients(model).layers()}


def test_equal_to_projecting_the_gradients_of_the_weights(model):
    gradients = Gradients(model)
    for seed in range(3):
        one = passage(seed)
        want = torch.zeros(16, 32)
        for name, gradient in weight_gradients(model, one).items():
            left, right = gradients.signs(name, gradient.shape[1], gradient.shape[0])
            want += left.T @ gradient @ right
        found = gradients.vector(one)
        assert found.shape == (WIDTH,)
        assert found.dtype == np.float32
        assert np.allclose(found, want.reshape(-1).numpy(), rtol=1e-4, atol=1e-6)


def test_all_linear_layers_but_the_output_embeddings_are_read(model):
    names = [name for name, _ in Gradients(model).layers()]
    assert len(names) == 7
    assert not any("lm_head" in name or "embed" in name for name in names)


def test_cosines_are_kept_on_average(model):
    records = [passage(seed) for seed in range(6)]
    full = torch.stack([torch.cat([g.reshape(-1) for g in weight_gradients(model, one).values()]) for one in records])
    full = torch.nn.functional.normalize(full, dim=1)
    want = (full @ full.T).numpy()
    found = []
    for seed in range(12):
        rows = np.stack([Gradients(model, seed).vector(one) for one in records])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found.append(rows @ rows.T)
    off = ~np.eye(6, dtype=bool)
    error = np.abs(np.mean(found, axis=0) - want)[off]
    assert error.max() < 0.15
    assert np.mean([np.abs(one - want)[off].mean() for one in found]) < 0.2
    assert np.corrcoef(np.mean(found, axis=0)[off], want[off])[0, 1] > 0.8


def test_the_same_bits_again_and_another_seed_another_projection(model):
    one = passage(1)
    first = Gradients(model).vector(one)
    Gradients(model).vector(passage(2))
    assert np.array_equal(first, Gradients(model).vector(one))
    assert not np.allclose(first, Gradients(model, seed=1).vector(one))


def test_nothing_is_left_behind(model):
    Gradients(model).vector(passage(1))
    assert all(weight.grad is None and not weight.requires_grad for weight in model.network.parameters())
    assert not any(module._forward_hooks for module in model.network.modules())
