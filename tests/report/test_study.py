"""Study documents as a page and on a terminal: inert, bounded, complete, undefined in words."""

import copy
import doctest
import io
import itertools
import json
import re

import pytest
from rich.console import Console

from triptych.core.errors import SchemaError
from triptych.report import loose, print_design, print_study, render_design_text, render_study, study_plots, study_words
from triptych.report.page import MAX_BYTES
from triptych.report.scales import Scale
from triptych.report.study import study_view
from triptych.report.study_model import read_design, read_parts
from triptych.report.study_records import STUDY_LADDER, Cell, Check, Dose, StudyLimits

CASES = ("one", "parts", "hostile", "bare", "wrong")


@pytest.fixture(scope="module")
def cases(made):
    kinds = ("effects", "arms", "runs", "points", "cells", "design", "bakeoff", "sensitivity", "power", "warnings")
    return {
        "one": made.document(),
        "parts": made.parts(),
        "hostile": made.hostile(),
        "bare": {},
        "wrong": dict.fromkeys(kinds, 7) | {"title": None, "panels": {"id": 1}, "dose": [[1]], "balance": "text"},
    }


@pytest.fixture(scope="module")
def pages(cases):
    return {name: render_study(document) for name, document in cases.items()}


@pytest.mark.parametrize("name", CASES)
def test_well_formed_and_loads_nothing(pages, name, inert):
    inert(pages[name])


@pytest.mark.parametrize("name", CASES)
def test_every_anchor_has_its_place(pages, name, parsed):
    page = parsed(pages[name])
    ids = [value for _, key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for _, key, value in page.attributes if key == "href"} <= set(ids)


@pytest.mark.parametrize("name", CASES)
def test_drawings_hold_numbers_only(pages, name, parsed):
    for _, key, value in parsed(pages[name]).attributes:
        if key in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height") and value:
            assert re.fullmatch(r"-?\d+(\.\d+)?%?", value) or value == "device-width, initial-scale=1", (key, value)
        if key == "d":
            assert re.fullmatch(r"[MLHVhlvzZ0-9. -]*", value), value[:80]


def test_hostile_text_is_shown_and_inert(pages, parsed):
    page = parsed(pages["hostile"])
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "49 }}" not in page.text
    assert "⟨U+202E⟩" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", pages["hostile"])
    assert "60 of 200 arms are shown" in page.text
    assert "276 more warnings" in page.text
    assert "The first 24 of 500 are shown." in page.text


def test_no_nan_in_words(pages, parsed):
    for name in ("one", "parts", "bare"):
        assert not re.search(r"\b(?:nan|NaN|inf)\b|[:=] ?None", parsed(pages[name]).text), name


def test_everything_the_document_says_is_there(pages, made, parsed):
    document, text = made.document(), parsed(pages["one"]).text
    for item in document["conclusions"] + document["warnings"]:
        assert item["text"] in text
    for item in document["effects"]:
        if item["family" if "family" in item else "kind"] == "designed" and item["estimate"] is not None:
            value, ends = study_words.signed(item["estimate"]), study_words.interval(item["lo"], item["hi"])
            assert f"{value} {ends}" in text, item
    for panel in document["panels"]:
        assert panel["name"] in text
    assert "b2-q2d2c2-s1 seed 1: exit code 137: out of memory" in text
    assert "0.143 over 0.1" in text
    assert "0.021 over" not in text
    assert "compositions - id" in text
    assert "45 finished runs of 46" in text
    assert "triptych study --preset findings" in text
    for arm in document["arms"]:
        assert arm["name"] in text
    for item in document["sensitivity"]:
        assert f"{item['name']} {study_words.signed(item['estimate'])}" in text
    for item in document["bakeoff"]["skills"]:
        assert f"{item['measure']} {study_words.signed(item['skill'])}" in text
    assert "rank 1 (1–3)" in text


