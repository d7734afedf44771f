"""A measure on a sample under a dear instrument, steadied by a cheap one on the sample and on more such samples.

Vectors of a large encoder are had for a random sample S of n records, cheap vectors for all. With f the measure under
the dear instrument, g the same measure under the cheap one, and S_1 .. S_k further random samples of n records, disjoint,

    θ = f(S) - λ (g(S) - mean_j g(S_j))

What S is off by chance under the cheap instrument is taken out. Both parts in brackets have one expectation, whatever g is, so θ
has that of f(S): the value at n records, for any measure, also one that moves with n. It is a control variate, and for a mean
prediction-powered inference (Angelopoulos, Duchi & Zrnic 2023, PPI++, arXiv 2311.01453), whose weight λ is its own: the
slope of the changes that groups of records make in f(S) over those in the brackets. That holds for any λ that is given; fitted to
the same records it may leave a bias of order 1/32 of the error, of which benchmarks/encoder_sample.py sees none. Since λ is fitted to the 32 changes that the
interval is made of, the interval has one degree of freedom less, as a regression has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask, everything
from triptych.core.interval import Counting, Dealt, Kind, Reading, changes
from triptych.core.measure import Measure
from triptych.core.statistic import Statistic


@dataclass(frozen=True)
class Helped:
    """What θ is made of, for one measure.

    Attributes:
        measure: f and g.
        dear: statistic of S under the dear instrument.
        cheap: statistic of S under the cheap one.
        others: statistics of S_1 .. S_k under the cheap one; at least one.
    """

    measure: Measure
    dear: Statistic
    cheap: Statistic
    others: tuple[Statistic, ...]

    def plain(self, keep: Mask) -> float | Undefined:
        """f(S)."""
        return self.measure.value(self.dear, keep)

    def excess(self, keep: Mask) -> float | Undefined:
        """What S is off under the cheap instrument: g(S) less the mean of g over the other samples."""
        own, level = self.measure.value(self.cheap, keep), mean_over(self.measure, self.others)(keep)
        if isinstance(own, Undefined) or isinstance(level, Undefined):
            return own if isinstance(own, Undefined) else level
        return own - level

    def slope(self, dealt: Dealt | None = None) -> float | None:
        """λ; None where it cannot be told, or the excess never moves.

        Args:
            dealt: what the records of S were dealt to the groups as; None: every record on its own.
        """
        kind = self.measure.interval_kind(self.dear)
        own, other = (_moves(read, self.dear.records, kind, dealt) for read in (self.plain, self.excess))
        if own is None or other is None or not (square := float(np.nansum(other**2))):
            return None
        return float(np.nansum(own * other)) / square

    def steadied(self, slope: float) -> Reading:
        """θ under a mask."""

        def read(keep: Mask) -> float | Undefined:
            plain, excess = self.plain(keep), self.excess(keep)
            if isinstance(plain, Undefined) or isinstance(excess, Undefined):
                return plain if isinstance(plain, Undefined) else excess
            return plain - slope * excess

        return read


def _moves(read: Reading, count: Counting, kind: Kind, dealt: Dealt | None) -> NDArray[np.float64] | None:
    """The changes that groups make; None where the value or one of them is not defined."""
    if isinstance(read(everything()), Undefined):
        return None
    found = changes(read, count, "growing" if kind == "pairs" else kind, dealt)
    return None if isinstance(found, Undefined) else found.each


def mean_over(measure: Measure, statistics: Sequence[Statistic]) -> Reading:
    """The mean of a measure over the statistics of several samples, under a mask."""

    def read(keep: Mask) -> float | Undefined:
        values = []
        for statistic in statistics:
            value = measure.value(statistic, keep)
            if isinstance(value, Undefined):
                return value
            values.append(value)
        return float(np.mean(values))

    return read
