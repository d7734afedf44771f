"""Runs of words that texts share with those of a benchmark.

The coverage of a benchmark's text by another text is the share of its different n-grams of words that occur there (compare
PaLM, arXiv 2204.02311: 8-grams). N-grams that stand in more than ten items of the benchmark are its own phrases
("answer the following question ..") and say nothing (compare GPT-3, arXiv 2005.14165, appendix C); so are whole texts that
stand in more than ten.

Short texts meet by chance ("the quick brown fox .." has nine words): of prompts of 5 to 12 words only a prompt that is equal
in all words is found; shorter prompts, and responses of fewer than 13 words, are not looked for at all.

Memory: 20 bytes are kept for each n-gram of the benchmark. Time: a look into a table for each word of the set.

Worked example, n = 2, were four words enough: benchmark "a b c d", text "x a b c": 2 of its 3 bigrams, coverage .667.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.corpus import Corpus, Ints, UInts
from triptych.comparing.spans import Words, words_of
from triptych.core.batch import Text

Floats = NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.uint64)

ROLES: tuple[Text, Text] = ("prompt", "response")
LEAST_WORDS, LONG_WORDS = 5, 13
ITEMS_MOST, TEXTS_MOST = 10, 100
"""An n-gram in more items, or more texts, is a phrase of the benchmark."""
_TABLE = 1 << 26


@dataclass(frozen=True, eq=False)
class Passages:
    """The different texts of a benchmark, t in all.

    Attributes:
        words: of each.
        record, role: where each stands first, (t,); role 0: prompt, 1: response.
        family: of that record, 0 where the text stands in several, uint64 (t,).
        of: for each role, the text of each record, -1 where it has none that is looked for (N,).
    """

    words: Words
    record: Ints
    role: Ints
    family: UInts
    of: dict[Text, Ints]

    def __len__(self) -> int:
        return len(self.record)


def passages(benchmark: Corpus) -> Passages:
    """The different texts of a benchmark that are long enough."""
    whole, parts, at, roles = [], [], [], []
    for number, role in enumerate(ROLES):
        if role not in benchmark.roles:
            continue
        for start, texts in benchmark.texts(role):
            words = words_of(texts)
            keep = np.flatnonzero(words.sizes >= (LEAST_WORDS if role == "prompt" else LONG_WORDS))
            parts.append(_some(words, keep))
            whole.append(words.whole()[keep])
            at.append(start + keep)
            roles.append(np.full(len(keep), number))
    words = _joined(parts)
    record, role_of = (np.concatenate(each).astype(np.int64) if each else np.zeros(0, np.int64) for each in (at, roles))
    keys = np.concatenate(whole) if whole else np.zeros(0, dtype=np.uint64)
    # the number of a text is that of its first place, so that texts come in the order in which they are first met
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    place = first[code.reshape(-1)]
    family, items = _families(place, benchmark.family[record])
    first = np.flatnonzero((place == np.arange(len(place))) & (items <= ITEMS_MOST))
    number_of = np.full(len(place), -1, dtype=np.int64)
    number_of[first] = np.arange(len(first))
    of: dict[Text, Ints] = {}
    for number, role in enumerate(ROLES):
        mine = role_of == number
        of[role] = np.full(len(benchmark), -1, dtype=np.int64)
        of[role][record[mine]] = number_of[place[mine]]
    return Passages(_some(words, first), record[first], role_of[first], family[first], of)


def _families(place: Ints, family: UInts) -> tuple[UInts, Ints]:
    """Of the text at each place (m,): its family, 0 where it stands in several, and in how many it stands."""
    _, code = np.unique(family, return_inverse=True)
    texts, _ = _distinct(place, code.reshape(-1).astype(np.int64))
    items = np.bincount(texts, minlength=len(place))
    return np.where(items > 1, np.uint64(0), family), items


def _some(words: Words, at: Ints) -> Words:
    """The words of some of the texts."""
    size = words.sizes[at]
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(size)])
    place = np.repeat(words.offsets[at] - offsets[:-1], size) + np.arange(offsets[-1])
    return Words(words.key[place], words.start[place], words.stop[place], offsets)


def _joined(parts: list[Words]) -> Words:
    if not parts:
        return words_of([])
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate([part.sizes for part in parts]))])
    key, start, stop = (np.concatenate([getattr(part, name) for part in parts]) for name in ("key", "start", "stop"))
    return Words(key, start, stop, offsets)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Texts that were asked, the benchmark's texts that they cover in part, and the coverage; each (p,)."""

    asked: Ints
    text: Ints
    share: Floats

    def best(self) -> Pairs:
        """For each text asked the one that it covers most, the first of equals; ascending."""
        order = np.lexsort((self.text, -self.share, self.asked))
        asked, first = np.unique(self.asked[order], return_index=True)
        return Pairs(asked, self.text[order][first], self.share[order][first])


