"""Dedup to a size: of the two most alike records still in, the less good one leaves, until the rest fits the budget.

Semantic de-duplication (Abbas et al. 2023, arXiv 2303.09540) with the budget in place of a threshold: the cosine at which it
stops is a result, in `facts`. The less good of a pair is the later one: lower quality, then id; a must-keep never leaves.
Pairs that are equally alike (in steps of 1e-6) go by the later record, then by the earlier.

Pairs come from the graph of the 10 nearest neighbours. A pair that is missing there has a cosine below that of the tenth
neighbour of both; such records, all of whose ten may have left, are compared with each other anew each time the cosine has
fallen by .02 and whenever pairs run out, so a pair is seen at most that much late. Above 60,000 records the graph is
approximate and `facts` gives its recall.

What leaves is refused as "near-duplicate" with the cosine of its pair and the record that stayed; where that left later, the
one that it left for. Where cells are full or tokens are
left over, records that had left come back, the last one first. Texts without tokens are alike to nothing and leave last,
from the end. Confounded by the encoder: two answers to different questions can have one vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import NONE, Basket
from triptych.core.candidates import TOLERANCE, Candidates, Ints
from triptych.core.selector import Choice, Selector, Setting
from triptych.neighbours.graph import Graph, build, graph_of, vectors_of

Singles = NDArray[np.float32]

NEIGHBOURS = 10
DROP = 0.02  # cosine after which records that have lost their neighbours are compared anew


@final
@dataclass(frozen=True)
class Dedup(Selector):
    """The less good of the most similar pair leaves, until the budget fits."""

    name: ClassVar[str] = "dedup"
    source: ClassVar[str] = "after Abbas et al. 2023 (arXiv 2303.09540)"

    @property
    def needs(self) -> tuple[str, ...]:
        """Vectors."""
        return ("vectors",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Let records leave until the rest fits, then take the rest.

        Raises:
            SelectionError: vectors hold NaN.
        """
        held, open_ = len(basket), basket.open()
        graph = graph_of(pool, NEIGHBOURS, setting)
        leaving = _Leaving(vectors_of(pool), graph, basket)
        leaving.run(setting.threads)
        basket.fill(np.flatnonzero(leaving.inside & open_))
        basket.fill(np.array(leaving.out[::-1], dtype=np.int64))
        setting.told(len(basket) - held)
        taken = np.zeros(len(pool), dtype=np.bool_)
        taken[basket.taken] = True
        out = np.array(leaving.out, dtype=np.int64)
        out = out[~taken[out]]
        stop = leaving.level if len(out) else None
        if stop is not None:
            rival = leaving.stayed(out, taken)
            basket.refuse(
                out[rival > NONE], "near-duplicate", leaving.score[out[rival > NONE]], stop, rival[rival > NONE]
            )
        facts = {"cosine_at_the_end": stop, "removed": len(out), "exact": graph.exact, "recall": graph.recall}
        notes: tuple[str, ...] = ()
        if leaving.unlike:
            notes = (f"{leaving.unlike:,} records were alike to none that was left, and gave way from the end.",)
        return Choice(facts=facts, notes=notes)


