"""The measures that hang on the encoder, read once more under another one: of all records, or of a sample of them.

A sample costs the dear encoder so many records and no more. It is made of whole prompts where records are grouped, in an order
by hash, so that a larger one holds every smaller one. The records behind it in that order make further samples of the same
size, which the first encoder knows all about: they help (`triptych.core.helped`). Every number of a sample is the value at so
many records, and the first encoder's at as many stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.annotating.annotator import Item
from triptych.annotating.run import ALL, Annotation, Sample, annotate
from triptych.core.groups import mix
from triptych.core.relation import Keys
from triptych.data import Dataset
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.fold import Selected
from triptych.engines.store import FeatureStore, scan
from triptych.features.embedding import Embedding
from triptych.profiling.annotations import described, features_of
from triptych.profiling.bench import Bench
from triptych.profiling.encoded import EncoderReading
from triptych.profiling.panel import Panel
from triptych.profiling.readings import Blocks, Prepared, folded, is_embedded, read_all
from triptych.profiling.reference import references_for

MOST, LEAST_MANY, WORK = 16, 2, 16_000
"""Further samples that help: at most 16; of large ones as many as hold 16,000 records, but two."""
_SALT = np.uint64(0x9E3779B97F4A7C15)


def read_second(dataset: Dataset, ready: Prepared, bench: Bench, other: Instruments) -> dict[str, Any]:
    """Key `second_encoder` of a profile: identity and estimates, and of a sample what was asked and the first encoder's
    estimates at as many records.
    """
    measures = tuple(m for m in ready.panel.measures if is_embedded(m.statistic(), ready.instruments))
    ready = replace(ready, panel=Panel(measures, ready.panel.headlines))
    told: dict[str, Any] = {"encoder": other.encoder_identity, "estimates": []}
    if not measures:
        return told
    references = references_for(measures, replace(bench, instruments=other))
    own = replace(
        other, judged=ready.instruments.judged, annotations=ready.instruments.annotations, references=references
    )
    size = bench.settings.encoder_sample
    if size is None or size >= len(ready.selected.keys):
        again = _under(dataset, ready, own, bench)
        return told | {"estimates": _json(read_all(again, folded(again, bench), bench))}
    blocks = samples(ready.selected.keys, size)
    rows = [_rows(ready.selected, places) for places in blocks]
    annotation = _encoded(ready, rows[0], own, bench)
    again = _under(dataset, ready, replace(own, annotations=(*own.annotations, *features_of([annotation]))), bench)
    again = replace(again, selected=replace(again.selected, rows=rows[0]))
    ready = replace(ready, work=work_for(_needs(ready), ready.instruments))
    samples_of = [replace(ready, selected=replace(ready.selected, rows=each)) for each in rows]
    cheap, here = [folded(each, bench) for each in samples_of], samples_of[0]
    asked = f"{len(rows[0]):,} of {len(ready.selected.keys):,} asked"
    name, others = ready.instruments.encoder_identity.partition("@")[0], sum(map(len, rows[1:]))
    helped = f"{asked}; helped by {name} on {others:,} others" if others else asked
    level = read_all(here, cheap[0], bench, Blocks(tuple(cheap), dear=False, told=f"mean of {len(rows)} samples"))
    dear = read_all(again, folded(again, bench), bench, Blocks(tuple(cheap), dear=True, told=helped))
    sample = described([annotation])[0] | {"records": len(ready.selected.keys), "helped_by": others}
    return told | {"estimates": _json(dear), "first": _json(level), "sample": sample}


def samples(keys: Keys, size: int) -> list[NDArray[np.int64]]:
    """Disjoint random samples of at most `size` records each, made of whole clusters (but of one at least), places ascending.

    Args:
        keys: of the n records to draw from.
        size: of a sample.

    Returns:
        The sample, and those that help; the last records, too few for one more, are in none.
    """
    unit = np.where(keys.cluster == 0, keys.address, keys.cluster)
    order = np.argsort(mix(mix(unit) ^ _SALT), kind="stable")
    first = np.flatnonzero(np.r_[True, unit[order][1:] != unit[order][:-1]])
    ends = np.r_[first[1:], len(order)]
    most = 1 + min(MOST, max(LEAST_MANY, WORK // size))
    out: list[NDArray[np.int64]] = []
    start = 0
    while len(out) < most and len(order) - start >= size:
        after = int(np.searchsorted(ends, start, side="right"))  # the unit that begins here
        last = int(np.searchsorted(ends, start + size, side="right")) - 1
        stop = int(ends[max(after, last)])
        out.append(np.sort(order[start:stop]))
        start = stop
    return out


def _rows(selected: Selected, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the store at these places among the selected."""
    return places if selected.rows is None else selected.rows[places]


def _needs(ready: Prepared) -> list[str]:
    """Columns that the panel's measures read."""
    return [need for measure in ready.panel.measures for need in measure.statistic().needs]


def _under(dataset: Dataset, ready: Prepared, instruments: Instruments, bench: Bench) -> Prepared:
    """The same records with the features that other instruments give."""
    work = work_for(_needs(ready), instruments)
    store = scan(dataset, work.features, bench.cache, bench.engine, bench.progress)
    return replace(
        ready, instruments=instruments, work=work, store=store, selected=replace(ready.selected, store=store)
    )


def _encoded(ready: Prepared, rows: NDArray[np.int64], instruments: Instruments, bench: Bench) -> Annotation:
    """The vectors of these rows under other instruments."""
    features = work_for(_needs(ready), instruments).features
    columns = tuple(sorted(name for each in features if isinstance(each, Embedding) for name in each.gives))
    items = _items(ready.store, rows)
    copies = Counter(item.content_id for item in items)
    distinct = tuple({item.content_id: item for item in items}.values())
    sample = Sample(distinct, copies, ALL, len(ready.selected.keys))
    reading = EncoderReading(replace(instruments, annotations=(), references=()), columns)
    return annotate(sample, reading, bench.cache.root, bench.progress, lasting=bench.settings.cache is not False)


def _items(store: FeatureStore, rows: NDArray[np.int64]) -> list[Item]:
    """The texts of these rows, which ascend."""
    found: list[Item] = []
    edges = np.searchsorted(rows, store.bounds)
    for index, shard in enumerate(store.shards):
        inside = rows[edges[index] : edges[index + 1]] - store.bounds[index]
        read = shard.read(["content_id", "prompt", "response"])
        found += map(Item, *(column.take(inside).to_pylist() for column in read.values()))
    return found


def _json(estimates: Sequence[Any]) -> list[dict[str, Any]]:
    return [estimate.to_json() for estimate in estimates]