@final
class Finder:
    """Looks for the texts of a benchmark in other texts, by runs of n words."""

    def __init__(self, of: Passages, n: int) -> None:
        self.n, self._of = n, of
        hashes, counts = of.words.grams(n)
        text = np.repeat(np.arange(len(of)), counts)
        long = of.words.sizes[text] >= LONG_WORDS
        hashes, text = hashes[long], text[long]
        _, family = np.unique(of.family, return_inverse=True)
        hashes, text = _distinct(hashes, text)
        keys, size = np.unique(hashes, return_counts=True)
        gram = np.repeat(np.arange(len(keys)), size)
        by_item = np.unique(gram * max(len(of), 1) + family.reshape(-1)[text]) // max(len(of), 1)
        telling = (np.bincount(by_item, minlength=len(keys)) <= ITEMS_MOST) & (size <= TEXTS_MOST)
        self._keys = keys[telling]
        self._texts = text[telling[gram]].astype(np.int32)
        self._begin = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(size[telling])])
        self._sizes = np.bincount(self._texts, minlength=len(of))
        """Different telling n-grams of each text of the benchmark."""
        self._whole, self._short = _shorts(of)
        bits = min(max(int(len(self._keys) * 16).bit_length(), 10), _TABLE.bit_length() - 1)
        self._shift = np.uint64(64 - bits)
        self._filter = np.zeros(1 << bits, dtype=np.bool_)
        self._filter[self._keys >> self._shift] = True

    def pairs(self, words: Words, role: Text, family: UInts | None = None) -> Pairs:
        """All pairs of q texts and texts of the benchmark that they cover in part.

        Args:
            words: of the q texts.
            role: what they are: only prompts are compared as a whole with short prompts.
            family: of each (q,): texts of the same family are not found.
        """
        asked, text, share = self._shared(words)
        if role == "prompt" and len(self._whole):
            whole = words.whole()
            place = np.minimum(np.searchsorted(self._whole, whole), len(self._whole) - 1)
            same = np.flatnonzero(self._whole[place] == whole)
            asked, text = np.append(asked, same), np.append(text, self._short[place[same]])
            share = np.append(share, np.ones(len(same)))
        if family is not None:
            other = self._of.family[text] != family[asked]
            asked, text, share = asked[other], text[other], share[other]
        return Pairs(asked, text, share)

    def _shared(self, words: Words) -> tuple[Ints, Ints, Floats]:
        """Pairs (text asked, text of the benchmark) that share an n-gram, and the coverage."""
        none = np.zeros(0, dtype=np.int64)
        hashes, counts = words.grams(self.n)
        maybe = np.flatnonzero(self._filter[hashes >> self._shift])
        if not len(maybe) or not len(self._keys):
            return none, none, np.zeros(0)
        gram = np.minimum(np.searchsorted(self._keys, hashes[maybe]), len(self._keys) - 1)
        found = self._keys[gram] == hashes[maybe]
        asked = np.searchsorted(np.cumsum(counts), maybe[found], side="right")
        gram, asked = _distinct(gram[found], asked)
        size = (self._begin[gram + 1] - self._begin[gram]).astype(np.int64)
        ends = np.cumsum(size)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - size, size)
        text = self._texts[np.repeat(self._begin[gram], size) + within].astype(np.int64)
        pair, shared = np.unique(np.repeat(asked, size) * len(self._of) + text, return_counts=True)
        asked, text = pair // len(self._of), pair % len(self._of)
        return asked, text, shared / self._sizes[text]


def _distinct(first: NDArray[Number], second: Ints) -> tuple[NDArray[Number], Ints]:
    """Each pair once, by the first, then by the second."""
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    fresh = np.ones(len(first), dtype=np.bool_)
    fresh[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    return first[fresh], second[fresh]


def _shorts(of: Passages) -> tuple[UInts, Ints]:
    """Hashes, ascending, and numbers of the short prompts: only equal ones are found."""
    short = np.flatnonzero(of.words.sizes < LONG_WORDS)
    whole = of.words.whole()[short]
    order = np.argsort(whole)
    return whole[order], short[order]
