"""What the references of measures inside a prompt share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from triptych.core.measure import Row

Held = TypeVar("Held")


def by_prompt(rows: Sequence[Row], read: Callable[[Row], Held], least: int) -> list[list[Held]]:
    """For each prompt text with at least `least` responses of which something is read: what is read of each."""
    prompts: dict[str, list[Held]] = defaultdict(list)
    for row in rows:
        found = read(row)
        if row["prompt"] and found:
            prompts[row["prompt"]].append(found)
    return [held for held in prompts.values() if len(held) >= least]
