"""The page: inert, bounded, self-contained, complete, the same every time."""

import copy
import io
import json
import re

import pytest
from rich.console import Console

from triptych.core.errors import SchemaError, UsageError
from triptych.report import print_profiles, render_profiles
from triptych.report.page import LADDER, MAX_BYTES, environment


@pytest.fixture(scope="module")
def cases(make, compared):
    return {
        "against": [leaky(make.document(), compared)],
        "leaky": [leaky(make.hostile(), compared, nasty=True), leaky(make.document(), compared), make.document()],
        "one": [make.document()],
        "three": make.three(),
        "twelve": make.twelve(),
        "hostile": [make.hostile(), make.document()],
        "encoders": [make.document(), make.other_encoder()],
        "bare": [{}, {"dataset": {}, "estimates": [{"axis": "quality"}]}],
    }


@pytest.fixture(scope="module")
def pages(cases):
    return {name: render_profiles(documents) for name, documents in cases.items()}


def leaky(document, compared, *, nasty=False):
    """The document with what its set holds of two benchmarks; nasty: with hostile texts and wrong types in it."""
    found = copy.deepcopy(compared.contamination())
    first = found["benchmarks"][0]
    if nasty:
        text = "<script>alert(2)</script> \u202e" + "y " * 900 + "the shared words of an item " + "z " * 900
        start = text.index("the shared")
        first["examples"] = [{"record": {"row": 3}, "spans": [[start, start + 27], "x", [5, 2], None], "text": text}]
        found["benchmarks"] += [{"name": 7, "hits": "many", "examples": [3, None]}, {}, "no", None]
    return document | {"contamination": found}


NAMES = ["one", "three", "twelve", "hostile", "encoders", "bare", "against", "leaky"]


@pytest.mark.parametrize("name", NAMES)
def test_well_formed_and_loads_nothing(pages, name, inert):
    inert(pages[name])


def test_hostile_text_is_shown_and_inert(pages, make, parsed):
    page = parsed(pages["hostile"])
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "49 }}" not in page.text
    assert "⟨U+202E⟩" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", pages["hostile"])
    assert len(pages["hostile"].encode("utf-8")) < MAX_BYTES


def test_no_percent_and_no_nan_in_words(pages, make, parsed):
    for name in ("one", "three", "twelve", "encoders", "bare"):
        text = parsed(pages[name]).text
        assert "%" not in text
        assert not re.search(r"\b(?:nan|NaN|inf)\b|[:=] ?None", text), name


def test_undefined_is_words_never_a_number(make, parsed):
    document = make.document()
    document["estimates"] = [row for row in document["estimates"] if row["measure"] == "solve_rate"]
    for headline in (True, False):
        document["estimates"][0]["headline"] = headline
        page = render_profiles([document])
        assert "not defined: no student was named" in parsed(page).text
        assert 'class="value"' not in page
        assert 'class="num">0' not in page.split('id="defects"', maxsplit=1)[0].split("Defects: records", maxsplit=1)[0]


def test_a_number_that_is_none_is_undefined(make, parsed):
    document = make.document()
    document["estimates"][0] |= {"value": float("nan"), "lo": float("inf"), "hi": 10**400, "n": True}
    text = parsed(render_profiles([document])).text
    assert "the document gives neither a value nor a reason" in text
    assert not re.search(r"\b(?:nan|inf)\b", text)


def test_a_real_zero_is_a_zero(make, parsed):
    text = parsed(render_profiles([make.document("repetitive")])).text
    assert "Cut responses ratio, lower is better 0 1 repetitive 0 0–0.0065" in text


def test_sets_under_different_encoders_share_no_scale(pages, make, parsed):
    text = parsed(pages["encoders"]).text
    assert "measured under different encoders (A: static@1a2b3c; B: minilm@99ff)" in text
    assert text.count("its own scale") >= 4
    assert "its own scale" not in parsed(pages["three"]).text


def test_the_correlation_with_length_stands_with_its_measure(pages):
    main = pages["one"].split('id="methods"', maxsplit=1)[0]
    assert "correlation with length 0.41" in main
    assert "Correlation with length" not in main


def test_everything_that_the_document_says_is_there(make, parsed):
    text = parsed(render_profiles(make.three())).text
    for document in make.three():
        assert document["dataset"]["grouping"][1:] in text
        assert document["dataset"]["detected"] in text
        for row in document["estimates"]:
            assert row["title"] in text
            assert row["spec"]["hash"] in text
            assert row["about"]["source"] in text
        for warning in document["warnings"]:
            assert warning["text"] in text
    assert "no interval: fewer than 8 blocks" in text
    assert "bound: error at most 0.002" in text
    assert "Friedman & Dieng 2023" in text
    assert "demo/noisy.jsonl:17 not JSON" in text


