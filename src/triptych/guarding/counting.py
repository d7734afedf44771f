"""Numbers with their errors: anything that can be read under a mask of groups, and counts of kinds at a common size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask, everything, mix
from triptych.core.interval import Kind, interval
from triptych.core.sorting import place
from triptych.guarding.ledger import Reading
from triptych.guarding.prepared import Ints, UInts
from triptych.statistics.rarefied import expected_entropy, expected_seen


def undefined(reason: str, n: int = 0) -> Reading:
    """A reading without a value."""
    return Reading(None, n=n, undefined=reason)


def jackknifed(
    read: Callable[[Mask], float | Undefined],
    count: Callable[[Mask], int],
    kind: Kind,
    bounds: tuple[float, float],
    n: int,
) -> Reading:
    """A value with its interval over the 32 groups.

    Args:
        read: the value under a mask of kept groups.
        count: records under a mask.
        kind: which variant of `core.interval` applies.
        bounds: range of the value.
        n: records behind it.
    """
    known: dict[bytes, float | Undefined] = {}

    def once(keep: Mask) -> float | Undefined:
        key = keep.tobytes()
        if key not in known:
            known[key] = read(keep)
        return known[key]

    whole = once(everything())
    if isinstance(whole, Undefined):
        return undefined(whole.reason, n)
    ends = interval(once, count, kind, bounds)
    return Reading(float(whole), ends.se, ends.lo, ends.hi, n)


@dataclass(frozen=True, eq=False)
class Table:
    """How often each kind occurs in each group.

    Attributes:
        names: key of each kind, ascending, (kinds,).
        counts: int64 (kinds, 32).
    """

    names: UInts
    counts: Ints

    @classmethod
    def of(cls, keys: UInts, group: NDArray[np.uint8]) -> Table:
        """Count keys, (n,), of records in these groups, (n,); key 0 is none."""
        held = keys != 0
        names, at = place(keys[held])
        flat = np.bincount(at * GROUPS + group[held], minlength=len(names) * GROUPS)
        return cls(names, flat.reshape(len(names), GROUPS).astype(np.int64))

    @property
    def total(self) -> int:
        """Records counted."""
        return int(self.counts.sum())

    def sizes(self, keep: Mask) -> Ints:
        """Records of each kind under a mask, (kinds,)."""
        out: Ints = self.counts[:, keep].sum(axis=1)
        return out

    def of_names(self, names: UInts) -> Ints:
        """Rows of `counts` for these kinds, zeros for one that does not occur, (names, 32)."""
        at = np.minimum(np.searchsorted(self.names, names), max(len(self.names) - 1, 0))
        if not len(self.names):
            return np.zeros((len(names), GROUPS), dtype=np.int64)
        return np.where((self.names[at] == names)[:, None], self.counts[at], 0)

    def effective(self, n: int) -> Reading:
        """Effective number of kinds among n records."""
        return self._rarefied(lambda keep, m: math.exp(expected_entropy(self.sizes(keep), m)), n, (1.0, float(n)))

    def evenness(self, n: int) -> Reading:
        """Effective over expected different kinds among n records: 1 where all that occur do so alike."""

        def share(keep: Mask, m: int) -> float:
            sizes = self.sizes(keep)
            different = len(sizes) * expected_seen(sizes, int(sizes.sum()), m)
            return min(1.0, math.exp(expected_entropy(sizes, m)) / different)

        return self._rarefied(share, n, (0.0, 1.0))

    def seen(self, names: UInts, n: int) -> Reading:
        """Expected share of these kinds that occur among n records."""
        mine = self.of_names(names)
        groups = self.counts.sum(axis=0)

        def share(keep: Mask, m: int) -> float:
            return max(0.0, expected_seen(mine[:, keep].sum(axis=1), int(groups[keep].sum()), m))

        return self._rarefied(share, n, (0.0, 1.0))

    def _rarefied(self, value: Callable[[Mask, int], float], n: int, bounds: tuple[float, float]) -> Reading:
        """A value at n records with its error.

        With enough records, each group is left out at the same n, and nothing grows. With no more than n in the rest,
        n shrinks with what is left: an effective number near n then grows with it, which `effective` allows for; one far
        below n hardly does, and the least error of that variant, one record, would drown it.
        """
        groups, total = self.counts.sum(axis=0), self.total
        if not total:
            return undefined("no record has a structure")
        if total < n:
            return undefined(
                f"{total:,} records with a structure, fewer than the {n:,} at which rounds are read", total
            )
        if total - int(groups.max()) >= n:
            return jackknifed(
                lambda keep: value(keep, n), lambda keep: int(groups[keep].sum()), "growing", bounds, total
            )

        def left(keep: Mask) -> int:
            held = int(groups[keep].sum())
            return max(round(n * held / total), 1) if held else 0

        whole = value(everything(), n)
        kind: Kind = "effective" if bounds[1] == n and whole > n / 8 else "growing"
        return jackknifed(lambda keep: value(keep, left(keep)), left, kind, bounds, total)


def rarer_half(table: Table) -> UInts | None:
    """Keys of the rarer half of the kinds, ascending; of equally rare ones those of the smaller hash. None below two kinds."""
    if len(table.names) < 2:
        return None
    order = np.lexsort((mix(table.names), table.sizes(everything())))
    return np.sort(table.names[order[: len(order) // 2]])
