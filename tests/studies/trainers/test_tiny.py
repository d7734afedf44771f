from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from triptych.core.errors import ReadError, SpecError, UsageError
from triptych.studies.panels import ScoredPanel
from triptych.studies.trainers.tiny_text import END, RESPOND, UNKNOWN, Vocabulary
from triptych.studies.trainers.trainer import Example, Task

torch = pytest.importorskip("torch", reason="the tiny trainer needs triptych[torch]")

from triptych.studies.trainers import tiny_decode, tiny_fit, tiny_gradient, tiny_model  # noqa: E402
from triptych.studies.trainers.tiny import Tiny, encode  # noqa: E402


def copying(n, seed=0, longest=5):
    """Reverse a list of letters."""
    draw = random.Random(seed)
    out = []
    for _ in range(n):
        letters = [draw.choice("abcdef") for _ in range(draw.randint(1, longest))]
        out.append(Example("reverse " + " ".join(letters) + " =", " ".join(letters[::-1])))
    return out


def texts(examples):
    return [text for example in examples for text in (example.prompt, example.response)]


SMALL = {"width": 16, "heads": 2, "batch": 16, "device": "cpu"}


def small(data, **more):
    return Tiny(**{**SMALL, "steps": 12, **more}).prepare(texts(data))


@pytest.fixture(scope="module")
def trained():
    data = copying(400)
    trainer = Tiny(width=32, heads=4, batch=64, steps=150, device="cpu").prepare(texts(data))
    return trainer, trainer.train(data, 0)[0]


