"""What goes wrong around a run: each is one clear message, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from serving import Server, chat
from triptych import api
from triptych.core.errors import OutputError, TriptychError, UsageError
from triptych.generating.folder import Rows
from triptych.generating.keep import Answers
from triptych.generating.recipe import Budget, Recipe
from triptych.generating.run import RunOptions, run_recipe

sys.path.insert(0, str(Path(__file__).parent))
from canned import Canned, recipe, sentence

NO_AXES = RunOptions(axes=False)
WORLD = {
    "seeds": {"world": "programs", "records": 30},
    "writer": {"kind": "world", "world": "programs"},
    "budget": {"records": 8},
}


def served(url, **more):
    writer = {"kind": "endpoint", "url": url, "model": "m", "pause": 0.01, "tries": 2, **more}
    return {
        "batch": 4,
        "patience": 2,
        "seeds": {"world": "programs", "records": 9},
        "writer": writer,
        "method": {"name": "few_shot"},
        "budget": {"records": 4},
    }


@pytest.fixture
def serving():
    made = []

    def serve(behave):
        made.append(Server(behave))
        return made[-1]

    yield serve
    for server in made:
        server.close()


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ({"name": "taxonomy"}, "taxonomy"),
        ({"name": "attributed"}, "attributes"),
        ({"name": "back_translation"}, "instruction"),
        ({"name": "self_instruct", "instances": "output_first"}, "labels"),
        ({"name": "evol_instruct", "equal": "ask"}, "judge"),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_what_a_world_cannot_answer_is_refused_before_anything_is_written(tmp_path, method, kind):
    with pytest.raises(UsageError, match=f'writer "world" cannot do what .*\n.*kind "{kind}"\n.*want.*\n.*try'):
        api.generate({**WORLD, "method": method}, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match='writer "world" cannot do'):
        api.plan_generate({**WORLD, "method": method})


def test_a_world_writes_by_every_method_it_can_answer(tmp_path):
    for name in ("few_shot", "self_instruct", "evol_instruct"):
        document = api.generate({**WORLD, "method": {"name": name}}, out=tmp_path / name)
        assert (document["ended"], document["counts"]["kept"]) == ("full", 8)


@pytest.mark.parametrize(
    ("status", "says", "more", "words"),
    [
        (401, "Incorrect API key", {"key_env": "TRIPTYCH_TEST_KEY"}, "the right key in TRIPTYCH_TEST_KEY"),
        (401, "No API key", {}, "key_env = the environment variable"),
        (404, "The model does not exist", {}, 'another model than "m", or another url'),
    ],
)
def test_a_server_that_refuses_everything_says_what_to_try(serving, tmp_path, monkeypatch, status, says, more, words):
    monkeypatch.setenv("TRIPTYCH_TEST_KEY", "secret-of-the-test")
    server = serving(lambda request, before: (status, {}, {"error": {"message": says}}))
    with pytest.raises(TriptychError) as raised:
        api.generate(served(server.url, **more), out=tmp_path / "out")
    text = str(raised.value)
    assert f"HTTP {status}" in text
    assert says in text
    assert f"try:  {words}" in text
    assert all("secret-of-the-test" not in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (chat("  "), "a larger max_tokens"),
        (chat("I'm sorry, but I can't assist with that."), "another model, or other seeds"),
        ((400, {}, {"error": {"message": "maximum context length is 10 tokens"}}), "a longer context"),
    ],
    ids=["empty", "refusal", "context"],
)
def test_a_run_that_ends_short_says_what_to_try(serving, tmp_path, reply, words):
    document = api.generate(served(serving(lambda request, before: reply).url), out=tmp_path / "out")
    assert document["ended"] == "short"
    assert f"; try {words}" in document["stopped"]


def test_after_a_server_was_mended_the_same_command_asks_again(serving, tmp_path):
    broken = True

    def behave(request, before):
        if broken:
            return 400, {}, {"error": {"message": "maximum context length is 10 tokens"}}
        return chat(f"Say why number {request['body']['seed'] % 9973} is what it is, and more.")

    server = serving(behave)
    asked = served(server.url)
    assert api.generate(asked, out=tmp_path / "out")["counts"]["kept"] == 0
    broken = False
    assert api.generate(asked, out=tmp_path / "out")["counts"]["kept"] == 4


def test_a_folder_in_which_nothing_was_made_is_free_for_another_recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(Canned, "say", staticmethod(lambda ask: None))
    assert run_recipe(recipe(patience=2), tmp_path, options=NO_AXES)["counts"]["made"] == 0
    monkeypatch.undo()
    other = recipe(Canned(model="another"))
    assert run_recipe(other, tmp_path, options=NO_AXES)["counts"]["kept"] == 20
    with pytest.raises(OutputError, match="of another recipe"):
        run_recipe(recipe(), tmp_path, options=NO_AXES)


@pytest.mark.parametrize("name", ["data.jsonl", "failed.jsonl"])
def test_a_file_of_the_user_s_is_not_replaced(tmp_path, name):
    mine = tmp_path / name
    mine.write_text(json.dumps({"prompt": "mine", "response": "own"}) + "\n")
    before = mine.read_bytes()
    with pytest.raises(OutputError, match=f"{name}: this file was not written by a run"):
        run_recipe(recipe(), tmp_path, options=NO_AXES)
    assert mine.read_bytes() == before


def test_records_without_a_recipe_beside_them_are_a_run_s_own(tmp_path):
    run_recipe(recipe(), tmp_path, options=NO_AXES)
    whole = (tmp_path / "data.jsonl").read_bytes()
    (tmp_path / "recipe.json").unlink()
    run_recipe(recipe(), tmp_path, options=NO_AXES)
    assert (tmp_path / "data.jsonl").read_bytes() == whole


def test_answers_that_are_a_file_are_refused(tmp_path):
    (tmp_path / "answers").write_text("no folder")
    with pytest.raises(OutputError, match="this is a file"):
        run_recipe(recipe(), tmp_path / "out", options=replace(NO_AXES, answers=tmp_path / "answers"))


def test_a_full_disk_is_one_message_and_the_same_command_goes_on(tmp_path, monkeypatch):
    log = tmp_path / "sent"
    made = recipe(Canned(log=str(log)))
    add, seen = Rows.add, []

    def full(self, row):
        seen.append(row)
        if len(seen) > 11:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        add(self, row)

    monkeypatch.setattr(Rows, "add", full)
    with pytest.raises(OutputError, match=r"out: nothing more can be written.*\n.*No space left.*\n.*make room"):
        run_recipe(made, tmp_path / "out", options=NO_AXES)
    monkeypatch.undo()
    run_recipe(made, tmp_path / "out", options=NO_AXES)
    run_recipe(recipe(), tmp_path / "other", options=NO_AXES)
    texts = [
        [json.loads(line)["prompt"] for line in (tmp_path / name / "data.jsonl").read_text().splitlines()]
        for name in ("out", "other")
    ]
    assert texts[0] == texts[1]
    keys = [json.loads(line)[0] for line in log.read_text().splitlines()]
    assert len(keys) == len(set(keys)), "no answer is asked for twice"


def test_an_answer_that_is_cut_by_a_full_disk_is_no_answer(tmp_path):
    class Short:
        def __init__(self, file):
            self.file = file

        def write(self, body):
            return self.file.write(body[:7])

        def __getattr__(self, name):
            return getattr(self.file, name)

    (said,) = Canned().write([_ask(1)])
    answers = Answers(tmp_path)
    answers.put("one", said)
    answers._file = Short(answers._file)
    with pytest.raises(OSError, match="No space left"):
        answers.put("two", said)
    answers.close()
    answers.put("three", said)
    answers.close()
    again = Answers(tmp_path)
    assert [again.get(key) is not None for key in ("one", "two", "three")] == [True, False, True]


def _ask(number):
    from triptych.generating.ask import Ask

    return Ask.of(sentence(str(number)), "prompt", number)


def test_rows_of_the_seeds_that_were_skipped_are_counted(tmp_path):
    rows = [
        {"prompt": "Name a river.", "response": "The Nile."},
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes"}]},
        {"instruction": "Do it.", "output": "Done."},
        {"prompt": "Name a bird.", "response": "A wren."},
    ]
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {**WORLD, "method": {"name": "few_shot"}, "seeds": {"data": "seeds.jsonl"}}
    with pytest.raises(TriptychError, match=r"seeds.jsonl:2: the set mixes two layouts"):
        run_recipe(Recipe.of(asked, tmp_path), tmp_path / "out", options=NO_AXES)
    asked["seeds"]["on_bad"] = "skip"
    document = run_recipe(Recipe.of(asked, tmp_path), tmp_path / "out", options=NO_AXES)
    assert (document["seeds"]["records"], document["seeds"]["skipped"]) == (2, 2)


def test_a_budget_that_is_raised_goes_on_after_failures(tmp_path):
    run_recipe(recipe(budget=Budget(records=8)), tmp_path, options=NO_AXES)
    assert run_recipe(recipe(budget=Budget(records=12)), tmp_path, options=NO_AXES)["counts"]["kept"] == 12


@pytest.mark.parametrize(
    ("model", "words"), [("smolm2", "try:  smollm2"), ("gone.gguf", "no such file"), ("", "needs a model")]
)
def test_a_model_that_is_not_there_leaves_no_folder(tmp_path, model, words):
    pytest.importorskip("xllamacpp", reason="the runtime of GGUF models is not installed")
    asked = {**WORLD, "writer": {"kind": "lm", "model": model}, "method": {"name": "few_shot"}}
    with pytest.raises(TriptychError, match=words):
        api.generate(asked, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
