"""Minimal detectable effects against the noncentral t, and against studies that are really simulated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from triptych.core.errors import SpecError
from triptych.core.rng import stream
from triptych.studies.document import Analysis, analyse
from triptych.studies.power import errors_needed, minimal_effects
from triptych.studies.table import RunTable


@pytest.mark.parametrize("df", [2, 4, 9.5, 40])
def test_errors_needed_give_the_power_asked(df):
    critical = stats.t.ppf(0.975, df)
    assert stats.nct.sf(critical, df, errors_needed(df)) == pytest.approx(0.8, abs=1e-3)


def pilot(n, sd, seed=0):
    scores = 0.5 + sd * stream("test", "pilot", seed).normal(size=n)
    return RunTable(tuple(map(str, range(n))), {}, {"id": np.clip(scores, 0, 1)}, {"seed": np.arange(n).astype(str)})


def test_the_minimal_effect_of_a_pilot_is_found_in_four_of_five_studies():
    table = pilot(400, 0.05)
    (row,) = minimal_effects(table, arms=8, seeds=5)
    assert row["residual_sd"] == pytest.approx(0.05, rel=0.1)
    assert row["df"] == 399
    rng = stream("test", "power")
    own = row["mde"] + 2 * row["residual_sd"] / np.sqrt(8) * rng.normal(size=(4000, 5))
    found = stats.ttest_1samp(own, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)
    assert row["runs_for"]["0.1"] <= row["runs_for"]["0.05"] <= row["runs_for"]["0.02"]
    blocks = row["runs_for"]["0.05"] // 8
    sd = 2 * row["residual_sd"] / np.sqrt(8)
    assert errors_needed(float(blocks - 1)) * sd / np.sqrt(blocks) <= 0.05
    assert blocks == 3 or errors_needed(float(blocks - 2)) * sd / np.sqrt(blocks - 1) > 0.05


def test_a_small_pilot_is_careful():
    (row,) = minimal_effects(pilot(4, 0.05), arms=8, seeds=5)
    assert row["mde_careful"] > 1.5 * row["mde"]


def test_block_and_arm_means_are_no_noise(table_of):
    table = table_of(blocks=6)
    (before, *_) = minimal_effects(table, 8, 5)
    blocks = np.repeat(np.linspace(-0.2, 0.2, 6), 9)
    moved = {name: values * 0.5 + 0.25 + blocks for name, values in table.outcomes.items()}
    (after, *_) = minimal_effects(RunTable(table.runs, table.factors, moved, table.blocks), 8, 5)
    assert after["residual_sd"] == pytest.approx(before["residual_sd"] / 2)
    assert before["df"] == 8 * 5


def test_a_pilot_without_repeats_says_so():
    table = RunTable(("a", "b", "c"), {"Q": np.array([-1.0, 0.0, 1.0])}, {"id": np.array([0.1, 0.5, 0.4])})
    (row,) = minimal_effects(table, 8, 5)
    assert row["mde"] is None
    assert "no arm with two runs" in row["undefined"]
    with pytest.raises(SpecError, match="too small"):
        minimal_effects(table, 1, 5)


def test_a_finished_study_tells_what_it_could_have_seen(table_of):
    study = analyse(table_of(blocks=5), Analysis(factors=("Q", "D", "C"), bootstrap=0))
    row = next(one for one in study["power"] if one["factor"] == "D" and one["panel"] == "id")
    effect = next(one for one in study["effects"] if one["factor"] == "D" and one["panel"] == "id")
    assert row["mde"] == pytest.approx(errors_needed(4.0) * effect["se"])
    assert row["blocks"] == 5
    few, many = row["runs_for"]["0.1"], row["runs_for"]["0.02"]
    assert few < many
    assert many % 9 == 0
