"""`measure` against benchmarks: what a comparison says of overlap, in a profile, on its page and in a sheet."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pytest

import triptych
from triptych import api
from triptych.core.errors import OutputError, ReadError, UsageError
from triptych.core.rng import stream
from triptych.report import render_profiles

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "lo", "mi")]


def rows(seed, n):
    draw = stream("held", seed)
    texts = [" ".join(draw.choice(WORDS, 30)) for _ in range(2 * n)]
    return [{"prompt": texts[2 * at], "response": texts[2 * at + 1] + "."} for at in range(n)]


@pytest.fixture(scope="module")
def held():
    return rows("bench", 60)


@pytest.fixture(scope="module")
def leaky(held):
    """120 records, of which the records 3 and 40 are of the benchmark; the response of record 40 is cut off."""
    out = rows("own", 120)
    out[3] = dict(held[7])
    out[40] = {"prompt": held[9]["prompt"], "response": ""}
    return out


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def measure(cache):
    def run(*data, **given):
        return triptych.measure(*data, **{"measures": ("tokens",), "cache": cache, "workers": 1, **given})

    return run


def test_it_is_what_a_comparison_says(measure, leaky, held, cache, tmp_path):
    clean = rows("clean", 120)
    profiles = measure(leaky, clean, against=[held], out=tmp_path / "out")
    entries = [profile.to_json()["contamination"]["benchmarks"][0] for profile in profiles]
    assert [(each["hits"], each["records"], each["items_hit"]) for each in entries] == [(2, 120, 2), (0, 120, 0)]
    compared = triptych.compare(leaky, clean, against=[held], measures=("tokens",), cache=cache, workers=1)
    for mine, theirs in zip(entries, compared["contamination"]["benchmarks"], strict=True):
        assert {**mine, "set": "", "list": ""} == {**theirs, "set": "", "list": ""}
    first = min((tmp_path / "out").glob("*/profile.json"), key=lambda path: len(path.parent.name))
    saved = json.loads(first.read_text("utf-8"))
    assert saved["contamination"]["text"].startswith("2 of 120 records")
    assert [warning["code"] for warning in saved["warnings"]].count("contamination") == 1
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.count('id="contamination"') == 1
    words = " ".join(held[7]["prompt"].split()[:5])
    assert f"<mark>{words}" in page


def test_without_a_benchmark_nothing_is_told(measure, leaky, tmp_path):
    (profile,) = measure(leaky, out=tmp_path / "out")
    assert "contamination" not in profile.to_json()
    assert 'id="contamination"' not in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_only_records_that_are_measured_are_told_of(measure, leaky, held):
    (profile,) = measure(leaky, against=[held], valid_only=True)
    (entry,) = profile.to_json()["contamination"]["benchmarks"]
    assert entry["records"] == profile.dataset["measured"] < 120
    assert entry["hits"] == 1
    (found,) = entry["examples"]
    assert (found["record"]["row"], found["benchmark"]["row"]) == (3, 7)
    assert found["text"] == held[7][found["record"]["field"]]


def test_a_second_run_computes_no_column_again(measure, leaky, held, cache, tmp_path):
    first, second = (measure(leaky, against=[held], out=tmp_path / name)[0].to_json() for name in "ab")
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    third = measure(leaky, against=[held])[0].to_json()
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == files
    for document in (first, second, third):
        del document["provenance"]
    assert first == second == third


@pytest.mark.parametrize("as_given", [lambda held: held, lambda held: (held,), pa.Table.from_pylist])
def test_one_benchmark_in_any_form(measure, leaky, held, as_given):
    (profile,) = measure(leaky, against=as_given(held))
    assert profile.to_json()["contamination"]["benchmarks"][0]["hits"] == 2


def test_a_name_several_benchmarks_and_the_plan(measure, leaky, held, tmp_path):
    path = tmp_path / "bench.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in held), encoding="utf-8")
    (profile,) = measure(leaky, against=[f"quiz={path}", path, rows("far", 60)])
    told = [(each["name"], each["hits"]) for each in profile.to_json()["contamination"]["benchmarks"]]
    assert told[:2] == [("quiz", 2), ("bench", 2)]
    assert told[2][1] == 0
    assert "benchmarks: 1; one pass" in api.plan(leaky, against=path)
    assert "benchmarks" not in api.plan(leaky)


def test_a_sheet_and_its_labels(measure, leaky, held, tmp_path):
    data = tmp_path / "mine.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in leaky), encoding="utf-8")
    against = {"against": [held], "out": tmp_path / "out"}
    measure(data, adjudicate=10, **against)
    sheet = tmp_path / "out" / "adjudicate.csv"
    with sheet.open(encoding="utf-8", newline="") as opened:
        table = list(csv.DictReader(opened))
    assert [row["list"].startswith("mine against ") for row in table] == [True, True]
    for row, said in zip(table, ("yes", "no"), strict=True):
        row["same"] = said
    with sheet.open("w", encoding="utf-8", newline="") as opened:
        out = csv.DictWriter(opened, table[0].keys())
        out.writeheader()
        out.writerows(table)
    with pytest.raises(OutputError, match="have been judged"):
        measure(data, adjudicate=5, **against)
    (profile,) = measure(data, labels=sheet, **against)
    (entry,) = profile.to_json()["contamination"]["benchmarks"]
    assert entry["precision"] == {"value": 0.5, "lo": 0.5, "hi": 0.5, "by": "labels"}
    assert "By 2 labels, 0.50 of the hits" in profile.to_json()["contamination"]["text"]
    with pytest.raises(UsageError, match="not looked for here"):
        measure(leaky, labels=sheet, **against)
    data.write_text(data.read_text("utf-8") + '{"prompt": "one more", "response": "of them"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="of other data"):
        measure(data, labels=sheet, **against)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"against": "nowhere.jsonl"}, ReadError, "nowhere"),
        ({"against": [[]]}, Exception, "record"),
        ({"adjudicate": 5}, UsageError, "--adjudicate without a benchmark"),
        ({"labels": "sheet.csv"}, UsageError, "--labels without a benchmark"),
        ({"against": "self", "adjudicate": 0}, UsageError, "at least one pair"),
        ({"against": "self", "adjudicate": 5}, UsageError, "without a folder"),
        ({"against": "self", "labels": "nowhere.csv"}, ReadError, "labels cannot be read"),
        ({"agains": "x"}, UsageError, "against"),
    ],
)
def test_what_is_wrong_is_said(measure, leaky, given, error, said):
    given = {name: leaky if value == "self" else value for name, value in given.items()}
    with pytest.raises(error, match=said):
        measure(leaky, **given)


def test_hostile_texts_are_inert_on_the_page(measure, held):
    nasty = rows("nasty", 60)
    nasty[5]["prompt"] = f"<script>alert(1)</script> {{{{ 7*7 }}}} \u202e {held[5]['prompt']} " + "x" * 9000
    (profile,) = measure(nasty, against=[held])
    page = render_profiles([profile.to_json()])
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    assert "x" * 1000 not in page
