"""The reference set of a run: its vectors by the run's encoder, and the ball around each, kept for later runs.

At most `MOST` records of it are read, those of the smallest hashes of their addresses: a random sample that is the same
whatever the order of work. The interval of a number that reads it is conditional on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import On
from triptych.core.errors import SpecError, message
from triptych.core.groups import address_keys
from triptych.core.measure import Measure
from triptych.data import Dataset, ReadOptions, open_dataset
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.store import FeatureStore, scan
from triptych.features.reference import Balls, Reference
from triptych.neighbours.search import usable
from triptych.profiling.bench import Bench

MOST = 10_000
K = 5
PREFIX = "reference_"


def reads_reference(measure: Measure) -> bool:
    """Whether a measure reads where records lie in a reference set."""
    return any(need.startswith(PREFIX) for need in measure.statistic().needs)


def references_for(measures: Iterable[Measure], bench: Bench) -> tuple[Reference, ...]:
    """The features that say where records lie in the reference, one for each text that is read.

    Raises:
        SpecError: measures read a reference and none is named.
        InputError: it cannot be read, or has too few records.
    """
    reading = [measure for measure in measures if reads_reference(measure)]
    if not reading:
        return ()
    source = bench.settings.reference
    if source is None:
        what = f"{reading[0].label} reads a reference set, and none is named."
        raise SpecError(message(what, want="--reference FILE", hint="triptych measure DATA --reference trusted.jsonl"))
    texts: list[On] = sorted({getattr(measure, "on", "response") for measure in reading})
    encoder = bench.instruments.encoder
    if encoder.startswith("column:") and encoder.endswith(".npy"):
        what = f"--encoder {encoder} holds vectors of the data and none of the reference."
        hint = "column:FIELD, a field that both have, or an encoder that reads texts"
        raise SpecError(message(what, want="vectors of both by one encoder", hint=hint))
    carry = (encoder.removeprefix("column:"),) if encoder.startswith("column:") else ()
    dataset = open_dataset(source, ReadOptions(on_bad=bench.settings.on_bad, carry=carry))
    return tuple(_reference(dataset, on, bench) for on in texts)


def _reference(dataset: Dataset, on: On, bench: Bench) -> Reference:
    have = {"prompt": dataset.layout.has_prompt, "response": dataset.layout.has_response}
    if not (all(have.values()) if on == "both" else have[on]):
        text = "prompt and response" if on == "both" else on
        what = f"the reference {dataset.path} has no {text}."
        raise SpecError(message(what, got=dataset.layout.sentence, want=f"records with a {text}, as in the data"))
    columns = ("source", "row", "part", f"embedding@{on}")
    plain: Instruments = replace(bench.instruments, annotations=(), references=())
    store = scan(dataset, work_for(columns, plain).features, bench.cache, bench.engine, bench.progress)
    balls = Balls.around(_vectors(store, on), K)
    path, digest = balls.save(bench.cache.root / "references")
    return Reference(str(path), f"{dataset.name}@{digest}", K, on)


def _vectors(store: FeatureStore, on: On) -> NDArray[np.float32]:
    """Unit rows of the sample, in the order of their hash."""
    source, row, part = (store.whole(name).to_numpy() for name in ("source", "row", "part"))
    column = store.whole(f"embedding@{on}").combine_chunks()
    width = column.type.list_size
    flat = np.asarray(column.values.slice(column.offset * width, len(column) * width))
    rows = np.where(np.asarray(column.is_valid())[:, None], flat.reshape(-1, width), 0).astype(np.float32)
    there = usable(rows, "vectors of the reference")
    order = np.argsort(address_keys(source, row, part), kind="stable")
    rows = rows[order[there[order]][:MOST]]
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
