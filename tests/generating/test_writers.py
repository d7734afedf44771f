"""The writers: a world, a program, a file of answers, an endpoint; and what all share."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace

import pytest

from serving import chat
from triptych.core.errors import InputError, ReadError, SpecError, TriptychError, UsageError
from triptych.generating.ask import Ask, Message, Price, Said, Writer
from triptych.generating.methods._operations import OPERATIONS
from triptych.generating.registry import known, make
from triptych.generating.writers._answering import seed_of
from triptych.generating.writers.command import CommandWriter
from triptych.generating.writers.endpoint import EndpointWriter
from triptych.generating.writers.replay import ReplayWriter
from triptych.generating.writers.world import WorldWriter
from triptych.worlds.registry import load_world


def ask(text, purpose="response", nonce=0, **more):
    return Ask.of(text, purpose, nonce, **more)


def test_the_registry_finds_every_writer():
    assert {"command", "endpoint", "hf", "lm", "replay", "world"} <= set(known(Writer))
    with pytest.raises(SpecError, match="temperatur"):
        make(Writer, "world", {"world": "programs", "temperatur": 1})


def test_seeds_differ_with_text_nonce_temperature_and_length_and_not_with_the_purpose():
    base = ask("a")
    others = [ask("b"), ask("a", nonce=1), replace(base, temperature=0.5), replace(base, max_tokens=7)]
    assert len({seed_of(each) for each in [base, *others]}) == 5
    assert seed_of(base) == seed_of(replace(base, purpose="prompt")) < 2**31


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("world", {"world": "programs", "quality": 1.5}),
        ("world", {"world": "nowhere"}),
        ("lm", {"temperature": -1}),
        ("lm", {"slots": 0}),
        ("lm", {"top_p": 0}),
        ("lm", {"max_tokens": 0}),
        ("hf", {"model": "m", "context": 1}),
        ("command", {"run": ""}),
        ("command", {"run": "cat 'x"}),
        ("command", {"run": "cat", "timeout": 0}),
        ("endpoint", {"url": "ftp://x", "model": "m"}),
        ("endpoint", {"url": "http://x", "model": "m", "body": "[1]"}),
        ("endpoint", {"url": "http://x", "model": "m", "max_tokens": -1}),
        ("endpoint", {"url": "http://x", "model": ""}),
    ],
)
def test_what_is_out_of_range_is_said_before_anything_is_asked(kind, params):
    with pytest.raises(InputError):
        make(Writer, kind, params)


# A world.


def test_a_world_writes_prompts_that_it_reads_and_responses_that_are_right_as_often_as_it_says():
    world = load_world("programs")
    writer = WorldWriter("programs", quality=0.7)
    prompts = [said.text for said in writer.write([ask("another one", "prompt", n) for n in range(400)])]
    tasks = [world.parse(prompt) for prompt in prompts]
    assert None not in tasks
    said = writer.write([ask(prompt, nonce=n) for n, prompt in enumerate(prompts)])
    right = sum(each.text == task.answer for each, task in zip(said, tasks, strict=True))
    assert abs(right / 400 - 0.7) < 3 * (0.7 * 0.3 / 400) ** 0.5
    assert all(each.finish == "stop" and each.tokens == len(each.text.split()) for each in said)
    assert {task.skill.depth for task in tasks} == set(world.depths)


def test_a_colder_world_errs_less_and_repeats_its_skills_more():
    world, skills, wrong = load_world("programs"), {}, {}
    for heat in (0.0, 0.3, 1.0, 2.0):
        writer = WorldWriter("programs", quality=0.8, temperature=heat)
        prompts = [said.text for said in writer.write([ask("x", "prompt", n) for n in range(300)])]
        skills[heat] = len({world.parse(prompt).skill for prompt in prompts})
        said = writer.write([ask(prompt, nonce=n) for n, prompt in enumerate(prompts)])
        wrong[heat] = sum(each.text != world.parse(p).answer for each, p in zip(said, prompts, strict=True)) / 300
    assert skills[0.0] == len(world.depths) < skills[0.3] < skills[1.0] < skills[2.0]
    assert wrong[0.0] == 0 < wrong[0.3] < wrong[1.0] < wrong[2.0]
    assert abs(wrong[2.0] - 0.4) < 3 * (0.4 * 0.6 / 300) ** 0.5


def test_a_world_deepens_the_task_that_it_finds_in_a_conversation():
    world, writer = load_world("programs"), WorldWriter("programs")
    first = next(
        said.text
        for said in writer.write([ask("x", "prompt", n) for n in range(50)])
        if world.parse(said.text).skill.depth == min(world.depths)
    )
    talk = (Message("user", "Make it harder."), Message("assistant", "Which?"), Message("user", f"This one:\n{first}"))
    (said,) = writer.write([Ask(talk, "evolve")])
    assert world.parse(said.text).skill.depth == sorted(world.depths)[1]


@pytest.mark.parametrize(("name", "mark"), [("programs", ">"), ("rewriting", "+")])
def test_a_world_deepens_what_evol_instruct_shows_it_and_says_when_it_cannot(name, mark):
    world, writer = load_world(name), WorldWriter(name, skills=3)
    deepest = max(world.depths)
    depths = set()
    for number in range(40):
        (first,) = writer.write([ask("x", "prompt", number)])
        parent = world.parse(first.text).skill
        operation = OPERATIONS[list(OPERATIONS)[number % len(OPERATIONS)]]
        (said,) = writer.write([Ask(operation.talk(first.text), "evolve", number)])
        if parent.depth == deepest:
            assert said.text is None
            assert "no deeper task" in said.reason
            continue
        child = world.parse(said.text).skill
        assert child.depth == parent.depth + 1
        rest = iter(child.name.split(mark))
        assert all(part in rest for part in parent.name.split(mark))
        assert child not in world.held_out(child.depth)
        depths.add(parent.depth)
    assert depths == set(world.depths) - {deepest}


def test_a_world_evolves_nothing_where_it_reads_no_task():
    (said,) = WorldWriter("programs").write([ask("Name three birds.", "evolve")])
    assert said.text is None
    assert "no task" in said.reason


def test_a_world_says_what_it_cannot_do():
    said = WorldWriter("programs").write([ask("Who are you?"), ask("Rate this.", "judge")])
    assert [each.text for each in said] == [None, None]
    assert "no task" in said[0].reason
    assert "judge" in said[1].reason


def test_a_world_answers_equal_asks_alike_and_cuts_at_the_most_tokens():
    writer, asks = WorldWriter("programs"), [ask("x", "prompt", n) for n in range(9)]
    assert writer.write(asks) == writer.write(asks[::-1])[::-1]
    (said,) = writer.write([replace(asks[0], max_tokens=2)])
    assert (said.tokens, said.finish, len(said.text.split())) == (2, "length", 2)


# A program.

ECHO = """
import json, sys
for line in sys.stdin:
    ask = json.loads(line)
    if ask["messages"][-1]["content"] == "no":
        print(json.dumps({"id": ask["id"], "error": "I will not"}))
    elif ask["messages"][-1]["content"] == "skip":
        print("warming up ..")
    elif ask["messages"][-1]["content"] == "half":
        print(json.dumps({"id": ask["id"]}))
    else:
        text = f'{ask["purpose"]} {ask["temperature"]} {ask["max_tokens"]} {ask["seed"]}'
        print(json.dumps({"id": ask["id"], "text": text, "tokens": 4, "finish": "stop"}))
