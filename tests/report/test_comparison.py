"""Comparison documents as a page and on a terminal: inert, bounded, complete; never a winner where there is a trade."""

import copy
import doctest
import io
import itertools
import json
import re

import pytest
from rich.console import Console

from triptych.core.errors import SchemaError
from triptych.report import (
    comparison_model,
    loose_numbers,
    print_comparison,
    render_comparison,
)
from triptych.report.comparison import comparison_view
from triptych.report.comparison_model import read_comparison
from triptych.report.comparison_more import read_overlaps
from triptych.report.comparison_plots import forest_mark, forest_scale, forest_ticks, love_plot, rank_marks
from triptych.report.comparison_records import COMPARISON_LADDER, Balanced, ComparisonLimits
from triptych.report.comparison_words import answers, explanations, headline, more, price, sentence, summary, told
from triptych.report.page import MAX_BYTES

CASES = ("document", "confounded", "six", "all_undefined", "equal", "hostile", "wrong", "bare")
CORRECT, STRUCTURES, VENDI = "label_mean:field=correct", "effective_structures", "vendi:q=2,valid_only=true"


@pytest.fixture(scope="module")
def cases(compared):
    return {name: getattr(compared, name)() for name in CASES[:-1]} | {"bare": {}}


@pytest.fixture(scope="module")
def pages(cases):
    return {name: render_comparison(document) for name, document in cases.items()}


def shown(document):
    return comparison_view(read_comparison(document))


def first(document):
    return read_comparison(document).pairs[0]


def result(document, label, view=0):
    return next(item for item in document["pairs"][0]["views"][view]["results"] if item["label"] == label)


@pytest.mark.parametrize("name", CASES)
def test_well_formed_and_loads_nothing(pages, name, inert):
    inert(pages[name])


@pytest.mark.parametrize("name", CASES)
def test_every_anchor_has_its_place_and_every_drawing_holds_numbers_only(pages, name, parsed):
    page = parsed(pages[name])
    ids = [value for _, key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for _, key, value in page.attributes if key == "href"} <= set(ids)
    for _, key, value in page.attributes:
        if key in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"):
            assert re.fullmatch(r"-?\d+(\.\d+)?%?", value), (key, value)
            assert not value.endswith("%") or 0 <= float(value[:-1]) <= 100
        if key == "d":
            assert re.fullmatch(r"[MLHVQZahlqvz0-9. -]*", value), value[:80]


@pytest.mark.parametrize("name", CASES)
def test_every_drawing_is_told_in_words_or_hidden(pages, name, parsed):
    page = parsed(pages[name])
    labels = [value for tag, key, value in page.attributes if (tag, key) == ("svg", "aria-label")]
    hidden = sum((tag, key) == ("svg", "aria-hidden") for tag, key, _ in page.attributes)
    assert all(labels)
    assert len(labels) + hidden == page.tags.count("svg")


def test_no_nan_and_no_none_in_words(pages, parsed):
    for name in CASES:
        assert not re.search(r"\b(?:nan|NaN|inf)\b|[:=] ?None", parsed(pages[name]).text), name


def test_hostile_text_is_shown_and_inert(pages, parsed):
    text = parsed(pages["hostile"]).text
    assert "<script>alert(1)</script>" in text
    assert "{{ 7*7 }}" in text
    assert "49 }}" not in text
    assert "⟨U+202E⟩" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", pages["hostile"])
    assert "20 more warnings" in text
    assert "276 more warnings are in the document." in text


def test_comparability_comes_first(pages, cases, parsed):
    for name, start in (
        ("document", "Controlled: only one thing differs, the generator"),
        ("six", "Controlled: only one thing differs, the generator"),
        ("confounded", "Confounded: prompts, generator, filters, tasks and 1 more cause differ at once"),
        ("all_undefined", "Unknown whether the sets can be compared: a recipe card of either set"),
        ("equal", "Controlled: no known cause differs"),
        ("bare", "Not audited"),
    ):
        text = parsed(pages[name]).text
        assert headline(read_comparison(cases[name]).comparability).startswith(start.split(": a recipe")[0])
        assert text.index(start.split(": a recipe")[0]) < text.index("Provenance")
    text = parsed(pages["confounded"]).text
    assert text.index("None can be put down to one of them") < text.index("The answer")
    assert text.index("self-instruct") < text.index("The answer")  # all that differ, not only those of the headline
    assert "a field that names the generator" in parsed(pages["all_undefined"]).text


