"""The client of endpoints, against a server on this machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from email.utils import formatdate

import pytest

from serving import CUT, DRIP, DROP, HANG, chat, echo
from triptych.core.errors import SpecError, TriptychError, UsageError
from triptych.endpoints import client as client_module
from triptych.endpoints.client import Client, Effort, Failure
from triptych.endpoints.replies import Reply
from triptych.endpoints.wire import Endpoint, Question, body_fields

KEY = "sk-very-secret-123"


def client(server, tmp_path=None, tries=4, pause=0.01, at_once=4, **settings):
    return Client(Endpoint(server.url, "m", **settings), tmp_path, Effort(at_once, tries, pause))


def questions(n, **more):
    return [Question(f"q{i}", 0.7, i, **more) for i in range(n)]


def test_replies_come_in_order_with_what_they_took(serve, tmp_path):
    server = serve(echo)
    answers, usage = client(server, tmp_path).ask(questions(20, max_tokens=9, system="s"))
    assert answers == [Reply(f"re q{i}", "stop", 3, 2) for i in range(20)]
    assert usage.to_json() == {
        "requests": 20, "cached": 0, "retried": 0, "ambiguous": 0, "failed": 0, "prompt_tokens": 60, "tokens": 40,
        "uncounted": 0,
    }  # fmt: skip
    first = next(request for request in server.requests if request["said"] == "q7")
    assert first["path"] == "/v1/chat/completions"
    assert first["body"] == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q7"}],
        "temperature": 0.7,
        "seed": 7,
        "max_tokens": 9,
    }
    assert "Authorization" not in first["headers"]


def test_texts_are_continued_and_the_body_can_be_changed(serve):
    server = serve(lambda request, _: {"choices": [{"text": " so", "finish_reason": "length"}]})
    asked = client(server, style="text", body={"seed": None, "top_p": 0.9})
    answers, usage = asked.ask([Question("once", logprobs=True)])
    assert answers == [Reply(" so", "length")]
    assert usage.uncounted == 1
    assert server.requests[0]["path"] == "/v1/completions"
    assert server.requests[0]["body"] == {
        "model": "m", "prompt": "once", "temperature": 1.0, "logprobs": 1, "top_p": 0.9
    }  # fmt: skip


def test_no_more_than_so_many_at_once(serve):
    def slow(request, before):
        time.sleep(0.03)
        return chat("x")

    server = serve(slow)
    client(server, at_once=3).ask(questions(24))
    assert server.most == 3


def test_what_was_paid_for_is_not_asked_again(serve, tmp_path):
    dead = threading.Event()
    server = serve(lambda request, _: (401, {}, {"error": "no"}) if dead.is_set() else echo(request, 0))
    asked = client(server, tmp_path, at_once=1)
    asked.ask(questions(6))
    dead.set()
    with pytest.raises(TriptychError, match="stopped after 0 of 4"):
        asked.ask(questions(10))
    dead.clear()
    answers, usage = asked.ask(questions(10))
    assert [answer.text for answer in answers] == [f"re q{i}" for i in range(10)]
    assert (usage.cached, usage.requests) == (6, 4)
    # Equal questions are asked once; another seed is another question, even where the server does not see it.
    same = [Question("same", seed=1), Question("same", seed=1), Question("same", seed=2)]
    counted = client(server, tmp_path, body={"seed": None})
    assert counted.ask(same)[1].requests == 2


KILLED = """
import sys
from pathlib import Path
from triptych.endpoints.client import Client, Effort
from triptych.endpoints.wire import Endpoint, Question, body_fields
client = Client(Endpoint(sys.argv[1], "m"), Path(sys.argv[2]), Effort(at_once=3))
client.ask([Question(f"q{i}", 0.7, i) for i in range(40)])
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_where_it_was(serve, tmp_path, how):
    def slow(request, before):
        time.sleep(0.05)
        return echo(request, before)

    server = serve(slow)
    with subprocess.Popen([sys.executable, "-c", KILLED, server.url, tmp_path], stderr=subprocess.DEVNULL) as run:
        while len(server.requests) < 12:
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(how)
        assert run.wait(5) != 0
    sent = len(server.requests)
    assert sent < 30
    answers, usage = client(server, tmp_path).ask(questions(40))
    assert [answer.text for answer in answers] == [f"re q{i}" for i in range(40)]
    assert usage.cached >= sent - 3  # what was under way is asked again
    assert usage.requests == 40 - usage.cached