"""


@pytest.fixture
def echo(tmp_path):
    (tmp_path / "echo.py").write_text(ECHO)
    return CommandWriter(f"{sys.executable} echo.py", temperature=0.5).beside(tmp_path)


def test_a_program_answers_in_json_lines(echo, tmp_path):
    asks = [ask("a"), ask("no"), ask("skip"), ask("half"), ask("b", "prompt", 3, max_tokens=9, temperature=1.5)]
    told = []
    said = echo.write(asks, tmp_path / "kept", told.append)
    assert said[0].text == f"response 0.5 512 {seed_of(asks[0])}"
    assert said[4].text == f"prompt 1.5 9 {seed_of(asks[4])}"
    assert (said[0].tokens, said[0].finish) == (4, "stop")
    assert [each.text for each in said[1:4]] == [None] * 3
    assert said[1].reason == "I will not"
    assert "said nothing" in said[2].reason
    assert "warming up" in said[2].reason
    assert "no text" in said[3].reason
    assert sum(told) == 5


def test_what_a_program_answered_is_kept_and_what_failed_is_asked_again(echo, tmp_path):
    kept = tmp_path / "kept"
    first = echo.write([ask("a"), ask("no")], kept)
    (tmp_path / "echo.py").write_text(ECHO)  # the same content: the same writer
    told = []
    again = echo.write([ask("no"), ask("a"), ask("c")], kept, told.append)
    assert again[1] == replace(first[0], cached=True)
    assert [each.cached for each in again] == [False, True, False]
    assert sum(told) == 3
    spec = echo.spec
    (tmp_path / "echo.py").write_text(ECHO + "\n")
    assert echo.spec != spec
    assert echo.write([ask("a")], kept)[0].cached is False


@pytest.mark.parametrize(
    ("code", "what"),
    [("raise SystemExit(3)", "exit code 3"), ("print('hello')", "none of 1 asks"), ("", "none of 1 asks")],
)
def test_a_program_that_fails_or_says_nothing_stops_the_run(tmp_path, code, what):
    (tmp_path / "bad.py").write_text(code)
    with pytest.raises(TriptychError, match=what):
        CommandWriter(f"{sys.executable} bad.py").beside(tmp_path).write([ask("a")])


# A file of answers.


def test_a_table_of_prompts_and_responses_is_replayed_in_turn(tmp_path):
    rows = [{"prompt": "a", "response": "1"}, {"prompt": "a", "response": "2"}, {"prompt": "b", "response": "3"}]
    (tmp_path / "told.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    writer = ReplayWriter("told.jsonl").beside(tmp_path)
    said = writer.write([ask("a"), ask("a", nonce=1), ask("a", nonce=2), ask("b"), ask("c")])
    assert [each.text for each in said] == ["1", "2", "1", "3", None]
    assert "no answer" in said[4].reason
    spec = writer.spec
    (tmp_path / "told.jsonl").write_text(json.dumps({"prompt": "a", "response": "4"}) + "\n")
    assert writer.write([ask("a")])[0].text == "4"
    assert writer.spec != spec


def test_the_answers_that_a_run_kept_are_replayed(echo, tmp_path):
    kept, asks = tmp_path / "kept", [ask("a"), ask("b", nonce=7)]
    first = echo.write(asks, kept)
    (file,) = kept.glob("*.jsonl")
    with file.open("a") as out:
        out.write('{"key": "cut by a ki')
    again = ReplayWriter(str(file)).write(asks[::-1])
    assert again == [replace(each, cached=True) for each in first[::-1]]


@pytest.mark.parametrize("text", ["", "hello\n", '{"prompt": "a"}\n', "[1]\n"])
def test_a_file_without_answers_is_refused(tmp_path, text):
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(ReadError):
        ReplayWriter("bad.jsonl").beside(tmp_path).write([ask("a")])
    with pytest.raises(ReadError, match=r"gone\.jsonl"):
        ReplayWriter("gone.jsonl").beside(tmp_path).write([ask("a")])


# An endpoint.


def test_an_endpoint_is_asked_with_the_whole_conversation_and_its_replies_are_kept(serve, tmp_path):
    server = serve(lambda request, before: chat("re " + request["said"]))
    writer = EndpointWriter(server.url, "m", temperature=0.5, max_tokens=9, price=Price(1.0, 2.0), licence="MIT")
    talk = (Message("system", "s"), Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    asks = [Ask(talk, "prompt", 1), ask("d"), ask("d", nonce=1, temperature=0.0, max_tokens=3)]
    told = []
    said = writer.write(asks, tmp_path, told.append)
    assert [each.text for each in said] == ["re c", "re d", "re d"]
    assert [(each.finish, each.prompt_tokens, each.tokens, each.cached) for each in said] == [("stop", 3, 2, False)] * 3
    assert sum(told) == 3
    bodies = {request["body"]["seed"]: request["body"] for request in server.requests}
    assert bodies[seed_of(asks[0])]["messages"] == [{"role": turn.role, "content": turn.content} for turn in talk]
    assert bodies[seed_of(asks[0])]["temperature"] == 0.5
    assert bodies[seed_of(asks[0])]["max_tokens"] == 9
    assert (bodies[seed_of(asks[2])]["temperature"], bodies[seed_of(asks[2])]["max_tokens"]) == (0.0, 3)
    again = writer.write(asks, tmp_path)
    assert again == [replace(each, cached=True) for each in said]
    assert len(server.requests) == 3
    assert writer.price.of(10**6, 10**6) == 3.0
    assert writer.plan(asks).money > 0
    assert writer.licence == "MIT"
    assert writer.spec.params["price"] == {"prompt": 1, "completion": 2}


def test_an_endpoint_that_fails_one_ask_says_why_and_answers_the_others(serve):
    refused = (400, {}, {"error": {"message": "too long for the context"}})
    server = serve(lambda request, before: refused if request["said"] == "long" else chat(""))
    said = EndpointWriter(server.url, "m").write([ask("long"), ask("b")])
    assert said[0].text is None
    assert "context" in said[0].reason
    assert said[1].text == ""


def test_an_endpoint_with_a_wrong_key_or_nobody_there_stops_the_run(serve, monkeypatch):
    server = serve(lambda request, before: (401, {}, {"error": "no such key"}))
    with pytest.raises(TriptychError, match="401"):
        EndpointWriter(server.url, "m").write([ask(str(n)) for n in range(20)])
    assert len(server.requests) <= 8
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(UsageError, match="NO_SUCH_KEY"):
        EndpointWriter(server.url, "m", "NO_SUCH_KEY").write([ask("a")])
    server.close()
    with pytest.raises(TriptychError, match="nothing answers"):
        EndpointWriter(server.url, "m", pause=0.0).write([ask("a")])


def test_a_continued_text_is_one_text(serve):
    server = serve(lambda request, before: {"choices": [{"text": " ok"}]})
    talk = (Message("system", "s"), Message("user", "a"))
    (said,) = EndpointWriter(server.url, "m", style="text", max_tokens=0).write([Ask(talk, "prompt")])
    assert (said.text, said.tokens) == (" ok", 0)
    assert server.requests[0]["body"]["prompt"] == "s\n\na"
    assert "max_tokens" not in server.requests[0]["body"]


def test_equal_asks_of_one_nonce_are_sent_once(serve):
    server = serve(lambda request, before: chat(f"{before}"))
    said = EndpointWriter(server.url, "m").write([ask("a"), ask("a"), ask("a", nonce=1)])
    assert said[0].text == said[1].text != said[2].text
    assert Counter(request["said"] for request in server.requests) == {"a": 2}
    assert isinstance(said[0], Said)
