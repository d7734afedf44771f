"""Actions for each verdict."""

from __future__ import annotations

from triptych.guarding.ledger import Entry, Reading
from triptych.guarding.states import Standing
from triptych.guarding.suggest import narrows, suggest
from triptych.guarding.tracks import Sign


def entry(written=60.0, chosen=None):
    selected = {} if chosen is None else {"structures": Reading(chosen, 1.0)}
    return Entry(3, "r", 100, 90, {"structures": Reading(written, 1.0)}, selected)


def test_a_stop_begins_with_the_way_back():
    found = suggest(Standing("collapsing", "stop"), [], entry(), 2)
    assert found[0] == "roll back to round 2, the last one before the change"
    assert any("anchor" in line for line in found)
    assert suggest(Standing("collapsing", "warn"), [], entry(), 2)[-1] == found[0]


def test_where_selection_narrows_it_is_named_first():
    assert suggest(Standing("collapsing", "warn"), [], entry(60.0, 30.0), 2)[0].startswith(
        "lower the quality threshold"
    )
    assert not suggest(Standing("collapsing", "warn"), [], entry(60.0, 59.0), 2)[0].startswith("lower")
    assert narrows(entry(60.0, 30.0)) == 0.5
    assert narrows(entry(60.0)) is None


def test_a_stall_asks_for_exploration():
    found = suggest(Standing("stalled", "warn"), [], entry(), None)
    assert "temperature while writing prompts" in found[0]
    assert "archive" in found[1]


def test_benign_states_ask_for_nothing():
    assert suggest(Standing("healthy", "continue"), [], entry(), None) == ()
    assert suggest(Standing("quality_control", "continue"), [], entry(), 1) == ()


def test_each_side_sign_has_one_action():
    gap = Sign("hacking", "splits", "reward_gap", 5.0, 0, 1, 0.1, 0.3, 0.2, -0.3, recent=True, fresh=True, turned=True)
    assert len(suggest(Standing("healthy", "warn"), [gap, gap], entry(), None)) == 1
