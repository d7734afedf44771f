"""A tiny random Llama with a tokenizer made on the spot."""

from __future__ import annotations

import pytest

from triptych.language import load as hf_load

WORDS = "a b c d e f g h swap"


def _make_model(folder, template=None, width=16):
    """Write a random Llama of about 3,000 parameters with a tokenizer of whole words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>", "<pad>", "<user>", "<assistant>"]
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator([WORDS], trainers.WordLevelTrainer(special_tokens=special))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    fast.chat_template = template
    with torch.random.fork_rng(), hf_load.quiet():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(fast), hidden_size=width, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=3,
            initializer_range=0.1,
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(folder)
        fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_model():
    """What writes such a model into a folder, with a chat template or without."""
    return _make_model


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return _make_model(tmp_path_factory.mktemp("llama"))
