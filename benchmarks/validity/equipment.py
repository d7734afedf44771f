"""What some measures need beside the records: a reference set, and the columns that a language model makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from triptych.core.measure import Measure
from triptych.core.profile import write_text
from triptych.data import open_dataset
from triptych.profiling.annotations import annotated, features_of, wanted
from triptych.profiling.bench import Bench
from triptych.profiling.reference import reads_reference, references_for

__all__ = ["equipped", "reads_reference"]

Row = dict[str, Any]


def equipped(rows: Sequence[Row], bench: Bench, measures: Iterable[Measure], reference: Sequence[Row] | None) -> Bench:
    """The bench with the features of a reference set and of a language model, where measures read them."""
    now = list(measures)
    calls = wanted(now, bench.settings)
    marks = ()
    if calls:
        dataset = open_dataset(list(rows), bench.settings.reading())
        marks = features_of(annotated(dataset, calls, bench.cache.root, bench.progress))
    settings = bench.settings if reference is None else replace(bench.settings, reference=_file(reference, bench))
    held = references_for(now, replace(bench, settings=settings))
    return replace(bench, instruments=replace(bench.instruments, annotations=marks, references=held))


def _file(rows: Sequence[Row], bench: Bench) -> str:
    """The rows as a file of the cache."""
    text = "".join(json.dumps({key: row[key] for key in ("prompt", "response") if key in row}) + "\n" for row in rows)
    path = bench.cache.root / "validity" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return str(path)
