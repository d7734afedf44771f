"""What each policy sets and takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from triptych.core.rng import stream
from triptych.guarding.ledger import Entry, Reading
from triptych.looping.dials import Dials
from triptych.looping.policies._exploring import GRID, HEAPS, PRIOR, explore_next, indices
from triptych.looping.policies.bstar import balance
from triptych.looping.policies.keep import Keep
from triptych.looping.policy import Candidates, Given, Turn
from triptych.looping.records import ANCHOR, ARCHIVE, GENERATED, Judged, Written
from triptych.looping.registry import parse_policy, policies

GIVEN = Given(budget=40, samples=60, rounds=6, dials=Dials(temperature=0.6, explore=((1.2, 1.0),)))
EVERY = sorted(policies())


def records(counts: dict[str, int], label: str, round_: int, source: str = GENERATED) -> list[Judged]:
    """So many passed records of each structure, the later ones likelier."""
    return [
        Judged(
            Written(f"{label} {name} {i}", "yes"),
            round_,
            i,
            valid=True,
            structure=name,
            complexity=float(name.count(">")),
            verified=1.0,
            likelihood=-3.0 + i / 100,
            source=source,
        )
        for name, count in counts.items()
        for i in range(count)
    ]


def pool() -> Candidates:
    fresh = records({"a": 60, "a>b": 15}, "new", 1)
    return Candidates(
        [*fresh, *(replace(one, verified=0.0) for one in records({"a>b>c": 20}, "wrong", 1))],
        records({"a": 30, "b": 5, "b>a": 20}, "old", 0),
        records({"a": 20, "c": 10}, "real", -1, ANCHOR),
        {"a": (60, 60), "a>b": (15, 30), "a>b>c": (0, 20)},
    )


def tried(found: dict[float, tuple[int, int, int]]) -> dict[float, dict[str, int]]:
    """Temperature to samples, passed, new structures."""
    names = ("samples", "passed", "new_structures")
    return {
        arm: {**dict(zip(names, each, strict=True)), "new": each[2], "valid": each[1]} for arm, each in found.items()
    }


def turn(number: int = 0, dials: Dials = GIVEN.dials, **known: Any) -> Turn:
    readings = {name: Reading(known.pop(name)) for name in ("tail",) if name in known}
    return Turn(number, dials, Entry(number, "round", 60, 50, readings, known.pop("selected", {})), **known)


def taken(text: str, candidates: Candidates | None = None, turns: list[Turn] | None = None) -> list[Judged]:
    policy = parse_policy(text)
    dials, _ = policy.dials(GIVEN, turns or [])
    return policy.choose(candidates or pool(), dials, GIVEN.budget, stream("test", text))


def sources(chosen: list[Judged]) -> Counter[str]:
    return Counter(one.source for one in chosen)


def structures(chosen: list[Judged]) -> Counter[str]:
    return Counter(one.structure for one in chosen)


@pytest.mark.parametrize("name", EVERY)
def test_laws(name: str) -> None:
    """Pure, every dial that moved has its reason, nothing twice, nothing that failed, no more than the budget."""
    policy = parse_policy(name)
    turns = [turn(0, solved={"a": (60, 80)}, tried=tried({1.0: (60, 40, 3)}), tail=0.5), turn(1, tail=0.7)]
    for seen in ([], turns[:1], turns):
        dials, decisions = policy.dials(GIVEN, seen)
        assert (dials, decisions) == policy.dials(GIVEN, list(seen))
        assert Dials.of_json(dials.to_json()) == dials
        moved = {item.name for item in fields(Dials) if getattr(dials, item.name) != getattr(GIVEN.dials, item.name)}
        assert moved <= {decision.dial for decision in decisions}
        assert all(decision.reason and decision.value for decision in decisions)
        assert sum(share for _, share in dials.explore) == pytest.approx(1)
        chosen = policy.choose(pool(), dials, GIVEN.budget, stream("test", name))
        again = policy.choose(pool(), dials, GIVEN.budget, stream("test", name))
        assert chosen == again
        assert len(chosen) == len({(one.written.prompt, one.written.response) for one in chosen})
        assert len(chosen) == (30 if name == "none" else GIVEN.budget)
        assert all(one.passed for one in chosen)


@pytest.mark.parametrize("name", EVERY)
def test_no_likelihoods_and_no_structures(name: str) -> None:
    """Generators that tell nothing but texts serve every policy that does not ask for likelihoods."""
    bare = [replace(one, likelihood=None, structure="", complexity=None) for one in pool().fresh if one.passed]
    candidates = Candidates(bare, [], [], {})
    if name == "quality_only":
        with pytest.raises(Exception, match="likelihood"):
            taken(name, candidates)
        return
    assert len(taken(name, candidates)) == (0 if name == "none" else GIVEN.budget)


def test_none_is_real_data() -> None:
    assert sources(taken("none")) == {ANCHOR: 30}


def test_correct_and_anchor_are_shares_of_real_data() -> None:
    assert sources(taken("correct")) == {ANCHOR: 10, GENERATED: 30}
    assert sources(taken("anchor")) == {ANCHOR: 20, GENERATED: 20}
    assert sources(taken("correct:anchor=0")) == {GENERATED: 40}


def test_quality_only_takes_the_likeliest_and_goes_on() -> None:
    chosen = taken("quality_only")
    assert structures(chosen) == {"a": 40}
    assert min(one.written.prompt for one in chosen) == "new a 20"
    assert parse_policy("quality_only").dials(GIVEN, [])[0].start == "continue"


def test_accumulate_takes_from_all_rounds() -> None:
    found = sources(taken("accumulate"))
    assert found[ANCHOR] == 10
    assert found[ARCHIVE] > 5
    assert found[GENERATED] > 5


def test_archive_is_even_and_holds_the_real_data() -> None:
    chosen = taken("archive:push=0")
    assert structures(chosen) == {"a": 9, "a>b": 9, "b>a": 9, "b": 5, "c": 8} or structures(chosen)["b"] == 5
    assert (
        max(structures(chosen).values()) - min(count for name, count in structures(chosen).items() if name != "b") <= 1
    )
    assert {one.source for one in chosen if one.structure == "c"} == {ANCHOR}
    pushed = structures(taken("archive"))
    assert pushed["a>b"] > 1.5 * pushed["a"]
    dials, _ = parse_policy("archive").dials(GIVEN, [])
    assert (dials.explore, dials.temperature, dials.start) == (((1.6, 1.0),), 0.7, "base")


def test_archive_leaves_out_real_data_that_is_wrong() -> None:
    wrong = [replace(one, verified=0.0) for one in pool().anchor]
    assert "c" not in structures(taken("archive", replace(pool(), anchor=wrong)))
    unknown = [replace(one, verified=None) for one in pool().anchor]
    assert "c" in structures(taken("archive", replace(pool(), anchor=unknown)))


def test_boundary_prefers_what_is_sometimes_solved() -> None:
    assert structures(taken("boundary:even=1,anchor=0"))["a>b"] == 15
    assert structures(taken("correct:anchor=0"))["a>b"] < 15


def test_balanced_spreads_over_structures() -> None:
    fresh = records({"a": 300, "a>b": 20, "b>a": 20}, "new", 1)
    even = structures(taken("balanced:strictness=0,anchor=0", Candidates(fresh, [], [], {})))
    assert sorted(even.values()) == [13, 13, 14]
    best = taken("balanced:strictness=1,anchor=0", Candidates(fresh, [], [], {}))
    assert structures(best) == {"a": 40}
    assert min(one.likelihood or 0.0 for one in best) == pytest.approx(-3.0 + 260 / 100)


def test_balanced_holds_the_share_of_earlier_records() -> None:
    given = replace(GIVEN, dials=Dials(archive=0.5))
    policy = parse_policy("balanced:strictness=0,anchor=0")
    dials, _ = policy.dials(given, [])
    earlier = records({"z": 90}, "old", 0)
    chosen = policy.choose(Candidates(records({"a": 90}, "new", 1), earlier, [], {}), dials, 40, stream("test"))
    assert sources(chosen) == {GENERATED: 20, ARCHIVE: 20}


def test_balanced_is_quick() -> None:
    fresh = records({f"s{i}": 60 for i in range(100)}, "new", 1)
    policy = parse_policy("balanced:anchor=0")
    chosen = policy.choose(Candidates(fresh, [], [], {}), Dials(), 4000, stream("test"))
    assert len(chosen) == 4000
    assert len(structures(chosen)) == 100


def test_wiseft_blends() -> None:
    dials, _ = parse_policy("wiseft:blend=0.3").dials(GIVEN, [])
    assert (dials.blend, dials.start) == (0.3, "continue")


def test_balance_score() -> None:
    assert balance({"x": (4, 8), "y": (9, 9)}) == pytest.approx(0.625)
    assert balance({"x": (0, 8)}) == 0
    assert balance({}) is None


def test_bstar_climbs() -> None:
    policy = parse_policy("bstar")
    low, high = {"a": (2, 8)}, {"a": (8, 8)}
    start, _ = policy.dials(GIVEN, [])
    first, _ = policy.dials(GIVEN, [turn(0, start, solved=low)])
    assert (first.temperature, first.floor) == (0.75, 0.0)
    on, why = policy.dials(GIVEN, [turn(0, start, solved=low), turn(1, first, solved=high)])
    assert on.temperature == 0.9
    assert any("0.062" in each.reason and "1.000" in each.reason for each in why)
    back, _ = policy.dials(GIVEN, [turn(0, start, solved=high), turn(1, first, solved=low)])
    assert back.temperature == start.temperature
    other, _ = policy.dials(GIVEN, [turn(0, start, solved=low), turn(1, first, solved=high), turn(2, on, solved=high)])
    assert (other.temperature, other.floor) == (on.temperature, 0.1)
    unknown, _ = policy.dials(GIVEN, [turn(0, start), turn(1, start)])
    assert unknown.temperature == 0.75
    hot = replace(start, temperature=1.5)
    turned, why = policy.dials(GIVEN, [turn(0, replace(hot, temperature=1.35), solved=low), turn(1, hot, solved=high)])
    assert turned.temperature == 1.35
    assert "limit" in why[-1].reason


def keep(turns: list[Turn], text: str = "keep") -> tuple[Dials, dict[str, str]]:
    dials, decisions = parse_policy(text).dials(GIVEN, turns)
    assert len({decision.dial for decision in decisions}) == len(decisions)
    return dials, {decision.dial: decision.reason for decision in decisions}


def test_keep_prefers_what_is_sometimes_solved() -> None:
    assert structures(taken("keep:push=0"))["a>b"] > structures(taken("keep:push=0,boundary=0"))["a>b"]


def test_keep_begins_with_a_spread() -> None:
    dials, _ = keep([])
    assert tuple(arm for arm, _ in dials.explore) == GRID
    assert (dials.start, dials.even, dials.archive, dials.push, dials.anchor) == ("base", 1, 1, 1, 0.25)
    assert (dials.temperature, dials.floor, dials.min_p) == (0.6, 0.0, 0.001)
    whole, _ = keep([], "keep:min_p=0")
    assert whole.min_p == 0
    assert sum(t * share for t, share in whole.explore) < sum(t * share for t, share in dials.explore)


def test_keep_asks_for_no_hotter_prompts_than_the_generator_writes() -> None:
    policy = parse_policy("keep")
    cooler, _ = policy.dials(replace(GIVEN, hottest=2.0), [])
    assert dict(cooler.explore) == pytest.approx({1.0: 5 / 25, 1.3: 5 / 25, 1.6: 15 / 25})
    assert sum(share for _, share in cooler.explore) == pytest.approx(1)
    found = tried({1.3: (100, 90, 1), 1.6: (100, 80, 9)})
    later, _ = policy.dials(replace(GIVEN, hottest=2.0), [turn(tried=found)])
    assert set(dict(later.explore)) <= {1.0, 1.3, 1.6}
    only, _ = policy.dials(replace(GIVEN, hottest=0.9), [])
    assert only.explore == ((0.9, 1.0),)
    whole, _ = policy.dials(replace(GIVEN, cuts=False), [])
    assert whole.explore == keep([], "keep:min_p=0")[0].explore


def test_keep_moves_samples_to_what_finds_new_structures() -> None:
    found = tried(
        {1.0: (600, 400, 0), 1.6: (1500, 1000, 8), 2.2: (1500, 700, 14), 2.8: (1500, 400, 30), 3.4: (900, 90, 6)}
    )
    dials, why = keep([turn(tried=found)])
    shares = dict(dials.explore)
    assert max(shares, key=shares.__getitem__) == 2.8
    assert shares[2.2] >= 0.1
    assert shares[3.4] >= 0.1
    assert 1.0 not in shares
    assert "2.8: 30 of 1,500" in why["explore"]
    again, _ = keep([turn(tried=found), turn(1, dials, tried=tried({2.2: (1500, 700, 80), 2.8: (3000, 800, 20)}))])
    shares = dict(again.explore)
    assert shares[2.2] > shares[2.8] >= 0.1


def test_keep_cuts_fewer_tokens_off_while_most_prompts_are_tasks() -> None:
    def cut(valid: int, last: float = 0.001, policy: str = "keep") -> float:
        seen = turn(dials=replace(GIVEN.dials, min_p=last), tried=tried({2.2: (100, valid, 5)}))
        return keep([seen], policy)[0].min_p

    assert (cut(80), cut(75), cut(50), cut(35), cut(30)) == (0.0005, 0.001, 0.001, 0.001, 0.002)
    assert (cut(90, 0.0625e-3), cut(10, 0.016), cut(90, 0.8, "keep:min_p=0.9")) == (0.0625e-3, 0.016, 0.4)
    assert cut(10, 0.8, "keep:min_p=0.9") == 1.0
    assert cut(90, 0.0) == 0.0005  # after rounds of another policy
    assert cut(90, 0.001, "keep:min_p=0") == 0.0
    _, why = keep([turn(dials=replace(GIVEN.dials, min_p=0.001), tried=tried({2.2: (100, 90, 5)}))])
    assert why["min_p"] == "90 of 100 prompts are tasks: fewer tokens are cut off"
    assert keep([turn(tried={})])[0].min_p == 0.001


def test_indices_of_one_round_by_hand() -> None:
    """The level that the round's finds and the indices give each other, found by bisection."""
    effort, found = {1.6: 100**HEAPS, 2.2: 400**HEAPS}, {1.6: 4, 2.2: 8}

    def index(level: float) -> dict[float, float]:
        return {arm: (PRIOR + found[arm]) / (PRIOR + level * effort[arm]) for arm in effort}

    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        told = sum(found.values()) / sum(effort[arm] * each for arm, each in index(middle).items())
        low, high = (middle, high) if told > middle else (low, middle)
    got = dict(zip(GRID, indices([tried({1.6: (100, 50, 4), 2.2: (400, 50, 8)})]), strict=True))
    assert {arm: got[arm] for arm in effort} == pytest.approx(index(low), rel=1e-3)
    assert got[1.0] == got[3.4] == 1