def test_everything_the_document_says_is_there(pages, cases, parsed):
    text, document = parsed(pages["document"]).text, cases["document"]
    for view in document["pairs"][0]["views"]:
        assert view["question"] in text
        for item in view["results"]:
            assert item["title"] in text
            assert item["label"] in text
        for item in view["balance"]:
            assert item["variable"] in text
    for cause in (*document["comparability"]["same"], *document["comparability"]["outcomes"]):
        assert cause["text"] in text
    assert "SMD 0.71" in text
    assert "0.970" in text
    assert "0.0066 (0.0048–0.0089)" in text
    assert "38 of 1,319 0.92 (0.86–0.97) by the chance level" in text
    assert "There are 12 apples , so 12 / 3 = 4 each." in text  # the mark ends before the comma
    assert "212 records have a near copy in the other set, a share of 0.053 (0.046–0.061)" in text
    assert "not defined: no threshold parts the pairs" in text
    assert document["models"]["text"] in text
    assert "50 labelled pairs near the threshold: precision 0.840 (0.710–0.920)." in text
    assert "0.790 (0.770–0.810)" in text
    assert "triptych compare data/ours_v2.jsonl.gz data/baseline.jsonl.gz --match records,length,prompt" in text
    assert "The sets differ in size" in text


def test_unknown_takes_the_documents_words_and_does_not_repeat_them():
    def said(text, missing=()):
        found = {"comparability": {"verdict": "unknown", "sentence": text, "missing": list(missing)}}
        audit = read_comparison(found).comparability
        return headline(audit), sentence(audit)

    assert said("Unknown: nothing differs; both hold the same records.") == (
        "Unknown: nothing differs; both hold the same records",
        "",
    )
    assert said("Unknown: the generator differs. Not known: filters.")[1] == "Not known: filters."
    assert said("", ["filters"])[0] == "Unknown whether the sets can be compared: filters"
    assert (
        said("Unknown" + "x" * 400, ["y" * 99] * 2)[0]
        == "Unknown whether the sets can be compared: 2 things are missing"
    )


def test_a_cause_that_the_main_view_holds_equal_is_no_longer_in_the_way(cases, parsed):
    document = copy.deepcopy(cases["confounded"])
    for cause in document["comparability"]["differs"]:
        cause["held"] = cause["cause"] != "generator"
    text = parsed(render_comparison(document)).text
    assert "The main view holds all but the generator equal: only its differences can be put down to that." in text
    assert text.count("held equal in the main view") == 4
    assert "None can be put down" not in text


def test_a_price_without_an_upper_end(cases):
    document = copy.deepcopy(cases["document"])
    document["pairs"][0]["price"]["hi"] = None
    assert price(first(document)).endswith("100 effective records cost 0.360 of quality (at least 0.210).")
    document["pairs"][0]["price"] |= {"per_unit": 0.25, "lo": 0.2, "hi": 0.31}
    assert price(first(document)).endswith("more of quality: each of them costs 0.250 of quality (0.200–0.310).")


def test_measures_of_one_title_are_told_apart(cases):
    document = copy.deepcopy(cases["document"])
    for view in document["pairs"][0]["views"]:
        one = next(item for item in view["results"] if item["label"] == VENDI)
        params = {"q": 2, "valid_only": False}
        view["results"].append(one | {"label": "vendi", "headline": False, "spec": {"params": params}})
    titles = {item.label: item.title for item in first(document).views[0].results}
    assert titles["vendi"] == "Vendi score, all"
    assert titles[VENDI] == "Vendi score, valid_only=true"
    assert titles[CORRECT] == "Label mean: correct"


def test_a_verdict_is_not_said_twice(cases, parsed):
    document = copy.deepcopy(cases["document"])
    document["comparability"]["sentence"] = "Controlled: one cause differs, the generator (model)."
    assert "one cause differs" not in parsed(render_comparison(document)).text
    document["comparability"]["differs"] = []
    assert "one cause differs" in parsed(render_comparison(document)).text


