"""What should not move between the arms of a world, and did it?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.statistics.rarefied import effective
from triptych.studies.design.balance import condition_number, ks, smd
from triptych.studies.findings.presets import FACTORS
from triptych.worlds.world import Row, words

VALUES: dict[str, tuple[str, Callable[[Row], float]]] = {
    "share right": ("Q", lambda row: float(row["correct"])),
    "depth": ("C", lambda row: float(row["depth"])),
    "words": ("", lambda row: float(words(row))),
    "words of the prompt": ("", lambda row: float(len(row["prompt"].split()))),
}
"""Variable to the factor that it is, or none, and how a row is read."""


@dataclass(frozen=True)
class Drawn:
    """An arm that was drawn: where it stands, and each variable of its rows, (n,)."""

    name: str
    levels: Mapping[str, float]
    block: str
    values: Mapping[str, NDArray[np.float64]]
    skills: float

    @classmethod
    def of(cls, name: str, levels: Mapping[str, float], block: str, rows: Sequence[Row]) -> Drawn:
        """Read the rows once."""
        values = {what: np.array([read(row) for row in rows]) for what, (_, read) in VALUES.items()}
        return cls(name, levels, block, values, effective(Counter(row["skeleton"] for row in rows), len(rows)))

    @property
    def reached(self) -> tuple[float, float, float]:
        """What the three dials came out as: share right, log of the effective number of skills, mean depth."""
        return float(self.values["share right"].mean()), math.log(self.skills), float(self.values["depth"].mean())


def table(arms: Sequence[Drawn]) -> list[dict[str, Any]]:
    """One line a variable: the largest standardized difference and KS distance between two arms of a block.

    What a factor sets is compared at one level of it; words are compared between all arms and were not asked to be equal:
    deeper tasks take longer answers.
    """
    lines = []
    for what, (factor, _) in VALUES.items():
        pairs = [(a, b) for a, b in combinations(arms, 2) if a.block == b.block]
        pairs = [(a, b) for a, b in pairs if not factor or a.levels[factor] == b.levels[factor]]
        scale = float(np.concatenate([arm.values[what] for arm in arms]).std()) or 1.0
        found = [(smd(a.values[what], b.values[what], scale), f"{a.name} vs {b.name}") for a, b in pairs]
        worst, pair = max(found)
        distance = max(ks(a.values[what], b.values[what]) for a, b in pairs)
        name = f"{what} at one level" if factor else what
        lines.append({"variable": name, "smd": worst, "ks": distance, "worst": pair, "asked": bool(factor)})
    return lines


def levels_reached(arms: Sequence[Drawn]) -> dict[str, list[float]]:
    """Factor to the mean that it came out as at low, centre and high; D as the effective number of skills."""
    out: dict[str, list[float]] = {}
    for place, factor in enumerate(FACTORS):
        means = [np.mean([a.reached[place] for a in arms if a.levels[factor] == code]) for code in (-1.0, 0.0, 1.0)]
        out[factor] = [float(np.exp(mean)) if factor == "D" else float(mean) for mean in means]
    return out


def conditioning(arms: Sequence[Drawn]) -> float | None:
    """Condition number of the levels as they came out; 1 is orthogonal."""
    return condition_number(np.array([arm.reached for arm in arms]))
