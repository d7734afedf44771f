"""What models answer to the prompts that they share, prompt by prompt: labels, pass@k, diversity, steps.

pass@k is the chance that one of k answers is right, with the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374, eq. 1):
of n answers c are right, 1 - C(n-c, k) / C(n, k).

Worked example: 4 answers, 1 right: .25 at k = 1, .5 at k = 2, 1 at k = 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.comparing.sides import Ints, Side
from triptych.engines.fold import Selected

Floats = NDArray[np.float64]
UInts = NDArray[np.uint64]
Groups = NDArray[np.uint8]

DISTANCE, NOVELTY, STEPS = "per_prompt_distance@response", "per_prompt_novelty:n=3@response", "reasoning_steps@response"
COLUMNS = (DISTANCE, NOVELTY, STEPS)
"""What is read of a set beside its label."""

QUALITY = "quality"
PER_PROMPT = {"per_prompt": DISTANCE, "per_prompt_novelty": NOVELTY}
HALF = 0.5


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model answers to P shared prompts.

    Attributes:
        name: of the set.
        n: answers with a label, int64 (P,).
        right: sum of their labels (P,).
        values: quantity to its value on every prompt, NaN where there is none, float64 (P,).
    """

    name: str
    n: Ints
    right: Floats
    values: Mapping[str, Floats]


def find_label(sides: Sequence[Side]) -> str | None:
    """The first label of 0 and 1 that all sets have, where they are answers of models; else None.

    They are where at least half of the prompts that all sets answer have two labelled answers or more in every set, and no
    set shares more than half of its responses to them with another: a set and what was selected of it are one model.
    """
    shared = [name for name in sides[0].dataset.layout.labels if all(name in s.dataset.layout.labels for s in sides)]
    for label in shared:
        if all(binary(side, label) for side in sides):
            prompts = common_prompts(sides, label)
            counts = [np.bincount(places(side, prompts, label)[1], minlength=len(prompts)) for side in sides]
            several = len(prompts) and np.mean(np.minimum.reduce(counts) > 1) >= HALF
            if several and not _overlap(sides, prompts):
                return label
    return None


def _overlap(sides: Sequence[Side], prompts: UInts) -> bool:
    """Whether more than half of the responses of one set to these prompts are those of another."""
    texts = [side.store.whole("key@response").to_numpy()[places(side, prompts)[0]] for side in sides]
    return any(np.isin(a, b).mean() > HALF for a, b in permutations(texts, 2))


def pass_at(n: Ints, c: Floats, k: int) -> Floats:
    """Chance that one of k answers is right, of n of which c are right; NaN where n < k. All (P,)."""
    wrong = np.ones(len(n))
    for drawn in range(k):
        wrong *= np.maximum(n - c - drawn, 0.0) / np.maximum(n - drawn, 1)
    return np.where(n >= k, 1.0 - wrong, np.nan)


def labels_of(side: Side, label: str) -> Floats:
    """The label of every record, NaN where missing."""
    column = side.store.whole(f"label.{label}").cast("float64")
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), dtype=np.float64)


def binary(side: Side, label: str) -> bool:
    """Whether every record that has the label has it 0 or 1."""
    values = labels_of(side, label)
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def common_prompts(sides: Sequence[Side], label: str) -> UInts:
    """Keys of the prompts with a labelled answer in every set, ascending."""
    found = [np.unique(side.prompt[~np.isnan(labels_of(side, label))]) for side in sides]
    common = found[0]
    for keys in found[1:]:
        common = np.intersect1d(common, keys, assume_unique=True)
    shared: UInts = common[common != 0]
    return shared


def places(side: Side, prompts: UInts, label: str | None = None) -> tuple[Ints, Ints]:
    """Ordinals of the records that answer one of the prompts (and have the label), and the place of their prompt."""
    at = np.searchsorted(prompts, side.prompt).clip(0, max(len(prompts) - 1, 0))
    held = prompts[at] == side.prompt if len(prompts) else np.zeros(len(side), dtype=np.bool_)
    if label is not None:
        held &= ~np.isnan(labels_of(side, label))
    rows = np.flatnonzero(held)
    return rows, at[rows]


def groups_of(side: Side, prompts: UInts) -> Groups:
    """The joint group of every prompt: that of any record that answers it."""
    rows, at = places(side, prompts)
    out = np.zeros(len(prompts), dtype=np.uint8)
    out[at] = side.keys.group[rows]
    return out


def answers_of(side: Side, prompts: UInts, label: str) -> Answers:
    """Counts and values of every prompt."""
    rows, at = places(side, prompts, label)
    values = labels_of(side, label)[rows]
    n = np.bincount(at, minlength=len(prompts))
    right = np.bincount(at, weights=values, minlength=len(prompts)).astype(np.float64)
    quantities = {QUALITY: right / n, "complexity": _steps(side, prompts)}
    quantities |= {key: _related(side, prompts, column) for key, column in PER_PROMPT.items()}
    return Answers(side.name, n, right, quantities)


def _steps(side: Side, prompts: UInts) -> Floats:
    """Mean reasoning steps of the answers to every prompt."""
    if STEPS not in side.store.columns:
        return np.full(len(prompts), np.nan)
    rows, at = places(side, prompts)
    column = side.store.whole(STEPS).cast("float64")
    steps = np.asarray(pc.fill_null(column, float("nan")).to_numpy(), dtype=np.float64)[rows]
    known = ~np.isnan(steps)
    count = np.bincount(at[known], minlength=len(prompts))
    total = np.bincount(at[known], weights=steps[known], minlength=len(prompts))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _related(side: Side, prompts: UInts, column: str) -> Floats:
    """A value per prompt that needs all answers to it: of the relation that gives it, with the prompt as the cluster."""
    out = np.full(len(prompts), np.nan)
    relation = next((one for one in side.work.relations if column in one.gives), None)
    rows, at = places(side, prompts)
    if relation is None or not len(rows):
        return out
    keys = replace(side.keys, cluster=side.prompt)
    found = relation.compute(Selected(side.store, keys, rows if len(rows) < len(side) else None))[column]
    out[at[found.positions]] = found.values
    return out


def sizes_of(fewest: Ints) -> tuple[int, ...]:
    """1, 2, 4 .. for as long as at least half of the prompts have so many answers in every set."""
    most = int(np.sort(fewest)[(len(fewest)) // 2])
    return tuple(2**power for power in range(most.bit_length()))


def fewer(read: Sequence[Answers], k: int) -> int:
    """Prompts with fewer than k answers in one of the sets."""
    return int((np.minimum.reduce([one.n for one in read]) < k).sum())


def with_passes(one: Answers, sizes: Sequence[int], everyone: Sequence[Answers]) -> Answers:
    """pass@k for every k, NaN on prompts that have fewer answers in one of the sets."""
    fewest = np.minimum.reduce([each.n for each in everyone])
    passes = {f"pass@{k}": np.where(fewest >= k, pass_at(one.n, one.right, k), np.nan) for k in sizes}
    return replace(one, values={**one.values, **passes})
