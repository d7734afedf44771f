"""Overlap, duplicates and the sheet as parts of a comparison: from the options to the files and back."""

from __future__ import annotations

import csv
import json

import pytest

import triptych
from triptych.core.errors import OutputError, ReadError, UsageError
from triptych.core.rng import stream

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "lo", "mi")]


def rows(seed, n):
    draw = stream("overlaps", seed)
    texts = [" ".join(draw.choice(WORDS, 30)) for _ in range(2 * n)]
    return [{"prompt": texts[2 * at], "response": texts[2 * at + 1]} for at in range(n)]


@pytest.fixture(scope="module")
def held():
    return rows("held", 60)


@pytest.fixture(scope="module")
def sets(held):
    first, second = rows("first", 120), rows("second", 120)
    second[:10] = [dict(row) for row in first[20:30]]
    second[40] = dict(held[7])
    return first, second


@pytest.fixture(scope="module")
def compare(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")

    def run(sets, **given):
        return triptych.compare(*sets, measures=("tokens",), cache=cache, workers=1, **given)

    return run


def test_against_adjudicate_and_labels(tmp_path, sets, held, compare):
    document = compare(sets, against=[held], adjudicate=20, out=tmp_path / "out")
    by_set = {(each["set"], each["hits"]) for each in document["contamination"]["benchmarks"]}
    assert {hits for _, hits in by_set} == {0, 1}
    assert document["across"]["pairs"] == 10
    assert document["across"]["meaning"]["pairs"] in (10, None)
    sheet = document["sheet"]
    assert 10 <= len(sheet) <= 20
    path = tmp_path / "out" / "adjudicate.csv"
    with path.open(encoding="utf-8", newline="") as opened:
        table = list(csv.DictReader(opened))
    assert [row["first"] for row in table] == [row["first"] for row in sheet]
    saved = json.loads((tmp_path / "out" / "comparison.json").read_text("utf-8"))
    assert saved["across"] == document["across"]

    wrong = True
    for row in table:
        row["same"] = "no" if wrong and row["list"] == document["across"]["list"] else "yes"
        wrong = wrong and row["same"] == "yes"
    with path.open("w", encoding="utf-8", newline="") as opened:
        out = csv.DictWriter(opened, table[0].keys())
        out.writeheader()
        out.writerows(table)
    with pytest.raises(OutputError, match="have been judged"):
        compare(sets, adjudicate=5, out=tmp_path / "out")
    again = compare(sets, against=[held], labels=path, out=tmp_path / "out")
    told = again["across"]["adjudication"]
    labelled = sum(row["list"] == document["across"]["list"] for row in table)
    assert told["labelled"] == labelled
    assert told["precision"] == pytest.approx(1 - 1 / labelled)
    assert told["lo"] == told["precision"] == told["hi"]  # all ten were judged
    assert again["sheet"] is None
    hit = next(each for each in again["contamination"]["benchmarks"] if each["hits"])
    assert hit["precision"]["by"] == "labels"
    with pytest.raises(UsageError, match="not looked for here"):
        compare(sets, labels=path)
    with pytest.raises(UsageError, match="of other data"):
        compare((sets[0], sets[1][:-1]), against=[held], labels=path)


def test_without_being_asked_only_texts_are_compared(sets, compare):
    document = compare(sets)
    assert document["contamination"] is None
    assert document["sheet"] is None
    assert document["across"]["pairs"] == 10
    assert document["across"]["meaning"] is None


def test_what_is_wrong_is_said_before_the_work(tmp_path, sets, compare):
    with pytest.raises(ReadError, match="nowhere"):
        compare(sets, against=str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(ReadError, match="labels cannot be read"):
        compare(sets, labels=tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="at least one pair to judge"):
        compare(sets, adjudicate=0)
