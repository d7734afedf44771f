"""Moments of MTLD, the mean length of runs of tokens that keep up a type-token ratio.

McCarthy & Jarvis 2010 ("MTLD, vocd-D, and HD-D", Behavior Research Methods 42): tokens are read one by one; where the ratio
of different tokens to tokens falls to the threshold, a factor is complete and counting starts anew. What is left at the end
is the part (1 - ratio)/(1 - threshold) of a factor. MTLD is tokens over factors, averaged over both directions of reading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.statistics.moments import Moments

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(eq=False)
class MtldMoments(Moments):
    """Moments of the MTLD of the token lists in `column`; lists of fewer than `shortest` tokens have none."""

    column: str = "tokens@response"
    threshold: float = 0.72
    shortest: int = 50

    def update(self, batch: Batch) -> None:
        """Take in a batch."""
        values = mtld(*batch.lists(self.column), self.threshold, self.shortest)
        column = pa.array(values, mask=np.isnan(values))
        super().update(replace(batch, columns={**batch.columns, self.column: column}))


def mtld(values: NDArray[Any], offsets: Int, threshold: float, shortest: int) -> Float:
    """MTLD of every text.

    Args:
        values: flat token ids (t,).
        offsets: bounds of the texts in `values` (r + 1,).
        threshold: of the type-token ratio, between 0 and 1.
        shortest: texts of fewer tokens have no value; at least 1.

    Returns:
        Shape (r,), NaN for texts that are too short. O(t log t); all texts are read in step, so the number of numpy calls
        is that of the tokens of the longest.
    """
    lengths = np.diff(offsets)
    out = np.full(len(lengths), np.nan)
    at = np.flatnonzero(lengths >= shortest)
    if not len(at):
        return out
    at = at[np.argsort(-lengths[at], kind="stable")]
    size, begin = lengths[at], offsets[at]
    last = _last_seen(values, offsets)
    forward = _factors(last, begin, np.ones_like(begin), size, threshold)
    mirrored = _last_seen(values[::-1], len(values) - offsets[::-1])[::-1]
    backward = _factors(mirrored, begin + size - 1, -np.ones_like(begin), size, threshold)
    out[at] = (size / forward + size / backward) / 2
    return out


def _last_seen(values: NDArray[Any], offsets: Int) -> Int:
    """For each token, where in its text (from 0) the same token stood last before, -1 for the first, (t,)."""
    text = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((values, text))
    again = (values[order][1:] == values[order][:-1]) & (text[order][1:] == text[order][:-1])
    last = np.full(len(values), -1, dtype=np.int64)
    last[order[1:][again]] = order[:-1][again] - offsets[text[order[:-1][again]]]
    return last


def _factors(last: Int, first: Int, step: Int, size: Int, threshold: float) -> Float:
    """Factors of the texts that begin at `first` and are read in direction `step`; texts by falling size, (r,)."""
    start, types, factors = np.zeros_like(size), np.zeros_like(size), np.zeros(len(size))
    ratio = np.ones(len(size))
    reading = np.searchsorted(-size, -np.arange(int(size[0])), side="left")
    for place, active in enumerate(reading):
        types[:active] += last[first[:active] + step[:active] * place] < start[:active]
        ratio[:active] = types[:active] / (place + 1 - start[:active])
        full = np.flatnonzero(ratio[:active] <= threshold)
        factors[full] += 1
        start[full], types[full], ratio[full] = place + 1, 0, 1.0
    factors += (1 - ratio) / (1 - threshold)
    return np.where(factors > 0, factors, 1.0)
