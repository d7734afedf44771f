"""Audits of judges that are asked: one that sees, one that takes what stands first, one that talks."""

from __future__ import annotations

from collections import Counter

import pytest

from serving import chat
from triptych import api
from triptych.annotating.annotator import Item, pair_of
from triptych.annotating.judge import bench_of
from triptych.annotating.pairs import BOTH, CUT, NO_SIDE, PairJudge, question, shown_first, verdict
from triptych.auditing.request import split
from triptych.core.errors import TriptychError, UsageError
from triptych.core.rng import stream
from triptych.endpoints.replies import Reply


def pairs(n=60):
    """Rows of two responses to each prompt, the better one, marked by §, now first and now second."""
    rng = stream("asked pairs")
    rows = []
    for i in range(n):
        good = int(rng.integers(2))
        for side in range(2):
            text = (
                f"It is {'so' if side == good else 'not'} for {int(rng.integers(1000))}{' §' if side == good else ''}"
            )
            rows.append({"prompt": f"Is {i} so?", "response": text, "pair_id": i, "preference": int(side == good)})
    return rows


def sides(said):
    """The responses that are shown as A and B."""
    return said.split("response A\n")[1].split("====")[0], said.split("response B\n")[1].split("====")[0]


def sees(request, _):
    first, _ = sides(request["said"])
    return chat("A" if "§" in first else "B")


def audit(rows, scorer, **more):
    (found,) = api.audit(rows, scorer=scorer, gold="preference", **more)["scorers"]
    return found, {each["key"]: each for held in found["numbers"].values() for each in held}


def test_a_judge_of_pairs_that_sees_is_usable(serve):
    server = serve(sees)
    found, numbers = audit(pairs(), f"pairs:{server.url},model=m")
    assert (found["name"], found["kind"], found["verdict"]) == ("judge of pairs (m)", "verdict", "usable")
    assert numbers["pair_accuracy"]["value"] == 1.0
    assert (numbers["flips"]["value"], numbers["flips"]["n"]) == (0.0, 60)
    shown = Counter(sides(request["said"]) for request in server.requests)
    assert len(shown) == 120
    assert {(b, a) for a, b in shown} == set(shown)  # each pair in both orders


def test_one_that_takes_what_stands_first_discriminates_nothing(serve):
    found, numbers = audit(pairs(), f"pairs:{serve(lambda *_: chat('A')).url},model=m")
    assert found["verdict"] == "no discrimination"
    assert (numbers["flips"]["value"], numbers["flips"]["lo"] > 0.9) == (1.0, True)
    assert numbers["tied"]["value"] == 1.0
    # Were one order enough, it would be right wherever the better response is written down first.
    rows = [{"prompt": f"Is {i} so?", "chosen": f"Yes {i} §", "rejected": f"No {i}"} for i in range(40)]
    found, numbers = audit(rows, f"pairs:{serve(lambda *_: chat('A')).url},model=m")
    assert found["verdict"] == "no discrimination"
    assert numbers["pair_accuracy"]["value"] == 0.5


def test_what_is_no_verdict_is_counted_by_its_reason(serve):
    def behave(request, before):
        number = int(request["said"].split("Is ")[1].split(" so?")[0])
        return {0: chat("Both A and B."), 1: chat("Hard to say.")}.get(number % 6) or sees(request, 0)

    server = serve(behave)
    scorer = f"pairs:{server.url},model=m"
    found, numbers = audit(pairs(), scorer)
    assert {each["kind"]: each["count"] for each in found["failures"]} == {BOTH: 10, NO_SIDE: 10}
    assert numbers["failed"]["value"] == pytest.approx(20 / 60)
    assert numbers["pair_accuracy"]["n"] == 40
    asked = len(server.requests)
    audit(pairs(), scorer)
    assert len(server.requests) == asked == 120  # prose was paid for too


