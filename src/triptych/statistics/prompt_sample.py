"""Responses by prompt, on a sample of prompts: what measures of diversity inside a prompt read.

Prompts are told apart by 64 bits of a hash of their text. Of each group the 512 prompts of the smallest hashes are held
(16,384 in all), and of each of these the 32 responses of the smallest address hashes. What is held of a group depends on that
group alone, so a mask of groups equals a fold over their records.

The value of a prompt is a mean over pairs of its responses, or over draws of k of them: its expectation does not move with
the number of responses. Responses to one prompt are one prompt wherever they stand: where a prompt has several different
responses the grouping keeps them in one group; where all are the same, records are dealt singly, and the prompt is read from
the groups that are kept. Such a prompt is counted: a prompt that is always answered alike is what collapse looks like.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, Mask, bits
from triptych.core.ngrams import ngram_hashes
from triptych.core.sorting import place, tally
from triptych.core.statistic import Statistic

PROMPTS = 512
"""Prompts held of each group."""

RESPONSES = 32
"""Responses held of each prompt in a group."""

Arrays = list[NDArray[Any]]


class PromptSample(Statistic):
    """Base: what `_parts` reads of each response. Subclasses are dataclasses with the field `least`."""

    column: ClassVar[str]
    kind: ClassVar[Any]
    """Type of what is held."""

    least: int

    def __post_init__(self) -> None:
        self._prompt = np.zeros(0, dtype=np.uint64)
        self._group = np.zeros(0, dtype=np.uint8)
        self._address = np.zeros(0, dtype=np.uint64)
        self._held: Arrays = []
        self._seen = np.zeros(GROUPS, dtype=np.int64)
        self._forget()

    def _forget(self) -> None:
        """Drop what was read from an earlier state."""
        self._order: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint32]] | None = None
        self._values: dict[tuple[int, int], float] = {}

    @abstractmethod
    def _parts(self, batch: Batch) -> Arrays:
        """What is held of each record (n,); empty for a record that has none."""

    @abstractmethod
    def _value(self, held: Arrays) -> float:
        """The value of a prompt with these responses, at least `least`."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The prompt, and what is read of the response."""
        return ("prompt", self.column)

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        parts = self._parts(batch)
        prompt = np.array([_key(text) for text in batch.bytes("prompt")], dtype=np.uint64)
        at = np.flatnonzero((prompt != 0) & np.array([len(part) > 0 for part in parts], dtype=np.bool_))
        self._seen = self._seen + np.bincount(batch.group[at], minlength=GROUPS)
        self._extend(prompt[at], batch.group[at], batch.address[at], [parts[i] for i in at])

    def merge(self, other: Self) -> None:
        """Take in other records."""
        self._seen = self._seen + other._seen
        self._extend(other._prompt, other._group, other._address, other._held)

    def _extend(
        self, prompt: NDArray[np.uint64], group: NDArray[np.uint8], address: NDArray[np.uint64], held: Arrays
    ) -> None:
        prompt = np.concatenate([self._prompt, prompt])
        group = np.concatenate([self._group, group])
        address = np.concatenate([self._address, address])
        held = self._held + held
        kept = _first(prompt, group, address)
        self._prompt, self._group, self._address = prompt[kept], group[kept], address[kept]
        self._held = [held[i] for i in kept]
        self._forget()

    def state(self) -> dict[str, NDArray[Any]]:
        """Prompts, groups, addresses (k,), what is held, flat with offsets, records seen; by group, prompt, address."""
        return {
            "prompt": self._prompt,
            "group": self._group,
            "address": self._address,
            "held": np.concatenate([np.zeros(0, dtype=self.kind), *self._held]),
            "offsets": np.cumsum([0, *map(len, self._held)], dtype=np.int64),
            "seen": self._seen,
        }

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Restore a saved state."""
        self._prompt, self._group, self._address = state["prompt"], state["group"], state["address"]
        self._held = [state["held"][a:b] for a, b in pairwise(state["offsets"])]
        self._seen = state["seen"]
        self._forget()

    def bound(self) -> tuple[bool, str | None]:
        """Exact, or read on a random sample of prompts and responses (whose error the interval holds)."""
        held, seen = len(self._prompt), int(self._seen.sum())
        if held == seen:
            return True, None
        return False, f"read on a random sample of prompts and responses: {held:,} of {seen:,} responses"

    def records(self, keep: Mask) -> int:
        """Prompts with at least `least` responses in the kept groups."""
        return int(np.count_nonzero(self._sizes(keep) >= self.least))

    def mean(self, keep: Mask) -> float:
        """Mean value over the prompts with at least `least` responses in the kept groups; there must be one."""
        order, starts, patterns = self._arranged()
        ends = np.append(starts[1:], len(order))
        wanted, kept = patterns & bits(keep), keep[self._group]
        values = []
        for i in np.flatnonzero(self._sizes(keep) >= self.least):
            label = (int(i), int(wanted[i]))
            if label not in self._values:
                members = order[starts[i] : ends[i]]
                self._values[label] = self._value([self._held[m] for m in members[kept[members]]])
            values.append(self._values[label])
        return float(np.mean(values))

    def _sizes(self, keep: Mask) -> NDArray[np.int64]:
        """Responses of each prompt in the kept groups, (prompts,)."""
        order, starts, _ = self._arranged()
        if not len(starts):
            return np.zeros(0, dtype=np.int64)
        return np.asarray(np.add.reduceat(keep[self._group[order]].astype(np.int64), starts))

    def _arranged(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint32]]:
        """Records by prompt, where each prompt begins among them, and in which groups it stands, as bits."""
        if self._order is None:
            order = np.lexsort((self._address, self._prompt))
            starts = _changes(self._prompt[order])
            flags = np.left_shift(np.uint32(1), self._group[order], dtype=np.uint32)
            patterns = np.bitwise_or.reduceat(flags, starts) if len(starts) else flags
            self._order = order, starts, patterns
        return self._order


@dataclass(eq=False)
class PromptGrams(PromptSample):
    """Mean over pairs of responses of the different n-grams of both over all n-grams of both."""

    column: ClassVar[str] = "tokens@response"
    kind: ClassVar[Any] = np.uint64

    n: int = 2
    least: int = 2

    def _parts(self, batch: Batch) -> Arrays:
        hashes, counts = ngram_hashes(*batch.lists(self.column), self.n)
        return _split(hashes, counts)

    def _value(self, held: Arrays) -> float:
        number = np.array([len(part) for part in held], dtype=np.float64)
        _, column = place(np.concatenate(held))
        there = np.zeros((len(held), int(column.max()) + 1), dtype=np.float32)
        there[np.repeat(np.arange(len(held)), number.astype(np.intp)), column] = 1
        common = (there @ there.T).astype(np.float64)
        size = np.diagonal(common)
        share = (size[:, None] + size - common) / (number[:, None] + number)
        m = len(held)
        return float((share.sum() - np.trace(share)) / (m * (m - 1)))


@dataclass(eq=False)
class PromptStructures(PromptSample):
    """Expected different templates among `least` responses drawn without replacement: the same for any number of them."""

    column: ClassVar[str] = "template@response"
    kind: ClassVar[Any] = np.uint64

    least: int = 2

    def _parts(self, batch: Batch) -> Arrays:
        return _split(batch.keys(self.column)[batch.present(self.column)], batch.present(self.column).astype(np.int64))

    def _value(self, held: Arrays) -> float:
        _, counts = tally(np.concatenate(held))
        m, ways = len(held), comb(len(held), self.least)
        return float(sum(1 - comb(m - int(count), self.least) / ways for count in counts))


@dataclass(eq=False)
class PromptPurity(PromptSample):
    """Mean over pairs of responses of the squared cosine of their embeddings."""

    column: ClassVar[str] = "embedding@response"
    kind: ClassVar[Any] = np.float32

    least: int = 2

    def _parts(self, batch: Batch) -> Arrays:
        if not len(batch):
            return []
        vectors = batch.matrix(self.column).astype(np.float64)
        norms = np.linalg.norm(vectors, axis=1)
        held = norms > 0
        rows = (vectors[held] / norms[held, None]).astype(np.float32)
        return _split(rows.reshape(-1), held * vectors.shape[1])

    def _value(self, held: Arrays) -> float:
        vectors = np.stack(held).astype(np.float64)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        squared = (vectors @ vectors.T) ** 2
        m = len(held)
        return float(np.clip((squared.sum() - np.trace(squared)) / (m * (m - 1)), 0.0, 1.0))


def _key(text: bytes | None) -> int:
    """64 bits of a hash of a text, 0 for none."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") if text else 0


def _split(flat: NDArray[Any], counts: NDArray[np.int64]) -> Arrays:
    """The entries of each record as an array of its own."""
    ends = np.cumsum(counts)
    return [flat[end - count : end].copy() for end, count in zip(ends, counts, strict=True)]


def _first(prompt: NDArray[np.uint64], group: NDArray[np.uint8], address: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Positions of the responses of the smallest addresses to the prompts of the smallest keys of each group, in order."""
    order = np.lexsort((address, prompt, group))
    prompt, group = prompt[order], group[order]
    fresh = _changes(prompt, group)
    number = np.zeros(len(order), dtype=np.int64)
    number[fresh] = 1
    number = np.cumsum(number) - 1
    rank = number - number[np.searchsorted(group, group)] if len(order) else number
    within = np.arange(len(order)) - fresh[number]
    return np.asarray(order[(rank < PROMPTS) & (within < RESPONSES)])


def _changes(*columns: NDArray[Any]) -> NDArray[np.intp]:
    """Positions where one of the columns begins a new value."""
    change = np.ones(len(columns[0]), dtype=np.bool_)
    change[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return np.flatnonzero(change)
