"""A rule against a benchmark: what it counts, what it shows, and what it refuses."""

from __future__ import annotations

import pytest

from triptych import api
from triptych.comparing.gate.words import markdown
from triptych.core.errors import SpecError
from triptych.core.rng import stream

LETTERS = "bcdfghklmnprstvw"


def sentences(label, n):
    """n texts of forty made-up words each: none shares eight words in a row with another."""
    draw = stream("gate benchmark", label)
    words = ["".join(LETTERS[i] + "aeiou"[j] for i, j in draw.integers((16, 5), size=(3, 2))) for _ in range(400)]
    return [" ".join(words[i] for i in draw.integers(len(words), size=40)) for _ in range(n)]


@pytest.fixture
def benchmark(write):
    return write("bench.jsonl", [{"prompt": text, "response": "yes"} for text in sentences("bench", 60)])


def rows(held):
    """300 records, so many of which hold a text of the benchmark."""
    own, others = sentences("own", 300), sentences("bench", 60)
    return [
        {"prompt": f"Read this: {others[at] if at < held else own[at]}", "response": "It is read."} for at in range(300)
    ]


def test_records_that_hold_its_text_are_counted_and_shown(gate, write, benchmark, one):
    rule = {"against": str(benchmark), "ceiling": 0.0}
    clean = gate(write("clean.jsonl", rows(0)), rules=[rule])
    assert clean["passed"]
    assert one(clean)["value"] == 0
    found = gate(write("held.jsonl", rows(9)), rules=[rule])
    limit = one(found)
    assert not found["passed"]
    assert (limit["kind"], limit["value"], limit["n"], limit["unit"]) == ("contamination", 9 / 300, 300, "ratio")
    assert "9 of 300 records hold text of bench" in limit["text"]
    assert limit["text"].endswith('"')
    assert " ".join(sentences("bench", 60)[0].split()[:3]) in limit["text"]
    assert found["contamination"][0]["items_hit"] == 9
    assert "held by, at most 0" in markdown(found)
    for ceiling, passes in ((9 / 300, True), (8 / 300, False)):
        assert gate(write("loose.jsonl", rows(9)), rules=[{**rule, "ceiling": ceiling}])["passed"] is passes


def test_beside_other_rules_and_on_a_saved_folder(gate, write, benchmark, tmp_path):
    data = write("data.jsonl", rows(6))
    api.measure(str(data), out=tmp_path / "saved", measures="tokens", workers=1)
    rules = [{"measure": "tokens", "floor": 1.0}, {"name": "clean", "against": str(benchmark), "ceiling": 0.01}]
    for given in (data, tmp_path / "saved"):
        found = gate(given, rules=rules)
        assert [one["rule"] for one in found["rules"]] == ["tokens", "clean"]
        assert [one["fails"] for one in found["rules"]] == [False, True]
        assert found["rules"][1]["value"] == 6 / 300


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"against": "BENCH"}, "no limit"),
        ({"against": "BENCH", "ceiling": 2.0}, "0 to 1"),
        ({"against": "BENCH", "ceiling": 0.0, "measure": "tokens"}, "measure has no effect beside against"),
        ({"against": "nowhere.jsonl", "ceiling": 0.0}, "nowhere.jsonl"),
        ({"against": 3, "ceiling": 0.0}, "a text"),
    ],
)
def test_rules_that_are_not_right(gate, write, benchmark, rule, words):
    given = {**rule, "against": str(benchmark)} if rule["against"] == "BENCH" else rule
    with pytest.raises(SpecError, match=words):
        gate(write("data.jsonl", rows(0)), rules=[given])
