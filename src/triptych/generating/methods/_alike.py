"""How alike a text is to texts seen before, by ROUGE-L (Lin 2004): the gate of self-instruct, and what tells a rewriting
from a copy.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from triptych.generating.methods._reading import plain
from triptych.statistics.pair_sample import rouge_l


class Pool:
    """Texts as lists of word ids, one after the other in one array that grows by doubling."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._ids: dict[str, int] = {}
        self._held: list[list[int]] = []
        self._flat: NDArray[np.int32] = np.zeros(1024, dtype=np.int32)
        self._starts: list[int] = []
        self._used = 0
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Hold a text; one without words is not held."""
        if not (words := self._words(text)):
            return
        end = self._used + len(words)
        if end > len(self._flat):
            self._flat = np.concatenate([self._flat, np.zeros(end, dtype=np.int32)])
        self._flat[self._used : end] = words
        self._starts.append(self._used)
        self._held.append(words)
        self._used = end

    def nearest(self, text: str, enough: float = 1.0) -> float:
        """The highest ROUGE-L F1 with a text held, 0 where none is; the search ends at a value above `enough`.

        Exact: a common subsequence is no longer than the words of the other text that occur in this one, so texts are compared in
        the order of that bound until it is no higher than what was found. 10,000 texts of 30 words: 36 ms.
        """
        words = self._words(text)
        if not words or not self._held:
            return 0.0
        starts = np.array(self._starts)
        lengths = np.diff(starts, append=self._used)
        mark = np.zeros(len(self._ids), dtype=np.int32)
        mark[words] = 1
        shared = np.minimum(np.add.reduceat(mark[self._flat[: self._used]], starts), len(words))
        bound = 2 * shared / (lengths + len(words))
        best = 0.0
        for place in np.argsort(-bound, kind="stable").tolist():
            if bound[place] <= best or best > enough:
                break
            best = max(best, rouge_l(words, self._held[place]))
        return best

    def _words(self, text: str) -> list[int]:
        return [self._ids.setdefault(word, len(self._ids)) for word in plain(text).split()]


def new_words(text: str, parent: str) -> int:
    """Words of a text that are not in its parent in the same order: those outside their longest common subsequence."""
    ids: dict[str, int] = {}
    words, before = ([ids.setdefault(word, len(ids)) for word in plain(each).split()] for each in (text, parent))
    if not words or not before:
        return len(words)
    return len(words) - round(rouge_l(words, before) * (len(words) + len(before)) / 2)