def test_the_answer_is_by_axis_and_a_trade_is_no_win(cases, pages):
    pair = first(cases["document"])
    assert [each.told.words for each in answers(pair)] == ["A better", "the measures disagree", "A higher"]
    assert summary(pair) == (
        "Equal records: A is better on quality; on diversity the measures disagree; A is higher on complexity. "
        "That is a trade, not a win."
    )
    assert price(pair) == (
        "B has 17.2 effective records more, A has 0.062 more of quality: "
        "100 effective records cost 0.360 of quality (0.210–0.610)."
    )
    assert answers(pair)[0].lines[0].numbers == "A 0.674, B 0.612: +0.062 (+0.048 to +0.076)"
    for name in CASES:
        assert "winner" not in pages[name]


def test_a_verdict_of_some_measures_says_how_many(cases):
    pair = read_comparison(cases["six"]).pairs[0]
    diversity = answers(pair)[1]
    assert (diversity.told.words, diversity.share) == ("A more varied", "by 1 of 2 measures")
    assert summary(pair).endswith("A is more varied by 1 of 2 measures.")
    document = copy.deepcopy(cases["six"])
    result(document, STRUCTURES)["verdict"] = "b"
    assert answers(first(document))[1].told.words == "the measures disagree"


def test_what_it_takes_to_tell(cases):
    document = copy.deepcopy(cases["confounded"])
    line = answers(first(document))[0].lines[0]
    assert line.told.words == "cannot tell"
    assert line.more == "About 9,800 records in each set would tell."
    result(document, CORRECT, 1)["lo"] = 0.001
    assert answers(first(document))[0].lines[0].more.startswith("Alone it would tell, but not with p adjusted")
    result(document, CORRECT, 1).update(needed=None, lo=-0.03)
    assert answers(first(document))[0].lines[0].more == "No number of records that can be had would tell."


def test_the_verdict_names_the_better_set_also_where_lower_is_better(cases):
    pair = first(cases["document"])
    rate = next(item for item in pair.views[0].results if item.label == "near_duplicate_rate")
    assert rate.diff < 0
    assert told(pair, rate).words == "A more varied"
    assert forest_mark(rate, forest_scale(pair.views[0].results)).x > 50  # the right favours the first set
    neutral = next(item for item in pair.views[0].results if item.label == "tokens")
    assert told(pair, neutral).words == "A higher"
    assert more(neutral) == "Higher is neither better nor worse."


def test_where_views_disagree_it_says_why(cases):
    found = {title: " ".join(said) for title, said in explanations(first(cases["document"]))}
    assert "Label mean: correct" not in found
    assert (
        "Length explains it. As they are, A more varied; with length held equal, equivalent (+54 becomes +2)."
        in (found["Effective structures"])
    )
    assert "Length may explain it. As they are, B more varied" in found["Vendi score"]
    assert "The sign turns with prompts and length held equal (−17.2 becomes +13.6)" in found["Vendi score"]
    assert "Distinct-2" not in found  # no headline measure


def test_a_difference_that_stays_is_not_explained(cases):
    document = copy.deepcopy(cases["document"])
    item = result(document, CORRECT, 2)
    item |= {"verdict": "cannot tell", "lo": item["diff"] - 0.08, "hi": item["diff"] + 0.08}
    said = dict(explanations(first(document)))["Label mean: correct"]
    stays = "with length held equal the difference stays (+0.062 becomes +0.054)"
    assert said == [f"As they are, A better; {stays}, but one cannot tell: the interval holds 0."]
    item |= {"lo": item["diff"] - 0.01, "hi": item["diff"] + 0.01}
    said = dict(explanations(first(document)))["Label mean: correct"]
    assert said[0].endswith("p is too large once it is adjusted for all measures.")
    result(document, CORRECT, 0)["verdict"] = "cannot tell"
    said = dict(explanations(first(document)))["Label mean: correct"]
    assert said[0].startswith("It shows only with size held equal: A better")


def test_without_the_raw_view_the_main_one_is_what_others_deny(cases):
    document = copy.deepcopy(cases["document"])
    document["pairs"][0]["views"] = document["pairs"][0]["views"][1:3]
    said = dict(explanations(first(document)))["Effective structures"]
    assert said[0].startswith("Length explains it. In the main view, A more varied")


