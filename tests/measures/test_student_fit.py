"""GRACE, G-Vendi and RSR on planted columns: what moves them, and equality with the released code."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.groups import everything
from triptych.core.reading import read
from triptych.core.registry import parse
from triptych.core.rng import stream
from triptych.profiling.warn import GRADIENTS, warnings
from triptych.testing import make_rows
from triptych.testing.laws import fold


def value(request, records):
    (measure,) = parse([request])
    return measure.value(fold(measure.statistic(), make_rows(records)), everything())


def records(vectors, column="student.gradient", **more):
    return [
        {
            "response": f"r{place}",
            column: [float(x) for x in vector],
            **{name: given[place] for name, given in more.items()},
        }
        for place, vector in enumerate(vectors)
    ]


def released(train, test, smoothing):
    """One split as in the released code: the training side at length 1, eigenvalues drawn towards their mean."""
    unit = train / np.linalg.norm(train, axis=1, keepdims=True)
    values, axes = np.linalg.eigh(unit.T @ unit / len(unit))
    values = np.clip(values, 1e-12, None)
    values = (1 - smoothing) * values + smoothing * values.mean()
    inverse = (axes / values) @ axes.T
    return float(np.trace(inverse @ (test.T @ test / len(test))))


@pytest.mark.parametrize(("n", "width"), [(80, 6), (24, 40)])
def test_grace_is_the_mean_of_the_splits_of_the_released_code(n, width):
    """With as many records in each fold, on both sides of n = d."""
    x = stream("grace", n).normal(size=(n, width)) * stream("grace sizes", n).gamma(2, 1, (n, 1))
    group = np.arange(n) % 8
    splits = [released(x[group != fold], x[group == fold], 1e-3) for fold in range(8)]
    assert value("grace", records(x, group=group.tolist())) == pytest.approx(float(np.mean(splits)), rel=1e-6)


def test_grace_rises_with_larger_and_with_lonely_gradients():
    rng = stream("grace moves")
    shared = rng.normal(size=(96, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(96, 8))
    lonely = rng.normal(size=(96, 8)) * np.linalg.norm(shared, axis=1).mean() / 8**0.5
    group = [place % 32 for place in range(96)]
    base = value("grace", records(shared, group=group))
    assert value("grace", records(2 * shared, group=group)) == pytest.approx(4 * base, rel=1e-9)
    assert value("grace", records(lonely, group=group)) > base


def test_g_vendi_counts_kinds_and_no_lengths():
    rng = stream("g-vendi")
    kinds = np.eye(5)[rng.permutation(np.repeat(np.arange(5), 20))]
    sizes = rng.gamma(2, 1, (100, 1))
    assert value("g_vendi", records(kinds * sizes, "gradients.vector")) == pytest.approx(5, rel=1e-6)
    assert value("g_vendi:q=2", records(kinds * sizes, "gradients.vector")) == pytest.approx(5, rel=1e-6)
    assert value("g_vendi", records(np.ones((30, 4)), "gradients.vector")) == pytest.approx(1)


def test_records_that_were_not_sampled_are_not_counted():
    found = records(np.eye(3), "gradients.vector") + [{"response": "not read", "gradients.vector": None}] * 5
    assert value("g_vendi", found) == pytest.approx(3, rel=1e-6)
    (measure,) = parse(["g_vendi"])
    assert fold(measure.statistic(), make_rows(found)).records(everything()) == 3


def test_rsr_divides_the_means_and_is_low_for_unlikely_tokens_of_high_rank():
    def made(surprisal, rank):
        return [
            {"response": str(s), "student.surprisal": s, "student.rank": r}
            for s, r in zip(surprisal, rank, strict=True)
        ]

    assert value("rsr", made([1.0, 3.0], [2.0, 10.0])) == pytest.approx(6 / 2)
    assert value("rsr", made([2.0], [3.0])) < value("rsr", made([2.0], [30.0]))
    assert value("rsr", made([2.0], [3.0])) < value("rsr", made([0.2], [3.0]))
    assert value("rsr", made([0.0], [1.0])).reason == "nothing surprises the student"


def test_few_gradients_are_warned_of():
    def told(n):
        draw = stream("few gradients", n)
        (measure,) = parse(["grace"])
        statistic = fold(measure.statistic(), make_rows(records(draw.normal(size=(n, 4)))))
        data = {"measured": n, "skipped": 0, "tokens": n, "unknown_tokens": 0}
        return [
            each["text"] for each in warnings([read(measure, statistic)], {}, data) if each["code"] == "few_gradients"
        ]

    (text,) = told(200)
    assert "GRACE rests on 200 gradients of 512 numbers" in text
    assert told(GRADIENTS) == []
