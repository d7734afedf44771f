"""The verb `audit`: read the records and their scores once, then every number with its interval, then the verdict."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from triptych._version import __version__
from triptych.auditing.asking import ask
from triptych.auditing.columns import Column, Failure, Reference, read_column
from triptych.auditing.frame import Frame, read_frame
from triptych.auditing.gold import agreement
from triptych.auditing.intervals import Number
from triptych.auditing.judges import annotators_of
from triptych.auditing.judging import THRESHOLDS, judge
from triptych.auditing.leans import leans
from triptych.auditing.request import AuditOptions, no_field
from triptych.auditing.scored import Scored, scored
from triptych.auditing.spread import blocks, coverage, histogram, repeats, spread
from triptych.data import Dataset
from triptych.data.values import is_absent
from triptych.engines.progress import Progress

AUDIT_FILES = frozenset({"audit.json", "report.html"})
"""What an audit writes into its folder."""
SCHEMA = "triptych/audit@1"
PACKAGES = ("numpy", "pyarrow")


def audit_scores(
    source: object, dataset: Dataset, options: AuditOptions, progress: Progress | None = None
) -> dict[str, Any]:
    """Audit the scorers of a data set.

    Args:
        source: what it was opened from.
        dataset: for its layout.
        options: scorers, gold and the rest.
        progress: what long work tells its caller: a judge is asked here.

    Returns:
        The document of `audit.json`.

    Raises:
        InputError: the data or the options do not fit.
        TriptychError: a judge could not go on; what it said is kept.
    """
    started = time.perf_counter()
    known = frozenset(str(name) for name in dataset.layout.known | set(dataset.layout.labels))
    named = {Reference.of(text, known).name: option for text, option in options.columns.items()}
    frame = read_frame(source, dataset, options, list(named))
    for name, option in named.items():
        if all(is_absent(value) for value in frame.fields[name]):
            raise no_field(name, option, dataset)

    def column(text: str | None) -> Column | None:
        if text is None:
            return None
        reference = Reference.of(text, known)
        return read_column(reference, frame.fields[reference.name])

    gold, position = column(options.gold), column(options.position)
    wanted = (*options.scorers, *options.repeat)
    answers = ask(dataset, frame, wanted, options.settings.cache or None, progress or Progress())
    known |= set(answers.frame.fields)
    options = replace(options, repeat=tuple(answers.names.get(name, name) for name in options.repeat))
    scorers = []
    for asked in options.scorers:
        name = answers.names.get(asked, asked)
        own = replace(options, swapped=answers.swapped.get(name, options.swapped))
        one = scored(name, answers.frame, own, known, verdicts=name in answers.swapped)
        scorers.append(_scorer(one, gold, position))
    return {
        "schema": SCHEMA,
        "dataset": _dataset(dataset, frame),
        "gold": None if gold is None else _gold(gold, frame),
        "scorers": scorers,
        "thresholds": THRESHOLDS,
        "warnings": _warnings(frame, gold, position),
        "provenance": {
            "version": __version__,
            "command": options.settings.command,
            "seconds": round(time.perf_counter() - started, 3),
            "packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        },
    }


def _scorer(one: Scored, gold: Column | None, position: Column | None) -> dict[str, Any]:
    sections: dict[str, Sequence[Number]] = {
        "coverage": coverage(one),
        "spread": spread(one),
        "repeats": repeats(one),
        "leans": leans(one, gold, position),
        "gold": [] if gold is None else agreement(one, gold),
    }
    found = judge(
        [number for numbers in sections.values() for number in numbers], gold=None if gold is None else gold.name
    )
    return {
        "name": one.name,
        "kind": one.kind,
        "verdict": found.verdict,
        "reasons": list(found.reasons),
        "needed": found.needed,
        "primary": found.primary,
        "failures": [_failure(failure, one) for failure in one.column.failures],
        "repeats": [_column(column, one) for column in one.repeats],
        "numbers": {name: [number.to_json() for number in numbers] for name, numbers in sections.items()},
        "histogram": histogram(one.column.values),
        "blocks": blocks(one),
    }


def _failure(failure: Failure, one: Scored) -> dict[str, Any]:
    place = one.frame.places[one.places[failure.first]]
    return {"kind": failure.kind, "count": failure.count, "place": place, "example": failure.example}


def _column(column: Column, one: Scored) -> dict[str, Any]:
    return {"name": column.name, "failures": [_failure(failure, one) for failure in column.failures]}


def _gold(gold: Column, frame: Frame) -> dict[str, Any]:
    values = gold.values[~np.isnan(gold.values)]
    failures = [
        {"kind": one.kind, "count": one.count, "place": frame.places[one.first], "example": one.example}
        for one in gold.failures
    ]
    return {
        "name": gold.name,
        "n": len(values),
        "levels": len(np.unique(values)),
        "mean": float(values.mean()) if len(values) else None,
        "failures": failures,
    }


def _dataset(dataset: Dataset, frame: Frame) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "path": dataset.path,
        "rows": frame.rows,
        "records": len(frame),
        "skipped": frame.skipped,
        "detected": dataset.layout.sentence,
        "grouping": frame.grouping,
        "pairs": None
        if frame.pairs is None
        else {"n": len(frame.pairs.first), "left_out": frame.pairs.left_out, "sentence": frame.pairs.sentence},
    }


def _warnings(frame: Frame, gold: Column | None, position: Column | None) -> list[dict[str, str]]:
    out = []
    if frame.skipped:
        out.append({"code": "rows_skipped", "text": f"{frame.skipped:,} rows could not be read and were skipped."})
    for column, what in ((gold, "gold"), (position, "position")):
        if column is not None and column.failed:
            first = column.failures[0]
            text = f"{what} {column.name}: {column.failed:,} records without a number ({first.kind}, {first.example})."
            out.append({"code": f"{what}_missing", "text": text})
    if frame.pairs is not None and frame.pairs.left_out:
        text = f"{frame.pairs.left_out:,} values of the pair field are not shared by exactly two records."
        out.append({"code": "pairs_left_out", "text": text})
    return out


def _calls(options: AuditOptions) -> list[str]:
    """Who is asked, and about what."""
    makers = [maker for name in (*options.scorers, *options.repeat) for maker in annotators_of(name)]
    return [
        f"calls: one for each {'pair' if 'pairs' in each.title else 'record'}, {each.title}" for each in makers
    ] or ["calls: none"]


def describe_audit(dataset: Dataset, options: AuditOptions) -> str:
    """What an audit would do, in words. Reads only the head of the data."""
    known = frozenset(str(name) for name in dataset.layout.known | set(dataset.layout.labels))
    absent = sorted({Reference.of(text, known).name for text in options.columns} - known)
    rows, pairs = dataset.expected_rows(), options.pair_field(dataset)
    by_row = dataset.layout.fields.shape == "preference"
    lines = [
        f"data: {dataset.layout.sentence}",
        f"rows: {'unknown' if rows is None else f'about {rows:,}'}, read once; no text is kept",
        f"scorers: {', '.join(options.scorers)}",
        f"gold: {options.gold or 'none: a verdict of usable cannot be reached'}",
        f"second scores: {', '.join(options.repeat) or 'those of lists, and equal texts'}",
        f"pairs: {f'by the field {pairs}' if pairs else 'chosen and rejected of a row' if by_row else 'none'}",
        "intervals: 95 %, delete-a-group jackknife over 32 groups, a prompt's records in one group",
        *_calls(options),
    ]
    if absent:
        lines.append(f"not in the first rows: {', '.join(absent)}")
    return "\n".join(lines)
