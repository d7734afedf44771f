"""Whole loops, judged: the behaviours that real trials showed, as ledgers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from triptych.core.rng import stream
from triptych.guarding.judge import JudgeOptions, judge
from triptych.guarding.ledger import Entry, Ledger, Reading

VERDICTS = ("continue", "warn", "stop")


def reading(value, error=0.02):
    return Reading(None, undefined="too few records") if value is None else Reading(value, abs(value) * error, n=1000)


def ledger(kinds=None, numbers=None, valid=4000, **columns):
    """A ledger of columns: `structures=[..]`, `selected__structures=[..]`, `scores__comp=[..]`."""
    rounds = max(len(column) for column in columns.values())
    entries = []
    for at in range(rounds):
        told = {"generated": {}, "selected": {}, "splits": {}, "scores": {}}
        for key, column in columns.items():
            of, _, name = key.rpartition("__")
            told[of or "generated"][name] = reading(column[at])
        number = numbers[at] if numbers else at
        entries.append(Entry(number, f"round_{number}", 6000, valid, **told, kinds=kinds or {}))
    return Ledger(tuple(entries), 1000, shared_prompts=False, structure="field skeleton")


def told(**columns):
    return [(verdict.state, verdict.verdict) for verdict in judge(ledger(**columns))]


def states(**columns):
    return [verdict.state for verdict in judge(ledger(**columns))]


def test_a_fast_collapse_stops_in_the_round_in_which_it_is_seen():
    found = judge(ledger(structures=[67, 40, 28, 20, 13]))
    assert [verdict.verdict for verdict in found] == ["continue", *["stop"] * 4]
    assert {verdict.state for verdict in found[1:]} == {"collapsing"}
    assert any("too certain to wait" in reason for reason in found[1].reasons)
    assert not any("too certain to wait" in reason for reason in found[2].reasons)


def test_a_slower_one_warns_first():
    found = judge(ledger(structures=[67, 48, 30, 20, 13]))
    assert [verdict.verdict for verdict in found] == ["continue", "warn", "stop", "stop", "stop"]
    assert found[-1].since == 1
    assert found[-1].suggest[0] == "roll back to round 0, the last one before the change"


def test_reasons_say_it_with_numbers():
    reasons = judge(ledger(structures=[47, 49, 48, 31, 21]))[-1].reasons
    assert reasons[0] == (
        "effective structures among valid records fell from 48 in round 2 to 21 (-56 %); "
        "chance of such a change in a healthy loop below 0.001"
    )


def test_the_even_policy_and_exploration_are_healthy():
    assert set(told(structures=[67, 150, 250, 310, 336], novelty=[0.9, 0.5, 0.3, 0.1, 0.05])) == {
        ("healthy", "continue")
    }
    assert set(told(structures=[34, 80, 140, 200, 257], novelty=[0.9, 0.5, 0.4, 0.3, 0.2])) == {("healthy", "continue")}


def test_a_stall_warns():
    found = judge(ledger(structures=[26, 27, 27, 26], novelty=[None, 0.03, 0.02, 0.02], verified=[0.6, 0.8, 0.9, 0.93]))
    assert [verdict.state for verdict in found] == ["healthy", "healthy", "stalled", "stalled"]
    assert found[-1].verdict == "warn"
    assert found[-1].since == 0
    assert any("0.6 to 0.93" in reason for reason in found[-1].reasons)
    assert any("exploration would tell" in reason for reason in found[-1].reasons)


def test_quality_control_continues():
    found = judge(ledger(structures_all=[120, 100, 80, 66, 60], structures=[58, 55, 60, 57, 58], novelty=[0.02] * 5))
    assert (found[-1].state, found[-1].verdict) == ("quality_control", "continue")
    assert "quality control" in found[-1].reasons[1]


def test_quality_control_where_truth_is_known_apart():
    """The verifier leaks: what it passes narrows because wrong answers go; right ones stay."""
    found = judge(ledger(structures=[120, 100, 80, 66, 60], correct_structures=[58, 55, 60, 57, 58], novelty=[0.3] * 5))
    assert [verdict.state for verdict in found][-2:] == ["quality_control"] * 2


def test_quality_control_where_right_records_become_more():
    """Effective structures among right records halve, as guesses end; what is written is as varied as before."""
    told = ledger(
        structures_all=[150, 90, 60, 55, 54],
        structures=[60, 35, 29, 28, 28],
        correct_structures=[40, 26, 21, 20, 20],
        true=[0.39, 0.62, 0.78, 0.8, 0.81],
        surface=[0.31, 0.33, 0.32, 0.33, 0.32],
        semantic=[4.2, 4.3, 4.2, 4.3, 4.2],
        novelty=[0.3] * 5,
    )
    found = judge(told)
    assert {verdict.state for verdict in found} <= {"healthy", "quality_control"}
    assert found[-1].state == "quality_control"
    assert any(
        "(-50 %), but semantic diversity (Vendi) of valid records went from 4.2 in round 0" in reason
        for reason in found[-1].reasons
    )


def test_a_narrowing_of_structures_and_text_is_called_however_quality_rises():
    told = ledger(
        correct_structures=[40, 36, 31, 26, 20],
        true=[0.4, 0.8, 0.93, 0.95, 0.97],
        structures=[40, 36, 31, 26, 20],
        surface=[0.36, 0.33, 0.3, 0.27, 0.25],
    )
    found = judge(told)
    assert [verdict.state for verdict in found][-2:] == ["collapsing"] * 2
    assert any(reason.startswith("distinct n-grams of valid records fell from 0.36") for reason in found[-1].reasons)


def test_structures_that_go_while_the_words_stay_are_called_as_right_ones_become_fewer_in_all():
    told = ledger(
        correct_structures=[55, 41, 31, 25, 20, 17],
        structures=[55, 41, 31, 25, 20, 17],
        true=[0.85, 0.8, 0.8, 0.82, 0.85, 0.88],
        surface=[0.29, 0.3, 0.31, 0.3, 0.31, 0.31],
        semantic=[4.2, 4.3, 4.4, 4.2, 4.2, 4.2],
    )
    found = judge(told)
    assert [verdict.state == "collapsing" for verdict in found] == [False, *[True] * 5]
    assert found[-1].verdict == "stop"


def test_selection_narrows_first():
    found = judge(ledger(structures=[57, 60, 63, 50, 40], selected__structures=[57, 46, 37, 28, 20]))
    assert found[2].verdict != "continue"
    assert found[3].verdict == "stop"
    assert any("selection itself narrows" in reason for reason in found[2].reasons)
    assert "selected records" in found[2].reasons[0]


def test_selection_that_narrows_warns_before_anything_has_fallen():
    found = judge(ledger(structures=[58, 57], selected__structures=[39, None]))
    assert [(verdict.state, verdict.verdict) for verdict in found] == [("healthy", "warn"), ("healthy", "continue")]
    assert found[0].since == 0
    assert found[0].reasons[0] == (
        "selection itself narrows: it keeps 67% of the effective structures that were written in round 0 (39 of 58); "
        "chance of such a change in a healthy loop below 0.001"
    )
    assert found[0].suggest[0].startswith("lower the quality threshold")


def test_a_selection_narrower_than_what_is_written_may_still_feed_growth():
    fed = [52, 60, 80, 110]
    assert set(told(structures=[58, 90, 120, 160], selected__structures=fed, novelty=[0.3] * 4)) == {
        ("healthy", "continue")
    }


def test_all_covered_is_no_stall():
    novelty = [None, 0.4, 0.1, 0.02, 0.0, 0.0, 0.0]
    found = judge(ledger(structures=[60, 334, 420, 470, 480, 481, 480], novelty=novelty))
    assert {(verdict.state, verdict.verdict) for verdict in found} == {("healthy", "continue")}
    assert any("not seen from the rounds alone" in reason for reason in found[-1].reasons)


def test_an_even_cover_is_coverage_only_where_the_loop_has_explored():
    grown, start = [60.0, 150, 199, 200, 201, 200], [200.0, 201, 199, 200, 201, 200]
    nothing_new = [None, 0.4, 0.05, 0.0, 0.0, 0.0]
    even = judge(ledger(structures=grown, novelty=nothing_new, evenness=[0.9] * 6))[-1]
    uneven = judge(ledger(structures=grown, novelty=nothing_new, evenness=[0.2] * 6))[-1]
    narrow = judge(ledger(structures=start, novelty=nothing_new, evenness=[0.9] * 6))[-1]
    assert (even.state, uneven.state, narrow.state) == ("healthy", "stalled", "stalled")


@pytest.mark.parametrize(("dip", "stops"), [(0.82, 0), (0.6, 1), (0.1, 1)])
def test_a_dip_of_one_round_stops_for_that_round_at_most(dip, stops):
    values = [60.0, 62.0, 64.0, 66.0, 68.0, 70.0, 72.0]
    for at in range(1, 6):
        dipped = [value * (dip if index == at else 1) for index, value in enumerate(values)]
        verdicts = [verdict.verdict for verdict in judge(ledger(structures=dipped, novelty=[0.3] * 7))]
        assert [index for index, verdict in enumerate(verdicts) if verdict == "stop"] == [at] * stops


def test_a_stop_holds_until_the_fall_is_clearly_taken_back():
    found = judge(ledger(structures=[60, 62, 40, 30, 22, 61, 63, 64], novelty=[0.3] * 8))
    assert [verdict.verdict for verdict in found] == ["continue", "continue", *["stop"] * 4, "continue", "continue"]


@pytest.mark.parametrize("structures", [[60], [60, 48], [60, 51, 46]])
def test_short_loops_stop_for_steep_falls_alone(structures):
    assert "stop" not in [verdict.verdict for verdict in judge(ledger(structures=structures))]


def test_an_empty_ledger_has_no_verdict():
    assert judge(Ledger((), 0, shared_prompts=False, structure="")) == ()


def test_undefined_readings_are_waited_for():
    found = judge(ledger(structures=[None, 60, None, 40, None, 20, 10]))
    assert [verdict.verdict for verdict in found] == [*["continue"] * 3, *["stop"] * 4]
    assert found[-1].since == 3
    nothing = judge(ledger(structures=[None] * 4, semantic=[None] * 4))
    assert {(verdict.state, verdict.verdict) for verdict in nothing} == {("healthy", "continue")}
    assert nothing[-1].evidence["collapse"] is None


def test_a_round_without_valid_records_is_told():
    found = judge(ledger(structures=[None, None], valid=0))
    assert found[-1].verdict == "warn"
    assert "no valid record" in found[-1].reasons[0]


def test_round_numbers_are_the_loops_own():
    found = judge(ledger(structures=[67, 65, 40, 24, 13], numbers=[3, 4, 6, 7, 9]))
    assert [verdict.round for verdict in found] == [3, 4, 6, 7, 9]
    assert found[-1].since == 6
    assert "round 4" in found[-1].suggest[0]


def test_slow_falls_are_called_within_a_few_rounds():
    for fall, rounds in ((0.1, 5), (0.07, 6), (0.05, 9)):
        found = states(structures=[60 * (1 - fall) ** at for at in range(rounds + 1)], novelty=[0.3] * (rounds + 1))
        assert found[-1] == "collapsing"


def test_text_without_structures_is_judged_by_its_meaning():
    found = judge(ledger(semantic=[40, 30, 20, 12, 8], tail=[0.9, 0.7, 0.4, 0.2, 0.0]))
    assert found[-1].verdict == "stop"
    assert "Vendi" in " ".join(found[-1].reasons)


def test_meaning_may_narrow_while_structures_grow():
    columns = {"structures": [60, 90, 130, 180, 220], "per_prompt": [0.8, 0.6, 0.4, 0.3, 0.2], "novelty": [0.5] * 5}
    assert set(told(**columns)) == {("healthy", "continue")}


def test_reward_hacking_is_told():
    columns = {"verified": [0.5, 0.6, 0.7, 0.8, 0.9], "true": [0.48, 0.5, 0.49, 0.47, 0.45]}
    found = judge(ledger(structures=[60, 70, 80, 90, 100], novelty=[0.3] * 5, **columns))[-1]
    assert (found.state, found.verdict) == ("healthy", "warn")
    assert any("reward hacking" in reason for reason in found.reasons)
    assert any("second verifier" in action for action in found.suggest)


def test_length_drift_is_told_unless_complexity_explains_it():
    longer = [100, 130, 170, 220, 290]
    assert judge(ledger(structures=[60, 70, 80, 90, 100], tokens=longer))[-1].verdict == "warn"
    assert judge(ledger(structures=[60, 70, 80, 90, 100], tokens=longer[::-1]))[-1].verdict == "warn"
    deeper = judge(ledger(structures=[60, 70, 80, 90, 100], tokens=longer, complexity=[2, 2.5, 3.2, 4, 5]))
    assert deeper[-1].verdict == "continue"


def test_zero_signal_and_scores_are_told():
    zero = judge(ledger(structures=[60, 70, 80, 90, 100], zero_signal=[0.4, 0.55, 0.7, 0.85, 0.95]))[-1]
    assert (zero.verdict, zero.since) == ("warn", 1)
    falls = judge(
        ledger(structures=[60, 70, 80, 90, 100], scores__comp=[0.71, 0.7, 0.5, 0.4, 0.3], kinds={"comp": "ood"})
    )[-1]
    assert falls.verdict == "warn"
    assert any("panel comp fell from 0.7" in reason for reason in falls.reasons)
    assert any(action.startswith("keep the last model") for action in falls.suggest)


def test_a_panel_that_climbs_speaks_against_a_stall():
    columns = {"structures": [26, 27, 27, 26], "novelty": [0.02] * 4, "kinds": {"comp": "ood"}}
    assert judge(ledger(scores__comp=[0.3, 0.4, 0.5, 0.6], **columns))[-1].state == "healthy"
    assert judge(ledger(scores__comp=[0.35, 0.36, 0.35, 0.36], **columns))[-1].state == "stalled"


def simulated(seed, fall=0.0, rounds=9, growth=0.0):
    """A loop with several readings whose noise is shared in part, as in one and the same set of records."""
    draw = stream("test-judge", seed, 0)
    shared = draw.normal(0, 0.03, rounds) + np.cumsum(draw.normal(0, 0.015, rounds))
    level = growth * (1 - np.exp(-np.arange(rounds) / 2)) + math.log1p(-fall) * np.maximum(np.arange(rounds) - 2, 0)

    def column(start):
        own = draw.normal(0, 0.03, rounds) + np.cumsum(draw.normal(0, 0.015, rounds))
        return list(start * np.exp(level + shared + own))

    names = ("structures", "selected__structures", "structures_all", "semantic", "per_prompt", "templates")
    return ledger(novelty=[0.3] * rounds, **{name: column(60) for name in names})


@pytest.mark.parametrize("growth", [0.0, 1.5])
def test_healthy_loops_are_rarely_called_and_each_verdict_uses_the_past_alone(growth):
    called = 0
    for seed in range(30):
        loop = simulated(seed, growth=growth)
        found = judge(loop)
        called += any(verdict.state == "collapsing" for verdict in found)
        if seed < 3:
            for rounds in range(1, len(found)):
                early = Ledger(loop.entries[:rounds], loop.at, loop.shared_prompts, loop.structure)
                assert judge(early) == found[:rounds]
    assert called <= 2  # 1.5 expected at the declared rate; measured: 0


def test_falling_loops_are_stopped():
    for fall, by in ((0.4, 5), (0.2, 6)):
        stopped = sum(judge(simulated(seed, fall=fall))[by].verdict == "stop" for seed in range(15))
        assert stopped >= 14


def test_a_lower_rate_of_alarms_calls_later():
    loop = ledger(structures=[60 * 0.93**at for at in range(10)], novelty=[0.3] * 10)
    strict = judge(loop, JudgeOptions(alarm_rate=0.001))
    usual = judge(loop)
    pairs = list(zip(strict, usual, strict=True))
    assert all(VERDICTS.index(a.verdict) <= VERDICTS.index(b.verdict) for a, b in pairs)
    assert strict != usual
