"""A small run of the coverage benchmark: intervals hold the expectation about 95 times in 100."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from triptych.core.registry import measures

FOLDER = Path(__file__).parents[2] / "benchmarks" / "coverage"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the benchmarks are not part of this copy")


@pytest.fixture
def run(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import run

    yield run
    sys.modules.pop("run", None)
    sys.modules.pop("populations", None)


@pytest.mark.parametrize(
    ("population", "measure", "repetitions"),
    [("mixture, n=300", "vendi", 60), ("skewed", "valid_share", 60), ("skewed, n=200", "length_correlation", 60)],
)
def test_intervals_cover(run, population, measure, repetitions):
    rows = run.cover(population, repetitions, measure)
    assert rows
    for row in rows:
        assert row["coverage"] >= 0.86, row  # 60 trials at .95: below this in 1 of 300
        assert 0.75 < row["error_ratio"] < 1.3, row


def test_result_is_that_of_the_measures_there_are():
    """Every measure is covered, none below .92, and what is above .98 is said to be wide."""
    rows = json.loads((FOLDER / "result.json").read_text())["rows"]
    assert {row["measure"].partition(":")[0] for row in rows} == set(measures())
    for row in rows:
        kind = measures()[row["measure"].partition(":")[0]].about.interval
        assert row["kind"] == kind, row
        assert row["coverage"] >= 0.92, row
        assert row["coverage"] <= 0.98 or "wide" in row, row
