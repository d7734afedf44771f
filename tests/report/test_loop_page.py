"""Loop documents as a page, as a picture and on a terminal: one arm and several, inert, bounded, honest about closed panels."""

import copy
import doctest
import io
import json
import re

import pytest
from rich.console import Console

from triptych.core.errors import SchemaError
from triptych.report import loop_model, loop_svg, print_loop, render_loop
from triptych.report.guard_records import RoundLimits
from triptych.report.loop import loop_view
from triptych.report.loop_figures import PATHS, PATHS_NARROW, headline_charts, path_plot
from triptych.report.loop_model import read_loop
from triptych.report.loop_words import called, groups, mean_score, outcome, overlap_line, title, verdict_line

CASES = ("document", "one_arm", "one_round", "crowded", "hostile", "holes", "bare", "wrong")
KEYS = ("arms", "config", "panels", "conclusions", "provenance", "warnings", "closed", "title")
PATH = r"[MLHVZahlvz0-9. -]*"


@pytest.fixture(scope="module")
def cases(courses):
    return {
        "document": courses.loop(),
        "one_arm": courses.loop(("keep",)),
        "one_round": courses.loop(("correct",), rounds=1),
        "crowded": courses.loop(("quality_only", "correct", "keep") * 4, rounds=5),
        "hostile": courses.hostile_loop(),
        "holes": courses.holes(courses.loop()),
        "bare": {},
        "wrong": dict.fromkeys(KEYS, 7),
    }


@pytest.fixture(scope="module")
def pages(cases):
    return {name: render_loop(document) for name, document in cases.items()}


def view(document):
    limits = RoundLimits()
    return loop_view(read_loop(document, limits), limits)


@pytest.mark.parametrize("name", CASES)
def test_well_formed_and_loads_nothing(pages, name, inert):
    inert(pages[name])


def test_hostile_text_is_shown_and_inert(pages, parsed):
    text = parsed(pages["hostile"]).text
    assert "<script>alert(1)</script>" in text
    assert "{{ 7*7 }}" in text
    assert "49 }}" not in text
    assert "⟨U+202E⟩" in text


def test_the_headline_picture_comes_first_and_holds_every_arm(cases, pages, parsed):
    charts = headline_charts(read_loop(cases["document"]))
    assert [item.title for item in charts] == [
        "What the dial shows: passed by the verifier",
        "Effective structures of what is written",
        "In distribution: id",
        "Out of distribution, closed: compositions",
        "Out of distribution, open: deeper",
    ]
    for item in charts:
        assert [course.label for course in item.courses] == ["quality_only", "correct", "keep"]
        assert [course.css for course in item.courses] == ["s1", "s0", "s2"]
    assert "quality_only: round 0 0.340" in charts[0].spoken
    first = next(
        value for tag, key, value in parsed(pages["document"]).attributes if (tag, key) == ("svg", "aria-label")
    )
    assert first == charts[0].spoken


def test_where_the_guard_spoke_is_marked_once(cases):
    found = read_loop(cases["document"])
    assert [called(arm) for arm in found.arms] == [[(2, "warn"), (3, "stop")], [(3, "warn")], []]
    structures = headline_charts(found)[1]
    assert [sum(bool(dot.flag) for dot in course.dots) for course in structures.courses] == [2, 1, 0]
    assert verdict_line(found.arms[0]) == "Guard: warned at round 2 and said stop at round 3; at the end collapsing."
    assert verdict_line(found.arms[2]) == "Guard: never warned; at the end healthy."
    assert verdict_line(read_loop({"arms": [{"policy": "none"}]}).arms[0]) == "The guard did not read this loop."


def test_what_came_of_an_arm(cases):
    found = read_loop(cases["document"])
    assert dict(outcome(found, found.arms[0])) == {
        "Passed by the verifier": "0.340 → 0.997",
        "ID": "0.740 → 0.030",
        "OOD closed": "0.710 → 0.020",
        "OOD open": "0.426 → 0.012",
        "Effective structures": "57.0 → 4.2",
    }
    assert title(found) == "Three loops, rounds 0 to 6"
    assert title(read_loop(cases["one_arm"])) == "Keep: our controller: rounds 0 to 6"
    assert title(read_loop({})) == "No loops, no round"


