"""What a study of some size could have seen, before or after it is run: minimal detectable effects and runs needed.

The minimal detectable effect is the true effect that the test of `effects` finds (p under 1 - level, one test) with power
.8, from the noncentral t with the degrees of freedom of that test: blocks - 1. With few blocks it is these that are dear:
at three blocks the effect must be 5.7 errors, at five 3.8, at ten 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from triptych.core.errors import SpecError, message
from triptych.studies.effects.model import Array, Labels, basis
from triptych.studies.effects.panels import Scores, read
from triptych.studies.effects.plan import CLUSTERS
from triptych.studies.effects.setting import Setting
from triptych.studies.effects.verdict import Row
from triptych.studies.table import RunTable

POWER = 0.8
TARGETS = (0.02, 0.05, 0.1)
CAREFUL = 0.8
"""The careful effect takes the noise at this upper limit: a pilot of few runs may have been a quiet one by luck."""

MOST_BLOCKS = 1000


@lru_cache(maxsize=4096)
def errors_needed(df: float, level: float = 0.95, power: float = POWER) -> float:
    """How many standard errors an effect must be to be found with this power."""
    from scipy.optimize import brentq  # noqa: PLC0415 - scipy is slow to import
    from scipy.special import nctdtr, stdtrit  # noqa: PLC0415

    critical = float(stdtrit(df, (1 + level) / 2))
    return float(brentq(lambda shift: 1 - nctdtr(df, shift, critical) - power, 0.0, 4 * critical + 8, xtol=1e-4))


def minimal_effects(table: RunTable, arms: int, seeds: int, level: float = 0.95) -> list[dict[str, Any]]:
    """What a balanced study of two-level factors could see, from the noise of a pilot.

    The noise is what runs differ by once the means of their arm and of their block are taken out. A pilot may be as small
    as one arm with a few seeds; its factors need not vary. What blocks differ by in an effect is not in it: a study whose
    blocks differ so sees less.

    Args:
        table: the pilot's runs; runs with the same factors are one arm (the same `arms` where there are no factors).
        arms: arms at high or low planned.
        seeds: blocks (or seeds) in which each arm will be run.
        level: of the test.

    Returns:
        One row a panel: `panel`, `mde`, `mde_careful` (at the upper 80 % limit of the noise), `residual_sd`, `df` of the
        noise, `arms`, `blocks`, `runs`, `runs_for` (effect to runs in all, null where over 1,000 blocks), `undefined`.

    Raises:
        SpecError: fewer than two arms or seeds.
    """
    if arms < 2 or seeds < 2:
        raise SpecError(message("a study is too small.", got=f"{arms} arms, {seeds} seeds", want="at least 2 of each"))
    return [_pilot(table, scores, (arms, seeds), level) for scores in read(table).values()]


def _pilot(table: RunTable, scores: Scores, size: tuple[int, int], level: float) -> dict[str, Any]:
    from scipy.special import chdtri  # noqa: PLC0415 - scipy is slow to import

    arms, seeds = size
    shown = {"panel": scores.name, "arms": arms, "blocks": seeds, "runs": arms * seeds}
    sd, df, reason = _noise(table, scores)
    if reason:
        empty = dict.fromkeys(("mde", "mde_careful", "residual_sd", "df", "runs_for"))
        return {**shown, **empty, "undefined": reason}
    unit = 2 / math.sqrt(arms)
    freedom = seeds - 1 if seeds >= CLUSTERS else max(1, (arms - 1) * (seeds - 1) - min(7, arms - 1) + 1)
    seen = errors_needed(float(freedom), level) * unit * sd / math.sqrt(seeds)
    upper = math.sqrt(df / float(chdtri(df, CAREFUL)))
    wanted = {f"{target:g}": _runs(unit * sd, target, arms, level) for target in TARGETS}
    numbers = {"mde": seen, "mde_careful": seen * upper, "residual_sd": sd, "df": df, "runs_for": wanted}
    return {**shown, **numbers, "undefined": None}


def _noise(table: RunTable, scores: Scores) -> tuple[float, int, str]:
    """SD of runs inside arm and block, its degrees of freedom, or why there is none."""
    there = scores.there
    if scores.undefined and np.ptp(scores.values[there] if there.any() else np.zeros(1)) == 0:
        return 0.0, 0, scores.undefined
    y, arm = scores.values[there], _arms(table)[there]
    for blocks in (*table.blocks.values(), None):
        extra = [] if blocks is None else [_indicators(blocks[there])]
        space = basis(np.column_stack([arm, *extra]))
        df = len(y) - space.shape[1]
        if df >= 1:
            rest = y - space @ (space.T @ y)
            return float(np.sqrt((rest**2).sum() / df)), df, ""
    return 0.0, 0, "the pilot has no arm with two runs: its noise cannot be told"


def _arms(table: RunTable) -> Array:
    """Columns whose space holds the means of all arms; a line along each factor where nearly every run is its own arm."""
    if not table.factors:
        return _indicators(table.arms) if len(table.arms) else np.ones((len(table), 1))
    raw = np.column_stack([*table.factors.values()])
    kinds, codes = np.unique(raw, axis=0, return_inverse=True)
    many = len(kinds) > len(raw) / 2 and len(raw) > 10 * raw.shape[1]
    return np.column_stack([np.ones(len(raw)), raw]) if many else _indicators(codes.ravel())


def _indicators(labels: Labels) -> Array:
    out: Array = (labels[:, None] == np.unique(labels)[None, :]).astype(np.float64)
    return out


def finished(effects: Sequence[Row], panels: Mapping[str, Scores], setting: Setting, table: RunTable) -> list[Row]:
    """The part `power` of a study: what it could have seen, by factor and panel, and the runs that others would need."""
    out = []
    for one in effects:
        if one["family"] != "main" or one["undefined"] is not None:
            continue
        scores = panels[one["panel"]]
        runs = int(scores.there.sum())
        blocks = len(np.unique(setting.labels[scores.there]))
        sd, _, _ = _noise(table, scores)
        per_block = one["se"] * math.sqrt(blocks)
        level = one["level"]
        out.append(
            {
                "factor": one["factor"],
                "panel": one["panel"],
                "mde": errors_needed(round(one["df"], 2), level) * one["se"],
                "residual_sd": sd or None,
                "blocks": blocks,
                "runs": runs,
                "counted": setting.counted,
                "runs_for": {
                    f"{target:g}": _runs(per_block, target, runs / blocks, level, blocks / (one["df"] + 1))
                    for target in TARGETS
                },
            }
        )
    return out


def _runs(per_block: float, target: float, arms: float, level: float, loss: float = 1.0) -> int | None:
    """Runs in all that see an effect of this size; `per_block` is the SD of a block's own effect.

    `loss` is blocks over degrees of freedom (and one): how much incomplete blocks cost.
    """

    def enough(blocks: int) -> bool:
        needed = errors_needed(round(max(1.0, blocks / loss - 1), 2), level)
        return needed * per_block / math.sqrt(blocks) <= target

    low, high = CLUSTERS, CLUSTERS
    while not enough(high):
        low, high = high + 1, high * 2
        if high > MOST_BLOCKS:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return math.ceil(high * arms)
