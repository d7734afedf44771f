"""Loops by name: what the preset asks for, and that nothing of it is out of reach."""

from __future__ import annotations

import pytest

from triptych.core.errors import SpecError
from triptych.looping.conduct import plan_text
from triptych.looping.presets import PRESETS, TITLES, preset
from triptych.looping.registry import parse_policy
from triptych.looping.setting import Setting


def test_collapse_compares_three_policies_at_equal_budget_and_steps():
    config = preset("collapse")
    assert config.policies == ("quality_only", "correct", "keep")
    assert config.start.world == "programs"
    assert config.evaluation.panels == ("id", "compositions")
    assert "steps=" in config.model.trainer  # so that arms of other sizes train as long
    for text in config.policies:
        parse_policy(text)


def test_collapse_can_be_set_up_with_every_panel_out_of_distribution_closed():
    pytest.importorskip("torch")
    config = preset("collapse")
    setting = Setting.of(config)
    assert setting.closed.panels == ("compositions",)
    assert len(setting.anchor) == 2000
    assert "168,000 in all" in plan_text(config, setting)


def test_every_preset_has_a_title():
    assert set(PRESETS) == set(TITLES)


def test_a_near_miss_is_hinted_at():
    with pytest.raises(SpecError, match="try:  collapse"):
        preset("colapse")
