"""The bake-off: which measure of the data predicts the score of data sets that were not seen, and how surely.

For every outcome and candidate: held-out gain over blocks and covariates (see `skill`), partial correlations, rank with its
uncertainty, joint intervals over all candidates of an outcome (bootstrap of the largest deviation, Romano & Wolf 2005), the
same in blocks that were not seen, and what share of the attainable the gain is. The noise ceiling of an outcome is the
intraclass correlation of replicate runs (Shrout & Fleiss 1979, case 1, with its F interval): no measure of the data can
explain what two runs on the same data differ by.

No number is given where it cannot be told: too few arms, a candidate that is constant, blank, or said by the covariates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import UsageError, message
from triptych.core.rng import stream
from triptych.studies.table import RunTable
from triptych.studies.trace.checks import is_seed, residual, within_blocks
from triptych.studies.trace.skill import (
    Drawn,
    Skill,
    across,
    correlations,
    gain_interval,
    gains,
    left_by_baseline,
    resampled,
    skill,
)

Array = NDArray[np.float64]
Entry: TypeAlias = dict[str, Any]

MIN_DF = 6
"""Degrees of freedom over arms below which nothing is told."""

MAX_BLANK = 0.2
"""Share of runs without a value from which on a candidate is not compared."""

WORTH = 0.02
"""A gain in R² that is worth having: a joint interval below it says "no skill"."""


@dataclass(frozen=True)
class BakeoffOptions:
    """How sure the intervals are, the draws of the bootstrap, and its seed."""

    level: float = 0.95
    draws: int = 2000
    seed: int = 0


def bakeoff(table: RunTable, options: BakeoffOptions) -> dict[str, Any]:
    """Compare `table.measured` as predictors of `table.outcomes`.

    Raises:
        UsageError: there is no candidate.
    """
    if not table.measured:
        want = "columns that hold what measures read on the data of each run"
        raise UsageError(message("there is no candidate for the bake-off.", want=want, hint="--candidates a,b"))
    arms = arm_labels(table)
    usable, out = _usable(table, arms)
    entries, ceilings, baselines = list[Entry](), list[Entry](), list[Entry]()
    for panel, scores in table.outcomes.items():
        ceilings.append({"panel": panel, **noise_ceiling(table, scores, arms, options.level)})
        there = np.isfinite(scores) & np.all([np.isfinite(table.measured[name]) for name in usable], axis=0)
        problem = _too_few(table, scores, arms, there) if usable else "no candidate can be compared"
        if problem is None:
            baseline, found = _panel(table, panel, (usable, arms, there), options)
            _of_ceiling(found, ceilings[-1])
            entries += found
            baselines.append({"panel": panel, **baseline})
        else:
            entries += [_undefined(panel, name, problem) for name in usable]
            baselines.append({"panel": panel, "r2": None, "undefined": problem})
        entries += [_undefined(panel, name, reason) for name, reason in out.items()]
    return {
        "question": "Which measure of the data predicts scores on data sets that were not seen?",
        "method": _method(table, options),
        "arms": len(np.unique(arms)),
        "runs": len(table),
        "covariates": list(table.covariates),
        "blocks": [name for name in table.blocks if not is_seed(name)],
        "entries": entries,
        "baselines": baselines,
        "ceilings": ceilings,
    }


def _method(table: RunTable, options: BakeoffOptions) -> str:
    held = [*table.covariates, *(name for name in table.blocks if not is_seed(name))]
    return (
        f"gain in R², each arm left out in turn, over a linear model of {', '.join(held) or 'the mean alone'}; intervals at "
        f"{options.level:.0%} from {options.draws} draws of arms; joint intervals hold for all candidates of an outcome at once"
    )


def arm_labels(table: RunTable) -> NDArray[np.str_]:
    """The data condition of each run: the table's arms, else runs with the same values of all candidates are one."""
    if len(table.arms):
        return table.arms
    values = np.nan_to_num(np.column_stack([*table.measured.values()]), nan=np.inf)
    return np.unique(values, axis=0, return_inverse=True)[1].ravel().astype(np.str_)


def _usable(table: RunTable, arms: NDArray[np.str_]) -> tuple[list[str], dict[str, str]]:
    """Candidates that can be compared, and why the others cannot."""
    design = np.column_stack([within_blocks(table), *table.covariates.values()])
    usable, out = [], {}
    for name, values in table.measured.items():
        there = np.isfinite(values)
        if (~there).mean() > MAX_BLANK:
            out[name] = f"{int((~there).sum())} of {len(values)} runs have no value"
        elif (
            len({(arm, value) for arm, value in zip(arms[there], values[there], strict=True)}) < 3
            or np.ptp(values[there]) == 0
        ):
            out[name] = "it hardly varies"
        elif _said(values[there], design[there]):
            out[name] = "blocks and covariates say it already"
        else:
            usable.append(name)
    return usable, out


