"""Entries of reasoning-gym: question, answer, and metadata with source_dataset, source_index and difficulty.

The layout was checked on entries of version 0.1.25, of one task and of a composite of several.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from triptych.data.values import canonical
from triptych.generating.imports.imported import NONE, SEVERAL, Imported, first_row, rows_of, stated, values

KIND = "reasoning-gym"


def fits(path: Path) -> bool:
    """Whether a path is a file of such entries."""
    row = first_row(path) if path.is_file() else None
    held = (row or {}).get("metadata")
    return row is not None and "question" in row and isinstance(held, Mapping) and "source_dataset" in held


def read(path: Path) -> Imported:
    """Read one.

    Raises:
        ReadError: a file that cannot be read.
    """
    rows = list(rows_of(path))
    held = [row.get("metadata") or {} for row in rows]
    by_task: dict[str, set[str]] = {}
    for one in held:
        by_task.setdefault(str(one.get("source_dataset")), set()).add(canonical(one.get("difficulty")))
    return Imported(
        kind=KIND,
        rows=[_row(row) for row in rows],
        components=stated(
            seeds=NONE,
            writer="reasoning-gym",
            writer__temperature=NONE,
            method=values(one.get("source_dataset") for one in held),
            method__difficulty=_difficulty(by_task),
            search=NONE,
        ),
        notes=("the program that wrote the tasks draws them from a seed, which entries do not state",),
    )


def _difficulty(by_task: Mapping[str, Collection[str]]) -> str | None:
    """That of each task, where all entries of a task state one and the same."""
    if not all(len(found) == 1 and "null" not in found for found in by_task.values()):
        return None
    return SEVERAL.join(found if len(by_task) == 1 else f"{name} {found}" for name, (found,) in sorted(by_task.items()))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {"prompt": row["question"], "response": row.get("answer"), "task": row["metadata"].get("source_dataset")}
