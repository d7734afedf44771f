"""De-duplication first against a slow quadratic reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from triptych.core.budget import Budget
from triptych.core.errors import SpecError
from triptych.core.rng import stream
from triptych.core.selector import Setting
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings
from triptych.selecting.duplicates import near_duplicates, parse_dedup
from triptych.selecting.fill import fill
from triptych.selecting.limits import LimitRequest, Limits, resolve
from triptych.selecting.pool import Pool, PoolRequest, read_pool
from triptych.selectors.random import Random

Signatures = NDArray[np.uint16]


def noisy(trial: int, records: int = 300, families: int = 40) -> Signatures:
    """Signatures of families: each record shares a share of its entries with its family, from 70 to 100 %."""
    rng = stream("test duplicates", trial)
    bases = rng.integers(0, 1 << 16, (families, 128))
    table = bases[rng.integers(0, families, records)]
    changed = rng.random((records, 128)) < rng.choice([0, 0.02, 0.05, 0.1, 0.3], (records, 1))
    table[changed] = rng.integers(0, 1 << 16, int(changed.sum()))
    return table.astype(np.uint16)


def staying(table: Signatures, threshold: float, keep: int = 0) -> list[int]:
    """The greedy rule, pair by pair."""
    stay: list[int] = []
    for at in range(len(table)):
        equal = (table[stay] == table[at]).mean(axis=1) if stay else np.zeros(0)
        if at < keep or not (equal >= threshold).any():
            stay.append(at)
    return stay


@pytest.mark.parametrize("threshold", [0.5, 0.65, 0.75, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("trial", range(3))
def test_greedy_is_that_of_the_slow_reference(threshold: float, trial: int) -> None:
    table = noisy(trial)
    rival, similarity = near_duplicates(table, threshold, keep=5)
    gone = np.flatnonzero(rival >= 0)
    assert np.flatnonzero(rival < 0).tolist() == staying(table, threshold, keep=5)
    assert (rival[rival[gone]] < 0).all()
    assert (rival[gone] < gone).all()
    assert np.array_equal((table[gone] == table[rival[gone]]).mean(axis=1), similarity[gone])
    assert (similarity[gone] >= threshold).all()
    assert np.isnan(similarity[rival < 0]).all()


def test_where_all_repeat_the_first_stays() -> None:
    base = noisy(9, 1, 1)
    rival, similarity = near_duplicates(np.repeat(base, 5000, axis=0), 0.8)
    assert rival[0] == -1
    assert (rival[1:] == 0).all()
    assert (similarity[1:] == 1).all()
    table = np.repeat(base, 5000, axis=0)
    table[np.arange(5000), np.arange(5000) % 128] = np.arange(5000)
    rival, _ = near_duplicates(table, 0.8)
    assert (rival[1:] == 0).all()


def test_nothing_and_one_are_fine() -> None:
    for n in (0, 1):
        rival, similarity = near_duplicates(noisy(1, n), 0.8)
        assert rival.tolist() == [-1] * n
        assert len(similarity) == n


def texts() -> list[dict[str, Any]]:
    words = [f"word{at}" for at in range(40)]
    long = " ".join(words)
    near = " ".join([*words[:-1], "other"])
    return [
        {"prompt": "Say it all.", "response": long, "score": 1},
        {"prompt": "Say it all.", "response": long, "score": 3},
        {"prompt": "Say it all.", "response": near, "score": 2},
        {"prompt": "Say it all.", "response": "A wholly different text, with its own words and an end.", "score": 0},
        {"prompt": "What now?", "response": long.upper()[:120], "score": 0},
    ]


def resolved(data: Any, asked: LimitRequest) -> tuple[Pool, Limits]:
    dataset = open_dataset(data)
    with open_bench(Settings(cache=False, workers=1), Progress()) as bench:
        pool = read_pool(
            data, dataset, bench, PoolRequest(quality="score", vectors=False, by=("id",) if asked.keep else ())
        )
        return pool, resolve(asked, pool, Budget(2), bench)


def test_the_best_of_near_duplicates_stays_and_the_others_name_it() -> None:
    pool, limits = resolved(texts(), LimitRequest(dedup="near"))
    gone = limits.duplicates
    assert gone is not None
    assert sorted(pool.first[gone.at].tolist()) == [0, 2]
    assert pool.first[gone.rival].tolist() == [1, 1]
    assert gone.similarity.max() == 1
    assert gone.threshold == 0.8
    basket, _ = fill(pool.candidates, Random(), Budget(2), limits, Setting())
    assert not {0, 2} & set(pool.ordinals(basket.taken).tolist())
    _, limits = resolved(texts(), LimitRequest(dedup="exact"))
    assert limits.duplicates is not None
    assert limits.duplicates.similarity.tolist() == [1.0]


def test_a_must_keep_stays_and_stands_in_for_better_ones() -> None:
    data = [row | {"id": f"r{at}"} for at, row in enumerate(texts())]
    pool, limits = resolved(data, LimitRequest(dedup="near", keep=["r2"]))
    assert limits.duplicates is not None
    assert sorted(pool.first[limits.duplicates.at].tolist()) == [0, 1]
    assert set(pool.first[limits.duplicates.rival].tolist()) == {2}


def test_rows_of_several_records_are_copies_when_all_are_equal() -> None:
    pair = {"prompt": "Which one is it?", "chosen": "The first one.", "rejected": "None of them."}
    data = [
        pair,
        pair | {"rejected": "The second one."},
        pair,
        pair | {"chosen": "None of them.", "rejected": "The first one."},
    ]
    dataset = open_dataset(data)
    with open_bench(Settings(cache=False, workers=1), Progress()) as bench:
        pool = read_pool(data, dataset, bench, PoolRequest(vectors=False))
        limits = resolve(LimitRequest(dedup="exact"), pool, Budget(2), bench)
    assert limits.duplicates is not None
    assert len(limits.duplicates.at) == 1
    assert {int(pool.first[limits.duplicates.at[0]]), int(pool.first[limits.duplicates.rival[0]])} == {0, 4}


@pytest.mark.parametrize("asked", ["nearly", "0.4", "1.1", True, float("nan")])
def test_what_is_no_threshold_is_an_error(asked: Any) -> None:
    with pytest.raises(SpecError, match="--dedup near"):
        parse_dedup(asked)


def test_thresholds_are_read() -> None:
    assert parse_dedup("exact") is None
    assert parse_dedup("near") == 0.8
    assert parse_dedup("0.9") == parse_dedup(0.9) == 0.9
