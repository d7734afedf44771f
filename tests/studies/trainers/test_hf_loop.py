"""What a loop asks of the trainer `hf`: averages of models, training that goes on from a folder, draws, divergence."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import TriptychError, UsageError
from triptych.studies.trainers.registry import parse_trainer
from triptych.studies.trainers.tiny import Tiny
from triptych.studies.trainers.trainer import Example

torch = pytest.importorskip("torch", reason="the trainer hf needs torch")
for _name in ("transformers", "trl", "peft"):
    pytest.importorskip(_name, reason=f"the trainer hf needs {_name}")

DATA = [Example(f"swap {x} {y}", f"{y} {x}") for x in "abcdef" for y in "abcdef" if x != y]


def trainer(folder, more=""):
    return parse_trainer(f"hf:{folder},context=32,max_tokens=6,device=cpu,learning_rate=0.05{more}").prepare([])


def logits(model):
    with torch.inference_mode():
        return model.network(input_ids=torch.arange(4, 14)[None]).logits.numpy()


def whole(model):
    """All weights by name, adapters multiplied out and added: the slow way."""
    out = {}
    for name, layer in model.network.named_modules():
        plain = name.removeprefix("base_model.model.")
        if hasattr(layer, "lora_A"):
            down, up = (
                layer.lora_A["default"].weight.detach().double(),
                layer.lora_B["default"].weight.detach().double(),
            )
            out[f"{plain}.weight"] = layer.base_layer.weight.detach().double() + layer.scaling["default"] * up @ down
        elif hasattr(layer, "weight") and not plain.endswith(("base_layer", ".default")):
            out[f"{plain}.weight"] = layer.weight.detach().double()
    return out


def averaged_slowly(base, one, other, weight):
    """The base's network with averages of whole weights."""
    mine, theirs = whole(one), whole(other)
    with torch.no_grad():
        for name, part in base.network.named_parameters():
            part.copy_(weight * mine[name] + (1 - weight) * theirs[name])
    return logits(base)


@pytest.fixture(scope="module", params=["", ",lora=3"], ids=["whole", "adapters"])
def pair(request, folder):
    made = trainer(folder, f",steps=6{request.param}")
    return made, made.train(DATA, 1)[0], made.train(DATA, 2)[0]


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_weights_are_averaged(pair, weight):
    made, one, other = pair
    before = logits(one), logits(other)
    mixed = logits(one.blended(other, weight))
    assert np.allclose(mixed, averaged_slowly(made.base(), one, other, weight), atol=2e-5)
    assert np.array_equal(logits(one), before[0])
    assert np.array_equal(logits(other), before[1])
    if weight in (0.0, 1.0):
        assert np.array_equal(mixed, before[0 if weight else 1])
    else:
        assert np.abs(mixed - weight * before[0] - (1 - weight) * before[1]).max() > 1e-3  # not a mean of logits


def test_the_mean_of_adapters_is_not_the_adapter_of_means(folder):
    made = trainer(folder, ",steps=6,lora=3")
    one, other = made.train(DATA, 1)[0], made.train(DATA, 2)[0]
    naive = dict(other.network.named_parameters())
    again = made.train(DATA, 1)[0]
    with torch.no_grad():
        for name, part in again.network.named_parameters():
            part.lerp_(naive[name], 0.5)
    right = averaged_slowly(made.base(), one, other, 0.5)
    assert np.abs(logits(again) - right).max() > 0.01
    assert np.abs(logits(one.blended(other, 0.5)) - right).max() < 2e-5


def test_an_average_with_the_untrained_model(pair):
    made, one, _ = pair
    base = made.base()
    expected = averaged_slowly(made.base(), one, base, 0.4)
    assert np.allclose(logits(one.blended(base, 0.4)), expected, atol=2e-5)
    assert np.allclose(logits(base.blended(one, 0.6)), expected, atol=2e-5)
    assert np.array_equal(logits(one.blended(base, 0.0)), logits(base))


def test_ranks_add_up_to_what_a_layer_can_have(folder):
    made = trainer(folder, ",steps=4,lora=12")
    one, other = made.train(DATA, 1)[0], made.train(DATA, 2)[0]
    mixed = one.blended(other, 0.5)
    ranks = {int(part.shape[0]) for name, part in mixed.network.named_parameters() if "lora_A" in name}
    assert ranks == {16}  # and not 24: the narrower side of every layer is 16
    assert np.allclose(logits(mixed), averaged_slowly(made.base(), one, other, 0.5), atol=2e-5)
    assert np.allclose(logits(mixed.blended(one, 0.5)), averaged_slowly(made.base(), mixed, one, 0.5), atol=2e-5)


def test_an_average_is_saved_loaded_and_trained_further(pair, tmp_path):
    made, one, other = pair
    mixed = one.blended(other, 0.5)
    mixed.save(tmp_path / "model")
    again = made.load(tmp_path / "model")
    assert np.array_equal(logits(again), logits(mixed))
    further, resumed = made.train(DATA, 5, mixed)[0], made.train(DATA, 5, again)[0]
    assert np.array_equal(logits(further), logits(resumed))
    assert further.log_likelihood(DATA)[:, 0].sum() > mixed.log_likelihood(DATA)[:, 0].sum()


