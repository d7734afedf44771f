"""Which panels can be read at all. One at floor, at ceiling, constant or with one item says nothing: Undefined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.studies.effects.model import Array, Clusters, Labels
from triptych.studies.effects.plan import Analysis
from triptych.studies.table import RunTable

FLOOR, CEILING = 0.02, 0.98
MOST, HALF = 0.9, 0.5
"""A panel with more than this share of its runs at one end says nothing / cannot show that an effect is small."""

MARGIN, MARGIN_SD = 0.05, 0.2


@dataclass(frozen=True)
class Scores:
    """One score a run: a panel's, or a difference of panels.

    Attributes:
        name: of the panel or the contrast.
        values: (n,), NaN where missing.
        undefined: why nothing can be said; empty where something can.
        bounded: whether scores lie in 0..1.
        items: score of each item, (n, items), where runs kept them.
        within: block of each run, (n,), where blocks repeat the design: SDs are then those inside blocks, which is what
            factors could move.
        near_end: "floor" or "ceiling" where most runs are there: what is told comes from the few others.
    """

    name: str
    values: Array
    undefined: str = ""
    bounded: bool = True
    items: Array | None = None
    near_end: str = ""
    within: Labels | None = None

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which runs have a score, (n,) bool."""
        return np.isfinite(self.values)

    @property
    def spread(self) -> float:
        """SD of the runs' scores, inside blocks where there are any."""
        values = self.values[self.there]
        if self.within is None:
            return float(values.std(ddof=1)) if len(values) > 1 else 0.0
        blocks = Clusters.of(self.within[self.there])
        rest = blocks.without_means(values[:, None])
        df = len(values) - blocks.count
        return float(np.sqrt((rest**2).sum() / df)) if df > 0 else 0.0

    @property
    def at_end(self) -> tuple[str, float]:
        """The end of the scale where most runs are, "floor" or "ceiling", and their share; 0 where scores have no ends."""
        seen = self.values[self.there]
        if not self.bounded or not len(seen):
            return "floor", 0.0
        low, high = float(np.mean(seen < FLOOR)), float(np.mean(seen > CEILING))
        return ("floor", low) if low >= high else ("ceiling", high)

    def margin(self, plan: Analysis) -> float:
        """The smallest effect worth having, in score units."""
        if plan.margin is not None:
            return plan.margin * (self.spread if plan.margin_unit == "sd" else 1.0)
        return MARGIN if self.bounded else MARGIN_SD * self.spread


def read(table: RunTable) -> dict[str, Scores]:
    """All panels of a table, in its order."""
    out = {}
    for name, values in table.outcomes.items():
        seen = values[np.isfinite(values)]
        bounded = bool(len(seen) and seen.min() >= 0 and seen.max() <= 1)
        one = Scores(name, values, "", bounded, table.items.get(name))
        end, share = one.at_end
        out[name] = replace(one, undefined=_reason(one), near_end=end if share > HALF else "")
    return out


def inside(panels: Mapping[str, Scores], labels: Labels | None) -> dict[str, Scores]:
    """The same panels, their SDs told inside these blocks."""
    return {name: replace(one, within=labels) for name, one in panels.items()}


def _reason(one: Scores) -> str:
    seen = one.values[one.there]
    n = len(seen)
    if not n:
        return "no run has a score"
    if n < 3:
        return f"only {n} run{'s' if n > 1 else ''} with a score: at least 3 are needed"
    if one.items is not None and one.items.shape[1] == 1:
        return "the panel has one item: more are needed to tell a score"
    end, share = one.at_end
    if share > MOST:
        side = f"under {FLOOR}" if end == "floor" else f"over {CEILING}"
        who = f"all {n} runs" if share == 1 else f"{round(share * n)} of {n} runs"
        return f"{who} score {side}: the panel is at {end}"
    if np.ptp(seen) <= 1e-12 * max(1.0, float(np.abs(seen).max())):
        return f"all {n} runs score {seen[0]:.4g}: nothing moved it"
    return ""


def described(panels: Mapping[str, Scores], plan: Analysis) -> list[dict[str, Any]]:
    """The part `panels` of a study."""
    return [
        {
            "name": name,
            "kind": "id" if plan.is_id(name) else "ood",
            "items": None if one.items is None else int(one.items.shape[1]),
            "scorer": None,
            "mean": float(one.values[one.there].mean()) if one.there.any() else None,
            "sd_runs": float(one.values[one.there].std(ddof=1)) if one.there.sum() > 1 else None,
            "runs": int(one.there.sum()),
            "missing": int((~one.there).sum()),
            "undefined": one.undefined or None,
        }
        for name, one in panels.items()
    ]


def warned(panels: Mapping[str, Scores]) -> list[dict[str, str]]:
    """Warnings: undefined panels, panels where most runs are at an end, runs without a score."""
    out = []
    for name, one in panels.items():
        seen = one.values[one.there]
        if one.undefined:
            out.append({"code": "undefined_panel", "text": f"{name}: {one.undefined}."})
        elif one.near_end:
            end, share = one.at_end
            text = (
                f"{name}: {share:.0%} of the runs are at {end}. What is told there comes from the few others, and that an "
                "effect is small cannot be told."
            )
            out.append({"code": f"near_{end}", "text": text})
        if 0 < len(seen) < len(one.values):
            missing = len(one.values) - len(seen)
            text = f"{name}: {missing} of {len(one.values)} runs have no score; they are left out of this panel."
            out.append({"code": "missing_scores", "text": text})
    return out