def test_a_proxy_is_not_asked_for_this_machine(serve, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert client(serve(echo)).ask(questions(1))[0] == [Reply("re q0", "stop", 3, 2)]


def test_a_damaged_file_is_asked_again_and_odd_texts_come_back_as_they_were(serve, tmp_path):
    server = serve(lambda request, _: chat("a\ud800b é\n"))
    asked = client(server, tmp_path)
    asked.ask([Question("q\udfff")])
    assert asked.ask([Question("q\udfff")])[0][0].text == "a\ud800b é\n"
    assert len(server.requests) == 1
    (file,) = tmp_path.rglob("*.json")
    file.write_text(file.read_text()[:40])
    assert asked.ask([Question("q\udfff")])[0][0].text == "a\ud800b é\n"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "mishap",
    [
        (500, {}, {"error": {"message": "boom"}}),
        (503, {}, b"<html>"),
        (200, {}, b"{not json"),
        (200, {}, {"error": {"message": "overloaded"}}),
        (200, {}, {"choices": []}),
        (200, {}, CUT),
        DROP,
    ],
    ids=["500", "503", "garbage", "error in a 200", "no choice", "cut off", "dropped"],
)
def test_failures_of_the_moment_are_tried_again(serve, mishap):
    server = serve(lambda request, before: mishap if before < 2 and request["said"] == "q1" else echo(request, 0))
    answers, usage = client(server).ask(questions(4))
    assert [answer.text for answer in answers] == [f"re q{i}" for i in range(4)]
    assert usage.retried == 2
    assert Counter(request["said"] for request in server.requests)["q1"] == 3


@pytest.mark.parametrize("mishap", [HANG, (200, {}, DRIP)], ids=["no answer", "one byte now and then"])
def test_a_reply_that_takes_too_long_fails_alone(serve, mishap):
    server = serve(lambda request, before: mishap if request["said"] == "q1" else echo(request, 0))
    answers, usage = client(server, tries=2, timeout=0.3).ask(questions(4))
    assert answers[1] == Failure("no reply within 0.3 seconds (2 tries)")
    assert [answer.text for answer in answers if isinstance(answer, Reply)] == ["re q0", "re q2", "re q3"]
    assert (usage.failed, usage.requests) == (1, 3)


@pytest.mark.parametrize("form", ["seconds", "milliseconds", "date"])
def test_all_wait_as_long_as_the_server_asks(serve, form):
    seconds = 2 if form == "date" else 0.4
    started = time.time()
    told = {
        "seconds": {"Retry-After": "0.4"},
        "milliseconds": {"retry-after-ms": "400"},
        "date": {"Retry-After": formatdate(int(started) + seconds, usegmt=True)},
    }[form]
    server = serve(
        lambda request, before: (429, told, {}) if request["said"] == "q0" and before == 0 else echo(request, 0)
    )
    answers, _ = client(server, at_once=1).ask(questions(3))
    assert [answer.text for answer in answers] == ["re q0", "re q1", "re q2"]
    gap = server.times[1] - server.times[0]
    assert gap >= (0.4 if form != "date" else 0.9)
    assert gap < seconds + 1


