"""The faulty proxy does what it says, and what the client makes of it; a killed run loses, doubles and repeats nothing."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from triptych.endpoints.client import Client, Effort, Failure, Usage
from triptych.endpoints.replies import Reply
from triptych.endpoints.wire import Endpoint, Question

proxies, killed = sys.modules["proxy"], sys.modules["killed"]


def client(proxy, tmp_path=None, tries=4, at_once=8, timeout=0.5):
    return Client(Endpoint(proxy.url, "m", timeout=timeout), tmp_path, Effort(at_once, tries, 0.001))


def questions(n):
    return [Question(f"q{i}", 0.7, i) for i in range(n)]


@pytest.mark.parametrize("kind", proxies.KINDS)
def test_each_fault_is_tried_again_and_is_ambiguous_where_an_answer_may_have_been_made(faulty, kind):
    proxy, usage = faulty(proxies.canned, {kind: 1.0}, wait="0"), Usage()
    answers = dict(client(proxy).stream(questions(3), usage))
    assert all(isinstance(answers[place], Failure) and "4 tries" in answers[place].reason for place in range(3))
    assert proxy.count(kind) == proxy.count() == 12
    assert (usage.retried, usage.failed, usage.requests) == (9, 3, 0)
    assert usage.ambiguous == (12 if kind in proxies.AMBIGUOUS else 0)


def test_without_faults_nothing_is_tried_again(faulty):
    proxy = faulty(proxies.canned, {})
    answers, usage = client(proxy, timeout=30).ask(questions(20))
    assert (usage.requests, usage.retried, usage.ambiguous) == (20, 0, 0)
    assert len({answer.text for answer in answers}) == proxy.count() == 20


def test_faults_come_in_their_shares_and_the_same_for_the_same_requests(faulty):
    shares = {"broken": 0.3, "busy": 0.1, "garbled": 0.2}
    seen = []
    for seed in (0, 0, 1):
        proxy = faulty(proxies.canned, shares, seed=seed)
        answers, usage = client(proxy, tries=40, timeout=30).ask(questions(150))
        assert all(isinstance(answer, Reply) for answer in answers)
        assert usage.ambiguous == proxy.count("garbled")
        seen.append(Counter((entry.key, entry.what) for entry in proxy.log))
    assert seen[0] == seen[1] != seen[2]
    done = Counter(entry.what for entry in proxy.log)
    total = sum(done.values())
    for kind, share in shares.items():  # about 375 requests: three standard errors
        assert abs(done[kind] / total - share) < 3 * (share * (1 - share) / total) ** 0.5


def test_a_cut_answer_is_asked_for_again_and_a_whole_one_never(faulty, tmp_path):
    proxy = faulty(proxies.canned, {"cut": 0.3, "short": 0.3})
    asked = client(proxy, tmp_path, tries=40, timeout=30)
    first, usage = asked.ask(questions(40))
    requests = proxy.count()
    assert usage.ambiguous == usage.retried == requests - 40 == proxy.count("cut", "short") > 0
    again, usage = asked.ask(questions(40))
    assert again == first
    assert (usage.requests, usage.cached, proxy.count()) == (0, 40, requests)
    assert all(reply.kept for reply in again)
    assert not any(reply.kept for reply in first)


def test_a_killed_run_loses_nothing_doubles_nothing_and_sends_nothing_again_after_its_answer_was_kept(faulty, tmp_path):
    asks, at_once = 300, 16
    proxy = faulty(proxies.canned, killed.SHARES)
    found = killed.account(proxy, killed.drive(proxy, tmp_path, asks, kills=1, at_once=at_once), asks, at_once)
    for name in ("lost", "doubled", "wrong", "sent_again_after_its_answer_was_kept"):
        assert found[name] == 0, (name, found)
    assert found["starts"] == 2
    assert set(found["faults"]) == set(proxies.KINDS)
    assert 0 < found["kept_at_each_kill"][0] == found["cached_in_the_last_start"] < asks
    assert found["sent_again_though_a_whole_answer_had_left"] <= 2 * at_once  # under way at the kill, or slow
    assert found["ambiguous_as_counted_by_the_client"] >= found["ambiguous_in_the_last_start"] > 0
