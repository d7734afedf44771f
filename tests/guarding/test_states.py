"""States and hysteresis, from signs."""

from __future__ import annotations

import math

import pytest

from triptych.core.errors import SpecError
from triptych.guarding.states import JudgeOptions, Plateau, Standing, benign, confirmed, narrowing, stand
from triptych.guarding.tracks import Sign

OPTIONS = JudgeOptions()
AT = 1000
CERTAIN = 20.0
CALLED = 4.0
"""Enough for a call at the rate of .05, not for a stop at once."""
FLAT = Plateau(growth=0.0, novelty=0.01, grown=1.0)


def sign(share, role="structures", name="structures", of="generated", log=CERTAIN, fresh=True, before=60.0):
    """A reading that stands at this share of what it was."""
    fall = -math.log(share)
    now = before * share
    return Sign(role, of, name, log, 0, 1, before, now, fall, math.log(now), recent=True, fresh=fresh)


def run(*rounds, plateau=None):
    """Verdicts of rounds given as their signs."""
    standing, found = None, []
    for signs in rounds:
        standing = stand(signs, plateau or Plateau(), standing, AT, OPTIONS)
        found.append((standing.state, standing.verdict))
    return found


def test_a_fall_warns_then_stops_when_it_goes_on():
    assert run([sign(0.8)], [sign(0.6, log=CALLED)]) == [("collapsing", "warn"), ("collapsing", "stop")]


def test_a_dip_of_one_round_warns():
    for dip in (sign(0.4, log=CALLED), sign(0.8)):
        found = run([sign(1.0, log=0.0)], [dip], [sign(1.0, log=0.0)])
        assert found == [("healthy", "continue"), ("collapsing", "warn"), ("healthy", "continue")]


def test_a_steep_fall_beyond_doubt_stops_at_once_and_the_next_round_may_lift_it():
    gone = sign(1.0, log=0.0)
    assert run([gone], [sign(0.65)], [gone]) == [
        ("healthy", "continue"),
        ("collapsing", "stop"),
        ("healthy", "continue"),
    ]
    assert run([sign(0.8)], [sign(0.65)])[-1] == ("collapsing", "stop")
    confirmed = run([sign(0.65)], [sign(0.65)], [gone], [gone])
    assert [verdict for _, verdict in confirmed] == ["stop", "stop", "stop", "continue"]
    unread = run([sign(0.65)], [sign(0.65, fresh=False)], [gone])
    assert [verdict for _, verdict in unread] == ["stop", "stop", "continue"]


def test_a_steep_fall_waits_where_what_is_selected_holds_the_structures():
    fed = sign(1.0, of="selected", log=0.0, before=58.0)
    assert run([sign(0.6), fed])[0] == ("collapsing", "warn")
    assert run([sign(0.6), sign(0.8, of="selected", log=0.0, before=58.0)])[0] == ("collapsing", "stop")
    narrow = sign(1.0, of="selected", log=0.0, before=40.0)
    assert run([sign(0.6), narrow])[0] == ("collapsing", "stop")


def test_one_fall_to_a_plateau_warns_and_a_deep_one_stops():
    assert run([sign(0.8)], [sign(0.79)], [sign(0.8)])[-1] == ("collapsing", "warn")
    assert run([sign(0.4, log=CALLED)], [sign(0.41, log=CALLED)])[-1] == ("collapsing", "stop")


def test_a_missing_reading_confirms_nothing():
    assert run([sign(0.4, log=CALLED)], [sign(0.4, log=CALLED, fresh=False)])[-1] == ("collapsing", "warn")


def test_a_stop_holds_until_the_fall_is_taken_back_in_two_rounds():
    gone = sign(0.97, log=-0.5)
    weaker = sign(0.8, log=1.0)
    found = run([sign(0.6, log=CALLED)], [sign(0.4)], [weaker], [gone], [weaker], [gone], [gone])
    assert [verdict for _, verdict in found] == ["warn", "stop", "stop", "stop", "stop", "stop", "continue"]


def test_small_falls_are_no_collapse_however_certain():
    assert run([sign(0.95)]) == [("healthy", "continue")]
    assert narrowing([sign(0.95)], AT, OPTIONS) == []


def test_other_readings_take_part_only_where_structures_fall_or_cannot_see():
    meaning = sign(0.5, role="other", name="semantic", log=CALLED)
    assert run([sign(1.2, log=0.0), meaning]) == [("healthy", "continue")]
    assert run([sign(0.85, log=0.0), meaning])[0] == ("collapsing", "warn")
    assert run([meaning])[0] == ("collapsing", "warn")
    blind = sign(0.99, log=0.0, before=980.0)
    assert run([blind, meaning])[0] == ("collapsing", "warn")


def test_the_selected_set_may_narrow_while_the_generated_one_grows():
    signs = [sign(1.1, log=0.0), sign(0.65, of="selected")]
    assert run(signs)[0] == ("collapsing", "stop")


def test_quality_control_is_a_fall_of_all_records_alone():
    everything = sign(0.5, role="all", name="structures_all")
    assert run([sign(0.97, log=0.0), everything], plateau=FLAT) == [("quality_control", "continue")]
    assert benign([sign(0.85, log=0.0), everything], OPTIONS) is None
    assert run([sign(0.5, log=CALLED), everything])[0] == ("collapsing", "warn")


def words(share, log, of="generated", name="surface"):
    """Text that stands at this share of what it was."""
    return sign(share, role="text", name=name, of=of, log=log)