def test_views_that_are_not_there_say_why_once(pages, cases, parsed):
    text = parsed(pages["confounded"]).text
    assert "Same prompts : not defined: the two sets have no prompt in common" in text
    assert text.count("the two sets have no prompt in common") == 3  # forest, table, balance
    text = parsed(pages["all_undefined"]).text
    assert "There is no answer: no records of the two sets can be matched so." in text
    assert "There is nothing to draw." in text
    assert shown(cases["all_undefined"])["pairs"][0].forest.groups == ()


def test_a_measure_without_a_number_or_a_margin_is_said_and_not_drawn(cases, parsed):
    document = copy.deepcopy(cases["document"])
    result(document, CORRECT).update(diff=None, undefined="no record has the field")
    result(document, VENDI)["margin"] = None
    lines = [line for group in shown(document)["pairs"][0].forest.groups for line in group.lines if not line.mark]
    assert [line.undefined for line in lines] == [
        "not defined: no record has the field",
        "no margin, so it has no place on the axis",
    ]
    assert "not defined: no record has the field" in parsed(render_comparison(document)).text


def test_without_headline_measures_the_first_of_each_axis_is_drawn(cases, parsed):
    document = copy.deepcopy(cases["document"])
    for view in document["pairs"][0]["views"]:
        for item in view["results"]:
            item["headline"] = False
    titles = [group.title for group in shown(document)["pairs"][0].forest.groups]
    assert titles == ["Label mean: correct", "Effective structures", "Reasoning steps"]
    assert "The document names no headline measure" in parsed(render_comparison(document)).text


def test_the_forest_stands_in_margins_and_bends_only_when_it_must(cases):
    near = first(cases["equal"]).views[0].results
    scale = forest_scale(near)
    assert not scale.bent
    assert (scale.at(-1) + scale.at(1)) / 2 == scale.at(0) == 50
    far = first(cases["confounded"])
    scale = forest_scale([item for view in far.views for item in view.results])
    assert scale.bent
    places = [x for x, _ in forest_ticks(scale)]
    assert places == sorted(places)
    assert all(b - a > 4 for a, b in itertools.pairwise(places))
    assert {"−30", "−1", "0", "1", "10"} <= {label for _, label in forest_ticks(scale)}
    item = next(item for item in far.views[0].results if item.label == CORRECT)
    mark = forest_mark(item, scale)
    assert mark.lo < mark.x < mark.hi < 50
    assert mark.cut == (False, False)


def test_a_wild_interval_is_cut_and_marked(cases):
    document = copy.deepcopy(cases["document"])
    result(document, CORRECT).update(lo=-1e9, hi=1e9)
    found = first(document).views[0].results
    mark = forest_mark(found[0], forest_scale(found))
    assert mark.cut == (True, True)
    assert render_comparison(document).count("‹") == 1


def test_the_love_plot_shows_before_and_after():
    plot = love_plot([Balanced("length", 0.7, 0.01, asked=True), Balanced("turns", None, None, asked=False)])
    assert plot.marks[0].before > plot.band[1]
    assert plot.band[0] < plot.marks[0].after < plot.band[1]
    assert (plot.marks[1].before, plot.marks[1].after) == (None, None)
    assert plot.zero == 50


def test_ranks_have_their_uncertainty(cases, pages, parsed):
    ranking = read_comparison(cases["six"]).ranks[0]
    marks = rank_marks(ranking)
    assert [mark.x for mark in marks] == sorted(mark.x for mark in marks)
    assert marks[0].lo == marks[0].x == marks[0].hi
    assert marks[1].lo < marks[2].x <= marks[1].hi
    assert [place.owner.letter for place in ranking.places][:3] == ["D", "F", "C"]
    assert "0.382–0.422 · rank 2 to 3" in parsed(pages["six"]).text


def test_every_pair_can_be_picked_without_a_script(cases, pages):
    for at in range(1, len(cases["six"]["pairs"]) + 1):
        assert f'href="#pair-{at}"' in pages["six"]
        assert f'<details class="pair-part" id="pair-{at}"' in pages["six"]