def test_panels_are_grouped_by_kind_and_closedness(cases, courses):
    document = copy.deepcopy(cases["document"])
    document["closed"] = {"panels": ["compositions", "deeper"]}
    found = read_loop(document)
    assert [group.short for group in groups(found)] == ["ID", "OOD"]
    assert groups(found)[1].title == "Out of distribution, closed: mean of compositions and deeper"
    turn = found.arms[0].rounds[0]
    mean = mean_score(turn, ("compositions", "deeper"))
    assert mean.value == pytest.approx((0.71 + 0.426) / 2)
    assert mean.lo < mean.value < mean.hi
    assert mean_score(turn, ("compositions", "absent")).value is None  # a panel that is missing is no nought


def test_overlap_with_closed_panels_is_told(cases):
    document = copy.deepcopy(cases["document"])
    found = read_loop(document)
    assert overlap_line(found, found.arms[0]) == (
        "Of what was trained on, 0 records have a prompt of compositions, or a structure of theirs that the start lacks, "
        "in 6 rounds compared."
    )
    document["arms"][0]["rounds"][4]["overlap"]["compositions"] = {"prompts": 0, "structures": 3}
    found = read_loop(document)
    assert overlap_line(found, found.arms[0]).startswith("Closed, and yet: of what round 4 selected, 0 have a prompt")
    document["arms"][0]["rounds"][4]["overlap"]["compositions"] = {"prompts": None}
    assert "some counts are missing" in overlap_line(read_loop(document), read_loop(document).arms[0])
    for turn in document["arms"][0]["rounds"]:
        del turn["overlap"]
    assert "does not say" in overlap_line(read_loop(document), read_loop(document).arms[0])


def test_the_collapse_is_made_visible(cases, pages, parsed):
    first, last = view(cases["document"])["arms"][0].wrote
    assert (first.when, last.when) == ("Round 0", "Round 6")
    assert last.effective == "4.2 effective structures"
    assert last.shares[0].width == 100.0  # the largest share of all loops
    assert first.shares[0].width < 30
    assert last.shares[-1].text == "under 0.001"
    text = parsed(pages["document"]).text
    for sample in (
        *cases["document"]["arms"][0]["rounds"][0]["samples"],
        *cases["document"]["arms"][0]["rounds"][6]["samples"],
    ):
        assert sample["prompt"] in text


def test_structures_may_come_as_counts_pairs_or_a_mapping():
    ways = ([{"name": "a", "n": 30}, {"name": "b", "n": 10}], [["a", 0.75], ["b", 0.25]], {"b": 10, "a": 30})
    for way in ways:
        turn = read_loop({"arms": [{"rounds": [{"commonest": way}]}]}).arms[0].turns[0]
        assert [(each.name, each.share) for each in turn.structures] == [("a", 0.75), ("b", 0.25)]


def test_decisions_dials_and_counts(cases, pages, parsed):
    keep = view(cases["document"])["arms"][2]
    assert len(keep.decisions) == 14
    assert keep.decisions[2][:3] == (1, "archive", "0.25")
    assert keep.dials.rows[0][0] in ("explore", "archive")  # what moved stands first
    dials = dict(keep.dials.rows)
    assert dials["explore"][2] == ("0.5 at 1, 0.5 at 1.6", True)
    assert [changed for _, changed in dials["push"]] == [False] * 7
    counts = dict(keep.counts.rows)
    assert counts["written"][0][0] == "6,000"
    assert counts["selected: archive"][0][0] == "800"
    assert [text for text, _ in counts["selected, with a structure of compositions (closed)"]] == ["0"] * 7
    text = parsed(pages["document"]).text
    assert "prompts written at 1.6 gave 0.21 new structures a sample, at 1.0 0.08" in text
    for said in cases["document"]["conclusions"]:
        assert said in text


