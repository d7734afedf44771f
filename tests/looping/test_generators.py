"""Generators: what is asked of them, and the model that writes its own records."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from triptych.core.errors import SpecError, UsageError
from triptych.looping.dials import Dials
from triptych.looping.generators.base import Asked
from triptych.looping.generators.registry import GENERATORS, build_generator
from triptych.looping.generators.self_writing import SelfWriting
from triptych.studies.trainers.trainer import Example, Model

DIALS = Dials(temperature=0.7, explore=((1.0, 0.5), (1.6, 0.3), (2.0, 0.2)))


class Parrot(Model):
    """Says what it was asked, at which temperature, and the draw that place and seed give."""

    def __init__(self):
        self.calls, self.cut = [], []

    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        self.cut.append(min_p)
        self.calls.append((list(prompts), temperature, max_tokens, seed))
        return [f"<{prompt} t{temperature:g} s{seed} i{i}>" for i, prompt in enumerate(prompts)]

    def log_likelihood(self, examples):
        return np.array([[-float(len(e.response)), float(len(e.prompt) % 7)] for e in examples])

    def save(self, folder):
        raise AssertionError(folder)


def asked(**more):
    return Asked(**{"samples": 11, "dials": DIALS, "seed": 5, "round": 2, **more})


@pytest.mark.parametrize(
    ("explore", "samples", "counts"),
    [
        (((1.0, 1.0),), 7, [7]),
        (((1.0, 0.5), (1.6, 0.5)), 7, [4, 3]),
        (((1.0, 0.5), (1.6, 0.3), (2.0, 0.2)), 11, [6, 3, 2]),
        (((1.0, 2.0), (1.6, 1.0)), 9, [6, 3]),
        (((1.0, 0.0), (1.6, 1.0)), 4, [0, 4]),
        (((1.0, 1 / 3), (1.0, 1 / 3), (2.0, 1 / 3)), 100, [34, 33, 33]),
    ],
)
def test_shares_become_whole_numbers_of_prompts(explore, samples, counts):
    found = asked(dials=Dials(explore=explore), samples=samples).exploring()
    assert found == [(t, count) for (t, _), count in zip(explore, counts, strict=True)]


def test_the_model_writes_prompts_at_each_temperature_then_answers_all():
    model = Parrot()
    batch = SelfWriting().write(asked(write="w", prompt_tokens=12, response_tokens=40), model)
    *writing, answering = model.calls
    assert [(len(prompts), t, most) for prompts, t, most, _ in writing] == [(6, 1.0, 12), (3, 1.6, 12), (2, 2.0, 12)]
    assert {prompt for prompts, *_ in writing for prompt in prompts} == {"w"}
    assert answering[1:3] == (0.7, 40)
    assert [record.prompt for record in batch.written] == answering[0]
    assert Counter(record.explore for record in batch.written) == {1.0: 6, 1.6: 3, 2.0: 2}
    assert all(f" t{record.explore:g} " in record.prompt for record in batch.written)
    assert [record.response for record in batch.written] == model.generate(
        answering[0], temperature=0.7, seed=answering[3]
    )
    assert len({seed for *_, seed in model.calls[:4]}) == 4  # prompts of each temperature, and responses


def test_unlikely_tokens_are_cut_off_while_prompts_are_written():
    model = Parrot()
    SelfWriting().write(asked(dials=replace(DIALS, min_p=0.01)), model)
    assert model.cut == [0.01, 0.01, 0.01, 0.0]


def test_temperatures_are_mixed():
    halves = Dials(explore=((1.0, 0.5), (1.6, 0.5)))
    found = asked(dials=halves, samples=1000).temperatures()
    assert Counter(found) == {1.0: 500, 1.6: 500}
    assert abs(found[:200].count(1.6) - 100) < 4 * (200 * 0.25 * 0.8) ** 0.5
    # The same temperature named twice is one.
    twice = Parrot()
    SelfWriting().write(asked(dials=Dials(explore=((1.0, 0.5), (1.0, 0.5)))), twice)
    assert len(twice.calls) == 2


def test_likelihood_is_per_token_of_prompt_and_response():
    batch = SelfWriting().write(asked(write="w"), Parrot())
    for record, told in zip(batch.written, batch.likelihood, strict=True):
        total = -len(record.response) - len(record.prompt)
        assert told == total / (len(record.prompt) % 7 + 1)
    assert SelfWriting().write(asked(likelihood=False), Parrot()).likelihood == (None,) * 11


def test_a_likelihood_that_is_no_number_is_none():
    class Broken(Parrot):
        def log_likelihood(self, examples):
            return np.array([[np.nan, 3.0], [-1.0, 0.0], [-np.inf, 2.0], [-3.0, 2.0]])

    prompts = [Example(f"p{i}", "") for i in range(4)]
    assert SelfWriting().write(asked(prompts=prompts), Broken()).likelihood == (None, None, None, -1.5)


def test_the_same_round_is_written_the_same_and_another_is_not():
    def texts(**more):
        return [(record.prompt, record.response) for record in SelfWriting().write(asked(**more), Parrot()).written]

    assert texts() == texts()
    assert not set(texts()) & set(texts(seed=6))
    assert not set(texts()) & set(texts(round=3))


def test_given_prompts_are_answered_each_so_often():
    prompts = [Example(f"p{i}", f"r{i}", {"level": i}) for i in range(3)]
    model = Parrot()
    batch = SelfWriting().write(asked(prompts=prompts, each=3), model)
    assert [(r.prompt, r.group, r.row["level"]) for r in batch.written] == [
        (f"p{i}", str(i), i) for i in range(3) for _ in range(3)
    ]
    assert len({record.response for record in batch.written}) == 9
    assert {(record.temperature, record.explore) for record in batch.written} == {(0.7, None)}
    told = [-len(r.response) / (len(r.prompt) % 7) for r in batch.written]
    assert batch.likelihood == tuple(told)


def test_of_too_many_prompts_a_part_is_drawn_for_the_round():
    prompts = [Example(f"p{i}", "") for i in range(50)]
    places = [asked(prompts=prompts, each=2, samples=20, round=r).answering() for r in range(3)]
    for found in places:
        assert len(found) == 20
        assert found == sorted(found)
        assert set(Counter(found).values()) == {2}
    assert len({tuple(found) for found in places}) == 3
    counts = Counter(place for r in range(400) for place in asked(prompts=prompts, samples=10, round=r).answering())
    assert set(counts) == set(range(50))
    assert max(abs(count - 80) for count in counts.values()) < 5 * (400 * 0.2 * 0.8) ** 0.5
    alone = asked(prompts=prompts[:2], each=30, samples=20).answering()
    assert (len(alone), len(set(alone))) == (20, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"samples": 0}, {"each": 0}, {"prompts": []}, {"dials": Dials(explore=())},
        {"dials": Dials(explore=((1.0, 0.0),))}, {"dials": Dials(explore=((1.0, -1.0), (2.0, 2.0)))},
    ],
)  # fmt: skip
def test_what_cannot_be_asked(more):
    with pytest.raises(SpecError):
        asked(**more)


def test_without_a_model_nothing_writes_itself():
    with pytest.raises(UsageError, match="no model that can write"):
        SelfWriting().write(asked(), None)


def test_generators_by_name():
    assert set(GENERATORS) == {"self", "endpoint", "command"}
    assert build_generator("self", {}) == SelfWriting()
    with pytest.raises(SpecError, match='no generator is named "sef"') as caught:
        build_generator("sef", {})
    assert "self" in str(caught.value)
    with pytest.raises(SpecError, match="no parameter"):
        build_generator("self", {"url": "x"})
    one = build_generator("endpoint", {"url": "http://host", "model": "m", "at_once": "4"})
    assert one.spec.hash == build_generator("endpoint", {"url": "http://host", "model": "m", "at_once": 4}).spec.hash


def test_a_tiny_model_learns_to_write_records():
    pytest.importorskip("torch")
    from triptych.studies.trainers.tiny import Tiny

    rows = [(f"say {word}", f"{word} {word}") for word in "red green blue grey".split()] * 8
    data = [example for p, r in rows for example in (Example("", p), Example(p, r))]
    tiny = Tiny(steps=120, batch=32, width=32, device="cpu").prepare([f"{p} {r}" for p, r in rows])
    model = tiny.train(data, 0)[0]
    batch = SelfWriting().write(asked(samples=40), model)
    good = [record for record in batch.written if (record.prompt, record.response) in rows]
    assert len(good) > 20
    assert len({record.prompt for record in good}) == 4
    likely = [told for told, record in zip(batch.likelihood, batch.written, strict=True) if record in good]
    assert all(-3 < told < 0 for told in likely)
    assert SelfWriting().write(asked(samples=40), model) == batch