def test_excerpts_are_cut(make):
    document = make.document()
    document["offenders"][0]["items"][0]["response"] = "word " * 100_000
    said = re.findall(r"<pre[^>]*>(.*?)</pre>", render_profiles([document]), re.DOTALL)
    assert max(map(len, said)) <= 401


def test_same_bytes(cases, pages):
    for name, documents in cases.items():
        before = copy.deepcopy(documents)
        assert render_profiles(documents) == pages[name]
        assert documents == before
    again = json.loads(json.dumps(cases["three"]))
    assert render_profiles(again) == pages["three"]


def huge(make, name):
    document = make.document("noisy", name, 1_000_000)
    long = "<&'\"\u202e💥" * 3000
    document["estimates"] = [
        row | {"label": f"{row['label']}{at}", "title": f"{at} {long}", "spec": {"hash": f"{at}"}, "undefined": None}
        for at in range(12)
        for row in document["estimates"]
    ]
    for row in document["estimates"]:
        row["spec"] = {"hash": row["label"]}
        row["about"] = dict.fromkeys(("summary", "source", "conditional_on"), long) | {"confounders": [long] * 50}
    example = {"where": long, "note": long, "prompt": long, "response": long}
    document["offenders"] = [{"title": long, "why": long, "items": [example] * 200}] * 50
    document["defects"] = [
        {"kind": f"{at}{long}", "count": 1, "share": 0.1, "examples": [example] * 200} for at in range(50)
    ]
    document["warnings"] = [{"code": "x", "text": f"{at} {long}"} for at in range(500)]
    document["histograms"] = [document["histograms"][0] | {"column": f"{at}"} for at in range(100)]
    return document


@pytest.mark.parametrize("sets", [1, 12, 30])
def test_under_three_megabytes_for_any_input(make, sets, parsed):
    one = huge(make, "big")
    page = render_profiles([one] * sets)
    assert len(page.encode()) < 3_000_000
    assert parsed(page).faults == []


def test_the_last_rung_is_small(make):
    from triptych.report.page import render
    from triptych.report.profiles import profile_view

    page = render("profiles.html.jinja", profile_view([huge(make, "big")] * 60, LADDER[-1]))
    assert len(page.encode()) < MAX_BYTES / 3
    assert "60 sets were given; this page shows the first 6" in page


def test_more_sets_than_shown_are_counted(make, parsed):
    text = parsed(render_profiles([make.document()] * 45)).text
    assert "45 sets were given; this page shows the first 40" in text


def test_wrong_input():
    with pytest.raises(UsageError):
        render_profiles([])
    with pytest.raises(SchemaError, match="profile@1"):
        render_profiles([{"schema": "triptych/study@1"}])
    with pytest.raises(SchemaError):
        render_profiles(["text"])


def test_autoescape_is_on():
    assert environment().from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"


def test_overlap_with_benchmarks_is_told_where_it_was_looked_for(pages, make, parsed):
    text = parsed(pages["against"]).text
    assert "41 records hold much of a text of gsm8k_test." in text
    assert "gsm8k_test 6,240 41 0.0066 (0.0048–0.0089) 38 of 1,319 0.92 (0.86–0.97) by the chance level" in text
    assert "humaneval 6,240 0 0 (0–0.0006)" in text
    assert "<mark>Natalia sold clips to 48 of her friends in April,</mark>" in pages["against"]
    assert '<th scope="col">Set</th>' not in pages["against"].split('id="contamination"')[1].split("</section>")[0]
    for name in ("one", "three"):
        assert 'id="contamination"' not in pages[name]
        assert "<mark>" not in pages[name]


def test_of_a_long_text_the_part_with_the_span_is_shown(pages, parsed):
    page = parsed(pages["leaky"])
    assert "<mark>the shared words of an item</mark>" in pages["leaky"]
    assert "y " * 300 not in page.text
    assert page.text.count("ours_v2") >= 2  # whose overlap it is, where there are several sets


def test_overlap_on_a_terminal(make, compared):
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_profiles([leaky(make.document(), compared), make.document()], console)
    said = " ".join(console.file.getvalue().split())
    holds = "41 of 6,240 records, 0.0066 (0.0048–0.0089), hold text of gsm8k_test; precision 0.92 (0.86–0.97) by the chance level"
    assert said.count(holds) == 1
    assert said.count("no record holds text of humaneval") == 1
