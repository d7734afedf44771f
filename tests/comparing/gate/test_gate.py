"""The gate: what it finds, what it lets pass, and that nothing but the data moves it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from triptych import api
from triptych.comparing.gate import judging
from triptych.comparing.matching import Matching

RIGHT = "label_mean:field=correct"


def no_worse(measure=RIGHT, **more):
    return {"measure": measure, "no_worse_than_baseline": True, **more}


def test_a_floor_and_a_ceiling_fail_only_where_the_interval_says_so(gate, make, one):
    data = make(400, "floor")
    (profile,) = api.measure(data, measures=RIGHT, workers=1)
    known = profile[RIGHT]
    lo, hi = known.interval.lo, known.interval.hi
    cases = [(lo - 0.001, "pass"), ((lo + hi) / 2, "unsure"), (hi + 0.001, "fail")]
    for floor, outcome in cases:
        found = gate(data, rules=[{"measure": RIGHT, "floor": floor}])
        limit = one(found)
        assert limit["outcome"] == outcome
        assert (limit["value"], limit["lo"], limit["hi"]) == (
            pytest.approx(known.value),
            pytest.approx(lo),
            pytest.approx(hi),
        )
        assert found["passed"] == (outcome != "fail")
        ceiling = one(gate(data, rules=[{"measure": RIGHT, "ceiling": floor}]))
        assert ceiling["outcome"] == {"pass": "fail", "fail": "pass", "unsure": "unsure"}[outcome]
    strict = gate(data, rules=[{"measure": RIGHT, "floor": cases[1][0], "strict": True}])
    assert not strict["passed"]
    assert one(strict)["outcome"] == "unsure"
    assert found["verdict"] == "cannot tell"
    assert [warning["code"] for warning in found["warnings"]] == ["no_comparison"]


def test_planted_regressions_are_found_by_the_default_rules(gate, make, write):
    base = write("base.jsonl", make(400, "base"))
    good = make(400, "next", prompts="base")
    assert gate(write("good.jsonl", good), base)["passed"]
    wrong = [{**row, "correct": row["correct"] and number % 3 > 0} for number, row in enumerate(good)]
    cut = [
        row if number % 5 else {**row, "response": row["response"][:-1] + " and of"} for number, row in enumerate(good)
    ]
    repeated = [{**row, "response": good[number % 120]["response"]} for number, row in enumerate(good)]
    constant = [{**row, "response": "Yes, of course.", "correct": True} for row in good]
    for rows, measure in (
        (wrong, RIGHT),
        (cut, "valid_share"),
        (repeated, "near_duplicate_rate:on=response"),
        (constant, "vendi:q=2,valid_only=true"),
    ):
        found = gate(rows, base)
        assert found["verdict"] == "regressed"
        assert not found["passed"]
        assert measure in [limit["measure"] for limit in found["rules"] if limit["outcome"] == "fail"]
        assert measure in " ".join(found["worse"])


def test_a_planted_improvement(gate, make, one):
    base, data = make(500, "base", rate=0.5), make(500, "data", rate=0.8, prompts="base")
    found = gate(data, base, [no_worse(at_least_better=0.1)])
    assert (found["verdict"], found["passed"]) == ("improved", True)
    better = one(found, "at_least_better")
    assert better["outcome"] == "pass"
    assert better["diff_lo"] >= better["limit"] == 0.1
    assert one(found, "no_worse_than_baseline")["diff"] == pytest.approx(better["value"] - better["baseline"])
    back = gate(base, data, [{"measure": RIGHT, "at_least_better": 0.1}])
    assert (back["verdict"], back["passed"]) == ("regressed", False)
    assert gate(data, base, [{"measure": RIGHT, "at_least_better": 0.5}])["passed"] is False


def test_better_may_be_lower(gate, make):
    base = make(300, "base")
    twice = [{**row, "response": row["response"] + " " + row["response"]} for row in make(300, "data", prompts="base")]
    assert not gate(twice, base, [no_worse("tokens", better="lower")])["passed"]
    assert gate(twice, base, [no_worse("tokens", better="higher")])["verdict"] == "improved"
    assert not gate(twice, base, [no_worse("self_repetition")])["passed"]


def test_the_same_set_is_the_same(gate, make, write, tmp_path):
    rows = make(120, "same")
    texts = [{"text": row["response"], "correct": row["correct"]} for row in rows]
    for name, data in (("rows", rows), ("texts", texts)):
        file = write(f"{name}.jsonl", data)
        api.measure(str(file), out=tmp_path / name, workers=1, measures=("valid_share", "vendi:q=2", RIGHT))
        for baseline in (file, tmp_path / name, tmp_path / name / "profile.json"):
            found = gate(file, baseline)
            assert (found["verdict"], found["passed"]) == ("same", True)
            assert all(limit["diff"] == limit["diff_lo"] == limit["diff_hi"] == 0 for limit in found["rules"])
            assert "same" in [warning["code"] for warning in found["warnings"]]


def test_the_same_set_is_the_same_in_every_group(gate, make):
    rows = make(90, "same")
    found = gate(rows, rows, [no_worse(by="task"), no_worse("distinct_n", match="length")])
    assert (found["verdict"], len(found["rules"])) == ("same", 4)


def test_no_verdict_depends_on_the_seed_even_at_the_edge(gate, make, monkeypatch, one):
    base, data = make(330, "base", rate=0.8), make(200, "data", rate=0.75)
    first = one(gate(data, base, [no_worse()]))
    edge = [{"measure": RIGHT, "at_least_better": first["diff_hi"] + 1.0}]
    shifted = [{**row, "correct": row["correct"] + 1.0} for row in data]  # so that the edge is a positive number
    seen = [gate(shifted, base, edge, seed=seed) for seed in (0, 1, 2, 99)]
    for found in seen[1:]:
        for document in (found, seen[0]):
            document["provenance"] = None
        assert found == seen[0]
    other = []
    for seed in range(4):
        monkeypatch.setattr(judging, "Matching", lambda seed=seed, **given: Matching(**{**given, "seed": seed}))
        other.append(one(gate(shifted, base, edge))["diff_hi"])
    assert len(set(other)) == 4, "the draws do not depend on their number, so this test could not fail"


def test_groups_must_pass_each_and_pay_for_being_many(gate, make, one):
    base = make(600, "base", rate=0.9)
    data = [row | {"correct": row["correct"] and row["task"] != "sort"} for row in make(600, "data", rate=0.9)]
    found = gate(data, base, [no_worse(by="task", floor=0.5, minimum_n=150)])
    assert not found["passed"]
    assert {limit["group"] for limit in found["rules"] if limit["outcome"] == "fail"} == {"sort"}
    assert len(found["rules"]) == 9
    assert one(found, "minimum_n", "count")["value"] == 200
    assert "3 values" in found["warnings"][0]["text"]
    alone = one(gate([row for row in data if row["task"] == "name"], rules=[{"measure": RIGHT, "floor": 0.5}]))
    grouped = one(found, "floor", "name")
    assert grouped["value"] == pytest.approx(alone["value"])
    assert grouped["hi"] - grouped["lo"] > alone["hi"] - alone["lo"]


def test_a_group_that_is_gone_fails_and_a_new_one_is_unsure(gate, make, one):
    base = make(300, "base")
    data = [row | {"task": {"sort": "spell"}.get(row["task"], row["task"])} for row in make(300, "data")]
    found = gate(data, base, [no_worse(by="task", floor=0.2)])
    assert one(found, "no_worse_than_baseline", "sort")["outcome"] == "fail"
    assert one(found, "no_worse_than_baseline", "spell")["outcome"] == "unsure"
    assert one(found, "floor", "spell")["outcome"] == "pass"
    rare = [*base[:-1], base[-1] | {"task": "rare"}]
    assert one(gate(make(300, "data"), rare, [no_worse(by="task")]), group="rare")["outcome"] == "unsure"


def test_a_length_inflated_copy_does_not_win(gate, rows_of, one):
    base = rows_of(500, "base")
    padded = [{**row, "response": f"{row['response']} {row['response']}"} for row in base]
    measures = ("vendi:q=2", "distinct_n", "reasoning_steps", "lexical_diversity", "label_mean:field=score")
    rules = [no_worse(name, better="higher", match="length") for name in measures]
    found = gate(padded, base, rules)
    assert found["verdict"] != "improved"
    assert not found["better"]
    assert [view["match"] for view in found["views"]] == ["length", "records"]
    assert one(found, group=None, measure="vendi:q=2")["diff_lo"] > 0, "short texts against long ones look better"
    (asked,) = gate(padded, base, [{"measure": "vendi:q=2", "at_least_better": 0.2, "match": "length"}])["rules"]
    assert asked["outcome"] == "fail"
    assert "at equal records whatever the length" in asked["text"]
    raw = gate(padded, base, [no_worse("tokens", better="higher")])
    assert raw["verdict"] == "improved", "without an adjustment the padding counts, so this test can fail"
    at_length = gate(padded, base, [no_worse("tokens", better="higher", match="length")])
    assert at_length["verdict"] != "improved"


def test_a_mix_is_matched_by_a_field(gate, make, one):
    base = make(600, "base")
    base = [row | {"correct": row["task"] != "sort"} for row in base]
    data = [row | {"correct": row["task"] != "sort"} for row in make(600, "data")]
    data = [row for number, row in enumerate(data) if row["task"] != "count" or number % 2]
    assert one(gate(data, base, [no_worse()]))["diff_hi"] < 0
    matched = one(gate(data, base, [no_worse(match="mix:task")]))
    assert matched["diff"] == pytest.approx(0)


def test_shared_prompts_are_paired(gate, make, one):
    base, data = make(300, "base"), make(300, "data", prompts="base")
    for row, other in zip(base, data, strict=True):
        other["correct"] = row["correct"] if len(row["response"]) % 9 else not row["correct"]
    paired = gate(data, base, [no_worse()])
    assert paired["views"][0]["paired"]
    apart = gate([{**row, "prompt": row["prompt"] + " Now."} for row in data], base, [no_worse()])
    assert not apart["views"][0]["paired"]
    assert one(paired)["diff_hi"] - one(paired)["diff_lo"] < one(apart)["diff_hi"] - one(apart)["diff_lo"]


def test_too_few_records_and_no_value(gate, make, one):
    few = gate(make(5, "few"), rules=[{"measure": RIGHT, "floor": 0.1}])
    assert one(few)["outcome"] == "unsure"
    assert one(few)["lo"] is None
    rows = make(40, "none")
    rows = [{**row, "correct": None} if number else {**row, "response": ""} for number, row in enumerate(rows)]
    none = gate(rows, rules=[{"measure": f"{RIGHT},valid_only=true", "floor": 0}])
    assert one(none)["outcome"] == "fail"
    assert one(none)["value"] is None
    assert not gate(rows, rules=[{"minimum_n": 41}])["passed"]
    assert gate(rows, rules=[{"minimum_n": 40}])["passed"]
    assert one(gate(rows, rules=[{"measure": RIGHT, "minimum_n": 2}]))["outcome"] == "fail"


def test_bytes_are_the_same_every_time(gate, make, write, tmp_path):
    data, base = write("data.jsonl", make(120, "data")), write("base.jsonl", make(150, "base"))
    documents = []
    for at in range(2):
        gate(data, base, out=tmp_path / f"out{at}", seed=at)
        documents.append(json.loads((tmp_path / f"out{at}" / "gate.json").read_text()))
        documents[-1].pop("provenance")
    assert documents[0] == documents[1]
    assert len({(tmp_path / f"out{at}" / "gate.md").read_bytes() for at in range(2)}) == 1
    assert documents[0]["schema"] == "triptych/gate@1"


def test_false_alarms_are_rare(gate, make):
    """Two draws of one population, by cheap rules: a share of 30 gates that the binomial allows for 5 in 100."""
    alarms = verdicts = 0
    rules = [no_worse(), no_worse("tokens", better="higher"), no_worse("distinct_n")]
    for trial in range(30):
        rows = make(240, "null", trial)
        found = gate(rows[:120], rows[120:], rules)
        alarms += not found["passed"]
        verdicts += found["verdict"] in ("improved", "regressed")
    assert alarms <= 1
    assert verdicts <= 5


def test_every_number_is_finite(gate, make):
    found = gate(make(60, "a"), make(80, "b"))
    for limit in found["rules"]:
        for name in ("value", "lo", "hi", "diff", "diff_lo", "diff_hi", "margin"):
            assert limit[name] is None or math.isfinite(limit[name])
    assert np.isfinite([number for view in found["views"] for number in view["records"]]).all()
