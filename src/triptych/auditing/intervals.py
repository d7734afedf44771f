"""Numbers with their 95 % interval, by the delete-a-group jackknife with whole clusters dealt to the 32 groups.

A share (and a concordance, which is one) gets Wilson's interval with the effective number of records p(1 - p)/se²; at 0 and 1
with the number of clusters. A correlation gets its interval on Fisher's scale, atanh r, where its error hardly depends
on r (Fisher 1921). Other numbers get t intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.interval import Changes, changes, t_quantile, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Scale: TypeAlias = Literal["share", "correlation", "plain"]
Value: TypeAlias = Callable[[Ints], float | Undefined]


@dataclass(frozen=True)
class Number:
    """A number of an audit, or the reason why there is none.

    Attributes:
        key, title, unit: which.
        value, lo, hi: and the ends of its 95 % interval.
        n, clusters: records (or pairs of them), and prompts that they come from.
        undefined: why there is no value; `no_interval`: why there is only a value.
        note: how it was read, where that is not plain.
    """

    key: str
    title: str
    unit: str
    n: int
    clusters: int
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    undefined: str | None = None
    no_interval: str | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry of `audit.json`."""
        names = ("key", "title", "unit", "value", "lo", "hi", "n", "clusters", "undefined", "no_interval", "note")
        return {name: getattr(self, name) for name in names}

    def noted(self, note: str) -> Number:
        """The same with a note."""
        return replace(self, note=note)


@dataclass(frozen=True, eq=False)
class Sample:
    """Records (or pairs) by cluster: what numbers are read on. Both (n,)."""

    group: NDArray[np.uint8]
    cluster: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.group)

    def at(self, rows: Ints | NDArray[np.bool_]) -> Sample:
        """Some of them."""
        return Sample(self.group[rows], self.cluster[rows])

    def number(self, name: tuple[str, str, str], value: Value, scale: Scale = "plain") -> Number:
        """A number with its interval.

        Args:
            name: key, title and unit.
            value: of the records at these places.
            scale: on which the interval is made.
        """
        clusters = len(np.unique(self.cluster))
        empty = Number(*name, len(self), clusters)
        whole = value(np.arange(len(self))) if len(self) else Undefined("no record has it")
        if isinstance(whole, Undefined):
            return replace(empty, undefined=whole.reason)
        whole = float(whole)
        ends = self._ends(whole, clusters, value, scale)
        if isinstance(ends, Undefined):
            return replace(empty, value=whole, no_interval=ends.reason)
        return replace(empty, value=whole, lo=float(min(ends[0], whole)), hi=float(max(ends[1], whole)))

    def _ends(self, whole: float, clusters: int, value: Value, scale: Scale) -> tuple[float, float] | Undefined:
        if scale == "correlation":
            if abs(whole) > 1 - 1e-12:
                return Undefined("it is perfect in these records: its error cannot be told")
            found = self._changes(lambda rows: _fisher(value(rows)))
            if isinstance(found, Undefined):
                return found
            half = t_quantile(found.degrees) * found.se
            return math.tanh(found.whole - half), math.tanh(found.whole + half)
        if scale == "share" and not 0 < whole < 1:
            lo, hi = wilson(whole, 0.0, clusters, t_quantile(31))
            return max(lo, 0.0), min(hi, 1.0)
        found = self._changes(value)
        if isinstance(found, Undefined):
            return found
        t = t_quantile(found.degrees)
        if scale == "plain":
            return whole - t * found.se, whole + t * found.se
        # The effective number may exceed that of records where most pairs of them are far apart, but not without end.
        lo, hi = wilson(whole, max(found.se, 1e-9), len(self), t)
        return max(lo, 0.0), min(hi, 1.0)

    def _changes(self, value: Value) -> Changes | Undefined:
        def read(keep: Mask) -> float | Undefined:
            return value(np.flatnonzero(keep[self.group]))

        def count(keep: Mask) -> int:
            return int(keep[self.group].sum())

        return changes(read, count, "plain")


def mean_of(values: Floats) -> Value:
    """The mean of a column, as a value."""
    return lambda rows: float(values[rows].mean()) if len(rows) else Undefined("no record has it")


def _fisher(value: float | Undefined) -> float | Undefined:
    if isinstance(value, Undefined):
        return value
    if abs(value) > 1 - 1e-12:
        return Undefined("it is perfect without one of the groups of records")
    return math.atanh(value)
