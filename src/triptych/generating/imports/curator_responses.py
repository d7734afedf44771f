"""Responses of Bespoke Curator: `responses_N.jsonl` in its working folder, one request with its answer a row.

A row holds response_message, response_errors, generic_request {model, messages, generation_params, original_row},
token_usage {input, output}, response_cost, created_at and finished_at. Field names were read in the package's own source
(`bespokelabs/curator/types/generic_response.py`, `token_usage.py`); prompt_tokens and completion_tokens, of older releases,
are from memory. What asked (a function of the user's) leaves no trace, so method, seeds and filters are unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from triptych.data.turns import whole
from triptych.data.values import as_text
from triptych.generating.imports.imported import Imported, first_row, rows_of, stated, total, values

KIND = "curator"
FILES = "responses_*.jsonl"


def fits(path: Path) -> bool:
    """Whether a path is such an output."""
    found = _files(path)
    row = first_row(found[0]) if found else None
    return row is not None and isinstance(row.get("generic_request"), Mapping) and "response_message" in row


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob(FILES))
    return [path] if path.is_file() else []


def read(path: Path) -> Imported:
    """Read one.

    Raises:
        ReadError: a file that cannot be read.
    """
    rows = [row for file in _files(path) for row in rows_of(file)]
    answered = [row for row in rows if row.get("response_message") is not None and not row.get("response_errors")]
    asked = [row.get("generic_request") or {} for row in rows]
    parameters = [one.get("generation_params") or {} for one in asked]
    usage = [row.get("token_usage") or {} for row in rows]
    return Imported(
        kind=KIND,
        rows=[_row(row) for row in answered],
        components=stated(
            writer=values(one.get("model") for one in asked),
            writer__temperature=values(one.get("temperature") for one in parameters),
            writer__max_tokens=values(one.get("max_tokens") for one in parameters),
        ),
        cost=stated(
            requests=float(len(rows)),
            prompt_tokens=total(one.get("input", one.get("prompt_tokens")) for one in usage),
            tokens=total(one.get("output", one.get("completion_tokens")) for one in usage),
            seconds=total(_seconds(row) for row in rows),
            money=total(row.get("response_cost") for row in rows),
        ),
        failed={"error or no response": len(rows) - len(answered)} if len(answered) < len(rows) else {},
        notes=("seconds are the sum over requests, which may have run side by side",),
    )


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"prompt": whole(row["generic_request"]["messages"]), "response": as_text(row["response_message"])}


def _seconds(row: Mapping[str, Any]) -> float | None:
    try:
        begin, end = (datetime.fromisoformat(str(row[key])) for key in ("created_at", "finished_at"))
        return (end - begin).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
