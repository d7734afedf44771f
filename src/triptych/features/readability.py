"""Readability of one text: words, sentences, syllables and the Flesch-Kincaid grade.

    grade = 0.39 words / sentences + 11.8 syllables / words - 15.59

(Kincaid et al. 1975, "Derivation of new readability formulas for Navy enlisted personnel"). Unit: US school years,
unbounded on both sides; about 5 for plain prose, 12 and more for academic prose.

A word is a run of letters, with inner apostrophes and hyphens; numbers are no words. A sentence ends at `.`, `!`, `?` or
an ellipsis before white space, a full stop of CJK or Indic scripts, or at a line break, and holds at least one word;
enumerators ("1."), titles ("Dr.") and initials end none. Syllables are groups of vowels less silent endings: right for
about nine in ten English words.

Confounded by layout (lists make short sentences, run-on text long ones) and by names; says nothing of how hard the
thought is. English only: other languages in Latin script get a number on the same formula, to be read only relatively.
The grade is null below 10 words, for text mostly in another script, and for text that is mostly code.

Worked example: "The cat sat on the mat. It was a very happy animal." has 12 words, 2 sentences, 16 syllables:
0.39 · 6 + 11.8 · 16/12 - 15.59 = 2.483.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from string import ascii_letters
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.feature import Feature
from triptych.core.sorting import place

MIN_WORDS = 10
MAX_CODE_SIGNS = 0.04  # share of characters; prose with many brackets stays below .03, code is above .05
MAX_OTHER_SCRIPT = 0.3

_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_ASCII_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
_BREAK = re.compile(
    r"[.!?…\n。！？।]+(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)"
    r"(?<!\b[A-Z]\.)(?:(?<=[\n。！？।])|[\"'”’)\]*]{0,3}(?=\s|$))"
)
_ENUMERATOR = re.compile(r"(?m)^[ \t]{0,20}\d{1,3}[.)]")
_CODE_SIGNS = b"{(;=<[_\\|"
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_OTHER_LETTER = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u1e00-\u1eff]")

_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+")
_SILENT = re.compile(r"(?:[^laeiouy]e|[aeiouy]le|[^aeiouydt]ed|[^aeiouyscxzgh]es|(?<![sc])hes|ely)$")


_TEXTS = 512  # texts read together, so that what is made of them stays in cache


def _among(signs: str) -> NDArray[np.bool_]:
    """For each byte, whether it is one of these characters, (256,)."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(signs.encode())] = True
    return table


_LETTER, _VOWEL, _JOINT = _among(ascii_letters), _among("aeiouyAEIOUY"), _among("'-")


class Counts(NamedTuple):
    """What a text consists of."""

    words: int
    sentences: int
    syllables: int


def syllables(word: str) -> int:
    """Syllables of one word by its spelling: vowel groups less a silent ending, at least 1."""
    word = word.lower()
    groups = len(_VOWELS.findall(word))
    if groups > 1 and _SILENT.search(word):
        groups -= 1
    return max(groups, 1)


class Syllables(dict[str, int]):
    """Syllables by word, each word worked out once."""

    def __missing__(self, word: str) -> int:
        """Count and keep."""
        count = self[word] = syllables(word)
        return count


def counts(text: str, memo: Syllables | None = None) -> Counts:
    """Words, sentences and syllables; linear in the length of the text."""
    words, spoken = _spoken(text, Syllables() if memo is None else memo)
    return Counts(words, sentences(text) if words else 0, spoken)


def _spoken(text: str, memo: Syllables) -> tuple[int, int]:
    """Words and syllables of one text."""
    words = (_ASCII_WORD if text.isascii() else _WORD).findall(text)
    return len(words), sum(map(memo.__getitem__, words))


def sentences(text: str) -> int:
    """Sentences of a text, at least 1; linear in its length."""
    pattern = _ASCII_WORD if text.isascii() else _WORD
    plain = _ENUMERATOR.sub(" ", text) if "1." in text or "1)" in text else text
    return max(sum(map(bool, map(pattern.search, _BREAK.split(plain)))), 1)