def test_of_equal_arms_the_one_that_passes_is_taken() -> None:
    found = tried({1.6: (1000, 800, 10), 2.2: (1000, 600, 40), 2.8: (1000, 200, 40)})
    shares = dict(explore_next(GIVEN, [turn(tried=found)])[0])
    assert shares[2.2] > 2 * shares[2.8]


def test_arms_of_different_rounds_compare() -> None:
    """An arm that was tried when all was new is not called better than one that is tried when little is."""
    worth = {1.0: 0.5, 1.6: 1.0, 2.2: 2.0}
    level = [100.0, 10.0]
    arms = [(1.0, 1.6), (1.6, 2.2)]
    rounds = [tried({arm: (1000, 0, round(level[i] * worth[arm] * 5)) for arm in arms[i]}) for i in (0, 1)]
    got = dict(zip(GRID, indices(rounds), strict=True))
    assert got[1.0] < 0.75 * got[1.6]
    assert got[2.2] > 1.5 * got[1.6]


def test_an_arm_is_not_poor_for_being_pulled_often() -> None:
    """Equal arms by Heaps' law have equal indices, whatever their shares."""
    effort = {1.0: 300, 1.3: 900, 1.6: 600, 2.2: 1200, 2.8: 2400, 3.4: 1500}
    found = {arm: (n, 0, round(2000 * n**HEAPS)) for arm, n in effort.items()}
    assert indices([tried(found)]) == pytest.approx(np.ones(6), abs=1e-3)


