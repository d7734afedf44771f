"""Flesch-Kincaid grade and the counts that it is made of."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.features.readability import Readability, ascii_counts, counts, grade, is_prose, syllables


def test_worked_example():
    text = "The cat sat on the mat. It was a very happy animal."
    assert counts(text) == (12, 2, 16)
    assert grade(text) == pytest.approx(0.39 * 6 + 11.8 * 16 / 12 - 15.59)


@pytest.mark.parametrize(
    ("word", "number"),
    [("cat", 1), ("the", 1), ("make", 1), ("table", 2), ("walked", 1), ("wanted", 2), ("animal", 3), ("rhythm", 1), ("tries", 1),
     ("boxes", 2), ("readability", 5), ("beautiful", 3), ("A", 1), ("mmm", 1)],
)  # fmt: skip
def test_syllables(word, number):
    assert syllables(word) == number


@pytest.mark.parametrize(
    ("text", "sentences"),
    [("One. Two! Three?", 3), ("Dr. Smith met J. K. Rowling.", 1), ("It cost 3.50 in all.", 1), ("1. Eat.\n2. Drink.", 2),
     ("a\nb\nc", 3), ("He said 'go.' Then she went.", 2), ("wait ... what", 2), ("no end", 1), ("", 0), ("123. 456.", 0)],
)  # fmt: skip
def test_sentences(text, sentences):
    assert counts(text).sentences == sentences


@given(
    st.lists(st.text("aeiyhlscxdt'-E.\r\n\x07 ", max_size=60) | st.text(st.characters(max_codepoint=127)), max_size=8)
)
@settings(max_examples=200, deadline=None)
def test_texts_read_at_once_count_as_one_by_one(texts):
    assert list(ascii_counts(texts)) == [counts(text)[::2] for text in texts]


def test_harder_prose_has_a_higher_grade():
    easy = "The dog ran to the man. The man had a ball. He gave it to the dog."
    hard = (
        "Institutional considerations necessitate comprehensive methodological examination of administrative "
        "responsibilities throughout contemporary organizational environments."
    )
    assert grade(easy) < 3
    assert grade(hard) > 12


@pytest.mark.parametrize(
    "text",
    ["", "Too short.", "1 2 3 4 5 6 7 8 9 10 11 12", "это предложение написано по-русски и в нём больше десяти слов, не так ли, друзья",
     "for (let i = 0; i < n; i++) { total += f(i); } return (total); if (a == b) { c(); } else { d(); }",
     "```\n" + "one two three four five six\n" * 5 + "```"],
)  # fmt: skip
def test_no_grade_where_it_means_nothing(text):
    assert grade(text) is None


def test_accents_are_latin():
    assert is_prose("Élise préfère le café crème à l'été, où les journées sont très longues et chaudes.")


def test_feature_gives_null_where_there_is_no_text():
    text = "The quick brown fox jumps over the lazy dog and runs away."
    batch = pa.RecordBatch.from_pydict(
        {"response": pa.array([text, None, "Hi."]), "prompt": pa.array([None, text, text])}
    )
    for on, present in (("response", [True, False, False]), ("prompt", [False, True, True])):
        feature = Readability(on=on)
        found = feature.compute(batch)
        assert tuple(found) == feature.gives
        assert feature.needs == (on,)
        assert found[feature.gives[0]].type == pa.float64()
        assert [value is not None for value in found[feature.gives[0]].to_pylist()] == present


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text(text):
    words, sentences, syllable = counts(text)
    assert syllable >= words >= 0
    assert (sentences == 0) == (words == 0)
    assert sentences <= words or not words
