"""Near-duplicates by MinHash and locality-sensitive hashing, kept as the groups of each record's lower-ranked ones.

Two records are near-duplicates when the estimated Jaccard similarity of their n-gram sets is at least the threshold.
Candidates come from 21 bands of 6 signature entries (a pair at .8 is found with probability .998, at .7 with .93, at .9
with 1 - 1e-7) and from equal signatures; each candidate is then checked on all 128 entries.

What a measure reads is, for each record, the set of groups that hold a near-duplicate of *lower rank* (rank: hash of the
address), as a 32-bit pattern. Under any mask, a record counts when its pattern meets the mask: of a pair one counts, of m
copies m - 1. This is what de-duplication in random order would flag, recomputed exactly for every mask of groups.

Work is bounded where everything repeats: within a bucket only the lowest-ranked record of each group is a candidate.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import On
from triptych.core.errors import SpecError
from triptych.core.groups import GROUPS, mix
from triptych.core.relation import Keys, Records, Relation, Sparse

BANDS, ROWS = 21, 6
_CHUNK = 1 << 14


@dataclass(frozen=True)
class NearDuplicates(Relation):
    """Column `near_duplicates:n=N,threshold=T@on` uint32; null for records without tokens."""

    n: int = 5
    threshold: float = 0.8
    on: On = "both"

    def __post_init__(self) -> None:
        if not 0.5 <= self.threshold <= 1:
            raise SpecError(f"near-duplicate threshold must lie in [0.5, 1], got {self.threshold:g}")

    @property
    def needs(self) -> tuple[str, ...]:
        """The signature."""
        return (f"minhash:n={self.n}@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The pattern."""
        return (f"near_duplicates:n={self.n},threshold={self.threshold:g}@{self.on}",)

    def compute(self, records: Records) -> Mapping[str, Sparse]:
        """Patterns of all records that have a signature."""
        with tempfile.TemporaryDirectory(prefix="triptych-") as folder:
            table = _Signatures(Path(folder), records, self.needs[0])
            patterns = np.zeros(len(table.at), dtype=np.uint32)
            for band in range(BANDS + 1):
                for high, low in _candidates(table.buckets(band), table.rank, table.group):
                    fresh = patterns[high] >> table.group[low].astype(np.uint32) & 1 == 0
                    high, low = high[fresh], low[fresh]
                    alike = table.similar(high, low, self.threshold)
                    flags = np.uint32(1) << table.group[low[alike]].astype(np.uint32)
                    np.bitwise_or.at(patterns, high[alike], flags)
        return {self.gives[0]: Sparse(table.at, patterns)}


class _Signatures:
    """Signatures and band keys on disk: memory holds 8 bytes a record at a time."""

    def __init__(self, folder: Path, records: Records, column: str) -> None:
        self._folder = folder
        keys = records.keys
        at = []
        with (folder / "signatures").open("wb") as out:
            bands = [(folder / f"band{band}").open("wb") for band in range(BANDS + 1)]
            for start, batch in records.batches((column,)):
                present = batch.present(column)
                at.append(start + np.flatnonzero(present))
                rows = np.ascontiguousarray(batch.matrix(column)[present]).astype(np.uint16)
                out.write(rows.tobytes())
                for band, file in enumerate(bands):
                    file.write(band_keys(rows, band).tobytes())
            for file in bands:
                file.close()
        self.at: NDArray[np.int64] = np.concatenate(at) if at else np.zeros(0, dtype=np.int64)
        self.rank, self.group = _ranks(keys, self.at), keys.group[self.at]
        shape = (len(self.at), 128)
        self._rows = np.memmap(folder / "signatures", dtype=np.uint16, mode="r", shape=shape) if len(self.at) else None

    def buckets(self, band: int) -> NDArray[np.uint64]:
        """The band's key of every record, (k,)."""
        return np.fromfile(self._folder / f"band{band}", dtype=np.uint64)

    def similar(self, a: NDArray[np.int64], b: NDArray[np.int64], threshold: float) -> NDArray[np.bool_]:
        """Whether the signatures of the pairs (p,) agree in at least the threshold's share of entries."""
        if self._rows is None or not len(a):
            return np.zeros(len(a), dtype=np.bool_)
        equal = np.count_nonzero(self._rows[a] == self._rows[b], axis=1)
        return np.asarray(equal >= threshold * self._rows.shape[1])


def _ranks(keys: Keys, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank of the address hash among these records: the order in which de-duplication would meet them."""
    rank = np.empty(len(at), dtype=np.int64)
    rank[np.argsort(keys.address[at], kind="stable")] = np.arange(len(at))
    return rank


def band_keys(rows: NDArray[np.uint16], band: int, width: int = ROWS) -> NDArray[np.uint64]:
    """Keys (k,) of signatures (k, 128): band 0 is the whole signature (copies); band b is entries width(b-1) .. width b."""
    part = rows if band == 0 else rows[:, (band - 1) * width : band * width]
    key = np.full(len(rows), band, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in part.T:
            key = key * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64) + np.uint64(1)
            key ^= key >> np.uint64(29)
    return mix(key)


def _candidates(
    buckets: NDArray[np.uint64], rank: NDArray[np.int64], group: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs (higher rank, lower rank) inside a bucket, the lower one the first of its group there; in chunks."""
    order = np.argsort(buckets)
    ordered = buckets[order]
    fresh = np.append(True, ordered[1:] != ordered[:-1])[: len(order)]
    run = np.cumsum(fresh) - 1
    crowded = np.bincount(run, minlength=1)[run] > 1 if len(run) else np.zeros(0, dtype=np.bool_)
    order, run = order[crowded], run[crowded]
    if not len(order):
        return
    order = order[np.lexsort((rank[order], run))]  # by rank inside a run: few records are in one
    _, firsts = np.unique(run * GROUPS + group[order], return_index=True)
    firsts.sort()
    begin = np.searchsorted(run[firsts], run)
    number = np.searchsorted(firsts, np.arange(len(order))) - begin
    for start in range(0, len(order), _CHUNK):
        size = number[start : start + _CHUNK]
        high = np.repeat(np.arange(start, start + len(size)), size)
        within = np.arange(len(high)) - np.repeat(np.cumsum(size) - size, size)
        low = firsts[begin[high] + within]
        yield order[high], order[low]
