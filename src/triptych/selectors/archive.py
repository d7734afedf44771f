"""Archive: the best candidate of every cell, then the second best, round after round.

MAP-Elites (Mouret and Clune 2015, arXiv 1504.04909) keeps the best solution of each cell of a grid of descriptors. Here the
descriptors are the user's, joined with `+`, and a cell is a combination of their values that occurs:

    cluster:64      k-means clusters of the texts (64 when no number is given)
    length:8        tokens of the text, cut at quantiles into 8 bins
    complexity:8    complexity, cut likewise; candidates without one are a bin of their own
    structure       skeleton, tag or program
    field:NAME      values of a field; a field of numbers is cut into 8 bins, or `field:NAME:4` into 4

Each round takes the best candidate that may still be taken from each cell, rarest cells first; of equally rare ones, that
with the better best candidate first. So a budget that ends within a round has gone to what the pool holds little of. Must-keeps
count as taken in their cells. Rarest first needs no seed and brings in the tail; with fewer places than cells it takes
single outliers, where coarser descriptors would serve better.

A candidate's score is one over its turn: the round in which it would be taken were nothing in its way, and within it the
share of cells that come before its own. Facts: cells, coverage (cells with something taken) and the QD-score (sum of the best quality in each of these).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import NONE, Basket
from triptych.core.candidates import Candidates, Floats, Ints
from triptych.core.errors import nearest
from triptych.core.selector import Choice, Selector, Setting
from triptych.selectors._clusters import clusters_of
from triptych.selectors._columns import quality_of, rank_in

_CUT = {"cluster": 64, "length": 8, "complexity": 8}
_WORDS = (*_CUT, "structure", "field")
_NUMBERS_CUT = 8


@dataclass(frozen=True)
class Descriptor:
    """One of the things that a cell is made of: its kind, into how many it is cut, and the field's name."""

    kind: str
    parts: int = 0
    field: str = ""

    @property
    def needs(self) -> str | None:
        """What the policy needs for it."""
        if self.kind == "field":
            return f"field:{self.field}"
        return {"cluster": "vectors", "length": None}.get(self.kind, self.kind)


