"""What a sample of n records would show, read off all N of them: the expectation over draws without replacement.

Of a kind with K of the N records, the number among n is hypergeometric. Equal n makes sets of different sizes comparable;
fewer records look less varied (Hurlbert 1971, Ecology 52, for the number of species). Exact up to rounding: terms further
than twelve standard deviations and twelve records from the mean are left out.

Worked example: counts 2 and 1, n = 2: two of one kind in 1 of 3 draws (entropy 0), one of each in 2 of 3 (log 2):
exp(2/3 log 2) = 1.587 effective kinds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.integer[Any]]

_REACH = 12.0


def effective(counts: Mapping[Any, int], n: int) -> float:
    """Effective number of kinds, exp of the expected entropy, of n records drawn from these without replacement.

    Raises:
        ValueError: fewer than n records, or n is 0.
    """
    return math.exp(expected_entropy(np.fromiter(counts.values(), np.int64, len(counts)), n))


def expected_entropy(counts: Counts, n: int) -> float:
    """Expected entropy, in nats, of the kinds of n records drawn without replacement.

    Args:
        counts: records of each kind, (kinds,).
        n: records drawn.

    Raises:
        ValueError: fewer than n records, or n is 0.
    """
    total = _total(counts, n)
    size, times = np.unique(counts[counts > 0], return_counts=True)
    mean = n * size / total
    spread = np.sqrt(mean * (1 - size / total) * (total - n) / max(total - 1, 1))
    reach = _REACH * (spread + 1)
    least = np.maximum(np.maximum(1, n - (total - size)), np.floor(mean - reach)).astype(np.int64)
    most = np.minimum(np.minimum(size, n), np.ceil(mean + reach)).astype(np.int64)
    width = np.maximum(most - least + 1, 0)
    owner = np.repeat(np.arange(len(size)), width)
    k = least[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(width) - width, width)
    K, log = size[owner], _log_factorials(total)  # noqa: N806 - as in the formula
    ways = log[K] - log[k] - log[K - k] + log[total - K] - log[n - k] - log[total - K - n + k]
    chance = np.exp(ways - log[total] + log[n] + log[total - n])
    share = k / n
    return max(0.0, -float(np.sum(times[owner] * chance * share * np.log(share))))


def expected_seen(counts: Counts, total: int, n: int) -> float:
    """Expected share of these kinds that occur among n of `total` records drawn without replacement.

    Args:
        counts: records of each of the kinds, 0 where there is none, (kinds,), at least one kind.
        total: records in all, of these and other kinds.
        n: records drawn.

    Raises:
        ValueError: fewer than n records, or n is 0.
    """
    if not 1 <= n <= total:
        raise ValueError(f"n = {n} of {total} records")
    log = _log_factorials(total)
    left = total - counts.astype(np.int64)
    possible = left >= n
    unseen = np.zeros(len(counts))
    held = left[possible]
    unseen[possible] = np.exp(log[held] - log[held - n] - log[total] + log[total - n])
    return float(np.mean(1 - unseen))


def _total(counts: Counts, n: int) -> int:
    total = int(counts.sum())
    if not 1 <= n <= total:
        raise ValueError(f"n = {n} of {total} records")
    return total


def _log_factorials(most: int) -> NDArray[np.float64]:
    """log k! for k = 0..most and beyond."""
    return _table(1 << max(most, 1).bit_length())


@lru_cache(maxsize=4)
def _table(size: int) -> NDArray[np.float64]:
    from scipy.special import gammaln  # noqa: PLC0415 - scipy is slow to import

    table: NDArray[np.float64] = gammaln(np.arange(size + 1) + 1.0)
    return table