def test_keep_goes_back_to_what_passes_when_nothing_is_new_after_it_has_explored() -> None:
    before = tried({1.0: (2000, 1800, 1), 1.6: (2000, 1700, 2), 2.8: (2000, 900, 40)})
    found = tried({1.0: (2000, 1800, 0), 1.6: (2000, 1700, 1), 2.2: (2000, 900, 1)})
    few, many = ({f"s{i}": (1, 1) for i in range(n)} for n in (45, 46))
    dials, why = keep([turn(tried=before, solved=few), turn(1, tried=found)])
    assert dict(dials.explore) == {1.0: 0.8, 1.3: 0.1, 2.8: 0.1}
    assert "2 new structures in 6,000 samples" in why["explore"]
    dials, why = keep([turn(tried=before, solved=many), turn(1, tried=found)])
    assert dict(dials.explore)[2.8] > 0.5, "it has found less than it began with, so it goes on looking"
    assert "new structures by temperature" in why["explore"]


def test_keep_leaves_given_prompts_as_they_are() -> None:
    dials, why = keep([turn(tried={})])
    assert dials.explore == GIVEN.dials.explore
    assert "prompts are given" in why["explore"]
    assert explore_next(GIVEN, [turn(tried={})])[0] == GIVEN.dials.explore


def test_keep_falls_back_to_the_archive_for_real_data() -> None:
    assert keep([turn(tail=0.6)])[0].anchor == pytest.approx(0.1)
    assert keep([turn(tail=1.0)])[0].anchor == 0
    assert keep([turn()])[0].anchor == 0.25
    assert "60%" in keep([turn(tail=0.6)])[1]["anchor"]
    assert sources(taken("keep", turns=[turn(tail=1.0)]))[ANCHOR] > 0
    assert ANCHOR not in sources(taken("keep:anchor=0", turns=[turn(tail=0.2)]))


