"""The trade-off of one record: how typical it is, against whether it complies with what was asked.

Typicality is a record's mean cosine to all records of the pool, which for unit vectors is its product with their mean.
Nearest neighbours would tell how crowded a place is instead, which copies and many answers to one prompt raise, and
would need a graph; the mean needs neither a graph nor a number of neighbours. It is confounded by length (short texts
lie off the centre), so the mean length is told beside each decile.

Compliance is the quality label, or being free of defects where there is none. A record cannot be far from the typical
case and fully typical of it; whether it also complies less is what the least typical tenth, against all others, says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask, everything
from triptych.core.interval import interval
from triptych.selecting.frontier.shape import Reading
from triptych.selecting.pool import Pool
from triptych.statistics.moments import Moments

Floats = NDArray[np.float64]

TENTHS = 10
FEWEST = 200
"""Records below which there are no deciles to speak of."""

_UNBOUNDED = (float("-inf"), float("inf"))


@dataclass(frozen=True)
class _Sums:
    """Number and sum of values by group, (32,) each."""

    n: Floats
    total: Floats

    @classmethod
    def of(cls, values: Floats, group: NDArray[np.uint8]) -> _Sums:
        n = np.bincount(group, minlength=GROUPS).astype(np.float64)
        return cls(n, np.bincount(group, weights=values, minlength=GROUPS).astype(np.float64))

    def mean(self, keep: Mask) -> float | None:
        count = self.n[keep].sum()
        return float(self.total[keep].sum() / count) if count else None


def typicality(pool: Pool) -> dict[str, Any]:
    """The section `typicality` of the document.

    Records without a vector or without a value of compliance are left out. Cost: two passes over the vectors.
    """
    compliance, label = _compliance(pool)
    similar = mean_cosines(pool)
    used = np.flatnonzero(~np.isnan(similar) & ~np.isnan(compliance))
    told = {"records": len(used), "quality": label, "label": "mean cosine to all records of the pool"}
    nothing = {**told, "deciles": [], "difference": None, "verdict": "cannot tell"}
    if len(used) < FEWEST:
        reason = f"{len(used):,} records have both numbers; deciles need {FEWEST}"
        return {**nothing, "undefined": reason, "text": f"Cannot tell: {reason}."}
    values, near, group = compliance[used], similar[used], pool.grouping.keys.group[used]
    if np.ptp(values) == 0 or np.ptp(near) < 1e-6:
        what = "compliance" if np.ptp(values) == 0 else "typicality"
        reason = f"{what} is the same for all records"
        return {**nothing, "undefined": reason, "text": f"Cannot tell: {reason}."}
    tenth = tenths(near, pool.grouping.keys.address[used])
    length = _length(pool)[used]
    deciles = [
        {
            "decile": at + 1,
            "records": int((tenth == at).sum()),
            "typicality": float(near[tenth == at].mean()),
            "compliance": _mean(values[tenth == at], group[tenth == at]).to_json(),
            "length": float(length[tenth == at].mean()),
        }
        for at in range(TENTHS)
    ]
    gap = _gap(values, group, tenth == 0)
    verdict = _verdict(gap)
    return {
        **told,
        "deciles": deciles,
        "difference": gap.to_json(),
        "verdict": verdict,
        "undefined": None,
        "text": _text(verdict, gap, label),
    }


def mean_cosines(pool: Pool) -> Floats:
    """Mean cosine of every record of the store to all that have a vector, (N,), NaN where it has none."""
    column = f"embedding@{pool.on}"

    def units() -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
        for shard in pool.store.shards:
            rows = Batch(shard.read([column]), np.empty(0, np.uint8), np.empty(0, np.uint64)).matrix(column)
            rows = rows.astype(np.float64)
            norms = np.linalg.norm(rows, axis=1)
            yield rows / np.where(norms > 0, norms, 1)[:, None], norms > 0

    total, count = np.zeros(0), 0
    for rows, there in units():
        total = (total if len(total) else np.zeros(rows.shape[1])) + rows.sum(axis=0)
        count += int(there.sum())
    if not count:
        return np.full(len(pool.store), np.nan)
    return np.concatenate([np.where(there, rows @ (total / count), np.nan) for rows, there in units()])


def tenths(values: Floats, ties: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The tenth of each value, 0 the lowest, in equal numbers; ties fall by `ties`. (n,)."""
    place = np.empty(len(values), dtype=np.int64)
    place[np.lexsort((ties, values))] = np.arange(len(values))
    return place * TENTHS // len(values)


def _compliance(pool: Pool) -> tuple[Floats, str]:
    quality = pool.values.get("quality")
    if quality is not None and pool.quality is not None:
        return quality, pool.quality.label
    return (pc.fill_null(pool.store.whole(DEFECTS), 0).to_numpy() == 0).astype(np.float64), "valid_share"


def _length(pool: Pool) -> Floats:
    column = pc.fill_null(pool.store.whole(f"length@{pool.judged}").cast("float64"), 0.0)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _mean(values: Floats, group: NDArray[np.uint8]) -> Reading:
    """The mean of some values with its jackknife interval; Wilson's for values of 0 and 1."""
    moments = Moments("value")
    moments.update(Batch({"value": pa.array(values)}, group, np.zeros(len(group), dtype=np.uint64)))

    def value(keep: Mask) -> float | Undefined:
        return moments.mean(keep) if moments.records(keep) else Undefined("no record is left")

    share = moments.binary()
    between = interval(value, moments.records, "share" if share else "plain", (0.0, 1.0) if share else _UNBOUNDED)
    return Reading(moments.mean(everything()), between.lo, between.hi, between.reason)


def _gap(values: Floats, group: NDArray[np.uint8], least: NDArray[np.bool_]) -> Reading:
    """Compliance of the least typical tenth minus that of all others, jackknifed over groups that hold both."""
    low, rest = _Sums.of(values[least], group[least]), _Sums.of(values[~least], group[~least])
    sizes = low.n + rest.n

    def value(keep: Mask) -> float | Undefined:
        one, other = low.mean(keep), rest.mean(keep)
        return Undefined("one side is empty") if one is None or other is None else one - other

    whole = value(everything())
    if isinstance(whole, Undefined):
        return Reading(None, reason=whole.reason)
    between = interval(value, lambda keep: int(sizes[keep].sum()), "plain", _UNBOUNDED)
    return Reading(whole, between.lo, between.hi, between.reason)


def _verdict(gap: Reading) -> str:
    if gap.lo is None or gap.hi is None or gap.lo <= 0 <= gap.hi:
        return "cannot tell"
    return "less" if gap.hi < 0 else "more"


def _text(verdict: str, gap: Reading, label: str) -> str:
    """The verdict in words."""
    if gap.lo is None or gap.hi is None or gap.value is None:
        return f"Cannot tell whether records far from the typical case comply less: {gap.reason}."
    told = (
        f"{label} of the least typical tenth minus that of the others: {gap.value:+.3f} [{gap.lo:+.3f}, {gap.hi:+.3f}]"
    )
    if verdict == "cannot tell":
        return f"Cannot tell whether records far from the typical case comply less ({told})."
    return f"Records far from the typical case comply {verdict} ({told})."
