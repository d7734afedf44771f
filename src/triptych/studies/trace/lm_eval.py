"""Result files of the LM Evaluation Harness (lm-eval 0.4): `results_*.json`, with `samples_*.jsonl` where they were kept.

A results file holds one evaluation of one model: `results` maps a task or group to metrics whose keys are
`metric,filter` (`acc,none`, `exact_match,strict-match`), each with `metric_stderr,filter`, beside the word `alias`;
`groups` repeats the groups, `group_subtasks` says what is in them, `model_name` names the model. A samples file has a line
for each document and filter, with `doc_id`, `filter` and the metric under its bare name.

A run is a model. Columns: `TASK` is the first metric of a task, `TASK/METRIC` and `TASK/METRIC@FILTER` are all of them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, message
from triptych.studies.trace.rows import Gathered, Items, Row

_SAMPLES = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?)\.jsonl$")
_PLAIN = "none"


@dataclass
class _Model:
    """What the results files of one model say, the newest of each task."""

    cells: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    place: str = ""


def is_lm_eval(document: Any) -> bool:
    """Whether a JSON document is a results file: `results` of mappings, beside `configs` or `versions`."""
    if not isinstance(document, dict) or not isinstance(document.get("results"), dict):
        return False
    return ("configs" in document or "versions" in document) and "eval" not in document


def read_lm_eval(documents: Sequence[tuple[Path, Mapping[str, Any]]], wanted: Collection[str]) -> Gathered:
    """One row a model from results files, oldest first; a task evaluated twice counts as it was last.

    Args:
        documents: path and content of each results file.
        wanted: columns whose items are read from the samples files beside them (they can be large).

    Raises:
        ReadError: a samples file is damaged.
    """
    models: dict[str, _Model] = {}
    warnings, panels, again, lower = [], dict[str, None](), set[str](), set[str]()
    for path, document in sorted(documents, key=lambda one: (float(one[1].get("date") or 0), one[0].name)):
        name = _model_name(path, document)
        model = models.setdefault(name, _Model(place=str(path)))
        panels |= dict.fromkeys(_top(document))
        for task, metrics in document["results"].items():
            if task in model.metrics:
                again.add(f"{name}: {task}")
            _take(model, path, task, metrics)
            better = (document.get("higher_is_better") or {}).get(task) or {}
            if task in model.metrics and better.get(model.metrics[task][0]) is False:
                lower.add(task)
    for texts, code, words in (
        (again, "evaluated_again", "evaluated more than once, the last counts"),
        (lower, "lower_is_better", "lower is better: an effect that raises it makes the model worse"),
    ):
        if texts:
            warnings.append({"code": code, "text": f"{words}: {', '.join(sorted(texts)[:8])}"})
    if any(len(_metrics(metrics)) > 1 for _, document in documents for metrics in document["results"].values()):
        text = "tasks have several metrics; the bare name of a task is its first one. The others: TASK/METRIC@FILTER"
        warnings.append({"code": "first_metric", "text": text})
    rows = tuple(
        Row(model.place, {"run": name, "model": name, **model.cells}, _items(model, wanted))
        for name, model in models.items()
    )
    return Gathered(rows, kind="lm-eval", run="run", panels=tuple(panels), warnings=tuple(warnings))


def _model_name(path: Path, document: Mapping[str, Any]) -> str:
    """The model's name: as recorded, or from the arguments (a text or a mapping), or the folder's name."""
    if document.get("model_name"):
        return str(document["model_name"])
    args = (document.get("config") or {}).get("model_args") or {}
    if isinstance(args, str):
        args = dict(part.split("=", 1) for part in args.split(",") if "=" in part)
    for key in ("peft", "delta", "pretrained", "model", "path", "engine"):
        if args.get(key):
            return str(args[key])
    return path.parent.name


def _top(document: Mapping[str, Any]) -> list[str]:
    """Groups and tasks that are in no group of this file."""
    inner = {task for tasks in (document.get("group_subtasks") or {}).values() for task in tasks}
    return [task for task in document["results"] if task not in inner]


def _metrics(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(metric, filter) of each score, in their order; errors, aliases and sizes are none."""
    pairs = [key.partition(",")[::2] for key in metrics if "," in key]
    return [(metric, kind) for metric, kind in pairs if not metric.endswith("_stderr")]


def _take(model: _Model, path: Path, task: str, metrics: Mapping[str, Any]) -> None:
    """Put the scores of one task into the columns; a score that is no number ("N/A") is a blank."""
    for place, (metric, kind) in enumerate(_metrics(metrics)):
        value = metrics[f"{metric},{kind}"]
        score = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        name = f"{task}/{metric}" if kind == _PLAIN else f"{task}/{metric}@{kind}"
        for column in (task, name) if place == 0 else (name,):
            model.cells[column] = score
            model.metrics[column] = (metric, kind, task)
    model.folders[task] = path


def _items(model: _Model, wanted: Collection[str]) -> dict[str, Items]:
    """Scores of documents for the wanted columns, from the newest samples file of the task beside its results."""
    out = {}
    for column in wanted:
        if column not in model.metrics:
            continue
        metric, kind, task = model.metrics[column]
        files = [
            (found["date"], file)
            for file in model.folders[task].parent.glob("samples_*.jsonl")
            if (found := _SAMPLES.match(file.name)) and found["task"] == task
        ]
        if files and (scores := _samples(max(files)[1], metric, kind)):
            out[column] = scores
    return out


def _samples(file: Path, metric: str, kind: str) -> Items:
    """Document to score of one metric and filter; metrics that are no number for a document (a perplexity's parts) are not read."""
    scores: Items = {}
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                sample = json.loads(line)
            except ValueError as error:
                raise ReadError(
                    message(f"{file}:{number}: not JSON.", got=str(error), want="one sample a line")
                ) from error
            if sample.get("filter", _PLAIN) != kind or metric not in sample:
                continue
            value = sample[metric]
            if isinstance(value, (list, dict, str)):
                return {}
            scores[sample.get("doc_id", number)] = math.nan if value is None else float(value)
    return scores
