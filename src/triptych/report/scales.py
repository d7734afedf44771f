"""Scales and ticks: from a value to a place between 0 and 1 on an axis, linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from triptych.report.words import short_number


@dataclass(frozen=True)
class Scale:
    """A closed range of values. A value outside it is drawn at its end."""

    lo: float
    hi: float
    log: bool = False

    def at(self, value: float) -> float:
        """Place of `value` in 0..1."""
        lo, hi, value = (
            (math.log(v) for v in (self.lo, self.hi, max(value, self.lo))) if self.log else (self.lo, self.hi, value)
        )
        return 0.5 if hi <= lo else min(1.0, max(0.0, (value - lo) / (hi - lo)))


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in 0..1."""

    at: float
    label: str


def step_for(size: float, count: int) -> float:
    """The round step (1, 2 or 5 times a power of ten) that cuts `size` into about `count` parts."""
    raw = size / max(1, count)
    power: float = 10.0 ** math.floor(math.log10(raw))
    return next((power * lead for lead in (1, 2, 5) if power * lead >= raw * 0.999), power * 10)


def rounded(lo: float, hi: float, count: int = 4) -> Scale:
    """The smallest scale with round ends that holds lo..hi."""
    if not hi > lo:
        pad = abs(lo) * 0.1 or 1.0
        lo, hi = lo - pad, hi + pad
    step = step_for(hi - lo, count)
    return Scale(min(lo, math.floor(lo / step + 1e-9) * step), max(hi, math.ceil(hi / step - 1e-9) * step))


def value_scale(values: Sequence[float], unit: str, *, alone: bool = False) -> Scale:
    """The scale shared by all sets for one measure.

    Starts at zero unless the values crowd together far from it; a ratio keeps 0..1 unless that would flatten it.
    A single set is always shown against the whole range: a zoom would only blow up its interval.
    """
    if not values:
        return Scale(0.0, 1.0)
    lo, hi = min(values), max(values)
    if unit.endswith("correlation") and -1 <= lo <= hi <= 1:
        return Scale(-1.0, 1.0)
    bounded = unit in ("ratio", "share", "probability") and 0 <= lo <= hi <= 1
    if bounded and (hi - lo >= 0.2 or alone):
        return Scale(0.0, 1.0)
    if lo >= 0 and (lo <= 0.6 * hi or hi == 0 or alone):
        lo = 0.0
    elif hi > lo:
        lo, hi = lo - 0.1 * (hi - lo), hi + 0.1 * (hi - lo)
    scale = rounded(lo, hi)
    if min(values) >= 0 and 0.999 <= max(values) <= 1:  # most likely a share under another name: nothing lies beyond 1
        scale = Scale(scale.lo, 1.0)
    return Scale(max(0.0, scale.lo), min(1.0, scale.hi)) if bounded else scale


def ticks(scale: Scale, count: int = 4) -> list[Tick]:
    """Round ticks inside a linear scale."""
    if not scale.hi > scale.lo:
        return [Tick(0.5, short_number(scale.lo))]
    step = step_for(scale.hi - scale.lo, count)
    first, last = math.ceil(scale.lo / step - 1e-9), math.floor(scale.hi / step + 1e-9)
    return [
        Tick(scale.at(at * step), short_number(round(at * step, 12))) for at in range(first, min(last, first + 20) + 1)
    ]


def log_ticks(scale: Scale, count: int = 5) -> list[Tick]:
    """Ticks at 1, 2 and 5 times powers of ten, thinned to about `count`."""
    powers = range(math.floor(math.log10(scale.lo)), math.ceil(math.log10(scale.hi)) + 1)
    for leads in ((1, 2, 5), (1, 3), (1,)):
        places = [lead * 10.0**power for power in powers for lead in leads]
        places = [place for place in places if scale.lo * 0.999 <= place <= scale.hi * 1.001]
        if len(places) <= count:
            break
    places = places[:: max(1, math.ceil(len(places) / count))]
    return [Tick(scale.at(place), short_number(place)) for place in places]
