"""Words, scales, plots, verdicts and the terminal."""

import doctest
import io
import itertools

import pytest
from rich.console import Console

from triptych.report import plots, print_profiles, scales, text, verdicts, words
from triptych.report.model import Histogram, Point, read_profile
from triptych.report.scales import Scale


@pytest.mark.parametrize("module", [text, words])
def test_worked_examples(module):
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def test_clean_keeps_ordinary_text():
    plain = "Naïve café, 日本語, שלום, नमस्ते, 👩‍👩‍👧\n\tindented"
    assert text.clean(plain) == plain


def test_clean_bounds_towers_of_marks_and_runs_of_controls():
    assert len(text.clean("a" + "\u0301" * 100_000)) < 20
    assert len(text.clean("\x00" * 100_000)) <= 401


def test_ratio_is_never_a_percentage():
    assert words.number(0.5, unit="ratio") == "0.500"
    assert words.number(0.00042, unit="ratio") == "0.00042"
    assert words.number(0, unit="ratio") == "0.000"
    assert words.number(-0.0001, 2) == "0.00"


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [5.0], [-3.0], [1e-9, 2e-9], [1e12, 1e12 + 1], [-1e300, 1e300]])
def test_scales_hold_their_values(values):
    for alone in (True, False):
        scale = scales.value_scale(values, "steps", alone=alone)
        assert scale.lo <= min(values) <= max(values) <= scale.hi
        assert scale.lo < scale.hi
        assert all(0 <= tick.at <= 1 for tick in scales.ticks(scale))


def test_ratio_scale():
    assert scales.value_scale([0.1, 0.9], "ratio") == Scale(0.0, 1.0)
    assert scales.value_scale([0.93], "ratio", alone=True) == Scale(0.0, 1.0)
    assert scales.value_scale([-0.2, 0.1], "rank correlation") == Scale(-1.0, 1.0)
    zoomed = scales.value_scale([0.95, 0.97], "ratio")
    assert 0.9 < zoomed.lo < zoomed.hi <= 1


def test_log_ticks_are_round_and_few():
    labels = [tick.label for tick in scales.log_ticks(Scale(62, 2000, log=True))]
    assert labels == ["100", "200", "500", "1k", "2k"]


def test_curve_ends_do_not_cover_each_other():
    curves = [(at, [Point(100, 1.0, 0.1), Point(1000, 2.0 + at / 1000, 0.1)]) for at in range(5)]
    plot = plots.curve_plot(curves)
    places = sorted(line.label_y for line in plot.lines)
    assert all(later - earlier >= 15.9 for earlier, later in itertools.pairwise(places))
    assert plot.common_n is None
    assert plots.curve_plot([(0, [Point(5, 1.0, 0.0)])]) is None


def test_curves_of_different_length_have_a_common_n():
    plot = plots.curve_plot([(0, [Point(10, 1, 0), Point(100, 2, 0)]), (1, [Point(10, 1, 0), Point(1000, 2, 0)])])
    assert plot.common_n == 100


def test_histogram_tail_is_counted():
    counts = (500.0, 499.0, *[0.0] * 97, 1.0)
    item = Histogram("x", "X", "complexity", "tokens", tuple(map(float, range(101))), counts, 0.0)
    plot = plots.ridge_plot([(0, item)])
    assert plot.ridges[0].beyond == 1
    assert plot.ticks[-1].label == "2"


def test_long_histogram_keeps_its_count(make):
    document = make.document()
    document["histograms"] = [
        {"column": "x", "axis": "quality", "edges": list(range(1002)), "counts": [1] * 1001},
        {"column": "broken", "axis": "quality", "edges": [1], "counts": [1]},
    ]
    found = read_profile(document).histograms
    assert len(found) == 1
    assert sum(found[0].counts) == 1001
    assert len(found[0].edges) == len(found[0].counts) + 1
    assert len(found[0].counts) <= 80


def test_verdicts_rank_only_what_can_be_ranked(make):
    first, second, third = verdicts(make.three())
    assert first.startswith("varied: Valid share 0.981; 1,960 records count as 48.3 effective structures; ")
    assert "the lowest of the 3 sets" in third
    assert "structures, the" not in first + second + third  # n differs: diversity is not ranked
    assert "closely follows length: rank correlation 0.92" in second
    equal = make.document("varied"), make.document("repetitive")
    assert "effective structures, the lowest of the two sets" in verdicts(equal)[1]


def test_no_rank_across_encoders(make):
    lines = verdicts([make.document(), make.other_encoder()])
    assert "of the two sets" not in "".join(lines)


def test_verdict_of_nothing():
    assert verdicts([{}]) == ["unnamed set: No headline measure of quality, diversity and complexity."]


def printed(documents, width=80):
    out = io.StringIO()
    print_profiles(documents, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_terminal_at_80_columns(make):
    for documents in (make.three(), make.twelve(), [make.document()]):
        shown = printed(documents)
        assert max(map(len, shown.splitlines())) <= 80
        assert "0.981" in shown
        assert "…" not in shown.splitlines()[2]
        assert "not defined: no student was named" in " ".join(shown.split())


def test_terminal_shows_hostile_text_inert(make):
    shown = printed([make.hostile()])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[2J" in shown
    shown = printed([make.document() | {"warnings": [{"code": "x", "text": "[bold]not markup[/bold]"}]}])
    assert "[bold]not markup[/bold]" in shown
