"""What a loop works with: real data judged, panels closed, a vocabulary that holds what the loop may find."""

from __future__ import annotations

import json

import pytest

from triptych.core.errors import InputError
from triptych.looping.config import LoopConfig
from triptych.looping.records import ANCHOR, Judged, Written
from triptych.looping.setting import Setting
from triptych.worlds.registry import load_world

pytest.importorskip("torch")


@pytest.fixture
def setting(loops):
    return lambda **more: Setting.of(LoopConfig.of(loops.table(**more)))


def test_the_real_data_of_a_world_is_judged(setting):
    made = setting(start={"world": "programs", "skills": 2, "records": 100, "items": 5, "quality": 0.8})
    assert len(made.anchor) == 100
    assert {record.source for record in made.anchor} == {ANCHOR}
    assert sum(record.passed for record in made.anchor) == 80
    assert sum(bool(record.right) for record in made.anchor) == 80
    assert {record.complexity for record in made.anchor} == {1.0, 2.0, 3.0}
    assert len({record.structure for record in made.anchor}) == 6
    assert all(record.round == -1 for record in made.anchor)


def test_closed_panels_keep_their_structures_and_all_panels_their_prompts(setting):
    made = setting(evaluation={"panels": ["id", "compositions", "longer"]})
    assert made.closed.panels == ("compositions", "longer")
    world = load_world("programs")
    held_out = {skill.name for depth in world.depths for skill in world.held_out(depth)}
    assert made.closed.structures <= held_out  # harder inputs to known tasks close no structure
    assert made.closed.structures == made.held["compositions"].structures

    def record(prompt, structure):
        return Judged(Written(prompt, ""), 0, 0, valid=True, structure=structure)

    item = made.panels[0].examples[0]
    assert made.closed.holds(record(f" {item.prompt} ", "new"))
    assert made.closed.holds(record("new", next(iter(made.closed.structures))))
    assert not made.closed.holds(record("new", item.row["skeleton"]))
    overlap = made.held["id"].overlap([record(item.prompt, item.row["skeleton"]), record("new", item.row["skeleton"])])
    assert overlap == {"prompts": 1, "structures": 2}


def test_open_panels_close_prompts_alone(setting):
    made = setting(policy={"name": "correct", "closed": []})
    assert not made.closed.structures
    assert len(made.closed.prompts) >= 20


def test_the_vocabulary_holds_every_operation(setting):
    made = setting()
    words = set(made.trainer.vocabulary.words)
    assert {"reverse", "rotate", "swap", "sort", "increment", "double", "triple", "complement"} <= words
    assert made.first.vocabulary == made.trainer.vocabulary


def test_a_record_teaches_its_prompt_and_its_answer(setting):
    made = setting(model={"trainer": "tiny:steps=10", "write": "write :"})
    first = made.anchor[0].written
    one, other = made.examples(made.anchor[:1])
    assert (one.prompt, one.response) == ("write :", first.prompt)
    assert (other.prompt, other.response) == (first.prompt, first.response)


def test_no_world_is_needed(tmp_path, monkeypatch, loops):
    monkeypatch.chdir(tmp_path)
    made = Setting.of(LoopConfig.of(loops.sums(tmp_path), tmp_path))
    assert [panel.name for panel in made.panels] == ["id", "ood"]
    assert made.verifier.grader.text == "verifier:sums_check:check"
    assert all(record.passed for record in made.anchor)
    assert made.dropped > 0  # sums of the start are items of the panel id
    assert all(not made.closed.holds(record) for record in made.anchor)


def test_given_prompts_are_answered_and_not_learnt(tmp_path, monkeypatch, loops):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps({"prompt": f"{i}+1="}) + "\n" for i in range(5)))
    config = loops.sums(tmp_path) | {"generator": {"samples": 20, "prompts": "prompts.jsonl", "each": 4}}
    made = Setting.of(LoopConfig.of(config, tmp_path))
    assert [item.prompt for item in made.prompts] == [f"{i}+1=" for i in range(5)]
    assert len(made.examples(made.anchor[:3])) == 3


def test_the_identity_follows_config_and_inputs(tmp_path, monkeypatch, loops):
    monkeypatch.chdir(tmp_path)
    config = LoopConfig.of(loops.sums(tmp_path), tmp_path)
    before = Setting.of(config).identity
    assert before == Setting.of(config).identity
    lines = (tmp_path / "seed.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "seed.jsonl").write_text("".join(lines[:-1]))
    after = Setting.of(config).identity
    assert after["config"] == before["config"]
    assert after["inputs"]["start"] != before["inputs"]["start"]
    json.dumps(after, allow_nan=False)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"start": {"world": "program"}}, "try:  programs"),
        ({"model": {"trainer": "tinny"}}, "try:  tiny"),
        ({"model": {"trainer": "probe"}}, "gives no model"),
        ({"verifier": {"scorer": "loglik"}}, "grades no responses"),
        ({"evaluation": {"panels": ["idd"]}}, "try:  id"),
        ({"policy": {"name": "correct", "closed": ["compositon"]}}, "try:  compositions"),
        ({"generator": {"prompts": "nowhere.jsonl"}}, "nowhere.jsonl"),
    ],
)
def test_what_is_not_there_is_one_clear_message(more, says, setting):
    with pytest.raises(InputError) as caught:
        setting(**more)
    assert says in str(caught.value)


def test_a_verifier_beside_the_config_is_found_from_anywhere(loops, tmp_path, monkeypatch):
    (tmp_path / "away").mkdir()
    given = loops.sums(tmp_path) | {"verifier": {"scorer": "verifier:sums_beside:check"}}
    (tmp_path / "sums_check.py").rename(tmp_path / "sums_beside.py")
    monkeypatch.chdir(tmp_path / "away")
    made = Setting.of(LoopConfig.of(given, tmp_path))
    said = [Written("1+2=", "3"), Written("1+2=", "4")]
    assert [record.verified for record in made.verifier.judge(said, 0).judged] == [1.0, 0.0]
    (tmp_path / "sums_broken.py").write_text("def check(row, response:\n")
    given["verifier"] = {"scorer": "verifier:sums_broken:check"}
    with pytest.raises(InputError, match=r"sums_broken cannot be imported: SyntaxError"):
        Setting.of(LoopConfig.of(given, tmp_path))