class _Leaving:
    """Who is in, who has left, and for whom.

    Attributes:
        inside: who is in: taken or open, and not left, (n,).
        out: who left, in that order.
        score, rival: of those who left, their cosine to the other of the pair, and that other, (n,).
        level: cosine of the last pair.
        unlike: how many left without being alike to anything.
    """

    def __init__(self, vectors: Singles, graph: Graph, basket: Basket) -> None:
        n = len(vectors)
        self._vectors, self._graph, self._basket = vectors, graph, basket
        self._kept = np.zeros(n, dtype=np.bool_)
        self._kept[basket.taken] = True
        self.inside = basket.open() | self._kept
        self.out: list[int] = []
        self.score, self.rival = np.full(n, np.nan), np.full(n, NONE, dtype=np.int64)
        self.level, self.unlike = 1.0, 0
        free = self.inside & ~self._kept
        cells = basket.cells[free]
        self._count = np.bincount(cells, minlength=len(basket.room)).astype(np.float64)
        self._cost = np.bincount(cells, weights=basket.cost[free], minlength=len(basket.room))
        self._last = np.where(np.isneginf(graph.similarity[:, -1]), -np.inf, graph.similarity[:, -1])

    def run(self, threads: int) -> None:
        """Let records leave until the rest fits what is left of the budget."""
        pairs = _pairs(self._graph, np.arange(len(self.inside)))
        while self._over():
            level = self._leave(pairs)
            if not self._over():
                return
            lost = np.flatnonzero(self.inside & (self._last >= level)) if level > -1 else np.flatnonzero(self.inside)
            pairs = self._again(pairs, lost, threads)
            if not len(pairs[0]):
                break
        for one in np.flatnonzero(self.inside & ~self._kept)[::-1].tolist():
            if not self._over():
                return
            self.unlike += 1
            self._remove(one)

    def stayed(self, out: Ints, taken: NDArray[np.bool_]) -> Ints:
        """For each that left, who stayed: the other of the pair, or where that left as well, who stayed for it; -1: nobody."""
        rival = self.rival[out]
        while (again := np.flatnonzero((rival > NONE) & ~taken[rival])).size:
            rival[again] = self.rival[rival[again]]
        return rival

    def _over(self) -> bool:
        """Whether those who are in take more than is left; of a cell with more of them than room, a part."""
        part = np.minimum(1.0, self._basket.room / np.maximum(self._count, 1))
        return bool((self._cost * part).sum() > self._basket.left + 1e-6)

    def _leave(self, pairs: Pairs) -> float:
        """Go down the pairs, for as long as they are sure; the cosine from which on others may be missing."""
        earlier, later, steps = pairs
        start = None
        for one, two, step in zip(earlier.tolist(), later.tolist(), steps.tolist(), strict=True):
            if not (self.inside[one] and self.inside[two]):
                continue
            start = step if start is None else start
            if step < start - DROP / TOLERANCE:
                return float(step * TOLERANCE)
            goes, stays = (one, two) if self._kept[two] else (two, one)
            if self._kept[goes]:
                continue
            self.level = step * TOLERANCE
            self.score[goes], self.rival[goes] = self.level, stays
            self._remove(goes)
            if not self._over():
                return self.level
        return -np.inf

    def _remove(self, one: int) -> None:
        self.inside[one] = False
        self.out.append(one)
        cell = self._basket.cells[one]
        self._count[cell] -= 1
        self._cost[cell] -= self._basket.cost[one]

    def _again(self, pairs: Pairs, lost: Ints, threads: int) -> Pairs:
        """The pairs that are left, and those among the records whose own lists may say too little."""
        free = ~(self._kept[pairs[0]] & self._kept[pairs[1]])
        held = np.flatnonzero(self.inside[pairs[0]] & self.inside[pairs[1]] & free)
        mine = _pairs(build(self._vectors[lost], NEIGHBOURS, threads), lost)
        free = ~(self._kept[mine[0]] & self._kept[mine[1]])
        joined = [np.concatenate([a[held], b[free]]) for a, b in zip(pairs, mine, strict=True)]
        return _sorted(joined[0], joined[1], joined[2])


Pairs = tuple[Ints, Ints, Ints]


def _pairs(graph: Graph, names: Ints) -> Pairs:
    """Every pair once: the earlier, the later, and their cosine in steps; most alike first."""
    one, at = np.nonzero(graph.neighbour >= 0)
    two = graph.neighbour[one, at]
    steps = np.round(graph.similarity[one, at].astype(np.float64) / TOLERANCE).astype(np.int64)
    return _sorted(names[np.minimum(one, two)], names[np.maximum(one, two)], steps)


def _sorted(earlier: Ints, later: Ints, steps: Ints) -> Pairs:
    order = np.lexsort((earlier, -later, -steps))
    earlier, later, steps = earlier[order], later[order], steps[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (earlier[1:] != earlier[:-1]) | (later[1:] != later[:-1])
    return earlier[new], later[new], steps[new]
