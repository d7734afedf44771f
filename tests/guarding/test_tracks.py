"""What the guard follows, and with which share of the error."""

from __future__ import annotations

import math

import pytest

from triptych.guarding.detect import Bets
from triptych.guarding.ledger import Entry, Ledger, Reading
from triptych.guarding.tracks import FLOOR, SIDE, diversity, error, everything, sides

BETS = Bets(0.05, 0.025, (0.1, 0.5))
TEXT = Bets(0.02, 0.01, (0.1, 0.5))


def ledger(*rounds):
    """Rounds as mappings of generated readings, `of.name` for others."""
    entries = []
    for number, values in enumerate(rounds):
        told = {"generated": {}, "selected": {}, "splits": {}, "scores": {}}
        for key, value in values.items():
            of, _, name = key.rpartition(".")
            told[of or "generated"][name] = Reading(None, undefined="none") if value is None else Reading(value, 0.01)
        entries.append(Entry(number, "r", 100, 80, **told))
    return Ledger(tuple(entries), 100, shared_prompts=False, structure="field")


def named(tracks):
    """Shares of the error; witnesses take none."""
    return {f"{track.of}.{track.name}": track.share for track in tracks if track.role not in {"text", "yield"}}


def test_half_of_the_error_goes_to_structures():
    values = {"structures": 50.0, "selected.structures": 50.0, "semantic": 5.0, "tail": 0.5}
    shares = named(diversity(ledger(values, values), BETS, TEXT))
    assert shares == {
        "generated.structures": 0.25,
        "selected.structures": 0.25,
        "generated.semantic": 0.25,
        "generated.tail": 0.25,
    }
    assert named(diversity(ledger({"structures": 50.0}), BETS, TEXT)) == {"generated.structures": 1.0}
    assert diversity(ledger({}, {"tokens": 5.0}), BETS, TEXT) == []


def test_text_is_followed_beside_structures_with_its_own_noise():
    values = {"structures": 50.0, "surface": 0.3, "semantic": 4.0, "selected.structures": 40.0, "selected.surface": 0.3}
    told = [track for track in diversity(ledger(values, values), BETS, TEXT) if track.role == "text"]
    assert [(track.of, track.name) for track in told] == [
        ("generated", "surface"),
        ("generated", "semantic"),
        ("selected", "surface"),
    ]
    alone = ledger({"surface": 0.3, "semantic": 4.0}, {"surface": 0.3, "semantic": 4.0})
    assert {track.role for track in diversity(alone, BETS, TEXT)} == {"other"}
    falls = [{"structures": value, "surface": value} for value in (50.0, 40.0, 32.0)]
    logs = {track.role: track.found.logs[-1] for track in diversity(ledger(*falls), BETS, TEXT)}
    assert logs["text"] > logs["structures"]


def test_the_yield_is_structures_times_the_share_they_are_counted_among():
    def made(values):
        return [track.raw for track in diversity(ledger(values, values), BETS, TEXT) if track.role == "yield"]

    assert made({"structures": 50.0}) == [pytest.approx((40.0, 40.0))]  # 80 of 100 records are valid
    assert made({"structures": 50.0, "correct_structures": 30.0, "true": 0.5}) == [pytest.approx((15.0, 15.0))]
    assert made({"semantic": 4.0}) == []


def test_what_is_followed_is_fixed_by_the_first_two_rounds():
    rounds = [{}, {"structures": 50.0}, {"structures": 50.0, "semantic": 5.0}, {"structures": 9.0, "tail": 0.5}]
    assert set(named(diversity(ledger(*rounds), BETS, TEXT))) == {"generated.structures", "generated.semantic"}


def test_correct_structures_stand_for_structures_where_truth_is_known():
    values = {"structures": 80.0, "correct_structures": 50.0, "structures_all": 120.0}
    assert set(named(diversity(ledger(values, values), BETS, TEXT))) == {"generated.correct_structures"}
    assert set(named(everything(ledger(values, values), BETS))) == {"generated.structures_all", "generated.structures"}


def test_side_signs_share_one_error():
    values = {"verified": 0.5, "true": 0.4, "tokens": 30.0, "zero_signal": 0.2, "scores.a": 0.5, "scores.b": 0.6}
    tracks = sides(ledger(values, values), BETS, BETS)
    assert sum(track.share for track in tracks) == pytest.approx(1.0 - SIDE)  # the rest is for selection
    gap = next(track for track in tracks if track.role == "hacking")
    assert gap.raw == pytest.approx((0.1, 0.1))
    assert gap.series == pytest.approx((-0.1, -0.1))


def test_series_are_logarithms_with_a_floor():
    track = diversity(ledger({"tail": 0.0}, {"tail": 0.5}, {"tail": None}, {"tail": 0.0}), BETS, TEXT)[0]
    assert track.where == (1, 3)
    assert track.series == pytest.approx((math.log(0.5), math.log(0.5 * FLOOR)))
    assert track.at(0) is None
    assert track.at(1) is None
    last = track.at(3)
    assert last is not None
    assert (last.last, last.first, last.before, last.now, last.fresh) == (1, 3, 0.5, 0.0, True)


def test_an_error_comes_from_the_interval_where_it_is_not_told():
    assert error(Reading(1.0, lo=0.0, hi=3.92)) == pytest.approx(1.0)
    assert error(Reading(1.0)) == 0.0
    assert error(Reading(1.0, 0.2, lo=0.0, hi=3.92)) == 0.2
