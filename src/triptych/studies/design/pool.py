"""The pool: every record that an arm may take, with its factors and what must not move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch, Text
from triptych.core.errors import SchemaError, message
from triptych.core.measure import Measure
from triptych.data import Dataset, Layout
from triptych.engines.catalog import Work, work_for
from triptych.engines.grouping import NEEDS, Grouping, group_records
from triptych.engines.store import FeatureStore, scan
from triptych.profiling.bench import Bench
from triptych.profiling.panel import plan
from triptych.selecting.fields import Columns, Wish, named, number, structure
from triptych.studies.design.levels import Request

Floats = NDArray[np.float64]

MOST = 20_000
"""Records that a design chooses from; of a larger pool, those with the smallest address hash: a random sample."""

SOURCES = ("source", "dataset", "subset", "origin")
SOURCE_KINDS = 20
REST = "the rest"
MEASURES = ("vendi:q=1", "vendi:q=2", "effective_structures", "distinct_n:n=2", "tokens", "reasoning_steps")


@dataclass(frozen=True)
class Pool:
    """n records to choose from, in the order of their rows.

    Attributes:
        dataset, store, grouping, work, measures: what statistics of any of them are folded with.
        rows: their ordinals in the store, int64 (n,) ascending.
        on, judged: the text that is embedded; the text that is judged and whose length is `length`.
        vectors: unit rows, float64 (n, d).
        tokens, length: tokens of prompt and response together, and of the judged text, float64 (n,).
        prompts: code of each prompt, -1 where no other record has it, int64 (n,).
        factors: values of Q and C, float64 (n,), finite.
        labels: how a profile calls the factors.
        tags: the value of each record where D is a field, as text (n,).
        beside: numbers that must not move, float64 (n,), NaN where missing.
        sources: fields whose shares must not move: name to one text for each record (n,).
        left_out: why records are not among the n, with how many.
    """

    dataset: Dataset
    store: FeatureStore
    grouping: Grouping
    work: Work
    measures: tuple[Measure, ...]
    rows: NDArray[np.int64]
    on: Text
    judged: Text
    vectors: Floats
    tokens: Floats
    length: Floats
    prompts: NDArray[np.int64]
    factors: Mapping[str, Floats]
    labels: Mapping[str, str]
    tags: NDArray[Any] | None = None
    beside: Mapping[str, Floats] = field(default_factory=dict)
    sources: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def addresses(self, chosen: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        """(source, row, line) of some records, by their positions."""
        parts = [self.store.whole(name).to_numpy()[self.rows[chosen]] for name in ("source", "row", "line")]
        return [(int(a), int(b), int(c)) for a, b, c in zip(*parts, strict=True)]


@dataclass(frozen=True)
class _Wishes:
    """All that is read of the records beside texts: factors, the tag, numbers and names that must not move."""

    factors: Mapping[str, Wish]
    tag: Wish | None
    beside: Mapping[str, Wish]
    sources: Mapping[str, Wish]

    @property
    def all(self) -> list[Wish]:
        """Every one of them."""
        return [*self.factors.values(), *filter(None, [self.tag]), *self.beside.values(), *self.sources.values()]


def read_pool(source: object, dataset: Dataset, bench: Bench, request: Request) -> Pool:
    """Read the pool and compute what the design needs of every record.

    Args:
        source: what the data set was opened from; fields that the store does not hold are read from it.
        dataset: the pool.
        bench: what to work with.
        request: the design.

    Raises:
        SchemaError: rows that give several records, a field that does not exist or does not vary, no record left.
    """
    layout = dataset.layout
    if layout.parts:
        what = f"{dataset.name}: a row of this pool gives several records, and arms hold whole rows."
        raise SchemaError(message(what, got=layout.sentence, want="a pool with one record in a row"))
    judged: Text = "response" if layout.has_response else "prompt"
    wishes = _wishes(dataset, request, judged)
    instruments = replace(bench.instruments, judged=judged)

    def scanned(columns: list[str]) -> tuple[FeatureStore, Work]:
        work = work_for(columns, instruments)
        return scan(dataset, work.features, bench.cache, bench.engine, bench.progress), work

    store, _ = scanned([*NEEDS, DEFECTS])
    grouping = group_records(store, layout)
    on = _embedded(request, layout, grouping)
    texts = [text for text in ("prompt", "response") if getattr(layout, f"has_{text}")]
    panel = plan(replace(bench.settings, measures=_measures(bench.settings.measures, on, wishes)), layout)
    columns = [*NEEDS, DEFECTS, f"embedding@{on}", f"tokens@{judged}", *(f"length@{text}" for text in texts)]
    columns += [wish.column for wish in wishes.all if wish.column]
    columns += [need for measure in panel.measures for need in measure.statistic().needs]
    store, work = scanned(columns)
    read = Columns(source, dataset, store, wishes.all)
    factors = {name: read.numbers(wish) for name, wish in wishes.factors.items()}
    tags = read.texts(wishes.tag) if wishes.tag else None
    chosen, left_out = _usable(store, on, factors, tags, dataset.name)
    tokens = np.sum([_lengths(store, text, chosen) for text in texts], axis=0)
    return Pool(
        dataset=dataset,
        store=store,
        grouping=grouping,
        work=work,
        measures=panel.measures,
        rows=chosen,
        on=on,
        judged=judged,
        vectors=_vectors(store, f"embedding@{on}", chosen),
        tokens=tokens,
        length=_lengths(store, judged, chosen),
        prompts=_prompts(store, "prompt" if layout.has_prompt else judged, chosen),
        factors={name: values[chosen] for name, values in factors.items()},
        labels={name: wish.label for name, wish in wishes.factors.items()},
        tags=tags[chosen] if tags is not None else None,
        beside=_varying({name: read.numbers(wish)[chosen] for name, wish in wishes.beside.items()}),
        sources=_shared({name: read.texts(wish)[chosen] for name, wish in wishes.sources.items()}, request),
        left_out=left_out,
    )


def _wishes(dataset: Dataset, request: Request, judged: Text) -> _Wishes:
    layout = dataset.layout
    factors = {f.name: number(f.source, f.name, dataset, judged) for f in request.factors if f.name != "D"}
    diverse = request.factor("D")
    tag = None
    if diverse and diverse.source == "structure":
        tag = structure(layout)
    elif diverse and not diverse.source.startswith("embedding"):
        tag = named(diverse.source, "D", dataset)
    beside = {}
    if "Q" not in factors and layout.labels:
        beside[layout.labels[0]] = number(layout.labels[0], "Q", dataset, judged)
    if "C" not in factors:
        beside["reasoning_steps"] = Wish("reasoning_steps", column=f"reasoning_steps@{judged}")
    taken = {wish.field for wish in (*factors.values(), tag) if wish}
    found = [name for name in SOURCES if name in layout.known and name not in taken]
    sources = {name: named(name, "--balance", dataset) for name in dict.fromkeys([*request.balance, *found])}
    if len(dataset.source_names) > 1:
        sources["file"] = Wish("file", column="source")
    return _Wishes(factors, tag, beside, sources)


def _embedded(request: Request, layout: Layout, grouping: Grouping) -> Text:
    """Which text is embedded: as asked; the prompt where prompts have several answers; else the response."""
    diverse = request.factor("D")
    base, _, on = diverse.source.partition("@") if diverse else ("embedding", "", "")
    if base == "embedding" and on:
        if on not in ("prompt", "response") or not getattr(layout, f"has_{on}"):
            want = "D=embedding@prompt or D=embedding@response"
            raise SchemaError(message(f"the records have no {on} to embed.", got=layout.sentence, want=want))
        return "prompt" if on == "prompt" else "response"
    if not layout.has_response or (grouping.clusters and layout.has_prompt):
        return "prompt"
    return "response"


def _measures(asked: tuple[str, ...], on: Text, wishes: _Wishes) -> tuple[str, ...]:
    """What is measured of every arm: as asked, or diversity in several forms, length, steps; and the factors."""
    own = [wish.label for wish in wishes.factors.values() if wish.label.startswith("label_mean:")]
    return (*(asked or MEASURES), f"vendi:q=1,on={on}", *own)


def _usable(
    store: FeatureStore, on: Text, factors: Mapping[str, Floats], tags: NDArray[Any] | None, name: str
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Ordinals of the records that an arm may take, and why others are left out (each counted once)."""
    left_out: dict[str, int] = {}
    good = np.ones(len(store), dtype=np.bool_)

    def drop(bad: NDArray[np.bool_], why: str) -> None:
        count = int((good & bad).sum())
        if count:
            left_out[why] = count
        good[bad] = False

    drop(pc.fill_null(store.whole(DEFECTS), 0).to_numpy() != 0, "a defect")
    drop(pc.is_null(store.whole(f"embedding@{on}")).to_numpy().astype(np.bool_), f"no {on}")
    for factor, values in factors.items():
        drop(np.isnan(values), f"no value of {factor}")
    if tags is not None:
        drop(np.array([tag is None for tag in tags]), "no value of D")
    rows = np.flatnonzero(good)
    if not len(rows):
        got = ", ".join(f"{count:,} with {why}" for why, count in left_out.items())
        raise SchemaError(
            message(f"{name}: no record of the pool can be used.", got=got, want="records with all fields")
        )
    for factor, values in factors.items():
        if np.ptp(values[rows]) == 0:
            what = f"{name}: {factor} is the same for all {len(rows):,} records, so no arm can be higher than another."
            raise SchemaError(message(what, got=f"{values[rows[0]]:g}", want="a field that varies"))
    if len(rows) > MOST:
        left_out[f"not among the {MOST:,} that are drawn"] = len(rows) - MOST
        rows = np.sort(rows[np.argsort(store.address()[rows], kind="stable")[:MOST]])
    return rows, left_out


