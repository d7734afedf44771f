"""The desk and the answers kept on disk."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import OutputError, SpecError
from triptych.generating.ask import Ask, BudgetSpentError, Made, Said
from triptych.generating.desk import RunDesk
from triptych.generating.keep import Answers, answers_in
from triptych.generating.recipe import Budget, GradeConfig
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials

sys.path.insert(0, str(Path(__file__).parent))
from canned import Canned, recipe, sentence


def asks(n, purpose="prompt", start=0):
    return [Ask.of("Write.", purpose, place) for place in range(start, start + n)]


def test_equal_asks_are_sent_once_and_counted_once(tmp_path):
    log = tmp_path / "log"
    desk = RunDesk(recipe(Canned(log=str(log))), (), tmp_path / "answers")
    first = desk.ask([*asks(3), *asks(3)])
    assert [said.text for said in first] == [sentence(ask.key) for ask in asks(3)] * 2
    assert [said.text for said in desk.ask(asks(3))] == [said.text for said in first[:3]]
    assert all(said.cached for said in desk.ask(asks(3)))
    assert len(log.read_text().splitlines()) == 3
    assert (desk.cost.requests, desk.cost.tokens) == (3, 30)


def test_a_failure_is_met_again_and_not_sent_again(tmp_path, monkeypatch):
    log = tmp_path / "log"
    monkeypatch.setattr(Canned, "say", staticmethod(lambda _: None))
    made = recipe(Canned(log=str(log)))
    desk = RunDesk(made, (), tmp_path / "answers")
    assert desk.ask(asks(1))[0].reason == "no such thing"
    desk.close()
    monkeypatch.setattr(Canned, "say", staticmethod(lambda ask: sentence(ask.key)))
    again = RunDesk(made, (), tmp_path / "answers")
    assert again.ask(asks(1))[0] == replace(Said(None, "no such thing", "stop", 5, 10, 0.25), cached=True)
    assert len(log.read_text().splitlines()) == 1
    assert again.cost.failed == 1


def test_what_a_judge_is_asked_goes_to_the_judge_of_the_recipe(tmp_path):
    logs = [tmp_path / "writer", tmp_path / "judge"]
    writer, judge = (Canned(log=str(log), model=log.name, priced=True) for log in logs)
    desk = RunDesk(recipe(writer, grade=GradeConfig(judge=judge)), (), None)
    desk.ask([*asks(2), *asks(2, "judge", start=2)])
    for log, purpose in zip(logs, ("prompt", "judge"), strict=True):
        assert [json.loads(line)[1] for line in log.read_text().splitlines()] == [purpose] * 2
    assert desk.cost.purposes == {"prompt": 2, "judge": 2}
    assert desk.cost.money == pytest.approx(4 * 25e-6)


def test_a_budget_lets_no_more_be_under_way_than_surely_fits():
    sizes = []

    class Watched(Canned):
        def write(self, asks, keep=None, done=None):
            sizes.append(len(asks))
            return super().write(asks, keep, done)

    desk = RunDesk(recipe(Watched(tokens=100), budget=Budget(tokens=2500)), (), None)
    with pytest.raises(BudgetSpentError, match="tokens is spent"):
        desk.ask([replace(ask, max_tokens=100) for ask in asks(100)])
    # an ask can cost 170 tokens at the most (6 bytes, 64 around them, 100 written), and costs 105
    assert sizes[:3] == [14, 6, 2]
    assert set(sizes[3:]) == {1}
    assert sum(sizes) == 24
    assert desk.cost.prompt_tokens + desk.cost.tokens == 24 * 105


def test_tokens_that_a_writer_does_not_count_are_estimated_and_said_to_be(monkeypatch):
    monkeypatch.setattr(Canned, "write", lambda self, asks, keep, done: [Said("four words of text") for _ in asks])
    desk = RunDesk(recipe(), (), None)
    (said,) = desk.ask([Ask.of("x" * 40, "prompt")])
    assert (said.prompt_tokens, said.tokens) == (10, 5)
    assert desk.cost.to_json()["uncounted"] == 1


def test_what_a_content_filter_stopped_is_no_answer(monkeypatch):
    monkeypatch.setattr(Canned, "write", lambda self, asks, keep, done: [Said("Half", "", "content_filter", 1, 1)])
    assert RunDesk(recipe(), (), None).ask(asks(1))[0].reason == "stopped by a content filter"


def test_streams_and_vectors_follow_from_the_recipe():
    one, same, other = (RunDesk(recipe(seed=seed), (), None) for seed in (0, 0, 1))
    draws = [desk.rng("a", 1).integers(1 << 40) for desk in (one, same, other)]
    assert draws[0] == draws[1] != draws[2]
    vectors = one.embed(["a bird", "a ship"])
    assert vectors.shape[0] == 2
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_grades_by_a_verifier_a_world_and_a_judge(monkeypatch):
    desk = RunDesk(recipe(grade=GradeConfig(verifier="number")), (), None)
    assert desk.grade("6 + 6?", "12", {"answer": "12"}) == 1.0
    assert desk.grade("6 + 6?", "13", {"answer": "12"}) == 0.0
    assert desk.grade("6 + 6?", "13", {}) is None
    row = load_world("programs").data(Dials(), 1, "0", 0)[0]
    world = RunDesk(recipe(grade=GradeConfig(world="programs")), (), None)
    wrong, foreign = Made(row["prompt"], "no such answer"), Made("Name a bird.", "wren")
    assert world.grades([Made(row["prompt"], row["response"]), wrong, foreign]) == [1.0, 0.0, None]
    monkeypatch.setattr(Canned, "say", staticmethod(lambda ask: "6" if "kind" in ask.messages[-1].content else "?"))
    judge = RunDesk(recipe(grade=GradeConfig(judge="writer", rubric="It is kind.")), (), None)
    assert judge.grade("p", "r", {}) == 1.0
    assert judge.cost.purposes == {"judge": 1}
    with pytest.raises(SpecError, match="nothing says how good"):
        RunDesk(recipe(), (), None).grade("p", "r", {})


def test_answers_outlive_a_torn_line(tmp_path):
    kept = Answers(tmp_path)
    kept.put("a", Said("one\n\ud800", tokens=3, seconds=0.1))
    kept.put("b", Said("two", cached=True))
    kept.close()
    file = tmp_path / "answers.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    again = Answers(tmp_path)
    assert again.get("a") == Said("one\n\ud800", tokens=3, seconds=0.1, cached=True)
    assert again.get("b") is None
    again.put("c", Said("three"))
    again.close()
    assert [Answers(tmp_path).get(key) is not None for key in "abc"] == [True, False, True]


def test_answers_are_read_again_where_the_file_has_changed(tmp_path):
    answers_in(tmp_path).put("a", Said("one"))
    assert answers_in(tmp_path) is answers_in(tmp_path)
    answers_in(tmp_path).close()
    (tmp_path / "answers.jsonl").unlink()
    assert answers_in(tmp_path).get("a") is None


def test_a_file_of_another_kind_is_no_file_of_answers(tmp_path):
    (tmp_path / "answers.jsonl").write_text('{"prompt": "x"}\n')
    with pytest.raises(OutputError, match="holds no answers"):
        Answers(tmp_path)