@final
@dataclass(frozen=True)
class Archive(Selector):
    """The best candidates of each cell, round after round.

    Attributes:
        by: descriptors, joined with `+`.
    """

    by: str = "cluster:64"

    name: ClassVar[str] = "archive"
    source: ClassVar[str] = "Mouret and Clune 2015 (arXiv 1504.04909)"
    sweep: ClassVar = tuple({"by": f"cluster:{number}"} for number in (512, 128, 32, 8, 2))

    def __post_init__(self) -> None:
        """Check the descriptors.

        Raises:
            ValueError: one is unknown, or named twice.
        """
        found = [(each.kind, each.field) for each in self.descriptors]
        if len(set(found)) < len(found):
            raise ValueError(f'by names a descriptor twice: "{self.by}"')

    @property
    def descriptors(self) -> tuple[Descriptor, ...]:
        """The descriptors, in the user's order."""
        return tuple(_read(part.strip()) for part in self.by.split("+"))

    @property
    def needs(self) -> tuple[str, ...]:
        """Quality, and what the descriptors read."""
        return ("quality", *(each.needs for each in self.descriptors if each.needs))

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take round after round until the basket admits none. O(n log n), and the clusters."""
        quality = quality_of(pool)
        cells = _cells([_values(each, pool, setting.seed) for each in self.descriptors])
        order = np.argsort(-quality, kind="stable")
        order = order[np.argsort(cells[order], kind="stable")]
        size = np.bincount(cells)
        rarest = np.lexsort((order[np.cumsum(size) - size], size))
        for candidate, turn in _rounds(cells, order, rarest, basket):
            basket.add(candidate, float(turn))
            setting.told(1)
        turns = np.empty(len(cells))
        turns[order] = 1 + rank_in(cells[order]) + np.argsort(rarest)[cells[order]] / len(size)
        taken = np.asarray(basket.taken, dtype=np.int64)
        filled, place = np.unique(cells[taken], return_inverse=True)
        best = np.full(len(filled), -np.inf)
        np.maximum.at(best, place.reshape(-1), quality[taken])
        facts = {"cells": len(np.unique(cells)), "coverage": len(filled), "qd_score": float(best.sum())}
        return Choice(score=1 / turns, scored="one over its turn", gained="rank in its cell", facts=facts)


def _rounds(cells: Ints, order: Ints, rarest: Ints, basket: Basket) -> Iterator[tuple[int, int]]:
    """What is to be taken next, and its rank among what is taken of its cell. Each is taken before the next is asked for.

    Args:
        cells: cell of each candidate, from 0, (n,).
        order: candidates, cell after cell, the best of each first, (n,).
        rarest: the cells in the order of their turns, (cells,).
        basket: what is in it already counts: its cells wait for so many rounds.
    """
    held = np.bincount(cells[basket.taken], minlength=len(rarest))
    ends = np.cumsum(np.bincount(cells))
    members = [iter(part.tolist()) for part in np.split(order, ends[:-1])]
    waiting = [(int(held[cell]), members[cell]) for cell in rarest]
    turn = 0
    while waiting:
        turn += 1
        going_on = []
        for kept, cell in waiting:
            if basket.spent:
                return
            candidate = next((one for one in cell if basket.admits(one)), None) if kept < turn else NONE
            if candidate is None:
                continue
            going_on.append((kept, cell))
            if candidate != NONE:
                yield candidate, turn
        waiting = going_on


def _cells(values: list[NDArray[np.integer[Any]]]) -> Ints:
    """Combinations of values, numbered from 0, (n,)."""
    cells = np.zeros(len(values[0]), dtype=np.int64)
    for each in values:
        numbered = np.unique(each, return_inverse=True)[1].reshape(-1)
        pairs = cells * (int(numbered.max(initial=0)) + 1) + numbered
        cells = np.unique(pairs, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return cells


def _values(descriptor: Descriptor, pool: Candidates, seed: int) -> NDArray[np.integer[Any]]:
    """The value of each candidate, as a number that stands for it, (n,)."""
    kind, field = descriptor.kind, descriptor.field
    if kind == "cluster":
        return clusters_of(pool, descriptor.parts, seed)[0]
    if kind == "length":
        return _bins(pool.length, descriptor.parts)
    if kind == "field":
        return _bins(pool.numbers[field], descriptor.parts) if field in pool.numbers else pool.codes[field]
    if kind == "complexity" and pool.complexity is not None:
        return _bins(pool.complexity, descriptor.parts)
    if kind == "structure" and pool.structure is not None:
        return pool.structure
    raise TypeError("what the descriptors read is in `needs`")


def _bins(numbers: Floats, parts: int) -> Ints:
    """Numbers cut at their quantiles, so that equal ones stay together: bins from 0, -1 for a missing one, (n,)."""
    known = ~np.isnan(numbers)
    bins = np.full(len(numbers), -1, dtype=np.int64)
    if known.any():
        cuts = np.quantile(numbers[known], np.arange(1, parts) / parts)
        bins[known] = np.searchsorted(cuts, numbers[known], side="right")
    return bins


def _read(text: str) -> Descriptor:
    """A descriptor from the user's words.

    Raises:
        ValueError: it is none.
    """
    kind, _, rest = text.partition(":")
    if kind == "field" and rest:
        found = re.fullmatch(r"(.+):([1-9]\d*)", rest)
        return Descriptor(kind, int(found[2]), found[1]) if found else Descriptor(kind, _NUMBERS_CUT, rest)
    if kind in _CUT and (not rest or re.fullmatch(r"[1-9]\d*", rest)):
        return Descriptor(kind, int(rest or _CUT[kind]))
    if kind == "structure" and not rest:
        return Descriptor(kind)
    near = None if kind in _WORDS else nearest(kind, _WORDS)
    want = "cluster:N, length:N, complexity:N, structure, field:NAME"
    raise ValueError(
        f'by is one of {want}, or several joined with +; got "{text}"' + (f'. Did you mean "{near}"?' if near else "")
    )
