"""The parts of a design on small examples, each against a slow or obvious reference."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from triptych.core.errors import UsageError
from triptych.core.rng import stream
from triptych.studies.design.assign import Part, Problem, Program
from triptych.studies.design.balance import condition_number, ks, smd
from triptych.studies.design.clusters import Kinds, blocks_of, even, in_proportion, k_means, sizes_of
from triptych.studies.design.levels import Budget, Level, Request, factors_of
from triptych.studies.design.points import aliases, d_optimal, model_matrix, points_of
from triptych.studies.design.rounding import rounded


@pytest.mark.parametrize(
    ("asked", "number", "unit"),
    [
        (800, 800, "records"),
        ("2M tokens", 2_000_000, "tokens"),
        ("1.5k", 1500, "records"),
        ("12,000 tokens", 12_000, "tokens"),
    ],
)
def test_budgets(asked, number, unit):
    assert Budget.of(asked) == Budget(number, unit)


@pytest.mark.parametrize("asked", ["", "many", "0", "-5", "2M words", "0.2 records"])
def test_budgets_that_are_none(asked):
    with pytest.raises(UsageError, match="budget"):
        Budget.of(asked)


def test_levels_in_words():
    quality, diversity, complexity = factors_of("Q=correct:.2,0.8,D=embedding:8,50,C=steps:value:2,value:4")
    assert quality.levels == (Level(0.2, quantile=True), Level(0.8, quantile=True))
    assert (diversity.source, diversity.levels) == ("embedding", (Level(8, quantile=False), Level(50, quantile=False)))
    assert complexity.levels == (Level(2, quantile=False), Level(4, quantile=False))
    assert factors_of({"C": "steps", "Q": "score"}) == factors_of("Q=score,C=steps")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing"),
        ("X=score", "X=score"),
        ("Q=a,Q=b", "Q=b"),
        ("Q=", "Q="),
        ("Q=score:.2", "low and a high"),
        ("Q=score:.8,.2", "not below"),
        ("Q=score:2,4", "value:2"),
        ("D=embedding:.1,.9", "number of kinds"),
        ("Q=score:.2,value:inf", "level of Q"),
    ],
)
def test_levels_that_are_none(text, said):
    with pytest.raises(UsageError) as caught:
        factors_of(text)
    assert said in str(caught.value)


def test_options_are_checked():
    with pytest.raises(UsageError, match="blocks"):
        Request.of(10, "Q=a", {"blocks": 0})
    with pytest.raises(UsageError, match="centre"):
        Request.of(10, "Q=a", {"center": 1})
    with pytest.raises(UsageError, match="records or tokens"):
        Request.of(10, "Q=a", {"equal": ["length"]})
    assert Request.of(10, "Q=a", {"equal": ["records,tokens"]}).equal == ("records", "tokens")


def test_factorials():
    full = points_of("full", "QDC", 0)
    assert len(full) == 8
    assert len({tuple(point.values()) for point in full}) == 8
    half = points_of("fractional", "QDC", 0)
    assert [point["C"] for point in half] == [point["Q"] * point["D"] for point in half]
    assert aliases(full) == []
    assert "C = Q:D" in aliases(half)
    for kind in ("fractional", "d-optimal:2"):
        with pytest.raises(UsageError):
            points_of(kind, "QD", 0)
    with pytest.raises(UsageError, match="points"):
        points_of("fulll", "QD", 0)


@pytest.mark.parametrize(("k", "arms"), [(2, 4), (2, 5), (3, 4)])
def test_d_optimal_is_the_best_of_all(k, arms):
    interactions = arms >= 1 + k + k * (k - 1) // 2

    def information(codes):
        matrix = model_matrix(np.array(codes, float), interactions=interactions)
        return np.linalg.det(matrix.T @ matrix)

    corners = list(product((-1, 0, 1), repeat=k)) if k == 2 else list(product((-1, 1), repeat=k))
    best = max(information(codes) for codes in combinations(corners * (2 if arms > len(corners) else 1), arms))
    assert information(d_optimal(k, arms, 0)) >= best - 1e-6


def test_clusters_are_found_and_repeatable():
    rng = np.random.default_rng(3)
    truth = np.repeat(np.arange(5), 40)
    vectors = np.eye(5, 8)[truth] + 0.05 * rng.normal(size=(200, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels, centres = k_means(vectors, 5, 0)
    assert {frozenset(np.flatnonzero(labels == k)) for k in range(5)} == {
        frozenset(np.flatnonzero(truth == k)) for k in range(5)
    }
    assert np.allclose(centres[labels[0]], vectors[:40].mean(axis=0))
    again, _ = k_means(vectors, 5, 0)
    assert np.array_equal(labels, again)
    same, _ = k_means(np.ones((10, 3)), 4, 0)
    assert set(same) <= set(range(4))


def test_shares_of_kinds():
    assert even(np.array([2, 9, 9]), 12).tolist() == [2, 5, 5]
    assert even(np.array([2, 3]), 6) is None
    assert in_proportion(np.array([10, 20, 30]), 7).tolist() == [1, 2, 4]
    assert sizes_of(np.array([0, 0, 0, 1]), np.array([5, 5, -1, -1]), 2).tolist() == [2, 1]


def test_blocks_are_compact_and_apart():
    angles = np.arange(40) * 2 * np.pi / 40
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    kinds = Kinds(np.zeros(0, int), centres, np.full(40, 20))
    blocks = blocks_of(kinds, 80, 8, 2.0, 3, 0)
    taken = [set(block.low.tolist()) for block in blocks]
    assert sum(map(len, taken)) == len(set().union(*taken))
    for block, low in zip(blocks, taken, strict=True):
        assert len(low) == 8
        steps = np.diff(np.sort(np.array([(k - block.low[0] + 20) % 40 for k in low])))
        assert (steps == 1).all(), "neighbours on the circle"
        assert len(low) < len(block.middle) < 40
        assert [block.counts(code, 80).sum() for code in (-1, 0, 1)] == [80] * 3
        assert set(np.flatnonzero(block.counts(-1, 80))) == low
        assert (block.counts(1, 80) == 2).all()
    assert blocks_of(kinds, 401, 8, 2.0, 3, 0) is None


def _problem(rng, n=240, size=30, **changes):
    kinds = np.arange(n) % 4
    quality, cost, length = rng.normal(size=(3, n))
    counts = np.array([size // 2, size // 2, 0, 0])
    wide = np.array([8, 8, 7, 7])
    parts = []
    for codes in product((-1, 1), repeat=3):
        point = dict(zip("QDC", codes, strict=True))
        narrow = point["D"] < 0
        records = np.flatnonzero(kinds < 2) if narrow else np.arange(n)
        parts.append(Part(str(codes), point, records, counts if narrow else wide))
    given = {"moved": {"Q": quality, "C": cost}, "matched": {"length": length[:, None]}, "prompts": np.full(n, -1)}
    return Problem(tuple(parts), kinds, **(given | changes))


def _means(problem, solution, column):
    return np.array([s @ column[p.records] / p.size for s, p in zip(solution.shares, problem.parts, strict=True)])


def test_the_program_holds_what_it_says():
    rng = np.random.default_rng(0)
    pinned = {level: rng.normal(size=(240, 3)) for level in (-1, 1)}
    problem = _problem(rng, pinned=pinned)
    widest = Program(problem).widest()
    assert widest.gap > 0.5
    assert Program(problem).drawn(widest.gap * 1.02, stream("x")) is None
    drawn = Program(problem).drawn(0.8 * widest.gap, stream("x"))
    codes = {name: np.array([part.codes[name] for part in problem.parts]) for name in "QDC"}
    for name in "QC":
        means = _means(problem, drawn, problem.moved[name])
        assert np.allclose(means, means.mean() + codes[name] * 0.4 * widest.gap, atol=1e-6)
    assert np.ptp(_means(problem, drawn, problem.matched["length"][:, 0])) < 1e-6
    for level, columns in pinned.items():
        for column in columns.T:
            assert np.ptp(_means(problem, drawn, column)[codes["D"] == level]) < 1e-6
    for share, part in zip(drawn.shares, problem.parts, strict=True):
        taken = np.bincount(problem.kinds[part.records], weights=share, minlength=4)
        assert np.allclose(taken, part.counts, atol=1e-6)
    other = Program(problem).drawn(0.8 * widest.gap, stream("y"))
    assert any(not np.allclose(a, b) for a, b in zip(drawn.shares, other.shares, strict=True))


def test_one_answer_to_a_prompt_and_levels_that_are_given():
    rng = np.random.default_rng(1)
    prompts = np.repeat(np.arange(60), 4)
    problem = _problem(rng, prompts=prompts, levels={"Q": (0.1, 0.2)})
    found = Program(problem).widest()
    for share, part in zip(found.shares, problem.parts, strict=True):
        assert np.bincount(prompts[part.records], weights=share).max() <= 1 + 1e-6
    means = _means(problem, found, problem.moved["Q"])
    assert np.allclose(sorted(set(means.round(4))), [-0.1, 0.3])
    assert Program(_problem(rng, levels={"Q": (0.0, 5.0)})).widest() is None
    assert set(problem.limits) == {"length", "prompts"}
    assert Program(problem.without("prompts")).widest().gap >= found.gap - 1e-7
    assert problem.without("length").matched == {}


def test_rounding_keeps_size_kinds_and_prompts():
    rng = np.random.default_rng(5)
    for trial in range(20):
        prompts = np.repeat(np.arange(20), 3)
        kinds = np.repeat(np.arange(4), 15)
        raw = rng.random((20, 3)) * (rng.random((20, 1)) < 0.7)
        shares = (raw / np.maximum(raw.sum(axis=1, keepdims=True), 1)).reshape(-1)
        for kind in range(4):
            inside = kinds == kind
            shares[inside] *= np.floor(shares[inside].sum()) / max(shares[inside].sum(), 1e-9)
        chosen = rounded(shares, kinds, prompts, rng.normal(size=(60, 2)), stream("round", trial))
        assert len(set(chosen)) == len(chosen) == round(shares.sum())
        assert np.bincount(prompts[chosen], minlength=1).max() <= 1
        assert (shares[chosen] > 0).all()
        wanted = np.bincount(kinds, weights=shares, minlength=4)
        assert np.array_equal(np.bincount(kinds[chosen], minlength=4), wanted.round())


def test_systematic_rounding_takes_each_with_its_share():
    shares = np.array([0.5, 0.25, 0.25, 0.7, 0.3])
    none = np.full(5, -1)
    counts = np.zeros(5)
    for trial in range(400):
        counts[rounded(shares, np.zeros(5, int), none, np.zeros((5, 1)), stream("share", trial))] += 1
    assert np.allclose(counts / 400, shares, atol=0.08)


def test_distances_of_arms():
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 9, 50).astype(float), rng.integers(1, 12, 70).astype(float)
    assert ks(a, b) == pytest.approx(ks_2samp(a, b).statistic)
    assert smd(np.array([0.0, 2.0]), np.array([1.0, 3.0]), 9.0) == pytest.approx(1.0)
    assert smd(np.ones(3), np.zeros(3), 2.0) == pytest.approx(0.5)
    corners = np.array(list(product((-1.0, 1.0), repeat=2)))
    assert condition_number(corners) == pytest.approx(1.0)
    assert (
        condition_number(np.column_stack([corners[:, 0], corners[:, 0]])) is None
        or condition_number(np.column_stack([corners[:, 0], corners[:, 0]])) > 1e6
    )
    assert condition_number(np.ones((4, 1))) is None
