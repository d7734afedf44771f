"""Responses of Bespoke Curator: `responses_N.jsonl` in the folder of a run, one request with its answer a row.

A row holds response_message, response_errors, generic_request {model, messages, generation_params, original_row},
token_usage {input, output}, response_cost, created_at and finished_at; one that failed states no tokens. The working folder
above it holds a folder for each run, and `metadata.db`, whose table `runs` states a hash of the data set that was asked about
and the source of the function that asked. The layout was checked on what version 0.1.31 wrote; prompt_tokens and
completion_tokens, of older releases, are from memory. What the user's own code did with answers is not stated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from triptych.core.errors import UsageError, message
from triptych.data.turns import whole
from triptych.data.values import as_text
from triptych.generating.imports.imported import Imported, digest, first_row, rows_of, stated, told_total, total, values

KIND = "curator"
FILES, RUNS = "responses_*.jsonl", "metadata.db"


def fits(path: Path) -> bool:
    """Whether a path is such an output."""
    found = _files(path)
    row = first_row(found[0]) if found else None
    return row is not None and isinstance(row.get("generic_request"), Mapping) and "response_message" in row


def _files(path: Path) -> list[Path]:
    """The files of responses, of a run or of the one run in a working folder.

    Raises:
        UsageError: a working folder of several runs.
    """
    if not path.is_dir():
        return [path] if path.is_file() else []
    if found := sorted(path.glob(FILES)):
        return found
    runs = sorted({file.parent for file in path.glob(f"*/{FILES}")}) if (path / RUNS).is_file() else []
    if len(runs) > 1:
        got = ", ".join(run.name for run in runs[:4]) + (" .." if len(runs) > 4 else "")
        raise UsageError(message(f"{path}: one run is wanted.", got=got, hint=f"{runs[0]}"))
    return sorted(runs[0].glob(FILES)) if runs else []


def read(path: Path) -> Imported:
    """Read one.

    Raises:
        ReadError: a file that cannot be read.
        UsageError: a working folder of several runs.
    """
    files = _files(path)
    rows = [row for file in files for row in rows_of(file)]
    answered = [row for row in rows if row.get("response_message") is not None and not row.get("response_errors")]
    asked = [row.get("generic_request") or {} for row in rows]
    parameters = [one.get("generation_params") or {} for one in asked]
    usage = [row.get("token_usage") or {} for row in rows]
    prompt_tokens, silent = told_total(one.get("input", one.get("prompt_tokens")) for one in usage)
    notes = ["seconds are the sum over requests, which may have run side by side"]
    notes += [f"{silent} of {len(rows)} requests state no tokens"] if silent else []
    return Imported(
        kind=KIND,
        rows=[_row(row) for row in answered],
        components=stated(
            **_of_run(files[0].parent),
            writer=values(one.get("model") for one in asked),
            writer__temperature=values(one.get("temperature") for one in parameters),
            writer__max_tokens=values(one.get("max_tokens") for one in parameters),
        ),
        cost=stated(
            requests=float(len(rows)),
            prompt_tokens=prompt_tokens,
            tokens=told_total(one.get("output", one.get("completion_tokens")) for one in usage)[0],
            seconds=total(_seconds(row) for row in rows),
            money=told_total(row.get("response_cost") for row in rows)[0],
        ),
        failed={"error or no response": len(rows) - len(answered)} if len(answered) < len(rows) else {},
        notes=tuple(notes),
    )


def _of_run(folder: Path) -> dict[str, Any]:
    """What the table of runs states of one, where it is there and can be read."""
    file = folder.parent / RUNS
    if not file.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as base:
            found = base.execute(
                "SELECT dataset_hash, prompt_func, response_format FROM runs WHERE run_hash = ?", (folder.name,)
            ).fetchone()
    except sqlite3.Error:
        return {}
    if found is None:
        return {}
    seeds, function, form = found
    return {
        "seeds": f"data set {seeds}" if seeds else None,
        "method": "prompt function" if function else None,
        "method__prompts": digest([function, form]) if function else None,
    }


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"prompt": whole(row["generic_request"]["messages"]), "response": as_text(row["response_message"])}


def _seconds(row: Mapping[str, Any]) -> float | None:
    try:
        begin, end = (datetime.fromisoformat(str(row[key])) for key in ("created_at", "finished_at"))
        return (end - begin).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
