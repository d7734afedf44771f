"""The adapter of sentence-transformers: what it refuses without the package, and, where it is installed, a tiny model."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import MissingExtraError, ReadError
from triptych.features import sentence_encoder
from triptych.features.embedding import Embedding, load_encoder

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "cat", "dog", "sat", "ran", "on", "the", "mat"]


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_encoder, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"triptych\[sentence-transformers\]"):
        load_encoder("st:some/model-that-no-other-test-names")


def test_paths_that_hold_no_model(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, said in ((tmp_path / "nowhere", "nothing there"), (tmp_path / "file", "a file")):
        with pytest.raises(ReadError, match=said):
            sentence_encoder._folder(str(place))
    assert sentence_encoder._qualified("all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"
    assert sentence_encoder._qualified("owner/model") == "owner/model"


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    before = sentence_encoder._digest(tmp_path)
    (tmp_path / "README.md").write_text("no part of the model")
    assert sentence_encoder._digest(tmp_path) == before
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    assert sentence_encoder._digest(tmp_path) != before


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer with random weights, saved by the package itself."""
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed: pip install 'triptych[sentence-transformers]'")
    import sentence_transformers
    import torch
    import transformers
    from sentence_transformers import models

    place = tmp_path_factory.mktemp("tiny")
    (place / "vocab.txt").write_text("\n".join(WORDS))
    torch.manual_seed(3)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=40, **sizes)
    transformers.BertModel(config).save_pretrained(place / "bert")
    transformers.BertTokenizerFast(str(place / "vocab.txt")).save_pretrained(place / "bert")
    parts = [models.Transformer(str(place / "bert"), max_seq_length=12), models.Pooling(8)]
    sentence_transformers.SentenceTransformer(modules=parts, device="cpu").save(str(place / "model"))
    return place / "model"


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_model_of_the_package(folder: Path) -> None:
    import torch
    import transformers

    name = f"st:{folder}"
    encoder = load_encoder(name)
    texts = ["the cat sat on the mat", "dog", "dog ran on the mat " * 10]
    rows = encoder.encode(texts)
    model = transformers.BertModel.from_pretrained(folder).eval()
    words = transformers.BertTokenizerFast.from_pretrained(folder)
    for text, row in zip(texts, rows, strict=True):
        with torch.no_grad():
            ids = words(text, return_tensors="pt", truncation=True, max_length=12)
            want = model(**ids).last_hidden_state[0].mean(0).numpy()
        np.testing.assert_allclose(row, want / np.linalg.norm(want), atol=1e-5)
    assert encoder.dim == 8
    assert encoder.max_tokens == 12
    assert encoder.encode([]).shape == (0, 8)
    assert Embedding(encoder=name).at_home
