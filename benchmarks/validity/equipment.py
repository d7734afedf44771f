"""What some measures need beside the records: a reference set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from triptych.core.measure import Measure
from triptych.core.profile import write_text
from triptych.profiling.bench import Bench
from triptych.profiling.reference import reads_reference, references_for

__all__ = ["equipped", "reads_reference"]

Row = dict[str, Any]


def equipped(bench: Bench, measures: Iterable[Measure], reference: Sequence[Row] | None) -> Bench:
    """The bench with the features of a reference set, where measures read them."""
    settings = bench.settings if reference is None else replace(bench.settings, reference=_file(reference, bench))
    held = references_for(list(measures), replace(bench, settings=settings))
    return replace(bench, instruments=replace(bench.instruments, references=held))


def _file(rows: Sequence[Row], bench: Bench) -> str:
    """The rows as a file of the cache."""
    text = "".join(json.dumps({key: row[key] for key in ("prompt", "response") if key in row}) + "\n" for row in rows)
    path = bench.cache.root / "validity" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return str(path)
