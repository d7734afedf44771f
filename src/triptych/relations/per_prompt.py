"""Diversity inside a prompt: means over pairs of responses to one prompt.

A regroup barrier: records are brought together by the key of their cluster. The value of a prompt is a mean over *pairs*
of its responses, so the number of responses does not move it. One record of each prompt that has at least two responses
carries the value; all others carry none. Corpus-level numbers hide mode collapse: on checkpoints trained 1, 2 and 3
epochs, the trigram overlap of two answers to one prompt went .032, .040, .086 while pooled distinct-3 moved .895, .891,
.868 (Kirk et al. 2023, arXiv 2310.06452, measure the same distinction).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch, On
from triptych.core.ngrams import ngram_hashes
from triptych.core.relation import Records, Relation, Sparse
from triptych.core.sorting import different, place, run_starts

_RESPONSES = 1 << 17
"""Responses brought together at a time; the rest waits for another pass over the records."""

_PAIRS = 64
"""Of a prompt with more responses, the n-gram overlap is taken among the 64 of the smallest address hash."""


@dataclass(frozen=True)
class PerPromptDistance(Relation):
    """Column `per_prompt_distance@on`: mean over pairs of 1 - cosine, from |Σx|² = m + Σ_{i≠j} x_i·x_j."""

    on: On = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """The embedding."""
        return (f"embedding@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The value of the prompt."""
        return (f"per_prompt_distance@{self.on}",)

    def compute(self, records: Records) -> Mapping[str, Sparse]:
        """Values of all prompts with at least two responses that have a vector."""
        at, values = [], []
        for positions, prompt, pieces in _regroup(records, self.needs[0]):
            vectors = np.concatenate([batch.matrix(self.needs[0]).astype(np.float64) for batch in pieces])
            norms = np.linalg.norm(vectors, axis=1)
            held = norms > 0
            vectors, prompt, positions = vectors[held] / norms[held, None], prompt[held], positions[held]
            order = np.argsort(prompt, kind="stable")
            starts = run_starts(prompt[order])
            size = np.diff(np.append(starts, len(order)))
            if not len(order):
                continue
            total = np.add.reduceat(vectors[order], starts, axis=0)
            several = size > 1
            m = size[several].astype(np.float64)
            squared = np.einsum("ij,ij->i", total[several], total[several])
            values.append(np.clip(1 - (squared - m) / (m * (m - 1)), 0.0, 2.0))
            at.append(positions[order][starts[several]])
        return {self.gives[0]: _sparse(at, values)}


@dataclass(frozen=True)
class PerPromptNovelty(Relation):
    """Column `per_prompt_novelty:n=N@on`: mean over pairs of 1 - Jaccard similarity of their sets of n-grams."""

    n: int = 3
    on: On = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """The token list."""
        return (f"tokens@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The value of the prompt."""
        return (f"per_prompt_novelty:n={self.n}@{self.on}",)

    def compute(self, records: Records) -> Mapping[str, Sparse]:
        """Values of all prompts with at least two responses of n tokens or more."""
        address = records.keys.address
        at, values = [], []
        for positions, prompt, pieces in _regroup(records, self.needs[0]):
            sets = [grams for batch in pieces for grams in _gram_sets(batch, self.needs[0], self.n)]
            order = np.lexsort((address[positions], prompt))
            starts = run_starts(prompt[order])
            for start, stop in zip(starts, np.append(starts[1:], len(order)), strict=True):
                members = [i for i in order[start:stop] if len(sets[i])][:_PAIRS]
                if len(members) > 1:
                    at.append(positions[members].min(keepdims=True))
                    values.append(np.array([_mean_novelty([sets[i] for i in members])]))
        return {self.gives[0]: _sparse(at, values)}


def _regroup(records: Records, column: str) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint64], list[Batch]]]:
    """Records of clusters with at least two members, whole clusters at a time.

    Yields positions (k,), cluster keys (k,), and batches that hold them in the same order.
    """
    cluster = records.keys.cluster
    names, where, size = np.unique(cluster, return_inverse=True, return_counts=True)
    several = (size > 1) & (names != 0)
    if not several.any():
        return
    part = np.cumsum(np.where(several, size, 0)) // _RESPONSES
    for number in np.unique(part[several]):
        wanted = (several & (part == number))[where]
        pieces, positions = [], []
        for start, batch in records.batches((column,)):
            here = wanted[start : start + len(batch)]
            if here.any():
                pieces.append(batch.take(here))
                positions.append(start + np.flatnonzero(here))
        at = np.concatenate(positions)
        yield at, cluster[at], pieces


def _gram_sets(batch: Batch, column: str, n: int) -> list[NDArray[np.uint64]]:
    hashes, counts = ngram_hashes(*batch.lists(column), n)
    ends = np.cumsum(counts)
    return [different(hashes[ends[i] - counts[i] : ends[i]]) for i in range(len(counts))]


def _mean_novelty(sets: list[NDArray[np.uint64]]) -> float:
    """Mean of 1 - |A∩B|/|A∪B| over all pairs, from one incidence product."""
    grams = np.concatenate(sets)
    _, column = place(grams)
    row = np.repeat(np.arange(len(sets)), [len(part) for part in sets])
    incidence = np.zeros((len(sets), int(column.max()) + 1), dtype=np.float32)
    incidence[row, column] = 1
    common = incidence @ incidence.T
    size = np.diagonal(common)
    similarity = common / (size[:, None] + size[None, :] - common)
    m = len(sets)
    return float(1 - (similarity.sum(dtype=np.float64) - m) / (m * (m - 1)))


def _sparse(at: list[NDArray[np.int64]], values: list[NDArray[np.float64]]) -> Sparse:
    if not at:
        return Sparse(np.zeros(0, dtype=np.int64), np.zeros(0))
    positions, numbers = np.concatenate(at), np.concatenate(values)
    order = np.argsort(positions)
    return Sparse(positions[order], numbers[order])
