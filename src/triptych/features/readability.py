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
from collections.abc import Mapping
from typing import Literal, NamedTuple

import pyarrow as pa

from triptych.core.feature import Feature

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
_CODE_SIGNS = "{(;=<[_\\|"
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_OTHER_LETTER = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u1e00-\u1eff]")

_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+")
_SILENT = re.compile(r"(?:[^laeiouy]e|[aeiouy]le|[^aeiouydt]ed|[^aeiouyscxzgh]es|(?<![sc])hes|ely)$")


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
    memo = Syllables() if memo is None else memo
    pattern = _ASCII_WORD if text.isascii() else _WORD
    words = pattern.findall(text)
    if not words:
        return Counts(0, 0, 0)
    plain = _ENUMERATOR.sub(" ", text) if "1." in text or "1)" in text else text
    sentences = sum(map(bool, map(pattern.search, _BREAK.split(plain))))
    return Counts(len(words), max(sentences, 1), sum(map(memo.__getitem__, words)))


def is_prose(text: str) -> bool:
    """Whether the formula means anything here: neither mostly code nor mostly a script without a-z."""
    prose = _FENCE.sub(" ", text) if "```" in text else text
    if 2 * len(prose) < len(text) or sum(map(prose.count, _CODE_SIGNS)) > MAX_CODE_SIGNS * len(prose):
        return False
    if text.isascii():
        return True
    letters = sum(map(len, _WORD.findall(text)))
    return len(_OTHER_LETTER.findall(text)) <= MAX_OTHER_SCRIPT * letters


def grade(text: str, found: Counts | None = None) -> float | None:
    """Flesch-Kincaid grade, or None where it has no meaning."""
    found = counts(text) if found is None else found
    if found.words < MIN_WORDS or not is_prose(text):
        return None
    return 0.39 * found.words / found.sentences + 11.8 * found.syllables / found.words - 15.59


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
        memo = Syllables()
        grades: list[float | None] = []
        for text in batch.column(self.on).to_pylist():
            found = None if text is None else counts(text, memo)
            grades.append(None if text is None or found is None else grade(text, found))
        return {self.gives[0]: pa.array(grades, type=pa.float64())}
