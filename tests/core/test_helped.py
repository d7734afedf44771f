"""A sample under a dear instrument, helped by a cheap one: right on average, covered, and steadier where the two agree."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, everything, only
from triptych.core.helped import Helped, mean_over
from triptych.core.interval import changes, interval
from triptych.core.measure import build
from triptych.core.reading import Instead, read
from triptych.core.registry import lookup

ASKED, RECORDS = 160, 1280


def population(own: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of 4,000 records in 12 clusters under two encoders, that share as much as `own` leaves."""
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(12, 10))
    dear = kinds[rng.choice(12, 4000, p=rng.dirichlet(np.ones(12)))] + 0.6 * rng.normal(size=(4000, 10))
    cheap = (1 - own) * dear[:, :8] + own * 2 * rng.normal(size=(4000, 8))
    return dear, cheap


def statistic(measure, rows, group, address):
    flat = pa.FixedSizeListArray.from_arrays(pa.array(rows.astype(np.float32).reshape(-1)), rows.shape[1])
    made = measure.statistic()
    made.update(Batch({"embedding@response": flat}, group, address))
    return made


def drawn(measure, dear, cheap, seed) -> Helped:
    rng = np.random.default_rng(seed)
    picked = rng.integers(0, len(dear), RECORDS)
    group = rng.integers(0, GROUPS, RECORDS).astype(np.uint8)
    address = np.arange(RECORDS, dtype=np.uint64)
    blocks = [slice(at, at + ASKED) for at in range(0, RECORDS, ASKED)]
    of = [statistic(measure, cheap[picked[b]], group[b], address[b]) for b in blocks]
    return Helped(
        measure,
        statistic(measure, dear[picked[blocks[0]]], group[blocks[0]], address[blocks[0]]),
        of[0],
        tuple(of[1:]),
    )


@pytest.mark.parametrize("name", ["mean_cosine_distance", "vendi"])
def test_covered_unbiased_and_steadier(name: str) -> None:
    measure, (dear, cheap) = build(lookup(name), {"q": 2.0} if name == "vendi" else {}), population(0.1)
    rng = np.random.default_rng(9)
    fresh = []
    for _ in range(1500):
        rows = dear[rng.integers(0, len(dear), ASKED)]
        nobody = np.arange(ASKED, dtype=np.uint64)
        fresh.append(measure.value(statistic(measure, rows, (nobody % 32).astype(np.uint8), nobody), everything()))
    truth, found = np.mean(fresh), []
    for seed in range(150):
        both = drawn(measure, dear, cheap, seed)
        steadied = both.steadied(both.slope())
        kind, bounds = measure.interval_kind(both.dear), measure.about.bounds
        ends = interval(steadied, both.dear.records, kind, bounds, fitted=1)
        plain = interval(both.plain, both.dear.records, kind, bounds)
        inside = ends.lo <= truth <= ends.hi
        found.append((steadied(everything()), both.plain(everything()), inside, ends.se, plain.se))
    helped, alone, inside, error, error_alone = np.array(found, dtype=float).T
    assert inside.mean() >= 0.9
    assert abs(helped.mean() - truth) < 3 * helped.std() / len(found) ** 0.5 + 0.1 * helped.std()
    assert helped.std() < 0.8 * alone.std()
    assert error.mean() < 0.85 * error_alone.mean()
    assert 0.75 < error.mean() / helped.std() < 1.4


def test_a_stand_in_that_says_nothing_costs_little() -> None:
    measure, (dear, cheap) = build(lookup("mean_cosine_distance"), {}), population(1.0)
    widths = []
    for seed in range(40):
        both = drawn(measure, dear, cheap, seed)
        steadied = both.steadied(both.slope())
        count, kind = both.dear.records, measure.interval_kind(both.dear)
        helped, alone = (
            interval(reading, count, kind, measure.about.bounds, fitted=fitted)
            for reading, fitted in ((steadied, 1), (both.plain, 0))
        )
        widths.append((helped.hi - helped.lo) / (alone.hi - alone.lo))
    assert 0.9 < np.mean(widths) < 1.05


def test_the_value_is_the_formula() -> None:
    measure, (dear, cheap) = build(lookup("vendi"), {"q": 2.0}), population(0.2)
    both = drawn(measure, dear, cheap, 1)
    kind = measure.interval_kind(both.dear)
    own = changes(both.plain, both.dear.records, kind).each
    other = changes(both.excess, both.dear.records, kind).each
    slope = both.slope()
    assert slope == pytest.approx(float(own @ other / (other @ other)))
    of = [measure.value(each, everything()) for each in (both.cheap, *both.others)]
    want = measure.value(both.dear, everything()) - slope * (of[0] - np.mean(of[1:]))
    estimate = read(measure, both.dear, instead=Instead(both.steadied(slope), fitted=1))
    assert estimate.value == pytest.approx(want)
    assert estimate.curve[-1].value == pytest.approx(want)
    assert mean_over(measure, (both.cheap, *both.others))(everything()) == pytest.approx(np.mean(of))


def test_fitted_numbers_cost_degrees_of_freedom() -> None:
    measure, (dear, cheap) = build(lookup("mean_cosine_distance"), {}), population(0.2)
    both = drawn(measure, dear, cheap, 2)
    free, one = (changes(both.plain, both.dear.records, "plain", fitted=fitted) for fitted in (0, 1))
    assert (free.degrees, one.degrees) == (31, 30)
    assert one.se == pytest.approx(free.se * (31 / 30) ** 0.5)

    def eight(keep):
        return both.plain(keep & only(range(8)))

    def count(keep):
        return both.dear.records(keep & only(range(8)))

    assert interval(eight, count, "plain", (0.0, 2.0)).lo is not None
    assert "9 are needed" in interval(eight, count, "plain", (0.0, 2.0), fitted=1).reason


def test_what_is_undefined_stays_so_and_what_is_clipped_is_clipped() -> None:
    measure, (dear, cheap) = build(lookup("mean_cosine_distance"), {}), population(0.2)
    both = drawn(measure, dear, cheap, 3)
    nothing = np.zeros(GROUPS, dtype=bool)
    assert isinstance(both.excess(nothing), Undefined)
    assert isinstance(both.steadied(1.0)(nothing), Undefined)
    assert isinstance(mean_over(measure, both.others)(nothing), Undefined)
    high = read(measure, both.dear, instead=Instead(lambda _: 7.0))
    assert (high.value, high.interval.reason is not None) == (2.0, True)
    same = Helped(measure, both.dear, both.cheap, (both.cheap,))
    assert same.slope() is None