def test_sets_of_one_name_keep_their_own_letters(cases):
    pair = first(cases["equal"])
    assert (pair.first.letter, pair.second.letter) == ("A", "B")
    stray = first(cases["document"] | {"pairs": [{"first": "ours_v2", "second": "elsewhere"}]})
    assert stray.second.letter == "C"


def test_examples_are_marked_where_they_overlap():
    def pieces(spans):
        document = {"contamination": {"benchmarks": [{"name": "b", "examples": [{"text": "abcdef", "spans": spans}]}]}}
        return read_overlaps(document, ComparisonLimits()).rows[0].examples[0].pieces

    assert pieces([[1, 3]]) == ((False, "a"), (True, "bc"), (False, "def"))
    assert pieces([{"start": 4, "end": 99}, "bc"]) == ((False, "a"), (True, "bc"), (False, "d"), (True, "ef"))
    assert pieces([[0, 3], [2, 4]]) == ((True, "abc"), (True, "d"), (False, "ef"))
    assert pieces([[3, 1], 7, None]) == ((False, "abcdef"),)


def test_parts_that_were_not_asked_have_no_section(pages, cases):
    for name in ("contamination", "across", "models"):
        assert f'id="{name}"' in pages["document"]
        assert f'id="{name}"' not in pages["six"]
    assert "No benchmark was compared." in pages["all_undefined"]
    assert 'id="ranks"' not in pages["document"]


def test_the_command_is_the_documents_or_can_be_made(cases):
    assert read_comparison(cases["hostile"]).command.startswith("triptych compare '<script>")
    document = copy.deepcopy(cases["document"])
    del document["provenance"]["command"]
    assert read_comparison(document).command == "triptych compare data/ours_v2.jsonl.gz data/baseline.jsonl.gz"
    document["sets"][0]["path"] = "it's here.jsonl"
    assert read_comparison(document).command.startswith("triptych compare 'it'\"'\"'s here.jsonl'")


def test_same_bytes(cases, pages):
    for name in ("document", "hostile"):
        before = repr(cases[name])
        assert render_comparison(cases[name]) == pages[name]
        assert repr(cases[name]) == before
    assert render_comparison(json.loads(json.dumps(cases["document"]))) == pages["document"]


def test_under_three_megabytes_for_any_input(compared, parsed):
    page = render_comparison(compared.many())
    assert len(page.encode()) < MAX_BYTES
    assert "of 24 pairs are shown; the others are in the document." in page
    assert "of 99 measures are shown; the others are in the document." in page
    assert parsed(page).faults == []


def test_wrong_input():
    for broken in ({"schema": "triptych/study@1"}, ["text"], None):
        with pytest.raises(SchemaError, match="no comparison document"):
            render_comparison(broken)


def test_limits_only_shrink():
    for more_, less in itertools.pairwise(COMPARISON_LADDER):
        assert all(getattr(more_, name) >= getattr(less, name) for name in ComparisonLimits.__dataclass_fields__)


def test_worked_examples():
    for module in (comparison_model, loose_numbers):
        failed, tried = doctest.testmod(module)
        assert tried
        assert not failed


def printed(document, width=80):
    out = io.StringIO()
    print_comparison(document, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_terminal_at_80_columns(cases):
    for document in cases.values():
        text = printed(document)
        assert max(map(len, text.splitlines())) <= 80
        assert "\x1b" not in text
        assert "\u202e" not in text
    text = printed(cases["document"])
    assert text.startswith("Controlled: only one thing differs, the generator")
    assert re.search(r"Label mean: correct +0\.674 +0\.612 +\+0\.062 \+0\.048 to \+0\.076 +▶ A better", text)
    words = " ".join(text.split())
    assert "That is a trade, not a win." in words
    assert "Effective structures: length explains it." in words
    assert "! The sets differ in size" in words
    assert "about 9,800 records in each set would tell" in " ".join(printed(cases["confounded"]).split())
    assert "Same prompts: not defined: the two sets have no prompt in common" in " ".join(
        printed(cases["confounded"]).split()
    )
    assert re.search(r"2 +F calculator-175b +0\.402 +2 to 3", printed(cases["six"]))
    assert "[bold]x[/bold]" in printed(cases["hostile"])