def test_the_way_through_quality_and_diversity(cases):
    found = read_loop(cases["document"])
    for frame in (PATHS, PATHS_NARROW):
        plot = path_plot(found, frame)
        assert [len(path.dots) for path in plot.paths] == [7, 7, 7]
        left, top, right, bottom = frame.inner
        for path in plot.paths:
            places = [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([\d.]+ [\d.]+)", path.line)]
            assert all(left <= x <= right and top <= y <= bottom for x, y in places)
        assert {"quality_only, round 6", "keep, round 6", "round 0"} <= {label.text for label in plot.labels}
    collapsing, _, keeping = (re.findall(r"[ML]([\d.]+) ", path.line) for path in plot.paths)
    assert float(collapsing[-1]) < float(collapsing[0]) < float(keeping[-1])
    assert path_plot(read_loop(cases["one_round"]), PATHS) is None


def test_arms_of_one_policy_get_labels_and_colours_of_their_own():
    found = read_loop(
        {"arms": [{"policy": "archive:push=1"}, {"policy": "archive:push=2"}, {"policy": "archive:push=2"}, {}]}
    )
    assert [arm.label for arm in found.arms] == ["archive:push=1", "archive:push=2", "archive:push=2 3", "a loop"]
    assert len({arm.css for arm in found.arms}) == 4


def test_one_arm_shows_what_was_selected_beside_what_was_generated(cases):
    charts = {item.title: item for item in view(cases["one_arm"])["charts"]}
    assert [course.label for course in charts["Effective structures"].courses] == ["generated", "selected"]
    assert view(cases["one_arm"])["panels"] == []
    assert len(view(cases["document"])["panels"]) == 3


def test_an_arm_that_stopped_says_why_and_is_shorter(cases, parsed):
    document = copy.deepcopy(cases["document"])
    document["arms"][0] |= {
        "stopped": "nothing valid was written in round 3",
        "rounds": document["arms"][0]["rounds"][:4],
    }
    assert "Ended early: nothing valid was written in round 3" in parsed(render_loop(document)).text
    made = view(document)
    assert [len(item.strip.cells) for item in made["arms"]] == [4, 7, 7]
    assert made["arms"][0].strip.cells[1].x == made["arms"][1].strip.cells[1].x  # rounds stand under each other


def test_a_round_that_the_guard_did_not_see_breaks_nothing(cases, inert):
    document = copy.deepcopy(cases["document"])
    document["arms"][0]["rounds"][3] |= {"ledger": None, "guard": None}
    inert(render_loop(document))
    structures = headline_charts(read_loop(document))[1].courses[0]
    assert len(structures.dots) == 6
    assert read_loop(document).arms[0].rounds[3].records == 6000  # from the counts


def test_the_picture_alone_is_well_formed_and_inert(cases, parsed):
    for name in CASES:
        svg = loop_svg(cases[name])
        assert svg.startswith("<svg xmlns=")
        assert parsed(svg).faults == []
        assert "prefers-color-scheme: dark" in svg
        assert not re.search(r"<script>|url\(|@import|href|\{%", svg)
    assert loop_svg(cases["document"]).count('class="name"') == 5
    assert "no rounds that could be drawn" in loop_svg({})


def test_same_bytes(cases, pages):
    for name in ("document", "hostile", "holes"):
        before = repr(cases[name])
        assert render_loop(cases[name]) == pages[name]
        assert repr(cases[name]) == before
    assert render_loop(json.loads(json.dumps(cases["document"]))) == pages["document"]


def test_under_three_megabytes_for_any_input(courses, inert):
    document = courses.loop(("keep",), rounds=6)
    for each in document["arms"][0]["rounds"]:
        each["samples"] = [{"prompt": "é" * 9000, "response": "x" * 9000}] * 60
        each["decisions"] = [{"dial": "archive", "value": 1, "reason": "y" * 3000}] * 60
    document["arms"] *= 20
    page = inert(render_loop(document))
    assert "are shown; the others are in the document." in page.text


def test_no_hole_breaks_a_page(courses, inert):
    for policies in (("keep",), ("correct", "keep"), ("quality_only", "correct", "keep")):
        for rounds in (2, 4):
            document = courses.holes(courses.loop(policies, rounds))
            inert(render_loop(document))
            loop_svg(document)
            printed(document)


def test_wrong_input():
    for broken in ({"schema": "triptych/guard@1"}, ["text"], None):
        with pytest.raises(SchemaError, match="no loop document"):
            render_loop(broken)


def test_worked_examples():
    failed, tried = doctest.testmod(loop_model)
    assert tried
    assert not failed


def printed(document, width=80):
    out = io.StringIO()
    print_loop(document, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_terminal_at_80_columns(cases):
    for document in cases.values():
        shown = printed(document)
        assert max(map(len, shown.splitlines()), default=0) <= 80
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    shown = printed(cases["document"])
    assert re.search(r"6 +0\.997 +0\.030 +0\.020 +0\.012 +4\.2 +■ collapsing", shown)
    assert "Conclusions" in shown
    assert "[bold]x[/bold]" in printed(cases["hostile"])
