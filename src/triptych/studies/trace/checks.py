"""What makes a table of runs unfit, or unbalanced: factors that cannot be told apart, seeds that are missing, mixed units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import InputError, message
from triptych.studies.table import RunTable

SEED_NAMES = ("seed", "data_seed", "train_seed", "training_seed", "random_seed", "replicate")
_SAME = 1e-9
_LISTED = 6


def dummies(labels: NDArray[np.str_]) -> NDArray[np.float64]:
    """One column a label but the first, (n, labels - 1)."""
    levels, codes = np.unique(labels, return_inverse=True)
    out: NDArray[np.float64] = (codes[:, None] == np.arange(1, len(levels))[None, :]).astype(np.float64)
    return out


def within_blocks(table: RunTable) -> NDArray[np.float64]:
    """A column of ones and the dummies of every block but seeds, (n, columns)."""
    columns = [dummies(labels) for name, labels in table.blocks.items() if not is_seed(name)]
    return np.hstack([np.ones((len(table), 1)), *columns])


def is_seed(name: str) -> bool:
    """Whether a block is a seed: a replicate that has no level of its own."""
    return name.lower() in SEED_NAMES


def residual(values: NDArray[np.float64], design: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is left of columns, (n,) or (n, k), after the design, (n, p), is regressed out."""
    basis, singular, _ = np.linalg.svd(design, full_matrices=False)
    basis = basis[:, singular > singular[0] * 1e-10]
    left: NDArray[np.float64] = values - basis @ (basis.T @ values)
    return left


def refuse_inseparable(table: RunTable) -> None:
    """Refuse factors that are constant, or that the blocks and the other factors say already.

    Raises:
        InputError: with the factor and what it cannot be told from.
    """
    for name, values in table.factors.items():
        if np.ptp(values) == 0:
            what = f'factor "{name}" is {values[0]:g} in every run: it has no effect to find.'
            raise InputError(message(what, want="at least two values", hint="leave it out of --factors"))
    blocks = within_blocks(table)
    for name, values in table.factors.items():
        if _nothing_left(values, blocks):
            what = f'factor "{name}" never varies within a block: it cannot be told from the blocks.'
            got = ", ".join(block for block in table.blocks if not is_seed(block))
            raise InputError(
                message(what, got=got, want="runs of the same block with other values", hint="fewer --blocks")
            )
    others = {**table.factors, **table.covariates}
    for name, values in table.factors.items():
        rest = {other: column for other, column in others.items() if other != name}
        if rest and _nothing_left(values, np.hstack([blocks, np.column_stack([*rest.values()])])):
            pair = next(
                (o for o, column in rest.items() if _nothing_left(values, np.hstack([blocks, column[:, None]]))), None
            )
            what = f'factor "{name}" cannot be told from {pair or "the other factors and covariates together"}.'
            raise InputError(
                message(what, want="columns that vary apart", hint=f"leave out one of them: {', '.join(others)}")
            )


def _nothing_left(values: NDArray[np.float64], design: NDArray[np.float64]) -> bool:
    spread = (values - values.mean()) / values.std()
    scaled = design / np.where(np.abs(design).max(axis=0) > 0, np.abs(design).max(axis=0), 1)
    left = residual(spread, np.hstack([np.ones((len(values), 1)), scaled]))
    return bool(left @ left < _SAME * len(values))


def missing_seeds(table: RunTable) -> Iterator[dict[str, str]]:
    """Arms that lack a seed that others have: the design is not balanced. By arm, else by factors and other blocks."""
    for name, seeds in table.blocks.items():
        if not is_seed(name):
            continue
        others = [labels for block, labels in table.blocks.items() if block != name]
        keys = [table.arms] if len(table.arms) else [np.array([f"{v:g}" for v in f]) for f in table.factors.values()]
        cells = np.array([" ".join(parts) for parts in zip(*keys, *others, strict=True)])
        everyone, found = set(seeds.tolist()), dict[str, set[str]]()
        for cell, seed in zip(cells.tolist(), seeds.tolist(), strict=True):
            found.setdefault(cell, set()).add(seed)
        if len(found) * len(everyone) > 4 * len(table):
            continue  # seeds of their own in every cell: nothing was crossed
        lacking = [(cell, sorted(everyone - there)) for cell, there in found.items() if everyone - there]
        if lacking:
            listed = "; ".join(f"{cell} has no {name} {', '.join(gone)}" for cell, gone in lacking[:_LISTED])
            more = " .." if len(lacking) > _LISTED else ""
            text = f"{len(lacking)} of {len(found)} cells lack a {name}, so the design is not balanced: {listed}{more}"
            yield {"code": "missing_seeds", "text": text}


def fractions_beside_percents(scores: NDArray[np.float64], labels: NDArray[np.str_]) -> tuple[str, str] | None:
    """A block whose scores all lie within 0 to 1 and another whose scores are some hundred times larger, or None."""
    known = np.isfinite(scores)
    middle = {
        label: (float(np.median(scores[known & (labels == label)])), float(scores[known & (labels == label)].max()))
        for label in np.unique(labels[known]).tolist()
    }
    small = [label for label, (half, top) in middle.items() if top <= 1 and half > 0.05]
    large = [label for label, (half, _) in middle.items() if small and 25 < half / middle[small[0]][0] < 400]
    return (small[0], large[0]) if small and large else None
