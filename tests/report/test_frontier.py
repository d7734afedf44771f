"""Frontier documents as a page, as a drawing and on a terminal: inert, bounded, complete, honest about intervals."""

import copy
import doctest
import io
import itertools
import json
import random
import re

import pytest
from rich.console import Console

from triptych.core.errors import SchemaError
from triptych.report import frontier_front, frontier_svg, print_frontier, render_frontier, typicality_svg
from triptych.report.frontier import frontier_view
from triptych.report.frontier_labels import Wanted, place
from triptych.report.frontier_model import read_frontier
from triptych.report.frontier_plots import legend, scatter
from triptych.report.frontier_records import FRONTIER_LADDER, FrontierLimits
from triptych.report.frontier_shapes import NARROW, SHAPES, SMALL, WIDE, shape
from triptych.report.frontier_words import ahead, command, cost, picked, references
from triptych.report.page import MAX_BYTES
from triptych.report.study_records import Reading

CASES = ("document", "one_point", "undefined", "crowded", "equal", "hostile", "bare", "wrong")
KINDS = ("points", "frontier", "hypervolume", "knee", "price", "threshold", "typicality", "pick", "failed", "warnings")
PATH = r"[MLHVZahlvz0-9. -]*"


@pytest.fixture(scope="module")
def cases(sample):
    made = {name: getattr(sample, name)() for name in CASES[:6]}
    return made | {"bare": {}, "wrong": dict.fromkeys(KINDS, 7) | {"diversity": "text", "at": [], "budget": None}}


@pytest.fixture(scope="module")
def pages(cases):
    return {name: render_frontier(document) for name, document in cases.items()}


def view(document):
    limits = FrontierLimits()
    return frontier_view(read_frontier(document, limits), limits)


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
        if key in ("x", "y", "cx", "cy", "r", "width", "height"):
            assert re.fullmatch(r"-?\d+(\.\d+)?%?", value), (key, value)
        if key == "d":
            assert re.fullmatch(PATH, value), value[:80]


def test_a_drawing_is_told_in_words_too(pages, parsed):
    tags = [(tag, key) for tag, key, _ in parsed(pages["document"]).attributes if tag == "svg"]
    told = [value for tag, key, value in parsed(pages["document"]).attributes if (tag, key) == ("svg", "aria-label")]
    assert len(told) >= 6
    assert all("On the front: A balanced:quality=0.9" in text for text in told[:2])
    hidden = tags.count(("svg", "aria-hidden"))
    assert tags.count(("svg", "role")) == len(told)
    assert tags.count(("svg", "role")) + hidden == parsed(pages["document"]).tags.count("svg")


def test_hostile_text_is_shown_and_inert(pages, parsed):
    text = parsed(pages["hostile"]).text
    assert "<script>alert(1)</script>" in text
    assert "{{ 7*7 }}" in text
    assert "49 }}" not in text
    assert "⟨U+202E⟩" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", pages["hostile"])
    assert "The first 24 of 300 are shown." in text
    assert "276 more warnings" in text


def test_no_nan_and_no_none_in_words(pages, parsed):
    for name in CASES:
        assert not re.search(r"\b(?:nan|NaN|inf)\b|[:=] ?None", parsed(pages[name]).text), name


def test_everything_the_document_says_is_there(pages, cases, parsed):
    text, document = parsed(pages["document"]).text, cases["document"]
    for point in document["points"]:
        assert point["text"] in text
    for judge in document["diversity"]:
        assert judge["title"] in text
    assert "not defined: it spent 612 of 1000 records" in text
    assert "deita:threshold=0.99 : too few: 412 of 1000 records are that far apart" in text
    assert "archive:by=skill : the data have no field skill" in text
    assert "Warning" not in text  # the word is the style's, the text is the document's
    assert "Diversity is read on 1,000 records of each selection." in text
    assert document["typicality"]["text"] in text
    assert "1,000 records taken from 7,914 records of gsm8k_model_solutions" in text
    for name in document["hypervolume"]["effective_templates"]:
        assert name in text
    assert "triptych frontier data.jsonl --budget 1000" in text