def test_keep_pushes_deeper_where_less_deep_is_mastered() -> None:
    easy = {1.0: (90, 100), 3.0: (80, 100), 4.0: (0, 40)}
    assert keep([turn(dials=Dials(push=0.5), levels=easy)])[0].push == 1
    assert keep([turn(dials=Dials(push=1), levels=easy)])[0].push == 1, "no more than it began with"
    dials, why = keep([turn(dials=Dials(push=1), levels=easy)], "keep:push=3")
    assert dials.push == 1.5
    assert "below level 3" in why["push"]
    assert "90 of 100 passed, and on it 80 of 100" in why["push"]
    assert keep([turn(dials=Dials(push=3), levels=easy)], "keep:push=3")[0].push == 3
    hard = {1.0: (70, 100), 2.0: (40, 100), 3.0: (25, 100)}
    assert keep([turn(dials=Dials(push=1), levels=hard)])[0].push == 0.5
    assert keep([turn(dials=Dials(push=0.25), levels=hard)])[0].push == 0
    assert keep([turn(dials=Dials(push=1), levels={1.0: (70, 100), 3.0: (50, 100)})])[0].push == 1
    assert keep([turn(dials=Dials(push=1), levels={2.0: (95, 100)})], "keep:push=2")[0].push == 1.5
    assert keep([turn(dials=Dials(push=1), levels={2.0: (5, 100)})])[0].push == 1
    assert keep([turn(dials=Dials(push=1))])[0].push == 1
    assert keep([turn(dials=Dials(push=1), levels=easy)], "keep:push=0")[0].push == 0


