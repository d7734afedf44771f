"""Agreement and association, each a pure function of arrays: a number, or the reason why there is none.

    concordance   of two records with different gold, how often the one with the higher gold has the higher score; ties
                  count half (Harrell's C; with two levels of gold the area under the ROC curve, Hanley & McNeil 1982)
    kappa         agreement beyond chance, quadratic weights (Cohen 1968); with two levels Cohen's kappa
    icc           one-way random effects, single score and mean of k (Shrout & Fleiss 1979, ICC(1,1) and ICC(1,k))
    spearman      correlation of ranks, ties at their mean rank; partial: with the ranks of a third taken out

Worked examples: scores 1, 2, 2 with gold 0, 0, 1: of the pairs (1, 2) and (2, 2) one and a half are in order, .75.
Scores (1, 1), (3, 3): ICC 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

GOLD_LEVELS = 64
"""Gold with more different values is cut at its quantiles into so many levels; records of one level are not compared."""


def levels(values: Floats) -> Ints:
    """Places of the values among the different ones, (n,)."""
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def gold_levels(values: Floats) -> Ints:
    """As `levels`, but at most 64 of them."""
    found = levels(values)
    if found.max(initial=0) < GOLD_LEVELS:
        return found
    ends = np.quantile(values, np.arange(1, GOLD_LEVELS) / GOLD_LEVELS)
    return np.searchsorted(ends, values, side="right")


def concordance(score: Ints, gold: Ints) -> float | Undefined:
    """The share of pairs in order, of levels of score and gold, both (n,)."""
    width, held = int(score.max(initial=0)) + 1, np.unique(gold)
    if len(held) < 2:
        return Undefined("gold is the same everywhere")
    below, wins, total = np.zeros(width), 0.0, 0.0
    for level in held:
        mine = np.bincount(score[gold == level], minlength=width).astype(np.float64)
        under = np.cumsum(below) - below / 2
        wins, total = wins + float(mine @ under), total + float(mine.sum() * below.sum())
        below += mine
    return wins / total


def ranks(values: Floats) -> Floats:
    """Ranks from 1, ties at their mean, (n,)."""
    _, place, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - (size - 1) / 2)[place.reshape(-1)], dtype=np.float64)


def pearson(x: Floats, y: Floats) -> float | Undefined:
    """Correlation of two columns."""
    if len(x) < 3:
        return Undefined("fewer than three records have both")
    a, b = x - x.mean(), y - y.mean()
    power = float(a @ a) * float(b @ b)
    if not x.max() > x.min() or not y.max() > y.min() or power == 0:
        return Undefined("one of the two is the same everywhere")
    return float(np.clip(float(a @ b) / np.sqrt(power), -1, 1))


def spearman(x: Floats, y: Floats) -> float | Undefined:
    """Correlation of ranks."""
    return pearson(ranks(x), ranks(y))


def partial(x: Floats, y: Floats, z: Floats) -> float | Undefined:
    """Correlation of the ranks of x and y, with those of z taken out."""
    xy, xz, yz = spearman(x, y), spearman(x, z), spearman(y, z)
    if isinstance(xy, Undefined):
        return xy
    if isinstance(xz, Undefined) or isinstance(yz, Undefined):
        return Undefined("what is taken out is the same everywhere")
    left = (1 - xz**2) * (1 - yz**2)
    if left < 1e-12:
        return Undefined("one of the two is what is taken out")
    return float(np.clip((xy - xz * yz) / np.sqrt(left), -1, 1))


def kappa(x: Ints, y: Ints, size: int) -> float | Undefined:
    """Quadratic weighted kappa of levels 0..size-1."""
    table = np.bincount(x * size + y, minlength=size * size).reshape(size, size) / max(len(x), 1)
    weights = (np.arange(size)[:, None] - np.arange(size)[None, :]) ** 2
    by_chance = float((weights * np.outer(table.sum(1), table.sum(0))).sum())
    if by_chance == 0:
        return Undefined("both give one and the same value everywhere")
    return float(1 - float((weights * table).sum()) / by_chance)


def icc(scores: Floats, *, mean: bool = False) -> float | Undefined:
    """Intraclass correlation of scores (n, k): of one score, or of the mean of k."""
    n, k = scores.shape
    if n < 2 or k < 2:
        return Undefined("fewer than two records have two scores")
    centre = scores.mean(axis=1)
    between = k * float(((centre - scores.mean()) ** 2).sum()) / (n - 1)
    within = float(((scores - centre[:, None]) ** 2).sum()) / (n * (k - 1))
    low = between if mean else between + (k - 1) * within
    if low <= 0:
        return Undefined("all scores are the same")
    return float(max((between - within) / low, -1.0))


def tied(level: Ints) -> float | Undefined:
    """The probability that two records have the same score."""
    n = len(level)
    if n < 2:
        return Undefined("fewer than two records")
    size = np.bincount(level).astype(np.float64)
    return float((size * (size - 1)).sum() / (n * (n - 1)))


def entropy(level: Ints) -> float | Undefined:
    """Entropy of the scores in nats."""
    if not len(level):
        return Undefined("no score")
    size = np.bincount(level)
    share = size[size > 0] / len(level)
    return float(-(share * np.log(share)).sum()) + 0.0
