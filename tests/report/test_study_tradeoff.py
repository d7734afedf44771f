"""Quality against diversity in a study's page and on a terminal: complete, tolerant, undefined in words."""

import io
import re
from html import unescape

import pytest
from rich.console import Console

from triptych.report import print_study, render_study
from triptych.report.study_model import read_parts
from triptych.report.study_records import StudyLimits
from triptych.report.study_tradeoff import rows, sentences, tradeoff_view


def point(temperature, quality, diversity):
    found = {"temperature": temperature, "undefined": None}
    for name, value, half in (("valid", 0.9, 0.02), ("quality", quality, 0.03), ("diversity", diversity, 2.0)):
        found |= {name: value, f"{name}_lo": value - half, f"{name}_hi": value + half}
    return found | {"diversity_right": diversity / 2}


def document(**more):
    return {
        "tradeoff": {
            "text": "In each block tiny wrote.",
            "points": [point(0.4, 0.64, 37.6), point(1.0, 0.36, 48.1), point(1.6, 0.06, 61.2)],
            "data": {"quality": 0.75, "diversity": 46.1},
            "slope": {"estimate": -0.918, "lo": -1.175, "hi": -0.66, "verdict": "trade off", "unit": "per doubling"},
            "selection": {
                "temperature": 1.0,
                "among": "records with equally many words",
                "quality": {"estimate": 0.179, "lo": 0.162, "hi": 0.196},
                "diversity": {"estimate": 0.814, "lo": 0.796, "hi": 0.832},
                "verdict": "trade off",
            },
            "selection_any_length": {"quality": {"estimate": 0.02}, "verdict": "cannot tell"},
            "failed": [{"block": "3", "error": "out of memory"}],
            "undefined": None,
        }
        | more
    }


def read(found):
    return read_parts(found, StudyLimits())[0][0].tradeoff


def page_text(found):
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", render_study(found)).split()))


def printed(found):
    out = io.StringIO()
    print_study(found, Console(file=out, width=80, color_system=None))
    return out.getvalue()


def test_all_of_it_is_on_the_page_and_on_the_terminal():
    text = page_text(document())
    for said in (
        "In each block tiny wrote.",
        "−0.918 (−1.175 to −0.660) per doubling: trade off.",
        "at temperature 1, likelier among records with equally many words, against a random half:",
        "likelier among all records, against a random half: quality +0.020 (no interval), diversity not defined: cannot",
        "quality +0.179 (+0.162 to +0.196), diversity times 0.81 (0.80–0.83): trade off.",
        "0.4 0.900 (0.880–0.920) 0.640 (0.610–0.670) 37.6 (35.6–39.6) 18.8",
        "the data – 0.750 46.1",
        "Block 3 failed: out of memory",
    ):
        assert said in text
    shown = printed(document())
    assert max(map(len, shown.splitlines())) <= 80
    assert re.search(r"0\.4 +0\.900 +0\.640 \(0\.610–0\.670\) +37\.6 \(35\.6–39\.6\)", shown)
    assert "−0.918 (−1.175 to −0.660)" in " ".join(shown.split())


def test_the_drawing_joins_the_temperatures_in_order():
    plot = tradeoff_view(read(document())).plot
    written = [dot for dot in plot.dots if not dot.data]
    assert [dot.label for dot in written] == ["0.4", "1", "1.6"]
    assert [dot.x for dot in written] == sorted(dot.x for dot in written)  # more varied to the right
    assert [dot.y for dot in written] == sorted(dot.y for dot in written)  # worse is lower: a larger y
    assert plot.path == "M" + "L".join(f"{dot.x:g} {dot.y:g}" for dot in written)
    assert all(dot.errors.count("M") == 2 for dot in written)
    (own,) = (dot for dot in plot.dots if dot.data)
    assert written[0].x < own.x < written[1].x
    assert own.y < written[0].y
    assert len(plot.x_ticks) >= 3
    assert [x for x, _ in plot.x_ticks] == sorted(x for x, _ in plot.x_ticks)


def test_without_it_nothing_is_shown():
    for found in ({}, {"tradeoff": None}, {"tradeoff": 7}, {"tradeoff": {}}):
        assert read(found) is None
        assert "Quality against diversity" not in page_text(found)
        assert "Quality against diversity" not in printed(found)


def test_what_is_not_defined_is_a_reason_never_a_zero():
    reason = "blocks that were finished: 2; fewer than 3 do not tell how blocks differ"
    found = {"tradeoff": {"world": "programs", "text": "", "undefined": reason, "failed": []}}
    assert f"not defined: {reason}" in page_text(found)
    assert f"not defined: {reason}" in " ".join(printed(found).split())
    assert 'class="trade' not in render_study(found)
    few = point(1.6, 0.01, 1.0) | {f"diversity{end}": None for end in ("", "_lo", "_hi", "_right")}
    few["undefined"] = "in a block fewer than 50 prompts are tasks of the world"
    slope = {"estimate": None, "verdict": "cannot tell", "undefined": "temperatures with a diversity: 2"}
    found = document(points=[point(0.4, 0.64, 37.6), point(1.0, 0.36, 48.1), few], slope=slope)
    assert rows(read(found))[2][3] == "not defined: in a block fewer than 50 prompts are tasks of the world"
    assert sentences(read(found))[0] == "Over the temperatures: not defined: temperatures with a diversity: 2."
    assert [dot.label for dot in tradeoff_view(read(found)).plot.dots] == ["0.4", "1", ""]
    assert "0.000" not in page_text(found)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, 1e300, -1.0, 0, True, "0.5", None, [1], {}])
def test_wrong_numbers_are_absent(value):
    found = document(
        points=[point(0.4, 0.5, 40.0), point(1.0, 0.3, 50.0), point(1.6, 0.2, 60.0) | {"diversity": value}]
    )
    assert rows(read(found))[2][3].startswith("not defined")
    assert not re.search(r"\b(?:nan|NaN|inf)\b", page_text(found))
    printed(found)
    for key in ("points", "data", "slope", "selection", "selection_any_length", "failed", "undefined", "text"):
        render_study(document(**{key: value}))
        printed(document(**{key: value}))


def test_hostile_text_is_inert():
    hostile = "<script>alert(1)</script> \u202e\x1b[2J [bold]"
    found = document(text=hostile, failed=[{"block": hostile, "error": hostile}], undefined=hostile)
    assert "<script>" not in render_study(found)
    assert "\x1b" not in printed(found)
    assert "\u202e" not in printed(found)
    assert "[bold]" in printed(found)
