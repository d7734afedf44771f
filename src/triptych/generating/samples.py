"""A few records of a run, and a few of what was dropped, for a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from triptych.core.rng import stream
from triptych.generating.folder import DATA, FAILED

SHOWN = 10


def samples(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """`{"kept": .., "failed": ..}`: at most ten of each, drawn evenly, in their order; the same for the same files."""
    return {"kept": _some(folder / DATA), "failed": _some(folder / FAILED)}


def _some(path: Path) -> list[dict[str, Any]]:
    """Rows of a file, one pass with a reservoir."""
    if not path.exists():
        return []
    draw = stream("generate", "samples", path.name)
    held: list[tuple[int, bytes]] = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines):
            if number < SHOWN:
                held.append((number, line))
            elif (place := int(draw.integers(number + 1))) < SHOWN:
                held[place] = (number, line)
    return [json.loads(line) for _, line in sorted(held)]