def _said(values: Array, design: Array) -> bool:
    centred = (values - values.mean()) / values.std()
    left = residual(centred, design / np.maximum(np.abs(design).max(axis=0), 1e-300))
    return bool(left @ left < 1e-6 * len(values))


def _too_few(table: RunTable, scores: Array, arms: NDArray[np.str_], there: NDArray[np.bool_]) -> str | None:
    need = MIN_DF + 2 + len(table.covariates)
    have = len(np.unique(arms[there]))
    if have < need:
        return f"{have} arms with a score and all candidates, {need} are needed"
    if np.ptp(scores[there]) == 0:
        return "every run has the same score"
    return None


def _panel(
    table: RunTable, panel: str, chosen: tuple[list[str], NDArray[np.str_], NDArray[np.bool_]], options: BakeoffOptions
) -> tuple[Entry, list[Entry]]:
    """Baseline and entries of one outcome, on the runs that have all candidates."""
    names, arms, there = chosen
    y = table.outcomes[panel][there]
    x = np.column_stack([table.measured[name][there] for name in names])
    covariates = np.column_stack([np.empty((len(y), 0)), *(values[there] for values in table.covariates.values())])
    sums = skill(y, x, (within_blocks(table)[there], covariates), arms[there])
    if sums.df < MIN_DF or not sums.total.sum() > 0:
        reason = f"{int(sums.told.sum())} arms can be told from blocks and covariates: {sums.df} degrees of freedom, {MIN_DF} are needed"
        return {"r2": None, "undefined": reason}, [_undefined(panel, name, reason) for name in names]
    weights = resampled(len(sums.total), options.draws, stream("bakeoff", panel, options.seed))
    weights = weights[(weights @ sums.total) > 0]
    read = _Reading.of(sums, weights, options.level)
    entries = [
        _undefined(panel, name, "given the baseline it varies in one arm only")
        if sums.lone[place]
        else {"panel": panel, "candidate": name, **read.entry(place), "n_runs": len(y), "n_arms": len(sums.total)}
        for place, name in enumerate(names)
    ]
    _add_across(table, panel, (names, x, covariates, there), entries)
    left, spread = left_by_baseline(sums, weights)
    lost = int((~sums.told).sum())
    baseline = {"r2": 1 - left, "lo": 1 - left - read.t * spread, "hi": min(1 - left + read.t * spread, 1.0)}
    return baseline | {"arms": len(sums.total), "arms_not_told": lost, "undefined": None}, sorted(entries, key=_order)


def _order(entry: Entry) -> tuple[bool, float]:
    return entry["gain"] is None, -(entry["gain"] or 0.0)


@dataclass(frozen=True)
class _Reading:
    """Everything about all candidates of one outcome, (k,) each."""

    gain: Drawn
    ends: tuple[Array, Array]
    joint: tuple[Array, Array]
    pearson: Drawn
    spearman: Drawn
    best: Array
    ranks: Array
    t: float

    @classmethod
    def of(cls, sums: Skill, weights: Array, level: float) -> _Reading:
        """From the sums over arms, under weights of arms."""
        from scipy.stats import t as student  # noqa: PLC0415 - scipy.stats is slow to load

        gain = gains(sums, weights)
        pearson, spearman = (correlations(moments, sums, weights) for moments in (sums.pearson, sums.spearman))
        left = left_by_baseline(sums, weights)
        t = float(student.ppf((1 + level) / 2, sums.df))
        farthest = np.abs((pearson.draws - pearson.estimate) / np.maximum(pearson.draws.std(axis=0), 1e-12)).max(axis=1)
        # The bootstrap knows the dependence of candidates, Student's t the few arms: the normal part is taken out of the first.
        wide = t * max(float(np.quantile(farthest, level)) / float(student.ppf((1 + level) / 2, 1e9)), 1.0)
        shown = np.where(sums.lone, -np.inf, gain.draws)
        order = np.argsort(np.argsort(-shown, axis=1, kind="stable"), axis=1) + 1
        return cls(
            gain,
            gain_interval(gain, pearson, left, t),
            gain_interval(gain, pearson, left, wide),
            pearson,
            spearman,
            (order == 1).mean(axis=0),
            np.quantile(order, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0),
            t,
        )

    def entry(self, k: int) -> Entry:
        """The numbers of one candidate."""
        lo, hi = float(self.joint[0][k]), float(self.joint[1][k])
        verdict = "predicts" if lo > 0 else "no skill" if hi < WORTH else "cannot tell"
        out: Entry = {"gain": float(self.gain.estimate[k])}
        out |= {"lo": float(self.ends[0][k]), "hi": float(self.ends[1][k]), "lo_joint": lo, "hi_joint": hi}
        for name, drawn in (("pearson", self.pearson), ("spearman", self.spearman)):
            z, half = drawn.estimate[k], self.t * drawn.se[k]
            ends = [float(np.tanh(value)) for value in (z, z - half, z + half)]
            out |= {name: ends[0], f"{name}_lo": ends[1], f"{name}_hi": ends[2]}
        out |= {"rank": int(1 + (self.gain.estimate > self.gain.estimate[k]).sum()), "p_best": float(self.best[k])}
        out |= {"rank_lo": int(self.ranks[0, k]), "rank_hi": int(self.ranks[2, k])}
        return out | {"verdict": verdict, "undefined": None}


