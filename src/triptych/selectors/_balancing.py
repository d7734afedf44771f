"""One selection by `balanced`, from its dials to a full basket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates, Floats, Ints
from triptych.core.errors import SelectionError, message
from triptych.core.selector import Choice, Setting
from triptych.selectors._complexity import OUTSIDE, Bins, Shares, bins_of, counted, quotas, short
from triptych.selectors._novelty import EXACT, Novelty
from triptych.selectors._quality import Price, Target, best_fill, exchange, fill, make_target
from triptych.selectors._room import Quotas, Room
from triptych.selectors._trial import Trial, take_by_samples, take_exactly

STRICTNESS = 0.8
"""Where no dial of quality is given."""

_CLOSE = 1e-9


@dataclass(frozen=True)
class Dials:
    """What the user asked for: a mean of quality, or how strict; the least quality; the complexity."""

    quality: float | None
    strictness: float | None
    minimum: float | None
    complexity: Shares | None


class Balancing:
    """One selection."""

    def __init__(self, dials: Dials, pool: Candidates, basket: Basket, setting: Setting) -> None:
        self._dials, self._pool, self._basket, self._setting = dials, pool, basket, setting
        there = pool.quality is not None and bool(np.isfinite(pool.quality).any())
        self._quality = pool.quality if there else None
        self._facts: dict[str, Any] = {}
        self._notes: list[str] = []
        self._told = 0

    def choice(self) -> Choice:
        """Fill the basket and say how."""
        basket = self._basket
        self._refuse()
        bins, limits = self._profile()
        best = best_fill(Room(basket, limits), self._ranks())
        if limits and not limits.tokens and len(best) < len(basket) + limits.left:
            what = "the complexity profile cannot be met within the caps of groups and sources."
            got, want = f"{len(best):,} records", f"{len(basket) + limits.left:,}"
            raise SelectionError(message(what, got=got, want=want, hint="higher caps, or complexity=free"))
        target = self._target(best, limits)
        room, novelty, price = self._taken(target, limits, best)
        last = novelty.all()
        merit = last + price.now * (target.z if target else 0.0)
        room = self._completed(room, target, merit, best)
        first = len(basket)
        self._setting.told(len(room.basket) - first - self._told)
        for candidate, gain in zip(room.basket.taken[first:], room.basket.gains[first:], strict=True):
            basket.add(candidate, float(np.exp(last[candidate])) if np.isnan(gain) else gain)
        self._say(target, price, bins)
        merit[basket.taken] += np.log(np.maximum(basket.gains, np.finfo(np.float64).tiny)) - last[basket.taken]
        scored = "log novelty" + (f" + {price.now:.3g} times the quality in standard deviations" if price.now else "")
        return Choice(merit, scored, "share of it that was new", self._facts, tuple(self._notes))

    def _ranks(self) -> Floats:
        return np.zeros(len(self._pool)) if self._quality is None else self._quality

    def _refuse(self) -> None:
        """Close what has no quality or lies below the minimum.

        Raises:
            SelectionError: no candidate has a quality that a dial asks for, or the minimum leaves too few.
        """
        dials, basket, quality = self._dials, self._basket, self._quality
        if quality is None:
            asked = [name for name in ("quality", "minimum") if getattr(dials, name) is not None]
            if asked:
                what = f"balanced: {asked[0]} is asked for, and no candidate has a quality."
                raise SelectionError(message(what, hint="--quality FIELD, or balanced without that dial"))
            self._notes.append("No candidate has a quality, so novelty alone decided.")
            return
        basket.refuse(np.flatnonzero(basket.open() & np.isnan(quality)), "no quality")
        if dials.minimum is None:
            return
        without = best_fill(Room(basket, None), quality)
        below = np.flatnonzero(basket.open() & (quality < dials.minimum))
        basket.refuse(below, "below the quality floor", quality[below], dials.minimum)
        within = best_fill(Room(basket, None), quality)
        spare = int(basket.cost[without].sum() - basket.cost[within].sum())
        if len(within) < len(without) and spare >= int(basket.cost[below].min(initial=1)):
            worst = float(quality[without[basket.kept :]].min())
            what = f"too few candidates reach the minimum {dials.minimum:g}: {len(within):,} can be taken."
            want = f"a minimum of at most {worst:g}, or a smaller budget"
            raise SelectionError(
                message(what, got=f"{len(without):,} without it", want=want, hint=f"minimum={worst!r}")
            )

    def _profile(self) -> tuple[Bins | None, Quotas | None]:
        """The bins of the complexity and their quotas; None where it is free.

        Raises:
            SelectionError: a bin has too few candidates.
        """
        dials, basket, pool = self._dials, self._basket, self._pool
        if dials.complexity is None:
            return None, None
        if pool.complexity is None:
            raise TypeError("a policy that needs complexity was shown none")
        bins = bins_of(pool.complexity, dials.complexity)
        outside = np.flatnonzero(basket.open() & (bins.code == OUTSIDE))
        basket.refuse(outside, "outside the complexity profile", pool.complexity[outside])
        open_ = np.flatnonzero(basket.open())
        tokens = len(np.unique(basket.cost[open_])) > 1
        weight = basket.cost if tokens else np.ones(len(pool), dtype=np.int64)
        held = counted(bins, np.array(basket.taken, dtype=np.int64), weight)
        have = held + counted(bins, open_, weight)
        more = basket.left if tokens else len(best_fill(Room(basket, None), self._ranks())) - basket.kept
        most = quotas(bins.shares, int(min(have.sum(), held.sum() + more)), held, have)
        short(bins, most, have, "" if dials.minimum is None else f"a minimum below {dials.minimum:g}, ")
        return bins, Quotas(bins.code, most, tokens, int((most - held).sum()))

    def _target(self, best: Ints, limits: Quotas | None) -> Target | None:
        """The mean quality that the dials ask for, or None where novelty alone decides.

        Raises:
            SelectionError: it is above the best that the budget allows.
        """
        quality, dials, kept = self._quality, self._dials, self._basket.kept
        open_ = self._basket.open()
        if quality is None or len(best) == kept:
            return None
        centre, free = float(quality[open_].mean()), float(quality[best[kept:]].mean())
        known = quality[best][np.isfinite(quality[best])]
        level = float(known.mean())
        self._facts |= {"quality_of_candidates": centre, "best_quality": level}
        if np.ptp(quality[open_]) == 0:
            self._notes.append("All candidates have the same quality, so novelty alone decided.")
        if dials.quality is None:
            by_default = 0.0 if dials.minimum is not None else STRICTNESS
            share = by_default if dials.strictness is None else dials.strictness
            self._facts["strictness"] = share
            if not share or free - centre <= _CLOSE * abs(free):
                return None
            mean = level - (1 - share) * (free - centre) * (len(best) - kept) / len(known)
        elif dials.quality > level + _CLOSE * max(1.0, abs(level)):
            what = (
                f"a mean quality of {dials.quality:g} cannot be reached: filling by quality alone comes to {level:.4g}."
            )
            hint = f"quality={np.floor(level * 1e4) / 1e4:g}, or a smaller budget"
            raise SelectionError(message(what, got=f"{len(best):,} records", want=f"{level:.4g} at most", hint=hint))
        else:
            mean = min(dials.quality, level)
        self._facts["target"] = mean
        target = make_target(quality, mean, best, open_, limits)
        return target if self._uniform else replace(target, eligible=open_)

    @property
    def _uniform(self) -> bool:
        """Whether all candidates cost the same."""
        return bool(np.ptp(self._basket.cost) == 0)

    def _taken(self, target: Target | None, limits: Quotas | None, best: Ints) -> tuple[Room, Novelty, Price]:
        """Greedy on trial; where it is exact and there is a target, after a rehearsal that finds the price."""
        pool, basket, setting = self._pool, self._basket, self._setting
        picks = len(best) - basket.kept
        trial = Trial(pool, target, target.eligible if target else basket.open(), picks, self._tell)
        width = 1 if pool.vectors is None else pool.vectors.shape[1]
        exact = float(len(pool)) * width * picks <= EXACT
        self._facts["greedy"] = "exact" if exact else "stochastic"
        aim = target.aim(best[: basket.kept], picks) if target else 0.0
        price = Price(target, aim)
        if exact and target:
            take_exactly(replace(trial, told=lambda _: None), Room(basket, limits), price)
            price = Price(target, aim, price.late)
        room = Room(basket, limits)
        if exact:
            return room, take_exactly(trial, room, price), price
        return room, take_by_samples(trial, room, price, setting.seed), price

    def _tell(self, done: int) -> None:
        """Progress of greedy: half of it where costs differ, since exchanges may then end with fewer records."""
        done = done if self._uniform else done // 2
        self._told += done
        self._setting.told(done)

    def _completed(self, room: Room, target: Target | None, merit: Floats, best: Ints) -> Room:
        """What greedy took, with what still fits, and exchanges where the target is not yet reached."""
        fill(room, target, merit)
        if target:
            self._facts["exchanged"] = exchange(room, target, merit, self._basket.kept)
            fill(room, target, merit)
        short_of = target is not None and target.missing(room.basket.taken) > 0
        if short_of or (self._uniform and len(room.basket) < len(best)):
            self._notes.append(
                "Only filling by quality meets budget, caps and dials together, so quality alone decided."
            )
            room = Room(self._basket, room.quotas)
            best_fill(room, self._ranks())
            fill(room, None, merit)
        return room

    def _say(self, target: Target | None, price: Price, bins: Bins | None) -> None:
        """What the dials came to."""
        taken = np.array(self._basket.taken, dtype=np.int64)
        if self._quality is not None:
            known = self._quality[taken][np.isfinite(self._quality[taken])]
            self._facts["quality"] = float(known.mean()) if len(known) else None
        if target:
            if self._basket.open().any():
                self._notes.append(
                    "What is left of the budget stays: records that fit would bring the mean below the target."
                )
            self._facts["price"] = price.now
            if not price.now and not price.late:
                self._notes.append("Novelty alone comes to a mean quality above the target.")
        if self._pool.structure is not None:
            of_all, of_taken = (np.unique(keys) for keys in (self._pool.structure, self._pool.structure[taken]))
            self._facts |= {"structures": int((of_all != 0).sum()), "structures_taken": int((of_taken != 0).sum())}
        if bins is not None:
            counts = counted(bins, taken, np.ones(len(self._pool), dtype=np.int64))
            names, shares = list(bins.names), bins.shares.tolist()
            self._facts["complexity"] = {"bins": names, "wanted": shares, "records": counts.tolist()}
