"""How often each prompt was solved: responses with a label and those at or above a threshold, by prompt and group.

Prompts are told apart by 64 bits of a hash of their text (two of three million meet with probability 3e-7). Responses to
one prompt are one prompt wherever they stand; the groups keep them together where records are grouped by prompt, by row
or by a field. Memory is O(prompts).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import Mask
from triptych.core.sorting import run_starts
from triptych.core.statistic import Statistic

_PENDING = 1 << 18


@dataclass(eq=False)
class PromptTallies(Statistic):
    """Labelled responses of each prompt, and how many have a label of at least `at`.

    Prompts of fewer than `least` labelled responses are no prompts of the set: they are not counted in `records`.
    """

    column: str
    at: float = 1.0
    least: int = 2

    def __post_init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._keys = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._counts = np.zeros((0, 2), dtype=np.int64)
        self._pending: list[tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]] = []

    @property
    def needs(self) -> tuple[str, ...]:
        """The prompt and the label."""
        return ("prompt", self.column)

    def update(self, batch: Batch) -> None:
        """Count a batch."""
        labels, present = batch.numbers(self.column)
        keys, has_prompt = _prompt_keys(batch)
        held = present & has_prompt
        counts = np.stack([np.ones(len(batch), dtype=np.int64), labels >= self.at], axis=1)[held]
        self._take(*_summed(keys[held], batch.group[held], counts.astype(np.int64)))

    def merge(self, other: Self) -> None:
        """Add the counts of other records."""
        other.settle()
        self._take(other._keys, other._group, other._counts)

    def _take(self, keys: NDArray[np.uint64], group: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
        self._pending.append((keys, group, counts))
        if sum(len(part[0]) for part in self._pending) > max(_PENDING, len(self._keys) // 2):
            self.settle()

    def settle(self) -> None:
        """Add up what was taken in since the last time."""
        if not self._pending:
            return
        parts = [(self._keys, self._group, self._counts), *self._pending]
        keys, group, counts = (np.concatenate([part[i] for part in parts]) for i in range(3))
        self._keys, self._group, self._counts = _summed(keys, group, counts)
        self._pending = []

    def state(self) -> dict[str, NDArray[Any]]:
        """Keys (k,) ascending with their groups (k,), and responses and solved ones (k, 2)."""
        self.settle()
        return {"keys": self._keys, "group": self._group, "counts": self._counts}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._clear()
        self._keys, self._group, self._counts = state["keys"], state["group"], state["counts"]

    def records(self, keep: Mask) -> int:
        """Prompts with at least `least` labelled responses in the kept groups."""
        return len(self.counts(keep))

    def counts(self, keep: Mask) -> NDArray[np.int64]:
        """Labelled responses n and solved ones c (prompts, 2) of the prompts with at least `least` in the kept groups."""
        return self._prompts(keep)[0]

    def split(self, keep: Mask) -> int:
        """How many of these prompts have responses in more than one of the kept groups."""
        return int(np.sum(self._prompts(keep)[1] > 1))

    def _prompts(self, keep: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Counts (prompts, 2) and the number of groups (prompts,) of each prompt that counts."""
        self.settle()
        held = keep[self._group]
        starts = run_starts(self._keys[held])
        if not len(starts):
            return np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64)
        summed = np.add.reduceat(self._counts[held], starts, axis=0)
        counted = summed[:, 0] >= self.least
        return summed[counted], np.diff(starts, append=int(held.sum()))[counted]


def _prompt_keys(batch: Batch) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """64-bit key of the prompt of each record (n,), and where it has one that is not empty (n,)."""
    encoded: Any = pc.dictionary_encode(batch.columns["prompt"].cast("string"))
    texts = encoded.dictionary.to_pylist()
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    place = pc.fill_null(encoded.indices, len(texts)).to_numpy(zero_copy_only=False)
    known = np.array([*map(bool, texts), False])
    return np.append(np.frombuffer(digests, dtype="<u8").astype(np.uint64), np.uint64(0))[place], known[place]


def _summed(
    keys: NDArray[np.uint64], group: NDArray[np.uint8], counts: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]:
    """Entries in order of key and group, the counts of equal ones added."""
    if not len(keys):
        return keys, group, counts
    order = np.lexsort((group, keys))
    keys, group, counts = keys[order], group[order], counts[order]
    starts = np.flatnonzero(np.append(True, (keys[1:] != keys[:-1]) | (group[1:] != group[:-1])))
    return keys[starts], group[starts], np.add.reduceat(counts, starts, axis=0)