def _add_across(
    table: RunTable, panel: str, chosen: tuple[list[str], Array, Array, NDArray[np.bool_]], entries: list[Entry]
) -> None:
    """Gains in blocks that were not seen, where a block other than a seed has at least three levels; the error is theirs."""
    from scipy.stats import t as student  # noqa: PLC0415 - scipy.stats is slow to load

    names, x, covariates, there = chosen
    name = next((b for b in table.blocks if not is_seed(b) and len(np.unique(table.blocks[b][there])) >= 3), None)
    if name is None:
        return
    better, total = across(table.outcomes[panel][there], x, covariates, table.blocks[name][there])
    count, whole = len(total), float(total.sum())
    if not whole > 0:
        return
    for entry in entries:
        if entry["gain"] is None:
            continue
        mine = better[:, names.index(entry["candidate"])]
        value = float(mine.sum() / whole)
        left = (mine.sum() - mine) / np.maximum(whole - total, 1e-300)
        half = float(student.ppf(0.975, count - 1) * np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum()))
        entry |= {"across": name, "across_gain": value, "across_lo": value - half, "across_hi": value + half}


def _of_ceiling(entries: Sequence[Entry], ceiling: Entry) -> None:
    """What share of the attainable R² a gain is, where the ceiling is known and above 0."""
    for entry in entries:
        known = ceiling["estimate"] is not None and ceiling["estimate"] > 0 and entry["gain"] is not None
        entry["of_ceiling"] = entry["gain"] / ceiling["estimate"] if known else None


def _undefined(panel: str, name: str, reason: str) -> Entry:
    return {"panel": panel, "candidate": name, "gain": None, "verdict": "cannot tell", "undefined": reason}


def noise_ceiling(table: RunTable, scores: Array, arms: NDArray[np.str_], level: float) -> Entry:
    """How much of the spread between runs the data can explain at all: 1 less the share by which replicates differ.

    Replicates are runs of one arm in the same blocks that differ in seed. Blocks are taken out first.
    """
    from scipy.stats import f as fisher  # noqa: PLC0415 - scipy.stats is slow to load

    there = np.isfinite(scores)
    blocks = [labels[there] for name, labels in table.blocks.items() if not is_seed(name)]
    keys = np.array(["\x1f".join(parts) for parts in zip(arms[there], *blocks, strict=True)])
    _, code, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    n, cells = len(code), len(sizes)
    if n - cells < 3:
        reason = f"{n - cells} runs repeat another with a different seed, 3 are needed"
        return {"estimate": None, "lo": None, "hi": None, "replicates": n - cells, "undefined": reason}
    design = within_blocks(table)[there]
    y = scores[there]
    means = np.bincount(code, y) / sizes
    inside = float(((y - means[code]) ** 2).sum()) / (n - cells)
    rank = int(np.linalg.matrix_rank(design))
    if cells - rank < 3:
        return {
            "estimate": None,
            "lo": None,
            "hi": None,
            "replicates": n - cells,
            "undefined": "too few arms in a block",
        }
    between = float((residual(means[code], design) ** 2).sum()) / (cells - rank)
    size = (n - float((sizes**2).sum()) / n) / (cells - 1)
    if inside <= 0:
        reason = "replicates agree to the last digit" if between > 0 else "every run has the same score"
        return {"estimate": None, "lo": None, "hi": None, "replicates": n - cells, "undefined": reason}

    def share(ratio: float) -> float:
        return min(max((ratio - 1) / (ratio + size - 1), 0.0), 1.0)

    tail = (1 - level) / 2
    ratio, df = between / inside, (cells - rank, n - cells)
    lo, hi = share(ratio / fisher.ppf(1 - tail, *df)), share(ratio / fisher.ppf(tail, *df))
    return {"estimate": share(ratio), "lo": lo, "hi": hi, "replicates": n - cells, "undefined": None}
