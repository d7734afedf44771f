"""What a loop asks of the trainer `tiny`: averages of models, going on from a folder, draws, divergence."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import TriptychError, UsageError
from triptych.studies.trainers import tiny_decode
from triptych.studies.trainers.tiny import Tiny
from triptych.studies.trainers.tiny_decode import batches
from triptych.studies.trainers.tiny_model import logits
from triptych.studies.trainers.trainer import Example

torch = pytest.importorskip("torch", reason="the trainer tiny needs torch")

WORDS = "one two three four five six".split()
DATA = [Example("", f"{a} {b}") for a in WORDS for b in WORDS] + [
    Example(f"{a} {b}", f"{b} {a}") for a in WORDS for b in WORDS
]


def trainer(**more):
    return Tiny(**{"steps": 60, "width": 32, "batch": 16, **more}).prepare([" ".join(WORDS)])


@pytest.fixture(scope="module")
def pair():
    made = trainer()
    return made, made.train(DATA, 1)[0], made.train(DATA, 2)[0]


def told(model):
    tokens = torch.arange(3, 9)[None, None]
    with torch.inference_mode():
        return logits(model.shape.views(model.flat), tokens, torch.arange(6)[None])[0].numpy()


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_weights_are_averaged(pair, weight):
    made, one, other = pair
    mixed = one.blended(other, weight)
    slow = {name: weight * part + (1 - weight) * other.shape.views(other.flat)[name]
            for name, part in one.shape.views(one.flat).items()}  # fmt: skip
    for name, part in mixed.shape.views(mixed.flat).items():
        assert torch.allclose(part, slow[name], atol=1e-7)
    if weight in (0.0, 1.0):
        assert np.array_equal(told(mixed), told(one if weight else other))
    else:
        assert np.abs(told(mixed) - weight * told(one) - (1 - weight) * told(other)).max() > 1e-3
    assert np.array_equal(made.train(DATA, 1)[0].flat, one.flat)


def test_what_cannot_be_averaged(pair):
    made, one, _ = pair
    with pytest.raises(UsageError, match="weight is out of range"):
        one.blended(one, 1.01)
    with pytest.raises(UsageError, match="two shapes"):
        one.blended(trainer(width=64, steps=1).train(DATA, 0)[0], 0.5)
    words = " ".join(f"x{word}" for word in WORDS)
    foreign = Tiny(steps=1, width=32).prepare([words]).train(DATA, 0)[0]
    with pytest.raises(UsageError, match="same vocabulary"):
        one.blended(foreign, 0.5)
    with pytest.raises(UsageError, match="two kinds"):
        one.blended(made, 0.5)


def test_going_on_from_a_folder_is_going_on_from_memory(pair, tmp_path):
    made, one, other = pair
    mixed = one.blended(other, 0.5)
    mixed.save(tmp_path / "round_001" / "model")
    loaded = trainer().load(tmp_path / "round_001" / "model")
    assert torch.equal(loaded.flat, mixed.flat)
    second, again = made.train(DATA, 3, mixed), made.train(DATA, 3, loaded)
    assert torch.equal(second[0].flat, again[0].flat)
    assert second[2] == again[2]


@pytest.mark.parametrize("steps", [1, 40])
def test_training_that_diverges_gives_no_model(steps):
    """A first step so long that the weights are no numbers is seen, although its loss still was one."""
    with pytest.raises(TriptychError, match="training diverged") as error:
        trainer(steps=steps, learning_rate=1e39).train(DATA, 0)
    assert "lower learning_rate" in str(error.value)


def test_draws_hang_on_the_seed_and_the_place_alone(pair, monkeypatch):
    _, model, _ = pair
    prompts = [""] * 60 + [example.prompt for example in DATA]
    said = model.generate(prompts, temperature=1.5, seed=3, max_tokens=5)
    likelihood = model.log_likelihood(DATA)
    assert len(set(said[:60])) > 20
    assert model.generate(prompts[:9], temperature=1.5, seed=3, max_tokens=5) == said[:9]
    monkeypatch.setattr(tiny_decode, "_ROWS", 7)
    assert model.generate(prompts, temperature=1.5, seed=3, max_tokens=5) == said
    assert np.allclose(model.log_likelihood(DATA), likelihood, atol=1e-5)
    assert model.generate(prompts, temperature=1.5, seed=4, max_tokens=5) != said


def test_batches_hold_similar_lengths_and_no_more_than_asked():
    lengths = [5, 3, 9, 3, 4000, 1]
    assert list(batches(lengths, 2)) == [[5, 1], [3, 0], [2], [4]]
    assert list(batches(lengths, 100)) == [[5, 1, 3, 0, 2], [4]]
    assert list(batches([], 2)) == []


def test_unlikely_tokens_can_be_cut_off(pair):
    _, model, _ = pair
    prompts = [example.prompt for example in DATA] * 3
    greedy = model.generate(prompts, max_tokens=5)
    assert model.generate(prompts, temperature=50.0, seed=1, max_tokens=5, min_p=1.0) == greedy
    wild, tame = (model.generate([""] * 200, temperature=4.0, seed=1, max_tokens=5, min_p=p) for p in (0.0, 0.2))
    assert len(set(tame)) < len(set(wild))
    told = [model.log_likelihood([Example("", text) for text in texts])[:, 0].mean() for texts in (wild, tame)]
    assert told[0] < told[1]
    assert model.generate([""] * 50, temperature=4.0, seed=1, max_tokens=5, min_p=1e-30) == wild[:50]
