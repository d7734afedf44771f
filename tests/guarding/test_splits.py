"""What is derived from several readings."""

from __future__ import annotations

import math

import pytest

from triptych.guarding.ledger import Reading
from triptych.guarding.splits import splits

NONE = Reading(None, undefined="not known")


def known(value, se=None, n=100):
    return Reading(value, se, None if se is None else value - 2 * se, None if se is None else value + 2 * se, n)


def round_of(**values):
    names = ("structures", "structures_all", "correct_structures", "surface", "tokens", "quality", "verified", "true")
    return {name: values.get(name, NONE) for name in names}


FIRST = round_of(
    structures_all=known(200, 2.0), structures=known(50, 1.0), surface=known(0.5, 0.01), tokens=known(20, 0.1)
)


def test_the_first_round_has_nothing_before_it():
    found = splits(FIRST, {}, None, NONE, {})
    for name in ("quality_control", "narrowing", "illusion", "length_drift"):
        assert "first round" in found[name].undefined
    assert found["gap"].undefined == "what was selected is not known"


def test_loss_is_split_into_quality_control_and_narrowing():
    now = round_of(
        structures_all=known(60, 1.0), structures=known(40, 1.0), surface=known(0.5, 0.01), tokens=known(30, 0.1)
    )
    found = splits(now, {}, FIRST, NONE, {})
    assert found["narrowing"].value == pytest.approx(math.log(50 / 40))
    assert found["quality_control"].value == pytest.approx(math.log(200 / 60) - math.log(50 / 40))
    assert found["narrowing"].se == pytest.approx(math.hypot(1 / 50, 1 / 40))
    assert found["quality_control"].se == pytest.approx(math.hypot(2 / 200, 1 / 60, 1 / 50, 1 / 40))
    assert found["illusion"].value == pytest.approx((1 - 40 / 50) - (1 - 0.5 / 0.5)), (
        "structures fell, the surface did not"
    )
    assert found["length_drift"].value == pytest.approx(0.5)
    assert found["length_drift"].lo < 0.5 < found["length_drift"].hi


def test_narrowing_is_of_correct_records_where_they_are_known():
    first = {**FIRST, "correct_structures": known(45, 1.0)}
    now = {**FIRST, "correct_structures": known(15, 1.0), "structures": known(50, 1.0)}
    found = splits(now, {}, first, NONE, {})
    assert found["narrowing"].value == pytest.approx(math.log(3))
    assert found["quality_control"].value == pytest.approx(-math.log(3))


def test_a_reading_that_is_not_there_leaves_none():
    now = {**FIRST, "structures": Reading(None, n=3, undefined="no record is valid")}
    found = splits(now, {}, FIRST, NONE, {})
    for name in ("narrowing", "quality_control", "illusion"):
        assert found[name].undefined == "no record is valid"
    nothing = splits(FIRST, {}, {**FIRST, "surface": known(0.0)}, NONE, {})
    assert nothing["illusion"].undefined == "it was 0 in the first round"


def test_gap():
    made = round_of(quality=known(0.5, 0.01), verified=known(0.4, 0.03))
    kept = round_of(quality=known(0.7, 0.01), verified=known(0.9, 0.04))
    found = splits(made, kept, FIRST, NONE, {})["gap"]
    assert (found.value, found.se) == (pytest.approx(0.5), pytest.approx(0.05))
    assert splits(made, kept, FIRST, known(0.3), {})["gap"].value == 0.3, (
        "truth goes before the mean of what was selected"
    )
    assert splits(round_of(), kept, FIRST, NONE, {})["gap"].undefined == "not known"


def test_pass_gap():
    scores = {"id": known(0.5), "id@1": known(0.5, 0.1), "id@4": known(0.6), "id@16": known(0.7, 0.1), "ood@1": known(0.2, 0.1),
              "ood@16": known(0.6, 0.1), "other": known(0.3)}  # fmt: skip
    found = splits(FIRST, {}, None, NONE, scores)["pass_gap"]
    assert found.value == pytest.approx((0.2 + 0.4) / 2)
    assert found.se == pytest.approx(0.1)
    assert splits(FIRST, {}, None, NONE, {"a": known(0.2), "a@8": known(0.5)})["pass_gap"].value == pytest.approx(0.3)
    assert splits(FIRST, {}, None, NONE, {"a": known(0.2), "b@8": NONE})["pass_gap"].undefined
