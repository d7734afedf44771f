"""The generator that asks an endpoint, against a server on this machine."""

from __future__ import annotations

from collections import Counter

import pytest

from serving import chat, echo
from triptych.core.errors import SpecError, TriptychError, UsageError
from triptych.looping.dials import Dials
from triptych.looping.generators.base import Asked
from triptych.looping.generators.registry import build_generator
from triptych.studies.trainers.trainer import Example


def generator(server, **params):
    return build_generator("endpoint", {"url": server.url, "model": "m", "tries": "2", **params})


def asked(tmp_path, **more):
    settings = {
        "samples": 12,
        "dials": Dials(temperature=0.5, explore=((1.0, 0.75), (1.5, 0.25))),
        "seed": 3,
        "round": 1,
    }
    return Asked(**{**settings, "keep": tmp_path, **more})


def test_an_endpoint_writes_prompts_and_answers_them(serve, tmp_path):
    def behave(request, _):
        if request["said"] == "write one":
            return chat(f" task {request['body']['seed']} \n", logprobs={"content": [{"logprob": -1.0}]})
        return chat("answer", logprobs={"content": [{"logprob": -2.0}, {"logprob": -3.0}]})

    server = serve(behave)
    batch = generator(server, logprobs="true").write(asked(tmp_path, write="write one", prompt_tokens=7), None)
    assert Counter(record.explore for record in batch.written) == {1.0: 9, 1.5: 3}
    assert {record.temperature for record in batch.written} == {0.5}
    assert len({record.prompt for record in batch.written}) == 12
    assert batch.likelihood == (-2.0,) * 12
    assert batch.notes["prompts"]["requests"] == batch.notes["responses"]["requests"] == 12
    wrote = [request["body"] for request in server.requests if request["said"] == "write one"]
    assert Counter(body["temperature"] for body in wrote) == {1.0: 9, 1.5: 3}
    assert {body["max_tokens"] for body in wrote} == {7}
    again = generator(server, logprobs="true").write(asked(tmp_path, write="write one", prompt_tokens=7), None)
    assert again.written == batch.written
    assert again.notes["responses"] | {"cached": 0} == dict.fromkeys(again.notes["responses"], 0)
    assert len(server.requests) == 24


def test_given_prompts_are_answered_and_failures_are_counted(serve, tmp_path):
    prompts = [Example(f"p{i}", "", {"level": i}) for i in range(4)]
    server = serve(lambda request, _: (400, {}, {"error": "no"}) if request["said"] == "p1" else echo(request, 0))
    batch = generator(server).write(asked(tmp_path, prompts=prompts, each=3), None)
    assert [(record.prompt, record.group) for record in batch.written] == [
        (f"p{i}", str(i)) for i in (0, 2, 3) for _ in range(3)
    ]
    assert batch.written[-1].row == {"level": 3}
    assert batch.likelihood == (None,) * 9
    assert batch.notes["responses"]["failed"] == 3
    assert batch.notes["responses"]["first_failed"] == "HTTP 400 Bad Request: no"
    seeds = [request["body"]["seed"] for request in server.requests]
    assert len(set(seeds)) == 12


def test_an_endpoint_that_writes_no_prompt(serve, tmp_path):
    with pytest.raises(UsageError, match="how to ask for a prompt"):
        generator(serve(echo)).write(asked(tmp_path), None)
    with pytest.raises(TriptychError, match="none of 12 replies holds a prompt"):
        generator(serve(lambda *_: chat("  "))).write(asked(tmp_path, write="w"), None)


def test_unlikely_tokens_are_cut_off_of_prompts_where_the_server_can(serve, tmp_path):
    dials = Dials(temperature=0.5, explore=((2.0, 1.0),), min_p=0.01)

    def told(**params):
        server = serve(lambda request, _: chat(f"task {request['body']['seed']}"))
        made = generator(server, **params)
        made.write(asked(tmp_path, write="write one", dials=dials), None)
        bodies = [(request["said"] == "write one", request["body"]) for request in server.requests]
        assert not any("min_p" in body for own, body in bodies if not own)
        return made.cuts, {body.get("min_p") for own, body in bodies if own}

    assert told() == (False, {None})
    assert told(min_p="before") == told(min_p="before", style="text") == (True, {0.01})
    assert told(min_p="after") == (True, {0.1})  # (p / q)^(1 / 2) >= .1 where p / q >= .01


def test_bad_parameters_of_the_generator():
    for params in (
        {"min_p": "yes"},
        {"hottest": "0"},
        {"body": "{"},
        {"body": "[1]"},
        {"at_once": "0"},
        {"style": "song"},
        {"url": "x"},
    ):
        with pytest.raises(SpecError):
            build_generator("endpoint", {"url": "http://host", "model": "m", **params})
    with pytest.raises(SpecError, match='needs "model"'):
        build_generator("endpoint", {"url": "http://host"})


def test_what_stands_before_a_text_that_is_continued_and_how_long_a_reply_may_be(serve, tmp_path):
    def behave(request, _):
        return {
            "choices": [{"text": "task" if request["said"].endswith("write:") else " done", "finish_reason": "stop"}]
        }

    server = serve(behave)
    made = generator(server, style="text", system="shots:", max_tokens=9)
    batch = made.write(asked(tmp_path, write="write:", samples=1), None)
    assert [(record.prompt, record.response) for record in batch.written] == [("task", " done")]
    assert [one["body"]["prompt"] for one in server.requests] == ["shots:write:", "shots:task"]
    assert {one["body"]["max_tokens"] for one in server.requests} == {9}
    with pytest.raises(SpecError, match="max_tokens is out of range"):
        generator(server, max_tokens=-1)
