"""What the counts of a table of keys tell under a mask: keys that occur once, keys expected in a smaller draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triptych.core.groups import Mask
from triptych.core.sorting import run_starts
from triptych.statistics.tables import KeyTable

_GROUP_BITS = 5


def held_counts(table: KeyTable, keep: Mask) -> tuple[NDArray[np.int64], float]:
    """How often each key that is held occurs in the kept groups (keys,), and how many keys each of them stands for.

    O(entries of the table).
    """
    state = table.state()
    words, counts = state["words"], state["counts"]
    kept = keep[(words & np.uint64((1 << _GROUP_BITS) - 1)).astype(np.intp)]
    words, counts = words[kept] >> np.uint64(_GROUP_BITS), counts[kept]
    starts = run_starts(words)
    held = np.add.reduceat(counts, starts) if len(starts) else counts
    return held, 2.0 ** int(state["level"][0])


def once(table: KeyTable, keep: Mask) -> float:
    """Keys that occur just once in the kept groups (scaled up when the table is a sample)."""
    counts, scale = held_counts(table, keep)
    return float(np.count_nonzero(counts == 1)) * scale


def expected_different(table: KeyTable, keep: Mask, draws: int) -> float:
    """Expected number of different keys among `draws` occurrences drawn without replacement (Hurlbert 1971).

    A key with k of N occurrences is missed with probability Π_{i < draws} (N - k - i)/(N - i): a product keeps full
    precision where a difference of log-factorials does not. O(entries + draws · different counts).

    Args:
        table: of keys.
        keep: the kept groups; they hold at least `draws` occurrences.
        draws: at least 1.
    """
    counts, scale = held_counts(table, keep)
    size, times = np.unique(counts, return_counts=True)
    total = table.total(keep)
    missed = np.ones(len(size))
    for drawn in range(draws):
        missed *= np.maximum(total - size - drawn, 0) / (total - drawn)
    return float(np.sum(times * (1 - missed))) * scale