def test_letters_go_along_the_front_and_tables_use_them(cases, pages, parsed):
    found = read_frontier(cases["document"])
    names = frontier_front.letters(found)
    best = frontier_front.front(found, found.judges[0])
    assert [names[spot.id] for spot in best] == list("ABCDEF")[: len(best)]
    qualities = [spot.quality.value for spot in best]
    assert qualities == sorted(qualities, reverse=True)
    rows = view(cases["document"])["prices"]
    assert [row.letters for row in rows] == [f"{a} → {b}" for a, b in itertools.pairwise("ABCDEF")]
    assert (
        f"{rows[0].letters} {rows[0].start} {rows[0].end} {' '.join(rows[0].cells)}" in parsed(pages["document"]).text
    )


def test_the_price_is_the_documents(cases):
    document = cases["document"]
    price = [item for item in document["price"] if item["judge"] == "effective_templates"][1]
    made = view(document)
    assert made["price_heads"][2] == "Quality lost for each 10 effective records"
    row = made["prices"][1]
    assert row.cells[0] == f"{price['diversity_gained']:.0f}"
    assert float(row.cells[2]) == pytest.approx(10 * price["per_unit"], abs=6e-4)
    assert row.verdict == price["verdict"]


@pytest.fixture
def pair(sample):
    """Two policies; the second is dominated, by more or less than the intervals."""

    def made(gap):
        rng = random.Random(1)
        points = [sample.point("ours", "ours", (0.6, 0.8), rng), sample.point("theirs", "theirs", (0.6, 0.8), rng)]
        for key in ("quality", "diversity", "complexity"):
            points[1][key] = copy.deepcopy(points[0][key])
        points[1]["quality"] = sample.reading(points[0]["quality"]["value"] - gap, 0.02, ratio=True)
        document = sample.finished(points)
        for point in document["points"]:
            del point["clearly_dominated_by"]
        return read_frontier(document)

    return made


def test_what_lies_within_the_intervals_cannot_be_told(pair):
    assert " ".join(ahead(pair(0.2))) == (
        "ours has the only point of the front. It dominates 1 of 1 other policy: "
        "for each of their points it has one at least as good on both axes."
    )
    assert ahead(pair(0.01))[-1] == "For theirs that is within the intervals: cannot tell."


def test_the_documents_own_verdict_on_dominance_counts(cases):
    document = copy.deepcopy(cases["document"])
    for point in document["points"]:
        point["clearly_dominated_by"] = {judge["label"]: [] for judge in document["diversity"]}
    words = " ".join(references(read_frontier(document)))
    assert words.count("dominated within the intervals: cannot tell") == 4
    assert "cannot tell" not in " ".join(references(read_frontier(cases["document"])))


def test_compare_is_the_interval_of_the_difference():
    assert frontier_front.compare(Reading(1, 0.9, 1.1), Reading(1.16, 1.06, 1.26)) == "up"  # overlapping, yet told
    assert frontier_front.compare(Reading(1, 0.9, 1.1), Reading(1.12, 1.02, 1.22)) == "cannot tell"
    assert frontier_front.compare(Reading(1), Reading(2)) == "no interval"


def test_words_of_the_price_and_the_pick(cases):
    document = cases["document"]
    found = read_frontier(document)
    first, second = cost(found)
    assert first.startswith(
        "From the knee (D, balanced:quality=0.6) to the most diverse point (F, balanced:quality=0.5): "
    )
    assert re.search(r"\d+ effective records more for 0\.\d{3} of quality", first)
    assert second.startswith("From the best quality (A, balanced:quality=0.9) to the knee")
    assert picked(found).startswith("By --pick knee: D, balanced:quality=0.6, quality 0.")
    assert "Nothing was asked for" in picked(read_frontier(document | {"pick": None}))
    assert picked(read_frontier(document | {"pick": {"rule": "quality>=2"}})) == "No point meets --pick quality>=2."
    assert cost(read_frontier({})) == ["There is no price: the front has no points."]
    bare = read_frontier(
        document | {"knee": {"effective_templates": None}, "knee_reason": {"effective_templates": "flat"}}
    )
    assert cost(bare)[-1] == "There is no knee: flat."


def test_the_seed_claim_in_words(cases):
    document = copy.deepcopy(cases["document"])
    assert view(document)["seed_claim"] == (
        "From the loosest threshold to the tightest, quality rises; "
        "diversity narrows by 3 of 4 judges; by 1 of 4 judges one cannot tell."
    )
    drawings = view(document)["threshold"]
    assert [item.verdict for item in drawings] == ["rises", "narrows", "narrows", "cannot tell", "narrows"]
    document["threshold"]["rows"][1]["threshold"] = 0.2
    assert len(view(document)["threshold"][0].dots) == 4  # two levels at one threshold are one selection
    document["threshold"] = {"rows": [], "undefined": "one level only"}
    assert view(document)["seed_claim"] == "not defined: one level only"


