"""Repetition loops: the same words, line or sentence over and over, as degenerate decoding leaves them.

A loop has at least 3 or 4 rounds in a row that fill much of the text or run to its end, or one line makes up much of the
text wherever it stands. Refrains, tables and lists with a common start are none; nor is asked-for repetition.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_ASKED_LOOP = re.compile(
    r"\brepeat (?:the|this|it|that|after|each|every|your|a|\W?\w+\W? \d)|\b(?:say|write|type|print)\b.{0,60}\btimes\b"
    r"|\b(?:over and over|in a row|chant|mantra|refrain)\b",
    re.IGNORECASE,
)
_PIECE = re.compile(r"(?<!\n\d)(?<!\n\d\d)[.!?。！？]+\s+|\n+")
_ENUMERATOR = re.compile(r"^\W*(?:\(?\d{1,3}[.):])?\W*")
_LONG_RUN = re.compile(r"([^\W\d_])\1{39}")
_LONG_DIGITS = re.compile(r"(\d{1,4})\1{19}")
MIN_LENGTH = 60  # characters
LONG_WORDS = 15  # characters per word, from which there are no spaces between words, or runs of one letter
_COUNTER = re.compile(r"\(?\d{1,3}[.):]")
_HAS_LETTER = re.compile(r"[^\W\d_]")
MAX_PERIOD = 64  # tokens
MIN_LOOP = 16  # tokens that a loop spans at least, and 4 rounds


def is_repetition_loop(prompt: str | None, text: str) -> bool:
    """Whether the text loops. O(n) for nearly all texts, O(64 n) for those that look repetitive."""
    if len(text) < MIN_LENGTH or not _looks_repetitive(text):
        return False
    if prompt and _ASKED_LOOP.search(prompt[:2000]):
        return False
    if _LONG_RUN.search(text) or _LONG_DIGITS.search(text):
        return True
    tokens = ["#" if _COUNTER.fullmatch(token) else token for token in text.lower().split()]
    if len(text) > 40 * len(tokens):
        tokens = list(text[-2000:])
    return _cycles(tokens) or _repeats_pieces(text)


def _looks_repetitive(text: str) -> bool:
    """The cheap guard: few different words overall or at the end, or equal lines or sentences."""
    tokens = text.split()
    share = len(set(tokens)) / max(len(tokens), 1)
    if share < 0.5 or len(text) > LONG_WORDS * len(tokens):
        return True
    tail = tokens[-64:]
    if len(tokens) > 64 and len(set(tail)) < 0.5 * len(tail):
        return True
    if share > 0.67:  # a line repeated often enough repeats its words
        return False
    pieces = text.replace("\n", ". ").replace("! ", ". ").replace("? ", ". ").replace(" . ", ". ").split(". ")
    return len(pieces) >= 4 and len(set(pieces)) < 0.8 * len(pieces)


def _cycles(tokens: Sequence[str]) -> bool:
    """Whether tokens[i] equals tokens[i - period] for long enough, for any period up to 64."""
    number: dict[str, int] = {}
    ids = np.array([number.setdefault(token, len(number)) for token in tokens], dtype=np.int64)
    size = len(ids)
    for period in range(1, min(MAX_PERIOD, size // 3) + 1):
        least = max((3 if period >= 10 else 4) * period, MIN_LOOP)
        unequal = ids[period:] != ids[:-period]
        if size - np.count_nonzero(unequal) < least:  # not even if all that are equal stood in a row
            continue
        edges = np.concatenate(([-1], np.flatnonzero(unequal), [size - period]))
        gaps = np.diff(edges) - 1
        best = int(gaps.argmax())
        span = int(gaps[best]) + period
        begin = int(edges[best]) + 1
        if span < least or not any(map(_HAS_LETTER.search, tokens[begin : begin + period])):
            continue
        if span >= 0.3 * size or begin + span >= size - period:
            return True
    return False


def _repeats_pieces(text: str) -> bool:
    """Whether one line or sentence of at least 4 words makes up much of the text, wherever it stands."""
    pieces = [_ENUMERATOR.sub("", piece).strip().lower() for piece in _PIECE.split(text)]
    long = [piece for piece in pieces if piece.count(" ") >= 3 and _HAS_LETTER.search(piece)]
    if len(long) < 4:
        return False
    extra = sum((times - 1) * len(piece) for piece, times in Counter(long).items() if times >= 4)
    neighbours = sum(one == two for one, two in pairwise(long))
    return extra >= 0.45 * sum(map(len, pieces)) or (neighbours >= 3 and 2 * neighbours >= len(long))