def test_keep_begins_anew_until_the_last_trainings() -> None:
    turns = [turn(number) for number in range(GIVEN.rounds)]
    starts = [keep(turns[:number])[0].start for number in range(GIVEN.rounds)]
    assert starts == ["base", "base", "base", "base", "continue", "continue"]
    assert "2 trainings" in keep(turns[:4])[1]["start"]
    assert "3 trainings are left" in keep(turns[:3])[1]["start"]
    assert {keep(turns[:number], "keep:polish=0")[0].start for number in range(6)} == {"base"}
    assert {keep(turns[:number], "keep:start=continue")[0].start for number in range(6)} == {"continue"}
    short, why = Keep().dials(replace(GIVEN, scratch=0.25), [])
    assert short.start == "continue"
    assert Keep().dials(replace(GIVEN, scratch=0.5), [])[0].start == "base"
    assert "25% of the steps" in {one.dial: one.reason for one in why}["start"]
    with pytest.raises(ValueError, match="polish"):
        Keep(polish=-1)


def test_keep_answers_cooler_while_many_fail() -> None:
    assert keep([turn(solved={"a": (10, 60)})])[0].temperature == pytest.approx(0.4)
    cool = replace(GIVEN.dials, temperature=0.35)
    assert keep([turn(dials=cool, solved={"a": (10, 60)})])[0].temperature == 0.3
    assert keep([turn(dials=cool, solved={"a": (59, 60)})])[0].temperature == pytest.approx(0.45)
    assert keep([turn(solved={"a": (59, 60)})])[0].temperature == 0.6
    assert keep([turn(solved={"a": (40, 60)})])[0].temperature == 0.6