def test_an_undefined_panel_is_a_reason_never_a_zero(made, parsed):
    document = made.document()
    document["effects"] = [item for item in document["effects"] if item["panel"] == "paraphrase"]
    document["contrasts"] = []
    page = render_study(document)
    text = parsed(page).text
    assert f"paraphrase not defined: {made.REASON}" in text
    assert 'class="evalue"' not in page.split('id="sensitivity"', maxsplit=1)[0]
    assert "+0.000" not in text
    assert "Quality is not defined on paraphrase." in text


def test_undefined_panels_have_no_lines_drawn(made):
    document = made.document()
    document["panels"][1]["undefined"] = "at its ceiling"
    view = study_view(document, StudyLimits())["parts"][0]
    for figures in (view.doses, view.pairs[0].figures):
        (own,) = (figure for figure in figures if figure.title == "compositions")
        assert own.pair is None
        assert own.dose is None
        assert own.undefined == "not defined: at its ceiling"
    assert {figure.title for figure in view.pairs[0].figures} == set(made.PLANTED)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, True, "0.5", None, 1e300])
def test_an_effect_without_a_number_has_a_reason(made, value, parsed):
    document = made.document()
    document["effects"] = [document["effects"][0] | {"estimate": value}]
    text = parsed(render_study(document)).text
    assert "the document gives neither a number nor a reason" in text
    assert not re.search(r"\b(?:nan|inf)\b", text)


def test_parts_share_one_page_and_one_scale(pages, made, parsed):
    text = parsed(pages["parts"]).text
    assert text.count("What can be concluded") == 2
    assert "All parts" in text
    view = study_view(made.parts(), StudyLimits())
    assert [study.title for study, _ in view["summary"]] == ["Programs", "Arithmetic text"]
    assert len({card.ticks for _, cards in view["summary"] for card in cards}) == 1
    assert "All parts" not in parsed(pages["one"]).text
    two = {"schema": "triptych/study@1", "designs": made.parts()["parts"]}
    assert parsed(render_study(two)).text.count("What can be concluded") == 2


def test_more_parts_than_shown_are_counted(made, parsed):
    text = parsed(render_study({"parts": [made.document()] * 15})).text
    assert "15 studies were given; this page shows the first 12." in text


def test_same_bytes(cases, pages):
    for name in ("one", "parts", "hostile"):
        before = copy.deepcopy(cases[name])
        assert render_study(cases[name]) == pages[name]
        assert repr(cases[name]) == repr(before)
    assert render_study(json.loads(json.dumps(cases["parts"]))) == pages["parts"]


def test_under_three_megabytes_for_any_input(made, parsed):
    one = made.hostile(arms=100, count=40)
    page = render_study({"parts": [one] * 9})
    assert "this page shows the first" in page  # the widest limits were too much
    assert len(page.encode()) < MAX_BYTES
    assert parsed(page).faults == []


def test_wrong_input():
    with pytest.raises(SchemaError, match="study@1"):
        render_study({"schema": "triptych/profile@1"})
    with pytest.raises(SchemaError, match="study@1"):
        render_study({"parts": [{"schema": "triptych/design@1"}]})
    with pytest.raises(SchemaError, match="no study document"):
        render_study(["text"])
    with pytest.raises(SchemaError, match="no design document"):
        render_design_text({"schema": "triptych/study@1"})


@pytest.mark.parametrize("module", [study_words, loose])
def test_worked_examples(module):
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def test_limits_only_shrink():
    for more, less in itertools.pairwise(STUDY_LADDER):
        assert all(getattr(more, name) >= getattr(less, name) for name in StudyLimits.__dataclass_fields__)


def check(value, lo, hi):
    return Check("Q", "id", "x", value, lo, hi, "")


