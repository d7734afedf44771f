"""loop.toml: what it means, and one clear message for what it must not say."""

from __future__ import annotations

import json
import tomllib

import pytest

from triptych.core.errors import InputError, ReadError
from triptych.looping.config import LoopConfig
from triptych.looping.dials import Dials

FULL = """
seed = 3
rounds = 4
at = 200
guard = "stop"

[start]
world = "programs"
skills = 8
records = 500
block = "b"
trainer = "tiny:steps=50"

[model]
trainer = "tiny:steps=40"

[generator]
samples = 300

[verifier]
leak = 0.1

[policy]
name = "archive"
push = 2
explore = 1.4
budget = 250
closed = ["compositions"]

[dials]
explore = [1.0, 1.5]
temperature = 0.8

[evaluation]
k = [4, 1]
k_items = 10
panels = ["id", "compositions"]
"""

WORLD = {"start": {"world": "programs"}}


def test_a_file_says_everything(tmp_path):
    (tmp_path / "loop.toml").write_text(FULL)
    config = LoopConfig.read(tmp_path / "loop.toml")
    assert (config.seed, config.rounds, config.at, config.guard) == (3, 4, 200, "stop")
    assert config.start.world == "programs"
    assert (config.start.skills, config.start.records, config.start.block) == (8, 500, "b")
    assert config.policies == ("archive:push=2,explore=1.4",)
    assert (config.budget, config.closed) == (250, ("compositions",))
    assert config.dials == Dials(temperature=0.8, explore=((1.0, 0.5), (1.5, 0.5)))
    assert (config.evaluation.k, config.evaluation.panels) == ((1, 4), ("id", "compositions"))
    assert config.file("x.jsonl") == str(tmp_path / "x.jsonl")


def test_the_document_is_strict_json_and_the_hash_follows_it(tmp_path):
    (tmp_path / "loop.toml").write_text(FULL)
    config = LoopConfig.read(tmp_path / "loop.toml")
    text = json.dumps(config.to_json(), allow_nan=False)
    assert json.loads(text) == config.to_json()
    elsewhere = LoopConfig.of(json.loads(json.dumps(_table(FULL))), tmp_path / "other")
    assert elsewhere.hash == config.hash  # where it lies is no part of it
    for changed in (FULL.replace("seed = 3", "seed = 4"), FULL.replace("push = 2", "push = 1")):
        assert LoopConfig.of(_table(changed)).hash != config.hash


def _table(text):
    return tomllib.loads(text)


def test_defaults_need_no_more_than_a_start():
    config = LoopConfig.of(WORLD)
    assert config.policies == ("keep",)
    assert config.closed is None
    assert config.generator.kind == "self"
    assert config.verifier.scorer == "verifier"


def test_several_policies_are_several_arms():
    config = LoopConfig.of({**WORLD, "policies": ["correct", "archive:push=2"], "policy": {"budget": 10}})
    assert config.policies == ("correct", "archive:push=2")
    assert config.of_policy("correct").policies == ("correct",)
    assert config.of_policy("correct").budget == 10


@pytest.mark.parametrize(
    ("given", "shares"),
    [
        (1.6, ((1.6, 1.0),)),
        ([1.0, 2.0], ((1.0, 0.5), (2.0, 0.5))),
        ([[1.0, 0.25], [1.6, 0.75]], ((1.0, 0.25), (1.6, 0.75))),
    ],
)
def test_explore_has_three_forms(given, shares):
    assert LoopConfig.of({**WORLD, "dials": {"explore": given}}).dials.explore == shares


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"sede": 1}, ('no key "sede"', "try:  seed")),
        ({"start": {"wrld": "programs"}}, ('[start] has no key "wrld"', "try:  world")),
        ({**WORLD, "generator": {"sample": 5}}, ("[generator]", "try:  samples")),
        ({**WORLD, "generator": {"kind": "selv"}}, ('no generator is named "selv"', "self")),
        ({**WORLD, "generator": {"kind": "endpoint"}}, ('"endpoint" needs',)),
        ({**WORLD, "policy": {"nam": "keep"}}, ("[policy]", "try:  name")),
        ({**WORLD, "dials": {"temprature": 1}}, ("[dials]", "try:  temperature")),
        ({**WORLD, "dials": {"explore": [[1.0, 0.5]]}}, ("shares of explore", "0.5")),
        ({**WORLD, "dials": {"anchor": 1.5}}, ("[dials] anchor is out of range", "0 to 1")),
        ({**WORLD, "dials": {"start": "scratch"}}, ("start", "base, continue")),
        ({**WORLD, "evaluation": {"k": [0]}}, ("k = 0",)),
        ({**WORLD, "rounds": 0}, ("rounds is out of range",)),
        ({**WORLD, "rounds": "six"}, ("rounds", "a whole number")),
        ({**WORLD, "guard": "advice"}, ("guard", 'Did you mean "advise"?')),
        ({**WORLD, "verifier": {"leak": 2}}, ("leak is out of range",)),
        ({**WORLD, "start": "programs"}, ("[start] is not right", "a table")),
        ({**WORLD, "policies": ["keep"], "policy": {"name": "keep"}}, ("exclude each other",)),
        ({**WORLD, "policies": []}, ("policies must be different ones",)),
        ({}, ("data or a world",)),
        ({"start": {"data": "x", "world": "y"}}, ("data or a world",)),
        ({"start": {"data": "x"}}, ("no panel to score", "[evaluation.panels]")),
    ],
)
def test_what_is_wrong_is_one_clear_message(table, says):
    with pytest.raises(InputError) as caught:
        LoopConfig.of(table)
    for part in says:
        assert part in str(caught.value)


def test_a_file_that_is_not_there_or_no_toml(tmp_path):
    with pytest.raises(ReadError, match="no loop can be read"):
        LoopConfig.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("seed = = 1")
    with pytest.raises(ReadError, match=r"bad\.toml"):
        LoopConfig.read(tmp_path / "bad.toml")