def test_a_point_with_the_records_of_another_says_so(cases, parsed):
    document = copy.deepcopy(cases["document"])
    document["points"][-2]["same_as"] = document["points"][8]["id"]
    assert f"same records as {document['points'][8]['text']}" in parsed(render_frontier(document)).text


def test_typicality_without_the_documents_words(cases):
    document = copy.deepcopy(cases["document"])
    del document["typicality"]["text"]
    words = view(document)["typical_claim"]
    assert words == (
        "Compliance is 0.420 among the least typical records, 0.720 among the most typical: "
        "the farther a record lies from the typical case, the less it complies."
    )
    for row in document["typicality"]["deciles"]:
        row["compliance"] = {"value": 0.5, "lo": 0.4, "hi": 0.6}
    assert "cannot tell" in view(document)["typical_claim"]


def test_commands_can_be_pasted(cases):
    document = copy.deepcopy(cases["document"])
    found = read_frontier(document)
    best = frontier_front.front(found, found.judges[0])
    assert command(found, best[0]) == (
        "triptych select 'data/gsm8k model.jsonl.gz' --budget 1000 --quality correct --policy balanced:quality=0.9"
    )
    document |= {"budget": {"number": 2_000_000, "unit": "tokens"}, "quality": {"label": "label_mean:field=it's"}}
    document["complexity"]["label"] = "depth"
    found = read_frontier(document)
    assert command(found, best[0]) == (
        "triptych select 'data/gsm8k model.jsonl.gz' --budget '2000000 tokens' --quality 'it'\"'\"'s' "
        "--complexity depth --policy balanced:quality=0.9"
    )


def test_undefined_everywhere_is_said_and_not_drawn(pages, cases, parsed):
    text = parsed(pages["undefined"]).text
    assert "There is no front: no record is valid." in text
    assert "nothing can be drawn" in text
    assert text.count("not defined: no record is valid") == len(cases["undefined"]["points"])
    assert "No point has both quality and diversity" in frontier_svg(cases["undefined"])


@pytest.mark.parametrize("name", ["document", "crowded", "equal"])
@pytest.mark.parametrize("frame", [WIDE, NARROW, SMALL], ids=["wide", "narrow", "small"])
def test_labels_stay_inside_and_apart(cases, name, frame):
    found = read_frontier(cases[name])
    plot = scatter(found, found.judges[0], frame)
    boxes = []
    for label in plot.labels:
        width = 0.5 * frame.font * len(label.text)
        left = label.x - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
        boxes.append((left, label.y - 8, left + width, label.y))
    for a, b in itertools.combinations(boxes, 2):
        assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])
    assert all(box[0] >= 0 and box[2] <= frame.width and box[1] >= 0 and box[3] <= frame.height for box in boxes)
    tags = {part for label in plot.labels for part in label.text.split(" · ")}
    if name == "equal":
        assert "A–H" in tags  # eight points at one place
        return
    assert set(frontier_front.letters(found).values()) <= tags
    if name == "document":
        assert {"knee", "picked", "random ×5"} <= tags
        assert frame is SMALL or {"longest", "top quality", "balanced"} <= tags


def test_a_label_is_left_out_before_it_covers_another():
    frame = (0.0, 0.0, 33.0, 14.0)  # room for one of them
    wanted = [Wanted(text, "policy", ((2.0, 7.0),), 10) for text in ("one", "two")]
    assert [label.text for label in place(wanted, [], [], frame)] == ["one"]
    assert place(wanted, [(0, 0, 33, 14)] * 3, [], frame) == []


def test_the_front_is_a_staircase_over_its_points(cases):
    found = read_frontier(cases["document"])
    plot = scatter(found, found.judges[0], WIDE)
    best = frontier_front.front(found, found.judges[0])
    assert sum(mark.kind == "front" for mark in plot.marks) == len(best)
    places = [tuple(map(float, pair.split())) for pair in re.findall(r"[ML]([\d.]+ [\d.]+)", plot.steps)]
    assert len(places) == 2 * len(best) + 1
    for (x, y), (to_x, to_y) in itertools.pairwise(places):
        assert x == to_x or y == to_y
        assert to_x >= x
        assert to_y >= y
    left, top, right, bottom = WIDE.inner
    assert all(left <= x <= right and top <= y <= bottom for x, y in places)


