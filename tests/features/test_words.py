"""Remembered word pieces are those of the tokenizer, whatever the text."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.features import words
from triptych.features.tokens import DEFAULT, load_tokenizer, load_words
from triptych.features.words import Words

ODD = [
    "", " ", "\n\t", "plain words, with-hyphens and under_scores!", "It's 3.14 or 1,000$?", "[MASK] and [SEP]x", "[mask]",
    "naïve café Ünïcode", "中文字符 mixed文字", "emoji 🎉🎉 a🎉b", "a\u00a0b\u200bc\ufeffd", "x\x00y\x01z\x7fw", "e\u0301te\u0301",
    "word" * 60, "İstanbul ß ﬁ ǅ", "\u2028line\u2029para", "tab\tnew\nline\rfeed\x0bvt\x0cff", "``code``{x: [1, 2]}", "à" * 120,
    "a" * 100 + " " + "a" * 101, "price:€5/£4", "…ellipsis—dash", "\ud7ff\ue000\U0010fffd", "&amp;#39;<br/>",
]  # fmt: skip


def plain(texts):
    return [row.ids for row in load_tokenizer(DEFAULT).encode_batch_fast(texts, add_special_tokens=False)]


def remembered(texts):
    ids, sizes = load_words().encode(texts)
    ends = np.cumsum([0, *sizes])
    return [ids[a:b].tolist() for a, b in pairwise(ends)]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts(text):
    assert remembered([text, text.upper(), text + " x"]) == plain([text, text.upper(), text + " x"])


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40), max_size=5))
def test_any_text(texts):
    assert remembered(texts) == plain(texts)


@given(st.lists(st.text(alphabet="aB1 .,[]'-é中🎉\t\n\x00", max_size=30), max_size=5))
def test_any_mixture(texts):
    assert remembered(texts) == plain(texts)


def test_a_full_memory_starts_again(monkeypatch):
    monkeypatch.setattr(words, "MOST", 3)
    small = Words(load_tokenizer(DEFAULT))
    for i in range(5):
        texts = [f"word{i} other{i} third{i} and more"]
        assert small.encode(texts)[0].tolist() == plain(texts)[0]


def test_a_long_word_beside_another_script():
    text = "é " + "a/" * 50_000
    assert remembered([text]) == plain([text])