def test_a_fall_counts_as_far_as_the_text_fell_too():
    tail = sign(0.5, role="other", name="tail")
    found = confirmed([sign(0.5), tail, words(0.98, -2.0)], AT, OPTIONS)
    assert [one.log for one in found] == [-2.0, -2.0, -2.0]
    assert narrowing(found, AT, OPTIONS) == []
    fell = confirmed([sign(0.5), words(0.7, 5.0)], AT, OPTIONS)
    assert (fell[0].log, fell[0].fall) == (5.0, pytest.approx(-math.log(0.7)))
    assert narrowing(confirmed([sign(0.8), words(1.4, CERTAIN)], AT, OPTIONS), AT, OPTIONS) == []
    less = confirmed([sign(0.8, log=4.0), words(0.5, CERTAIN)], AT, OPTIONS)
    assert (less[0].log, less[0].fall) == (4.0, pytest.approx(-math.log(0.8)))


def test_of_two_readings_of_text_the_surer_counts_less_its_choice():
    found = confirmed([sign(0.5), words(1.1, -3.0), words(0.6, 7.0, name="semantic")], AT, OPTIONS)
    assert found[0].log == pytest.approx(7.0 - math.log(2))
    assert found[0].fall == pytest.approx(-math.log(0.6))


def test_without_text_a_fall_counts_as_it_is():
    signs = [sign(0.5), sign(0.5, role="other", name="tail"), sign(1.0, role="yield", name="yield", log=-1.0)]
    assert confirmed(signs, AT, OPTIONS) == signs


def test_text_confirms_nothing_where_structures_cannot_see():
    blind, meaning = sign(0.99, log=0.0, before=980.0), sign(0.5, role="other", name="semantic")
    signs = [blind, meaning, words(1.0, 0.0)]
    assert confirmed(signs, AT, OPTIONS) == signs


def test_the_yield_is_a_witness_too():
    steady, tail = words(1.0, -2.0), sign(0.3, role="other", name="tail")
    found = confirmed([sign(0.3), tail, steady, sign(0.6, role="yield", name="yield", log=6.0)], AT, OPTIONS)
    assert [one.log for one in found[:2]] == [pytest.approx(6.0 - math.log(2))] * 2
    assert found[0].fall == pytest.approx(-math.log(0.6))
    grown = confirmed([sign(0.3), steady, sign(1.2, role="yield", name="yield", log=-3.0)], AT, OPTIONS)
    assert narrowing(grown, AT, OPTIONS) == []


def test_text_of_the_selected_alone_leaves_the_rest_as_it_is():
    signs = [sign(0.5), sign(0.6, of="selected"), words(1.0, -1.0, of="selected")]
    found = confirmed(signs, AT, OPTIONS)
    assert (found[0], found[1].log) == (signs[0], -1.0)


def test_what_is_selected_is_confirmed_by_its_own_text():
    signs = [sign(1.1, log=0.0), sign(0.6, of="selected"), words(1.1, 0.0), words(0.5, 9.0, of="selected")]
    found = confirmed(signs, AT, OPTIONS)
    assert (found[1].log, found[1].fall) == (9.0, signs[1].fall)
    assert narrowing(confirmed(signs[:3], AT, OPTIONS), AT, OPTIONS) == []


def test_a_plateau_without_novelty_is_a_stall():
    assert run([sign(1.0, log=0.0)], plateau=FLAT) == [("stalled", "warn")]
    assert run([sign(1.0, log=0.0)], plateau=Plateau(growth=0.0, novelty=0.3, grown=1.0)) == [("healthy", "continue")]
    assert run([sign(1.0, log=0.0)], plateau=Plateau(growth=0.3, novelty=0.0, grown=1.3)) == [("healthy", "continue")]


def test_coverage_is_growth_before_the_plateau_and_evenness_where_it_is_read():
    assert Plateau(growth=0.0, novelty=0.0, grown=1.0, evenness=0.8).stalled(OPTIONS)
    assert Plateau(growth=0.0, novelty=0.0, grown=6.0, evenness=0.2).stalled(OPTIONS)
    assert not Plateau(growth=0.0, novelty=0.0, grown=6.0, evenness=0.8).stalled(OPTIONS)
    assert not Plateau(growth=0.0, novelty=0.0, grown=6.0).stalled(OPTIONS)
    assert not Plateau(growth=0.0, novelty=0.0, grown=6.0, ood=0.4, ood_gain=-0.02).stalled(OPTIONS)
    assert Plateau(growth=0.0, novelty=0.0, grown=1.5, ood=0.4, ood_gain=-0.02).stalled(OPTIONS)


def test_a_panel_that_climbs_or_is_solved_is_no_stall():
    assert not Plateau(growth=0.0, novelty=0.0, grown=1.0, ood=0.4, ood_gain=0.05).stalled(OPTIONS)
    assert not Plateau(growth=0.0, novelty=0.0, grown=1.0, ood=0.95, ood_gain=-0.02).stalled(OPTIONS)


def test_standing_starts_healthy_without_readings():
    assert stand([], Plateau(), None, AT, OPTIONS) == Standing("healthy", "continue")


@pytest.mark.parametrize(
    "wrong",
    [{"alarm_rate": 0.0}, {"wobble": 0.0}, {"text_wobble": 0.0}, {"falls": ()}, {"falls": (-0.1,)}, {"patience": 0}],
)
def test_options_that_cannot_be(wrong):
    with pytest.raises(SpecError, match="got"):
        JudgeOptions(**wrong)