def test_one_wide_interval_does_not_flatten_the_others():
    scale = study_plots.effect_scale([check(0.3, 0.2, 0.4), check(0.1, -80.0, 80.2)], 0.05)
    assert -1 < scale.lo < 0
    assert 0.4 <= scale.hi < 1
    mark = study_plots.effect_mark(check(0.1, -80.0, 80.2), scale, 0.05)
    assert mark.cut == (True, True)
    assert mark.lo < mark.zero < mark.x < mark.hi
    assert mark.band[0] < mark.zero < mark.band[1]
    assert study_plots.effect_mark(check(0.3, 0.2, 0.4), scale).cut == (False, False)
    assert study_plots.effect_mark(check(None, None, None), scale) is None


@pytest.mark.parametrize("values", [[], [0.0], [1e99, -1e99], [1e-12], [-0.5]])
def test_an_effect_scale_holds_zero_and_every_estimate(values):
    scale = study_plots.effect_scale([check(value, None, None) for value in values])
    assert scale.lo <= min([0.0, *values]) <= max([0.0, *values]) <= scale.hi
    assert scale.lo < scale.hi


def test_interaction_lines_are_means_over_the_other_factor():
    cells = [
        Cell("id", {"Q": q, "D": d, "C": c}, 0.5 + 0.2 * q + 0.1 * d * q + 0.05 * c, 0.0, 5)
        for q in (-1.0, 1.0)
        for d in (-1.0, 1.0)
        for c in (-1.0, 1.0)
    ]
    plot = study_plots.pair_plot(cells, "Q", "D", Scale(0.0, 1.0))
    assert [line.spoken for line in plot.lines] == [
        "D low: Q low 0.400, high 0.600",
        "D high: Q low 0.200, high 0.800",
    ]
    low, high = plot.lines
    assert low.dots[0][1] < high.dots[0][1]  # up is smaller y: at low Q, low D scores more
    assert low.dots[1][1] > high.dots[1][1]
    assert study_plots.pair_plot(cells[:4], "Q", "D", Scale(0.0, 1.0)) is None  # no high Q at all


def test_a_dose_plot_keeps_the_order_of_levels():
    doses = [Dose("Q", "id", level, 0.5 + level / 10, 0.01, 3) for level in (1.0, -1.0, 0.0)]
    plot = study_plots.dose_plot(doses, [], {"Q": "s0", "D": "s2"}, Scale(0.0, 1.0))
    assert [label for _, label in plot.x_ticks] == ["low", "centre", "high"]
    assert sorted(plot.lines[0].dots) == list(plot.lines[0].dots)
    assert study_plots.dose_plot(doses[:1], [], {"Q": "s0"}, Scale(0.0, 1.0)) is None


def test_every_run_is_drawn_once(made):
    view = study_view(made.document(), StudyLimits())["parts"][0]
    drawn = {f.title: sum(row.raw.count("M") for row in f.strip.rows) for f in view.strips if f.strip}
    assert drawn == dict.fromkeys(["id", "compositions", "deeper", "longer"], 45)
    assert [row.label for row in view.strips[0].strip.rows][:2] == ["Q low D low C low", "Q low D low C high"]


def test_known_checks_are_read_in_words():
    sensitivity = [
        {"kind": "leave one out", "block": "seed", "factor": "Q", "panel": "id", "estimate": 0.3, "lowest": 0.2}
        | {"lowest_without": "4", "highest": 0.4, "highest_without": "1", "sign_changes": True},
        {"kind": "covariate", "covariate": "mean length", "factor": "Q", "panel": "id", "estimate": 0.3}
        | {"with_covariate": 0.25, "lo": 0.1, "hi": 0.4},
        {"kind": "unheard of", "what": "x"},
    ]
    (study,), _ = read_parts({"sensitivity": sensitivity}, StudyLimits())
    left, covariate = study.checks
    assert (left.name, left.value, left.lo, left.hi) == ("leave one out: seed", 0.3, 0.2, 0.4)
    assert left.note == "lowest without 4, highest without 1; the sign changes"
    assert (covariate.name, covariate.value, covariate.lo) == ("with mean length", 0.25, 0.1)
    assert study.other_checks.rows == (("unheard of", "x"),)


