"""`balanced`: its dials do what they say, and its greedy picks are those of a slow obvious reference."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.errors import SelectionError, SpecError
from triptych.core.rng import stream
from triptych.core.selector import Choice, Setting
from triptych.selectors import _balancing
from triptych.selectors._complexity import quotas
from triptych.selectors.registry import parse_policy


def pool(n: int = 400, d: int = 12, label: str = "pool", **changed: object) -> Candidates:
    """Candidates around 8 centres, quality that some centres have more of, three structures of which one is common."""
    draw = stream("test balanced", label, n, d)
    centres = draw.normal(size=(8, d))
    of = draw.integers(8, size=n)
    vectors = centres[of] + 0.5 * draw.normal(size=(n, d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    quality = np.clip(0.3 + 0.05 * of + 0.2 * draw.normal(size=n), 0, 1)
    order = np.argsort(-quality, kind="stable")
    parts: dict[str, object] = {
        "id": np.sort(draw.integers(2**63, size=n, dtype=np.uint64)),
        "cost": np.ones(n, dtype=np.int64),
        "length": draw.integers(5, 50, size=n).astype(np.float64),
        "quality": quality[order],
        "complexity": draw.integers(1, 9, size=n).astype(np.float64),
        "vectors": vectors[order].astype(np.float32),
        "structure": draw.choice(np.array([7, 8, 9], dtype=np.uint64), size=n, p=[0.9, 0.07, 0.03]),
    }
    return Candidates(**(parts | changed))  # type: ignore[arg-type]


def take(text: str, candidates: Candidates, budget: int, **limits: object) -> tuple[NDArray[np.int64], Choice, Basket]:
    basket = Basket(candidates.cost, budget, **limits)  # type: ignore[arg-type]
    choice = parse_policy(text).choose(candidates, basket, Setting())
    return np.array(basket.taken), choice, basket


def novelty(candidates: Candidates, taken: list[int]) -> NDArray[np.float64]:
    """Log novelty from its definition, by the inverse of a matrix that is built anew."""
    n = len(candidates)
    out = np.zeros(n)
    if candidates.vectors is not None:
        rows = candidates.vectors.astype(np.float64)
        inverse = np.linalg.inv(np.eye(rows.shape[1]) + rows[taken].T @ rows[taken])
        nearest = np.array([max([0.0, *(float(rows[i] @ rows[j]) for j in taken)]) for i in range(n)])
        out += 0.5 * np.log(np.maximum(np.array([row @ inverse @ row for row in rows]), 1e-6))
        out += np.log(np.maximum(1 - nearest**2, 1e-6))
    if candidates.structure is not None:
        out -= np.log1p([sum(candidates.structure[j] == key for j in taken) for key in candidates.structure])
    return out


@pytest.mark.parametrize("without", [(), ("structure",), ("vectors",)])
def test_greedy_picks_are_those_of_the_definition(without: tuple[str, ...]) -> None:
    candidates = pool(90, 5, **dict.fromkeys(without))
    taken, _, basket = take("balanced:strictness=0", candidates, 25, keep=(3, 40))
    expected = [3, 40]
    while len(expected) < 25:
        score = novelty(candidates, expected)
        score[expected] = -np.inf
        expected.append(int(np.argmax(score >= score.max() - 1e-6)))
    assert taken.tolist() == expected
    before = novelty(candidates, expected[:10])[expected[10]]
    assert basket.gains[10] == pytest.approx(np.exp(before))


@pytest.mark.parametrize("asked", [0.55, 0.65, 0.75])
@pytest.mark.parametrize("complexity", ["free", "as-is"])
def test_the_mean_quality_is_the_one_asked_for(asked: float, complexity: str) -> None:
    candidates = pool(1500, label="mean")
    taken, choice, _ = take(f"balanced:quality={asked},complexity={complexity}", candidates, 200)
    assert candidates.quality is not None
    mean = candidates.quality[taken].mean()
    assert asked - 1e-9 <= mean <= asked + 0.005
    assert choice.facts["quality"] == pytest.approx(mean)


def test_a_mean_that_cannot_be_reached_is_refused_with_the_best() -> None:
    candidates = pool()
    assert candidates.quality is not None
    best = float(candidates.quality[:100].mean())
    with pytest.raises(SelectionError, match=f"{best:.4g} at most") as error:
        take("balanced:quality=0.99", candidates, 100)
    hint = str(error.value).split("try:  ")[1].split(",")[0]
    taken, _, _ = take(f"balanced:{hint}", candidates, 100)
    assert candidates.quality[taken].mean() == pytest.approx(best, abs=1e-3)


def test_strictness_goes_from_all_novelty_to_all_quality() -> None:
    candidates = pool(800)
    assert candidates.quality is not None
    quality, whole = candidates.quality, float(candidates.quality.mean())
    best = float(quality[:80].mean())
    means = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        taken, _, _ = take(f"balanced:strictness={share}", candidates, 80)
        means.append(float(quality[taken].mean()))
        assert means[-1] >= min(whole + share * (best - whole) if share else 0, best) - 1e-9
    assert sorted(means) == means
    assert sorted(taken.tolist()) == list(range(80))


def test_the_minimum_is_kept_and_refused_where_too_few_reach_it() -> None:
    candidates = pool()
    assert candidates.quality is not None
    taken, _, basket = take("balanced:minimum=0.5", candidates, 60)
    assert candidates.quality[taken].min() >= 0.5
    below = np.flatnonzero(candidates.quality < 0.5)
    assert (basket.reason[below] == basket.reasons.index("below the quality floor")).all()
    with pytest.raises(SelectionError, match="a minimum of at most") as error:
        take("balanced:minimum=0.99", candidates, 60)
    hint = str(error.value).split("try:  ")[1]
    taken, _, _ = take(f"balanced:{hint}", candidates, 60)
    assert sorted(taken.tolist()) == list(range(60))


def test_a_binary_quality_with_a_minimum_leaves_the_rest_to_novelty() -> None:
    base = pool()
    quality = np.repeat([1.0, 0.0], 200)
    right = Candidates(**{**vars(base), "quality": quality})
    taken, _, _ = take("balanced:minimum=1", right, 50)
    assert (taken < 200).all()
    assert not np.array_equal(np.sort(taken), np.arange(50))


@pytest.mark.parametrize(
    ("text", "starts", "shares"),
    [
        ("harder", (1, 3, 5, 7), (0.1, 0.2, 0.3, 0.4)),
        ("easier", (1, 3, 5, 7), (0.4, 0.3, 0.2, 0.1)),
        ("1/1", (1, 5), (0.5, 0.5)),
        ("1:.25/2:.25/6:.5", (1, 2, 6), (0.25, 0.25, 0.5)),
    ],
)
def test_quotas_of_complexity_are_met_exactly(text: str, starts: tuple[int, ...], shares: tuple[float, ...]) -> None:
    complexity = np.tile(np.arange(1.0, 9.0), 50)
    taken, _, _ = take(f"balanced:complexity={text}", pool(complexity=complexity), 80)
    of = np.searchsorted(starts, complexity[taken], "right") - 1
    assert np.bincount(of).tolist() == [round(80 * share) for share in shares]


def test_as_is_keeps_the_shares_of_the_candidates() -> None:
    complexity = np.repeat([1.0, 2.0, 5.0, np.nan], [200, 120, 60, 20])
    complexity = stream("test balanced", "as is").permutation(complexity)
    taken, choice, _ = take("balanced:complexity=as-is", pool(complexity=complexity), 40)
    assert [int((complexity[taken] == level).sum()) for level in (1, 2, 5)] == [20, 12, 6]
    assert choice.facts["complexity"]["records"] == [20, 12, 6, 2]


def test_a_profile_that_cannot_be_met_is_refused_with_what_would_do() -> None:
    complexity = np.repeat([1.0, 2.0], [390, 10])
    with pytest.raises(SelectionError, match="a budget of 20 at most"):
        take("balanced:complexity=1/1", pool(complexity=complexity), 40)
    taken, _, _ = take("balanced:complexity=1/1", pool(complexity=complexity), 20)
    assert (complexity[taken] == 2).sum() == 10
    with pytest.raises(SelectionError, match="too few different levels"):
        take("balanced:complexity=1/1/1", pool(complexity=complexity), 20)


def test_quotas_add_up_and_spare_must_keeps() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    have = np.array([100, 100, 100])
    assert quotas(shares, 11, np.zeros(3, np.int64), have).tolist() == [6, 3, 2]
    assert quotas(shares, 10, np.array([0, 0, 6]), have).sum() == 10
    assert quotas(shares, 10, np.array([0, 0, 6]), have)[2] == 6


def test_structures_are_used_evenly() -> None:
    candidates = pool(600)
    assert candidates.structure is not None
    taken, choice, _ = take("balanced:strictness=0", candidates, 45)
    counts = np.unique(candidates.structure[taken], return_counts=True)[1]
    assert choice.facts["structures_taken"] == 3
    assert counts.min() >= 8
    alone, _, _ = take("balanced:strictness=0", pool(600, vectors=None), 45)
    assert np.unique(candidates.structure[alone], return_counts=True)[1].tolist() == [15, 15, 15]


def test_a_record_without_a_structure_counts_as_an_average_one() -> None:
    structure = np.tile(np.array([0, 0, 5, 6], dtype=np.uint64), 100)
    taken, _, _ = take("balanced:strictness=0", pool(structure=structure, vectors=None), 60)
    assert np.unique(structure[taken], return_counts=True)[1].min() >= 15


def test_must_keeps_caps_and_cells() -> None:
    candidates = pool()
    cells = np.arange(400) % 2
    keep = (399, 398)
    taken, _, basket = take("balanced:strictness=0.9", candidates, 50, cells=cells, room=np.array([10, 400]), keep=keep)
    assert taken[:2].tolist() == list(keep)
    assert len(taken) == 50
    assert (cells[taken] == 0).sum() <= 10
    assert basket.spent


def test_must_keeps_count_in_the_mean() -> None:
    candidates = pool(1500, label="mean")
    assert candidates.quality is not None
    taken, _, _ = take("balanced:quality=0.65", candidates, 200, keep=range(1480, 1500))
    assert candidates.quality[taken].mean() == pytest.approx(0.65, abs=0.005)


@pytest.mark.parametrize("text", ["balanced", "balanced:strictness=1", "balanced:quality=0.6,complexity=as-is"])
def test_a_budget_of_tokens_is_met_within_one_record(text: str) -> None:
    cost = stream("test balanced", "cost").integers(3, 60, size=400)
    candidates = pool(cost=cost)
    assert candidates.quality is not None
    taken, choice, basket = take(text, candidates, 2000)
    assert 0 <= basket.left < cost.max()
    assert cost[taken].sum() == 2000 - basket.left
    assert candidates.quality[taken].mean() >= choice.facts["target"] - 1e-9


@pytest.mark.parametrize("exact", [True, False])
def test_the_same_at_any_number_of_threads(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exact:
        monkeypatch.setattr(_balancing, "EXACT", 0.0)
    candidates = pool(700, 64)
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            taken, choice, _ = take("balanced:strictness=0.6", candidates, 90)
        results.append(taken.tolist())
        assert choice.facts["greedy"] == ("exact" if exact else "stochastic")
    assert results[0] == results[1]


def test_samples_come_close_to_exact_greedy(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = pool(2000, 16)
    assert candidates.vectors is not None
    assert candidates.quality is not None
    rows = candidates.vectors.astype(np.float64)

    def spread(taken: NDArray[np.int64]) -> float:
        return float(np.linalg.slogdet(np.eye(16) + rows[taken].T @ rows[taken])[1])

    exact, _, _ = take("balanced:quality=0.6", candidates, 200)
    monkeypatch.setattr(_balancing, "EXACT", 0.0)
    sampled, _, _ = take("balanced:quality=0.6", candidates, 200)
    random = spread(stream("test balanced", "random").permutation(2000)[:200])
    assert candidates.quality[sampled].mean() == pytest.approx(0.6, abs=0.005)
    assert spread(sampled) - random > 0.8 * (spread(exact) - random)


def test_constant_quality_and_none_at_all() -> None:
    taken, choice, _ = take("balanced", pool(quality=np.full(400, 0.7)), 40)
    alone, noted, _ = take("balanced", pool(quality=np.full(400, np.nan)), 40)
    without, _, _ = take("balanced", pool(quality=None), 40)
    assert taken.tolist() == alone.tolist() == without.tolist()
    assert "same quality" in choice.notes[0]
    assert "No candidate has a quality" in noted.notes[0]
    with pytest.raises(SelectionError, match="no candidate has a quality"):
        take("balanced:quality=0.5", pool(quality=None), 40)


def test_a_missing_quality_is_not_0() -> None:
    base = pool()
    assert base.quality is not None
    quality = np.where(np.arange(400) < 300, base.quality - 2, np.nan)
    taken, choice, basket = take("balanced:strictness=0", pool(quality=quality), 50)
    assert (taken < 300).all()
    assert basket.reasons[basket.reason[399]] == "no quality"
    assert choice.facts["quality"] < 0


def test_duplicates_zeros_and_one_cluster() -> None:
    same = np.tile(np.eye(1, 12, dtype=np.float32), (400, 1))
    taken, _, _ = take("balanced:strictness=0", pool(vectors=same, structure=None), 30)
    assert taken.tolist() == list(range(30))
    zeros = same.copy()
    zeros[:10] = 0
    zeros[50] = np.eye(1, 12, 3)
    taken, _, _ = take("balanced:strictness=0", pool(vectors=zeros, structure=None), 30)
    assert set(taken[:2].tolist()) == {10, 50}
    assert len(taken) == 30


def test_copies_come_last() -> None:
    base = pool(200, 32, structure=None)
    assert base.vectors is not None
    vectors = np.concatenate([base.vectors, base.vectors])
    taken, _, _ = take("balanced:strictness=0", pool(400, 32, vectors=vectors, structure=None), 200)
    assert sorted(taken.tolist()) == list(range(200))


def test_vectors_that_are_not_finite_and_nothing_to_go_by() -> None:
    base = pool()
    assert base.vectors is not None
    broken = base.vectors.copy()
    broken[5, 0] = np.nan
    with pytest.raises(SelectionError, match="not finite"):
        take("balanced", pool(vectors=broken), 10)
    with pytest.raises(SelectionError, match="neither vectors nor a structure"):
        take("balanced", pool(vectors=None, structure=None), 10)


@pytest.mark.parametrize(
    "text",
    [
        "quality=0.5,strictness=0.5",
        "strictness=1.5",
        "quality=nan",
        "complexity=odd",
        "complexity=1",
        "complexity=2:1/1:1",
    ],
)
def test_dials_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_policy(f"balanced:{text}")