def fooled(right: float, hi: float, floor: float = 0.0) -> Turn:
    """A round that trained on what passed, of which so much is right."""
    selected = {"verified": Reading(1.0, lo=0.99, hi=1.0), "true": Reading(right, lo=2 * right - hi, hi=hi)}
    return turn(dials=replace(GIVEN.dials, floor=floor), selected=selected, tail=1.0)


def test_keep_raises_the_floor_only_where_the_verifier_is_fooled() -> None:
    dials, why = keep([fooled(0.9, 0.92)])
    assert dials.floor == pytest.approx(0.2)
    assert "100.0% passed and 90.0% is right" in why["floor"]
    assert keep([fooled(0.6, 0.7)])[0].floor == 0.5
    assert keep([fooled(0.98, 1.0)])[0].floor == 0
    assert keep([fooled(1.0, 1.0, floor=0.2)])[0].floor == pytest.approx(0.1)
    assert keep([fooled(0.99, 0.995, floor=0.3)])[0].floor == pytest.approx(0.3)
    unknown = {"verified": Reading(1.0), "true": Reading(None, undefined="no truth")}
    assert keep([turn(selected=unknown)])[0].floor == 0


def test_keep_without_likelihoods_has_no_floor() -> None:
    bare = [replace(one, likelihood=None) for one in pool().fresh]
    assert len(taken("keep", replace(pool(), fresh=bare), [fooled(0.9, 0.92)])) == GIVEN.budget


def test_ingredients_can_be_left_out() -> None:
    dials, why = keep([turn(tail=0.5)], "keep:explore=no,archive=no,boundary=0,anchor=0,push=0,start=continue")
    assert (dials.explore, dials.archive, dials.anchor, dials.push, dials.start) == (
        GIVEN.dials.explore,
        0,
        0,
        0,
        "continue",
    )
    assert "explore" not in why
    assert dials.min_p == GIVEN.dials.min_p
    assert not dials.boundary
    assert sources(taken("keep:archive=no,anchor=0")) == {GENERATED: 40}
