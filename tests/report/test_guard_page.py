"""Guard documents as a page and on a terminal: inert, bounded, complete, and never broken by what is missing."""

import copy
import doctest
import io
import itertools
import json
import re

import pytest
from rich.console import Console

from triptych.core.errors import SchemaError
from triptych.report import guard_plots, guard_words, plots, print_guard, render_guard
from triptych.report.guard import guard_view
from triptych.report.guard_figures import main_charts, round_table
from triptych.report.guard_model import read_guard, thinned
from triptych.report.guard_plots import Line, chart, spells_of, strip
from triptych.report.guard_records import ROUND_LADDER, RoundLimits, Ruling
from triptych.report.guard_words import one_in, panel_kind
from triptych.report.study_records import Reading

CASES = ("document", "healthy", "one", "long", "hostile", "holes", "bare", "wrong")
KEYS = (
    "rounds",
    "state",
    "verdict",
    "reasons",
    "since",
    "suggest",
    "at",
    "structure",
    "alarm_rate",
    "anchor",
    "notes",
    "warnings",
)
PATH = r"[MLHVZahlvz0-9. -]*"


@pytest.fixture(scope="module")
def cases(courses):
    return {
        "document": courses.guard(),
        "healthy": courses.guard("keep"),
        "one": courses.guard(rounds=1),
        "long": courses.guard("correct", 300),
        "hostile": courses.hostile_guard(),
        "holes": courses.holes(courses.guard()),
        "bare": {},
        "wrong": dict.fromkeys(KEYS, 7) | {"panels": "text", "provenance": []},
    }


@pytest.fixture(scope="module")
def pages(cases):
    return {name: render_guard(document) for name, document in cases.items()}


def view(document):
    limits = RoundLimits()
    return guard_view(read_guard(document, limits), limits)


@pytest.mark.parametrize("name", CASES)
def test_well_formed_and_loads_nothing(pages, name, inert):
    inert(pages[name])


def test_hostile_text_is_shown_and_inert(pages, parsed):
    text = parsed(pages["hostile"]).text
    assert "<script>alert(1)</script>" in text
    assert "{{ 7*7 }}" in text
    assert "49 }}" not in text
    assert "⟨U+202E⟩" in text


def test_the_headline_says_state_verdict_and_since_when(cases, parsed):
    assert view(cases["document"])["title"] == "Stop: the loop is collapsing, since round 2."
    assert view(cases["healthy"])["title"] == "Continue: the loop is healthy."
    assert view({})["title"] == "The document gives no verdict."
    benign = cases["healthy"] | {"state": "quality_control", "since": 3}
    assert view(benign)["title"] == "Continue: the loop narrows only by what was wrong, since round 3."
    lede = view(cases["document"])["lede"]
    assert lede.startswith(
        "7 rounds read, diversity at 1,000 valid records in each, a structure is the field skeleton."
    )
    assert "Declared false-alarm rate: 0.05." in lede


def test_everything_the_document_says_is_there(pages, cases, parsed):
    text, document = parsed(pages["document"]).text, cases["document"]
    for said in (*document["reasons"], *document["suggest"], *document["notes"], *document["warnings"]):
        assert said in text
    assert "at most about one in 20 would ever be stopped" in text
    assert "every prompt has one response" in text
    for title in ("Effective structures", "Passed by the verifier", "Lost by narrowing", "compositions", "id@16"):
        assert title in text
    assert "Rounds 0 to 1: healthy, continue Round 2: collapsing, warn Rounds 3 to 6: collapsing, stop" in text


def test_the_table_holds_the_documents_numbers(cases):
    table = round_table(read_guard(cases["document"]).rounds)
    rows = {(row.title, row.of): row.cells for row in table.rows}
    assert [value for value, _ in rows["Passed by the verifier", "generated"]][::6] == ["0.340", "0.997"]
    first = cases["document"]["rounds"][0]["diversity"]
    assert rows["Effective structures", "generated"][0] == ("57.0", f"{first['lo']:.1f}–{first['hi']:.1f}")
    assert rows["Effective structures", "selected"][-1] == ("–", "")  # the last round selects nothing
    assert ("Distance of responses to one prompt", "generated") not in rows
    assert any("every prompt has one response" in text for text in table.reasons)


def test_a_missing_number_is_never_drawn_as_nought(cases):
    document = copy.deepcopy(cases["document"])
    document["rounds"][3]["diversity"] = {"value": None, "undefined": "40 valid records"}
    own = main_charts(read_guard(document).rounds, {})[0]
    course = own.courses[0]
    assert len(course.dots) == 6
    assert course.path.count("M") == 2  # the line is broken, not bridged
    assert "40 valid records" in view(document)["table"].reasons[-1]


def test_a_gap_in_the_numbering_breaks_the_line():
    points = {at: Reading(0.1 * at) for at in (0, 1, 4, 5)}
    made = chart("x", [Line("a", "s0", points)], [0, 1, 4, 5])
    assert made.courses[0].path.count("M") == 2