def test_what_cannot_be_averaged(pair, folder, make_model, tmp_path):
    _, one, _ = pair
    for weight in (-0.1, 1.5, float("nan")):
        with pytest.raises(UsageError, match="weight is out of range"):
            one.blended(one, weight)
    rank = one.about["lora"]
    another = trainer(folder, f",steps=1,lora={5 if rank else 2}").train(DATA[:4], 0)[0]
    with pytest.raises(UsageError, match="cannot be averaged"):
        one.blended(another, 0.5)
    tiny = Tiny(steps=1).prepare(["a b"])
    with pytest.raises(UsageError, match="two kinds"):
        one.blended(tiny.train([Example("a", "b")], 0)[0], 0.5)
    odd = trainer(make_model(tmp_path, width=32), f",steps=1,lora={rank}").train(DATA[:4], 0)[0]
    with pytest.raises(UsageError, match="cannot be averaged"):
        one.blended(odd, 0.5)


@pytest.mark.parametrize("kind", ["", ",lora=2"])
def test_going_on_from_a_folder_is_going_on_from_memory(folder, kind, tmp_path):
    made = trainer(folder, f",steps=5{kind}")
    first = made.train(DATA, 1)[0]
    first.save(tmp_path / "round_001" / "model")
    loaded = trainer(folder, f",steps=5{kind}").load(tmp_path / "round_001" / "model")
    second, again = made.train(DATA, 2, first), made.train(DATA, 2, loaded)
    assert np.array_equal(logits(second[0]), logits(again[0]))
    assert second[2] == again[2]
    second[0].save(tmp_path / "round_002" / "model")
    third = made.load(tmp_path / "round_002" / "model")
    prompts = ["swap a b"] * 5
    assert third.generate(prompts, temperature=1, seed=4) == second[0].generate(prompts, temperature=1, seed=4)
    assert third.about == second[0].about


@pytest.mark.parametrize("kind", ["", ",lora=2"])
@pytest.mark.parametrize("steps", [1, 100_000])
def test_training_that_diverges_gives_no_model(folder, kind, steps):
    """The last step counts although its loss still was a number; a long training ends where the loss is none."""
    made = parse_trainer(f"hf:{folder},context=32,max_tokens=6,device=cpu,learning_rate=1e38,steps={steps}{kind}")
    with pytest.raises(TriptychError, match="training diverged") as error:
        made.prepare([]).train(DATA, 0)
    assert "lower learning_rate" in str(error.value)


def test_draws_of_a_prompt_hang_on_the_seed_and_its_place_alone(folder, monkeypatch):
    model = trainer(folder).base()
    prompts = ["swap a b"] * 40 + [example.prompt for example in DATA]
    said = model.generate(prompts, temperature=1.3, seed=3)
    assert len(set(said[:40])) > 20
    assert model.generate(prompts[:7], temperature=1.3, seed=3) == said[:7]
    monkeypatch.setattr("triptych.studies.trainers.hf_model._GENERATED", 64)  # other batches
    assert model.generate(prompts, temperature=1.3, seed=3) == said
    assert model.generate(prompts, temperature=1.3, seed=4) != said


def test_draws_have_the_distribution_of_the_model(folder):
    model = trainer(folder).base()
    n, temperature = 4000, 0.8
    said = model.generate(["swap a b"] * n, temperature=temperature, seed=1, max_tokens=1)
    head = model.codec.prompt("swap a b")
    with torch.inference_mode():
        told = model.network(input_ids=torch.tensor([head])).logits[0, -1].double() / temperature
    for token, chance in enumerate(told.softmax(-1).tolist()):
        text = model.codec.decode([token])
        if text:
            assert said.count(text) / n == pytest.approx(chance, abs=4.5 * (chance / n) ** 0.5)


def test_one_template_in_training_and_in_generation(make_model, tmp_path):
    """A record whose prompt is the instruction to write is trained on as it is then generated from."""
    template = (
        "{% for turn in messages %}<{{ turn['role'] }}> {{ turn['content'] }} </s> {% endfor %}"
        "{% if add_generation_prompt %}<assistant> {% endif %}"
    )
    made = trainer(make_model(tmp_path, template), ",steps=40")
    model = made.train([Example("a", "swap c d"), Example("swap c d", "d c")], 0)[0]
    codec = model.codec
    assert codec.encode("a", "swap c d").tokens[: len(codec.prompt("a"))] == codec.prompt("a")
    assert model.generate(["a", "swap c d"]) == ["swap c d", "d c"]


def test_reading_a_common_beginning_once_changes_nothing(folder, monkeypatch):
    model = trainer(folder, ",steps=6,lora=2").train(DATA, 1)[0]
    prompts = [f"a b c d e f swap {x}" for x in "abcdefgh"] + ["a b c d e f g"]
    examples = [Example(prompt, said) for prompt, said in zip(prompts, ("a", "b c d", "") * 3, strict=True)]

    def found():
        said = [model.generate(prompts, seed=2), model.generate(prompts, temperature=1.0, seed=2)]
        return said, model.log_likelihood(examples)

    shared = found()
    monkeypatch.setattr("triptych.language.decode._ALIKE", 99)
    apart = found()
    monkeypatch.setattr(type(model.network.get_base_model()), "_supports_default_dynamic_cache", lambda _: False)
    without_cache = found()
    assert shared[0] == apart[0] == without_cache[0]
    assert np.allclose(shared[1], apart[1], atol=1e-4)
    assert np.allclose(shared[1], without_cache[1], atol=1e-4)
