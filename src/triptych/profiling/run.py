"""One data set from rows to profile."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow.compute as pc

from triptych.core.batch import DEFECTS, Text
from triptych.core.errors import SchemaError, message
from triptych.core.estimate import Undefined
from triptych.core.groups import everything
from triptych.core.profile import Profile
from triptych.core.relation import Keys
from triptych.data import Dataset
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.fold import Selected
from triptych.engines.grouping import NEEDS, Grouping, group_records
from triptych.engines.parquet import write_features
from triptych.engines.store import FeatureStore, scan
from triptych.profiling.annotations import annotated, described, features_of, wanted
from triptych.profiling.bench import Bench
from triptych.profiling.beside import Beside
from triptych.profiling.panel import check_labels, plan
from triptych.profiling.readings import Prepared, folded, read_all
from triptych.profiling.reference import references_for
from triptych.profiling.second import read_second
from triptych.profiling.warn import warnings


class Also(Protocol):
    """What is told of a set beside its measures."""

    def columns(self, dataset: Dataset) -> Sequence[str]:
        """Feature columns of the set that it reads."""

    def details(self, dataset: Dataset, selected: Selected) -> Mapping[str, Any]:
        """Keys of the profile, of the records that are measured."""


def profile_dataset(dataset: Dataset, bench: Bench, features: Path | None = None, also: Also | None = None) -> Profile:
    """Measure one data set.

    Args:
        dataset: what to measure.
        bench: what to work with.
        features: where to write `features.parquet`, or None.
        also: what is told of it beside its measures.

    Raises:
        InputError: the data or a request do not fit.
    """
    started, asked = time.perf_counter(), bench.asked()
    ready = _prepare(dataset, bench, also.columns(dataset) if also else ())
    store, grouping, selected = ready.store, ready.grouping, ready.selected
    with ThreadPoolExecutor(1) as aside:  # the file is written while the numbers are made
        about = {
            "instruments": asdict(replace(ready.instruments, annotations=(), references=())),
            "grouping": grouping.sentence,
        }
        written = aside.submit(write_features, features, store, grouping.keys, about) if features else None
        estimates = read_all(ready, folded(ready, bench), bench)
        if written:
            written.result()
    description = _describe(dataset, store, grouping, selected.keys, bench)
    details = Beside(store, selected.keys, dataset.source_names, ready.instruments.judged).details()
    if ready.annotations:
        details["annotations"] = described(ready.annotations)
    if bench.second:
        details["second_encoder"] = read_second(dataset, ready, bench, bench.second)
    if also:
        details |= also.details(dataset, selected)
    return Profile(
        dataset=description,
        estimates=estimates,
        details=details,
        warnings=warnings(estimates, details, description),
        artifacts=_artifacts(ready, bench.second),
        provenance=bench.provenance(time.perf_counter() - started, asked),
    )


def read_values(dataset: Dataset, bench: Bench) -> dict[str, float]:
    """The value of every measure of a data set by label, without intervals; measures that are undefined are left out.

    Raises:
        InputError: the data or a request do not fit.
    """
    ready = _prepare(dataset, bench)
    found = folded(ready, bench)
    read_here = {m.label: m.value(found[m.statistic().spec.hash], everything()) for m in ready.panel.measures}
    return {label: float(value) for label, value in read_here.items() if not isinstance(value, Undefined)}


def _prepare(dataset: Dataset, bench: Bench, more: Sequence[str] = ()) -> Prepared:
    """Compute what the panel reads of a data set, and more columns that are wanted."""
    panel = plan(bench.settings, dataset.layout)
    check_labels(panel.measures, dataset.layout)
    on: Text = "response" if dataset.layout.has_response else "prompt"
    asked = wanted(panel.measures, bench.settings)
    lasting = bench.settings.cache is not False
    annotations = annotated(dataset, asked, bench.cache.root, bench.progress, lasting=lasting)
    references = references_for(panel.measures, bench)
    marks = features_of(annotations)
    instruments = replace(bench.instruments, judged=on, annotations=marks, references=references)
    columns = [need for measure in panel.measures for need in measure.statistic().needs]
    columns += [*NEEDS, f"defects@{on}", DEFECTS, *more]
    columns += [f"length@{text}" for text in ("prompt", "response") if getattr(dataset.layout, f"has_{text}")]
    work = work_for(columns, instruments)
    store = scan(dataset, work.features, bench.cache, bench.engine, bench.progress)
    grouping = group_records(store, dataset.layout)
    kept = _selected(store, grouping, bench.settings.valid_only)
    return Prepared(panel, instruments, annotations, work, store, grouping, kept)


def _selected(store: FeatureStore, grouping: Grouping, valid_only: bool) -> Selected:
    if not valid_only:
        return Selected(store, grouping.keys)
    flags = pc.fill_null(store.whole(DEFECTS), 0).to_numpy()
    rows = np.flatnonzero(flags == 0)
    if not len(rows):
        raise SchemaError(
            message(
                "no record is free of defects.",
                got=f"{len(flags):,} records, all with a defect",
                hint="without --valid-only",
            )
        )
    return Selected(store, grouping.keys, rows)


def _describe(dataset: Dataset, store: FeatureStore, grouping: Grouping, keys: Keys, bench: Bench) -> dict[str, Any]:
    summary = dataset.summary
    assert summary is not None  # noqa: S101 - the scan has read the whole set
    return {
        "name": dataset.name,
        "path": dataset.path,
        "sha256": summary.sha256,
        "rows": summary.rows,
        "records": summary.records,
        "measured": len(keys),
        "tokens": _sum(store, "length"),
        "unknown_tokens": _sum(store, "unknown"),
        "tokenizer": bench.instruments.tokenizer_identity,
        "skipped": summary.skipped_total,
        "skipped_rows": [asdict(skip) for skip in summary.skipped],
        "detected": dataset.layout.sentence,
        "grouping": grouping.sentence,
    }


def _sum(store: FeatureStore, name: str) -> int:
    """Sum of a count over prompts and responses."""
    columns = [store.whole(column) for column in (f"{name}@prompt", f"{name}@response") if column in store.columns]
    return sum(int(pc.sum(column).as_py() or 0) for column in columns)


def _artifacts(ready: Prepared, second: Instruments | None) -> tuple[dict[str, str], ...]:
    own = ready.instruments
    pairs = [("tokenizer", own.tokenizer_identity), ("encoder", own.encoder_identity)]
    pairs += [("encoder", second.encoder_identity)] if second else []
    found = [{"name": f"{kind} {name.partition('@')[0]}", "hash": name.partition("@")[2]} for kind, name in pairs]
    found += [{"name": each.title, "hash": each.identity} for each in ready.annotations]
    for each in own.references:
        name, _, digest = each.identity.partition("@")
        found.append({"name": f"reference {name} by its {each.on}", "hash": digest})
    return tuple(found)
