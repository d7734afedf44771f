"""Rollouts of `verifiers` environments: `results.jsonl` beside `metadata.json`, as its evaluations write them.

A row holds prompt and completion (lists of turns), reward, example_id, and token_usage {input_tokens, output_tokens};
metadata holds env_id, env_args, model, sampling_args, rollouts_per_example and the wall-clock seconds as `time`. A rollout that
failed may state no tokens. The layout was checked on what version 0.1.14 wrote; version 0.4.0 writes traces instead
(`verifiers_traces`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.data.values import canonical
from triptych.generating.imports.imported import (
    NONE,
    Imported,
    first_row,
    json_object,
    public,
    rows_of,
    stated,
    told_total,
)

KIND = "verifiers"
ROW = frozenset({"example_id", "prompt", "completion", "reward"})
RESULTS, METADATA = "results.jsonl", "metadata.json"


def fits(path: Path) -> bool:
    """Whether a path is such an output."""
    file = path / RESULTS if path.is_dir() else path
    return file.is_file() and file.suffix == ".jsonl" and (first_row(file) or {}).keys() >= ROW


def read(path: Path) -> Imported:
    """Read one.

    Raises:
        ReadError: a file that cannot be read.
    """
    file = path / RESULTS if path.is_dir() else path
    rows = list(rows_of(file))
    metadata = json_object(file.parent / METADATA) or {}
    whole = [row for row in rows if row.get("completion") and row.get("error") is None]
    usage = [row.get("token_usage") or {} for row in rows]
    prompt_tokens, silent = told_total(one.get("input_tokens") for one in usage)
    notes = [f"{silent} of {len(rows)} rollouts state no tokens"] if silent else []
    if not metadata:
        notes.append(f"no {METADATA} beside the rollouts: who wrote them is not stated")
    sampling = metadata.get("sampling_args") or {}
    wall = metadata.get("time")
    return Imported(
        kind=KIND,
        rows=[_row(row) for row in whole],
        components=stated(
            seeds=_environment(metadata),
            writer=metadata.get("model"),
            writer__temperature=_text(sampling.get("temperature")),
            writer__max_tokens=_text(sampling.get("max_tokens")),
            method="rollouts" if metadata else None,
            method__each=_text(metadata.get("rollouts_per_example")),
            search=NONE if metadata else None,
            filters=NONE if metadata else None,
        ),
        cost=stated(
            requests=None,
            prompt_tokens=prompt_tokens,
            tokens=told_total(one.get("output_tokens") for one in usage)[0],
            seconds=float(wall) if isinstance(wall, (int, float)) and wall > 0 else None,
        ),
        failed={"error or no completion": len(rows) - len(whole)} if len(whole) < len(rows) else {},
        notes=tuple(notes),
    )


def _environment(metadata: dict[str, Any]) -> str | None:
    name, arguments = metadata.get("env_id"), metadata.get("env_args")
    return f"{name} {canonical(public(arguments))}" if name and arguments else name


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """The texts, the reward, and the example as what binds rollouts together."""
    return {
        "prompt": row["prompt"],
        "completion": row["completion"],
        "reward": row["reward"],
        "prompt_id": str(row["example_id"]),
    }


def _text(value: Any) -> str | None:
    return None if value is None else canonical(value)
