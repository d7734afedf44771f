"""Our client and our writer against llama.cpp's own server with the packaged model, in a process of its own."""

from __future__ import annotations

import math
import sys

import pytest

from triptych.core.errors import TriptychError
from triptych.endpoints.client import Client, Effort, Failure
from triptych.endpoints.replies import Reply
from triptych.endpoints.wire import Endpoint, Question
from triptych.generating.ask import Ask, Message
from triptych.generating.writers.endpoint import EndpointWriter
from triptych.generating.writers.lm import LocalWriter

EASY = Effort(4, 3, 0.01)
SAME = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "cache_prompt": False}


def client(real, model="smollm2", **more):
    return Client(Endpoint(real.url, model, **more), None, EASY)


def test_equal_seeds_give_equal_replies_and_others_do_not(real):
    asked = [Question("Describe the sea.", 1.0, seed, 8) for seed in (1, 2, 3)]
    first, usage = client(real, body=SAME).ask(asked)
    again, _ = client(real, body=SAME).ask(asked[::-1])
    assert first == again[::-1]
    assert len({reply.text for reply in first}) > 1
    assert usage.requests == 3
    assert usage.uncounted == 0
    assert all(reply.prompt_tokens > 5 and 1 <= reply.tokens <= 8 for reply in first)
    assert all(reply.finish in {"stop", "length"} and reply.seconds > 0 for reply in first)


def test_log_probabilities_are_those_of_the_tokens_that_were_drawn(real):
    ((reply,), _) = client(real).ask([Question("Name a colour.", 0.0, 0, 6, logprobs=True, tops=3)])
    assert reply.scored == reply.tokens - (reply.finish == "stop")
    assert -20 * reply.scored < reply.log_likelihood < 0
    assert len(reply.tops) == reply.scored
    likeliest = [max(tops, key=lambda top: top[1]) for _, tops in reply.tops]
    assert [token for token, _ in reply.tops] == [token for token, _ in likeliest]  # nothing was left to chance
    assert math.fsum(p for _, p in likeliest) == pytest.approx(reply.log_likelihood, abs=1e-4)


def test_a_text_is_continued(real):
    ((reply,), _) = client(real, style="text").ask([Question("One, two, three,", 0.0, 0, 4, logprobs=True)])
    assert "four" in reply.text
    assert reply.scored == 4


def test_the_turns_of_a_conversation_and_its_system_message_are_read(real):
    turns = (("user", "My name is Ada."), ("assistant", "Hello, Ada."))
    last = "What is my name?"
    asked = [
        Question(last, 0.0, 0, 4), Question(last, 0.0, 0, 4, turns=turns), Question(last, 0.0, 0, 4, "You are a robot of few words.", turns=turns),
    ]  # fmt: skip
    (bare, talk, ruled), _ = client(real).ask(asked)
    assert bare.prompt_tokens < talk.prompt_tokens
    assert ruled.prompt_tokens != talk.prompt_tokens  # its template has a system message of its own otherwise
    assert len({bare.text, talk.text, ruled.text}) > 1


def test_a_prompt_beyond_the_context_fails_alone_and_is_not_tried_again(real):
    asked = [Question("word " * 900, 0.0, 0, 4), Question("Say hi.", 0.0, 0, 4)]
    (long, short), usage = client(real).ask(asked)
    assert isinstance(long, Failure)
    assert "context" in long.reason
    assert isinstance(short, Reply)
    assert (usage.retried, usage.failed) == (0, 1)


def test_this_server_has_one_model_and_answers_to_any_name(real):
    ((reply,), _) = client(real, model="no-such-model").ask([Question("Say hi.", 0.0, 0, 4)])
    assert isinstance(reply, Reply)


def test_a_wrong_path_stops_the_run_at_the_first_request(real):
    wrong = Client(Endpoint(real.url + "/no/such/api", "smollm2"), None, EASY)
    with pytest.raises(TriptychError, match="404"):
        wrong.ask([Question("Say hi.", 0.0, i, 4) for i in range(9)])


def test_a_key_is_asked_for_and_a_wrong_one_stops_the_run(locked, monkeypatch):
    monkeypatch.setenv("SERVER_KEY", locked.key)
    given = Client(Endpoint(locked.url, locked.model, "SERVER_KEY"), None, EASY)
    ((reply,), _) = given.ask([Question("Say hi.", 0.0, 0, 4)])
    assert isinstance(reply, Reply)
    monkeypatch.setenv("SERVER_KEY", "sk-wrong")
    with pytest.raises(TriptychError, match="401") as caught:
        given.ask([Question("Say hi.", 0.0, 0, 4)])
    assert "sk-wrong" not in str(caught.value)


def test_the_writer_says_what_the_writer_of_the_same_model_in_this_process_says(real, tmp_path):
    """Both ask llama.cpp with the same seed: what goes over the wire changes nothing."""
    talk = (Message("system", "You are brief."), Message("user", "Write a question about rain."))
    asks = [Ask(talk, "prompt", nonce, max_tokens=10) for nonce in range(3)]
    body = '{"top_k": 0, "top_p": 1.0, "min_p": 0.0, "cache_prompt": false}'
    served = EndpointWriter(f"{real.url}/v1", "smollm2", body=body, at_once=4)
    here = LocalWriter(context=512, slots=4, threads=1)
    said, own = served.write(asks, tmp_path), here.write(asks, tmp_path)
    assert [each.text for each in said] == [each.text for each in own]
    assert [each.tokens for each in said] == [each.tokens for each in own]
    assert [each.prompt_tokens for each in said] == [each.prompt_tokens for each in own]
    again = served.write(asks, tmp_path)
    assert again == [type(each)(**{**vars(each), "cached": True}) for each in said]


def test_a_faulty_way_to_the_real_server_changes_no_reply(real, faulty):
    proxy = faulty(sys.modules["proxy"].forward(real.url), {"broken": 0.3, "cut": 0.2, "short": 0.1, "garbled": 0.1})
    asked = [Question(f"Say {word}.", 0.7, 5, 3) for word in ("yes", "no", "hi")]
    straight, _ = client(real, body=SAME).ask(asked)
    bent, usage = Client(Endpoint(proxy.url, "smollm2", body=SAME), None, Effort(4, 30, 0.001)).ask(asked)
    assert [reply.text for reply in bent] == [reply.text for reply in straight]
    assert usage.ambiguous == proxy.count("cut", "short", "garbled")
    assert usage.retried == proxy.count() - len(asked) > 0
