"""`analyse`: every part of the document, bad input, and what must not be said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from triptych.core.errors import SchemaError, SpecError, UsageError
from triptych.core.rng import stream
from triptych.studies.document import Analysis, analyse
from triptych.studies.table import RunTable

PLAN = Analysis(factors=("Q", "D", "C"), bootstrap=50)


def one(rows, **wanted):
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1, (wanted, len(found))
    return found[0]


def codes(study):
    return [warning["code"] for warning in study["warnings"]]


def test_a_whole_study(table_of):
    table = table_of()
    study = analyse(table, replace(PLAN, covariates=("length",), measured={"D": "vendi:q=2", "Q": "mine"}))
    json.dumps(study, allow_nan=False)
    d = one(study["effects"], factor="D", panel="compositions", kind="designed")
    assert d["verdict"] == "raises"
    assert d["df"] == pytest.approx(4)
    blocks = [
        table.outcomes["compositions"][9 * b : 9 * b + 8] @ table.factors["D"][:8] / 4 for b in range(5)
    ]  # the slow reference: each block's own effect
    assert d["estimate"] == pytest.approx(np.mean(blocks))
    assert d["se"] == pytest.approx(np.std(blocks, ddof=1) / np.sqrt(5))
    assert d["hi"] - d["estimate"] == pytest.approx(2.776445 * d["se"], rel=1e-5)
    assert d["items"]["lo"] < d["estimate"] < d["items"]["hi"]
    inside = table.outcomes["compositions"].reshape(5, 9)
    sd = np.sqrt(((inside - inside.mean(1, keepdims=True)) ** 2).sum() / 40)
    assert d["sd_units"] == pytest.approx(d["estimate"] / sd)
    names = {row["factor"] for row in study["effects"] if row["kind"] == "designed"}
    assert names == {"Q", "D", "C", "Q:D", "Q:C", "D:C", "Q:D:C", "curvature"}
    curve = one(study["effects"], factor="curvature", panel="id")
    y = table.outcomes["id"].reshape(5, 9)
    assert curve["estimate"] == pytest.approx((y[:, 8] - y[:, :8].mean(1)).mean())

    contrast = one(study["contrasts"], name="D x panel: compositions - id")
    there = one(study["effects"], factor="D", panel="id", kind="designed")
    assert contrast["estimate"] == pytest.approx(d["estimate"] - there["estimate"])
    assert contrast["panels"] == ["compositions", "id"]
    assert contrast["verdict"] == "raises"
    assert one(study["contrasts"], name="D x panel: mean OOD - id")["panels"] == ["compositions", "deeper", "id"]

    read = one(study["effects"], factor="D", panel="compositions", kind="measured")
    assert read["log"]
    assert read["measure"] == "vendi:q=2"
    assert not one(study["effects"], factor="Q", panel="id", kind="measured")["log"]
    # Low to high is 2 SD of the corners; with the centre an SD is .94.
    assert read["estimate"] == pytest.approx(d["estimate"] / 2 * np.sqrt(8 / 9), rel=0.05)
    assert read["margin"] == 0.025

    assert len([cell for cell in study["cells"] if cell["panel"] == "id"]) == 9
    assert {row["level"] for row in study["dose"] if row["factor"] == "C"} == {-1, 0, 1}
    assert len(study["points"]) == 45 * 3
    assert {row["kind"] for row in study["sensitivity"]} == {"leave one out", "covariate", "log odds"}
    text = " ".join(line["text"] for line in study["conclusions"] if line["kind"] == "can")
    assert "D raises compositions: +" in text
    assert "D does more for compositions than for id" in text
    assert analyse(table, PLAN) == analyse(table, PLAN)


def test_leaving_a_block_out_is_the_study_without_it(table_of):
    table = table_of(blocks=4)
    study = analyse(table, PLAN)
    row = one(study["sensitivity"], kind="leave one out", factor="Q", panel="id")
    keep = table.blocks["block"] != row["lowest_without"]
    rest = RunTable(
        tuple(np.array(table.runs)[keep]),
        {name: values[keep] for name, values in table.factors.items()},
        {"id": table.outcomes["id"][keep]},
        {"block": table.blocks["block"][keep]},
    )
    again = one(analyse(rest, PLAN)["effects"], factor="Q", panel="id")
    assert row["lowest"] == pytest.approx(again["estimate"])
    assert row["lowest"] < row["estimate"] < row["highest"]


def test_a_covariate_that_carries_the_effect_takes_it(table_of):
    table = table_of()
    length = table.outcomes["id"] + 0.001 * stream("test", "length").normal(size=45)
    study = analyse(replace(table, covariates={"length": length}), replace(PLAN, covariates=("length",)))
    row = one(study["sensitivity"], kind="covariate", factor="Q", panel="id")
    assert row["estimate"] > 0.2
    assert abs(row["with_covariate"]) < 0.02


def test_a_covariate_that_is_the_factor_refuses_it(table_of):
    table = table_of()
    length = 20 + 3 * table.factors["C"]
    study = analyse(replace(table, covariates={"length": length}), replace(PLAN, covariates=("length",)))
    rows = {row["factor"]: row for row in study["sensitivity"] if row["kind"] == "covariate" and row["panel"] == "id"}
    assert "C hardly varies" in rows["C"]["undefined"]
    assert rows["Q"]["with_covariate"] == pytest.approx(rows["Q"]["estimate"])


def test_one_draw_of_the_data_is_said(table_of):
    table = table_of()
    seeds = {"seed": table.blocks["block"], "data_seed": np.full(45, "0")}
    study = analyse(replace(table, blocks=seeds), PLAN)
    assert study["inference"]["block"] == "seed"
    assert "one_draw" in codes(study)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (np.zeros(45), "at floor"),
        (np.r_[0.4, np.full(44, 0.01)], "44 of 45 runs score under 0.02: the panel is at floor"),
        (np.ones(45), "at ceiling"),
        (np.full(45, 0.5), "nothing moved it"),
        (np.full(45, np.nan), "no run has a score"),
    ],
)
def test_a_panel_that_says_nothing_is_undefined(table_of, scores, reason):
    table = table_of()
    table = replace(table, outcomes={**table.outcomes, "deeper": scores}, items={})
    study = analyse(table, PLAN)
    for row in (*study["effects"], *study["contrasts"]):
        if row.get("panel") == "deeper" or "deeper" in row.get("panels", ()):
            assert row["estimate"] is None
            assert row["p"] is None
            assert reason in row["undefined"]
            assert row["verdict"] == "cannot tell"
    assert reason in one(study["panels"], name="deeper")["undefined"]
    assert "undefined_panel" in codes(study)
    assert any(line["kind"] == "cannot" and "deeper" in line["text"] for line in study["conclusions"])
    json.dumps(study, allow_nan=False)


def test_a_panel_with_one_item_is_undefined(table_of):
    table = table_of()
    single = {**table.items, "deeper": table.items["deeper"][:, :1]}
    study = analyse(replace(table, items=single), PLAN)
    assert "one item" in one(study["panels"], name="deeper")["undefined"]


def test_most_runs_at_floor_never_shows_that_an_effect_is_small(table_of):
    table = table_of()
    low = np.where(np.arange(45) % 9 < 5, 0.005, 0.03) + 0.001 * stream("test", "floor").random(45)
    study = analyse(replace(table, outcomes={"id": table.outcomes["id"], "low": low}, items={}), PLAN)
    assert "near_floor" in codes(study)
    rows = [row for row in study["effects"] if row["panel"] == "low"]
    assert all(row["verdict"] != "no effect worth the margin" for row in rows)
    assert any(row["estimate"] is not None for row in rows)


def test_runs_without_a_score_are_left_out_and_counted(table_of):
    table = table_of()
    scores = table.outcomes["id"].copy()
    scores[[3, 17, 30]] = np.nan
    study = analyse(replace(table, outcomes={**table.outcomes, "id": scores}), PLAN)
    assert one(study["panels"], name="id")["missing"] == 3
    assert one(study["effects"], factor="Q", panel="id")["n_runs"] == 42
    assert one(study["effects"], factor="Q", panel="deeper")["n_runs"] == 45
    assert "missing_scores" in codes(study)


def test_factors_that_move_together_are_refused_and_the_third_is_not(table_of):
    table = table_of()
    factors = {**table.factors, "D": table.factors["Q"]}
    study = analyse(replace(table, factors=factors), PLAN)
    for name in "QD":
        row = one(study["effects"], factor=name, panel="id")
        assert row["estimate"] is None
        assert "not separable: Q and D move together" in row["undefined"]
    assert one(study["effects"], factor="C", panel="id")["estimate"] is not None
    assert "not_separable" in codes(study)
    assert any("What Q does: not separable" in line["text"] for line in study["conclusions"])


@pytest.mark.parametrize(("noise", "refused"), [(0.02, True), (0.3, False)])
def test_nearly_collinear_measured_factors(noise, refused):
    rng = stream("test", "near", int(noise * 100))
    q = rng.normal(size=200)
    table = RunTable(
        tuple(map(str, range(200))), {"Q": q, "D": q + noise * rng.normal(size=200)}, {"id": rng.random(200)}
    )
    row = one(analyse(table, Analysis())["effects"], factor="D", panel="id")
    assert (row["undefined"] is not None) == refused


def test_a_constant_factor_is_refused(table_of):
    table = table_of()
    study = analyse(replace(table, factors={**table.factors, "C": np.ones(45)}), PLAN)
    assert "has one value in all runs" in one(study["effects"], factor="C", panel="id")["undefined"]
    assert one(study["effects"], factor="Q", panel="id")["estimate"] is not None
    assert "constant_factor" in codes(study)


def test_half_a_factorial_names_what_goes_with_what(table_of):
    table = table_of()
    keep = np.flatnonzero(np.prod([table.factors[name] for name in "QDC"], axis=0) > 0)
    half = RunTable(
        tuple(table.runs[i] for i in keep),
        {name: values[keep] for name, values in table.factors.items()},
        {"id": table.outcomes["id"][keep]},
        {"block": table.blocks["block"][keep]},
    )
    study = analyse(half, PLAN)
    assert one(study["effects"], factor="Q", panel="id")["estimate"] is not None
    assert "Q:D goes with C" in one(study["effects"], factor="Q:D", panel="id")["undefined"]
    assert "aliased" in codes(study)


def test_a_factor_between_blocks_makes_the_block_random():
    rng = stream("test", "between")
    models = np.repeat(np.arange(12), 5)
    size = np.repeat(rng.normal(size=12), 5)
    q = rng.normal(size=60)
    y = 0.3 * q + 0.5 * size + 0.2 * rng.normal(size=12)[models] + 0.05 * rng.normal(size=60)
    table = RunTable(tuple(map(str, range(60))), {"Q": q, "S": size}, {"id": y}, {"model": models.astype(str)})
    study = analyse(table, Analysis())
    assert study["inference"]["random"]
    between, within = (one(study["effects"], factor=name, panel="id") for name in "SQ")
    assert between["df"] < 12
    assert between["se"] > 5 * within["se"]
    assert one(analyse(table, Analysis(random=False))["effects"], factor="S", panel="id")["undefined"]


def test_few_blocks_count_runs_and_say_so(table_of):
    study = analyse(table_of(blocks=2), PLAN)
    assert study["inference"]["counted"] == "run"
    assert "few_blocks" in codes(study)
    row = one(study["effects"], factor="Q", panel="id")
    assert 1 < row["df"] <= 9


def test_one_run_an_arm_leaves_out_what_it_cannot_tell(table_of):
    study = analyse(table_of(blocks=1), PLAN)
    assert one(study["effects"], factor="Q", panel="id")["estimate"] is not None
    assert "too few runs" in one(study["effects"], factor="Q:D:C", panel="id")["undefined"]


def test_the_same_in_every_block_has_no_error(table_of):
    table = table_of()
    same = np.tile(table.outcomes["id"][:9], 5)
    row = one(analyse(replace(table, outcomes={"id": same}, items={}), PLAN)["effects"], factor="Q", panel="id")
    assert row["estimate"] is None
    assert "no spread" in row["undefined"]


def test_margins(table_of):
    table = table_of()
    score = analyse(table, replace(PLAN, margin=0.9))
    assert {row["verdict"] for row in score["effects"] if row["panel"] == "id"} == {"no effect worth the margin"}
    sd = one(analyse(table, replace(PLAN, margin=0.5, margin_unit="sd"))["effects"], factor="Q", panel="id")
    inside = table.outcomes["id"].reshape(5, 9)
    spread = np.sqrt(((inside - inside.mean(1, keepdims=True)) ** 2).sum() / 40)
    assert sd["margin"] == pytest.approx(0.5 * spread)
    loss = {"id": 2 + table.outcomes["id"]}
    row = one(analyse(replace(table, outcomes=loss, items={}), PLAN)["effects"], factor="Q", panel="id")
    assert row["margin"] == pytest.approx(0.2 * spread)


def test_bad_input(table_of):
    table = table_of()
    with pytest.raises(SpecError, match='no factor "X"'):
        analyse(table, Analysis(factors=("X",)))
    with pytest.raises(SpecError, match="level is out of range"):
        analyse(table, Analysis(level=1.0))
    with pytest.raises(SchemaError, match="one name twice"):
        analyse(replace(table, runs=("a", *table.runs[1:-1], "a")), PLAN)
    with pytest.raises(SchemaError, match="Q has no value for some runs"):
        analyse(replace(table, factors={**table.factors, "Q": np.full(45, np.nan)}), PLAN)
    with pytest.raises(UsageError, match="no finished run"):
        analyse(RunTable((), {"Q": np.empty(0)}, {"id": np.empty(0)}), PLAN)
    with pytest.raises(UsageError, match="no factor"):
        analyse(RunTable(("a",), {}, {"id": np.zeros(1)}), Analysis())


def test_which_panels_are_in_distribution():
    plan = Analysis()
    assert [plan.is_id(name) for name in ("id", "ID", "id-easy", "id_2", "id2")] == [True] * 5
    assert not any(plan.is_id(name) for name in ("ideal", "ood", "compositions"))
    assert Analysis(panels_id=("gsm8k",)).is_id("gsm8k")
    assert not Analysis(panels_id=("gsm8k",)).is_id("id")


def test_a_thousand_runs_of_forty_models_take_seconds():
    import time

    rng = stream("test", "big")
    models = rng.integers(0, 40, 1000)
    factors = {name: rng.normal(size=1000) for name in "QDC"}
    level = rng.normal(size=(40, 10))[models] + 0.3 * factors["Q"][:, None] + rng.normal(size=(1000, 10))
    outcomes = {("id" if k == 0 else f"ood{k}"): level[:, k] for k in range(10)}
    table = RunTable(
        tuple(map(str, range(1000))),
        factors,
        outcomes,
        {"model": models.astype(str)},
        {"tokens": rng.random(1000) + 0.1},
    )
    start = time.process_time()
    study = analyse(table, Analysis(covariates=("tokens",)))
    assert time.process_time() - start < 30
    assert study["inference"]["block"] == "model"
    assert one(study["effects"], factor="Q", panel="ood3")["verdict"] == "raises"
    assert one(study["effects"], factor="C:log tokens", panel="id")["estimate"] is not None
    assert one(study["effects"], factor="C²", panel="id")["estimate"] is not None
    assert one(study["sensitivity"], kind="leave one out", factor="Q", panel="id")["lowest_without"] in models.astype(
        str
    )
