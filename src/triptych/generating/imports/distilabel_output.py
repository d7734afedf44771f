"""Outputs of distilabel: a saved Distiset, or rows with `distilabel_metadata`, or generation and model_name.

A Distiset on disk is a folder with one saved data set for each leaf step and `distiset_configs/pipeline.yaml`; the names of
folders and files were read in the package's own source (`distilabel/constants.py`, `distilabel/distiset.py`), the fields of
rows in data sets that it made, what a step dumps (name, type_info {module, name}, llm {model, generation_kwargs}) in its
tests. Without pipeline.yaml, or without PyYAML to read it, only the model is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from triptych.core.errors import UsageError, message
from triptych.generating.imports.imported import (
    NONE,
    SEVERAL,
    Imported,
    first_row,
    json_object,
    rows_of,
    stated,
    total,
    values,
    yaml_object,
)

KIND = "distilabel"
CONFIGS, PIPELINE, METADATA = "distiset_configs", "pipeline.yaml", "distilabel_metadata"
FILTERS = ("Filter", "Dedup")
"""What the names of steps that drop rows hold."""


def fits(path: Path) -> bool:
    """Whether a path is such an output."""
    if (path / CONFIGS).is_dir():
        return True
    row = first_row(path) or {}
    return METADATA in row or row.keys() >= {"generation", "model_name"}


def read(path: Path) -> Imported:
    """Read one.

    Raises:
        ReadError: a file that cannot be read.
        UsageError: a Distiset of several leaf steps or splits.
    """
    rows = list(rows_of(_data(path)))
    held = [row for row in rows if row.get("generation", "") is not None]
    steps, notes = _steps(path)
    known = {**_of_rows(rows), **_of_steps(steps)}
    return Imported(
        kind=KIND,
        rows=[{key: value for key, value in row.items() if key != METADATA} for row in held],
        components=known,
        cost=_cost([row.get(METADATA) or {} for row in rows]),
        failed={"no generation": len(rows) - len(held)} if len(held) < len(rows) else {},
        notes=tuple(notes),
    )


def _data(path: Path) -> Path:
    """The saved data set of the one leaf step."""
    if not (path / CONFIGS).is_dir():
        return path
    leaves = sorted(one for one in path.iterdir() if one.is_dir() and one.name != CONFIGS and one.name[0] != ".")
    leaves = [one for one in leaves if one.name != "artifacts"]
    if len(leaves) != 1:
        got = ", ".join(one.name for one in leaves) or "none"
        raise UsageError(message(f"{path}: one leaf step is wanted.", got=got, hint=f"{path}/STEP"))
    return _split(leaves[0])


def _split(leaf: Path) -> Path:
    """The one split of a saved data set."""
    named = json_object(leaf / "dataset_dict.json")
    if named is None:
        return leaf
    splits = [str(one) for one in named.get("splits") or []]
    if len(splits) != 1:
        got = ", ".join(splits) or "none"
        raise UsageError(message(f"{leaf}: one split is wanted.", got=got, hint=f"{leaf}/SPLIT"))
    return leaf / splits[0]


def _of_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return stated(writer=values(row.get("model_name") for row in rows))


def _steps(path: Path) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The steps of the pipeline, and what is to be said where it is not there."""
    places = [path / CONFIGS / PIPELINE, path / PIPELINE, path.parent / PIPELINE, path.parent / CONFIGS / PIPELINE]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return [], [f"no {PIPELINE}: only what rows say is known"]
    document = yaml_object(file)
    if document is None:
        return [], [f"{PIPELINE} was not read: PyYAML is not installed (pip install pyyaml)"]
    listed = (document.get("pipeline") or {}).get("steps") or []
    return [one.get("step") or one for one in listed if isinstance(one, Mapping)], []


def _of_steps(steps: list[Mapping[str, Any]]) -> dict[str, str]:
    if not steps:
        return {}
    types = [(str(kind.get("module", "")), str(kind.get("name", ""))) for kind in _types(steps)]
    tasks = [step for step in steps if isinstance(step.get("llm"), Mapping)]
    models = [step["llm"] for step in tasks]
    own = all(module.startswith("distilabel.") for module, _ in types)
    dropping = [name for _, name in types if any(part in name for part in FILTERS)]
    settings = [model.get("generation_kwargs") or {} for model in models]
    return stated(
        writer=values(model.get("model") or model.get("model_id") or model.get("model_name") for model in models),
        writer__temperature=values(one.get("temperature") for one in settings),
        method=SEVERAL.join(name for (_, name), step in zip(types, steps, strict=True) if step in tasks) or None,
        seeds=values(step["repo_id"] for step in steps if step.get("repo_id")),
        search=NONE if own else None,
        filters=SEVERAL.join(dropping) or (NONE if own else None),
    )


def _types(steps: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        found = step.get("type_info")
        yield found if isinstance(found, Mapping) else {}


def _cost(held: list[Mapping[str, Any]]) -> dict[str, float]:
    counts = [
        value
        for one in held
        for key, value in one.items()
        if key.startswith("statistics_") and isinstance(value, Mapping)
    ]
    if not counts or not all(any(key.startswith("statistics_") for key in one) for one in held):
        return {}
    return stated(
        requests=float(len(counts)),
        prompt_tokens=total(_sum(one.get("input_tokens")) for one in counts),
        tokens=total(_sum(one.get("output_tokens")) for one in counts),
    )


def _sum(value: Any) -> Any:
    return sum(value) if isinstance(value, list) and all(isinstance(one, int) for one in value) else value