def test_a_wait_holds_the_other_requests_too(serve):
    def behave(request, before):
        if request["said"] == "q0" and before == 0:
            return 429, {"Retry-After": "0.5"}, {}
        time.sleep(0.1)
        return chat("x")

    server = serve(behave)
    client(server, at_once=2).ask(questions(12))
    assert [when for when in server.times if 0.2 < when - server.times[0] < 0.45] == []


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_not_tried_again(serve, status):
    server = serve(
        lambda request, _: (status, {}, {"error": {"message": "too long"}}) if request["said"] == "q2" else chat("x")
    )
    answers, usage = client(server).ask(questions(4))
    assert isinstance(answers[2], Failure)
    assert answers[2].reason.startswith(f"HTTP {status}")
    assert answers[2].reason.endswith("too long")
    assert usage.failed == 1
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((401, {}, {"error": {"message": f"Incorrect key {KEY}."}}), "Incorrect key"),
        ((404, {}, {"error": {"message": "model m does not exist"}}), "model m does not exist"),
        ((429, {}, {"error": {"message": "pay", "code": "insufficient_quota"}}), "pay"),
        ((307, {"Location": "http://127.0.0.1:1/elsewhere"}, b""), "HTTP 307"),
        ((429, {"Retry-After": "86400"}, {}), "wait 86400 seconds"),
    ],
    ids=["key", "model", "quota", "redirect", "a day"],
)
def test_what_all_would_meet_stops_at_once_and_tells_no_key(serve, answer, told, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("MY_KEY", KEY)
    server = serve(lambda *_: answer)
    asked = client(server, tmp_path, key_env="MY_KEY", at_once=2)
    with pytest.raises(TriptychError, match=told) as caught:
        asked.ask(questions(50))
    assert len(server.requests) <= 2
    assert server.requests[0]["headers"]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r} {asked!r} {caplog.text}"


def test_the_key_is_in_no_file(serve, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_KEY", KEY + "\n")
    client(serve(echo), tmp_path, key_env="MY_KEY").ask(questions(3))
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3
    assert not any(KEY in text for text in files)


def test_a_key_that_cannot_be_sent_is_told_without_it(serve, monkeypatch):
    asked = client(serve(echo), key_env="MY_KEY")
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(UsageError, match="MY_KEY is not set"):
        asked.ask(questions(1))
    monkeypatch.setenv("MY_KEY", "sk-schlüssel")
    with pytest.raises(UsageError, match="cannot be sent") as caught:
        asked.ask(questions(1))
    assert "schl" not in str(caught.value)


def test_nobody_there_is_told_soon(serve):
    server = serve(echo)
    url = server.url
    server.close()
    started = time.monotonic()
    with pytest.raises(TriptychError, match="nothing answers there") as caught:
        Client(Endpoint(url, "m"), None, Effort(pause=0.05)).ask(questions(100))
    assert time.monotonic() - started < 5
    assert "refused" in str(caught.value)
    server.close = lambda: None


def test_many_failures_in_a_row_stop_the_run(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(client_module, "GIVE_UP", 5)
    server = serve(lambda request, _: chat("x") if request["said"] == "q0" else (500, {}, {"error": "boom"}))
    with pytest.raises(TriptychError, match="5 requests in a row") as caught:
        client(server, tmp_path, tries=2, at_once=1).ask(questions(100))
    assert "run it again" in str(caught.value)
    assert len(server.requests) < 20


def test_no_reply_at_all_is_an_error(serve):
    server = serve(lambda *_: (400, {}, {"error": "bad"}))
    with pytest.raises(TriptychError, match="none of 3 requests"):
        client(server).ask(questions(3))


def test_a_full_disk_is_an_error(serve, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(client_module, "write_text", full)
    with pytest.raises(TriptychError, match="No space left"):
        client(serve(echo), tmp_path).ask(questions(3))


def test_likelihoods_are_summed_where_all_tokens_have_one(serve):
    told = {
        "chat": {"content": [{"token": "a", "logprob": -1.0}, {"token": "b", "logprob": -0.5}]},
        "text": {"token_logprobs": [-2.0, -1.0], "tokens": ["a", "b"]},
        "partly": {"token_logprobs": [None, -1.0]},
        "none": None,
    }
    server = serve(lambda request, _: chat("ab", logprobs=told[request["said"]]))
    answers, _ = client(server).ask([Question(name, logprobs=True) for name in told])
    assert [(answer.log_likelihood, answer.scored) for answer in answers] == [
        (-1.5, 2),
        (-3.0, 2),
        (None, 0),
        (None, 0),
    ]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("https://host/v1/", "https://host/v1"),
        (" https://host/openai/v1/chat/completions", "https://host/openai/v1"),
        ("http://host/api/v3", "http://host/api/v3"),
    ],
)
def test_addresses_have_one_form(given, url):
    assert Endpoint(given, "m").url == url


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "host:8000"}, {"url": "file:///etc/passwd"}, {"url": f"http://user:{KEY}@host"},
        {"url": f"http://host/v1?key={KEY}"}, {"model": ""}, {"style": "song"}, {"timeout": 0},
    ],
    ids=lambda settings: next(iter(settings)),
)  # fmt: skip
def test_bad_settings_are_told_without_secrets(settings):
    with pytest.raises(SpecError) as caught:
        Endpoint(**{"url": "http://host", "model": "m", **settings})
    assert KEY not in str(caught.value)


