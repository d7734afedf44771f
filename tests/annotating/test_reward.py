"""Reward models and sequence classifiers: tiny random ones, in batches and one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

import triptych
from triptych import api
from triptych.annotating.annotator import Item
from triptych.annotating.reward import NO_TEXT, TOO_LONG, Reward, annotators, load_classifier
from triptych.core.errors import ReadError, SpecError
from triptych.language.load import quiet

WORDS = "a b c d e f g h"
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }} {% endfor %}</s>"


def make(folder: Path, kind: str, labels: int = 1, pad: str = "<pad>", template: str | None = None) -> str:
    """Write a random model of some thousand parameters: an encoder (bert) or a decoder (llama), or one without a head."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    special = ["<unk>", "<s>", "</s>", "<pad>", "<user>", "<assistant>"]
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator([WORDS], trainers.WordLevelTrainer(special_tokens=special))
    named = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": pad}
    inputs = ["input_ids", "attention_mask", *(["token_type_ids"] if kind == "bert" else [])]
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **named)
    fast.chat_template = template
    size = {
        "vocab_size": len(fast), "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 48, "initializer_range": 0.5,
    }  # fmt: skip
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(0)
        if kind == "bert":
            config = transformers.BertConfig(**size, num_labels=labels, pad_token_id=3)
            network = transformers.BertForSequenceClassification(config)
        elif kind == "llama":
            config = transformers.LlamaConfig(**size, num_labels=labels, num_key_value_heads=2, pad_token_id=None)
            network = transformers.LlamaForSequenceClassification(config)
        else:
            network = transformers.BertModel(transformers.BertConfig(**size, pad_token_id=3))
        network.save_pretrained(folder)
        fast.save_pretrained(folder)
    return str(folder)


def items():
    texts = [
        (f"a {'b ' * (i % 5)}", f"{'c d e f g h '[: 2 * (i % 7) + 2]}{'a ' * (i % 11)}".strip()) for i in range(40)
    ]
    return [Item(bytes([i]), prompt, response) for i, (prompt, response) in enumerate(texts)]


def alone(model, item, on="both"):
    """The score of one record by itself, straight from transformers."""
    import torch

    loaded = load_classifier(model)
    tokenizer, pair = loaded.tokenizer, on == "both" and item.prompt
    if tokenizer.chat_template and pair:
        turns = [{"role": "user", "content": item.prompt}, {"role": "assistant", "content": item.response}]
        told = tokenizer(tokenizer.apply_chat_template(turns, tokenize=False), add_special_tokens=False)
    else:
        told = tokenizer(*((item.prompt, item.response) if pair else (item.response,)))
    names = ("input_ids", "token_type_ids") if "Bert" in type(loaded.network).__name__ else ("input_ids",)
    with torch.inference_mode():
        logits = loaded.network(**{name: torch.tensor([told[name]]) for name in names}).logits[0]
    if len(logits) == 1:
        return float(logits[0])
    shares = logits.softmax(0)
    return float(sum(i * share for i, share in enumerate(shares)))


@pytest.mark.parametrize(
    ("kind", "labels", "pad", "template", "on"),
    [
        ("bert", 1, "<pad>", None, "both"),
        ("bert", 3, "<pad>", None, "response"),
        ("llama", 1, "<pad>", TEMPLATE, "both"),
        ("llama", 1, "</s>", TEMPLATE, "both"),  # what fills up is also what ends a text
        ("llama", 2, None, None, "response"),
    ],
)
def test_batches_give_what_each_record_gives_alone(tmp_path, kind, labels, pad, template, on):
    model = make(tmp_path / "m", kind, labels, pad, template)
    found = dict(Reward(model, on).annotate(items()))
    assert len(found) == 40
    expected = {item.content_id: alone(model, item, on) for item in items()}
    assert len({round(value, 6) for value in expected.values()}) > 10
    for key, values in found.items():
        assert values["reward.score"] == pytest.approx(expected[key], abs=1e-5)
    if labels > 1:
        assert all(0 <= values["reward.score"] <= labels - 1 for values in found.values())


def test_what_cannot_be_read_has_a_reason(tmp_path):
    model = make(tmp_path / "m", "bert")
    odd = [
        Item(b"1", None, None),
        Item(b"2", "", ""),
        Item(b"3", "a", "b " * 60),
        Item(b"4", "a", ""),
        Item(b"5", "a", None),
    ]
    found = dict(Reward(model).annotate(odd))
    assert found[b"1"] == found[b"2"] == NO_TEXT
    assert found[b"3"] == f"{TOO_LONG} (48 tokens)"
    assert all(isinstance(found[key]["reward.score"], float) for key in (b"4", b"5"))


def test_a_model_without_a_head_is_refused(tmp_path):
    model = make(tmp_path / "m", "headless")
    with pytest.raises(ReadError, match="no head that gives scores"):
        list(Reward(model).annotate(items()))
    with pytest.raises(ReadError):
        list(Reward(str(tmp_path / "nowhere")).annotate(items()))


def test_measured_from_end_to_end(tmp_path):
    model = make(tmp_path / "m", "bert")
    rows = [{"prompt": item.prompt, "response": item.response} for item in items()]
    text = api.plan(rows, reward=model, measures="reward_mean")
    assert "before the scan: reward model m: 40 of 40 records" in text
    assert "tokens to read: about 1 s" in text
    (profile,) = triptych.measure(rows, reward=model, reward_sample=30)
    estimate = profile["reward_mean"]
    assert estimate.n == 30
    assert estimate.about["conditional_on"].startswith("reward model m@")
    (other,) = triptych.measure(rows, reward=f"{model},on=response", measures="reward_mean")
    assert other["reward_mean"].value == pytest.approx(sum(alone(model, item, "response") for item in items()) / 40)
    assert other["reward_mean"].about["conditional_on"] != estimate.about["conditional_on"]


def test_names_of_reward_models(tmp_path):
    with pytest.raises(SpecError, match="one of both, response"):
        annotators("some/model,on=answer", ["reward.score"])
    with pytest.raises(SpecError, match=r"no reward model gives reward\.other"):
        annotators("some/model", ["reward.other"])
