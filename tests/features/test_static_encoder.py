"""The embedded encoder: meaning, edges, independence of the company, storage; and its correction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import ReadError, SpecError
from triptych.features.adapt import AdaptedEncoder, adapt
from triptych.features.static_encoder import StaticEncoder, known_pairs, truncate, unpack

# text, paraphrase: a paraphrase must be nearer than every other pair's second text
PARAPHRASES = [
    ("How do I bake a chocolate cake?", "Steps for making a cake with cocoa in the oven"),
    ("The doctor told the patient to rest.", "A physician advised the sick man to stay in bed."),
    ("Sort a list of numbers in Python.", "Python code that orders the integers of an array"),
    ("Stock prices fell sharply on Monday.", "The market dropped and shares lost value this week."),
    ("The children are playing football in the park.", "Kids kick a ball around on the grass."),
    ("What is the capital city of France?", "Paris is the seat of the French government."),
    ("Our planet is getting warmer because of carbon dioxide.", "Greenhouse gases cause global climate change."),
    ("She plays the violin in an orchestra.", "He is a musician who performs classical concerts."),
    ("Write a polite letter asking for a refund.", "Compose a courteous email to get my money back."),
    ("The triangle has sides of three, four and five.", "Compute the hypotenuse of a right-angled shape."),
]
LONG = "the cat sat on a mat and looked at the moon " * 60


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    return StaticEncoder.load()


def ids_of(encoder: StaticEncoder, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    rows = [encoder._tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    return np.array([t for row in rows for t in row], np.int32), np.cumsum([0, *map(len, rows)])


def test_paraphrases_are_nearer_than_other_texts(encoder: StaticEncoder) -> None:
    left, right = (encoder.encode(side) for side in zip(*PARAPHRASES, strict=True))
    assert (left @ right.T).argmax(axis=1).tolist() == list(range(len(PARAPHRASES)))


def test_rows_have_length_one(encoder: StaticEncoder) -> None:
    rows = encoder.encode([text for pair in PARAPHRASES for text in pair] + ["x", "the", "!?", "\u4f60\u597d", LONG])
    assert rows.dtype == np.float32
    assert rows.shape == (25, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_text_without_tokens_is_a_zero_row(encoder: StaticEncoder) -> None:
    rows = encoder.encode(["", "a text", " \n\t "])
    assert not rows[0].any()
    assert not rows[2].any()
    assert np.isfinite(rows).all()
    assert encoder.encode([]).shape == (0, encoder.dim)
    assert not encoder.encode([""]).any()


def test_a_row_does_not_depend_on_its_company(encoder: StaticEncoder) -> None:
    texts = [f"{left} {number}" for number in range(30) for left, _ in PARAPHRASES]  # 300: more than two blocks
    rows = encoder.encode(texts)
    order = np.random.default_rng(0).permutation(len(texts))
    np.testing.assert_array_equal(encoder.encode([texts[i] for i in order]), rows[order])
    np.testing.assert_array_equal(encoder.encode(texts[7:8])[0], rows[7])


def test_ids_and_texts_give_the_same_rows(encoder: StaticEncoder) -> None:
    texts = [LONG, "", *(right for _, right in PARAPHRASES)]
    encoder._tokenizer.no_truncation()
    ids, offsets = ids_of(encoder, texts)
    encoder._tokenizer.enable_truncation(encoder.max_tokens)
    assert offsets[1] > encoder.max_tokens
    np.testing.assert_array_equal(encoder.encode_ids(ids, offsets), encoder.encode(texts))


def test_only_the_first_tokens_count(encoder: StaticEncoder) -> None:
    short, long = "moon " * encoder.max_tokens, "moon " * encoder.max_tokens + "taxes and elections"
    np.testing.assert_array_equal(*encoder.encode([short, long]))
    assert not np.array_equal(*encoder.encode(["moon", "moon taxes and elections"]))


def test_truncate_by_hand() -> None:
    ids, offsets = truncate(np.array([1, 2, 3, 4, 5, 6]), np.array([0, 4, 4, 6]), 2)
    assert ids.tolist() == [1, 2, 5, 6]
    assert offsets.tolist() == [0, 2, 2, 4]


def test_word_order_counts_through_known_pairs(encoder: StaticEncoder) -> None:
    one, other = encoder.encode(["the white house of new york", "the house of york white new"])
    assert 0.5 < float(one @ other) < 0.9999


def test_known_pairs_by_hand() -> None:
    keys = np.array([2 * 10 + 3, 5 * 10 + 1, 9 * 10 + 9])
    at, hit = known_pairs(np.array([5, 3, 2, 9]), np.array([1, 2, 3, 8]), keys, 10)
    assert at.tolist() == [1, 0]
    assert hit.tolist() == [True, False, True, False]


def test_int8_rows_are_within_half_a_step() -> None:
    table = np.random.default_rng(1).normal(size=(50, 16)).astype(np.float32)
    scale = np.abs(table).max(axis=1) / 127
    back = unpack(np.rint(table / scale[:, None]).astype(np.int8), scale)
    assert (np.abs(back - table) <= scale[:, None] * 0.5001).all()


def test_identity_follows_the_bytes(encoder: StaticEncoder) -> None:
    kind, _, digest = encoder.identity.partition("@")
    assert kind == encoder.name == "static"
    assert len(digest) == 12
    assert StaticEncoder.load() is encoder


class Rotated:
    """A teacher that a linear map of the base reproduces almost exactly."""

    identity = "rotated@test"

    def __init__(self, base: StaticEncoder) -> None:
        self.base = base
        self.turn = np.linalg.qr(np.random.default_rng(2).normal(size=(base.dim, base.dim)))[0].astype(np.float32)
        self.turn[:, :40] *= 3  # not a pure rotation: neighbours change

    def encode(self, texts: list[str]) -> np.ndarray:
        rows = self.base.encode(texts) @ self.turn
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sample() -> list[str]:
    words = [
        "river",
        "bread",
        "engine",
        "poem",
        "winter",
        "doctor",
        "python",
        "market",
        "violin",
        "planet",
        "letter",
        "garden",
        "soldier",
        "cheese",
    ]
    rng = np.random.default_rng(3)
    return [" ".join(rng.choice(words, 6)) for _ in range(1500)]


def test_adaptation_improves_saves_and_loads(encoder: StaticEncoder, tmp_path: Path) -> None:
    fitted = adapt(sample(), Rotated(encoder), encoder, ridge=1e-4)
    assert fitted.after.spearman > fitted.before.spearman + 0.02
    assert fitted.identity.startswith("static+adapted@")
    fitted.save(tmp_path / "own.safetensors")
    again = AdaptedEncoder.load(tmp_path / "own.safetensors")
    assert again.identity == fitted.identity
    texts = ["a river in winter", ""]
    np.testing.assert_array_equal(again.encode(texts), fitted.encode(texts))
    assert not again.encode(texts)[1].any()


def test_endless_ridge_changes_nothing_but_the_mean(encoder: StaticEncoder) -> None:
    fitted = adapt(sample(), encoder, encoder, ridge=1e9)
    np.testing.assert_allclose(fitted.encode(["bread and cheese"]), encoder.encode(["bread and cheese"]), atol=1e-5)


def test_adaptation_refuses_what_cannot_be_fitted(encoder: StaticEncoder, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be fitted"):
        adapt(["one", "two"], encoder, encoder)
    (tmp_path / "other").write_bytes(b"something else")
    with pytest.raises(ReadError, match="not an adaptation"):
        AdaptedEncoder.load(tmp_path / "other")
