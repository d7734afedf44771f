"""What the runs scored, before any model: means by cell and by level, and every run's point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from triptych.studies.effects.model import Array, Clusters
from triptych.studies.effects.panels import Scores
from triptych.studies.effects.setting import Mask, Setting
from triptych.studies.effects.terms import Factor
from triptych.studies.table import RunTable

BINS = 5
"""A measured factor's dose is told at this many equal shares of the runs."""

MOST_CELLS = 64


def cells(
    table: RunTable, factors: Sequence[Factor], panels: Mapping[str, Scores], setting: Setting
) -> list[dict[str, Any]]:
    """The part `cells`: mean score of each combination of designed levels, with its error over blocks."""
    designed = [one for one in factors if one.designed]
    if not designed:
        return []
    combinations, codes = np.unique(np.column_stack([one.column for one in designed]), axis=0, return_inverse=True)
    if len(combinations) > MOST_CELLS:
        return []
    del table
    out = []
    for name, scores in panels.items():
        for index, levels in enumerate(combinations):
            found = _mean(scores.values, codes.ravel() == index, setting)
            shown = {one.name: int(level) for one, level in zip(designed, levels, strict=True)}
            if found:
                out.append({"panel": name, "levels": shown, **found})
    return out


def dose(
    table: RunTable, factors: Sequence[Factor], panels: Mapping[str, Scores], setting: Setting
) -> list[dict[str, Any]]:
    """The part `dose`: mean score at each level of each factor; at fifths of the runs where it is measured."""
    out = []
    for factor in factors:
        raw = table.factors[factor.name]
        groups = list(_groups(factor, raw))
        for name, scores in panels.items():
            for level, rows in groups:
                if found := _mean(scores.values, rows, setting):
                    out.append({"factor": factor.name, "panel": name, "level": level, **found})
    return out


def points(
    table: RunTable, factors: Sequence[Factor], panels: Mapping[str, Scores], setting: Setting
) -> list[dict[str, Any]]:
    """The part `points`: every run's score on every panel where it has one."""
    levels = [{one.name: _plain(table.factors[one.name][i]) for one in factors} for i in range(len(table))]
    return [
        {
            "run": run,
            "arm": str(table.arms[i]) if len(table.arms) else None,
            "block": str(setting.labels[i]) if setting.block else None,
            "panel": name,
            "levels": levels[i],
            "score": float(scores.values[i]),
        }
        for name, scores in panels.items()
        for i, run in enumerate(table.runs)
        if np.isfinite(scores.values[i])
    ]


def _groups(factor: Factor, raw: Array) -> Iterator[tuple[float, Mask]]:
    values = np.unique(raw)
    if len(values) <= BINS:
        for value in values:
            level = factor.column[raw == value][0] if factor.designed else value
            yield _plain(level), raw == value
        return
    edges = np.quantile(raw, np.linspace(0, 1, BINS + 1)[1:-1])
    place = np.searchsorted(edges, raw, side="left")
    for index in np.unique(place):
        yield float(raw[place == index].mean()), place == index


def _mean(values: Array, rows: Mask, setting: Setting) -> dict[str, Any] | None:
    """Mean, error over blocks (over runs without blocks; None with fewer than two) and number of runs."""
    keep = rows & np.isfinite(values)
    if not keep.any():
        return None
    clusters = Clusters.of(setting.labels[keep])
    middle = clusters.sums(values[keep, None])[:, 0] / clusters.sizes
    many = len(middle) > 1
    se = float(middle.std(ddof=1) / np.sqrt(len(middle))) if many else None
    return {"mean": float(values[keep].mean()), "se": se, "n": int(keep.sum())}


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)
