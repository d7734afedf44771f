"""Loops by name: `collapse`, the loop that eats its own diversity beside two that do not.

Three arms from one narrow start on the world `programs`: 12 skills a depth of 8, 64 and 512, whose compositions the first
model can hardly solve. Each round writes, verifies, and goes on from the last model, on at most as many records for the same
number of steps; what differs is how prompts are written and which records are taken. The panels' tasks are kept out of what is
trained on, and so are the held-out skills.

How strongly a quality-only loop selects says how fast it collapses: here it takes 3,000 of some 6,500 to 7,900 correct records.
In a trial that took 4,000 of some 4,900 its scores had not fallen by round 3, while its structures had.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.core.plugins import unknown
from triptych.looping.config import LoopConfig

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "collapse": {
        "seed": 0,
        "rounds": 6,
        "at": 1000,
        "policies": ["quality_only", "correct", "keep"],
        "start": {"world": "programs", "skills": 12, "records": 2000, "items": 300},
        "model": {"trainer": "tiny:steps=3000"},
        "generator": {"kind": "self", "samples": 8000},
        "policy": {"budget": 3000},
        "dials": {"start": "continue"},
        "evaluation": {"k": [1, 16], "k_items": 50, "panels": ["id", "compositions"]},
    },
}

TITLES: Mapping[str, str] = {"collapse": "quality_only, correct and keep side by side, from one narrow start"}


def preset(name: str) -> LoopConfig:
    """The loop of this name.

    Raises:
        SpecError: there is none; the message hints at a near miss.
    """
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return LoopConfig.of(PRESETS[name])