def ascii_counts(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Words and syllables of each of some ASCII texts, as `counts` has them, from the bytes of many texts at once."""
    for start in range(0, len(texts), _TEXTS):
        yield from _counts_of(texts[start : start + _TEXTS])


def _counts_of(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    signs = np.frombuffer("\n".join(("", *texts, "")).encode(), dtype=np.uint8)
    letter, vowel = _LETTER[signs], _VOWEL[signs]
    inside = letter.copy()
    inside[1:-1] |= _JOINT[signs[1:-1]] & letter[:-2] & letter[2:]
    begin = np.flatnonzero(inside[1:] & ~inside[:-1]) + 1
    end = np.flatnonzero(inside[:-1] & ~inside[1:]) + 1
    vowel[1:] &= ~vowel[:-1]  # the first of each group
    groups = np.cumsum(vowel, dtype=np.int32)
    number = groups[end - 1] - groups[begin - 1]
    several = number > 1
    number[~several] = 1
    number[several] -= _are_silent(signs, end[several])
    bounds = np.cumsum([1, *(len(text) + 1 for text in texts)])
    words = np.searchsorted(begin, bounds)
    syllable = np.concatenate([[0], np.cumsum(number)])[words]
    return zip(np.diff(words).tolist(), np.diff(syllable).tolist(), strict=True)


def _are_silent(signs: NDArray[np.uint8], end: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the ending of each word of two vowel groups or more is silent; it is told by the last four letters."""
    four = np.zeros(len(end), dtype=np.uint32)
    for back in (4, 3, 2, 1):
        four = four << np.uint32(8) | signs[end - back]
    endings, index = place(four)
    return np.array([_is_silent(ending) for ending in endings.tolist()], dtype=np.bool_)[index]


@lru_cache(maxsize=1 << 15)
def _is_silent(ending: int) -> bool:
    return _SILENT.search(ending.to_bytes(4, "big").decode().lower()) is not None


def is_prose(text: str) -> bool:
    """Whether the formula means anything here: neither mostly code nor mostly a script without a-z."""
    prose = _FENCE.sub(" ", text) if "```" in text else text
    raw = prose.encode("utf-8", "surrogatepass")
    signs = len(raw) - len(raw.translate(None, _CODE_SIGNS))
    if 2 * len(prose) < len(text) or signs > MAX_CODE_SIGNS * len(prose):
        return False
    if text.isascii():
        return True
    letters = sum(map(len, _WORD.findall(text)))
    return len(_OTHER_LETTER.findall(text)) <= MAX_OTHER_SCRIPT * letters


def grade(text: str, found: tuple[int, int] | None = None) -> float | None:
    """Flesch-Kincaid grade, or None where it has no meaning; `found`: words and syllables, where they are known."""
    words, spoken = found or _spoken(text, Syllables())
    if words < MIN_WORDS or not is_prose(text):
        return None
    return 0.39 * words / sentences(text) + 11.8 * spoken / words - 15.59


@dataclasses.dataclass(frozen=True)
class Readability(Feature):
    """`readability_grade@on` float64: the Flesch-Kincaid grade, null where it means nothing or where there is no text."""

    on: Literal["response", "prompt"] = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """The text."""
        return (self.on,)

    @property
    def gives(self) -> tuple[str, ...]:
        """The grade."""
        return (f"readability_grade@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The grade of each record; null where there is none."""
        texts: list[str | None] = batch.column(self.on).to_pylist()
        found = ascii_counts([text for text in texts if text is not None and text.isascii()])
        memo = Syllables()
        grades = [
            None if text is None else grade(text, next(found) if text.isascii() else _spoken(text, memo))
            for text in texts
        ]
        return {self.gives[0]: pa.array(grades, type=pa.float64())}