def setting(layers, arms=2, width=16, heads=2):
    """Random parameters and records of several arms, in float64."""
    shape = tiny_model.Shape(11, layers, width, heads)
    flat = 0.3 * torch.randn(arms, shape.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    draw = np.random.default_rng(2)
    feeds = [
        tiny_fit.Feed.of([(list(draw.integers(0, 11, draw.integers(5, 60))), 1 + i % 3) for i in range(6 + arm)], arm)
        for arm in range(arms)
    ]
    batch = tiny_fit.collate(feeds, [np.arange(5) + arm for arm in range(arms)], "cpu")
    return shape, flat, replace(batch, weights=batch.weights.double()), feeds


def cross_entropy(p, batch):
    told = tiny_model.logits(p, batch.tokens, batch.rows).log_softmax(-1)
    return -(told.gather(-1, batch.targets[..., None])[..., 0] * batch.weights).sum(-1)


@pytest.mark.parametrize("layers", [1, 2])
def test_gradient_by_hand_is_that_of_autograd(layers):
    shape, flat, batch, _ = setting(layers)
    leaf = flat.clone().requires_grad_()
    wanted = cross_entropy(shape.views(leaf), batch)
    (gradient,) = torch.autograd.grad(wanted.sum(), leaf)
    found = torch.full_like(flat, torch.nan)
    losses = tiny_gradient.loss_and_gradient(shape.views(flat), shape.views(found), batch)
    torch.testing.assert_close(losses, wanted.detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found, gradient, rtol=1e-9, atol=1e-13)
    for name, view in shape.views(gradient).items():
        assert view.abs().max() > 1e-4, name


def test_gradient_is_that_of_small_differences():
    shape, flat, batch, _ = setting(1, arms=1)
    found = torch.empty_like(flat)
    tiny_gradient.loss_and_gradient(shape.views(flat), shape.views(found), batch)
    for seed in range(3):
        way = torch.randn(flat.shape, generator=torch.Generator().manual_seed(seed), dtype=flat.dtype)
        up, down = (cross_entropy(shape.views(flat + step * way), batch) for step in (1e-5, -1e-5))
        assert float((up - down) / 2e-5) == pytest.approx(float((found * way).sum()), rel=1e-6)


def plain_logits(p, tokens, heads):
    """Logits at the last token of one sequence, by loops over heads and channels."""

    def normed(x):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)

    p = {name: view[0].numpy() for name, view in p.items()}
    x = p["embed"][tokens]
    length, width = x.shape
    h = width // heads
    for layer in range(p["qkv"].shape[0]):
        mixed = np.zeros((length, width))
        for head in range(heads):
            raw = normed(x) @ p["qkv"][layer, head]
            parts = np.zeros_like(raw)
            for c in range(3 * h):
                part, channel = divmod(c, h)
                by = ((0, 0, 1, 2)[channel * 4 // h], channel % 4, (0, 0, 1, 1)[channel * 4 // h])[part]
                parts[by:, c] = raw[: length - by, c] if by < length else 0
            q, k, v = np.split(parts, 3, -1)
            for i in range(length):
                distance = np.minimum(i - np.arange(i + 1), tiny_model.REACH - 1)
                scores = k[: i + 1] @ q[i] / h**0.5 + p["distance"][layer, head][distance]
                weights = np.exp(scores - scores.max())
                mixed[i, head * h : head * h + h] = weights / weights.sum() @ v[: i + 1]
        x = x + mixed @ p["out"][layer]
        x = x + np.maximum(normed(x) @ p["up"][layer], 0) ** 2 @ p["down"][layer]
    return normed(x[-1]) @ p["embed"].T


@pytest.mark.parametrize("layers", [1, 2])
def test_logits_are_those_of_the_loops(layers):
    shape, flat, _, _ = setting(layers, arms=1, width=32)
    p = shape.views(flat)
    for length in (1, 2, 3, 7, 60):
        tokens = np.random.default_rng(length).integers(0, 11, length)
        found = tiny_model.logits(p, torch.from_numpy(tokens)[None, None], torch.tensor([[length - 1]]))
        np.testing.assert_allclose(found[0, 0].numpy(), plain_logits(p, tokens, 2), atol=1e-10)


@pytest.mark.parametrize("layers", [1, 2])
def test_generation_is_that_of_one_at_a_time_without_a_cache(layers):
    shape, flat, _, _ = setting(layers, arms=1)
    p = {name: view.float() for name, view in shape.views(flat).items()}
    draw = np.random.default_rng(3)
    prompts = [[int(i) for i in draw.integers(2, 11, length)] for length in (0, 1, 2, 5, 9, 9, 23, 60)]
    found = tiny_decode.generate(p, prompts, 12, tiny_decode.Chance())
    ended = 0
    for prompt, response in zip(prompts, found, strict=True):
        tokens = [*prompt, RESPOND]
        for token in [*response, END][:12]:
            told = tiny_model.logits(p, torch.tensor([[tokens]]), torch.tensor([[len(tokens) - 1]]))[0, 0]
            assert int(told.argmax()) == token
            tokens.append(token)
        ended += len(response) < 12
    assert 0 < ended < len(prompts), "some must end early and leave the batch, some must not"


def test_draws_do_not_depend_on_what_else_is_asked(trained, monkeypatch):
    _, model = trained
    prompts = [example.prompt for example in copying(40, seed=5)]
    whole = model.generate(prompts, temperature=2.0, seed=3, max_tokens=8)
    assert whole[:7] == model.generate(prompts[:7], temperature=2.0, seed=3, max_tokens=8)
    assert whole != model.generate(prompts, temperature=2.0, seed=4, max_tokens=8)
    monkeypatch.setattr(tiny_decode, "_ROOM", 500)
    assert whole == model.generate(prompts, temperature=2.0, seed=3, max_tokens=8)


def test_draws_follow_the_distribution():
    told = torch.log(torch.tensor([[0.5, 0.2, 0.0, 0.3]])).expand(4000, -1)
    drawn = tiny_decode._drawn(told, (np.arange(4000) + 0.5) / 4000, tiny_decode.Chance(1.0)).numpy()
    assert np.bincount(drawn, minlength=4).tolist() == [2000, 800, 0, 1200]


def test_learns_to_reverse(trained):
    _, model = trained
    held = copying(200, seed=9)
    said = model.generate([example.prompt for example in held])
    right = np.mean([a == b.response for a, b in zip(said, held, strict=True)])
    assert right > 0.5


def test_likelihoods_are_those_of_each_record_alone(trained):
    trainer, model = trained
    held = [*copying(30, seed=4), Example("", "a"), Example("reverse a =", "")]
    found = model.log_likelihood(held)
    p = model.shape.views(model.flat)
    for row, example in zip(found, held, strict=True):
        tokens, first, _ = encode(trainer.vocabulary, example, 512)
        told = tiny_model.logits(p, torch.tensor([[tokens]]), torch.arange(len(tokens))[None])[0].log_softmax(-1)
        sums = sum(float(told[place - 1, tokens[place]]) for place in range(first, len(tokens)))
        assert row[0] == pytest.approx(sums, abs=1e-4)
        assert row[1] == len(example.response.split()) + 1


def test_same_arguments_same_bits_and_another_seed_other_bits():
    data = copying(60)
    threads = torch.get_num_threads()
    state = torch.get_rng_state()
    first, again, other = (small(data).train(data, seed)[0].flat for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_many_arms_as_one_are_those_trained_alone():
    datas = [copying(60, seed=1), copying(90, seed=2, longest=3), copying(30, seed=3)]
    trainer = Tiny(**SMALL, epochs=6).prepare([text for data in datas for text in texts(data)])
    together = trainer._train(datas, [4, 5, 6], [None] * 3)
    alone = [trainer.train(data, seed) for data, seed in zip(datas, [4, 5, 6], strict=True)]
    assert len({cost.steps for _, cost, _ in alone}) == 3
    for (model, cost, notes), (wanted, own_cost, own_notes) in zip(together, alone, strict=True):
        torch.testing.assert_close(model.flat, wanted.flat, rtol=1e-3, atol=1e-4)
        assert (cost.steps, cost.tokens, model.longest) == (own_cost.steps, own_cost.tokens, wanted.longest)
        assert notes["loss"] == pytest.approx(own_notes["loss"], rel=1e-3)
    many = trainer.train_many(datas, [4, 5, 6])
    assert all(torch.equal(a[0].flat, b[0].flat) for a, b in zip(many, alone, strict=True))


def test_runs_made_at_once_are_those_made_alone():
    data = copying(40)
    trainer = small(data, steps=5)
    panel = ScoredPanel("id", tuple(copying(6, seed=1)))
    tasks = [Task(data, (panel,), seed) for seed in (0, 1)]
    assert trainer.together == 1
    for task, outcome in zip(tasks, trainer.run_many(tasks), strict=True):
        alone = trainer.run(task.data, task.panels, task.seed)
        assert outcome.items["id"].tolist() == alone.items["id"].tolist()
        assert outcome.notes["loss"] == pytest.approx(alone.notes["loss"], rel=1e-4)


def test_every_pass_holds_every_record_once_and_batches_are_of_one_length():
    feed = tiny_fit.Feed.of([([0] * (3 + i % 40), 1) for i in range(512)], 0)
    orders = feed.orders(32)
    batches = [next(orders) for _ in range(32)]
    for part in (batches[:16], batches[16:]):
        assert sorted(np.concatenate(part)) == list(range(512))
    assert [list(rows) for rows in batches[:16]] != [list(rows) for rows in batches[16:]]
    padded = np.mean([1 - feed.lengths[rows].mean() / feed.lengths[rows].max() for rows in batches])
    assert padded < 0.2, "0.46 in batches as they come"


def test_only_the_response_counts_unless_the_prompt_is_asked_for():
    data = [Example("a b c", "d e")]
    trainer = small(data)
    tokens, first, cut = encode(trainer.vocabulary, data[0], 512)
    assert (first, cut) == (4, False)
    for counted, wanted in ((first, tokens[4:]), (1, tokens[1:])):
        batch = tiny_fit.collate([tiny_fit.Feed.of([(tokens, counted)], 0)], [np.array([0])], "cpu")
        assert batch.targets[0].tolist() == wanted
        assert batch.rows[0].tolist() == list(range(counted - 1, len(tokens) - 1))
    assert not torch.equal(trainer.train(data, 0)[0].flat, small(data, prompt_loss=True).train(data, 0)[0].flat)


def test_goes_on_from_a_model(trained):
    trainer, model = trained
    data = copying(400)
    more, _, _ = replace_steps(trainer, 40).train(data, 1, start=model)
    fresh, _, _ = replace_steps(trainer, 40).train(data, 1)
    held = copying(100, seed=8)
    assert more.log_likelihood(held)[:, 0].sum() > fresh.log_likelihood(held)[:, 0].sum() + 10
    with pytest.raises(UsageError, match="cannot go on"):
        small(data).train(data, 0, start=model)


def test_steps_of_a_training_from_nothing(tmp_path):
    data = copying(400)
    assert small(data, steps=5).scratch(100) == 5
    trainer = small(data, steps=0, epochs=2, batch=50)
    assert trainer.scratch(400) == trainer.train(data, 1)[1].steps == 16
    trainer.train(data, 1)[0].save(tmp_path)
    assert small(data, steps=5, start=str(tmp_path)).scratch(100) is None


def replace_steps(trainer, steps):
    return replace(trainer, steps=steps).prepare(texts(copying(400)))


def test_saved_and_loaded_is_the_same_model(trained, tmp_path):
    trainer, model = trained
    model.save(tmp_path / "m")
    loaded = trainer.load(tmp_path / "m")
    assert torch.equal(loaded.flat, model.flat)
    assert (loaded.shape, loaded.vocabulary, loaded.longest) == (model.shape, model.vocabulary, model.longest)
    prompts = [example.prompt for example in copying(10, seed=7)]
    assert loaded.generate(prompts) == model.generate(prompts)
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(json.dumps({**config, "words": config["words"][::-1]}))
    with pytest.raises(ReadError, match="vocabulary"):
        trainer.load(tmp_path / "m")
    with pytest.raises(ReadError, match="no tiny model"):
        trainer.load(tmp_path / "nothing")


def test_words_where_there_are_few_else_bytes():
    few = Vocabulary.fit(["b a", "a c"])
    assert few.words == ("a", "b", "c")
    assert few.encode("c zebra a") == [5, UNKNOWN, 3]
    assert few.decode([5, 3]) == "c a"
    assert few.decode([5, UNKNOWN]) == "c \ufffd"
    many = Vocabulary.fit([" ".join(map(str, range(2049)))])
    assert (many.kind, len(many)) == ("bytes", 259)
    assert many.decode(many.encode("h\u00e9 \U0001f600 x")) == "h\u00e9 \U0001f600 x"
    assert Vocabulary.fit([" ".join(map(str, range(2048)))]).kind == "words"
    assert Vocabulary.fit(["a"], "bytes").kind == "bytes"


def test_trains_on_bytes():
    data = copying(40)
    trainer = small(data, tokenization="bytes")
    model, _, notes = trainer.train(data, 0)
    assert notes["tokenization"] == "bytes"
    assert np.isfinite(model.log_likelihood(data)).all()
    assert len(model.generate([data[0].prompt])) == 1


def test_long_records_are_cut_and_counted():
    data = [Example("a " * 50, "b c"), Example("a", "b")]
    model, _, notes = small(data, context=10).train(data, 0)
    assert notes["cut"] == 1
    tokens, first, cut = encode(model.vocabulary, data[0], 10)
    assert (len(tokens), first, cut) == (10, 7, True)
    assert tokens[first - 1] == RESPOND
    assert tokens[-1] == END
    assert "cut" not in small(data).train(data, 0)[2]


def test_identity_is_parameters_and_vocabulary():
    data = copying(20)
    trainer = small(data)
    assert trainer.spec == small(data).spec
    assert trainer.spec.hash != small(data, learning_rate=0.02).spec.hash
    assert trainer.spec.hash != trainer.prepare(["other words"]).spec.hash
    assert set(trainer.versions) == {"torch", "triptych"}
    assert Tiny().prepare(["a"]) != Tiny().prepare(["b"])


@pytest.mark.parametrize(
    "wrong",
    [{"layers": 0}, {"width": 60}, {"learning_rate": 0}, {"device": "tpu"}, {"tokenization": "letters"}, {"steps": -1},
     {"context": 2}, {"epochs": float("nan")}],
)  # fmt: skip
def test_parameters_out_of_range(wrong):
    with pytest.raises(SpecError, match="tiny"):
        Tiny(**wrong)


def test_what_cannot_be_trained():
    data = copying(10)
    with pytest.raises(UsageError, match="no vocabulary"):
        Tiny(device="cpu").train(data, 0)
    with pytest.raises(UsageError, match="no records"):
        small(data).train([], 0)
    with pytest.raises(UsageError, match="no words"):
        Tiny(tokenization="words").prepare([""])
