"""A set as texts with addresses: what overlap and duplicates across sets are looked for in.

A family is what belongs together by design: records of one row or named group, and of one prompt (equal in all words). Two
records of different families are different items; how often such records look alike is the chance level that matches with another set are held against.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.comparing.sides import Side, components
from triptych.comparing.spans import words_of
from triptych.core.batch import On, Text
from triptych.core.groups import mix
from triptych.core.relation import Keys
from triptych.data import Dataset
from triptych.engines.catalog import work_for
from triptych.engines.fold import Selected
from triptych.engines.grouping import NEEDS, group_records
from triptych.engines.store import FeatureStore, ShardColumns, scan
from triptych.profiling.bench import Bench

Ints = NDArray[np.int64]
UInts = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Corpus:
    """N records of one set.

    Attributes:
        dataset, store: what is read.
        keys: groups of its records.
    """

    dataset: Dataset
    store: FeatureStore
    keys: Keys

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.dataset.name

    @property
    def roles(self) -> tuple[Text, ...]:
        """Which texts the records have."""
        return roles_of(self.dataset)

    @property
    def sha256(self) -> str:
        """Of the content."""
        assert self.dataset.summary is not None  # noqa: S101 - the scan has read the whole set
        return self.dataset.summary.sha256

    @cached_property
    def family(self) -> UInts:
        """Key of the family of each record (N,): what its cluster and its prompt bind together; itself where it has neither."""
        own = mix(self.keys.address)
        if not self.dataset.layout.has_prompt:
            return np.where(self.keys.cluster != 0, self.keys.cluster, own)
        words = [words_of(texts) for _, texts in self.texts("prompt")]
        whole, size = (np.concatenate(each) for each in zip(*((w.whole(), w.sizes) for w in words), strict=True))
        bound = components(np.where(size > 0, whole, np.uint64(0)), self.keys.cluster)
        return np.where(bound != 0, bound, own)

    def texts(self, role: Text) -> Iterator[tuple[int, list[str | None]]]:
        """The texts of each shard, with the ordinal of the first."""
        for start, shard in zip(self.store.bounds.tolist(), self.store.shards, strict=False):
            yield start, shard.read([role])[role].to_pylist()

    def some(self, at: Sequence[int], on: On) -> list[str]:
        """The texts of some records, "" where there is none; prompt and response with an empty line between."""
        roles: list[Text] = ["prompt", "response"] if on == "both" else [on]
        bounds = self.store.bounds
        parts: dict[int, pa.Array] = {}
        out = []
        for ordinal in at:
            place = int(np.searchsorted(bounds, ordinal, side="right")) - 1
            read = parts[place] if place in parts else self.store.shards[place].read(roles)
            parts[place] = read
            held = [read[role][ordinal - int(bounds[place])].as_py() for role in roles]
            out.append("\n\n".join(text for text in held if text))
        return out

    def address(self, at: int) -> dict[str, object]:
        """Where a record stands: its source by name, and its row, from 0."""
        place = int(np.searchsorted(self.store.bounds, at, side="right")) - 1
        read = self.store.shards[place].read(["source", "row"])
        source, row = (int(read[name][at - int(self.store.bounds[place])].as_py()) for name in ("source", "row"))
        return {"source": self.dataset.source_names[source], "row": row}

    def having(self, columns: Sequence[str], bench: Bench) -> Corpus:
        """The corpus with these feature columns as well."""
        if set(columns) <= set(self.store.columns):
            return self
        work = work_for(columns, bench.instruments)
        return replace(self, store=scan(self.dataset, work.features, bench.cache, bench.engine, bench.progress))


def corpus_of(side: Side) -> Corpus:
    """A side of a comparison, under its groups there."""
    return Corpus(side.dataset, side.store, side.keys)


def corpus_of_measured(dataset: Dataset, selected: Selected) -> Corpus:
    """The records of a set that are measured; their store has the columns that are read of them."""
    if selected.rows is None:
        return Corpus(dataset, selected.store, selected.all_keys)
    keys = replace(selected.keys, ordinal=np.arange(len(selected.rows)))
    return Corpus(dataset, some_records(selected.store, selected.rows), keys)


def some_records(store: FeatureStore, rows: Ints) -> FeatureStore:
    """The store of some records only, by their ordinals, ascending."""
    bounds = store.bounds
    edges = np.searchsorted(rows, bounds)
    shards = tuple(_Some(shard, rows[edges[i] : edges[i + 1]] - bounds[i]) for i, shard in enumerate(store.shards))
    return FeatureStore(shards, store.columns)


@dataclass(frozen=True, eq=False)
class _Some:
    """Some records of a shard, by their places in it."""

    shard: ShardColumns
    inside: Ints

    @property
    def records(self) -> int:
        return len(self.inside)

    def read(self, columns: Sequence[str]) -> dict[str, pa.Array]:
        take = pa.array(self.inside)
        found: dict[str, Any] = self.shard.read(columns)
        return {name: column.take(take) for name, column in found.items()}


def roles_of(dataset: Dataset) -> tuple[Text, ...]:
    """Which texts the records of a set have."""
    held: list[Text] = ["prompt"] if dataset.layout.has_prompt else []
    return (*held, "response") if dataset.layout.has_response else tuple(held)


def signature_columns(roles: Sequence[On]) -> list[str]:
    """The columns that hold the signatures of these texts."""
    return [f"minhash:n=5@{role}" for role in roles]


def open_corpus(dataset: Dataset, bench: Bench) -> Corpus:
    """A set that is only read for its texts, with their signatures.

    Raises:
        InputError: it cannot be read.
    """
    work = work_for([*NEEDS, *signature_columns(roles_of(dataset))], bench.instruments)
    store = scan(dataset, work.features, bench.cache, bench.engine, bench.progress)
    return Corpus(dataset, store, group_records(store, dataset.layout).keys)


def representatives(family: UInts) -> Ints:
    """The first record of each family, ascending."""
    return np.sort(np.unique(family, return_index=True)[1]).astype(np.int64)


def data_of(first: Corpus, second: Corpus) -> str:
    """A short hash of the content of two sets."""
    return hashlib.sha256(f"{first.sha256} {second.sha256}".encode()).hexdigest()[:12]