def test_a_judge_of_records_its_repeat_and_its_length(serve):
    def behave(request, _):
        noise = request["body"]["seed"] * (len(request["said"]) % 2)
        return chat(str((5 if "§" in request["said"] else 2) + noise))

    server = serve(behave)
    judge = f"judge:{server.url},model=m"
    found, numbers = audit(pairs(), judge, repeat=f"{judge},seed=1")
    assert (found["name"], found["kind"], found["verdict"]) == ("judge of quality (m)", "score", "usable")
    assert numbers["pair_accuracy"]["value"] == 1.0
    assert 0.2 < numbers["exact"]["value"] < 0.8
    assert numbers["shift"]["value"] > 0.2
    assert len(server.requests) == 240
    both = api.audit(pairs(), scorer=[judge, "@length"], gold="preference")
    assert [each["name"] for each in both["scorers"]] == ["judge of quality (m)", "@length"]
    assert len(server.requests) == 240


def test_chosen_and_rejected_are_compared_too(serve):
    rows = [{"prompt": f"Is {i} so?", "chosen": f"Yes {i} §", "rejected": "No" + i % 13 * "n"} for i in range(80)]
    document = api.audit(rows, scorer=f"pairs:{serve(sees).url},model=m", gold="preference")
    (found,) = document["scorers"]
    assert found["verdict"] == "usable"
    assert {each["key"]: each["value"] for each in found["numbers"]["leans"]}["flips"] == 0.0


def test_a_judge_that_goes_away_keeps_what_it_said(serve):
    server = serve(lambda request, _: sees(request, 0) if len(server.requests) <= 30 else (401, {}, {"error": "no"}))
    scorer = f"pairs:{server.url},model=m,at_once=1,tries=1"
    with pytest.raises(TriptychError, match="stopped with 30 of 60 records done"):
        audit(pairs(), scorer)
    server.behave = sees
    audit(pairs(), scorer)
    assert len(server.requests) == 121


def test_pairs_need_pairs_and_a_plan_asks_nothing(serve):
    server = serve(sees)
    alone = [{"prompt": f"p{i}", "response": "r", "preference": 1} for i in range(4)]
    with pytest.raises(UsageError, match="the records make no pairs"):
        audit(alone, f"pairs:{server.url},model=m")
    text = api.plan_audit(pairs(), scorer=f"judge:{server.url},model=m", gold="preference")
    assert "calls: one for each record, judge of quality (m)" in text
    assert "calls: none" in api.plan_audit(pairs(), scorer="@length")
    assert server.requests == []


def test_a_judge_is_one_name_in_a_list_of_them():
    judge = "judge:http://h:1/v1,model=a/b,key_env=K"
    assert split(f"@length,{judge},score,other=1") == ("@length", judge, "score", "other=1")
    assert split([judge, "a,b"]) == (judge, "a", "b")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A", 1.0), ("B", 0.0), ("[[A]]", 1.0), ("**B**.", 0.0), ("Response A is better.", 1.0), ("Answer: B", 0.0),
        ("<think>A or B</think> B", 0.0), ("", NO_SIDE), ("Both are fine.", NO_SIDE), ("a", NO_SIDE), ("A and B", BOTH),
        ("<think>A", CUT),
    ],
)  # fmt: skip
def test_a_verdict_is_one_letter(text, value):
    assert shown_first(Reply(text)) == value


def test_a_pair_in_both_orders():
    one, other = Item(b"1", "p", "first text"), Item(b"2", "p", "second text")
    item = pair_of(one, other)
    assert item.content_id != pair_of(other, one).content_id
    straight, turned = (question(item, swapped=order) for order in (False, True))
    assert sides(straight) == sides(turned)[::-1]
    assert question(Item(b"", "p", "x"), swapped=False) is None
    bench = bench_of("http://h,model=m")
    assert PairJudge(bench).identity != PairJudge(bench, swapped=True).identity
    assert [verdict(a, b) for a, b in ((1, 0), (0, 1), (1, 1), (0, 0))] == ["win", "loss", "tie", "tie"]
