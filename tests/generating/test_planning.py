"""What a plan says before anything is sent, and what a page says afterwards."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from triptych.core.errors import SchemaError
from triptych.engines.progress import Progress
from triptych.generating.axes import axes
from triptych.generating.filters.length import Length
from triptych.generating.filters.near_duplicate import NearDuplicate
from triptych.generating.planning import forecast, plan_text
from triptych.generating.recipe import Budget, GradeConfig
from triptych.generating.run import run_recipe
from triptych.generating.samples import samples
from triptych.generating.tally import Tally
from triptych.report.generation import render_generation

sys.path.insert(0, str(Path(__file__).parent))
from canned import Canned, recipe, sentence


def test_a_plan_sends_nothing_and_counts_what_would_be_sent(tmp_path):
    log = tmp_path / "log"
    made = recipe(Canned(log=str(log), priced=True), budget=Budget(records=50))
    found = forecast(made)
    assert not log.exists()
    assert found.requests == {"prompt": 1.0, "response": 1.0}
    assert found.plan.requests == 100
    assert found.plan.tokens == 100 * made.writer.most_tokens
    assert found.plan.money == pytest.approx((found.plan.prompt_tokens + 2 * found.plan.tokens) / 1e6, rel=1e-4)
    text = plan_text(made)
    for words in ("budget: 50 records", "1 prompt, 1 response", "about 100 requests", "time not known", "of money"):
        assert words in text, text
    assert "no price is told" in plan_text(recipe())


def test_a_plan_says_how_far_tokens_reach():
    made = recipe(budget=Budget(tokens=20_000))
    found = forecast(made)
    spent = found.plan.prompt_tokens + found.plan.tokens
    assert 0 < found.records < 30
    assert spent <= 20_000


def test_a_judge_is_in_the_plan():
    made = recipe(grade=GradeConfig(judge=Canned(model="judge")), budget=Budget(records=10))
    from triptych.generating.filters.quality import Quality

    found = forecast(replace(made, filters=(Quality(),)))
    assert found.requests["judge"] == 1.0
    assert found.plan.requests == 30


def test_axes_stand_at_one_number_of_records(tmp_path, monkeypatch):
    def rule(ask):
        if ask.purpose == "prompt":
            return {0: "Yes.", 1: "Name one."}.get(ask.nonce % 3) or sentence(ask.key, 12)
        asked = ask.messages[-1].content
        return sentence(ask.key, 12) if len(asked) > 9 else f"That is all about {asked}"

    monkeypatch.setattr(Canned, "say", staticmethod(rule))
    made = recipe(filters=(NearDuplicate(), Length(prompt_least=2)), budget=Budget(records=40))
    document = run_recipe(made, tmp_path)
    stages = document["axes"]["stages"]
    assert document["axes"]["n"] == 40
    assert [stage["stage"] for stage in stages] == ["made", "near_duplicate", "length"]
    assert [stage["records"] for stage in stages] == sorted((s["records"] for s in stages), reverse=True)
    assert all(stage[axis]["n"] <= 40 for stage in stages for axis in ("quality", "diversity", "complexity"))
    before, after = (stages[place]["diversity"]["value"] for place in (0, 1))
    assert after > before, "dropping what is there already leaves more kinds among as many records"
    page = render_generation(document, samples(tmp_path))
    for words in ("after near_duplicate", "acceptance", "near-duplicate of a kept record", "40 records by pairs"):
        assert words in page
    assert page == render_generation(json.loads((tmp_path / "recipe.json").read_text()), samples(tmp_path))


def test_quality_is_the_grade_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Canned, "say", staticmethod(lambda ask: sentence(ask.key)))
    made = recipe(grade=GradeConfig(world="programs"), budget=Budget(records=24))
    document = run_recipe(made, tmp_path)
    assert document["axes"]["stages"][0]["quality"]["measure"] == "valid_share"  # no prompt is a task of the world
    assert axes(Tally.of(()), None, 0, Progress()) == {"n": 0, "reason": "fewer than 20 records were kept"}


def test_texts_of_models_are_inert_on_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(Canned, "say", staticmethod(lambda ask: f"<script>{ask.nonce}\u202e</script> of it"))
    document = run_recipe(recipe(budget=Budget(records=4)), tmp_path)
    page = render_generation(document, samples(tmp_path))
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    with pytest.raises(SchemaError, match="not the document of a generation"):
        render_generation({"schema": "x"}, {})