def _vectors(store: FeatureStore, column: str, rows: NDArray[np.int64]) -> Floats:
    parts = []
    for shard, (low, high) in zip(store.shards, zip(store.bounds, store.bounds[1:], strict=False), strict=True):
        inside = rows[(rows >= low) & (rows < high)] - low
        whole = Batch(shard.read([column]), np.empty(0, np.uint8), np.empty(0, np.uint64)).matrix(column)
        parts.append(whole[inside].astype(np.float64))
    vectors = np.concatenate(parts)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _lengths(store: FeatureStore, text: str, rows: NDArray[np.int64]) -> Floats:
    column = store.whole(f"length@{text}").cast("float64")
    return np.asarray(pc.fill_null(column, 0.0).to_numpy()[rows], dtype=np.float64)


def _prompts(store: FeatureStore, text: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    keys = pc.fill_null(store.whole(f"key@{text}").cast("uint64"), 0).to_numpy()[rows]
    _, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.where((counts[codes] > 1) & (keys != 0), codes, -1)


def _varying(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: values for name, values in columns.items() if len(np.unique(values[~np.isnan(values)])) > 1}


def _shared(columns: Mapping[str, NDArray[Any]], request: Request) -> dict[str, NDArray[Any]]:
    """Fields with a few values; those asked for with many keep their most common ones."""
    out = {}
    for name, values in columns.items():
        texts = np.array([REST if value is None else str(value) for value in values], dtype=object)
        common = [value for value, _ in Counter(texts).most_common(SOURCE_KINDS)]
        many = len(set(texts)) > len(common)
        if len(common) > 1 and (not many or name in request.balance):
            out[name] = np.where(np.isin(texts, common), texts, REST)
    return out
