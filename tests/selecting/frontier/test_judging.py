"""The judge, the points of a sweep, and the typicality of records, on pools whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import SpecError
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings
from triptych.selecting.frontier.judging import TFIDF, Judge, measures_for
from triptych.selecting.frontier.points import HEAVY, planned, served, split
from triptych.selecting.frontier.typicality import mean_cosines, tenths, typicality
from triptych.selecting.pool import PoolRequest, read_pool


def opened(rows, bench, judge=TFIDF, quality="score"):
    settings = Settings.of(workers=1)
    request = PoolRequest(quality=quality, measures=measures_for(judge))
    return read_pool(rows, open_dataset(rows, settings.reading()), bench, request)


@pytest.fixture(scope="module")
def bench(cache):
    with open_bench(Settings.of(workers=1, cache=cache), Progress()) as found:
        yield found


@pytest.fixture(scope="module")
def pool(rows_of_pool, bench):
    return opened(rows_of_pool(900), bench)


def test_names_and_parameters_are_told_apart():
    assert split(["random,threshold:quantile=0.5,k_center", "a:x=1,y=2"]) == [
        "random", "threshold:quantile=0.5", "k_center", "a:x=1,y=2",
    ]  # fmt: skip


def test_a_name_is_swept_and_a_policy_with_parameters_is_one_point():
    plan = planned(["threshold", "archive:by=length:3"], 0)
    ids = [point.id for point in plan.points]
    assert sum(name.startswith("threshold") for name in ids) == 6
    assert [name for name in ids if name.startswith("archive")] == ["archive:by=length:3"]
    assert [point.seed for point in plan.points[:5]] == [point.seed for point in planned([], 0).points[:5]]
    assert planned([], 1).points[1].seed != plan.points[1].seed


def test_what_the_data_cannot_serve_is_skipped(pool):
    plan = served(planned(["archive:by=structure", "archive:by=field:nothing"], 0), pool, 1.0, ["archive"])
    reasons = dict(plan.skipped)
    assert "structure" in reasons["archive"] or "nothing" in reasons["archive"]
    assert not [point for point in plan.points if point.policy.name == "archive"]


def test_heavy_policies_are_left_out_of_large_pools_unless_named(pool):
    name = next(iter(HEAVY))
    light = served(planned([], 0), pool, 1e15, [])
    assert name in dict(light.skipped)
    assert sum(point.role == "most_diverse" for point in light.points) == 1
    asked = served(planned([name], 0), pool, 1e15, [name])
    assert name in {point.policy.name for point in asked.points}


def test_diversity_is_read_on_valid_records_at_one_number(rows_of_pool, bench):
    rows = rows_of_pool(300)
    for row in rows[::3]:
        row["response"] = ""
    pool = opened(rows, bench)
    judge = Judge(pool, TFIDF, bench.engine)
    everything = np.arange(300)
    assert judge.countable(everything) == 200
    some = judge.sample(everything, 50)
    assert len(some) == 50
    assert set(judge.sample(everything, 20)) < set(some)
    found = judge.read(everything, 120)
    valid = judge.sample(everything[np.arange(300) % 3 != 0], 120)
    assert found.diversity == judge.read(valid, 120).diversity
    assert found.quality.value == pytest.approx(np.mean([row["score"] for row in rows]))


def test_more_topics_are_more_diverse(pool, bench, rows_of_pool):
    judge = Judge(pool, TFIDF, bench.engine)
    topics = np.array([row["topic"] for row in rows_of_pool(900)])
    narrow = judge.read(np.flatnonzero(topics == "garden")[:150], 150)
    wide = judge.read(np.flatnonzero(topics != "garden")[:150], 150)
    for label in (TFIDF, "vendi:q=2,valid_only=true"):
        assert wide.diversity[label].lo > narrow.diversity[label].hi
    assert narrow.quality.lo > wide.quality.hi


def test_another_judge_comes_first(rows_of_pool, bench):
    pool = opened(rows_of_pool(200), bench, judge="effective_structures")
    labels = [ruler.label for ruler in Judge(pool, "effective_structures", bench.engine).rulers]
    assert labels[0] == "effective_structures"
    assert set(labels) == {TFIDF, "effective_structures", "vendi:q=2,valid_only=true"}
    other = opened(rows_of_pool(200), bench, judge="distinct_n:n=2")
    assert Judge(other, "distinct_n:n=2", bench.engine).rulers[0].label == "distinct_n"
    with pytest.raises(SpecError):
        measures_for("nothing")


def test_structures_that_rows_name_are_no_independent_judge(rows_of_pool, bench):
    rows = rows_of_pool(120, skeleton=lambda index: f"s{index % 7}")
    rulers = {ruler.label: ruler for ruler in Judge(opened(rows, bench), TFIDF, bench.engine).rulers}
    assert not rulers["effective_structures"].independent
    assert rulers[TFIDF].independent


def test_typicality_is_the_mean_cosine_to_all(pool):
    vectors = np.zeros((900, pool.candidates.vectors.shape[1]))
    vectors[pool.first] = pool.candidates.vectors
    assert mean_cosines(pool) == pytest.approx((vectors @ vectors.T).mean(axis=1), abs=1e-5)


def test_tenths_are_of_equal_size():
    ties = np.arange(95, dtype=np.uint64)
    found = tenths(np.zeros(95), ties)
    assert np.bincount(found).min() >= 9
    assert tenths(np.arange(20.0)[::-1], np.arange(20, dtype=np.uint64)).tolist() == [9 - at // 2 for at in range(20)]


def test_rare_records_that_comply_less_are_found(rows_of_pool, bench):
    rows = rows_of_pool(900)
    similar = mean_cosines(opened(rows, bench))
    rng = np.random.default_rng(5)
    rank = np.argsort(np.argsort(similar)) / 900
    for row, place in zip(rows, rank, strict=True):
        row["ok"] = int(rng.random() < (0.3 if place < 0.1 else 0.8))
    found = typicality(opened(rows, bench, quality="ok"))
    assert found["verdict"] == "less"
    assert found["difference"]["hi"] < -0.2
    assert [row["records"] for row in found["deciles"]] == [90] * 10
    told = [row["typicality"] for row in found["deciles"]]
    assert told == sorted(told)
    for row in found["deciles"]:
        assert row["compliance"]["lo"] <= row["compliance"]["value"] <= row["compliance"]["hi"]
    for row in rows:
        row["ok"] = int(rng.random() < 0.7)
    assert typicality(opened(rows, bench, quality="ok"))["verdict"] == "cannot tell"


def test_few_records_are_no_deciles(rows_of_pool, bench):
    found = typicality(opened(rows_of_pool(60), bench))
    assert found["deciles"] == []
    assert "200" in found["undefined"]
