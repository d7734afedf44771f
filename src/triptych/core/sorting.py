"""Different values of 64-bit keys by sorting: vectorized sorts beat hash tables on millions of keys."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def run_starts(ordered: NDArray[Any]) -> NDArray[np.intp]:
    """Positions where a new value begins in an array that is ordered, (values,)."""
    if not len(ordered):
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def different(values: NDArray[Any]) -> NDArray[Any]:
    """The different values, ascending."""
    ordered = np.sort(values)
    return np.asarray(ordered[run_starts(ordered)])


def tally(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The different values, ascending, and how often each occurs."""
    ordered = np.sort(values)
    starts = run_starts(ordered)
    size, found = len(ordered), ordered[starts]
    del ordered  # a table of millions of keys is where the memory of a run peaks
    number = np.empty(len(starts), dtype=np.int64)
    np.subtract(starts[1:], starts[:-1], out=number[:-1])
    number[-1:] = size - starts[-1:]
    return found, number


def tally_weighted(values: NDArray[Any], counts: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The different values, ascending, and the sum of the counts of each.

    Most counts are 1: the values are sorted without them, and only what exceeds 1 is looked up. A third of the memory and
    half of the time of sorting places.
    """
    more = counts != 1
    which, extra = values[more], counts[more] - 1
    found, number = tally(values)
    np.add.at(number, np.searchsorted(found, which), extra)
    return found, number


def place(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The different values, ascending, and for each entry of `values` the position of its value among them."""
    order = np.argsort(values)
    ordered = values[order]
    fresh = np.zeros(len(values), dtype=np.bool_)
    fresh[run_starts(ordered)] = True
    index = np.empty(len(values), dtype=np.intp)
    index[order] = np.cumsum(fresh) - 1
    return ordered[fresh], index
