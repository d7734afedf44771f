"""A second interval: blocks and items drawn anew, crossed, so that it speaks of other items too.

Blocks (with all their arms and seeds) are drawn with replacement and the model fitted again; items are drawn with
replacement across all runs, because all arms answer the same ones. Drawing both as they stand counts the noise of single
answers up to three times (Owen 2007, Annals of Applied Statistics 1, 386), so the items' part is shrunk to what it holds
beyond that noise, which the blocks already carry. The errors of both, that of the blocks corrected
for their number, are added and taken times a t (Satterthwaite): the quantiles of five blocks' draws are far too near.

Where runs are counted instead of blocks, runs are drawn.
"""

from __future__ import annotations

import numpy as np

from triptych.core.rng import stream
from triptych.studies.effects.model import Array, Fit, Solution
from triptych.studies.effects.plan import Analysis

LARGEST = 1e10
"""Condition number from which on a draw of blocks has lost a factor: it is left out, and `draws` says how many are left."""


def interval_over_items(
    fit: Fit, solution: Solution, items: Array, scales: Array, plan: Analysis
) -> list[dict[str, float | int]] | None:
    """One interval for each term: `lo`, `hi`, `se`, `draws`. None with fewer than two items or clusters.

    Args:
        fit: the model of the panel's runs.
        solution: its solution.
        items: scores of these runs, (n, items); an item that a run lacks counts as the run's mean.
        scales: from coefficients to effects, (p,).
        plan: for draws, seed and level.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - scipy is slow to import

    count, clusters = items.shape[1], fit.clusters.count
    if count < 2 or clusters < 2:
        return None
    rng = stream("effects", "items", plan.seed)
    missing = np.isnan(items)
    mean = np.where(missing, 0.0, items).sum(1, keepdims=True) / np.maximum((~missing).sum(1, keepdims=True), 1)
    full = np.where(missing, mean, items)
    blocks = _blocks_drawn(fit, full.mean(1), solution.beta[:, 0], rng, plan.bootstrap)
    if len(blocks) < 2:
        return None
    over_blocks = blocks.var(0, ddof=1) * clusters / (clusters - 1)
    over_items = _items_drawn(fit, full, rng, len(blocks)).var(0, ddof=1)
    both = over_blocks + over_items
    # Satterthwaite: few blocks, many items.
    parts = over_blocks**2 / np.maximum(solution.df[:, 0], 1.0) + over_items**2 / (count - 1)
    freedom = np.where(parts > 0, both**2 / np.where(parts > 0, parts, 1.0), 1.0)
    se = np.abs(scales) * np.sqrt(both)
    center = scales * solution.beta[:, 0]
    reach = stdtrit(freedom, (1 + plan.level) / 2) * se
    return [
        {"lo": float(c - r), "hi": float(c + r), "se": float(s), "draws": len(blocks)}
        for c, r, s in zip(center, reach, se, strict=True)
    ]


def _blocks_drawn(fit: Fit, outcome: Array, beta: Array, rng: np.random.Generator, draws: int) -> Array:
    """Coefficients less those of the data, for each draw of the clusters that can be fitted, (draws, p)."""
    squares, products = fit.pieces(outcome[:, None])
    times = rng.multinomial(fit.clusters.count, np.full(fit.clusters.count, 1 / fit.clusters.count), size=draws)
    left = np.einsum("bg,gij->bij", times, squares, optimize=True)
    right = np.einsum("bg,gi->bi", times, products[:, :, 0], optimize=True)
    fitted = np.linalg.cond(left) < LARGEST
    found = np.linalg.solve(left[fitted], right[fitted][:, :, None])[:, : len(beta), 0]
    out: Array = found - beta
    return out


def _items_drawn(fit: Fit, items: Array, rng: np.random.Generator, draws: int) -> Array:
    """How far drawing items moves each coefficient, less what is noise of single answers, (draws, p)."""
    count, clusters = items.shape[1], fit.clusters.count
    times = rng.multinomial(count, np.full(count, 1 / count), size=draws) - 1.0
    centred = items - items.mean(0)
    out = np.empty((draws, fit.p))
    for j, weight in enumerate(fit.clusters.without_means(fit.weights.T).T):
        cells = fit.clusters.sums(weight[:, None] * centred)
        total = cells.sum(0)
        rest = cells - cells.mean(1, keepdims=True) - (total - total.mean()) / clusters
        noise = clusters * float((rest**2).sum()) / ((clusters - 1) * (count - 1))
        spread = float(total.var(ddof=1))
        shrunk = np.sqrt(max(0.0, 1 - noise / spread)) if spread > 0 else 0.0
        out[:, j] = shrunk * (times @ total) / count
    return out
