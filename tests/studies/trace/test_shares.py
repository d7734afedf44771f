"""Shares of variance and agreement of rankings against plain regressions and hand-made rankings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ncf, spearmanr

from triptych.core.rng import stream
from triptych.studies.table import RunTable
from triptych.studies.trace.shares import _agreement, _partial_interval, agreement, variance_shares


def table(seed, **outcomes):
    model = np.repeat(list("abcdef"), 24)
    data = np.tile(np.repeat([f"d{k}" for k in range(8)], 3), 6)
    rng = stream("shares", seed)
    size = rng.normal(size=144)
    scores = rng.normal(size=6)[np.repeat(np.arange(6), 24)] * 2
    shared = rng.normal(size=8)[np.tile(np.repeat(np.arange(8), 3), 6)]
    y = scores + shared + 0.3 * size + 0.3 * rng.normal(size=144)
    return RunTable(
        tuple(map(str, range(144))), {"size": size}, {"ood": y, **outcomes}, blocks={"model": model, "data": data}
    )


def r2(y, *columns):
    design = np.hstack([np.ones((len(y), 1)), *columns])
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - (left @ left) / ((y - y.mean()) @ (y - y.mean()))


def test_shares_are_those_of_plain_regressions():
    runs = table(0)
    y = runs.outcomes["ood"]
    parts = {name: (labels[:, None] == np.unique(labels)[1:]).astype(float) for name, labels in runs.blocks.items()}
    parts["size"] = runs.factors["size"][:, None]
    found = {entry["term"]: entry for entry in variance_shares(runs)}
    for name, columns in parts.items():
        without = r2(y, *(other for key, other in parts.items() if key != name))
        assert found[name]["alone"] == pytest.approx(r2(y, columns))
        assert found[name]["unique"] == pytest.approx(r2(y, *parts.values()) - without)
        assert found[name]["partial_r2"] == pytest.approx((r2(y, *parts.values()) - without) / (1 - without))
        assert 0 <= found[name]["lo"] < found[name]["partial_r2"] < found[name]["hi"] < 1
    pairs = np.array([a + b for a, b in zip(runs.blocks["model"], runs.blocks["data"], strict=True)])
    dummies = (pairs[:, None] == np.unique(pairs)[1:]).astype(float)
    adjusted = [
        1 - (1 - r) * 143 / (144 - p) for r, p in ((r2(y, *parts.values()), 14), (r2(y, dummies, parts["size"]), 49))
    ]
    assert found["model:data"]["together"] == pytest.approx(adjusted[1] - adjusted[0])


@pytest.mark.parametrize(("partial", "df", "left"), [(0.02, 1, 100), (0.3, 4, 60), (0.1, 10, 300)])
def test_the_interval_of_a_share_inverts_the_noncentral_f(partial, df, left):
    lo, hi = _partial_interval(partial, df, left, 0.95)
    observed = partial / (1 - partial) * left / df
    if lo > 0:
        assert ncf.cdf(observed, df, left, lo / (1 - lo) * (left + df + 1)) == pytest.approx(0.975, abs=0.005)
    else:
        assert ncf.cdf(observed, df, left, 1e-9) < 0.98
    assert ncf.cdf(observed, df, left, hi / (1 - hi) * (left + df + 1)) == pytest.approx(0.025, abs=0.005)


def test_shares_of_nothing():
    found = variance_shares(table(1, flat=np.ones(144)))
    assert {entry["undefined"] for entry in found if entry["panel"] == "flat" and entry["term"] == "model"} == {
        "every run has the same score"
    }
    runs = table(2)
    again = RunTable(**{**vars(runs), "covariates": {"same": 2 * runs.factors["size"]}})
    assert "say it already" in next(e for e in variance_shares(again) if e["term"] == "same")["undefined"]


def test_agreement_is_the_mean_spearman_over_pairs():
    runs = table(3)
    y, model, data = runs.outcomes["ood"].copy(), runs.blocks["model"], runs.blocks["data"]
    y[(model == "c") & (data == "d1")] = np.nan
    found = agreement(RunTable(**{**vars(runs), "outcomes": {"ood": y}}))
    assert [(entry["between"], entry["over"]) for entry in found] == [("model", "data"), ("data", "model")]
    means = {m: {d: np.mean(y[(model == m) & (data == d)]) for d in np.unique(data)} for m in "abcdef"}
    rhos = []
    for i, a in enumerate("abcdef"):
        for b in "abcdef"[i + 1 :]:
            both = [d for d in np.unique(data) if np.isfinite(means[a][d] + means[b][d])]
            rhos.append(spearmanr([means[a][d] for d in both], [means[b][d] for d in both])[0])
    assert found[0]["estimate"] == pytest.approx(np.mean(rhos))
    assert found[0]["pairs"] == 15
    assert found[0]["lo"] < found[0]["estimate"] < found[0]["hi"] <= 1


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_the_interval_of_agreement_covers_the_truth(shared):
    """Six models rank ten data sets whose scores have this correlation: Spearman's is 6 / pi asin(shared / 2)."""
    truth = 6 / np.pi * np.arcsin(shared / 2)
    inside = 0
    for trial in range(150):
        rng = stream("agreement", trial)
        means = np.sqrt(shared) * rng.normal(size=10) + np.sqrt(1 - shared) * rng.normal(size=(6, 10))
        entry = _agreement(means, 0.95)
        inside += entry["lo"] <= truth <= entry["hi"]
    assert 0.89 <= inside / 150 <= 0.99


def test_agreement_needs_something_to_rank():
    runs = table(5)
    assert agreement(RunTable(**{**vars(runs), "blocks": {"seed": runs.blocks["data"]}})) == []
    few = RunTable(**{**vars(runs), "blocks": {**runs.blocks, "data": np.tile(np.repeat(["x", "y"], 12), 6)}})
    assert agreement(few)[0]["undefined"] == "no two share 4 levels"
    arms = RunTable(**{**vars(runs), "blocks": {"model": runs.blocks["model"]}, "arms": runs.blocks["data"]})
    assert agreement(arms)[0]["over"] == "arm"
