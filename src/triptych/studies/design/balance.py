"""Did anything move that should not? Standardized differences and KS distances between arms, overlap, conditioning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.studies.design.pool import Pool
from triptych.studies.design.problems import BINS, LENGTH

Floats = NDArray[np.float64]
ASKED = 0.1
"""Standardized differences below this are asked for (Austin 2009 and common practice)."""


@dataclass(frozen=True)
class Arm:
    """One arm as it was drawn.

    Attributes:
        name: of the arm and its file.
        codes: level of each factor, empty for `random` and `longest`.
        block, draw: replicate and data-draw seed.
        chosen: positions in the pool, ascending.
    """

    name: str
    codes: Mapping[str, int]
    block: str
    draw: int
    chosen: NDArray[np.int64]


def smd(a: Floats, b: Floats, scale: float) -> float:
    """Difference of means over the root of the mean of both variances; over `scale` where neither varies."""
    spread = float(np.sqrt((a.var() + b.var()) / 2))
    return abs(float(a.mean() - b.mean())) / (spread if spread > 1e-12 else scale)


def ks(a: Floats, b: Floats) -> float:
    """Largest distance of two empirical distribution functions (Kolmogorov-Smirnov)."""
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


def table(pool: Pool, arms: Sequence[Arm], equal: Sequence[str]) -> list[dict[str, Any]]:
    """One line for each variable: the largest standardized difference and KS distance of two arms of one block.

    A factor is compared between arms of one level of it. `asked` says whether the variable was to be held equal.
    """
    rows = []
    for name, values, moved, asked in _variables(pool, equal):
        worst, distance, pair = 0.0, 0.0, None
        scale = float(values.std()) or 1.0
        for first, second in combinations(arms, 2):
            if not first.codes or not second.codes or (first.block, first.draw) != (second.block, second.draw):
                continue
            if moved and first.codes[moved] != second.codes[moved]:
                continue
            a, b = values[first.chosen], values[second.chosen]
            a, b = a[~np.isnan(a)], b[~np.isnan(b)]
            if not len(a) or not len(b):
                continue
            found = smd(a, b, scale)
            distance = max(distance, ks(a, b))
            if pair is None or found > worst:
                worst, pair = found, f"{first.name} vs {second.name}"
        if pair is not None:
            rows.append({"variable": name, "smd": worst, "ks": distance, "worst": pair, "asked": asked})
    return rows


def _variables(pool: Pool, equal: Sequence[str]) -> list[tuple[str, Floats, str | None, bool]]:
    """(name, values, the factor that it is or None, whether it was to be held equal)."""
    both = "records" in equal and "tokens" in equal
    lengths = "length" in equal
    out: list[tuple[str, Floats, str | None, bool]] = [
        ("tokens", pool.tokens, None, both),
        ("log tokens", np.log(pool.tokens + LENGTH), None, both),
        ("length", pool.length, None, lengths),
        ("log length", np.log(pool.length + LENGTH), None, lengths),
    ]
    edges = np.unique(np.quantile(pool.length, np.arange(1, BINS) / BINS))
    bins = np.digitize(pool.length, edges)
    out += [
        (f"length bin {number + 1} of {len(edges) + 1}", (bins == number).astype(float), None, lengths)
        for number in range(len(edges) + 1)
    ]
    out += [(f"{name} at one level", values, name, True) for name, values in pool.factors.items()]
    out += [(name, values, None, True) for name, values in pool.beside.items()]
    for name, texts in pool.sources.items():
        for value in sorted(set(texts)):
            out.append((f"{name}: {value}", (texts == value).astype(float), None, True))
    return out


def overlap(arms: Sequence[Arm]) -> dict[str, Any]:
    """Shared records of two arms over the records of the smaller one: mean and largest, in a block and between blocks."""
    shares: dict[bool, list[tuple[float, str]]] = {True: [], False: []}
    for first, second in combinations([arm for arm in arms if arm.codes], 2):
        common = len(np.intersect1d(first.chosen, second.chosen, assume_unique=True))
        share = common / max(min(len(first.chosen), len(second.chosen)), 1)
        shares[first.block == second.block].append((share, f"{first.name} vs {second.name}"))
    out: dict[str, Any] = {"unit": "ratio"}
    for same, label in ((True, "within_block"), (False, "between_blocks")):
        if shares[same]:
            most = max(shares[same], key=lambda item: item[0])
            out[label] = {"mean": float(np.mean([s for s, _ in shares[same]])), "max": most[0], "worst": most[1]}
    return out


def condition_number(reached: Floats) -> float | None:
    """Of the factors as they came out, centred and scaled to length 1; 1 is orthogonal. None where one does not move.

    Args:
        reached: levels reached, one row an arm, one column a factor (a, k).
    """
    centred = reached - reached.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    if (norms <= 1e-12).any():
        return None
    values = np.linalg.svd(centred / norms, compute_uv=False)
    return float(values[0] / values[-1]) if values[-1] > 1e-12 else None
