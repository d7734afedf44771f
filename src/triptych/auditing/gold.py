"""Agreement with gold: concordance on one scale for labels, grades and preferences, beside what length alone would reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.auditing.columns import Column
from triptych.auditing.frame import Pairs
from triptych.auditing.intervals import Number, Sample, Value, mean_of
from triptych.auditing.numbers import concordance, gold_levels, kappa, levels, partial, pearson, spearman
from triptych.auditing.scored import VERDICT, Scored
from triptych.auditing.spread import within_pairs
from triptych.core.estimate import Undefined

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MOST_LEVELS = 20
"""Weighted kappa is read where score and gold have the same values, so many at most."""


@dataclass(frozen=True, eq=False)
class _Both:
    """Records that have a score and a gold label."""

    score: Floats
    gold: Floats
    length: Floats
    sample: Sample


def agreement(one: Scored, gold: Column) -> list[Number]:
    """Every number of the agreement with gold; the first that has a value is what a verdict rests on."""
    out = _preferences(one, one.frame.pairs, gold) if one.frame.pairs is not None else []
    if one.kind == VERDICT:
        return out
    there = ~np.isnan(one.column.values) & ~np.isnan(gold.values)
    sample = one.sample.at(there)
    both = _Both(one.column.values[there], gold.values[there], one.length[there], sample)
    return [*out, *_pooled(both), *_within(both), *_correlations(both), *_kappas(both)]


def _preferences(one: Scored, pairs: Pairs, gold: Column) -> list[Number]:
    """How often the response of a pair that is better by gold wins, and how often it is the longer one."""
    frame = one.frame
    better = np.sign(gold.values[pairs.first] - gold.values[pairs.second])
    won = one.won(pairs)
    usable = ~np.isnan(won) & ~np.isnan(better) & (better != 0)
    sample = Sample(frame.group[pairs.first], frame.cluster[pairs.first]).at(usable)
    right = np.where(better > 0, won, 1 - won)[usable]
    name = ("pair_accuracy", "the better response of a pair wins", "ratio")
    out = [
        sample.number(name, mean_of(right), "share").noted(
            "a tie counts half; pairs that gold calls equal are left out"
        )
    ]
    longer = np.sign(one.length[pairs.first] - one.length[pairs.second])[usable]
    if len(longer) and not np.isnan(longer).any():
        by_length = (1 + longer * better[usable]) / 2
        name = ("pair_length", "the better response of a pair is the longer", "ratio")
        out.append(sample.number(name, mean_of(by_length), "share").noted("what choosing by length would reach"))
        name = ("over_length", "more than choosing by length would reach", "difference")
        out.append(sample.number(name, mean_of(right - by_length)))
    if one.kind == VERDICT:
        every = ~np.isnan(won) & ~np.isnan(better)
        x, y = np.round(2 * won[every]).astype(np.intp), np.round(1 + better[every]).astype(np.intp)
        sample = Sample(frame.group[pairs.first], frame.cluster[pairs.first]).at(every)
        name = ("kappa", "agreement with gold beyond chance", "kappa")
        number = sample.number(name, lambda rows: kappa(x[rows], y[rows], 3), "correlation")
        out.append(number.noted("first, tie, second; quadratic weights"))
    return out


def _pooled(both: _Both) -> list[Number]:
    score, gold = levels(both.score), gold_levels(both.gold)
    two = len(np.unique(both.gold)) == 2
    title = "AUC: a record of the higher gold label has the higher score"
    name = (
        "concordance",
        title if two else "of two records, the one better by gold has the higher score",
        "probability",
    )
    out = [both.sample.number(name, _concordance(score, gold), "share").noted("a tie counts half")]
    if len(both.length) and not np.isnan(both.length).any():
        length = levels(both.length)
        name = ("length_concordance", "the same for the length of the response", "probability")
        out.append(both.sample.number(name, _concordance(length, gold), "share").noted("what length alone would reach"))
        name = ("over_length", "more than length alone would reach", "difference")
        out.append(both.sample.number(name, _minus(_concordance(score, gold), _concordance(length, gold))))
    return out


def _within(both: _Both) -> list[Number]:
    """Concordance among the records of one prompt, as best-of-n and preference pairs use a score."""
    a, b = within_pairs(both.sample.cluster)
    keep = both.gold[a] != both.gold[b]
    a, b = a[keep], b[keep]
    if not len(a):
        return []
    order = np.sign(both.score[a] - both.score[b]) * np.sign(both.gold[a] - both.gold[b])
    name = ("concordance_within", "of two records of one prompt, the better has the higher score", "probability")
    return [both.sample.at(a).number(name, mean_of((1 + order) / 2), "share").noted("a tie counts half")]


def _correlations(both: _Both) -> list[Number]:
    x, y, z, number = both.score, both.gold, both.length, both.sample.number
    out = [
        number(
            ("gold_rank", "rank correlation with gold", "rank correlation"),
            lambda r: spearman(x[r], y[r]),
            "correlation",
        ),
        number(
            ("gold_linear", "linear correlation with gold", "correlation"), lambda r: pearson(x[r], y[r]), "correlation"
        ),
    ]
    if len(z) and not np.isnan(z).any():
        name = ("gold_given_length", "rank correlation with gold, length held equal", "rank correlation")
        out.append(number(name, lambda r: partial(x[r], y[r], z[r]), "correlation"))
    return out


def _kappas(both: _Both) -> list[Number]:
    """Kappa where score and gold have the same values; accuracy and kappa at a cut where gold has two."""
    if not len(both.gold):
        return []
    own, true = np.unique(both.score), np.unique(both.gold)
    number = both.sample.number
    name = ("kappa", "agreement with gold beyond chance", "kappa")
    every = np.unique(np.concatenate([own, true]))
    if len(every) <= MOST_LEVELS and len(true) > 1 and set(own) <= set(true):
        x, y = np.searchsorted(every, both.score), np.searchsorted(every, both.gold)
        out = [number(name, lambda r: kappa(x[r], y[r], len(every)), "correlation").noted("quadratic weights")]
        if len(true) == 2:
            out.append(
                number(("accuracy", "the same label as gold", "ratio"), mean_of((x == y).astype(float)), "share")
            )
        return out
    if len(true) != 2 or len(own) < 2:
        return []
    cut = _cut(both.score, float((both.gold == true[1]).mean()))
    x, y = (both.score >= cut).astype(np.intp), (both.gold == true[1]).astype(np.intp)
    note = f"scores of {cut:g} and more taken as the higher label: as many as gold has, or nearly"
    return [
        number(name, lambda r: kappa(x[r], y[r], 2), "correlation").noted(note),
        number(("accuracy", "the same label as gold", "ratio"), mean_of((x == y).astype(float)), "share").noted(note),
    ]


def _cut(score: Floats, share: float) -> float:
    """The cut that takes a share of the scores as nearly as ties allow: by the margin only, never by agreement."""
    values, size = np.unique(score, return_counts=True)
    above = np.cumsum(size[::-1])[::-1] / len(score)
    return float(values[np.argmin(np.abs(above - share))])


def _concordance(score: Ints, gold: Ints) -> Value:
    return lambda rows: concordance(score[rows], gold[rows])


def _minus(a: Value, b: Value) -> Value:
    def value(rows: Ints) -> float | Undefined:
        first, second = a(rows), b(rows)
        if isinstance(first, Undefined) or isinstance(second, Undefined):
            return first if isinstance(first, Undefined) else second
        return first - second

    return value
