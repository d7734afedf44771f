"""DEITA: down the ranking by quality times complexity, each record that is not too close to one already taken.

Liu et al. 2023 (arXiv 2312.15685). Score s = quality · complexity; in falling order of s a record is taken if its largest
cosine to a taken one is at most the threshold.

Scores are multiplied as they are, as in the paper, whose scorers give 1 to 6. Where one of them holds a negative number both
are first brought to 1..6 in a straight line, for a product of two negatives would be high; `facts` says so. A record without
complexity has no product and is refused; where no record has it, the score is quality.

The paper's threshold of .9 belongs to embeddings of a 13B model: with other encoders it lets everything pass or nothing. So
`threshold=auto` finds the lowest threshold (in steps of 1/256) that fills the budget with the best `depth` budgets of
the ranking: the more of the ranking may be read, the more different are the records and the lower their scores. A depth
of 2 reads twice what it takes; where the budget is over half of the open records, it reads up to half of what is over.

A text without tokens has no direction; the released class keeps all of those, here they are refused. The released class
also lets the batch size change the picks; here blocks give those of the plain loop. Confounded by length, which both
scorers like, and by the encoder, whose idea of closeness is all there is of diversity.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import NONE, Basket
from triptych.core.candidates import TOLERANCE, Candidates, Floats, Ints
from triptych.core.errors import SpecError, message
from triptych.core.selector import Choice, Selector, Setting
from triptych.neighbours.graph import vectors_of
from triptych.neighbours.search import usable
from triptych.neighbours.threads import Spread, workers

Singles = NDArray[np.float32]

FINEST = 256  # thresholds are looked for in steps of 1 / FINEST
BLOCK = 256  # records compared at once
PIECE = 4096  # with so many of the taken at once
TOO_CLOSE = "too close to a record taken"


@final
@dataclass(frozen=True)
class Deita(Selector):
    """Quality times complexity, filtered by closeness to what is taken.

    Attributes:
        score: quality times complexity, or quality alone.
        threshold: largest cosine to a taken record that passes, or "auto".
        depth: with "auto", how many budgets of the ranking may be read, above 1.
    """

    score: Literal["product", "quality"] = "product"
    threshold: float | Literal["auto"] = "auto"
    depth: float = 2.0
    name: ClassVar[str] = "deita"
    source: ClassVar[str] = "Liu et al. 2023 (arXiv 2312.15685)"
    sweep: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"depth": depth} for depth in (8.0, 4.0, 2.0, 1.5, 1.2))

    def __post_init__(self) -> None:
        """Check the dials.

        Raises:
            SpecError: a threshold that is no cosine, or a depth that leaves nothing to refuse.
        """
        if self.threshold != "auto" and not -1 <= float(self.threshold) <= 1:
            raise SpecError(
                message("deita: the threshold is a cosine.", got=str(self.threshold), want='-1 to 1, or "auto"')
            )
        if not self.depth > 1:
            raise SpecError(message("deita: depth is not right.", got=str(self.depth), want="a number above 1"))

    @property
    def needs(self) -> tuple[str, ...]:
        """Quality and vectors."""
        return ("quality", "vectors")

    @property
    def wants(self) -> tuple[str, ...]:
        """Complexity, for the product."""
        return ("complexity",) if self.score == "product" else ()

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Go down the ranking until the basket admits none or the ranking ends.

        Raises:
            SelectionError: vectors hold NaN.
        """
        vectors = vectors_of(pool)
        there = usable(vectors)
        score, facts, notes = self._scores(pool)
        open_ = basket.open()
        basket.refuse(np.flatnonzero(open_ & ~there), "a text without tokens: it has no direction")
        basket.refuse(np.flatnonzero(open_ & there & np.isnan(score)), "no complexity, so no product with quality")
        order = np.argsort(-score, kind="stable")
        order = order[basket.open()[order]]
        with workers(setting.threads) as spread:
            walk = _Walk(vectors, order, spread)
            threshold = self._threshold(walk, basket, facts) if self.threshold == "auto" else float(self.threshold)
            before = len(basket)
            read, _ = walk.run(basket, threshold, len(order), told=setting.told)
        refused = read - (len(basket) - before)
        facts |= {"threshold": threshold, "read": read, "refused": refused}
        if refused and not basket.spent:
            end = f"The ranking ended with {basket.left:,} of the budget left: a higher threshold takes more."
            notes = (*notes, end)
        scored = "quality" if self.score == "quality" or pool.complexity is None else "quality times complexity"
        return Choice(score=score, scored=scored, facts=facts, notes=notes)

    def _scores(self, pool: Candidates) -> tuple[Floats, dict[str, Any], tuple[str, ...]]:
        """The score of each, what was done to get it, and what the user should know of it."""
        quality = np.zeros(len(pool)) if pool.quality is None else pool.quality
        if self.score == "quality":
            return quality, {}, ()
        if pool.complexity is None or np.isnan(pool.complexity).all():
            return quality, {}, ("No record has a complexity, so the ranking is by quality alone.",)
        parts = (quality, pool.complexity)
        scaled = any(float(np.nanmin(part)) < 0 for part in parts)
        if scaled:
            parts = (_one_to_six(quality), _one_to_six(pool.complexity))
        return parts[0] * parts[1], {"scaled_to_1_6": scaled}, ()

    def _threshold(self, walk: _Walk, basket: Basket, facts: dict[str, Any]) -> float:
        """The lowest threshold that fills the budget within the depth, as far as taking everything would."""
        loose = copy.deepcopy(basket)
        loose.fill(walk.order)
        added = np.flatnonzero(np.isin(walk.order, loose.taken[len(basket) :]))
        fills = int(added[-1]) + 1 if len(added) else 0
        depth = min(math.ceil(self.depth * fills), (len(walk.order) + fills) // 2)
        slack = float(basket.cost[walk.order[added]].mean()) - 1 if len(added) else 0.0
        search = _Search(walk, basket, depth, loose.left + slack)
        facts["may_read"] = depth
        return (search.lowest() if fills else FINEST) / FINEST


def _one_to_six(values: Floats) -> Floats:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return np.full(len(values), 3.5) + 0 * values if high == low else 1 + 5 * (values - low) / (high - low)


class _Walk:
    """The walk down the ranking.

    Args:
        vectors: float32 (n, d).
        order: candidates in the order in which they are looked at; none has a vector of zeros.
        spread: does the products.
    """

    def __init__(self, vectors: Singles, order: Ints, spread: Spread) -> None:
        self._vectors, self.order, self._spread = vectors, order, spread
        self._held = np.empty((PIECE, vectors.shape[1]), dtype=np.float32)

    def run(
        self,
        basket: Basket,
        threshold: float,
        limit: int,
        *,
        told: Callable[[int], None] | None = None,
        hopeless: Callable[[int], bool] | None = None,
    ) -> tuple[int, int]:
        """Look at the first `limit`, until the budget is spent or the rest is hopeless.

        Returns:
            How many were compared, and the place in the ranking where it stopped.
        """
        bar, read, count = np.round(threshold / TOLERANCE), 0, 0
        count = self._hold(np.array(basket.taken, dtype=np.int64), 0)
        for start in range(0, limit, BLOCK):
            if basket.spent or (hopeless and hopeless(start)):
                return read, start
            rows = self.order[start : min(start + BLOCK, limit)]
            mine = self._vectors[rows]
            close, rival = self._closest(mine, count, basket)
            inside = np.round((mine @ mine.T).astype(np.float64) / TOLERANCE)
            stands = (np.count_nonzero(inside > bar, axis=1) > (inside.diagonal() > bar)).tolist()  # in another's way
            added, refused = [], []
            for at, row in enumerate(rows.tolist()):
                if not basket.admits(row):
                    continue
                read += 1
                if close[at] > bar:
                    refused.append((row, close[at] * TOLERANCE, rival[at]))
                    continue
                basket.add(row)
                added.append(row)
                if stands[at]:
                    nearer = inside[at] > close
                    close[nearer], rival[nearer] = inside[at][nearer], row
            if refused:
                who, score, whose = (np.array(column) for column in zip(*refused, strict=True))
                basket.refuse(who, TOO_CLOSE, score, threshold, whose)
            count = self._hold(np.array(added, dtype=np.int64), count)
            if told:
                told(len(added))
        return read, limit

    def _hold(self, taken: Ints, count: int) -> int:
        """Copy the vectors of what was taken beside the others; how many there are."""
        end = count + len(taken)
        if end > len(self._held):
            grown = np.empty((2 * end, self._held.shape[1]), dtype=np.float32)
            grown[:count] = self._held[:count]
            self._held = grown
        self._held[count:end] = self._vectors[taken]
        return end

    def _closest(self, mine: Singles, count: int, basket: Basket) -> tuple[Floats, Ints]:
        """Largest cosine of each to what is taken, in steps, and to which; the first of equals."""

        def piece(start: int) -> tuple[Floats, Ints]:
            product = mine @ self._held[start : min(start + PIECE, count)].T
            at = product.argmax(axis=1)
            steps = np.round(product[np.arange(len(mine)), at].astype(np.float64) / TOLERANCE)
            return steps, at + start

        close, at = np.full(len(mine), -np.inf), np.full(len(mine), NONE, dtype=np.int64)
        for steps, where in self._spread(piece, range(0, count, PIECE)):
            nearer = steps > close
            close[nearer], at[nearer] = steps[nearer], where[nearer]
        taken = np.array([*basket.taken, NONE], dtype=np.int64)
        return close, taken[at]


@dataclass(frozen=True)
class _Search:
    """The lowest threshold that fills a budget within a depth.

    A walk that fills early, or that can fill no more early, was far from it: so the next try is interpolated, and the
    interval is halved where that did not shorten it enough.

    Attributes:
        walk: down the ranking.
        basket: as it is before; each try fills a copy.
        depth: how much of the ranking may be read.
        left: what may be left of the budget where it counts as filled.
    """

    walk: _Walk
    basket: Basket
    depth: int
    left: float

    def lowest(self) -> int:
        """In steps of 1 / FINEST, above 0."""
        low, high = (0, -1.0), (FINEST, 1.0)
        while high[0] - low[0] > 1:
            width, share = high[0] - low[0], low[1] / (low[1] - high[1])
            middle = min(max(low[0] + round(width * share), low[0] + 1), high[0] - 1)
            for at in (middle, (low[0] + high[0]) // 2):
                if not low[0] < at < high[0]:
                    continue
                margin = self._margin(at / FINEST)
                low, high = (low, (at, margin)) if margin > 0 else ((at, margin), high)
                if 2 * (high[0] - low[0]) <= width:
                    break
        return high[0]

    def _margin(self, threshold: float) -> float:
        """Share of the depth that was not needed: above 0 where it fills, below where it does not."""
        trial, cost = copy.deepcopy(self.basket), self.basket.cost[self.walk.order[: self.depth]]
        rest = np.concatenate([np.cumsum(cost[::-1])[::-1], [0]])

        def hopeless(place: int) -> bool:
            return bool(trial.left - rest[place] > self.left)

        _, end = self.walk.run(trial, threshold, self.depth, hopeless=hopeless)
        unused = (self.depth - end + 1) / (self.depth + 1)
        return unused if trial.left <= self.left else -unused
