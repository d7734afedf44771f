"""What the tables of the benchmarks share: result files, Markdown tables, where and when a result was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def load(name: str) -> dict[str, Any] | None:
    path = HERE / "results" / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    cells = [[str(cell).replace("|", "/") for cell in row] for row in rows]
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *cells)] + [""]


def ran(result: dict[str, Any]) -> str:
    m = result["machine"]
    versions = ", ".join(
        f"{name} {number}" for name, number in {**result["packages"], **result.get("peers", {})}.items()
    )
    busy = " (other work ran beside: read CPU seconds and memory)" if m["load_at_start"] > m["cores"] else ""
    changed = " with uncommitted changes of the source" if result["source_changed"] else ""
    return (
        f"{result['date']}, commit {str(result['commit'])[:12]}{changed}; {m['cpu']} ({m['simd']}), {m['cores']} cores, "
        f"{m['memory_gb']} GB, load at start {m['load_at_start']}{busy}; {versions}."
        + (f" Note: {result['header_note']}." if "header_note" in result else "")
        + "\n"
    )


def verdict(met: bool) -> str:
    return "met" if met else "**missed**"
