"""The common rule: what it takes, against slow references, and its laws."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.errors import SelectionError
from triptych.core.rng import stream
from triptych.looping.choosing import once, quotas, right_share, take
from triptych.looping.dials import Dials
from triptych.looping.policy import Candidates
from triptych.looping.records import ANCHOR, ARCHIVE, GENERATED, Judged, Written


def record(
    text: str, structure: str = "a", *, round_: int = 1, likelihood: float | None = -1.0, verified: float | None = 1.0
) -> Judged:
    written = Written(f"ask {text}", f"say {text}")
    depth = float(structure.count(">"))
    return Judged(
        written, round_, 0, valid=True, structure=structure, complexity=depth, verified=verified, likelihood=likelihood
    )


def many(counts: dict[str, int], label: str = "", **known: float) -> list[Judged]:
    """So many records of each structure, the later ones likelier."""
    return [
        replace(record(f"{label}{name}{i}", name, likelihood=-5.0 + i / 100), **known)
        for name, count in counts.items()
        for i in range(count)
    ]


def pool(
    fresh: list[Judged],
    earlier: list[Judged] | None = None,
    anchor: list[Judged] | None = None,
    solved: dict[str, tuple[int, int]] | None = None,
) -> Candidates:
    return Candidates(fresh, earlier or [], anchor or [], solved or {})


def counts(taken: list[Judged]) -> dict[str, int]:
    return dict(Counter(one.structure for one in taken))


def sources(taken: list[Judged]) -> dict[str, int]:
    return dict(Counter(one.source for one in taken))


def draw(label: int = 0) -> np.random.Generator:
    return stream("test", "choosing", label)


def test_worked_example() -> None:
    fresh = many({"x": 5, "y": 1, "z": 4})
    found = {tuple(sorted(counts(take(pool(fresh), Dials(even=1), 6, draw(i))).items())) for i in range(20)}
    assert found == {(("x", 3), ("y", 1), ("z", 2)), (("x", 2), ("y", 1), ("z", 3))}


def test_only_what_passed_unless_unverified() -> None:
    fresh = [record("a"), record("b", verified=0.0), record("c", verified=None), replace(record("d"), valid=False)]
    assert [one.written.prompt for one in take(pool(fresh), Dials(), 9, draw())] == ["ask a"]
    assert len(take(pool(fresh), Dials(unverified=True), 9, draw())) == 4


def test_fewer_candidates_than_budget_takes_all() -> None:
    fresh = many({"x": 5, "y": 2})
    for dials in (Dials(), Dials(even=1, push=2), Dials(boundary=1), Dials(likely=True)):
        assert len(take(pool(fresh), dials, 100, draw())) == 7
    assert take(pool([]), Dials(even=1, anchor=0.5, archive=1), 10, draw()) == []
    assert take(pool(fresh), Dials(), 0, draw()) == []


def test_duplicates_count_once() -> None:
    one, other = record("same"), record("same", round_=0)
    taken = take(pool([one, one], [other], [replace(other, round=-1)]), Dials(archive=1), 9, draw())
    assert taken == [one]
    with_anchor = take(pool([one, one], [other], [replace(other, round=-1)]), Dials(archive=1, anchor=0.5), 2, draw())
    assert with_anchor == [replace(other, round=-1, source=ANCHOR)]
    assert once([one, other]) == [one]
    assert once([one], [other]) == []


def test_anchor_is_drawn_anew_without_replacement() -> None:
    anchor = many({"r": 10}, "real")
    fresh = many({"x": 50})
    first, second = (take(pool(fresh, None, anchor), Dials(anchor=0.25), 20, draw(i)) for i in (0, 1))
    assert sources(first) == {ANCHOR: 5, GENERATED: 15}
    real = [{one.written.prompt for one in taken if one.source == ANCHOR} for taken in (first, second)]
    assert len(real[0]) == len(real[1]) == 5
    assert real[0] != real[1]
    assert sources(take(pool(fresh, None, anchor), Dials(anchor=1.0), 20, draw())) == {ANCHOR: 10, GENERATED: 10}


def test_what_the_anchor_lacks_is_generated() -> None:
    taken = take(pool(many({"x": 50})), Dials(anchor=0.5), 20, draw())
    assert sources(taken) == {GENERATED: 20}


def test_archive_is_a_share_at_most() -> None:
    fresh, earlier = many({"x": 30, "y": 2}), many({"y": 100, "z": 40}, "old", round=0)
    assert sources(take(pool(fresh, earlier), Dials(), 20, draw())) == {GENERATED: 20}
    half = take(pool(fresh, earlier), Dials(archive=0.5, even=1), 20, draw())
    assert sources(half) == {GENERATED: 10, ARCHIVE: 10}
    assert counts(half)["z"] in (5, 6)
    whole = take(pool(fresh, earlier), Dials(archive=1, even=1), 21, draw())
    assert counts(whole) == {"x": 7, "y": 7, "z": 7}
    assert all(one.round == (0 if one.source == ARCHIVE else 1) for one in whole)


def test_short_of_fresh_records_the_archive_keeps_its_share() -> None:
    fresh, earlier = many({"x": 3}), many({"y": 100}, "old", round=0)
    assert sources(take(pool(fresh, earlier), Dials(archive=0.25, even=1), 20, draw())) == {GENERATED: 3, ARCHIVE: 5}


def test_floor_leaves_out_the_least_likely_of_this_round() -> None:
    fresh = many({"x": 10})
    old = [record("old", likelihood=-99.0, round_=0)]
    taken = take(pool(fresh, old), Dials(floor=0.3, archive=1), 99, draw())
    assert [one.written.prompt for one in taken] == [f"ask x{i}" for i in range(3, 10)] + ["ask old"]


def test_unknown_likelihood_is_not_the_least() -> None:
    fresh = [*many({"x": 9}), record("unknown", "x", likelihood=None)]
    kept = take(pool(fresh), Dials(floor=0.5), 99, draw())
    assert "ask unknown" in [one.written.prompt for one in kept]
    likeliest = take(pool(fresh), Dials(likely=True), 9, draw())
    assert "ask unknown" not in [one.written.prompt for one in likeliest]
    assert len(take(pool(fresh), Dials(likely=True), 10, draw())) == 10


@pytest.mark.parametrize("dials", [Dials(likely=True), Dials(floor=0.5)])
def test_no_likelihood_at_all(dials: Dials) -> None:
    with pytest.raises(SelectionError, match="likelihood"):
        take(pool([record("a", likelihood=None), record("b", likelihood=None)]), dials, 1, draw())


@pytest.mark.parametrize("dials", [Dials(anchor=1.5), Dials(archive=-0.1), Dials(even=2), Dials(push=float("nan"))])
def test_dials_out_of_range(dials: Dials) -> None:
    with pytest.raises(SelectionError, match="dial"):
        take(pool([record("a")]), dials, 1, draw())


def test_likely_is_likeliest_of_all_or_within_structures() -> None:
    fresh = many({"x": 40, "y": 10})
    top = take(pool(fresh), Dials(likely=True), 20, draw())
    assert counts(top) == {"x": 20}
    assert {one.written.prompt for one in top} == {f"ask x{i}" for i in range(20, 40)}
    even = take(pool(fresh), Dials(likely=True, even=1), 10, draw())
    assert {one.written.prompt for one in even} == {f"ask x{i}" for i in range(35, 40)} | {
        f"ask y{i}" for i in range(5, 10)
    }


def test_push_and_even_weigh_structures() -> None:
    fresh = many({"a": 900, "a>b": 400, "a>b>c": 400})
    assert counts(take(pool(fresh), Dials(even=1, push=1), 600, draw())) == {"a": 100, "a>b": 200, "a>b>c": 300}
    assert counts(take(pool(fresh), Dials(even=0.5), 700, draw())) == {"a": 300, "a>b": 200, "a>b>c": 200}
    assert counts(take(pool(fresh), Dials(push=1), 290, draw())) == {"a": 90, "a>b": 80, "a>b>c": 120}


def test_push_without_a_known_complexity_has_nothing_to_weigh() -> None:
    fresh = [replace(one, complexity=None) for one in many({"a": 30, "a>b": 30})]
    assert counts(take(pool(fresh), Dials(even=1, push=3), 20, draw())) == {"a": 10, "a>b": 10}
    mixed = [*many({"a": 30, "a>b>c": 30}), *(replace(one, complexity=None) for one in many({"z": 30}))]
    assert counts(take(pool(mixed), Dials(even=1, push=1), 24, draw())) == {"a": 4, "z": 8, "a>b>c": 12}


def test_boundary_weighs_by_the_variance_of_right_answers() -> None:
    fresh = many({"always": 500, "half": 500, "new": 500})
    solved = {"always": (998, 998), "half": (49, 98)}
    taken = counts(take(pool(fresh, solved=solved), Dials(boundary=1, even=1), 500, draw()))
    weights = {"always": 0.999 * 0.001, "half": 0.25, "new": 0.25}
    want = {name: 500 * weight / sum(weights.values()) for name, weight in weights.items()}
    assert all(abs(taken.get(name, 0) - number) < 1 for name, number in want.items())
    tempered = counts(take(pool(fresh, solved=solved), Dials(boundary=0.5, even=1), 500, draw()))
    weights = {name: 0.5 + 2 * weight for name, weight in weights.items()}
    want = {name: 500 * weight / sum(weights.values()) for name, weight in weights.items()}
    assert all(abs(tempered[name] - number) < 1 for name, number in want.items())
    assert right_share((1, 1)) == pytest.approx(2 / 3)
    assert right_share(None) == 0.5


def test_random_without_dials_is_random() -> None:
    fresh = many({"x": 300, "y": 100})
    taken = [take(pool(fresh), Dials(), 40, draw(i)) for i in range(50)]
    share = np.mean([counts(one).get("y", 0) for one in taken]) / 40
    assert 0.2 < share < 0.3
    assert len({counts(one).get("y", 0) for one in taken}) > 3


def test_equal_draws_take_equal_records() -> None:
    fresh, earlier = many({"x": 30, "y": 9}), many({"y": 100, "z": 40}, "old", round=0)
    dials = Dials(archive=0.4, even=0.7, push=1, floor=0.1, anchor=0.2)
    one, same, other = (
        take(pool(fresh, earlier, many({"r": 9}, "real")), dials, 30, draw(label)) for label in (0, 0, 1)
    )
    assert one == same
    assert one != other
    assert len(one) == len({(each.written.prompt, each.written.response) for each in one}) == 30


def test_more_structures_than_budget_favours_no_name() -> None:
    fresh = many({f"s{i:02}": 3 for i in range(40)})
    seen = Counter(name for i in range(60) for name in counts(take(pool(fresh), Dials(even=1), 20, draw(i))))
    assert len(seen) == 40
    assert max(seen.values()) < 48


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=7),
    st.integers(0, 60),
)
def test_quotas_against_exact_water_filling(parts: list[tuple[int, int, int]], total: int) -> None:
    weight = np.array([part[0] for part in parts], dtype=np.float64)
    least = np.array([part[1] for part in parts])
    most = least + np.array([part[2] for part in parts])
    tie = np.arange(len(parts))
    got = quotas(weight, least, most, total, tie)
    cap = np.where(weight > 0, most, least)
    assert (got >= least).all()
    assert (got <= cap).all()
    assert got.sum() == min(max(total, least.sum()), cap.sum())
    exact = _slowly(weight.astype(int).tolist(), least.tolist(), cap.tolist(), int(got.sum()))
    assert all(abs(Fraction(int(each)) - want) < 1 for each, want in zip(got, exact, strict=True))


def _slowly(weight: list[int], least: list[int], most: list[int], total: int) -> list[Fraction]:
    """Water-filling in fractions: fix who is at a limit, share what is left, until nobody is."""
    fixed: dict[int, Fraction] = {i: Fraction(least[i]) for i in range(len(weight)) if not weight[i]}
    points = sorted({Fraction(each[i], weight[i]) for each in (least, most) for i in range(len(weight)) if weight[i]})

    def filled(level: Fraction) -> list[Fraction]:
        return [
            fixed.get(i, min(max(level * weight[i], Fraction(least[i])), Fraction(most[i]))) for i in range(len(weight))
        ]

    below = max((point for point in points if sum(filled(point)) <= total), default=Fraction(0))
    free = [i for i in range(len(weight)) if weight[i] and least[i] <= below * weight[i] < most[i]]
    missing = total - sum(filled(below))
    return filled(below + missing / sum(weight[i] for i in free) if missing else below)


def test_ten_thousand_candidates_are_quick() -> None:
    structures = [f"s{i}" + ">" * (i % 3) for i in range(400)]
    fresh = [record(f"{i}", structures[i * i % 400], likelihood=-(i % 97) / 50) for i in range(6000)]
    earlier = [record(f"old{i}", structures[i % 400], round_=0) for i in range(4000)]
    candidates = pool(fresh, earlier, earlier[:1000])
    best = np.inf
    for _ in range(3):
        started = time.perf_counter()
        taken = take(candidates, Dials(even=1, push=1, archive=1, floor=0.1, anchor=0.2), 4000, draw())
        best = min(best, time.perf_counter() - started)
    assert len(taken) == 4000
    assert best < 0.5  # 0.03 s on an idle core
