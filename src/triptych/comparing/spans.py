"""Words of texts with their places, as numbers, and the spans that two texts share.

A word is a run of letters and digits; everything else only separates ("Janet’s" and "Janet's" are both janet, s). Words are
compared without case, accents and compatibility forms, as far as one character stands for one; in scripts that are written
without spaces every character is a word. A word becomes a 64-bit hash, so texts are handled as arrays: a million words take
a second, and none is a Python object. Places count characters of the text as it is, as Python does.

Worked example: "Ann’s 3 cats" is ann 0..3, s 4..5, 3 6..7, cats 8..12.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from triptych.core.groups import mix
from triptych.core.ngrams import ngram_hashes

Ints = NDArray[np.int64]
UInts = NDArray[np.uint64]

_CODES = 0x110000
_BETWEEN, _LETTER, _ALONE, _NOTHING = 0, 1, 2, 3
_MARKS = range(0x300, 0x370)
"""Accents that stand behind their letter."""
_UNSEEN = frozenset("\u00ad\u200b\u200c\u200d\ufe0e\ufe0f\ufeff")
_UNSPACED = (
    range(0xE00, 0xF00),
    range(0x1000, 0x10A0),
    range(0x1780, 0x1800),
    range(0x3040, 0x3100),
    range(0x31F0, 0x3200),
    range(0x3400, 0x4DC0),
    range(0x4E00, 0xA000),
    range(0xF900, 0xFB00),
    range(0x20000, 0x40000),
)
_CHUNK = 1 << 18
"""Characters handled at a time: tables that stay in cache."""
_STEP = 0x9E3779B97F4A7C15
_BACK = pow(_STEP, -1, 1 << 64)


@dataclass(frozen=True, eq=False)
class Words:
    """The words of t texts, w in all.

    Attributes:
        key: hash of each, uint64 (w,).
        start, stop: characters of its own text, int64 (w,).
        offsets: bounds of the texts among the words (t + 1,).
    """

    key: UInts
    start: Ints
    stop: Ints
    offsets: Ints

    def grams(self, n: int) -> tuple[UInts, Ints]:
        """Hashes of all runs of n words in reading order (m,), and how many each text has (t,)."""
        return ngram_hashes(self.key, self.offsets, n)

    @property
    def sizes(self) -> Ints:
        """Words of each text (t,)."""
        return np.diff(self.offsets)

    def whole(self) -> UInts:
        """A hash of all words of each text in their order (t,)."""
        with np.errstate(over="ignore"):
            place = np.arange(len(self.key)) - np.repeat(self.offsets[:-1], self.sizes)
            parts = mix(self.key + (place.astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP))
            total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(parts)])
            return mix(total[self.offsets[1:]] - total[self.offsets[:-1]] + self.sizes.astype(np.uint64))


@final
class _Alphabet:
    """What each character is, and the number that stands for it; characters are looked up when they are first met."""

    def __init__(self) -> None:
        self.kind = np.zeros(_CODES, dtype=np.uint8)
        self.key = np.zeros(_CODES, dtype=np.uint64)
        self._known = np.zeros(_CODES, dtype=np.bool_)

    def learn(self, codes: NDArray[np.uint32]) -> None:
        fresh = codes[~self._known[codes]]
        for code in np.unique(fresh).tolist():
            kind, plain = _read(chr(code))
            self.kind[code] = kind
            self.key[code] = mix(np.array([plain + 1], dtype=np.uint64))[0] if kind in (_LETTER, _ALONE) else 0
            self._known[code] = True


def _read(char: str) -> tuple[int, int]:
    """Kind of a character, and the character that it is compared as."""
    if ord(char) in _MARKS or char in _UNSEEN:
        return _NOTHING, 0
    parts = unicodedata.normalize("NFKD", char)
    base = parts[0] if all(ord(mark) in _MARKS for mark in parts[1:]) else char
    low = base.casefold()
    code = ord(low) if len(low) == 1 else ord(base)
    if any(code in block for block in _UNSPACED):
        return _ALONE, code
    return (_LETTER if unicodedata.category(chr(code))[0] in "LNM" else _BETWEEN), code


@lru_cache(maxsize=1)
def _alphabet() -> _Alphabet:
    return _Alphabet()


@lru_cache(maxsize=2)
def _powers(length: int) -> tuple[UInts, UInts]:
    """Powers of an odd number and of its inverse, modulo 2^64."""
    out = []
    for base in (_STEP, _BACK):
        row = np.full(length, base, dtype=np.uint64)
        row[0] = 1
        with np.errstate(over="ignore"):
            out.append(np.multiply.accumulate(row))
    return out[0], out[1]


def words_of(texts: Sequence[str | None]) -> Words:
    """The words of texts; None has none."""
    parts = [_cut(piece) for piece in _pieces(texts)]
    sizes = [part.sizes for part in parts]
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Words(none.astype(np.uint64), none, none, np.zeros(1, dtype=np.int64))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(sizes))])
    key, start, stop = (np.concatenate([getattr(part, name) for part in parts]) for name in ("key", "start", "stop"))
    return Words(key, start, stop, offsets)


def _pieces(texts: Sequence[str | None]) -> Iterator[list[str]]:
    piece: list[str] = []
    size = 0
    for text in texts:
        piece.append(text or "")
        size += len(piece[-1]) + 1
        if size >= _CHUNK:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _cut(texts: list[str]) -> Words:
    """The words of some texts that are handled together."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    begin = np.cumsum(lengths) - lengths
    joined = "\n".join([*texts, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    alphabet = _alphabet()
    alphabet.learn(codes)
    kind = alphabet.kind[codes]
    place = np.flatnonzero(kind != _NOTHING)
    codes, kind = codes[place], kind[place]
    letter, alone = kind == _LETTER, kind == _ALONE
    before = np.concatenate([[False], letter[:-1]])
    after = np.concatenate([letter[1:], [False]])
    first = np.flatnonzero(alone | (letter & ~before))
    end = np.flatnonzero(alone | (letter & ~after)) + 1
    power, back = _powers(1 << max(len(codes), _CHUNK).bit_length())
    with np.errstate(over="ignore"):
        total = np.cumsum(alphabet.key[codes] * power[: len(codes)])
        total = np.concatenate([np.zeros(1, dtype=np.uint64), total])
        key = mix((total[end] - total[first]) * back[first])
    start, stop = place[first], place[end]  # a text ends in a separator, so something always follows
    offsets = np.append(np.searchsorted(start, begin), len(start)).astype(np.int64)
    own = np.repeat(begin, np.diff(offsets))
    return Words(key, start - own, stop - own, offsets)


def shared_spans(text: str, other: str, n: int) -> list[tuple[int, int]]:
    """Where a text has runs of at least n words that the other text has too: characters (start, stop), in order.

    Where one of them is shorter than n words, runs of as many words as it has.
    """
    mine, theirs = words_of([text]), words_of([other])
    n = min(n, len(mine.key), len(theirs.key))
    if not n:
        return []
    hit = np.flatnonzero(np.isin(mine.grams(n)[0], theirs.grams(n)[0]))
    inside, joined = (np.zeros(len(mine.key), dtype=np.bool_) for _ in range(2))
    for back in range(n):
        inside[hit + back] = True
        if back < n - 1:  # runs that touch are one span only where an n-gram reaches across
            joined[hit + back] = True
    out: list[tuple[int, int]] = []
    start: int | None = None
    for at in np.flatnonzero(inside).tolist():
        start = int(mine.start[at]) if start is None else start
        if not joined[at]:
            out.append((start, int(mine.stop[at])))
            start = None
    return out


def longest(spans: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The longest span, the first of equals; None where there is none."""
    return max(spans, key=lambda span: (span[1] - span[0], -span[0]), default=None)
