"""32 groups of records, and masks of kept groups.

Every statistic keeps its state for each of 32 groups. A record's group is a hash of its *address* (source, row, part),
never of its content: if exact copies travelled together, the size curve of a repetitive set would be wrong. Where
records are clustered by design (several responses to one prompt), the cluster's key takes the place of the address.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

GROUPS = 32
"""Number of groups. Part of every saved state: changing it invalidates saved profiles."""

Mask: TypeAlias = NDArray[np.bool_]
"""Shape (32,): True where a group is kept."""

Keys: TypeAlias = NDArray[np.uint64]


def everything() -> Mask:
    """The mask that keeps all groups."""
    return np.ones(GROUPS, dtype=np.bool_)


def without(*groups: int) -> Mask:
    """The mask that keeps all groups but those named."""
    mask = everything()
    mask[list(groups)] = False
    return mask


def only(groups: range | list[int]) -> Mask:
    """The mask that keeps just the groups named."""
    mask = np.zeros(GROUPS, dtype=np.bool_)
    mask[list(groups)] = True
    return mask


def bits(mask: Mask) -> np.uint32:
    """The mask as a 32-bit number: bit g is set where group g is kept."""
    return np.uint32(np.sum(np.left_shift(np.uint32(1), np.flatnonzero(mask).astype(np.uint32)), dtype=np.uint32))


def mix(keys: Keys) -> Keys:
    """Scramble 64-bit keys (the finalizer of splitmix64): a bijection whose every output bit depends on every input."""
    with np.errstate(over="ignore"):
        out = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        out = (out ^ (out >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return out ^ (out >> np.uint64(31))


def address_keys(source: NDArray[np.int32], row: NDArray[np.int64], part: NDArray[np.int32]) -> Keys:
    """One scrambled 64-bit key for each address. All three arrays have shape (n,)."""
    with np.errstate(over="ignore"):
        key = mix(source.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
        key = mix(key ^ row.astype(np.uint64))
        return mix(key + part.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03))


def group_of(keys: Keys) -> NDArray[np.uint8]:
    """The group, 0..31, of each key: the top five bits of the scrambled key."""
    return (mix(keys) >> np.uint64(59)).astype(np.uint8)
