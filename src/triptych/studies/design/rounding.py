"""Shares into records: systematic sampling of the few that a program leaves undecided, under the cap of every prompt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WHOLE = 1e-6
TRIES = 128


def rounded(
    shares: NDArray[np.float64],
    kinds: NDArray[np.int64],
    prompts: NDArray[np.int64],
    columns: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Positions that are taken, ascending: exactly as many as the shares sum to.

    Undecided records stand in a row, kind by kind and prompt by prompt, and every step of 1 along their summed shares
    takes one: each is taken with a chance of its share, and of a prompt whose shares sum to at most 1, at most one. Of 128
    such draws, the one whose means are nearest to those of the shares is kept.

    Args:
        shares: in [0, 1], with a whole sum (m,).
        kinds: of the records (m,).
        prompts: of the records (m,); -1: none that others share.
        columns: what should keep its mean (m, j), in comparable units.
        rng: of the draws.
    """
    sure = np.flatnonzero(shares >= 1 - WHOLE)
    open_ = np.flatnonzero((shares > WHOLE) & (shares < 1 - WHOLE))
    wanted = round(float(shares.sum())) - len(sure)
    if not wanted:
        return sure
    weights = shares[open_] * (wanted / shares[open_].sum())
    target = weights @ columns[open_]
    best, chosen = np.inf, open_[:0]
    for _ in range(TRIES):
        mixed = rng.permutation(len(open_))
        alone = prompts[open_] < 0
        place = np.where(alone, -1 - np.arange(len(open_)), prompts[open_])
        first = {name: int(kind) for name, kind in zip(place[mixed], kinds[open_][mixed], strict=True)}
        turn = {name: index for index, name in enumerate(dict.fromkeys(place[mixed]))}
        row = np.array(sorted(range(len(open_)), key=lambda i: (first[place[i]], turn[place[i]])))
        start = rng.random()
        ends = np.concatenate([[0.0], weights[row].cumsum()]) - start
        ends[-1] = wanted - start
        taken = row[np.diff(np.floor(ends)) > 0]
        off = float(((columns[open_[taken]].sum(axis=0) - target) ** 2).sum())
        if off < best:
            best, chosen = off, open_[taken]
    return np.sort(np.concatenate([sure, chosen]))
