"""The sets of a comparison, prepared side by side: their features, their groups, and what they have in common.

Records that answer one prompt fall in one group on every side (a joint grouping), so that the covariance of paired data
counts. A shared group field does the same. Everything else keeps the group it has alone. Records that are bound together by
either (a prompt of this side's cluster that the other side has too) are one cluster: the connected components of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.annotating.run import Annotation
from triptych.core.batch import DEFECTS, Text
from triptych.core.groups import group_of, mix
from triptych.core.measure import Measure
from triptych.core.relation import Keys
from triptych.data import Dataset
from triptych.engines.catalog import Work, work_for
from triptych.engines.grouping import NEEDS, Grouping, group_records
from triptych.engines.store import FeatureStore, scan
from triptych.profiling.annotations import annotated, features_of, wanted
from triptych.profiling.bench import Bench
from triptych.profiling.panel import check_labels, plan

Ints = NDArray[np.int64]
UInts = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Side:
    """One of the sets that are compared, N records.

    Attributes:
        dataset, store, grouping, work: what statistics of any of its records are folded with.
        keys: of all records, under the joint grouping.
        measures: those of its own panel.
        judged: the text that is judged.
        prompt: key of the prompt of each record, 0 where it has none, uint64 (N,).
        length: tokens of the judged text; `tokens`: of prompt and response together, int64 (N,).
        valid: free of defects (N,).
        annotations: what models were asked about each record.
    """

    dataset: Dataset
    store: FeatureStore
    grouping: Grouping
    work: Work
    keys: Keys
    measures: tuple[Measure, ...]
    judged: Text
    prompt: UInts
    length: Ints
    tokens: Ints
    valid: NDArray[np.bool_]
    annotations: tuple[Annotation, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.dataset.name

    def most_repeated(self) -> int:
        """How many records the response that stands in most of them stands in; prompts where there are no responses."""
        keys = _keys(self.store, f"key@{self.judged}")
        return int(np.unique(keys[keys != 0], return_counts=True)[1].max(initial=0))


def prepare(dataset: Dataset, bench: Bench, columns: Sequence[str] = ()) -> Side:
    """Compute what the comparison reads of one set.

    Args:
        dataset: the set.
        bench: what to work with; its settings name the measures.
        columns: feature columns that are wanted beside those of the measures (`key@prompt`, `minhash:n=5@prompt`).

    Raises:
        InputError: the data or a request do not fit.
        TriptychError: a model that is asked about each record could not go on; what was paid for is kept.
    """
    layout = dataset.layout
    judged: Text = "response" if layout.has_response else "prompt"
    measures = plan(bench.settings, layout).measures
    check_labels(measures, layout)
    texts = [text for text in ("prompt", "response") if getattr(layout, f"has_{text}")]
    needs = [need for measure in measures for need in measure.statistic().needs]
    needs += [*NEEDS, DEFECTS, *(f"length@{text}" for text in texts), *columns]
    lasting, asked = bench.settings.cache is not False, wanted(measures, bench.settings)
    annotations = annotated(dataset, asked, bench.cache.root, bench.progress, lasting=lasting)
    work = work_for(needs, replace(bench.instruments, judged=judged, annotations=features_of(annotations)))
    store = scan(dataset, work.features, bench.cache, bench.engine, bench.progress)
    grouping = group_records(store, layout)
    lengths = {text: _counts(store, f"length@{text}") for text in texts}
    return Side(
        dataset=dataset,
        store=store,
        grouping=grouping,
        work=work,
        keys=grouping.keys,
        measures=measures,
        judged=judged,
        prompt=_keys(store, "key@prompt"),
        length=lengths[judged],
        tokens=np.sum(list(lengths.values()), axis=0),
        valid=_counts(store, DEFECTS) == 0,
        annotations=annotations,
    )


def _keys(store: FeatureStore, column: str) -> UInts:
    """A column of keys, 0 where missing."""
    return np.asarray(pc.fill_null(store.whole(column).cast("uint64"), 0).to_numpy(), dtype=np.uint64)


def _counts(store: FeatureStore, column: str) -> Ints:
    """A column of counts, 0 where missing."""
    return np.asarray(pc.fill_null(store.whole(column).cast("int64"), 0).to_numpy(), dtype=np.int64)


def joined(sides: Sequence[Side]) -> tuple[Side, ...]:
    """The sides under one joint grouping. With no prompt and no group in common each keeps its own."""
    prompts = _common([side.prompt for side in sides])
    named = [_named(side) for side in sides]
    groups = _common([keys for keys in named if keys is not None]) if all(k is not None for k in named) else prompts[:0]
    if not len(prompts) and not len(groups):
        return tuple(sides)
    prompt = [np.where(np.isin(side.prompt, prompts), side.prompt, np.uint64(0)) for side in sides]
    cluster = [_cluster(side, at, keys, groups) for at, (side, keys) in enumerate(zip(sides, named, strict=True))]
    bound = components(np.concatenate(prompt), np.concatenate(cluster))
    out, start = [], 0
    for side in sides:
        mine = bound[start : start + len(side)]
        start += len(side)
        keys = side.keys
        own = np.where(mine == 0, keys.group, group_of(mine))
        out.append(replace(side, keys=Keys(keys.ordinal, keys.address, own.astype(np.uint8), mine)))
    return tuple(out)


def _named(side: Side) -> UInts | None:
    """Keys of the group field, or None where the side has none."""
    if side.dataset.layout.group_field is None:
        return None
    return _keys(side.store, "key@group")


def _common(columns: Sequence[UInts]) -> UInts:
    """Keys, other than 0, that at least two sides have."""
    if len(columns) < 2:
        return np.zeros(0, dtype=np.uint64)
    keys, counts = np.unique(np.concatenate([np.unique(column) for column in columns]), return_counts=True)
    common: UInts = keys[(counts > 1) & (keys != 0)]
    return common


def _cluster(side: Side, at: int, named: UInts | None, groups: UInts) -> UInts:
    """Key of what binds the records of this side together: the same on all sides only for shared groups."""
    own = side.keys.cluster
    apart = np.where(own == 0, np.uint64(0), np.maximum(mix(own ^ mix(np.full(1, at + 1, np.uint64))), np.uint64(1)))
    if named is None or not len(groups):
        return apart
    return np.where(np.isin(named, groups), named, apart)


def components(prompt: UInts, cluster: UInts) -> UInts:
    """For each record a key of the component that its prompt and its cluster lie in; 0 where it has neither.

    Prompts and clusters are nodes; a record that has both is an edge between them.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - scipy is slow to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    names, codes = np.unique(np.concatenate([prompt, mix(cluster) * (cluster != 0)]), return_inverse=True)
    a, b = codes[: len(prompt)], codes[len(prompt) :]
    both = (prompt != 0) & (cluster != 0)
    edges = coo_array((np.ones(int(both.sum()), dtype=np.int8), (a[both], b[both])), shape=(len(names), len(names)))
    _, label = connected_components(edges, directed=False)
    least = np.full(label.max(initial=0) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    real = names != 0
    np.minimum.at(least, label[real], names[real])
    mine = np.where(prompt != 0, a, b)
    return np.where((prompt == 0) & (cluster == 0), np.uint64(0), np.maximum(mix(least[label[mine]]), np.uint64(1)))