def test_intervals_widen_the_axis_but_one_wild_one_does_not_flatten_the_rest():
    points = {at: Reading(10.0 + at, 9.0 + at, 11.0 + at) for at in range(6)}
    tame = chart("x", [Line("a", "s0", points)], range(6))
    wild = chart("x", [Line("a", "s0", points | {3: Reading(13.0, -1e9, 1e9)})], range(6))
    assert [label for _, label in tame.y_ticks] == [label for _, label in wild.y_ticks]


def test_a_course_far_apart_takes_a_log_axis_where_it_may():
    points = {at: Reading(300.0 / 3**at) for at in range(5)}
    lines = [Line("a", "s0", points)]
    assert chart("x", lines, range(5), axis="log").note == "log scale"
    assert chart("x", lines, range(5)).note == ""
    assert chart("x", [Line("a", "s0", points | {2: Reading(0.0)})], range(5), axis="log").note == ""
    assert chart("x", [Line("a", "s0", {})], range(5)) is None


def test_shares_may_keep_the_whole_axis():
    lines = [Line("a", "s0", {0: Reading(0.01), 1: Reading(0.03)})]
    assert [label for _, label in chart("x", lines, range(2), axis="whole").y_ticks] == ["0", "0.5", "1"]
    assert [label for _, label in chart("x", lines, range(2)).y_ticks][-1] != "1"
    marks = [Line("a", "s0", {0: Reading(4.0), 1: Reading(9.0)})]
    assert [label for _, label in chart("x", marks, range(2), axis="whole").y_ticks][-1] == "10"  # no shares


def test_labels_at_the_ends_keep_apart(cases):
    for item in main_charts(read_guard(cases["document"]).rounds, {}):
        places = sorted(course.label_y for course in item.courses if course.label)
        assert all(b - a >= 13.9 for a, b in itertools.pairwise(places))
        assert all(item.frame.top <= place <= item.frame.height - item.frame.bottom for place in places)


def test_the_strip_tells_state_and_verdict_without_colour(cases):
    found = read_guard(cases["document"])
    made = strip([(each.number, each.ruling) for each in found.rounds])
    assert [cell.sign for cell in made.cells] == ["●", "●", "▲", "■", "■", "■", "■"]
    assert made.cells[2].label == "collapsing"
    assert made.cells[2].spoken == "round 2: collapsing, warn"
    assert strip([(0, Ruling())]) is None
    assert spells_of([(0, Ruling("x", "")), (2, Ruling("x", ""))]) == ["Rounds 0 to 2: x"]
    crowded = strip([(at, Ruling("healthy", "continue")) for at in range(300)])
    assert all(cell.width > 0 for cell in crowded.cells)
    assert crowded.cells[-1].x + crowded.cells[-1].width <= 760


def test_panels_go_by_what_the_document_says_then_by_their_name():
    assert panel_kind("id_long") == "id"
    assert panel_kind("deeper@16") == "ood"
    assert panel_kind("idle@4", {"idle": "ood"}) == "ood"
    assert "declares no rate" in one_in(None)


def test_long_loops_are_thinned_and_it_is_said(cases, pages, parsed):
    text = parsed(pages["long"]).text
    assert "200 of 300 rounds are shown; the others are in the document." in text
    assert thinned(list(range(300)), 4) == [0, 100, 199, 299]
    assert read_guard(cases["long"]).rounds[-1].number == 299


def test_under_three_megabytes_for_any_input(courses, inert):
    document = courses.guard("correct", 400)
    for each in document["rounds"]:
        each["scores"] = {f"panel {at} {'y' * 80}": courses.share(0.5) for at in range(60)}
        each["reasons"] = ["x" * 4000] * 50
    inert(render_guard(document))


def test_same_bytes(cases, pages):
    for name in ("document", "hostile", "holes"):
        before = repr(cases[name])
        assert render_guard(cases[name]) == pages[name]
        assert repr(cases[name]) == before
    assert render_guard(json.loads(json.dumps(cases["document"]))) == pages["document"]


def test_no_hole_breaks_a_page(courses, inert):
    for policy in ("quality_only", "correct", "keep"):
        for rounds in (2, 3, 5):
            document = courses.holes(courses.guard(policy, rounds))
            inert(render_guard(document))
            printed(document)


def test_wrong_input():
    for broken in ({"schema": "triptych/study@1"}, ["text"], None):
        with pytest.raises(SchemaError, match="no guard document"):
            render_guard(broken)


def test_limits_only_shrink():
    for more, less in itertools.pairwise(ROUND_LADDER):
        assert all(getattr(more, name) >= getattr(less, name) for name in RoundLimits.__dataclass_fields__)


@pytest.mark.parametrize("module", [guard_words, guard_plots, plots])
def test_worked_examples(module):
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def printed(document, width=80):
    out = io.StringIO()
    print_guard(document, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_terminal_at_80_columns(cases):
    for document in cases.values():
        shown = printed(document)
        assert max(map(len, shown.splitlines())) <= 80
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    shown = printed(cases["document"])
    assert shown.startswith("Stop: the loop is collapsing, since round 2.")
    assert re.search(r"3 +4,438 +0\.740 +11\.7 +6\.6 +0\.308 +0\.290 +■ collapsing", shown)
    assert "roll back to round" in shown
    assert "[bold]x[/bold]" in printed(cases["hostile"])
