"""How the scores are spread, how many there are, and whether they come again."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.auditing.intervals import Number, Sample, mean_of
from triptych.auditing.numbers import entropy, icc, kappa, levels, spearman, tied
from triptych.auditing.scored import VERDICT, Scored
from triptych.core.estimate import Undefined

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

BINS = 40
BLOCKS = 10
CLUSTER_MOST = 50
"""Records of one cluster that are compared with each other."""


def coverage(one: Scored) -> list[Number]:
    """The share of failures."""
    failed = np.isnan(one.column.values).astype(np.float64)
    return [one.sample.number(("failed", f"{one.unit} without a score", "ratio"), mean_of(failed), "share")]


def spread(one: Scored) -> list[Number]:
    """Mean, deviation, ends, ties and entropy of the scores."""
    there = ~np.isnan(one.column.values)
    values, sample = one.column.values[there], one.sample.at(there)
    level = levels(values)
    out = []
    if one.kind == VERDICT:
        out.append(sample.number(("tied", "verdicts that are a tie", "ratio"), mean_of(_is(values, 0.5)), "share"))
    else:
        out += [
            sample.number(("mean", "mean score", "score"), mean_of(values)),
            sample.number(("sd", "standard deviation", "score"), lambda rows: _sd(values[rows])),
            sample.number(
                ("floor", "at the lowest score", "ratio"), mean_of(_is(values, values.min(initial=np.inf))), "share"
            ),
            sample.number(
                ("ceiling", "at the highest score", "ratio"), mean_of(_is(values, values.max(initial=-np.inf))), "share"
            ),
            sample.number(
                ("ties", "two records have the same score", "probability"), lambda rows: tied(level[rows]), "share"
            ),
        ]
        out += _within(values, sample)
    return [*out, sample.number(("entropy", "entropy of the scores", "nats"), lambda rows: entropy(level[rows]))]


def repeats(one: Scored) -> list[Number]:
    """How far second scores of the same agree with the first."""
    out = _columns(one) if one.repeats else []
    return [*out, *_same_text(one)]


def histogram(values: Floats) -> dict[str, Any] | None:
    """Counts of the scores; None where there is none."""
    found = values[~np.isnan(values)]
    if not len(found):
        return None
    different = np.unique(found)
    if len(different) == 1:
        ends = np.array([different[0] - 0.5, different[0] + 0.5])
    elif len(different) <= BINS and np.diff(different).min() > (different[-1] - different[0]) / (4 * BINS):
        middle = (different[1:] + different[:-1]) / 2
        ends = np.concatenate([[2 * different[0] - middle[0]], middle, [2 * different[-1] - middle[-1]]])
    else:
        ends = np.linspace(different[0], different[-1], BINS + 1)
    counts, ends = np.histogram(found, ends)
    return {"edges": ends.tolist(), "counts": counts.tolist(), "missing": len(values) - len(found)}


def blocks(one: Scored) -> list[dict[str, Any]]:
    """The mean score along the file, in ten parts."""
    out = []
    for part in np.array_split(np.arange(len(one.column.values)), min(BLOCKS, len(one.column.values))):
        values = one.column.values[part]
        there = ~np.isnan(values)
        number = one.sample.at(part[there]).number(("mean", "mean score", "score"), mean_of(values[there]))
        entry = {"first": one.frame.places[one.places[part[0]]], "last": one.frame.places[one.places[part[-1]]]}
        out.append(
            {
                **entry,
                "n": len(part),
                "failed": int((~there).sum()),
                "mean": number.value,
                "lo": number.lo,
                "hi": number.hi,
            }
        )
    return out


def within_pairs(cluster: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Every two records of one cluster (of its first 50), as two columns of places."""
    order = np.argsort(cluster, kind="stable")
    _, start, size = np.unique(cluster[order], return_index=True, return_counts=True)
    first, second = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for count in np.unique(size[size > 1]):
        at = start[size == count]
        for a, b in combinations(range(min(int(count), CLUSTER_MOST)), 2):
            first.append(order[at + a])
            second.append(order[at + b])
    return np.concatenate(first), np.concatenate(second)


def _within(values: Floats, sample: Sample) -> list[Number]:
    a, b = within_pairs(sample.cluster)
    if not len(a):
        return []
    same = (values[a] == values[b]).astype(np.float64)
    name = ("ties_within", "two records of one prompt have the same score", "probability")
    return [sample.at(a).number(name, mean_of(same), "share")]


def _columns(one: Scored) -> list[Number]:
    columns = [one.column, *one.repeats]
    table = np.stack([column.values for column in columns], axis=1)
    there = np.asarray(np.isfinite(table).all(axis=1), dtype=np.bool_)
    held, sample = table[there], one.sample.at(there)
    two = list(combinations(range(len(columns)), 2))
    same = np.mean([held[:, i] == held[:, j] for i, j in two], axis=0) if len(held) else np.empty(0)
    out = [sample.number(("exact", "second score is the same", "ratio"), mean_of(same), "share")]
    if one.kind == VERDICT:
        level = np.round(2 * held).astype(np.intp)
        name = ("repeat_kappa", "agreement of verdicts beyond chance", "kappa")
        return [*out, sample.number(name, lambda rows: kappa(level[rows, 0], level[rows, 1], 3), "correlation")]
    out.append(
        sample.number(("icc", "repeatability of one score", "correlation"), lambda rows: icc(held[rows]), "correlation")
    )
    if len(columns) > 2:
        name = ("icc_mean", f"repeatability of the mean of {len(columns)}", "correlation")
        out.append(sample.number(name, lambda rows: icc(held[rows], mean=True), "correlation"))
    rank = ("repeat_rank", "rank correlation of first and second score", "rank correlation")
    out.append(sample.number(rank, lambda rows: spearman(held[rows, 0], held[rows, 1]), "correlation"))
    shift = sample.number(("shift", "second score minus first", "score"), mean_of(held[:, 1] - held[:, 0]))
    return [*out, shift]


def _same_text(one: Scored) -> list[Number]:
    """Records with equal prompt and response: scored twice without being asked for it."""
    frame = one.frame
    if one.kind == VERDICT:
        return []
    there = ~np.isnan(one.column.values) & (frame.response != 0)
    rows = np.flatnonzero(there)
    pairs = np.stack([frame.prompt[rows], frame.response[rows]], axis=1)
    _, which, size = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    twice = size[which.reshape(-1)] > 1
    if not twice.any():
        return []
    rows, which = rows[twice], which.reshape(-1)[twice]
    order = np.argsort(which, kind="stable")
    _, start = np.unique(which[order], return_index=True)
    a, b = rows[order[start]], rows[order[start + 1]]
    same = (one.column.values[a] == one.column.values[b]).astype(np.float64)
    name = ("same_text", "the same text twice, the same score", "ratio")
    return [one.sample.at(a).number(name, mean_of(same), "share")]


def _is(values: Floats, wanted: float) -> Floats:
    return np.asarray(values == wanted, dtype=np.float64)


def _sd(values: Floats) -> float | Undefined:
    return float(values.std(ddof=1)) if len(values) > 1 else Undefined("fewer than two scores")
