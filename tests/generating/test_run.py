"""Running a recipe: budgets, what fails, what is kept, going on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from triptych.core.errors import OutputError, TriptychError
from triptych.generating.ask import Made, Method
from triptych.generating.filters.length import Length
from triptych.generating.filters.near_duplicate import NearDuplicate
from triptych.generating.filters.valid import Valid
from triptych.generating.recipe import Budget
from triptych.generating.run import RunOptions, run_recipe

sys.path.insert(0, str(Path(__file__).parent))
from canned import Canned, Pairs, recipe, sentence

NO_AXES = RunOptions(axes=False)


def rows(folder, name="data.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def sent(path):
    return [tuple(json.loads(line)) for line in Path(path).read_text().splitlines()]


def saying(monkeypatch, rule):
    monkeypatch.setattr(Canned, "say", staticmethod(rule))


def test_a_budget_of_records_is_met_exactly_and_the_rest_is_not_lost(tmp_path):
    document = run_recipe(recipe(), tmp_path, options=NO_AXES)
    assert document["ended"] == "full"
    assert [len(rows(tmp_path)), document["counts"]["kept"], document["counts"]["made"]] == [20, 20, 24]
    over = rows(tmp_path, "failed.jsonl")
    assert [row["reason"] for row in over] == ["the budget of records was full"] * 4
    assert document["counts"]["over_budget"] == 4
    assert document["counts"]["asked"] == document["cost"]["requests"] == 48
    assert document["cost"]["purposes"] == {"prompt": 24, "response": 24}
    assert (document["cost"]["prompt_tokens"], document["cost"]["tokens"]) == (240, 480)


def test_a_record_says_where_it_comes_from(tmp_path):
    made = recipe(filters=(Length(least=2),))
    run_recipe(made, tmp_path, options=NO_AXES)
    row = rows(tmp_path)[0]
    about = row["triptych"]
    assert about["recipe"] == made.hash
    assert about["components"]["filters"] == "length:least=2"
    assert (about["parents"], about["asks"], about["prompt_tokens"], about["tokens"]) == (["s"], 2, 10, 20)
    assert about["seconds"] == 0.5
    assert about["filters"] == {"length": 9.0}
    assert len({each["id"] for each in rows(tmp_path)}) == 20


@pytest.mark.parametrize(("tokens", "asks"), [(150, 10), (151, 11), (3000, 200)])
def test_a_budget_of_tokens_is_passed_by_one_request_at_most(tmp_path, tokens, asks):
    document = run_recipe(recipe(budget=Budget(tokens=tokens)), tmp_path, options=NO_AXES)
    spent = document["cost"]["prompt_tokens"] + document["cost"]["tokens"]
    assert document["ended"] == "spent"
    assert "tokens" in document["stopped"]
    assert document["cost"]["requests"] == asks
    assert tokens <= spent < tokens + 15


def test_a_budget_of_money_likewise(tmp_path):
    document = run_recipe(recipe(Canned(priced=True), budget=Budget(money=0.001)), tmp_path, options=NO_AXES)
    each = (5 * 1.0 + 10 * 2.0) / 1e6
    assert 0.001 <= document["cost"]["money"] < 0.001 + each + 1e-12
    assert document["cost"]["requests"] == 40


def test_failures_refusals_and_empty_answers_are_no_records_and_say_why(tmp_path, monkeypatch):
    def rule(ask):
        turn = ask.nonce % 4
        if ask.purpose == "response":
            return sentence(ask.key)
        return [None, "  \n", "I'm sorry, but I cannot help with that request.", sentence(ask.key)][turn]

    saying(monkeypatch, rule)
    document = run_recipe(recipe(budget=Budget(records=6)), tmp_path, options=NO_AXES)
    assert document["counts"]["kept"] == 6
    assert document["counts"]["failed"] == {"no such thing": 6, "empty answer": 6, "refusal": 6}
    failed = rows(tmp_path, "failed.jsonl")
    assert {row["reason"] for row in failed} == {"no such thing", "empty answer", "refusal"}
    assert all(row["asks"] == 1 for row in failed)
    assert not {"empty answer", ""} & {row["response"] for row in rows(tmp_path)}


def test_a_run_in_which_nothing_passes_stops_with_the_reason_and_loses_nothing(tmp_path):
    made = recipe(filters=(Length(least=100),), patience=3)
    document = run_recipe(made, tmp_path, options=NO_AXES)
    assert document["ended"] == "short"
    assert document["stopped"] == "3 batches in a row gave no record; most often: length: response too short (24)"
    assert rows(tmp_path) == []
    failed = rows(tmp_path, "failed.jsonl")
    assert len(failed) == 24
    assert all(row["response"] and row["stage"] == "length" for row in failed)


def test_a_method_that_ends_leaves_the_run_short(tmp_path):
    document = run_recipe(recipe(method=Pairs(most=2)), tmp_path, options=NO_AXES)
    assert (document["ended"], document["counts"]["kept"]) == ("short", 16)
    assert "nothing more to make" in document["stopped"]


def test_equal_records_are_told_apart_by_id_and_dropped_by_the_gate(tmp_path, monkeypatch):
    saying(monkeypatch, lambda ask: "The same thing again." if ask.purpose == "prompt" else "As it was before.")
    run_recipe(recipe(budget=Budget(records=3)), tmp_path / "all", options=NO_AXES)
    ids = [row["id"] for row in rows(tmp_path / "all")]
    assert ids == [ids[0], f"{ids[0]}-2", f"{ids[0]}-3"]
    document = run_recipe(recipe(filters=(NearDuplicate(),), patience=2), tmp_path / "gated", options=NO_AXES)
    assert document["counts"]["kept"] == 1
    assert document["counts"]["filters"][0]["reasons"] == {"near-duplicate of a kept record": 23}
    assert document["counts"]["filters"][0]["acceptance"] == 1 / 24


def test_a_second_run_sends_nothing_and_gives_the_same_bytes(tmp_path):
    log = tmp_path / "log"
    made = recipe(Canned(log=str(log)), filters=(Valid(), NearDuplicate()))
    out = tmp_path / "out"
    run_recipe(made, out, options=NO_AXES)
    first, asked = (out / "data.jsonl").read_bytes(), len(sent(log))
    document = run_recipe(made, out, options=NO_AXES)
    assert (out / "data.jsonl").read_bytes() == first
    assert len(sent(log)) == asked == document["cost"]["requests"]


def test_a_larger_budget_goes_on_in_the_same_folder(tmp_path):
    log = tmp_path / "log"
    made = recipe(Canned(log=str(log)))
    run_recipe(made, tmp_path / "out", options=NO_AXES)
    first = rows(tmp_path / "out")
    more = replace(made, budget=Budget(records=30))
    document = run_recipe(more, tmp_path / "out", options=NO_AXES)
    assert document["counts"]["kept"] == 30
    assert [row["id"] for row in rows(tmp_path / "out")[:20]] == [row["id"] for row in first]
    assert len(sent(log)) == len(set(sent(log))) == 64


def test_another_recipe_is_refused_in_an_old_folder(tmp_path):
    run_recipe(recipe(), tmp_path, options=NO_AXES)
    before = (tmp_path / "data.jsonl").read_bytes()
    with pytest.raises(OutputError, match=r"recipe\.seed = 0 there, 1 asked"):
        run_recipe(recipe(seed=1), tmp_path, options=NO_AXES)
    assert (tmp_path / "data.jsonl").read_bytes() == before


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(OutputError, match="holds something else"):
        run_recipe(recipe(), tmp_path, options=NO_AXES)


@pytest.mark.parametrize("name", ["recipe.json", "report.html", "data.jsonl", "answers/failed.jsonl"])
def test_a_file_of_the_user_s_own_is_kept_whatever_its_name(tmp_path, name):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"mine": 1}\n')
    with pytest.raises(OutputError):
        run_recipe(recipe(), tmp_path, options=NO_AXES)
    assert file.read_text() == '{"mine": 1}\n'


def test_what_was_made_is_kept_when_the_writer_gives_up(tmp_path, monkeypatch):
    asked = []

    def rule(ask):
        asked.append(ask)
        if len(asked) > 20:
            raise TriptychError("the server is gone")
        return sentence(ask.key)

    saying(monkeypatch, rule)
    with pytest.raises(TriptychError, match="the server is gone"):
        run_recipe(recipe(), tmp_path, options=NO_AXES)
    assert len(rows(tmp_path)) == 8
    document = json.loads((tmp_path / "recipe.json").read_text())
    assert (document["ended"], document["stopped"]) == ("short", "the server is gone")
    saying(monkeypatch, lambda ask: sentence(ask.key))
    assert run_recipe(recipe(), tmp_path, options=NO_AXES)["ended"] == "full"
    assert len(rows(tmp_path)) == 20


def test_a_replay_that_is_broken_off_takes_nothing_away(tmp_path, monkeypatch):
    run_recipe(recipe(), tmp_path, options=NO_AXES)
    before = {name: (tmp_path / name).read_bytes() for name in ("data.jsonl", "failed.jsonl", "recipe.json")}
    turn = iter(range(100))

    def broken(self, asks, keep=None, done=None, write=Canned.write):
        if next(turn) == 2:
            raise KeyboardInterrupt
        return write(self, asks, keep, done)

    monkeypatch.setattr(Canned, "write", broken)
    with pytest.raises(KeyboardInterrupt):
        run_recipe(recipe(), tmp_path, options=NO_AXES)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert not list(tmp_path.glob(".data*")), "the half-written file is gone"


SCRIPT = """
import sys
from pathlib import Path
from canned import Canned, recipe
from triptych.generating.filters.near_duplicate import NearDuplicate
from triptych.generating.recipe import Budget
from triptych.generating.run import RunOptions, run_recipe
writer = Canned(log=sys.argv[2], pause=0.003)
made = recipe(writer, filters=(NearDuplicate(threshold=0.3),), budget=Budget(records=40))
run_recipe(made, Path(sys.argv[1]), options=RunOptions(axes=False))
"""


def start(out, log):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(out), str(log)], env=environment)


def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(tmp_path):
    whole, broken, log = tmp_path / "whole", tmp_path / "broken", tmp_path / "log"
    assert start(whole, tmp_path / "other").wait(60) == 0
    for least in (20, 50):
        process = start(broken, log)
        while not log.exists() or len(log.read_bytes().splitlines()) < least:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert not (broken / "data.jsonl").exists()
    assert start(broken, log).wait(60) == 0
    for name in ("data.jsonl", "failed.jsonl"):
        mine, theirs = ((folder / name).read_text() for folder in (broken, whole))
        # the log's name is a parameter of the writer, and so part of the recipe
        hashes = [json.loads((folder / "recipe.json").read_text())["hash"] for folder in (broken, whole)]
        assert mine.replace(hashes[0], hashes[1]) == theirs
    keys = [key for key, _ in sent(log)]
    # the one request under way at a kill has no answer on the disk
    assert len(keys) - len(set(keys)) <= 2
    assert len(set(keys)) == len(sent(tmp_path / "other"))


def test_two_runs_do_not_share_a_folder(tmp_path):
    process = start(tmp_path / "out", tmp_path / "log")
    try:
        while not (tmp_path / "log").exists():
            time.sleep(0.01)
        for folder, answers in (("out", None), ("other", tmp_path / "out" / "answers")):
            with pytest.raises(OutputError, match="another run is at work"):
                run_recipe(recipe(), tmp_path / folder, options=RunOptions(answers=answers, axes=False))
    finally:
        process.kill()
        process.wait(10)


@dataclass(frozen=True)
class Answered(Method):
    """The prompts of rows, answered anew."""

    name: ClassVar[str] = "answered"

    def make(self, desk):
        row = {"answer": "12", "unit": "eggs", "score": 3, "correct": True, "model": "human", "messages": [], "id": "s"}
        for turn in range(99):
            yield [Made(f"Prompt {turn}?", f"It is {turn}.", row={**row, "prompt": "old", "response": "old"})]


def test_a_row_travels_with_its_record_but_not_what_was_said_of_the_seed(tmp_path):
    run_recipe(recipe(method=Answered(), budget=Budget(records=3)), tmp_path, options=NO_AXES)
    row = rows(tmp_path)[1]
    assert set(row) == {"id", "prompt", "response", "answer", "unit", "triptych"}
    assert (row["prompt"], row["response"], row["answer"]) == ("Prompt 1?", "It is 1.", "12")


def test_broken_texts_are_no_records(tmp_path):
    @dataclass(frozen=True)
    class Broken(Method):
        name: ClassVar[str] = "broken"

        def make(self, desk):
            yield [Made("Hm?", "\ud800"), Made(" ", "x"), Made("x", "\n"), Made("Why?", "So.")]

    document = run_recipe(recipe(method=Broken(), budget=Budget(records=1)), tmp_path, options=NO_AXES)
    expected = {"a text holds a lone surrogate": 1, "empty prompt": 1, "empty response": 1}
    assert document["counts"]["failed"] == expected
    assert [row["prompt"] for row in rows(tmp_path, "failed.jsonl")] == ["Hm?", " ", "x"]
