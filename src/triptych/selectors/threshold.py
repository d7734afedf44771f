"""Threshold: rejection sampling, as pipelines do it. What reaches a level of quality is drawn from at random.

`at=VALUE` names the level. `quantile=Q` takes the level that the share Q of the candidates stays below. All candidates at
or above the level are equally likely; under a budget of tokens those that no longer fit are passed over. Its sweep
tightens the level step by step: quality rises, and what is left to draw from narrows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates, Floats
from triptych.core.errors import SelectionError, message
from triptych.core.rng import stream
from triptych.core.selector import Choice, Selector, Setting
from triptych.selectors._columns import quality_of, rank_in

_BELOW = "below the quality level"


@final
@dataclass(frozen=True)
class Threshold(Selector):
    """Candidates at or above a level of quality, in a random order that the seed decides.

    Attributes:
        at: the level, in units of quality.
        quantile: share of the candidates below the level, 0 or more and less than 1; one of the two is given.
    """

    at: float | None = None
    quantile: float | None = None

    name: ClassVar[str] = "threshold"
    floor: ClassVar[bool] = True
    sweep: ClassVar = tuple({"quantile": share} for share in (0.0, 0.2, 0.4, 0.6, 0.8, 0.9))

    def __post_init__(self) -> None:
        """Check that there is one level.

        Raises:
            ValueError: none or two are given, or one is out of range.
        """
        if (self.at is None) == (self.quantile is None):
            raise ValueError("give the level as at=VALUE or as quantile=Q, one of the two")
        if self.at is not None and not np.isfinite(self.at):
            raise ValueError(f"at must be a finite number; got {self.at}")
        if self.quantile is not None and not 0 <= self.quantile < 1:
            raise ValueError(f"quantile must be 0 or more and less than 1; got {self.quantile}")

    @property
    def needs(self) -> tuple[str, ...]:
        """Quality."""
        return ("quality",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Refuse what is below the level, then draw without replacement. O(n log n).

        Raises:
            SelectionError: too few reach the level; the message names the highest level that would do.
        """
        quality = quality_of(pool)
        level = self.at if self.at is not None else _quantile(quality, self.quantile or 0.0)
        reached = quality >= level
        below = basket.open() & ~reached
        enough = _enough_at(quality, basket)
        held = len(basket)
        basket.refuse(np.flatnonzero(below), _BELOW, quality[below], level)
        basket.fill(stream("select", "threshold", setting.seed).permutation(len(pool)))
        room = basket.room[basket.cells] > 0
        passed_over = reached & room & (basket.reason < 0)
        passed_over[basket.taken] = False
        if not passed_over.any() and (below & room & (basket.cost <= basket.left)).any():
            raise self._too_few(quality, level, enough, len(basket))
        setting.told(len(basket) - held)
        facts = {"level": float(level), "reached": int(reached.sum()), "accepted_share": float(reached.mean())}
        return Choice(facts=facts)

    def _too_few(self, quality: Floats, level: float, enough: float, found: int) -> SelectionError:
        if self.quantile is None:
            hint = f"threshold:at={enough!r}"
        else:
            hint = f"threshold:quantile={_share_below(quality, enough)!r}"
        what = f"too few candidates reach the quality level {level:g}: {found:,} could be taken."
        want = f"a level of at most {enough:g}, or a smaller budget"
        return SelectionError(
            message(what, got=f"{int((quality >= level).sum()):,} at or above it", want=want, hint=hint)
        )


def _quantile(quality: Floats, share: float) -> float:
    """The quality that this share of the candidates stays below: a value that one of them has, rounded up to it."""
    return float(np.quantile(quality, share, method="higher")) if len(quality) else 0.0


def _share_below(quality: Floats, level: float) -> float:
    """A quantile, in thousandths where they do, whose level is no higher than this one."""
    n = len(quality)
    exact = float((quality < level).sum()) / max(n - 1, 1)
    shares = [int(exact * 1000) / 1000, 0.0]
    return next(share for share in shares if share == 0 or _quantile(quality, share) <= level)


def _enough_at(quality: Floats, basket: Basket) -> float:
    """The highest level at which what the basket still admits fills it; the lowest there is when nothing does."""
    order = np.argsort(-quality, kind="stable")
    order = order[basket.open()[order]]
    if not len(order):
        return float(quality.min(initial=np.inf))
    cells = basket.cells[order]
    order = order[rank_in(cells) < basket.room[cells]]
    spent = np.cumsum(basket.cost[order])
    last = min(int(np.searchsorted(spent, basket.left)), len(order) - 1)
    return float(quality[order[last]])
