"""Do the intervals hold? The small version of benchmarks/inference: the same code on fewer studies."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks" / "inference"


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location("inference_run", FOLDER / "run.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(FOLDER))


N = 500
ERROR = 3.5 * np.sqrt(0.95 * 0.05 / N)


@pytest.mark.parametrize("name", ["uneven arms, effects", "blocks differ in effect", "items, near floor"])
@pytest.mark.parametrize(("blocks", "missing"), [(3, 0.0), (5, 0.0), (5, 0.15)])
def test_95_percent_intervals_hold_the_truth(bench, name, blocks, missing):
    rows = [row for row in bench.scenario(name, bench.WORLDS[name], blocks, missing, N) if row["error"] == "blocks"]
    assert len(rows) == 3
    for row in rows:
        assert 0.95 - ERROR < row["coverage"] < 0.95 + ERROR
        assert row.get("false_equivalence", 0) <= 0.05 + ERROR
        assert row.get("false_findings", 0) <= 0.05 + ERROR


def test_runs_counted_as_independent_would_not(bench):
    rows = bench.scenario("blocks differ in effect", bench.WORLDS["blocks differ in effect"], 5, 0.0, N)
    pooled = [row["coverage"] for row in rows if row["error"] == "pooled"]
    assert max(pooled) < 0.9


def test_a_family_without_effects_holds_a_finding_in_one_of_twenty(bench):
    rows = bench.families(N, 5)
    holm = [row["families_with_a_false_finding"] for row in rows if row["multiplicity"] == "holm"]
    bare = [row["families_with_a_false_finding"] for row in rows if row["multiplicity"] == "none"]
    assert max(holm) <= 0.05 + ERROR
    assert min(bare) > 0.2


def test_runs_of_uneven_arms_without_blocks(bench):
    assert all(0.95 - ERROR < row["coverage"] < 0.99 for row in bench.loose(N, 3))


def test_the_second_interval_speaks_of_other_items(bench):
    row = bench.over_items(100, 5, own=False)
    assert row["coverage_blocks"] < 0.9
    assert 0.9 < row["coverage_items"] < 0.985