def test_complexity_is_a_step_of_the_scale(cases):
    found = read_frontier(cases["document"])
    plot = scatter(found, found.judges[0], WIDE)
    assert {"q0", "q6"} <= {mark.css for mark in plot.marks} <= {f"q{at}" for at in range(7)}
    assert legend(found).lo == "2.97"
    assert legend(read_frontier(cases["equal"])).steps == ("q3",)
    without = read_frontier(cases["document"] | {"complexity": None})
    assert {mark.css for mark in scatter(without, without.judges[0], WIDE).marks} == {"qx"}
    assert legend(without).steps == ()


def test_one_wild_interval_does_not_flatten_the_others(cases):
    document = copy.deepcopy(cases["document"])
    document["points"][6]["diversity"]["effective_templates"] |= {"lo": -1e6, "hi": 1e6}
    found = read_frontier(document)
    plot = scatter(found, found.judges[0], WIDE)
    assert plot.cut
    xs = [x for x, _ in plot.x_ticks]
    assert len(xs) >= 3
    assert not scatter(read_frontier(cases["document"]), found.judges[0], WIDE).cut


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_paths_around_their_point(name):
    path = shape(name, 50.0, 50.0, 5.0)
    assert re.fullmatch(PATH, path)
    numbers = [float(value) for value in re.findall(r"-?[\d.]+", path.split("a")[0])]
    assert all(abs(value - 50) <= 8 for value in numbers)


def test_the_drawing_alone_is_well_formed_and_inert(cases, parsed):
    for name in CASES:
        svg = frontier_svg(cases[name])
        assert svg.startswith("<svg xmlns=")
        assert parsed(svg).faults == []
        assert "prefers-color-scheme: dark" in svg
        assert not re.search(r"<script|url\(|@import|href|\{%", svg)
    assert typicality_svg({}) is None
    svg = typicality_svg(cases["document"])
    assert parsed(svg).faults == []
    assert svg.count("<circle") == 10


def test_same_bytes(cases, pages):
    for name in ("document", "hostile"):
        before = repr(cases[name])
        assert render_frontier(cases[name]) == pages[name]
        assert repr(cases[name]) == before
    assert render_frontier(json.loads(json.dumps(cases["document"]))) == pages["document"]
    assert frontier_svg(cases["document"]) == frontier_svg(cases["document"])


def test_under_three_megabytes_for_any_input(sample, parsed):
    document = sample.finished(sample.crowded(40)["points"])
    points = document["points"] * 60
    document |= {"points": [p | {"id": f"{p['id']} {at}", "text": "p:x=" + "y" * 400} for at, p in enumerate(points)]}
    document["frontier"] = {}
    page = render_frontier(document)
    assert len(page.encode()) < MAX_BYTES
    assert "of 2,400 points are shown; the others are in the document." in page
    assert parsed(page).faults == []


def test_wrong_input():
    for broken in ({"schema": "triptych/study@1"}, ["text"], None):
        with pytest.raises(SchemaError, match="no frontier document"):
            render_frontier(broken)
    with pytest.raises(SchemaError, match="frontier@1"):
        frontier_svg({"schema": "triptych/profile@1"})


def test_limits_only_shrink():
    for more, less in itertools.pairwise(FRONTIER_LADDER):
        assert all(getattr(more, name) >= getattr(less, name) for name in FrontierLimits.__dataclass_fields__)


def test_worked_examples():
    failed, tried = doctest.testmod(frontier_front)
    assert tried
    assert not failed


def printed(document, width=80):
    out = io.StringIO()
    print_frontier(document, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_terminal_at_80_columns(cases):
    for document in cases.values():
        shown = printed(document)
        assert max(map(len, shown.splitlines())) <= 80
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    shown = printed(cases["document"])
    assert re.search(r"D +balanced:quality=0\.6 +0\.\d+ ±0\.\d+ +\d+ ±\d+ .*knee, picked", shown)
    assert "deita:threshold=0.99 failed: too few" in shown
    words = " ".join(shown.split())
    assert "It dominates 13 of 14 other policies" in words
    assert "[bold]x[/bold]" in printed(cases["hostile"])