def test_effort_is_checked():
    for bad in ({"at_once": 0}, {"tries": 0}, {"pause": -1}):
        with pytest.raises(SpecError, match="out of range"):
            Effort(**bad)


def test_progress_is_told(serve):
    seen = []
    client(serve(echo), at_once=2).ask(questions(5), lambda done, of: seen.append((done, of)))
    assert seen == [(i, 5) for i in range(1, 6)]


TOPS = {
    "chat": {
        "content": [
            {
                "token": "4",
                "logprob": -0.1,
                "top_logprobs": [{"token": "4", "logprob": -0.1}, {"token": "5", "logprob": -2}],
            },
            {"token": ".", "logprob": 0.0, "top_logprobs": []},
        ]
    },
    "text": {
        "tokens": ["4", "."],
        "token_logprobs": [-0.1, 0.0],
        "top_logprobs": [{"4": -0.1, "5": -2}, {}],
    },
    "half": {"content": [{"token": "4", "logprob": -0.1}]},
    "odd": {"content": [{"token": "4", "logprob": -0.1, "top_logprobs": [{"token": "4", "logprob": None}]}]},
    "none": None,
}


def test_the_likeliest_tokens_are_told_where_the_server_tells_them(serve, tmp_path):
    server = serve(lambda request, _: chat("4.", logprobs=TOPS[request["said"]]))
    told = (("4", (("4", -0.1), ("5", -2.0))), (".", ()))
    for _ in range(2):  # asked for, then as it was kept
        answers, _ = client(server, tmp_path).ask([Question(name, tops=5) for name in TOPS])
        assert [answer.tops for answer in answers] == [told, told, (), (), ()]
    assert len(server.requests) == len(TOPS)
    assert {(r["body"]["logprobs"], r["body"]["top_logprobs"]) for r in server.requests} == {(True, 5)}
    continued = serve(lambda *_: {"choices": [{"text": "4."}]})
    client(continued, style="text").ask([Question("q", tops=5)])
    assert continued.requests[0]["body"]["logprobs"] == 5


def test_answers_come_one_by_one_and_those_before_a_stop_are_not_lost(serve):
    server = serve(lambda request, _: echo(request, 0) if request["said"] < "q6" else (401, {}, {"error": "no"}))
    usage, seen = client_module.Usage(), []
    asked = [*questions(10), questions(1)[0]]  # the first one twice
    with pytest.raises(TriptychError, match="stopped after 6 of 10"):
        seen.extend(client(server, at_once=1).stream(asked, usage))
    assert [(place, reply.text) for place, reply in seen] == [
        (0, "re q0"),
        (10, "re q0"),
        *((i, f"re q{i}") for i in range(1, 6)),
    ]
    assert (usage.requests, usage.failed) == (6, 0)


def test_replies_under_way_when_a_run_is_stopped_are_handed_out(serve):
    def behave(request, before):
        if request["said"] == "q0":
            time.sleep(0.1)
            return 401, {}, {"error": "no"}
        time.sleep(0.3)
        return echo(request, 0)

    server, seen = serve(behave), []
    with pytest.raises(TriptychError, match="stopped after 2 of 50"):
        seen.extend(client(server, at_once=3).stream(questions(50)))
    assert sorted(reply.text for _, reply in seen) == ["re q1", "re q2"]
    assert len(server.requests) == 3


@pytest.mark.parametrize(("text", "words"), [("{", "no JSON:"), ("[1]", "no JSON object")])
def test_more_fields_that_are_no_object_are_refused(text, words):
    assert body_fields("") == {}
    assert body_fields('{"top_p": 0.9}') == {"top_p": 0.9}
    with pytest.raises(SpecError, match=words):
        body_fields(text)
