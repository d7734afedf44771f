"""Logs of Inspect (inspect_ai), version 2: `.json`, and `.eval`, which is a zip of JSON members.

A log is one evaluation of one model on one task: `status` (success, error, cancelled, started), `eval` (task, model, model_args,
metadata), `results.scores` (each a scorer with `metrics`, a mapping of name to `value`), `samples` and `reductions` (a score
of each sample, over epochs). In `.eval` the head is `header.json`, reductions are `reductions.json`, samples are
`samples/ID_epoch_N.json`; a log that is still being written has only `_journal/start.json`.

A run is a model, or what `run` in the log's metadata says. Columns: `TASK` is the first metric of the first scorer,
`TASK/SCORER/METRIC` are all of them. A log that did not succeed gives no score; its error is kept.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, message
from triptych.studies.trace.rows import Gathered, Items, Row

_VALUES = {"c": 1.0, "p": 0.5, "i": 0.0, "n": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
"""What the marks of a score stand for: correct, partial, incorrect, no answer."""

_ERRORS = frozenset({"stderr", "bootstrap_stderr", "std", "var", "ci_lower", "ci_upper"})


@dataclass
class _Run:
    """What the logs of one run say."""

    place: str
    cells: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Items] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def is_inspect(document: Any) -> bool:
    """Whether a JSON document is a log: it has `eval` with a task and a model."""
    spec = document.get("eval") if isinstance(document, dict) else None
    return isinstance(spec, dict) and "task" in spec and "model" in spec


def open_log(path: Path, *, items: bool) -> dict[str, Any]:
    """The content of a `.eval` file as one document; with `items`, the samples too where there are no reductions.

    Raises:
        ReadError: it is no zip, holds no log, or is compressed in a way that this Python cannot read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            head = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
            if head is None:
                raise ReadError(
                    message(f"{path}: no log in the archive.", got=", ".join(names[:4]), want="header.json")
                )
            document: dict[str, Any] = json.loads(archive.read(head))
            if not is_inspect(document):
                raise ReadError(message(f"{path}: {head} is no log.", want="eval with a task and a model"))
            if not items:
                return document
            if "reductions.json" in names:
                document["reductions"] = json.loads(archive.read("reductions.json"))
            elif document.get("results"):
                inside = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
                document["samples"] = [json.loads(archive.read(name)) for name in inside]
    except (zipfile.BadZipFile, RuntimeError, zlib.error, ValueError, KeyError) as error:
        hint = "inspect log convert --to json"
        raise ReadError(
            message(f"{path}: the log cannot be read.", got=str(error), want="a .eval file", hint=hint)
        ) from error
    return document


def read_inspect(documents: Sequence[tuple[Path, Mapping[str, Any]]], wanted: Collection[str]) -> Gathered:
    """One row a run from logs, oldest first; a task evaluated twice counts as it last succeeded.

    Args:
        documents: path and content of each log.
        wanted: columns whose items are kept.
    """
    runs: dict[str, _Run] = {}
    panels, again, invalid = dict[str, None](), set[str](), list[str]()
    for path, log in sorted(documents, key=lambda one: (str(one[1]["eval"].get("created", "")), one[0].name)):
        spec = log["eval"]
        name, task = _run_name(log), str(spec["task"]).rpartition("/")[2]
        run = runs.setdefault(name, _Run(str(path)))
        run.cells |= {key: value for key, value in _facts(log).items() if key not in run.cells}
        panels[task] = None
        if log.get("status") != "success" or not log.get("results"):
            error = (log.get("error") or {}).get("message") or f"status {log.get('status', 'started')}"
            run.errors[task] = str(error)
            continue
        run.errors.pop(task, None)
        if task in run.cells:
            again.add(f"{name}: {task}")
        if log.get("invalidated"):
            invalid.append(f"{name}: {task}")
        _take(run, log, task, wanted)
    warnings = [
        {"code": code, "text": f"{words}: {', '.join(sorted(texts)[:8])}"}
        for texts, code, words in (
            (again, "evaluated_again", "evaluated more than once, the last counts"),
            (invalid, "invalidated", "logs with samples that were marked invalid"),
            (
                [f"{name}: {task}" for name, run in runs.items() for task in run.errors],
                "log_failed",
                "logs that did not succeed give no score",
            ),
        )
        if texts
    ]
    rows = tuple(_row(name, run) for name, run in runs.items())
    return Gathered(rows, kind="inspect", run="run", panels=tuple(panels), warnings=tuple(warnings))


def _row(name: str, run: _Run) -> Row:
    cells = {"run": name, **run.cells}
    if run.errors:
        texts = [f"{task}: {' '.join(error.split())}" for task, error in run.errors.items()]
        cells |= {"error": "; ".join(texts)}
    return Row(run.place, cells, run.items)


def _metadata(log: Mapping[str, Any]) -> Mapping[str, Any]:
    return log.get("metadata") or log["eval"].get("metadata") or {}


def _run_name(log: Mapping[str, Any]) -> str:
    """`run` of the metadata, else the path of the model among its arguments, else the model's name."""
    args = log["eval"].get("model_args") or {}
    return str(_metadata(log).get("run") or args.get("model_path") or log["eval"]["model"])


def _facts(log: Mapping[str, Any]) -> dict[str, Any]:
    """Model and single values of the metadata: columns for factors and blocks."""
    plain = {k: v for k, v in _metadata(log).items() if isinstance(v, (str, int, float, bool)) and k != "run"}
    return {"model": log["eval"]["model"], **plain}


def _take(run: _Run, log: Mapping[str, Any], task: str, wanted: Collection[str]) -> None:
    """Put the metrics of one log into the columns, and the items of those that are wanted."""
    first = True
    for score in log["results"].get("scores") or []:
        for metric, entry in (score.get("metrics") or {}).items():
            if metric in _ERRORS:
                continue
            value = entry.get("value") if isinstance(entry, dict) else entry
            known = float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
            names = [f"{task}/{score['name']}/{metric}", *([task] if first else [])]
            first = False
            for column in names:
                run.cells[column] = known
                if column in wanted and (items := dict(_items(log, score))):
                    run.items[column] = items


def _items(log: Mapping[str, Any], score: Mapping[str, Any]) -> Iterator[tuple[Any, float]]:
    """(sample, score) from the reductions, or from the samples, epochs averaged."""
    name, scorer = score["name"], score.get("scorer", score["name"])
    reductions = log.get("reductions") or (log.get("results") or {}).get("sample_reductions") or []
    for reduction in reductions:
        if reduction.get("scorer") in (name, scorer) and reduction.get("reducer") in (
            None,
            score.get("reducer"),
            "mean",
        ):
            for sample in reduction["samples"]:
                yield sample.get("sample_id"), _value(sample.get("value"), name)
            return
    epochs: dict[Any, list[float]] = {}
    for sample in log.get("samples") or []:
        scores = sample.get("scores") or {}
        found = scores.get(scorer) or scores.get(name) or {}
        epochs.setdefault(sample.get("id"), []).append(_value(found.get("value"), name))
    for key, values in epochs.items():
        known = [value for value in values if math.isfinite(value)]
        yield key, (sum(known) / len(known) if known else math.nan)


def _value(value: Any, name: str) -> float:
    """A score as a number: marks, yes and no, numbers; a mapping by the scorer's name; NaN for anything else."""
    if isinstance(value, dict):
        value = value.get(name)
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _VALUES:
            return _VALUES[text]
        try:
            return float(text)
        except ValueError:
            return math.nan
    return math.nan
