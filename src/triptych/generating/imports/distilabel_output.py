"""Outputs of distilabel: a saved Distiset, or rows with `distilabel_metadata`, or generation and model_name.

A Distiset on disk is a folder with one saved data set for each leaf step and `distiset_configs/pipeline.yaml`, where each step
states type_info {module, name}, llm {model, generation_kwargs} and its own parameters. The layout was checked on what version
1.5.3 wrote. Without pipeline.yaml, or without PyYAML to read it, only the model is known.

Its steps against duplicates drop nothing: they mark rows (`keep_row_after_.._filtering`), and a set with marked rows is one that
was not filtered. A task whose input failed leaves a row without an answer. EvolInstruct leaves the instruction that it began with
beside the evolved one, which is the prompt of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from triptych.core.errors import UsageError, message
from triptych.data.values import canonical
from triptych.generating.imports.imported import (
    NONE,
    SEVERAL,
    Imported,
    digest,
    first_row,
    json_object,
    public,
    rows_of,
    stated,
    total,
    values,
    yaml_object,
)

KIND = "distilabel"
CONFIGS, PIPELINE, METADATA = "distiset_configs", "pipeline.yaml", "distilabel_metadata"
FILTERS = ("Filter", "Dedup")
"""What the names of steps that drop rows, or mark what is to be dropped, hold."""
MARKED = re.compile(r"keep_row_after_.+_filtering")
EVOLVED, INSTRUCTION = "evolved_instruction", "instruction"
RESPONSES = ("generation", "answer", EVOLVED)
"""What a task writes: a row in which one is null is none of what was asked for."""
ASIDE = frozenset(
    "name type_info llm resources runtime_parameters_info input_mappings output_mappings batch_size input_batch_size "
    "use_cache add_raw_input add_raw_output columns storage".split()
)
"""Of what a step dumps: what is stated elsewhere, or says nothing of what it writes."""
STATED = frozenset({"temperature", "max_new_tokens"})
SOURCES = ("repo_id", "config", "split", "data_files")
"""Of a step that loads."""


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
    held = [row for row in rows if not any(row.get(name, "") is None for name in RESPONSES)]
    steps, notes = _steps(path)
    marks = {name for row in rows for name in row if MARKED.fullmatch(name)}
    marked = sum(any(row.get(name) is False for name in marks) for row in held)
    if marked:
        notes.append(f"{marked:,} rows are marked as not to be kept, and were not dropped")
    return Imported(
        kind=KIND,
        rows=[_row(row) for row in held],
        components={**_of_rows(rows), **_of_steps(steps, dropped=not marked)},
        cost=_cost([row.get(METADATA) or {} for row in rows]),
        failed={"no generation": len(rows) - len(held)} if len(held) < len(rows) else {},
        notes=tuple(notes),
    )


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without how it came about, and with the evolved instruction as the one that was answered."""
    out = {key: value for key, value in row.items() if key != METADATA}
    if EVOLVED in out:
        out |= {INSTRUCTION: out.pop(EVOLVED), "first_instruction": out.get(INSTRUCTION)}
    return out


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


def _of_steps(steps: list[Mapping[str, Any]], *, dropped: bool) -> dict[str, str]:
    """What the steps state.

    Args:
        steps: as dumped.
        dropped: whether rows that they marked are gone.
    """
    if not steps:
        return {}
    types = [(str(kind.get("module", "")), str(kind.get("name", ""))) for kind in _types(steps)]
    tasks = [step for step in steps if isinstance(step.get("llm"), Mapping)]
    models = [step["llm"] for step in tasks]
    own = all(module.startswith("distilabel.") for module, _ in types)
    dropping = [
        _settled(name, step)
        for (_, name), step in zip(types, steps, strict=True)
        if dropped and any(part in name for part in FILTERS)
    ]
    settings = [model.get("generation_kwargs") or {} for model in models]
    others = [{key: value for key, value in one.items() if key not in STATED} for one in settings]
    return stated(
        writer=values(model.get("model") or model.get("model_id") or model.get("model_name") for model in models),
        writer__temperature=values(one.get("temperature") for one in settings),
        writer__max_tokens=values(one.get("max_new_tokens") for one in settings),
        method__settings=digest([[_parameters(step) for step in tasks], others]),
        method=SEVERAL.join(name for (_, name), step in zip(types, steps, strict=True) if step in tasks) or None,
        seeds=values(_source(step) for step in steps if any(step.get(name) for name in SOURCES)),
        search=NONE if own else None,
        filters=SEVERAL.join(dropping) or (NONE if own else None),
    )


def _source(step: Mapping[str, Any]) -> str:
    found = {name: step[name] for name in SOURCES if step.get(name)}
    return str(found["repo_id"]) if found.keys() == {"repo_id"} else canonical(public(found))


def _parameters(step: Mapping[str, Any]) -> dict[str, Any]:
    """What a step was told, beside its name, its model and how it runs."""
    return {str(key): public(value) for key, value in step.items() if key not in ASIDE and value is not None}


def _settled(name: str, step: Mapping[str, Any]) -> str:
    told = _parameters(step)
    return f"{name} {canonical(told)}" if told else name


def _types(steps: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        found = step.get("type_info")
        yield found if isinstance(found, Mapping) else {}


def _cost(held: list[Mapping[str, Any]]) -> dict[str, float]:
    """What rows state of it, where each states its own: a list stands for a batch, and in each of its rows."""
    counts = [
        value
        for one in held
        for key, value in one.items()
        if key.startswith("statistics_") and isinstance(value, Mapping)
    ]
    if not counts or not all(any(key.startswith("statistics_") for key in one) for one in held):
        return {}
    prompt_tokens, tokens = (total(one.get(name) for one in counts) for name in ("input_tokens", "output_tokens"))
    requests = float(len(counts)) if tokens is not None else None
    return stated(requests=requests, prompt_tokens=prompt_tokens, tokens=tokens)
