"""Candidates from the columns of a store: which there are, in what order, and what policies know of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch
from triptych.core.errors import SelectionError, message
from triptych.data import Layout
from triptych.engines.store import FeatureStore
from triptych.features.validity import DEFECTS as KINDS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 1 << 16


class Maker:
    """Candidates from records: m in the order of the data, of which the n that may be taken are ranked."""

    def __init__(
        self,
        store: FeatureStore,
        layout: Layout,
        unit: str,
        values: Mapping[str, Floats],
        lengths: Mapping[str, Ints],
    ) -> None:
        self._values = values
        records = len(store)
        self.defects = pc.fill_null(store.whole(DEFECTS), 0).to_numpy().astype(np.int64)
        address = store.address()
        self.tokens: Ints = np.sum(list(lengths.values()), axis=0, dtype=np.int64)
        self.sizes: Ints | None = None
        self.first = np.arange(records, dtype=np.int64)
        if layout.parts:
            source, row = (store.whole(name).to_numpy() for name in ("source", "row"))
            new = np.ones(records, dtype=np.bool_)
            new[1:] = (source[1:] != source[:-1]) | (row[1:] != row[:-1])
            self.first = np.flatnonzero(new)
            self.sizes = np.diff(np.append(self.first, records))
        self.id = address[self.first]
        self.valid = self.summed((self.defects != 0).astype(np.int64)) == 0
        self.cost = np.ones(len(self.first), dtype=np.int64)
        if unit == "tokens":
            self.cost = self.summed(np.maximum(self.tokens, 1))
        elif unit == "records" and self.sizes is not None:
            self.cost = self.sizes

    def summed(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum over the records of each candidate (m,)."""
        return values if self.sizes is None else np.add.reduceat(values, self.first)

    def mean(self, values: Floats | None, rank: Ints) -> Any:
        """The mean of the known values of each candidate in the order of `rank`, NaN where there is none; None: no values."""
        if values is None:
            return None
        if self.sizes is None:
            return values[rank]
        known = ~np.isnan(values)
        count = self.summed(known.astype(np.float64))
        total = self.summed(np.where(known, values, 0.0))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)[rank]

    def ranked(self, name: str, *, with_invalid: bool) -> tuple[Ints, dict[str, Ints]]:
        """Candidates that may be taken, higher quality first and of equals the smaller id; and who is left out, and why."""
        left_out: dict[str, Ints] = {}
        chosen = np.arange(len(self.first))
        if not with_invalid:
            chosen = np.flatnonzero(self.valid)
            left_out = self._invalid()
            if not len(chosen):
                got = ", ".join(f"{len(at):,}: {why}" for why, at in left_out.items())
                what = f"{name}: no record is free of defects, so there is nothing to select from."
                raise SelectionError(message(what, got=got, want="at least one valid record", hint="--with-invalid"))
        quality = self.mean(self._values.get("quality"), chosen)
        keys = [self.id[chosen]] if quality is None else [self.id[chosen], -quality]  # NaN sorts last
        return chosen[np.lexsort(keys)], left_out

    def _invalid(self) -> dict[str, Ints]:
        out = {}
        for bits in np.unique(self.defects[self.defects != 0]).tolist():
            kinds = ", ".join(kind.replace("_", " ") for at, kind in enumerate(KINDS) if bits >> at & 1)
            out[f"a defect: {kinds}"] = np.flatnonzero(self.defects == bits)
        if self.sizes is not None:
            beside = np.repeat(~self.valid, self.sizes) & (self.defects == 0)
            if beside.any():
                out["another record of its row has a defect"] = np.flatnonzero(beside)
        return out


def filled(store: FeatureStore, column: str) -> Ints:
    """A count of all records (N,), 0 where missing."""
    return np.asarray(pc.fill_null(store.whole(column).cast("int64"), 0).to_numpy(), dtype=np.int64)


def vectors(store: FeatureStore, column: str, maker: Maker, rank: Ints) -> NDArray[np.float32]:
    """Unit rows of the candidates, or zeros, float32 (n, d), filled shard by shard in place."""
    place = np.full(len(maker.first), -1, dtype=np.int64)
    place[rank] = np.arange(len(rank))
    owner = place if maker.sizes is None else np.repeat(place, maker.sizes)
    out: NDArray[np.float32] | None = None
    for shard, low in zip(store.shards, store.bounds, strict=False):
        nothing = np.empty(0, np.uint8)
        rows = Batch(shard.read([column]), nothing, nothing.astype(np.uint64)).matrix(column)
        if out is None:
            out = np.zeros((len(rank), rows.shape[1]), dtype=np.float32)
        mine = owner[low : low + len(rows)]
        inside = np.flatnonzero(mine >= 0)
        if maker.sizes is None:
            out[mine[inside]] = rows[inside]
        else:
            np.add.at(out, mine[inside], rows[inside].astype(np.float32))
    if out is None:
        return np.zeros((0, 0), dtype=np.float32)
    return _unit(out)


def structures(store: FeatureStore, layout: Layout, first: Ints) -> NDArray[np.uint64] | None:
    """Keys of the structure field, 0 where a record has none; None where the rows have no such field."""
    if layout.structure_field is None:
        return None
    parts = [shard.read(["structure"])["structure"] for shard in store.shards]
    coded = pa.chunked_array(parts).combine_chunks().dictionary_encode()
    keys = [0 if text is None else max(_hash(text), 1) for text in coded.dictionary.to_pylist()]
    known = np.array([*keys, 0], dtype=np.uint64)
    at: Ints = pc.fill_null(coded.indices, len(keys)).to_numpy(zero_copy_only=False)
    return known[at[first]]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def codes(texts: NDArray[Any]) -> Ints:
    """Codes from 0 in the order of the texts, -1 where missing."""
    coded = pa.array(texts, type=pa.string()).dictionary_encode()
    names = np.array(coded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(names, kind="stable") if len(names) else np.zeros(0, dtype=np.int64)
    place = np.empty(len(names) + 1, dtype=np.int64)
    place[order] = np.arange(len(names))
    place[-1] = -1
    at: Ints = pc.fill_null(coded.indices, len(names)).to_numpy(zero_copy_only=False)
    return place[at]


def unit_rows(store: FeatureStore, column: str, ordinals: Ints) -> NDArray[np.float32]:
    """The vectors of some records, given by ordinals in ascending order, as unit rows or zeros, float32 (k, d)."""
    parts: list[NDArray[np.float32]] = []
    nothing = np.empty(0, np.uint8)
    bounds = store.bounds
    for shard, low, high in zip(store.shards, bounds, bounds[1:], strict=False):
        inside = ordinals[(ordinals >= low) & (ordinals < high)] - low
        if len(inside) or not parts:
            matrix = Batch(shard.read([column]), nothing, nothing.astype(np.uint64)).matrix(column)
            parts.append(matrix[inside].astype(np.float32))
    return _unit(np.concatenate(parts))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring rows to length 1 in place; half precision rounds, and a mean of several is shorter."""
    for begin in range(0, len(rows), _BLOCK):
        piece = rows[begin : begin + _BLOCK]
        norms = np.sqrt(np.einsum("ij,ij->i", piece, piece, dtype=np.float64))
        piece /= np.where(norms > 0, norms, 1)[:, None].astype(np.float32)
    return rows