def printed(document, width=80):
    out = io.StringIO()
    print_study(document, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_terminal_at_80_columns(cases, made):
    for document in cases.values():
        shown = printed(document)
        assert max(map(len, shown.splitlines())) <= 80
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    shown = printed(made.document())
    assert re.search(r"id +Q +\+0\.300 +\+0\.287 to \+0\.312 +< 0\.001 +raises", shown)
    assert re.search(r"paraphrase +Q +– +not defined", shown)
    assert "45 of 46 runs finished, 1 failed run" in shown
    assert "run b2-q2d2c2-s1 failed: exit code 137: out of memory" in shown
    words = " ".join(printed(made.parts()).split())
    assert words.count("What can be concluded") == 2
    assert made.document()["conclusions"][2]["text"] in words
    assert "[bold]x[/bold]" in printed(made.hostile())


def test_design_text(made):
    document = made.design()
    shown = render_design_text(document)
    assert max(map(len, shown.splitlines())) <= 80
    for text in ("0.143 over 0.1", "random", "condition number 1", "! arms share up to 0.41", "0.05: 2, 0.02: 4"):
        assert text in shown
    assert re.search(r"D +skeletons +12 to 200 +12 to 200", shown)
    assert re.search(r"largest: 0\.41", shown)
    document |= {"binding": "tokens in block 2"}
    assert "not separable in this pool: tokens in block 2" in render_design_text(document)


def test_design_text_of_several_designs_and_of_bad_ones(made):
    document = made.design()
    parts = [
        {key: document[key] for key in ("factors", "balance", "overlap")} | {"title": title}
        for title in ("equal records", "equal tokens")
    ]
    shown = render_design_text(document | {"designs": parts})
    assert shown.index("equal records") < shown.index("equal tokens")
    assert shown.count("response tokens") == 2
    bad = {"arms": [7, {"name": made.HOSTILE, "levels": {"Q": "x"}, "measured": {made.HOSTILE: 1}}], "factors": [1]}
    shown = render_design_text(bad | {"balance": [{}], "overlap": [], "warnings": ["text"]})
    assert "\x1b" not in shown
    assert "! text" in shown
    assert read_design(bad).arms_total == 1
    out = io.StringIO()
    print_design(document, Console(file=out, width=80, color_system=None))
    assert out.getvalue() == render_design_text(document)


def test_what_was_not_asked_is_not_flagged(made, parsed):
    document = made.design()
    document["balance"] = [{"variable": "length", "smd": 0.9, "ks": 0.5, "worst": "a vs b", "asked": False}]
    assert "0.900 not asked" in render_design_text(document)
    study = made.document() | {"balance": document["balance"]}
    assert "0.900 not asked" in parsed(render_study(study)).text


def test_each_effect_has_the_band_of_its_own_margin(made, parsed):
    document = made.document()
    for place, item in enumerate(document["effects"]):
        item["margin"] = 0.05 if place % 2 else 0.01
    assert "The shaded bands are the margins, which differ by panel." in parsed(render_study(document)).text
    lines = [
        line for card in study_view(document, StudyLimits())["parts"][0].cards for g in card.groups for line in g.lines
    ]
    widths = {round(line.mark.band[1] - line.mark.band[0]) for line in lines if line.mark}
    assert len(widths) == 2
    assert "The shaded band is the margin, −0.030 to 0.030 score." in parsed(render_study(made.document())).text


def test_what_a_trace_adds_is_shown(made, parsed):
    shares = [{"panel": "id", "term": "model", "alone": 0.623, "undefined": None}]
    text = parsed(render_study(made.document() | {"shares": shares, "agreement": []})).text
    assert "Shares of the variation panel term alone id model 0.623" in text
    assert "Agreement of rankings" not in text
