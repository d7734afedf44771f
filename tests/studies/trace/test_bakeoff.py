"""The bake-off: held-out skill agrees with refitting, the best measure wins, noise shows no skill, ceilings are right."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import UsageError
from triptych.core.rng import stream
from triptych.studies.table import RunTable
from triptych.studies.trace.bakeoff import BakeoffOptions, arm_labels, bakeoff, noise_ceiling
from triptych.studies.trace.checks import within_blocks
from triptych.studies.trace.skill import across, gains, resampled, skill

QUICK = BakeoffOptions(draws=300)


def simulated(*labels, arms=40, seeds=3, worth=1.0, noise=0.5, models=("a", "b")):
    """Runs whose `ood` is moved by a hidden diversity; `good` reads it well, `fair` badly, the others not at all.

    Length moves the score too, and `longish` goes with length alone.
    """
    rng = stream("bakeoff test", *labels)
    truth, length = rng.normal(size=arms), rng.normal(size=arms)
    reads = {
        "good": truth + 0.3 * rng.normal(size=arms),
        "fair": truth + 1.5 * rng.normal(size=arms),
        "longish": length + 0.3 * rng.normal(size=arms),
        "noise": rng.normal(size=arms),
    }
    arm = np.tile(np.repeat(np.arange(arms), seeds), len(models))
    model = np.repeat(models, arms * seeds)
    score = worth * truth + 0.8 * length + noise * rng.normal(size=arms)
    n = len(arm)
    return RunTable(
        runs=tuple(map(str, range(n))),
        factors={},
        outcomes={"ood": score[arm] + 3.0 * (model == "b") + 0.4 * rng.normal(size=n), "id": rng.normal(size=n)},
        blocks={"model": model, "seed": np.tile(np.arange(seeds), n // seeds).astype(str)},
        covariates={"length": length[arm]},
        arms=np.array([f"arm{k}" for k in arm]),
        measured={name: values[arm] for name, values in reads.items()},
    )


def entries(document, panel):
    return {entry["candidate"]: entry for entry in document["entries"] if entry["panel"] == panel}


def refitted(y, x, design, labels):
    """Squared error of every arm when the other arms are fitted, with and without x: slow and plain."""
    plain, with_it = {}, {}
    for arm in np.unique(labels):
        train, test = labels != arm, labels == arm
        for columns, out in ((design, plain), (np.column_stack([design, x]), with_it)):
            slopes = np.linalg.lstsq(columns[train], y[train], rcond=None)[0]
            out[arm] = float(((y[test] - columns[test] @ slopes) ** 2).sum())
    return np.array([plain[arm] - with_it[arm] for arm in np.unique(labels)]), np.array([*plain.values()])


def test_left_out_errors_are_those_of_refitting():
    table = simulated("refit", arms=12)
    blocks, covariates = within_blocks(table), np.column_stack([table.covariates["length"]])
    x = np.column_stack([*table.measured.values()])
    sums = skill(table.outcomes["ood"], x, (blocks, covariates), table.arms)
    for place, values in enumerate(x.T):
        better, left = refitted(table.outcomes["ood"], values, np.hstack([blocks, covariates]), table.arms)
        np.testing.assert_allclose(sums.better[:, place], better, rtol=1e-8)
        np.testing.assert_allclose(sums.left, left, rtol=1e-8)
    weights = np.ones((1, 12))
    np.testing.assert_allclose(
        gains(sums, np.vstack([weights, weights])).draws[0], sums.better.sum(0) / sums.total.sum()
    )


def test_the_best_measure_wins_and_length_gains_nothing():
    found = bakeoff(simulated("best"), BakeoffOptions())
    ood = entries(found, "ood")
    assert ood["good"]["verdict"] == "predicts"
    assert ood["good"]["rank"] == 1
    assert ood["good"]["p_best"] > 0.95
    assert ood["good"]["lo_joint"] > 0
    assert ood["good"]["spearman_lo"] > 0.3
    assert "across" not in ood["good"]  # two models are too few to leave one out
    for name in ("longish", "noise"):
        assert ood[name]["lo_joint"] <= 0
        assert ood[name]["p_best"] < 0.02
        assert ood[name]["rank_lo"] >= 2
    assert ood["good"]["gain"] > ood["fair"]["gain"] > ood["noise"]["gain"]
    assert 0.5 < ood["good"]["of_ceiling"] < 1
    raw = bakeoff(RunTable(**{**vars(simulated("best")), "covariates": {}}), BakeoffOptions())
    assert entries(raw, "ood")["longish"]["lo"] > 0  # without the covariate it would have passed for a predictor
    assert all(entry["verdict"] != "predicts" for entry in entries(found, "id").values())


@pytest.mark.parametrize("arms", [12, 30])
def test_noise_shows_no_skill(arms):
    """In 60 studies each of four measures of noise: the lower end is at or below 0, and correlations cover 0, as promised."""
    low, cover = [], []
    for trial in range(60):
        rng = stream("noise", arms, trial)
        table = simulated("noise", arms, trial, arms=arms, seeds=2, models=("a",))
        noise = {f"m{k}": rng.normal(size=arms)[np.repeat(np.arange(arms), 2)] for k in range(4)}
        found = bakeoff(RunTable(**{**vars(table), "measured": noise}), QUICK)
        for entry in entries(found, "ood").values():
            low.append(entry["lo"] <= 0)
            cover += [entry[f"{kind}_lo"] <= 0 <= entry[f"{kind}_hi"] for kind in ("pearson", "spearman")]
    assert np.mean(low) > 0.93
    assert 0.90 < np.mean(cover) < 0.99


def test_seed_and_order_of_runs():
    table = simulated("order", arms=15)
    first = bakeoff(table, QUICK)
    assert first == bakeoff(table, QUICK)
    assert first != bakeoff(table, BakeoffOptions(draws=300, seed=1))
    mixed = stream("mix").permutation(len(table))
    whole = {name: getattr(table, name) for name in ("outcomes", "blocks", "covariates", "measured")}
    shuffled = RunTable(
        runs=tuple(table.runs[i] for i in mixed),
        factors={},
        arms=table.arms[mixed],
        **{name: {key: values[mixed] for key, values in part.items()} for name, part in whole.items()},
    )
    again = entries(bakeoff(shuffled, QUICK), "ood")
    for name, entry in entries(first, "ood").items():
        assert again[name]["gain"] == pytest.approx(entry["gain"])
        assert again[name]["lo_joint"] == pytest.approx(entry["lo_joint"])


def test_what_cannot_be_told_has_no_number():
    table = simulated("few", arms=8)
    for entry in bakeoff(table, QUICK)["entries"]:
        assert entry["gain"] is None
        assert "8 arms" in entry["undefined"]
        assert entry["verdict"] == "cannot tell"
    table = simulated("odd", arms=20)
    blank = np.where(np.arange(len(table)) % 3 == 0, np.nan, table.measured["good"])
    one = np.where(table.arms == "arm3", 1.0, 0.0)
    odd = {"flat": np.ones(len(table)), "blank": blank, "length2": 2 * table.covariates["length"], "one": one}
    found = entries(bakeoff(RunTable(**{**vars(table), "measured": {**table.measured, **odd}}), QUICK), "ood")
    assert "hardly varies" in found["flat"]["undefined"]
    assert "have no value" in found["blank"]["undefined"]
    assert "say it already" in found["length2"]["undefined"]
    assert found["one"]["undefined"]
    assert found["good"]["undefined"] is None
    with pytest.raises(UsageError, match="no candidate"):
        bakeoff(RunTable(**{**vars(table), "measured": {}}), QUICK)


def test_blocks_that_hold_one_arm_are_not_predicted():
    table = simulated("alone", arms=20, models=("a",))
    model = np.where(table.arms == "arm7", "lonely", "a")
    found = bakeoff(RunTable(**{**vars(table), "blocks": {"model": model}}), QUICK)
    assert found["baselines"][0]["arms_not_told"] == 1
    assert entries(found, "ood")["good"]["gain"] is not None


def test_arms_without_names_are_runs_with_the_same_readings():
    table = simulated("names", arms=15)
    nameless = RunTable(**{**vars(table), "arms": np.empty(0, dtype=np.str_)})
    assert len(np.unique(arm_labels(nameless))) == 15
    assert entries(bakeoff(nameless, QUICK), "ood")["good"]["gain"] == pytest.approx(
        entries(bakeoff(table, QUICK), "ood")["good"]["gain"]
    )


def test_skill_in_blocks_that_were_not_seen():
    table = simulated("across", models=("a", "b", "c", "d"))
    entry = entries(bakeoff(table, QUICK), "ood")["good"]
    assert entry["across"] == "model"
    assert 0 < entry["across_lo"] < entry["across_gain"] < entry["across_hi"] < 1
    x = np.column_stack([table.measured["good"]])
    better, total = across(table.outcomes["ood"], x, np.empty((len(table), 0)), table.blocks["model"])
    y, x = table.outcomes["ood"], x[:, 0]
    for place, model in enumerate("abcd"):
        test = table.blocks["model"] == model
        means = {m: (y[table.blocks["model"] == m].mean(), x[table.blocks["model"] == m].mean()) for m in "abcd"}
        centred = np.array(
            [(a - means[m][0], b - means[m][1]) for a, b, m in zip(y, x, table.blocks["model"], strict=True)]
        )
        slope = centred[~test].prod(axis=1).sum() / (centred[~test, 1] ** 2).sum()
        error = ((centred[test, 0] - slope * centred[test, 1]) ** 2).sum()
        assert total[place] == pytest.approx((centred[test, 0] ** 2).sum())
        assert better[place, 0] == pytest.approx(total[place] - error)


def test_noise_ceiling():
    """Variance between arms 1, within .25: .8 of the spread can be explained; the interval covers it as often as it says."""
    covered, values = [], []
    for trial in range(200):
        rng = stream("ceiling", trial)
        arm = np.repeat(np.arange(25), 3)
        table = RunTable(tuple(map(str, range(75))), {}, {}, blocks={"model": np.where(arm % 2, "a", "b")})
        scores = rng.normal(size=25)[arm] + 0.5 * rng.normal(size=75) + 2.0 * (arm % 2)
        found = noise_ceiling(table, scores, arm.astype(str), 0.95)
        values.append(found["estimate"])
        covered.append(found["lo"] <= 0.8 <= found["hi"])
        assert found["replicates"] == 50
    assert np.mean(values) == pytest.approx(0.8, abs=0.02)
    assert 0.9 <= np.mean(covered) <= 0.99
    single = RunTable(tuple("abcd"), {}, {})
    found = noise_ceiling(single, np.arange(4.0), np.array(list("abcd")), 0.95)
    assert found["estimate"] is None
    assert "3 are needed" in found["undefined"]


def test_resampling_keeps_the_number_of_arms():
    weights = resampled(9, 50, stream("weights"))
    assert weights.shape == (50, 9)
    assert (weights.sum(axis=1) == 9).all()
