"""Fixtures that all tests share: a cache of their own, and small data sets in English."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triptych.core.rng import stream
from triptych.language.load import quiet

# A server that tests in several folders start; they are no packages, so it is named here: `from serving import chat`.
_spec = importlib.util.spec_from_file_location("serving", Path(__file__).parent / "serving.py")
serving = sys.modules["serving"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(serving)

OPENINGS = ("Explain", "Describe", "Summarize", "Compare", "List", "Rewrite", "Translate", "Plan")
THINGS = (
    "river",
    "market",
    "engine",
    "garden",
    "ledger",
    "bridge",
    "melody",
    "harvest",
    "planet",
    "library",
    "kitchen",
)
VERBS = ("moves", "grows", "breaks", "sells", "turns", "waits", "opens", "carries", "holds", "changes")
PLACES = ("in the old town", "near the coast", "after the rain", "under the hill", "at dawn", "behind the mill")


def make_rows(n: int, *labels: str | int, copies: float = 0.0) -> list[dict[str, Any]]:
    """n rows with a prompt, a response of one to six sentences and a label; a share of them repeats earlier rows."""
    rng = stream("rows", n, *labels)
    rows: list[dict[str, Any]] = []
    for i in range(n):
        if rows and rng.random() < copies:
            rows.append(dict(rows[int(rng.integers(len(rows)))]))
            continue
        pick = lambda words: str(words[int(rng.integers(len(words)))])  # noqa: E731
        prompt = (
            f"{pick(OPENINGS)} how the {pick(THINGS)} number {int(rng.integers(1000))} {pick(VERBS)} {pick(PLACES)}."
        )
        sentences = [
            f"The {pick(THINGS)} {pick(VERBS)} {pick(PLACES)}, and so the {pick(THINGS)} {pick(VERBS)} {i % 7} times."
            for _ in range(int(rng.integers(1, 7)))
        ]
        rows.append({"prompt": prompt, "response": " ".join(sentences), "score": float(rng.random())})
    return rows


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has an empty cache, so that nothing is read from another test or from the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TRIPTYCH_CACHE", str(folder))
    return folder


@pytest.fixture
def rows_of() -> Callable[..., list[dict[str, Any]]]:
    """The function that makes rows."""
    return make_rows


@pytest.fixture
def serve():
    """What starts servers that answer as a function says; they end with the test."""
    servers = []

    def start(behave):
        servers.append(serving.Server(behave))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


WORDS = "a b c d e f g h swap"


def _make_model(folder: Path, template: str | None = None, width: int = 16) -> Path:
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
    with torch.random.fork_rng(), quiet():
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
